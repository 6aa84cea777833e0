"""All Dagster definitions put together, for the reports that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.defs.assets import loaded_assets, view_specs
from pipelines.defs.backfill import backfill_of, backfill_slices
from pipelines.defs.following import follow_sensor, up_to_date_check
from pipelines.defs.freshness import fresh_check, freshness_sensor
from pipelines.defs.health import health_specs
from pipelines.defs.intraday import intraday_of, intraday_schedule, intraday_spec
from pipelines.defs.jobs import asset_jobs, assets_by_job
from pipelines.defs.overview import overview_asset
from pipelines.defs.partitions import WHOLE
from pipelines.defs.refresh import refresh_of, refresh_spec
from pipelines.defs.schedules import SCHEDULES
from pipelines.defs.sensors import access_check, access_sensor, failures_sensor, new_accounts
from pipelines.defs.watches import today_checks
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipelines.defs.partitions import Grid
    from pipelines.reports.catalog import Reports

__all__ = ["GRAPH", "definitions_of"]

#: One for all: Dagster merges definitions only if a resource is the same in each.
GRAPH: Final = GraphResource()


def definitions_of(  # noqa: PLR0913  # all that they are made of
    reports: Reports,
    grid: Grid = WHOLE,
    owners: Sequence[str] = (),
    elsewhere: Collection[str] = (),
    graph: GraphResource = GRAPH,
    *,
    intraday_minutes: int = 60,
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors. Reads nothing. `owners` are those of assets that
    name none; `graph` opens Graph and tells the time. Today is loaded every `intraday_minutes`.

    Reports `elsewhere` have their assets, checks and jobs from a component of their own, and are
    watched and refreshed with the others. Raises ConfigError where the keys of assets are unknown.
    """
    keys = AssetKeys.of(reports)
    names = [name for name in reports.by_name if name not in elsewhere]
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        *loaded_assets(reports, grid, keys, elsewhere),
        *view_specs(reports.catalog, keys),
        overview_asset(keys),
        refresh_spec(keys),
        intraday_spec(keys),
        *health_specs(keys),
    ]
    objects = [row.name for row in reports.catalog.listed]
    here = [name for name in objects if name not in elsewhere]
    jobs, refresh_job = assets_by_job(names, here), refresh_of(reports, keys)
    intraday_job, backfill_job = intraday_of(reports, keys), backfill_of(reports, keys)
    every_job = assets_by_job(reports.by_name, objects)
    watched = {keys(asset) for some in every_job.values() for asset in some}
    return dg.Definitions.merge(
        dg.Definitions(
            assets=dg.map_asset_specs(
                lambda spec: spec.replace_attributes(owners=spec.owners or owners), assets
            ),
            jobs=[refresh_job, intraday_job, backfill_job],
            asset_checks=[
                *(fresh_check(name, reports.catalog, keys) for name in names),
                *(access_check(reports.by_name, keys), up_to_date_check(keys)),
                today_checks(reports, keys),
            ],
            schedules=[*SCHEDULES, intraday_schedule(intraday_minutes)],
            sensors=[
                *(freshness_sensor(reports, keys), follow_sensor(keys), new_accounts),
                failures_sensor(
                    {*every_job, refresh_job.name, intraday_job.name, backfill_job.name},
                    *(watched, keys),
                ),
                backfill_slices,
                access_sensor(reports.by_name, keys),
            ],
            resources={"graph": graph, "mem": dg.mem_io_manager},
        ),
        asset_jobs(jobs, keys),
    )
