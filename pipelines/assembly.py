"""Everything that Dagster runs, put together: for its pages and for the command line."""

from __future__ import annotations

from typing import Final

import dagster as dg

from pipelines.defs.assets import ASSETS, VIEW_SPECS
from pipelines.defs.following import FOLLOW_CHECKS, follow_lake
from pipelines.defs.freshness import FRESH_CHECKS, freshness
from pipelines.defs.jobs import ASSET_JOBS
from pipelines.defs.refresh import REFRESH, refresh_job
from pipelines.defs.schedules import SCHEDULES
from pipelines.defs.sensors import ACCESS_CHECKS, SENSORS
from pipelines.resources import GraphResource

__all__ = ["DEFS"]

DEFS: Final = dg.Definitions(
    assets=[*ASSETS, *VIEW_SPECS, REFRESH],
    jobs=[*ASSET_JOBS, refresh_job],
    asset_checks=[*FRESH_CHECKS, *ACCESS_CHECKS, *FOLLOW_CHECKS],
    schedules=SCHEDULES,
    sensors=[freshness, follow_lake, *SENSORS],
    resources={"graph": GraphResource(), "mem": dg.mem_io_manager},
    executor=dg.in_process_executor,  # a process per step costs seconds and gains nothing
)
