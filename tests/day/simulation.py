"""A day of an agency by a clock that only the simulation moves: ticks from one midnight in UTC past
the next, with numbers that arrive late, days that are restated, throttles, and ticks that are
killed.

After each tick the tables are compared with what the sandbox had served by then, and calls are
counted; in the end closed days are compared with what Meta says for good.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.intraday.deciding import open_days
from pipelines.loading.intraday.tick import Tick, run_tick
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.refreshing.changes import find_changes, reload
from pipelines.loading.session import Session
from tests.clock import Clock
from tests.reports import KNOWN, only
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Figures", "Plan", "simulate"]

HOURS: Final = "insights_hourly"
REPORTS: Final = only(KNOWN.by_name[HOURS])

#: Insights are refreshed at these minutes of each hour.
REFRESHED: Final = timedelta(minutes=15)

#: (ad, hour, impressions, clicks, spend)
Row = tuple[str, int | None, int, int, Decimal]

#: Rows, impressions, clicks, spend.
Sums = tuple[int, int, int, Decimal]
NO_SUMS: Final[Sums] = (0, 0, 0, Decimal())


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated. `start` is on the day on which clocks in Europe go back; the day goes on
    for `hours`, so that it is over and closed in most zones. After every so many ticks the lake is
    published. `killed`: before these ticks the same
    tick is begun by another process, which is killed after this share of the calls of the last one.
    """

    accounts: int = 50
    delivering: int = 45
    every: timedelta = timedelta(hours=1)
    start: datetime = datetime(2026, 10, 25, 0, 2, tzinfo=UTC)
    hours: int = 27
    publishes: int = 1
    scenarios: tuple[str, ...] = ("settling", "restated_days:30", "throttled:37")
    killed: Mapping[int, float] = field(default_factory=lambda: {6: 0.3, 13: 0.7})

    @property
    def ticks(self) -> int:
        return self.hours * timedelta(hours=1) // self.every + 1


@dataclass(slots=True)
class Figures:
    """What a simulated day came to. `wrong`: each difference, in words; none is right."""

    wrong: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    looks: int = 0
    loaded: int = 0
    compared: int = 0
    closed: Counter[AccountDay] = field(default_factory=Counter)
    killed: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    corrected: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    def __str__(self) -> str:
        ticks = len(self.calls)
        return (
            f"{ticks} ticks, {self.killed} killed before; calls of a tick"
            f" {min(self.calls)} to {max(self.calls)}, {sum(self.calls)} in all; {self.looks} looks"
            f" at totals, {self.loaded} open days loaded, {self.compared} compared,"
            f" {len(self.closed)} closed, {self.corrected} of them corrected by the next refresh;"
            f" faults {dict(self.faults)}; {self.seconds:.1f} s, slowest tick {self.slowest:.1f} s;"
            f" wrong: {len(self.wrong)}"
        )


def simulate(plan: Plan, folder: Path) -> Figures:
    """Run a day. Raises nothing for what is wrong: the figures say it."""
    clock = Clock(plan.start)
    with Sandbox(
        world="agency",
        accounts=plan.accounts,
        delivering=plan.delivering,
        now=clock,
        scenarios=plan.scenarios,
    ) as sandbox:
        day = _Day(plan, sandbox, Lake(folder / "lake", catalog=KNOWN.catalog), clock)
        began = time.monotonic()
        for number in range(plan.ticks):
            clock.now = plan.start + number * plan.every
            if number in plan.killed:
                day.kill_a_tick(int(plan.killed[number] * day.figures.calls[-1]))
            day.tick()
        day.refresh()
        day.figures.seconds = time.monotonic() - began
        day.figures.faults = sandbox.calls()["faults"]
        return day.figures


# -- one tick, in this process or in one that is killed --------------------------------------------


@dataclass(frozen=True, slots=True)
class Program:
    """What a tick needs to know."""

    url: str
    token: str
    lake: Path
    at: datetime


@contextmanager
def session_of(program: Program, clock: Clock) -> Iterator[Session]:
    with GraphClient(
        program.token, base_url=program.url, sleep=clock.sleep, clock=clock.seconds
    ) as client:
        lake = Lake(program.lake, catalog=KNOWN.catalog)
        yield Session(client, lake, str(uuid4()), clock, Recording())


def tick_alone(program: Program) -> None:
    with session_of(program, Clock(program.at)) as session:
        run_tick(session)


#: Processes are forked from one that has everything imported and nothing running.
_context = get_context("forkserver")
_context.set_forkserver_preload([__name__])

KILLED: Final = -9


# -- the day ---------------------------------------------------------------------------------------


@dataclass
class _Day:
    plan: Plan
    sandbox: Sandbox
    lake: Lake
    clock: Clock
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        told = self.sandbox.world()["accounts"]
        self.zones = {one["account_id"]: one["timezone_name"] for one in told}

    @contextmanager
    def session(self) -> Iterator[Session]:
        with session_of(self.program(), self.clock) as one:
            yield one

    def program(self) -> Program:
        return Program(self.sandbox.url, self.sandbox.token, self.lake.root, self.clock.now)

    def tick(self) -> None:
        began, start = time.monotonic(), self.clock.now
        calls = self.sandbox.calls()["total"]
        with self.session() as session:
            tick = run_tick(session)
        figures = self.figures
        figures.slowest = max(figures.slowest, time.monotonic() - began)
        figures.calls.append(self.sandbox.calls()["total"] - calls)
        figures.looks += len(tick.looks)
        figures.loaded += len(tick.opened)
        figures.closed.update(one.account_day for one in tick.closed)
        self._note(start, [tick.skipped] if tick.skipped else [])
        self._note(start, [f"{where}: {why}" for where, why in tick.failed.items()])
        idle = [*self.zones][self.plan.delivering :]
        asked = [one.account_id for one in tick.looks if one.account_id in idle]
        # The first tick knows of nobody whether they spend.
        self._note(start, [f"{one} is idle and was asked" for one in asked if figures.calls[1:]])
        self._note(start, [f"closed twice: {day}" for day, n in figures.closed.items() if n > 1])
        self._compare(start, tick)

    def _note(self, at: datetime, wrong: Sequence[str]) -> None:
        self.figures.wrong += [f"{at:%d %H:%M} {one}" for one in wrong]

    def kill_a_tick(self, after: int) -> None:
        """Begin this tick in a process of its own, and kill it when it has made some calls."""
        calls = self.sandbox.calls()["total"]
        process = _context.Process(target=tick_alone, args=(self.program(),))
        process.start()
        while process.is_alive() and self.sandbox.calls()["total"] - calls < after:
            time.sleep(0.002)
        process.kill()
        process.join()
        self.figures.killed += process.exitcode == KILLED

    # -- what must be true ---------------------------------------------------------------------

    def _compare(self, start: datetime, tick: Tick) -> None:
        """The lake, and the published file, with what the sandbox had served by the end of a tick.

        A tick that had to wait may have asked some accounts before a refresh and others after it.
        """
        closed = {one.account_day for one in tick.closed}
        is_published = len(self.figures.calls) % self.plan.publishes == 0
        published = self._published() if is_published else {}
        for account_id, zone in self.zones.items():
            for day in {*open_days(zone, start), *open_days(zone, self.clock.now)}:
                account_day = AccountDay(account_id, day)
                served = [] if account_day in closed else list(self._served(account_day, start))
                if not served:
                    continue
                rows = self._loaded(account_day)
                self.figures.compared += 1
                if rows not in served:
                    self._note(start, [f"{account_day}: {_differs(rows, served[-1])}"])
                if is_published and published.get(account_day, NO_SUMS) != _sums(rows):
                    self._note(start, [f"{account_day}: published {published.get(account_day)}"])
        self._compare_totals(start, tick)

    def _compare_totals(self, start: datetime, tick: Tick) -> None:
        kept = {
            (row["account_id"], row["date"], row["asked_at"]): (
                *(row["impressions"], row["clicks"], row["spend"]),
            )
            for row in self.lake.read("intraday_totals").to_pylist()
        }
        for look in tick.looks:
            for day in look.totals:
                found = kept.get((look.account_id, day, look.asked_at))
                served = self._served(AccountDay(look.account_id, day), start)
                if found not in [_sums(rows)[1:] for rows in served]:
                    where = AccountDay(look.account_id, day)
                    self._note(start, [f"{where}: totals {found} at {look.asked_at}"])

    def _served(self, account_day: AccountDay, start: datetime) -> Iterator[list[Row]]:
        """What insights had of an account-day at each refresh since a tick began."""
        at = start
        while True:
            yield _truth(self.sandbox.truth(*account_day, at=min(at, self.clock.now)))
            if at >= self.clock.now:
                return
            at += REFRESHED

    def _loaded(self, account_day: AccountDay) -> list[Row]:
        account_id, day = account_day
        rows = self.lake.read(HOURS, account_id=account_id, date=day)
        names = ["ad_id", "hour", "impressions", "clicks", "spend"]
        return sorted((tuple(row.values()) for row in rows.select(names).to_pylist()), key=str)

    def _published(self) -> Mapping[AccountDay, Sums]:
        publish(self.lake.root, catalog=KNOWN.catalog)
        query = (
            "SELECT account_id, date, count(*), sum(impressions), sum(clicks), sum(spend)"
            " FROM insights_hourly GROUP BY ALL"
        )
        with warehouse.open(self.lake.root, catalog=KNOWN.catalog) as opened:
            found = {
                AccountDay(account_id, day): (rows, int(shown), int(clicks), spend)
                for account_id, day, rows, shown, clicks, spend in opened.sql(query).fetchall()
            }
            of_views = "SELECT account_id, date, sum(spend) FROM account_hourly GROUP BY ALL"
            for account_id, day, spend in opened.sql(of_views).fetchall():
                if spend != found[AccountDay(account_id, day)][3]:
                    self._note(
                        self.clock.now, [f"account_hourly has {spend} of {account_id} {day}"]
                    )
        return found

    def refresh(self) -> None:
        """A day later, when nothing moves any more, a refresh has all days that are over."""
        before = {one: self._loaded(one) for one in self.figures.closed}
        self.clock.now += timedelta(hours=24)
        with self.session() as session:
            found = discover(session.client)
            now = self.clock.now
            changes = find_changes(session, REPORTS, found, (), now, full=False)
            reload(session, REPORTS.by_name, changes)
        self._note(self.clock.now, [f"refresh of {t}: {why}" for t, why in changes.failed.items()])
        published = self._published()
        for account_day, rows in before.items():
            [final], after = (
                list(self._served(account_day, self.clock.now)),
                self._loaded(account_day),
            )
            self.figures.corrected += rows != after
            if after != final or published[account_day] != _sums(final):
                self._note(self.clock.now, [f"{account_day}: {_differs(after, final)}"])


def _sums(rows: Sequence[Row]) -> Sums:
    if not rows:
        return NO_SUMS
    _, _, shown, clicks, spend = zip(*rows, strict=True)
    return len(rows), sum(shown), sum(clicks), sum(spend, Decimal())


def _truth(told: Mapping[str, Any]) -> list[Row]:
    rows = [
        (r["ad_id"], r["hour"], int(r["impressions"]), int(r["clicks"]), Decimal(r["spend"]))
        for r in told["rows"]
    ]
    return sorted(rows, key=str)


def _differs(found: Sequence[Row], expected: Sequence[Row]) -> str:
    missing, more = [r for r in expected if r not in found], [r for r in found if r not in expected]
    return f"{len(missing)} rows missing, {len(more)} too many, such as {[*missing, *more][:1]}"
