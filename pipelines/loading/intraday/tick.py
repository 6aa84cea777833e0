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
from pipelines.state.unreported import notes_of
from warehouse.decode.hours import zone_named
from warehouse.errors import UnknownZoneError
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipelines.loading.intraday.totals import Look
    from pipelines.loading.session import Session
    from pipelines.state.unreported import Unreported
    from warehouse.decode.pages import Account

__all__ = ["Tick", "run_tick"]

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
    why. `failed`: what failed, and why; `news`: that of it which has not failed before.
    `calls` as Meta counts them. `spent`: the accounts' lifetime spend as it was listed, in minor
    units. `spend`: of their todays so far, by currency, as far as ticks have heard of it.
    """

    skipped: str = ""
    accounts: int = 0
    looks: Sequence[Look] = ()
    opened: list[Outcome] = field(default_factory=list)
    closed: list[Outcome] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    failed: dict[Target, str] = field(default_factory=dict)
    news: dict[Target, str] = field(default_factory=dict)
    spent: Mapping[str, str | None] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    spend: Mapping[str, Decimal] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.skipped:
            return self.skipped
        loaded = sum(one.load is not None for one in self.opened)
        closed = sum(one.load is not None for one in self.closed)
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        left_out = f" {counted(len(self.left_out), 'account')} left out." if self.left_out else ""
        return (
            f"{counted(self.accounts, 'account')}, {len(self.looks):,} asked for their totals;"
            f" {counted(loaded, 'open day')} loaded, {counted(closed, 'day')} closed{failed}."
            f"{left_out} {counted(self.calls, 'call')}."
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
        ticking = _Ticking(session, dict(known_of(store)), held or {}, _commands(session))
        ticking.run([act_id(one).removeprefix("act_") for one in named])
        known = ticking.known
    finally:
        end_tick(store, session.run_id, known)
    tick = ticking.tick
    tick.calls = session.client.tally.calls - calls
    tick.seconds = (session.now() - began_at).total_seconds()
    _log.info("%s", tick)
    return tick


def _commands(session: Session) -> Sequence[Unreported]:
    """Commands that are loading hours at the moment."""
    now = session.now()
    return [
        note
        for note in notes_of(session.lake.store)
        if note.run_id != session.run_id
        and HOURLY_REPORT.name in note.tables
        and not note.has_ended(now)
    ]


@dataclass(slots=True)
class _Ticking:
    """A tick at work. What is `known` of accounts by digits, also as it was `before`; `accounts`:
    those that it is about. `held`: those that somebody is loading; `commands`: those that load.
    """

    session: Session
    known: dict[str, OpenAccount]
    held: Mapping[str, str]
    commands: Sequence[Unreported]
    accounts: dict[str, Account] = field(default_factory=dict)
    before: Mapping[str, OpenAccount] = field(default_factory=dict)
    tick: Tick = field(default_factory=Tick)

    def run(self, named: Sequence[str]) -> None:
        session, self.before = self.session, dict(self.known)
        spending = list_spending(session.client, named)
        self.tick.accounts, self.tick.spent = len(spending.of), spending.of
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
            for account_id in sorted(refused.keys() & {*new}):  # said once; left out from then on
                target = Target("accounts", act_id(account_id))
                self.tick.failed[target] = self.tick.news[target] = refused[account_id]
        for account_id in listed:
            if holder := self._holder(account_id):
                self.tick.left_out[account_id] = holder
            elif account_id in there:
                self._take(there[account_id])
            else:
                # Kept, so that the next ticks do not list all accounts again for it.
                self.known.setdefault(account_id, OpenAccount())
                why = refused.get(account_id, "it cannot be loaded; `fbinsights doctor` says why")
                self.tick.left_out[account_id] = why
        gone = set() if named else there.keys() & self.known.keys() - {*listed}
        for account_id in sorted(gone):
            self.tick.left_out[account_id] = "the token's list of accounts does not have it"
        self.known = {
            key: one for key, one in self.known.items() if key in {*listed} | there.keys()
        }
        if left_out := self.tick.left_out:
            account_id, why = next(iter(left_out.items()))
            number = counted(len(left_out), "account is", "accounts are")
            _log.info("%s left out, the first act_%s: %s", number, account_id, why)

    def _take(self, account: Account) -> None:
        """Take an account into the tick, if its days can be told."""
        try:
            zone_named(account.timezone_name)
        except UnknownZoneError as error:
            self.tick.left_out[account.account_id] = str(error)
        else:
            self.accounts[account.account_id] = account

    def _holder(self, account_id: str) -> str:
        """Who is loading an account; "" if nobody is."""
        if account_id in self.held:
            return self.held[account_id]
        command = next((one for one in self.commands if one.holds(account_id)), None)
        return "" if command is None else f"a command on {command.host} is loading it"

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
                self._note(outcome)
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
            if deciding.is_to_load(totals, load, is_failing=self._is_failing(account_day))
        ]
        if not chosen:
            return
        controls = OpenTotals(
            session.client, session.lake, session.run_id, session.now, self.tick.looks
        )
        loads_now = Loads(HOURLY_REPORT)
        session.load_into(
            *(loads_now, chosen),
            controls=controls,
            at_once_rows=AT_ONCE_ROWS,
            log_level=logging.DEBUG,  # Dagster would keep a line for each
        )
        self.tick.opened = loads_now.outcomes
        for outcome in loads_now.outcomes:
            self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        """Note an account-day that failed."""
        account_day, error = outcome.account_day, outcome.error
        if not error:
            return
        target = Target.of(HOURLY_REPORT.name, account_day)
        self.tick.failed[target] = error
        if not self._is_failing(account_day):
            self.tick.news[target] = error
        known = self.known[account_day.account_id]
        self.known[account_day.account_id] = deciding.after_failure(known, account_day.day)

    def _is_failing(self, account_day: AccountDay) -> bool:
        """Whether it had failed at its last try before this tick."""
        known = self.before.get(account_day.account_id, OpenAccount())
        return account_day.day in known.failing

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
            loads = Loads(HOURLY_REPORT)
            try:
                session.load_into(loads, to_close, at_once_rows=AT_ONCE_ROWS)
            finally:
                loads.totals = ()  # an event for each would be as many again
                session.recorder.loaded(loads)
            self.tick.closed = loads.outcomes
        failed = {one.account_day for one in self.tick.closed if one.error}
        for account_id in {one.account_id for one in over}:
            days = {one.day: one not in failed for one in over if one.account_id == account_id}
            zone = self.accounts[account_id].timezone_name
            self.known[account_id] = deciding.closed(self.known[account_id], days, zone, now)
        for outcome in self.tick.closed:
            self._note(outcome)

    def _delivered(self, account_day: AccountDay) -> bool:
        return self.known[account_day.account_id].days[account_day.day] is not None

    def _spend(self) -> Mapping[str, Decimal]:
        """What the accounts have spent today, by currency."""
        now = self.session.now()
        found: dict[str, Decimal] = {}
        for account_id, account in self.accounts.items():
            today = deciding.open_days(account.timezone_name, now)[-1]
            totals = self.known[account_id].days.get(today)
            if totals is not None:
                so_far = found.get(account.currency, Decimal())
                found[account.currency] = so_far + totals.spend
        return found
