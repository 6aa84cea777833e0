"""A refresh in its two steps: find the days that Meta changed, then reload those and the newest
ones.

The changed days are not a rectangle of the grid, so they are loaded together here, all accounts in
flight. `loading.refreshing.refresh` decides which they are.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.emptiness import EMPTY
from pipelines.loading.estimate import Cost, cost_of, cut, expected_rows
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Target
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.loading.refreshing.refresh import (
    ReloadReason,
    days_to_reload,
    lookback,
    periods_back,
    periods_to_reload,
)
from pipelines.loading.session import Loads
from pipelines.reports.catalog import CONTROL, DEFINITION
from pipelines.reports.spec import FIRST_DAY, LOOKBACK_DAYS
from warehouse.decode.hours import today_in
from warehouse.errors import DamagedFileError, WarehouseError
from warehouse.lake.records import Load
from warehouse.schema.periods import Period, account_periods
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from pipelines.loading.accounts.discovery import Discovery
    from pipelines.loading.load_result import Outcome
    from pipelines.loading.objects import Listed
    from pipelines.loading.session import Session
    from pipelines.reports.catalog import Report, Reports
    from warehouse.lake.partitions import Lake
    from warehouse.lake.proof.reconcile import Totals

__all__ = ["ChangedDays", "choose_days", "find_changes", "reload"]

_log = logging.getLogger(__name__)

#: Reason → in words, after how many.
_WHICH: Final[Mapping[str, str]] = {
    ReloadReason.DAMAGED: "with a damaged file",
    ReloadReason.FRESH: "of the newest, as in every refresh",
    ReloadReason.MISSING: "not loaded before",
    ReloadReason.PROVISIONAL: "not over when they were loaded",
    ReloadReason.EMPTY: "for which Meta returned nothing before",
    ReloadReason.UNPROVEN: "that did not add up",
    ReloadReason.MOVED: "whose totals Meta has changed",
    ReloadReason.FAILED: "that failed before",
    ReloadReason.FULL: "because of --full",
}


@dataclass(slots=True)
class ChangedDays:
    """The result of the first step: by report, the account-days to reload, and why.

    `failed`: what failed and why, of `parts` in all. `calls`: the cost of requesting the totals,
    `entity_calls` that of accounts and objects, `reload_calls` that of the second step; `full`:
    what reloading everything would cost. `periods`: those of the reports to reload. `account_ids`:
    the accounts (digits) that it is about.
    """

    to_reload: dict[str, Mapping[AccountDay, ReloadReason]] = field(default_factory=dict)
    failed: dict[Target, str] = field(default_factory=dict)
    calls: int = 0
    entity_calls: int = 0
    reload_calls: int = 0
    full: Cost = field(default_factory=Cost)
    parts: int = 0
    periods: set[Period] = field(default_factory=set)
    account_ids: Sequence[str] = ()

    @property
    def counts(self) -> Counter[str]:
        """How many account-days are reloaded for each reason."""
        return Counter(str(why) for days in self.to_reload.values() for why in days.values())

    def __str__(self) -> str:
        reasons = "; ".join(f"{number:,} {_WHICH[why]}" for why, number in self.counts.items())
        number = account_periods(sum(self.counts.values()), self.periods)
        return (
            f"Reloading {number}{f': {reasons}' if reasons else ''}. Reloading all of the last"
            f" {LOOKBACK_DAYS} days (--full) would cost about {counted(self.full.calls, 'call')}."
        )

    @property
    def failed_keys(self) -> Mapping[str, Mapping[str, str]]:
        """What failed: table → key in Dagster's grid → why."""
        found: dict[str, dict[str, str]] = {}
        for target, why in self.failed.items():
            found.setdefault(target.table, {})[target.key] = why
        return found

    @property
    def all_calls(self) -> int:
        """The cost of both steps."""
        return self.reload_calls + self.calls + self.entity_calls

    def calls_in_words(self, loads: int) -> str:
        """All calls, and what they were for; `loads`: those of the account-days that are loaded."""
        rest = self.all_calls - loads - self.calls
        return (
            f"{counted(self.all_calls, 'call')}: {loads:,} for reports, {self.calls:,} to compare"
            f" totals, {rest:,} for accounts, objects and everything else"
        )

    def note_outcomes(self, table: str, outcomes: Iterable[Outcome]) -> None:
        """Add the outcomes of account-days."""
        for one in outcomes:
            self.note(Target.of(table, one.account_day), one.error)

    def note_listed(self, found: Iterable[Listed]) -> None:
        """Add the outcomes of listing the objects of accounts."""
        for one in found:
            self.note(Target(one.table, act_id(one.account_id)), one.error)

    def note(self, target: Target, error: str) -> None:
        """Add one thing that was to be done, and why it failed."""
        self.parts += 1
        if error:
            self.failed[target] = error


def find_changes(  # noqa: PLR0913  # all that the decision rests on
    session: Session,
    reports: Reports,
    found: Discovery,
    accounts: Collection[str],
    now: datetime,
    *,
    full: bool,
    begins: date = FIRST_DAY,
) -> ChangedDays:
    """Load accounts, their objects and the control totals of the lookback; then decide what to
    reload.

    `accounts`: keys like act_123; none means all that were `found`. `now`: the instant that
    "yesterday" refers to. `begins`: the first day of the lake's history, before which no week or
    month is begun. Raises what ends everything.
    """
    changed_days = ChangedDays()
    account_ids = _list_accounts(session, found, accounts, changed_days, full=full)
    today = _todays(session.lake, account_ids, now)
    _log.debug("Comparing totals.", extra={"step": "comparing totals"})
    daily = [one for one in reports.by_name.values() if one.period is Period.DAY]
    longest = max(report.spec.lookback_days for report in daily)
    totals = _controls(session, longest, today, changed_days)
    changed_days.calls = session.client.tally.calls - changed_days.entity_calls
    for name, why in reports.why_broken().items():
        changed_days.note(Target(name, DEFINITION), why)
    for report in reports.by_name.values():
        if report.period is Period.DAY:
            chosen = choose_days(session.lake, report, today, totals, full=full)
        else:
            chosen = _choose_periods(session.lake, report, today, begins)
        changed_days.to_reload[report.name] = chosen
        changed_days.periods |= {report.period} if chosen else set()
        for account_id, day in today.items():
            days = _lookback(report, day, begins)
            changed_days.full += _cost(session.lake, report, account_id, days)
    return changed_days


def _list_accounts(
    session: Session,
    found: Discovery,
    accounts: Collection[str],
    changed_days: ChangedDays,
    *,
    full: bool,
) -> Sequence[str]:
    """Load the accounts and their objects; the ids of those that are refreshed."""
    session.load_accounts(found)
    keys = [act_id(row["account_id"]) for row in found.rows]
    account_ids = [key.removeprefix("act_") for key in keys if key in accounts or not accounts]
    changed_days.account_ids = account_ids
    changed_days.note_listed(session.list_objects(account_ids, full=full))
    changed_days.entity_calls = session.client.tally.calls
    if not accounts:  # who names accounts has reported the others
        for account_id, why in found.refused.items():
            changed_days.note(Target("accounts", act_id(account_id)), why)
    return account_ids


def reload(session: Session, reports: Mapping[str, Report], changed_days: ChangedDays) -> None:
    """Load the chosen days, report by report; `reports` has them by name. Raises what ends
    everything.
    """
    for report, chosen in changed_days.to_reload.items():
        session.recorder.begins(report, [key_of(cell) for cell in chosen])
    for report, chosen in changed_days.to_reload.items():
        loads = Loads(reports[report])
        try:
            session.load_into(loads, list(chosen))
        finally:
            changed_days.note_outcomes(report, loads.outcomes)
            session.recorder.loaded(loads)


def _todays(lake: Lake, account_ids: Sequence[str], now: datetime) -> Mapping[str, date]:
    accounts = accounts_in(lake)
    return {i: today_in(accounts[i].timezone_name, now) for i in account_ids if i in accounts}


def _controls(
    session: Session, longest: int, today: Mapping[str, date], changed_days: ChangedDays
) -> Mapping[str, Mapping[date, Totals | None]]:
    """Totals of the `longest` lookback, in days, by account, one call each.

    Only those that changed are recorded: 28 events per account and day would say nothing and fill
    Dagster's database.
    """
    wanted = [AccountDay(i, day) for i, last in today.items() for day in lookback(last, longest)]
    before = dict(zip(wanted, session.lake.loads_of(CONTROL.name, wanted), strict=True))
    loads = Loads(CONTROL)
    session.load_into(loads, wanted)
    changed = [one for one in loads.outcomes if one.error or _changed(before, one)]
    changed_days.note_outcomes(CONTROL.name, changed)
    session.recorder.begins(CONTROL.name, [key_of(one.account_day) for one in changed])
    session.recorder.loaded(Loads(CONTROL, changed, is_whole=True))
    totals: dict[str, dict[date, Totals | None]] = {account_id: {} for account_id in today}
    for outcome in loads.outcomes:
        account_id, day = outcome.account_day
        if outcome.load is not None:
            totals[account_id][day] = outcome.load.totals if outcome.load.rows else None
        elif outcome.kind == EMPTY:
            totals[account_id][day] = None
    return totals


def _changed(before: Mapping[AccountDay, Load | None], outcome: Outcome) -> bool:
    old, new = before[outcome.account_day], outcome.load
    return old is None or new is None or old.totals != new.totals


def choose_days(
    lake: Lake,
    report: Report,
    today: Mapping[str, date],
    totals: Mapping[str, Mapping[date, Totals | None]],
    *,
    full: bool,
) -> Mapping[AccountDay, ReloadReason]:
    chosen: dict[AccountDay, ReloadReason] = {}
    for account_id, day in today.items():
        if not (back := _lookback(report, day, FIRST_DAY)):
            continue  # its start_date is still to come
        known, errors = _records(lake, report, account_id, back)
        has_first = back[0] in known or back[0] in errors
        begun = back[:1] if has_first else lake.loaded_days(report.name, account_id)
        failed = Failures(lake.store, report.name).of(account_id)
        emptied = {d for d, one in failed.items() if one.kind == EMPTY}
        why = days_to_reload(
            *(day, known, totals[account_id]),
            since=min(begun, default=None),
            emptied=emptied,
            failed=failed,
            damaged=_damaged(errors),
            full=full,
            days=back,
        )
        chosen |= {AccountDay(account_id, d): reason for d, reason in why.items()}
    return chosen


def _choose_periods(
    lake: Lake, report: Report, today: Mapping[str, date], begins: date
) -> Mapping[AccountDay, ReloadReason]:
    chosen: dict[AccountDay, ReloadReason] = {}
    for account_id, day in today.items():
        back = _lookback(report, day, begins)
        _, errors = _records(lake, report, account_id, back)
        why = periods_to_reload(back, _damaged(errors))
        chosen |= {AccountDay(account_id, first): reason for first, reason in why.items()}
    return chosen


def _records(
    lake: Lake, report: Report, account_id: str, days: Sequence[date]
) -> tuple[Mapping[date, Load], Mapping[date, WarehouseError]]:
    """What the lake knows of days that are loaded, and which of them it cannot read and why; these
    are logged too.
    """
    records = lake.records_of(report.name, [(account_id, day) for day in days])
    by_day = dict(zip(days, records, strict=True))
    errors = {day: one for day, one in by_day.items() if isinstance(one, WarehouseError)}
    for error in errors.values():
        _log.warning("%s", error)
    return {day: one for day, one in by_day.items() if isinstance(one, Load)}, errors


def _damaged(errors: Mapping[date, WarehouseError]) -> Collection[date]:
    """The days whose files are lost, unlike those that may be whole."""
    return {day for day, error in errors.items() if isinstance(error, DamagedFileError)}


def _lookback(report: Report, today: date, begins: date) -> Sequence[date]:
    """The lookback of a report, oldest first: its finished days, weeks or months, none of them from
    before the day on which the history of the lake `begins`.
    """
    if report.period is Period.DAY:
        days, begins = lookback(today, report.spec.lookback_days), report.spec.start_date
    else:
        days = periods_back(today, report.period, report.spec.lookback_days)
        begins = max(begins, report.spec.start_date)
    return [day for day in days if day >= begins]


def _cost(lake: Lake, report: Report, account_id: str, days: Sequence[date]) -> Cost:
    rows = expected_rows(lake, report.name, account_id, days)
    return cost_of(cut(days, rows), rows)
