"""Events of a Dagster run that loads many partitions: each is recorded as loaded or failed by
itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

from fbgraph import act_id
from pipelines.dagster_private import store_planned, store_together
from pipelines.defs.event_log.data_versions import accounts_version, version_tags
from pipelines.defs.event_log.events import (
    BATCH_EVENTS,
    accounts_event,
    in_batches,
    listed_events,
    loaded_events,
    part_events,
    published_events,
)
from pipelines.defs.event_log.metadata import LoadContext
from pipelines.defs.event_log.news import materialized, news_in
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.resources import FAILED, STOPPED
from pipelines.state.homes import keep_prefix, require_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fbgraph import GraphClient
    from pipelines.asset_keys import AssetKeys
    from pipelines.defs.event_log.events import Event, Part
    from pipelines.loading.objects import Listed
    from pipelines.loading.session import LoadedAccounts, Loads
    from warehouse.lake.partitions import Lake
    from warehouse.published.publish import Published

__all__ = [
    "RunRecorder",
    "add_to_grid",
    "failure_of",
    "failures_in",
    "log_events",
    "log_published",
    "record",
]


@dataclass(slots=True)
class RunRecorder:
    """Logs what a load does as events of its run, as far as it is news; `has_logged` any of them.
    `begun`: by table, the partitions that have begun and not ended; `planned`: those that the grid
    shows as in progress, or as failed if the run fails.
    """

    context: dg.OpExecutionContext
    lake: Lake
    client: GraphClient
    keys: AssetKeys
    has_logged: bool = False
    begun: dict[str, set[str]] = field(default_factory=dict)
    planned: set[tuple[str, str]] = field(default_factory=set)

    def begins(self, table: str, keys: Sequence[str]) -> None:
        """Shows those that were never loaded as in progress while the run goes on, and as failed if
        the run fails before they are loaded. For an asset's own runs Dagster does that by itself.

        The others stay green meanwhile: most are loaded again as they were, which no event says.
        """
        self.begun.setdefault(table, set()).update(keys)
        known = materialized(self.context.instance, self.keys(table), keys)
        self._plan(table, [key for key in keys if key not in known])

    def stopped(self) -> None:
        """The run fails halfway: shows what it has not reached as failed."""
        for table, keys in self.begun.items():
            self._plan(table, sorted(keys))

    def _plan(self, table: str, keys: Sequence[str]) -> None:
        new = [key for key in keys if (table, key) not in self.planned]
        self.planned.update((table, key) for key in new)
        for begin in range(0, len(new), BATCH_EVENTS):
            self.has_logged = True
            store_planned(self.context, self.keys(table), new[begin : begin + BATCH_EVENTS])

    def news(self, table: str, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts to log. Those that failed turn red when the run fails, as it will."""
        self.begun.get(table, set()).difference_update(part.partition_key for part in parts)
        self._plan(table, [part.partition_key for part in parts if part.error])
        return news_in(self.context.instance, self.keys(table), parts)

    def accounts_loaded(self, accounts: LoadedAccounts) -> None:
        add_to_grid(self.context.instance, self.lake, accounts)
        keep_prefix(self.context.instance, self.keys.prefix)
        self._log([accounts_event(accounts, self.lake, self.keys)])

    def listed(self, table: str, found: Sequence[Listed]) -> None:
        self._log(listed_events(table, found, self.lake, self.keys, self.news))

    def loaded(self, loads: Loads) -> None:
        load_context = LoadContext.of(self.lake, self.client, self.keys)
        self._log(loaded_events(loads, load_context, self.news))

    def _log(self, events: Iterable[Event]) -> None:
        for some in in_batches(events):
            self.has_logged = True
            _log_batch(self.context, some)


def add_to_grid(instance: dg.DagsterInstance, lake: Lake, accounts: LoadedAccounts) -> None:
    """Show accounts that are in the lake in the grid. Raises ConfigError if the grid is another
    lake's: a lake has an identity only once something is in it.
    """
    require_home(instance, lake.store)
    instance.add_dynamic_partitions(
        AD_ACCOUNTS, [act_id(row["account_id"]) for row in accounts.found.rows]
    )


def log_events(context: dg.OpExecutionContext, events: Iterable[Event]) -> None:
    """Log them as events of a run."""
    for some in in_batches(events):
        _log_batch(context, some)


def _log_batch(context: dg.OpExecutionContext, batch: Sequence[Event]) -> None:
    if len(batch) > 1:
        store_together(context.instance, batch, context)  # type: ignore[arg-type]  # of one kind
    else:
        context.log_event(batch[0])  # type: ignore[arg-type]  # of checks too


def log_published(context: dg.OpExecutionContext, published: Published, keys: AssetKeys) -> None:
    """Log a publish. The run passes `not_carried` to `require_carried` at its end."""
    log_events(context, published_events(published, keys))
    if published.not_carried:
        context.log.error("Not published to %s", published.not_carried)


def record(
    context: dg.AssetExecutionContext,
    lake: Lake,
    keys: AssetKeys,
    parts: Iterable[Part],
    checks: Sequence[dg.AssetCheckResult],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Mark the good partitions materialized and, if there are bad ones, fail with their reasons.

    An exception alone would fail them all, and a plain MaterializeResult would mark them all good:
    only in this way does "re-run failed" in the UI take exactly the bad ones. The asset must be
    declared with ``output_required=False``: each partition is logged by itself, because
    `add_asset_metadata` lists all partitions of the run for each of them.
    """
    parts = list(parts)
    asset = context.asset_key.path[-1]
    bad = {part.partition_key: part.error for part in parts if part.error}
    if len(parts) == 1 and not bad and not parts[0].skipped:
        [one] = parts
        tags = version_tags(one.version, {keys("accounts"): accounts_version(lake)})
        yield dg.MaterializeResult(metadata=one.metadata, tags=tags, check_results=checks)
        return
    log_events(context.op_execution_context, part_events(asset, parts, lake, keys))
    yield from checks
    if bad:
        raise failure_of({asset: bad}, len(parts))


def failure_of(bad: Mapping[str, Mapping[str, str]], of: int) -> dg.Failure:
    """The failure of a run that did everything else: asset → partition key → why, `of` all
    partitions.
    """
    lines = [f"{key}: {why}" for failed in bad.values() for key, why in failed.items()]
    return dg.Failure(
        f"{len(lines)} of {of} failed; what was loaded before is unchanged:\n" + "\n".join(lines),
        metadata={FAILED: dg.MetadataValue.json(bad)},
        allow_retries=False,
    )


def failures_in(event: dg.DagsterEvent) -> tuple[Mapping[tuple[str, str], str], str]:
    """The reasons in the failure of a step: (asset, partition key) → why, and why everything
    stopped. Empty for unexpected exceptions.
    """
    failure = event.step_failure_data.user_failure_data
    metadata = failure.metadata if failure else {}
    bad = metadata.get(FAILED)
    stopped = str(metadata[STOPPED].value) if STOPPED in metadata else ""
    if not (isinstance(bad, dg.JsonMetadataValue) and isinstance(bad.data, dict)):
        return {}, stopped
    parts = {
        (asset, key): str(why) for asset, keys in bad.data.items() for key, why in keys.items()
    }
    return parts, stopped
