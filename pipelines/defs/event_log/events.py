"""Events for Dagster: a materialization of each partition that is in the lake, an observation of
each that is not, with the reason, and the results of checks. The same for a run and for what was
loaded without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dagster as dg

from fbgraph import act_id
from pipelines.defs.checks import counted_result, report_results
from pipelines.defs.event_log.data_versions import accounts_version, content_version, version_tags
from pipelines.defs.event_log.metadata import (
    listing_metadata,
    published_metadata,
    refresh_metadata,
    unreadable_metadata,
)
from pipelines.escaping import escaped
from pipelines.loading.accounts.discovery import text_of
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.reports.catalog import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.asset_keys import AssetKeys
    from pipelines.defs.event_log.metadata import LoadContext
    from pipelines.loading.objects import Listed
    from pipelines.loading.refreshing.changes import ChangedDays
    from pipelines.loading.session import LoadedAccounts, Loads
    from warehouse.lake.partitions import Lake
    from warehouse.published.publish import Published

__all__ = [
    "BATCH_EVENTS",
    "Event",
    "News",
    "Part",
    "accounts_event",
    "accounts_metadata",
    "evaluation_of",
    "in_batches",
    "listed_events",
    "listed_part",
    "loaded_events",
    "loaded_part",
    "part_events",
    "published_by_others",
    "published_events",
    "refreshed_event",
    "seen_change",
    "totals_events",
]

#: Events of one statement: a megabyte of JSON, and half a second of work before it is seen.
BATCH_EVENTS: Final = 100

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


class Part(NamedTuple):
    """One partition of a load: its metadata and data version, or why it failed or was skipped."""

    partition_key: str
    metadata: Mapping[str, Any]
    error: str = ""
    version: str = ""
    skipped: str = ""


#: (table, its parts) → the parts that are to be recorded.
News = Callable[[str, Sequence[Part]], Sequence[Part]]


def listed_part(found: Listed, lake: Lake) -> Part:
    """The objects of one account."""
    key = act_id(found.account_id)
    if found.error or found.skipped:
        return Part(key, {}, found.error, skipped=found.skipped)
    version = content_version(lake, found.table, found.account_id)
    return Part(key, listing_metadata(found), version=version)


def loaded_part(outcome: Outcome, load_context: LoadContext) -> Part:
    """One account-day of a report."""
    load = outcome.load
    name = {"account_name": escaped(load_context.names.get(outcome.account_day.account_id) or "")}
    metadata, version = (name, "") if load is None else load_context.of_load(load)
    return Part(
        key_of(outcome.account_day), metadata, outcome.error, version, skipped=outcome.skipped
    )


def part_events(asset: str, parts: Iterable[Part], lake: Lake, keys: AssetKeys) -> Iterator[Event]:
    """Materializations of the partitions that are in the lake: they are green in the grid. The
    others are observed, so that the page of a cell says why without a look into a log.
    """
    inputs = {keys("accounts"): accounts_version(lake)}
    for key, metadata, error, version, skipped in parts:
        if error or skipped:
            why = f"Failed: {error}" if error else f"Skipped: {skipped}"
            what = {"failed": error} if error else {"skipped": skipped}
            yield dg.AssetObservation(
                keys(asset), partition=key, description=why, metadata={**what, **metadata}
            )
        else:
            tags = version_tags(version, inputs)
            yield dg.AssetMaterialization(keys(asset), partition=key, metadata=metadata, tags=tags)


def accounts_metadata(accounts: LoadedAccounts) -> Mapping[str, Any]:
    """The metadata of the asset `accounts`."""
    found, merged = accounts.found, accounts.merged
    names = {act_id(row["account_id"]): text_of(row, "name") for row in found.rows}
    return {
        "dagster/row_count": merged.rows.num_rows,
        "seen_now": len(names),
        "names": names,
        "refused": dict(found.refused),
        **({"withheld": found.withheld} if found.withheld else {}),
        **unreadable_metadata(merged.unreadable),
    }


def accounts_event(
    accounts: LoadedAccounts, lake: Lake, keys: AssetKeys
) -> dg.AssetMaterialization:
    """Accounts that something other than their asset stored in the lake."""
    tags = version_tags(accounts_version(lake))
    metadata = accounts_metadata(accounts)
    return dg.AssetMaterialization(keys("accounts"), metadata=metadata, tags=tags)


def listed_events(
    table: str, found: Sequence[Listed], lake: Lake, keys: AssetKeys, news: News
) -> Iterator[Event]:
    """The objects of accounts that are news, and whether their number equals the edges' count."""
    parts = news(table, [listed_part(one, lake) for one in found])
    yield from part_events(table, parts, lake, keys)
    yield evaluation_of(counted_result(keys(table), found))


def loaded_events(loads: Loads, load_context: LoadContext, news: News) -> Iterator[Event]:
    """Account-days of a report that are news and, if nothing stopped them halfway, the results of
    checks.
    """
    name = loads.report.name
    parts = news(name, [loaded_part(outcome, load_context) for outcome in loads.outcomes])
    yield from part_events(name, parts, load_context.lake, load_context.keys)
    yield from totals_events(loads, load_context, news)
    if loads.is_whole and loads.report is not CONTROL:
        key = load_context.keys(name)
        for result in report_results(key, loads.outcomes, loads.known, loads.silence):
            yield evaluation_of(result)


def totals_events(loads: Loads, load_context: LoadContext, news: News) -> Iterator[Event]:
    """The control totals that a report has stored for its proof, as far as they are news."""
    last = {(load.account_id, load.date): load for load in loads.totals}
    parts = news(
        CONTROL.name,
        [
            loaded_part(Outcome(AccountDay(*cell), load), load_context)
            for cell, load in last.items()
        ],
    )
    yield from part_events(CONTROL.name, parts, load_context.lake, load_context.keys)


def refreshed_event(
    changed_days: ChangedDays, calls: int, keys: AssetKeys
) -> dg.AssetMaterialization:
    """What a refresh found, and the `calls` that reloading it cost."""
    return dg.AssetMaterialization(keys("refresh"), metadata=refresh_metadata(changed_days, calls))


def seen_change(change: str, keys: AssetKeys) -> dg.AssetMaterialization:
    """The event of the asset `lake`: its last change, by the id of its note."""
    return dg.AssetMaterialization(keys("lake"), tags=version_tags(change or "none"))


def published_events(
    published: Published, keys: AssetKeys
) -> tuple[dg.AssetMaterialization, dg.AssetMaterialization]:
    """The events of a publish: they say which state of the lake the file shows, so that it is
    "Unsynced" from the next change on.
    """
    seen = seen_change(published.change, keys)
    tags = version_tags(str(published.version), {keys("lake"): published.change or "none"})
    return seen, dg.AssetMaterialization(
        keys("warehouse_duckdb"), metadata=published_metadata(published), tags=tags
    )


def published_by_others(
    change: str, keys: AssetKeys
) -> tuple[dg.AssetMaterialization, dg.AssetMaterialization]:
    """The same for a publish that nobody reported, such as a script's: only the change that it
    shows is known.
    """
    version = change or "none"
    tags = version_tags(version, {keys("lake"): version})
    shown = dg.AssetMaterialization(keys("warehouse_duckdb"), tags=tags)
    return seen_change(change, keys), shown


def in_batches(events: Iterable[Event]) -> Iterator[Sequence[Event]]:
    """The events in their order, neighbours of one asset and kind together; results of checks,
    which no storage takes together, by themselves.
    """
    for (kind, _), some in groupby(events, key=lambda event: (type(event), event.asset_key)):
        while batch := [*islice(some, 1 if kind is dg.AssetCheckEvaluation else BATCH_EVENTS)]:
            yield batch


def evaluation_of(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """A result as the event of a check, for what is not a step of its asset."""
    assert result.asset_key, result  # noqa: S101  # all of ours name theirs
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=str(result.check_name),
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
    )
