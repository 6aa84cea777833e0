"""`fbinsights refresh`: does by hand what the daily schedule does, and reports the outcome."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from fbgraph import act_id
from fbgraph.errors import ENDS_EVERYTHING, GraphError
from pipelines.cli.commands.backfill import close
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.json_lines import print_json, total_line
from pipelines.cli.output.progress import Bar
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.selection import keys_of, plan_of
from pipelines.cli.session import guarded, keep_pictures, opened_session, publish_into
from pipelines.cli.summary import Summary
from pipelines.cli.waits import waits_of
from pipelines.defs.alerts import is_delivered
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.intraday.tick import run_tick
from pipelines.loading.recording import Recording
from pipelines.loading.refreshing.changes import find_changes, reload
from pipelines.loading.refreshing.refresh import lookback
from pipelines.loading.session import Session, published_if_stopped
from pipelines.settings import settings_of
from pipelines.state.history import history_since
from pipelines.watching.look import WatchResult, watch
from warehouse.decode.hours import today_in
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import lag, publish, require_carried
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from pipelines.loading.accounts.discovery import Discovery
    from pipelines.loading.intraday.tick import Tick
    from pipelines.loading.refreshing.changes import ChangedDays
    from pipelines.reports.catalog import Reports
    from pipelines.settings import Settings

__all__ = ["run_one_tick", "run_refresh"]


def run_refresh(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    *,
    accounts: Sequence[str] = (),
    full: bool = False,
    accept_empty: bool = False,
    style: Style = FOR_PEOPLE,
) -> int:
    """Reload what changed, and the newest days, of all `known` reports; returns the exit code, as
    `run_backfill` does.

    `accept_empty`: days that had rows become empty at once if Meta returns none. Raises
    ConfigError, TokenError and other GraphErrors of the first call before anything is written.
    """
    settings = settings_of(environ)
    with settings.open_graph() as client:
        found = discover(client, settings.account_ids)
        started = datetime.now(UTC)
        todays = [today_in(row["timezone_name"], started) for row in found.rows]
        days = lookback(min(todays, default=started.date()))
        plan = plan_of(found, known, (days[0], days[-1]), started, accounts=accounts)
        summary = Summary(plan, started, {}, is_refresh=True)
        number = len(plan.accounts) * len(days)
        waits = waits_of(open_store(settings.warehouse_url))
        tally = client.tally
        with (
            Bar(number, waits, calls=lambda: tally.calls, is_quiet=style.is_quiet) as bar,
            opened_session(environ, known, client, summary, bar, accept_empty=accept_empty) as (
                session,
                recording,
            ),
        ):
            begins = history_since(session.lake, settings.history_since, started.date())
            changed_days = _find(session, known, found, summary, bar, full=full, begins=begins)
            if changed_days is not None:
                _reload(session, known, recording, summary, bar, changed_days)
            if changed_days is not None or recording.steps:  # what was loaded is published anyway
                publish_into(recording, summary, bar, settings, known.catalog)
            if changed_days is not None:
                summary.failed |= changed_days.failed
    return _close(summary, changed_days, style)


def _find(  # noqa: PLR0913  # what is compared with what
    session: Session,
    known: Reports,
    found: Discovery,
    summary: Summary,
    bar: Bar,
    *,
    full: bool,
    begins: date,
) -> ChangedDays | None:
    """What changed, by the accounts' totals; None if that could not be found out."""
    bar.step("accounts")
    keys = [act_id(account_id) for account_id in summary.plan.account_ids]
    with guarded(summary, "refresh"):
        return find_changes(
            *(session, known, found, keys, summary.started), full=full, begins=begins
        )
    return None


def _reload(  # noqa: PLR0913, PLR0917  # what is loaded, and who is told
    session: Session,
    known: Reports,
    recording: Recording,
    summary: Summary,
    bar: Bar,
    changed_days: ChangedDays,
) -> None:
    wanted = changed_days.to_reload
    summary.wanted = {report: list(chosen) for report, chosen in wanted.items()}
    bar.stage("reloading", sum(map(len, wanted.values())))
    before = session.client.tally.calls
    with guarded(summary, "refresh"):
        reload(session, known.by_name, changed_days)
        recording.refreshed = changed_days, session.client.tally.calls - before
    if not summary.stopped:
        keep_pictures(session, summary, bar, changed_days.account_ids)
    changed_days.reload_calls = session.client.tally.calls - before


def _close(summary: Summary, changed_days: ChangedDays | None, style: Style) -> int:
    if changed_days is None:
        return close(summary, "refresh", style)
    loads = sum(load.calls for load in summary.loads.values())
    summary.calls = changed_days.calls_in_words(min(loads, changed_days.reload_calls))
    more = {
        "reloaded": changed_days.counts,
        "calls_to_compare": changed_days.calls,
        "calls_in_all": changed_days.all_calls,
    }
    code = close(summary, "refresh", style, **more)
    style.remark(f"\n{changed_days}")
    return code


def run_one_tick(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    accounts: Sequence[str] = (),
    style: Style = FOR_PEOPLE,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    is_watched: bool = False,
) -> int:
    """Load and publish what has moved of days that are not over, without Dagster: the next refresh
    shows the days in its grid that this closes. Returns the exit code; that a tick is in progress
    elsewhere does not count as a failure. `is_watched`: what is unusual is printed, and sent to the
    webhook, as after a tick of the schedule. Raises as `run_tick`, and WarehouseError at the end if
    the other destination does not show it.
    """
    settings = settings_of(environ)
    lake = Lake(settings.warehouse_url, catalog=known.catalog)
    lake.require_writable()
    named = keys_of(accounts, {}) or settings.account_ids
    waits, looked = waits_of(lake.store), None
    with settings.open_graph() as client:
        tally = client.tally
        session = Session(
            *(client, lake, str(uuid4()), now, Recording()),
            delay=settings.intraday_delay,
        )
        with Bar(0, waits, calls=lambda: tally.calls, is_quiet=style.is_quiet) as bar:
            bar.step("today")
            tick, not_carried = _tick_and_publish(session, named, settings)
            if is_watched and not tick.skipped:
                looked = _watched(lake, settings, client, now())
    wrong = _wrong_of(looked)
    code = SOME_FAILED if tick.failed or wrong else ALL_DONE
    if style.is_json:
        print_json(_tick_line(tick, looked, wrong, code))
    else:
        _print_tick(tick, _lines_of(looked, settings), wrong, style)
    require_carried(not_carried)
    return code


def _tick_and_publish(
    session: Session, named: Sequence[str], settings: Settings
) -> tuple[Tick, str]:
    """A tick, and `Published.not_carried`. What was loaded is published even if it stops midway."""

    def publish_now() -> str:
        if not lag(session.lake).is_behind:
            return ""
        return publish(
            settings.warehouse_url,
            catalog=session.lake.catalog,
            destination=settings.destination,
        ).not_carried

    with published_if_stopped(publish_now):
        tick = run_tick(session, named)
    return tick, publish_now()


def _tick_line(tick: Tick, looked: WatchResult | str | None, wrong: str, code: int) -> str:
    """What a tick did, as JSON."""
    found = looked if isinstance(looked, WatchResult) else WatchResult()
    return total_line(
        "refresh",
        code,
        skipped=tick.skipped,
        accounts=tick.accounts,
        asked=len(tick.looks),
        loaded=sum(one.load is not None for one in tick.opened),
        closed=sum(one.load is not None for one in tick.closed),
        left_out=dict(tick.left_out),
        failed={str(target): why for target, why in tick.failed.items()},
        calls=tick.calls,
        looked_at=found.accounts,
        alerts=found.news,
        alerts_failed=wrong,
    )


def _print_tick(tick: Tick, lines: Sequence[str], wrong: str, style: Style) -> None:
    """What a tick did and what is unusual on stdout, what is not in order on stderr."""
    click.echo(str(tick))
    for line in lines:
        click.echo(line)
    for account_id, why in tick.left_out.items():
        style.remark(f"{act_id(account_id)} is left out: {why}")
    for target, why in tick.failed.items():
        style.error(f"{target}: {why}")
    if wrong:
        style.error(wrong)


def _watched(
    lake: Lake, settings: Settings, client: GraphClient, now: datetime
) -> WatchResult | str:
    """What is new of the open days, or why nobody could look. Raises what ends everything."""
    try:
        return watch(
            *(lake, settings, client, now),
            send=lambda text: not settings.alert_webhook or is_delivered(settings, text),
            interval_minutes=float(settings.intraday_minutes),
        )
    except ENDS_EVERYTHING:
        raise
    except (GraphError, ConfigError, WarehouseError, OSError) as error:
        return str(error)


def _lines_of(looked: WatchResult | str | None, settings: Settings) -> Sequence[str]:
    """What a look has to say: its news, or that there is none."""
    if not isinstance(looked, WatchResult):
        return ()
    if not settings.watched:
        return ["FB_WATCH=none: nothing is looked for."]
    return looked.news or [str(looked)]


def _wrong_of(looked: WatchResult | str | None) -> str:
    """Why the look failed, or its alert; "" if neither did or none was wanted."""
    if isinstance(looked, str):
        return f"Could not look for what is unusual: {looked}"
    if looked and not looked.delivered:
        return "The alert was not delivered; the next --alert sends it again."
    return ""
