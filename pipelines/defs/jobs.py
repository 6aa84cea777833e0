"""The jobs: one for each asset or group of them that a person or a schedule may run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.defs.following import PUBLISH_JOB
from pipelines.loading.listings import LEVEL_OF
from pipelines.reports.catalog import CONTROL, REPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ASSET_JOBS", "JOBS"]

#: job → the assets that it materializes.
JOBS: Final[Mapping[str, Sequence[str]]] = {
    "accounts_job": ["accounts"],
    "objects_job": list(LEVEL_OF),
    **{f"{report}_job": [report] for report in (CONTROL.name, *REPORTS)},
    PUBLISH_JOB: ["warehouse_duckdb"],
}

ASSET_JOBS: Final = tuple(
    dg.define_asset_job(name, selection=list(assets)) for name, assets in JOBS.items()
)
