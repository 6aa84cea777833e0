"""The refresh as a Dagster job of two steps: find what changed, reload it and publish.

`loading.refreshing.changes` does the work; here it is recorded, each account-day in the grid of its
asset.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
from datetime import datetime
from functools import partial

import dagster as dg
from pydantic import Field

from fbgraph import GraphClient
from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.events import refreshed_event
from pipelines.defs.event_log.run_events import (
    RunRecorder,
    failure_of,
    log_events,
    log_published,
)
from pipelines.defs.event_log.runless import report_unreported
from pipelines.defs.health import health_events
from pipelines.defs.overview import overview_event
from pipelines.defs.slices import REFRESH_JOB, is_last, wait_for_turn
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.emptiness import accepts_empty
from pipelines.loading.refreshing.changes import ChangedDays, find_changes, reload
from pipelines.loading.session import Session, published_if_stopped
from pipelines.reports.catalog import Reports
from pipelines.resources import GraphResource, stopping
from pipelines.settings import Settings
from pipelines.state.history import history_since
from warehouse.lake.partitions import Lake
from warehouse.published.known import lake_with_records
from warehouse.published.publish import Published, publish, require_carried

__all__ = ["Refresh", "close_load", "publish_if_last", "refresh_of", "refresh_spec", "session_of"]


def refresh_spec(keys: AssetKeys) -> dg.AssetSpec:
    """An asset that nothing loads: each refresh records on it what it found and what that cost."""
    return dg.AssetSpec(
        keys("refresh"),
        description="What each refresh found changed and reloaded, and its calls next to what "
        "reloading the whole lookback would have cost.",
        group_name=keys.group_of("refresh", "daily"),
    )


class Refresh(dg.Config):
    """The configuration of one refresh.

    `accounts`: keys like act_123; none means all that the token sees. `full`: the whole lookback,
    whether its totals changed or not. `as_of`: an instant in ISO form to use instead of now. That a
    day which had rows may become empty at once is not configuration but a tag of the run
    (`emptiness.ACCEPT_EMPTY`), as it is for every asset.
    """

    accounts: list[str] = Field(default_factory=list)
    full: bool = False
    as_of: str = ""

    def time(self, graph: GraphResource) -> datetime:
        """The instant that "yesterday" refers to."""
        return datetime.fromisoformat(self.as_of) if self.as_of else graph.now()


def session_of(
    context: dg.OpExecutionContext,
    client: GraphClient,
    lake: Lake,
    graph: GraphResource,
    recorder: RunRecorder,
) -> Session:
    """A session of a refresh or backfill."""
    return Session(
        *(client, lake, context.run_id, graph.now, recorder),
        accept_empty=accepts_empty(context.run.tags),
        media=graph.environment().media,
        delay=graph.environment().intraday_delay,
    )


def publish_if_last(
    context: dg.OpExecutionContext, settings: Settings, reports: Reports, keys: AssetKeys
) -> Published | None:
    """Publish what was loaded, unless this run is a slice and others of its refresh or backfill go
    on: the last of them does, and the sensor `follow_lake` if that one dies.
    """
    if not is_last(context):
        context.log.info("The last slice publishes, or the sensor follow_lake before.")
        return None
    published = publish(
        settings.warehouse_url, catalog=reports.catalog, destination=settings.destination
    )
    log_published(context, published, keys)
    return published


def close_load(
    context: dg.OpExecutionContext,
    client: GraphClient,
    reports: Reports,
    keys: AssetKeys,
    graph: GraphResource,
) -> None:
    """What follows a publish: the page overview.html, how the lake is, and what commands have left
    to report.
    """
    page = overview_event(graph, keys)
    if isinstance(page, str):
        context.log.warning(page)
    else:
        context.log_event(page)
    lake = Lake(graph.settings().warehouse_url, catalog=reports.catalog)
    log_events(context, health_events(lake, reports.by_name, client, keys, graph.now()))
    report_unreported(context.instance, lake, reports, graph.now())


# The names of both ops are part of the job's documented config (`ops: look: config:`).
def _detect_changes(reports: Reports, keys: AssetKeys) -> dg.OpDefinition:
    @dg.op(name="look", out=dg.Out(io_manager_key="mem"))
    def detect_changes(
        context: dg.OpExecutionContext, config: Refresh, graph: GraphResource
    ) -> ChangedDays:
        """Accounts, their objects, control totals of the lookback; then decide what to reload."""
        settings = graph.settings()
        lake = lake_with_records(settings.warehouse_url, reports.catalog)
        wait_for_turn(context, config.accounts)
        with stopping(), settings.open_graph() as client:
            found = discover(client, settings.account_ids)
            recorder = RunRecorder(context, lake, client, keys)
            publish_now = partial(publish_if_last, context, settings, reports, keys)
            try:
                changed_days = find_changes(
                    *(session_of(context, client, lake, graph, recorder), reports, found),
                    *(config.accounts, config.time(graph)),
                    full=config.full,
                    begins=history_since(lake, settings.history_since, graph.now().date()),
                )
            except ConfigError:
                raise
            except Exception:  # such as a token that is no longer valid
                recorder.stopped()
                with published_if_stopped(publish_now):
                    raise
        context.log.info("%s", changed_days)
        return changed_days

    return detect_changes


def _reload_days(reports: Reports, keys: AssetKeys) -> dg.OpDefinition:
    @dg.op(name="pull")
    def reload_days(
        context: dg.OpExecutionContext, graph: GraphResource, changed_days: ChangedDays
    ) -> None:
        """Reload the chosen days, load the objects that they mention, download pictures of ads,
        publish, and report the cost.

        What was loaded is published even if the run stops halfway; days that were not reached are
        failed in the grid.
        """
        settings = graph.settings()
        lake = Lake(settings.warehouse_url, catalog=reports.catalog)
        with stopping():
            publish_now = partial(publish_if_last, context, settings, reports, keys)
            with published_if_stopped(publish_now), settings.open_graph() as client:
                recorder = RunRecorder(context, lake, client, keys)
                session = session_of(context, client, lake, graph, recorder)
                try:
                    reload(session, reports.by_name, changed_days)
                except BaseException:  # also when somebody terminates the run
                    recorder.stopped()
                    raise
                session.keep_pictures(changed_days.account_ids)
                calls = client.tally.calls
            published = publish_now()
        context.log_event(refreshed_event(changed_days, calls, keys))
        if published:
            close_load(context, client, reports, keys, graph)
            require_carried(published.not_carried)
        if changed_days.failed:
            raise failure_of(changed_days.failed_keys, changed_days.parts)

    return reload_days


def refresh_of(reports: Reports, keys: AssetKeys) -> dg.JobDefinition:
    """The job, over all reports."""
    detect_changes, reload_days = _detect_changes(reports, keys), _reload_days(reports, keys)

    @dg.job(
        name=REFRESH_JOB,
        description="For each account: lists its objects, compares Meta's totals of the last 28 "
        "days with what is loaded, reloads the days that changed, failed or are new, and publishes."
        " The schedules daily_refresh and weekly_refresh run it, each account in its own morning.",
        tags={"fbinsights/refresh": "yes"},
        executor_def=dg.in_process_executor,  # what the first step found stays in memory
    )
    def refresh_job() -> None:
        reload_days(detect_changes())

    return refresh_job
