"""The jobs: one for each asset or group of assets that a person or a schedule may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.defs.following import PUBLISH_JOB
from pipelines.loading.listings import LEVEL_OF
from pipelines.reports.catalog import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["asset_jobs", "assets_by_job"]


def assets_by_job(reports: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Job → the assets that it materializes; `reports` by their names."""
    return {
        "accounts_job": ["accounts"],
        "objects_job": list(LEVEL_OF),
        **{f"{report}_job": [report] for report in (CONTROL.name, *reports)},
        PUBLISH_JOB: ["warehouse_duckdb"],
    }


def asset_jobs(reports: Iterable[str]) -> dg.Definitions:
    """The same for Dagster, which does not export the type of such a job."""
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(name, selection=list(assets))
            for name, assets in assets_by_job(reports).items()
        ]
    )
