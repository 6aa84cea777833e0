"""Reports to Dagster what was loaded without one of its runs, so that its grid shows it.

By Dagster's public API: materializations, and results of checks. It has no event for a partition
that failed without a run; `fbinsights status` and the table `failures` have those.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from fbgraph import act_id
from pipelines.asset_keys import AssetKeys
from pipelines.dagster_private import store_together
from pipelines.defs.event_log.data_versions import content_version
from pipelines.defs.event_log.events import (
    Part,
    accounts_event,
    in_batches,
    listed_events,
    loaded_events,
    part_events,
    published_events,
    refreshed_event,
)
from pipelines.defs.event_log.metadata import LoadContext
from pipelines.defs.event_log.news import news_in
from pipelines.defs.event_log.run_events import add_to_grid
from pipelines.defs.health import command_event, health_events
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from pipelines.loading.session import LoadedAccounts, Loads
from pipelines.reports.catalog import CONTROL
from pipelines.state.dagster_home import databases_open
from pipelines.state.homes import require_prefix
from pipelines.state.unreported import notes_of
from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    import dagster as dg

    from fbgraph import GraphClient
    from pipelines.defs.event_log.events import Event, News
    from pipelines.loading.recording import Recording
    from pipelines.reports.catalog import Reports
    from pipelines.state.unreported import Unreported
    from warehouse.lake.partitions import Lake
    from warehouse.published.publish import Published

__all__ = ["keys_in", "report_published", "report_recording", "report_unreported"]

_log = logging.getLogger(__name__)


def keys_in(instance: dg.DagsterInstance, reports: Reports) -> AssetKeys:
    """The keys of assets in a home. Raises ConfigError where they are unknown, or not the home's:
    events under other keys would be of other assets.
    """
    keys = AssetKeys.of(reports)
    require_prefix(instance, keys.prefix)
    return keys


def report_recording(  # noqa: PLR0913, PLR0917  # what was loaded, by whom, and where it is told
    instance: dg.DagsterInstance,
    lake: Lake,
    client: GraphClient,
    recording: Recording,
    reports: Reports,
    now: datetime,
) -> None:
    """Report all that a load did, in its order. Raises what Dagster's storage raises, and
    ConfigError where the keys of assets are unknown.
    """
    load_context = LoadContext.of(lake, client, keys_in(instance, reports))
    for step in recording.steps:
        if isinstance(step, LoadedAccounts):
            add_to_grid(instance, lake, step)
    _report(instance, _recorded(instance, load_context, recording, now))
    if recording.published is not None:
        keys = load_context.keys
        _report(instance, health_events(lake, reports.by_name, client, keys, now))


def _recorded(
    instance: dg.DagsterInstance, load_context: LoadContext, recording: Recording, now: datetime
) -> Iterator[Event]:
    lake, keys, news = load_context.lake, load_context.keys, _news(instance, load_context.keys)
    for step in recording.steps:
        if isinstance(step, Loads):
            yield from loaded_events(step, load_context, news)
        elif isinstance(step, tuple):
            yield from listed_events(*step, lake, keys, news)
        else:
            yield accounts_event(step, lake, keys)
    if recording.published is not None:
        yield from published_events(recording.published, keys)
    if recording.refreshed is not None:
        yield refreshed_event(*recording.refreshed, keys)
    if recording.command is not None:
        loads = [step for step in recording.steps if isinstance(step, Loads)]
        yield command_event(recording.command, loads, load_context.names, keys, now)


def _news(instance: dg.DagsterInstance, keys: AssetKeys) -> News:
    return lambda table, parts: news_in(instance, keys(table), parts)


def report_published(instance: dg.DagsterInstance, published: Published, reports: Reports) -> None:
    """Report a publish without a load. Raises ConfigError where the keys of assets are unknown."""
    _report(instance, published_events(published, keys_in(instance, reports)))


def report_unreported(
    instance: dg.DagsterInstance, lake: Lake, reports: Reports, now: datetime
) -> int:
    """Report what commands that were killed, or could not reach Dagster, have left in the lake;
    returns the number of events.

    What another machine's command has loaded so far is reported too. Tables of other reports than
    these are left out. Raises what Dagster's storage raises, and ConfigError where the keys of
    assets are unknown.
    """
    count, keys = 0, keys_in(instance, reports)
    for note in notes_of(lake.store):
        if note.is_at_work():
            continue
        try:
            accounts = [act_id(account_id) for account_id in accounts_in(lake)]
            instance.add_dynamic_partitions(AD_ACCOUNTS, accounts)
            count += _report(instance, _left_by(note, instance, lake, reports, keys))
        except (WarehouseError, OSError) as error:
            _log.warning("What an earlier command loaded cannot be reported to Dagster: %s", error)
            continue
        if note.has_ended(now):
            note.forget(lake.store)
    return count


def _left_by(
    note: Unreported, instance: dg.DagsterInstance, lake: Lake, reports: Reports, keys: AssetKeys
) -> Iterator[Event]:
    """Objects that Dagster has no record of, and account-days that this load has brought."""
    for row in reports.catalog.listed:
        unknown = _unknown_objects(row.name, instance, lake, keys)
        yield from part_events(row.name, unknown, lake, keys)
    load_context = LoadContext.of(lake, None, keys)
    for table in dict.fromkeys((CONTROL.name, *note.tables)):
        report = CONTROL if table == CONTROL.name else reports.by_name.get(table)
        if report is not None:
            outcomes = [
                Outcome(AccountDay(one.account_id, one.date), one)
                for one in note.loads_in(lake, table)
            ]
            news = _news(instance, keys)
            yield from loaded_events(Loads(report, outcomes), load_context, news)


def _unknown_objects(
    table: str, instance: dg.DagsterInstance, lake: Lake, keys: AssetKeys
) -> Iterator[Part]:
    known = instance.get_materialized_partitions(keys(table))
    for where in lake.partitions(table):
        key = act_id(where.account_id)
        if key not in known:
            yield Part(key, {}, version=content_version(lake, table, where.account_id))


def _report(instance: dg.DagsterInstance, events: Iterable[Event]) -> int:
    count = 0
    with ExitStack() as closing:
        for some in in_batches(events):
            if len(some) == 1:
                instance.report_runless_asset_event(some[0])
            else:
                store_together(instance, some)  # type: ignore[arg-type]  # of one kind
            if not count:  # the first event creates the last of them
                closing.enter_context(databases_open(instance))
            count += len(some)
            if len(some) > 1:
                step = f"reporting to Dagster, {count:,} events so far"
                _log.debug("Reported %d events.", count, extra={"step": step})
    return count
