"""All Dagster definitions put together, for the reports that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.defs.assets import loaded_assets, view_specs
from pipelines.defs.following import FOLLOW_CHECKS, follow_lake
from pipelines.defs.freshness import fresh_checks, freshness_sensor
from pipelines.defs.health import HEALTH_SPECS
from pipelines.defs.jobs import asset_jobs
from pipelines.defs.partitions import WHOLE
from pipelines.defs.refresh import REFRESH, refresh_of
from pipelines.defs.schedules import SCHEDULES
from pipelines.defs.sensors import access_check, access_sensor, failed_runs, new_accounts
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.defs.partitions import Grid
    from pipelines.reports.catalog import Reports

__all__ = ["definitions_of"]


def definitions_of(
    reports: Reports, grid: Grid = WHOLE, owners: Sequence[str] = ()
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors. Reads nothing. `owners` are those of assets that
    name none.
    """
    assets = [
        *(*loaded_assets(reports, grid), *view_specs(reports.catalog), REFRESH, *HEALTH_SPECS)
    ]
    return dg.Definitions.merge(
        dg.Definitions(
            assets=dg.map_asset_specs(
                lambda spec: spec.replace_attributes(owners=spec.owners or owners), assets
            ),
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
