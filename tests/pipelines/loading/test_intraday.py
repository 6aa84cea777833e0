"""Ticks of today, against the sandbox: what they load, what they keep, what they cost."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.failures import Failures
from pipelines.loading.intraday.deciding import open_days
from pipelines.loading.intraday.spent import list_spending
from pipelines.loading.intraday.tick import Tick, run_tick
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.session import Loads, Session
from pipelines.state.intraday import (
    OpenAccount,
    TickInProgress,
    begin_tick,
    end_tick,
    forget_account,
    known_of,
)
from tests.clock import Clock
from tests.reports import KNOWN
from warehouse.lake.forgetting import remove_account, traces_of
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Totals
from warehouse.published.opened import open as open_published
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

START = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)


@dataclass
class Today:
    """A sandbox, a lake and a clock; each tick is a session of its own."""

    sandbox: Sandbox
    client: GraphClient
    lake: Lake
    clock: Clock
    recordings: list[Recording] = field(default_factory=list)

    def session(self) -> Session:
        self.recordings.append(Recording())
        return Session(self.client, self.lake, str(uuid4()), self.clock, self.recordings[-1])

    def tick(self, *named: str) -> Tick:
        return run_tick(self.session(), named)

    def later(self, **time: float) -> None:
        """Some time passes, in which every account spends."""
        self.clock.now += timedelta(**time)
        for account_id in self.sandbox.account_ids:
            self.spends(account_id)

    def spends(self, account_id: str) -> None:
        seconds = int(self.clock.now.timestamp())
        self.sandbox.change(f"act_{account_id}", amount_spent=str(seconds))

    def open_days(self) -> Sequence[AccountDay]:
        return [
            AccountDay(account_id, day)
            for account_id, account in accounts_in(self.lake).items()
            for day in open_days(account.timezone_name, self.clock.now)
        ]

    def hours(self, account_id: str, day: date) -> list[tuple[Any, ...]]:
        rows = self.lake.read("insights_hourly", account_id=account_id, date=day)
        columns = ["ad_id", "hour", "impressions", "clicks", "spend"]
        return sorted((tuple(r.values()) for r in rows.select(columns).to_pylist()), key=str)

    def truth(self, account_id: str, day: date) -> list[tuple[Any, ...]]:
        rows = [
            (r["ad_id"], r["hour"], int(r["impressions"]), int(r["clicks"]), Decimal(r["spend"]))
            for r in self.sandbox.truth(account_id, day)["rows"]
        ]
        return sorted(rows, key=str)

    def requests(self) -> dict[str, int]:
        """What was requested since the last time, by method and path."""
        calls = self.sandbox.calls()["calls"]
        self.sandbox.reset_calls()
        return {f"{call['method']} {call['path']}": call["count"] for call in calls}


def sums(rows: Sequence[tuple[Any, ...]]) -> Totals:
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return Totals(sum(columns[2]), sum(columns[3]), sum(columns[4], Decimal()))


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def today(clock: Clock, tmp_path: Path) -> Iterator[Today]:
    with started(clock, tmp_path) as opened:
        yield opened


class started:  # noqa: N801  # reads as a function
    """A sandbox with some accounts, and what is needed to run ticks against it."""

    def __init__(self, clock: Clock, folder: Path, **options: Any) -> None:
        self._clock, self._folder = clock, folder
        self._sandbox = Sandbox(now=clock, **{"world": "hostile"} | options)

    def __enter__(self) -> Today:
        sandbox, clock = self._sandbox.__enter__(), self._clock
        self._client = GraphClient(
            sandbox.token, base_url=sandbox.url, sleep=clock.sleep, clock=clock.seconds
        )
        lake = Lake(self._folder / "lake", catalog=KNOWN.catalog)
        return Today(sandbox, self._client, lake, clock)

    def __exit__(self, *error: object) -> None:
        self._client.close()
        self._sandbox.__exit__(None, None, None)


def test_over_a_day_each_tick_has_what_was_served_and_every_day_is_closed_once(
    today: Today,
) -> None:
    known: dict[AccountDay, list[tuple[datetime, Totals]]] = {}
    closed: list[AccountDay] = []
    for _ in range(9):
        tick = today.tick()

        assert (tick.failed, tick.left_out) == ({}, {})
        for account_day in today.open_days():
            rows = today.truth(*account_day)
            assert today.hours(*account_day) == rows
            known.setdefault(account_day, []).append((tick.looks[0].asked_at, sums(rows)))
        closed += [one.account_day for one in tick.closed]
        today.later(hours=3)

    # A whole day in every zone; some of the accounts do not deliver.
    assert len(closed) == len(set(closed)) > 4
    for account_day in closed:
        load = today.lake.load_of("insights_hourly", *account_day)
        assert load is not None
        assert (load.verdict, load.is_over) == ("proven", True)
        assert today.hours(*account_day) == today.truth(*account_day)
    # Dagster hears of days that were closed, and of nothing else.
    steps = [step for one in today.recordings for step in one.steps if isinstance(step, Loads)]
    assert [one.account_day for loads in steps for one in loads.outcomes] == closed
    kept = today.lake.read("intraday_totals").to_pylist()
    assert {
        (row["account_id"], row["date"], row["asked_at"]): (
            *(row["impressions"], row["clicks"], row["spend"]),
        )
        for row in kept
    } == {
        (*account_day, at): (one.impressions, one.clicks, one.spend)
        for account_day, each in known.items()
        for at, one in each
    }
    publish(today.lake.root, catalog=KNOWN.catalog)
    with open_published(today.lake.root, catalog=KNOWN.catalog) as opened:
        [(rows, spend)] = opened.sql("from intraday_totals select count(*), sum(spend)").fetchall()
    assert (rows, spend) == (len(kept), sum(row["spend"] for row in kept))


def test_what_a_tick_costs_with_500_accounts(clock: Clock, tmp_path: Path) -> None:
    with started(clock, tmp_path, world="agency", accounts=500, delivering=1) as today:
        session = today.session()
        session.load_accounts(discover(today.client))
        spent = list_spending(today.client, []).of
        known = {key: OpenAccount(spent=one, is_dirty=False) for key, one in spent.items()}
        assert begin_tick(today.lake.store, TickInProgress.of_this_process("0", START), START) == ""
        end_tick(today.lake.store, "0", known)
        today.requests()

        quiet = today.tick()
        assert today.requests() == {"GET /me/adaccounts": 5}
        moved = today.sandbox.account_ids[0]
        today.clock.now += timedelta(hours=1)
        one = today.tick()
        first = today.requests()
        today.clock.now += timedelta(hours=1)
        again = today.tick()
        second = today.requests()

    assert (quiet.calls, quiet.accounts, quiet.looks) == (5, 500, [])
    assert [look.account_id for look in one.looks] == [moved]
    assert {outcome.account_day.account_id for outcome in one.opened} == {moved}
    # 5 to list, 1 for its totals, 1 for its rows; in the first, names of its objects by id.
    assert second == {"GET /me/adaccounts": 5, "GET /{id}/insights": 2, "POST /": 1}
    assert again.calls == 7
    assert "POST /{id}/insights" not in first


def test_what_is_too_much_at_once_is_loaded_by_report_runs(today: Today) -> None:
    today.sandbox.use("sync_times_out:8")

    tick = today.tick()

    assert tick.failed == {}
    assert today.sandbox.calls()["faults"]["sync_times_out"] > 0
    for account_day in today.open_days():
        assert today.hours(*account_day) == today.truth(*account_day)
    loads = [outcome.load for outcome in tick.opened if outcome.load]
    by_run = {bool(load.report_run_ids) for load in loads if load.rows > 8}
    assert by_run == {True}


def test_an_account_that_cannot_be_read_costs_itself_and_is_loaded_when_it_can(
    today: Today,
) -> None:
    second = today.sandbox.account_ids[1]
    today.tick()
    today.later(hours=1)
    today.sandbox.use("forbidden_account")

    failed = today.tick()
    day = open_days(accounts_in(today.lake)[second].timezone_name, today.clock.now)[-1]
    noted = Failures(today.lake.store, "insights_hourly").of(second)
    today.sandbox.use()
    today.clock.now += timedelta(hours=1)
    healed = today.tick()

    assert [target.key for target in failed.failed] == [f"act_{second}|{day}"]
    assert "(#200)" in noted[day].error
    assert {one.account_day.account_id for one in failed.opened if one.load} >= {
        today.sandbox.account_ids[0]
    }
    assert healed.failed == {}
    assert today.hours(second, day) == today.truth(second, day)
    assert Failures(today.lake.store, "insights_hourly").of(second) == {}


def test_a_token_that_may_not_list_accounts_asks_each_for_its_totals(
    today: Today,
) -> None:
    today.tick()
    named = [f"act_{one}" for one in today.sandbox.account_ids[:2]]
    today.requests()
    assert list_spending(today.client, today.sandbox.account_ids[:2]).of.keys() == {
        *today.sandbox.account_ids[:2]
    }
    assert today.requests() == {"GET /me/adaccounts": 1}

    tick = today.tick(*named)

    assert {look.account_id for look in tick.looks} <= {*today.sandbox.account_ids[:2]}
    assert tick.accounts == 2


def test_overlapping_ticks_do_not_pile_up_and_a_killed_one_holds_nobody_up(today: Today) -> None:
    store, now = today.lake.store, today.clock.now
    other = TickInProgress.of_this_process("another", now)
    assert begin_tick(store, other, now) == ""

    skipped = today.tick()
    requested = today.requests()
    end_tick(store, "another", None)
    done = today.tick()
    dead = TickInProgress("dead", now, other.host, _dead_pid())
    elsewhere = TickInProgress("elsewhere", now, "another machine", 1)
    assert begin_tick(store, dead, now) == ""
    after_dead = today.tick()
    assert begin_tick(store, elsewhere, now) == ""
    too_early = today.tick()
    today.clock.now += timedelta(hours=3)
    after_hours = today.tick()

    assert "still in progress" in skipped.skipped
    assert requested == {}
    assert [one.skipped for one in (done, after_dead, after_hours)] == ["", "", ""]
    assert "on another machine is still in progress" in too_early.skipped


def _dead_pid() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_forget_removes_what_ticks_have_kept_of_an_account(today: Today) -> None:
    today.tick()
    account_id = today.sandbox.account_ids[0]
    store = today.lake.store
    assert account_id in known_of(store)
    assert store.find(f"intraday_totals/account_id={account_id}/*/data.parquet")

    remove_account(today.lake, account_id, traces_of(today.lake, account_id).files)
    forget_account(store, account_id)

    assert account_id not in known_of(store)
    assert not store.find(f"intraday_totals/account_id={account_id}/*/data.parquet")
    assert len(known_of(store)) == len(today.sandbox.account_ids) - 1
