"""One tick: finds which accounts have moved, loads their open days by the hour, closes days that
are over. All that it asks for and writes is here; `deciding` says what.

Nothing of it is handed to the session's recorder but days that were closed: Dagster's database
would grow by 12 kB for each account-day of each tick.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.failures import Failures
from pipelines.loading.intraday import deciding
from pipelines.loading.intraday.spent import list_spending
from pipelines.loading.intraday.totals import OpenTotals, look_at
from pipelines.loading.load_result import Outcome, Target
from pipelines.loading.partitions import AccountDay
from pipelines.loading.session import Loads
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.intraday import (
    OpenAccount,
    TickInProgress,
    begin_tick,
    end_tick,
    known_of,
)
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipelines.loading.intraday.totals import Look
    from pipelines.loading.session import Session
    from warehouse.decode.pages import Account

__all__ = ["AT_ONCE_ROWS", "Tick", "run_tick"]

#: An open day of at most this many rows is read while Meta computes it, 500 a page: these are 4
#: calls, and a report run takes one to be created, polls, a page, and minutes.
AT_ONCE_ROWS: Final = 2_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tick:
    """What one tick did.

    `skipped`: why it did nothing: another one is in progress. `accounts`: how many it heard of;
    `looks`: the totals that it asked for; `opened` and `closed`: outcomes of open days, and of days
    that were loaded for the last time. `left_out`: accounts (digits) that were not asked for, and
    why. `failed`: what failed, and why. `calls` as Meta counts them. `spend`: of the accounts'
    todays so far, by currency, as far as ticks have heard of it.
    """

    skipped: str = ""
    accounts: int = 0
    looks: Sequence[Look] = ()
    opened: list[Outcome] = field(default_factory=list)
    closed: list[Outcome] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    failed: dict[Target, str] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    spend: Mapping[str, Decimal] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.skipped:
            return self.skipped
        loaded = sum(one.load is not None for one in self.opened)
        closed = sum(one.load is not None for one in self.closed)
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        return (
            f"{counted(self.accounts, 'account')}, {len(self.looks):,} asked for their totals;"
            f" {counted(loaded, 'open day')} loaded, {counted(closed, 'day')} closed{failed}."
            f" {counted(self.calls, 'call')}."
        )


def run_tick(
    session: Session, named: Sequence[str] = (), *, held: Mapping[str, str] | None = None
) -> Tick:
    """Run one tick. `named`: accounts (digits, with or without act_) that the token is limited to;
    none for all that it sees. `held`: accounts (digits) that somebody else is loading, and who.

    Accounts that fail cost themselves. Raises what ends everything, ConfigError for a lake of
    another source, and WarehouseError and OSError where the lake cannot be written.
    """
    store, began_at = session.lake.store, session.now()
    claim = TickInProgress.of_this_process(session.run_id, began_at)
    if others := begin_tick(store, claim, began_at):
        return Tick(skipped=others)
    known: Mapping[str, OpenAccount] | None = None
    calls = session.client.tally.calls
    try:
        ticking = _Ticking(session, dict(known_of(store)), held or {})
        ticking.run([act_id(one).removeprefix("act_") for one in named])
        known = ticking.known
    finally:
        end_tick(store, session.run_id, known)
    tick = ticking.tick
    tick.calls = session.client.tally.calls - calls
    tick.seconds = (session.now() - began_at).total_seconds()
    _log.info("%s", tick)
    return tick


@dataclass(slots=True)
class _Ticking:
    """A tick at work. `known`: accounts by digits; `zones` of those that it is about."""

    session: Session
    known: dict[str, OpenAccount]
    held: Mapping[str, str]
    accounts: dict[str, Account] = field(default_factory=dict)
    tick: Tick = field(default_factory=Tick)

    def run(self, named: Sequence[str]) -> None:
        session = self.session
        spending = list_spending(session.client, named)
        self.tick.accounts = len(spending.of)
        self._find_accounts(spending.of.keys(), named)
        now = session.now()
        for account_id in self.accounts:
            known = self.known.get(account_id, OpenAccount())
            self.known[account_id] = deciding.listed(known, spending.of[account_id], now)
        wanted = {
            account_id: (account, deciding.open_days(account.timezone_name, now))
            for account_id, account in self.accounts.items()
            if self.known[account_id].is_dirty
        }
        self.tick.looks = look_at(session.client, session.lake, session.run_id, wanted, session.now)
        self._note_looks()
        self._load_open_days()
        self._close_days()
        self.tick.spend = self._spend()

    # -- which accounts ------------------------------------------------------------------------

    def _find_accounts(self, listed: Collection[str], named: Sequence[str]) -> None:
        """The accounts that can be asked for. New ones are read into the lake first."""
        session, there = self.session, accounts_in(self.session.lake)
        refused: Mapping[str, str] = {}
        if new := [one for one in listed if one not in there and one not in self.known]:
            _log.info("New accounts: %s", ", ".join(map(act_id, new)))
            found = discover(session.client, [act_id(one) for one in named])
            session.load_accounts(found)
            there = accounts_in(session.lake)
            refused = {key.removeprefix("act_"): why for key, why in found.refused.items()}
        for account_id in listed:
            if account_id in self.held:
                self.tick.left_out[account_id] = self.held[account_id]
            elif account_id in there:
                self.accounts[account_id] = there[account_id]
            else:
                # Kept, so that the next ticks do not list all accounts again for it.
                self.known.setdefault(account_id, OpenAccount())
                why = refused.get(account_id, "it cannot be loaded; `fbinsights doctor` says why")
                self.tick.left_out[account_id] = why
        for account_id in there.keys() & self.known.keys() - {*listed}:
            self.tick.left_out[account_id] = "the token's list of accounts does not have it"
        self.known = {
            key: one for key, one in self.known.items() if key in {*listed} | there.keys()
        }
        for account_id, why in self.tick.left_out.items():
            _log.info("act_%s is left out: %s", account_id, why)

    # -- open days -----------------------------------------------------------------------------

    def _note_looks(self) -> None:
        session = self.session
        failures = Failures(session.lake.store, HOURLY_REPORT.name)
        for look in self.tick.looks:
            known, account_id = self.known[look.account_id], look.account_id
            if look.error:
                zone = self.accounts[account_id].timezone_name
                today = deciding.open_days(zone, look.asked_at)[-1]
                outcome = Outcome(AccountDay(account_id, today), error=look.error)
                failures.note(outcome, session.now(), session.run_id)
                self._failed(outcome)
            else:
                self.known[account_id] = deciding.after_look(known, look.totals, look.asked_at)

    def _load_open_days(self) -> None:
        session = self.session
        asked = {
            AccountDay(look.account_id, day): totals
            for look in self.tick.looks
            for day, totals in look.totals.items()
        }
        loads = session.lake.loads_of(HOURLY_REPORT.name, asked)
        chosen = [
            account_day
            for (account_day, totals), load in zip(asked.items(), loads, strict=True)
            if deciding.is_to_load(totals, load)
        ]
        if not chosen:
            return
        controls = OpenTotals(
            session.client, session.lake, session.run_id, session.now, self.tick.looks
        )
        loads_now = Loads(HOURLY_REPORT)
        session.load_into(loads_now, chosen, controls=controls, at_once_rows=AT_ONCE_ROWS)
        self.tick.opened = loads_now.outcomes
        for outcome in loads_now.outcomes:
            if outcome.error:
                self._failed(outcome)

    def _failed(self, outcome: Outcome) -> None:
        self.tick.failed[Target.of(HOURLY_REPORT.name, outcome.account_day)] = outcome.error
        account_id = outcome.account_day.account_id
        self.known[account_id] = deciding.after_failure(self.known[account_id])

    # -- days that are over --------------------------------------------------------------------

    def _close_days(self) -> None:
        """Load days that are over for the last time today, and hand them to the recorder. The daily
        refresh, or somebody else, may have been faster.
        """
        session, now = self.session, self.session.now()
        over = [
            AccountDay(account_id, day)
            for account_id, account in self.accounts.items()
            for day in deciding.days_over(self.known[account_id], account.timezone_name, now)
        ]
        there = dict(zip(over, session.lake.loads_of(HOURLY_REPORT.name, over), strict=True))
        to_close = [
            one
            for one, load in there.items()
            if (load is None or not load.is_over) and (load or self._delivered(one))
        ]
        if to_close:
            loads = session.load(HOURLY_REPORT, to_close, at_once_rows=AT_ONCE_ROWS)
            self.tick.closed = loads.outcomes
        errors = {one.account_day: one.error for one in self.tick.closed if one.error}
        for account_day, error in errors.items():
            self.tick.failed[Target.of(HOURLY_REPORT.name, account_day)] = error
        for account_id in {one.account_id for one in over}:
            days = {one.day: one not in errors for one in over if one.account_id == account_id}
            zone = self.accounts[account_id].timezone_name
            self.known[account_id] = deciding.closed(self.known[account_id], days, zone, now)

    def _delivered(self, account_day: AccountDay) -> bool:
        return self.known[account_day.account_id].days[account_day.day] is not None

    def _spend(self) -> Mapping[str, Decimal]:
        """Of the accounts' todays, by currency."""
        now = self.session.now()
        found: dict[str, Decimal] = {}
        for account_id, account in self.accounts.items():
            today = deciding.open_days(account.timezone_name, now)[-1]
            totals = self.known[account_id].days.get(today)
            if totals is not None:
                so_far = found.get(account.currency, Decimal())
                found[account.currency] = so_far + totals.spend
        return found
