"""All Dagster definitions put together, for the reports that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.defs.assets import loaded_assets, view_specs
from pipelines.defs.following import FOLLOW_CHECKS, follow_lake
from pipelines.defs.freshness import fresh_checks, freshness_sensor
from pipelines.defs.jobs import asset_jobs
from pipelines.defs.refresh import REFRESH, refresh_of
from pipelines.defs.schedules import SCHEDULES
from pipelines.defs.sensors import access_check, access_sensor, failed_runs, new_accounts
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from pipelines.reports.catalog import Reports

__all__ = ["definitions_of"]


def definitions_of(reports: Reports) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors. Reads nothing."""
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[*loaded_assets(reports), *view_specs(reports.catalog), REFRESH],
            jobs=[refresh_of(reports)],
            asset_checks=[*fresh_checks(reports), access_check(reports.by_name), *FOLLOW_CHECKS],
            schedules=SCHEDULES,
            sensors=[
                *(freshness_sensor(reports), follow_lake),
                *(failed_runs, new_accounts, access_sensor(reports.by_name)),
            ],
            resources={"graph": GraphResource(), "mem": dg.mem_io_manager},
            executor=dg.in_process_executor,  # a process per step costs seconds and gains nothing
        ),
        asset_jobs(reports.by_name),
    )
