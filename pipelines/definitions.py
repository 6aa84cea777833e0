"""What Dagster loads: assets, their checks, the jobs and the door to Graph; and the components in
the folder `defs`, among them every report that is defined in YAML.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

import dagster as dg

import pipelines.defs as components
from pipelines.assets import ASSETS, VIEW_SPECS
from pipelines.daily import REFRESH, refresh_job
from pipelines.freshness import FRESH_CHECKS, freshness
from pipelines.listings import LEVEL_OF
from pipelines.reports import CONTROL, REPORTS
from pipelines.resources import GraphResource
from pipelines.schedules import SCHEDULES
from pipelines.sensors import ACCESS_CHECKS, SENSORS

__all__ = ["JOBS", "defs"]

#: job → the assets that it materializes.
JOBS: Final = {
    "accounts_job": ["accounts"],
    "objects_job": list(LEVEL_OF),
    **{f"{report}_job": [report] for report in (CONTROL.name, *REPORTS)},
    "publish_job": ["warehouse_duckdb"],
}


def _of_components() -> dg.Definitions:
    # By the module and not by pyproject.toml, which is in a checkout only.
    tree = dg.ComponentTree.from_module(components, Path(components.__path__[0]).parent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's own, about what it uses itself
        return tree.build_defs()


defs: Final = dg.Definitions.merge(
    dg.Definitions(
        assets=[*ASSETS, *VIEW_SPECS, REFRESH],
        jobs=[
            *(dg.define_asset_job(name, selection=assets) for name, assets in JOBS.items()),
            refresh_job,
        ],
        asset_checks=[*FRESH_CHECKS, *ACCESS_CHECKS],
        schedules=SCHEDULES,
        sensors=[freshness, *SENSORS],
        resources={"graph": GraphResource(), "mem": dg.mem_io_manager},
        executor=dg.in_process_executor,  # a process per step costs seconds and gains nothing
    ),
    _of_components(),
)
