"""`fbinsights backfill`: from days and accounts to Dagster runs, and what to tell at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from fbgraph import act_id
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED, WRONG_USE
from pipelines.cli.progress import Bar
from pipelines.cli.runs import interrupts, open_instance, run_job
from pipelines.cli.selection import demand_begun, plan_of
from pipelines.cli.summary import Summary
from pipelines.cli.terminal import say
from pipelines.defs.events import published_events, record_accounts
from pipelines.loading.emptiness import ACCEPT_EMPTY_TAGS
from pipelines.loading.listings import discover
from pipelines.loading.partitions import AD_ACCOUNTS, account_ranges
from pipelines.reports.catalog import CATALOG
from pipelines.settings import settings_of
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import ensure_published, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import dagster as dg

    from pipelines.loading.listings import Discovery
    from pipelines.settings import Settings

__all__ = ["close", "prepared_lake", "run_backfill"]


def run_backfill(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    since: date,
    until: date,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
    accept_empty: bool = False,
) -> int:
    """Load, prove and publish account-days; returns the exit code. `accept_empty`: those that had
    rows become empty at once where Meta returns none.

    Raises ConfigError, TokenError and other GraphErrors of the first call before anything is
    written.
    """
    settings = settings_of(environ)
    with settings.open_graph() as client:
        found = discover(client, settings.account_ids)
    started = datetime.now(UTC)
    plan = plan_of(found, (since, until), accounts, reports, started)
    demand_begun(plan)
    summary = Summary(plan, started, dict.fromkeys(plan.reports, plan.account_days))
    with (
        open_instance(environ) as instance,
        Bar(len(plan.account_days) * len(plan.reports)) as bar,
        interrupts() as look,
    ):
        lake = prepared_lake(settings)
        _take_in(instance, summary, lake, found)
        _run(instance, summary, lake, bar, look, ACCEPT_EMPTY_TAGS if accept_empty else {})
        if not summary.stopped or summary.loads:  # what was loaded is published all the same
            bar.stage("publish")
            _publish(instance, summary, settings.warehouse_url)
    return close(summary)


def prepared_lake(settings: Settings) -> Lake:
    """The lake, which can be written, with a published file for those who already ask.

    Raises WarehouseError.
    """
    lake = Lake(settings.warehouse_url, catalog=CATALOG)
    lake.require_writable()
    ensure_published(settings.warehouse_url, catalog=CATALOG)
    return lake


def close(summary: Summary) -> int:
    """Show the closing table and what went wrong; returns the exit code."""
    for line in summary.table():
        click.echo(line)
    for line in summary.complaints():
        say(line)
    if summary.stopped:
        return WRONG_USE
    return ALL_DONE if summary.all_done else SOME_FAILED


def _take_in(instance: dg.DagsterInstance, summary: Summary, lake: Lake, found: Discovery) -> None:
    """Put the accounts into the lake and the grid. If that fails, those that are there already are
    loaded all the same.
    """
    try:
        record_accounts(instance, lake, found, summary.started)
    except (WarehouseError, OSError) as error:
        summary.failed["accounts", "all"] = str(error)


def _run(  # noqa: PLR0913, PLR0917  # all that a run needs
    instance: dg.DagsterInstance,
    summary: Summary,
    lake: Lake,
    bar: Bar,
    look: Callable[[], None],
    tags: Mapping[str, str],
) -> None:
    """Objects of the accounts, then the reports; then see what is in the lake."""

    def go(job: str, first: str, last: str) -> None:
        if not summary.stopped:
            bar.stage(job.removesuffix("_job"))
            summary.note(run_job(instance, job, first, last, tags=tags))
            look()

    plan = summary.plan
    keys = [act_id(row["account_id"]) for row in plan.accounts]
    ranges = account_ranges(instance.get_dynamic_partitions(AD_ACCOUNTS), keys)
    for first, last in ranges:
        go("objects_job", first, last)
    for report in plan.reports:
        for first, last in ranges:
            go(f"{report}_job", f"{first}|{plan.days[0]}", f"{last}|{plan.days[-1]}")
    summary.read(lake)


def _publish(instance: dg.DagsterInstance, summary: Summary, url: str) -> None:
    """Publish and record that, without a run of its own. If it fails a run tries once more, so that
    what is wrong is in the UI.
    """
    try:
        for event in published_events(publish(url, catalog=CATALOG)):
            instance.report_runless_asset_event(event)
    except (WarehouseError, OSError):
        summary.note(run_job(instance, "publish_job"))
