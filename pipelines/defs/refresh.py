"""The refresh as a Dagster job: accounts, entities, control totals, what moved, publish.

Two steps of one run. The days that moved are no rectangle of the grid, so they are loaded together
here, all accounts in flight, and each of them is recorded in the grid of its asset.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import dagster as dg
from pydantic import Field

from fbgraph import GraphClient, act_id
from pipelines.defs.checks import counted_result, report_results
from pipelines.defs.events import (
    Part,
    evaluation_of,
    failure_of,
    listed_part,
    loaded_part,
    plan,
    published_events,
    record_good,
    take_in_accounts,
)
from pipelines.defs.metadata import Beside
from pipelines.loading.emptiness import EMPTY, accepts_empty
from pipelines.loading.estimate import Cost, cost_of, cut, expected_rows
from pipelines.loading.failures import Failures
from pipelines.loading.listings import LEVEL_OF, accounts_in, discover
from pipelines.loading.load_result import Outcome
from pipelines.loading.loader import Loader
from pipelines.loading.objects import know_ids, load_objects
from pipelines.loading.partitions import AccountDay, key_of, today_in
from pipelines.loading.refresh import Why, lookback, to_pull
from pipelines.reports.catalog import CATALOG, CONTROL, DEFINITION, REPORTS, broken_reports
from pipelines.resources import GraphResource, stopping
from warehouse.lake.partitions import Lake
from warehouse.lake.reconcile import Totals
from warehouse.lake.records import Load
from warehouse.published.publish import publish

__all__ = ["REFRESH", "Looked", "Refresh", "refresh_job"]

_log = logging.getLogger(__name__)

#: Nothing loads it: each refresh records on it what it found and what that cost.
REFRESH: Final = dg.AssetSpec(
    "refresh",
    description="What each refresh found changed and reloaded, and its calls next to what "
    "reloading "
    "the whole lookback would have cost.",
    group_name="daily",
)


class Refresh(dg.Config):
    """What one refresh is to do.

    `accounts`: keys like act_123; none means all that the token sees. `full`: the whole lookback,
    moved or not. `as_of`: an instant in ISO form that stands for now. That a day which had rows may
    become empty at once is no configuration but a tag of the run (`emptiness.ACCEPT_EMPTY`), as it
    is for every asset.
    """

    accounts: list[str] = Field(default_factory=list)
    full: bool = False
    as_of: str = ""

    def time(self, graph: GraphResource) -> datetime:
        """The instant whose yesterday is meant."""
        return datetime.fromisoformat(self.as_of) if self.as_of else graph.now()


@dataclass(slots=True)
class Looked:
    """What the first step found: the account-days to pull by report, and why.

    `failed`: asset → partition key → why. `calls`: what asking for the totals cost, and
    `entity_calls` what accounts and objects cost; `full`: what pulling everything would cost.
    """

    pull: dict[str, Mapping[AccountDay, Why]] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: int = 0
    entity_calls: int = 0
    full: Cost = field(default_factory=Cost)
    parts: int = 0

    @property
    def counts(self) -> Counter[str]:
        """How many account-days are pulled for which reason."""
        return Counter(str(why) for pull in self.pull.values() for why in pull.values())

    def __str__(self) -> str:
        told = ", ".join(f"{number} {why}" for why, number in self.counts.items())
        return (
            f"Reloading {sum(self.counts.values())} account-days ({told or 'none'})."
            f" Calls: {self.calls} to compare totals, {self.entity_calls} for accounts and objects."
            f" The whole lookback would cost about {self.full.calls:,} calls."
        )

    def note(self, asset: str, parts: Sequence[Part]) -> None:
        """Take in what became of parts of an asset."""
        self.parts += len(parts)
        bad = {part.partition_key: part.error for part in parts if part.error}
        if bad:
            self.failed.setdefault(asset, {}).update(bad)


@dataclass(frozen=True, slots=True)
class _Work:
    """What every stage of a run works with."""

    context: dg.OpExecutionContext
    client: GraphClient
    lake: Lake
    now: Callable[[], datetime]

    @property
    def loader(self) -> Loader:
        return Loader(
            *(self.client, self.lake, accounts_in(self.lake), self.context.run_id),
            accept_empty=accepts_empty(self.context.run.tags),
            now=self.now,
        )


@dg.op(out=dg.Out(io_manager_key="mem"))
def look(context: dg.OpExecutionContext, config: Refresh, graph: GraphResource) -> Looked:
    """Accounts, their objects, control totals of the lookback; then decide what is pulled again."""
    settings = graph.settings()
    lake = Lake(settings.warehouse_url, catalog=CATALOG)
    looked = Looked()
    with stopping(), settings.open_graph() as client:
        found = discover(client, settings.account_ids)
        metadata = take_in_accounts(context.instance, lake, found, graph.now())
        context.log_event(dg.AssetMaterialization("accounts", metadata=metadata))
        keys = [act_id(row["account_id"]) for row in found.rows]
        chosen = [key for key in keys if key in config.accounts or not config.accounts]
        account_ids = [key.removeprefix("act_") for key in chosen]
        work = _Work(context, client, lake, graph.now)
        _entities(work, account_ids, looked)
        looked.entity_calls = client.tally.calls
        if not config.accounts:  # who names accounts has told of the others
            refused = {act_id(account): why for account, why in found.refused.items()}
            looked.note("accounts", [Part(key, {}, why) for key, why in refused.items()])
        today = _todays(lake, account_ids, config.time(graph))
        totals = _controls(work, today, looked)
        looked.calls = client.tally.calls - looked.entity_calls
    for report, why in broken_reports().items():
        looked.failed[report] = {DEFINITION: why}
        looked.parts += 1
    for report in REPORTS:
        looked.pull[report] = _choose(lake, report, today, totals, full=config.full)
        for account_id, day in today.items():
            looked.full += _cost(lake, report, account_id, _lookback(report, day))
    context.log.info("%s", looked)
    return looked


def _entities(work: _Work, account_ids: Sequence[str], looked: Looked) -> None:
    for table in LEVEL_OF:
        plan(work.context, table, map(act_id, account_ids))
        found = load_objects(work.client, work.lake, [table], account_ids, work.now)
        parts = [listed_part(one, work.lake) for one in found]
        record_good(work.context, table, work.lake, parts)
        looked.note(table, parts)
        _check(work.context, table, counted_result(table, found))


def _todays(lake: Lake, account_ids: Sequence[str], now: datetime) -> Mapping[str, date]:
    accounts = accounts_in(lake)
    return {i: today_in(accounts[i].timezone_name, now) for i in account_ids if i in accounts}


def _controls(
    work: _Work, today: Mapping[str, date], looked: Looked
) -> Mapping[str, Mapping[date, Totals | None]]:
    """Totals of the lookback by account, by one call each. Only those that changed are recorded:
    28 events per account and day would tell nothing and fill Dagster's database.
    """
    longest = max(report.spec.lookback_days for report in REPORTS.values())
    wanted = [AccountDay(i, day) for i, last in today.items() for day in lookback(last, longest)]
    before = dict(zip(wanted, work.lake.loads_of(CONTROL.name, wanted), strict=True))
    outcomes = list(work.loader.load(CONTROL, wanted))
    beside = Beside.of(work.lake, work.client)
    parts = [loaded_part(one, beside) for one in outcomes if one.error or _changed(before, one)]
    plan(work.context, CONTROL.name, [part.partition_key for part in parts])
    record_good(work.context, CONTROL.name, work.lake, parts)
    looked.note(CONTROL.name, parts)
    totals: dict[str, dict[date, Totals | None]] = {account_id: {} for account_id in today}
    for outcome in outcomes:
        account_id, day = outcome.account_day
        if outcome.load is not None:
            totals[account_id][day] = outcome.load.totals if outcome.load.rows else None
        elif outcome.kind == EMPTY:
            totals[account_id][day] = None
    return totals


def _changed(before: Mapping[AccountDay, Load | None], outcome: Outcome) -> bool:
    old, new = before[outcome.account_day], outcome.load
    return old is None or new is None or old.totals != new.totals


def _choose(
    lake: Lake,
    report: str,
    today: Mapping[str, date],
    totals: Mapping[str, Mapping[date, Totals | None]],
    *,
    full: bool,
) -> Mapping[AccountDay, Why]:
    chosen: dict[AccountDay, Why] = {}
    for account_id, day in today.items():
        days = [where.date for where in lake.partitions(report, account_id) if where.date]
        back = _lookback(report, day)
        loads = lake.loads_of(report, [(account_id, d) for d in back])
        known = {load.date: load for load in loads if load is not None}
        since = min(days, default=None)
        failed = Failures(lake.store, report).of(account_id)
        emptied = {d for d, one in failed.items() if one.kind == EMPTY}
        why = to_pull(
            *(day, known, totals[account_id]), since=since, emptied=emptied, full=full, days=back
        )
        chosen |= {AccountDay(account_id, d): reason for d, reason in why.items()}
    return chosen


def _lookback(report: str, today: date) -> Sequence[date]:
    """The days of a report that are looked at again."""
    days = lookback(today, REPORTS[report].spec.lookback_days)
    return [day for day in days if day >= REPORTS[report].spec.start_date]


def _cost(lake: Lake, report: str, account_id: str, days: Sequence[date]) -> Cost:
    rows = expected_rows(lake, report, account_id, days)
    return cost_of(cut(days, rows), rows)


@dg.op
def pull(context: dg.OpExecutionContext, graph: GraphResource, looked: Looked) -> None:
    """Load what was chosen, see to the ids that it mentions, publish, and tell what it cost.

    What was loaded is published even when everything stops halfway, and what was not reached is in
    the grid as failed.
    """
    settings = graph.settings()
    lake = Lake(settings.warehouse_url, catalog=CATALOG)
    for report, chosen in looked.pull.items():
        plan(context, report, map(key_of, chosen))
    with stopping():
        try:
            with settings.open_graph() as client:
                work = _Work(context, client, lake, graph.now)
                for report, chosen in looked.pull.items():
                    _load(work, report, list(chosen), looked)
                calls = client.tally.calls
        finally:
            for event in published_events(publish(settings.warehouse_url, catalog=CATALOG)):
                context.log_event(event)
    context.log_event(dg.AssetMaterialization("refresh", metadata=_told(looked, calls)))
    if looked.failed:
        raise failure_of(looked.failed, looked.parts)


def _load(work: _Work, report: str, account_days: Sequence[AccountDay], looked: Looked) -> None:
    """Load account-days of a report; what is in the lake is in the grid, however it ends."""
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(work.loader.load(REPORTS[report], account_days))
    finally:
        beside = Beside.of(work.lake, work.client)
        parts = [loaded_part(outcome, beside) for outcome in outcomes]
        record_good(work.context, report, work.lake, parts)
        looked.note(report, parts)
    loaded = [one.account_day for one in outcomes if one.load]
    known = know_ids(work.client, work.lake, loaded, work.now)
    for result in report_results(report, outcomes, known):
        _check(work.context, report, result)


def _check(context: dg.OpExecutionContext, asset: str, result: dg.AssetCheckResult) -> None:
    """Record what a check of an asset found, from a step that is none of the asset's."""
    evaluation = evaluation_of(asset, result)
    context.log_event(evaluation)  # type: ignore[arg-type]  # it takes them; the annotation lags


def _told(looked: Looked, calls: int) -> Mapping[str, Any]:
    """Metadata that the UI plots over time."""
    counts = looked.counts
    return {
        "pulled": sum(counts.values()),
        **{str(why): counts.get(str(why), 0) for why in Why},
        "calls": looked.calls + calls,
        "calls_of_entities": looked.entity_calls,
        "calls_of_a_full_lookback": looked.full.calls,
        "report_runs_of_a_full_lookback": looked.full.runs,
        "account_days": dg.MetadataValue.json({
            report: {key_of(cell): str(why) for cell, why in chosen.items() if why != Why.FULL}
            for report, chosen in looked.pull.items()
        }),
    }  # fmt: skip


@dg.job(
    description="Reloads what Meta changed, and the newest days: accounts, objects, control "
    "totals, "
    "changed days, publish.",
    tags={"fbinsights/refresh": "yes"},
)
def refresh_job() -> None:
    pull(look())
