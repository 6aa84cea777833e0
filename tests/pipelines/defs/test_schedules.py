"""Ticks of the schedules: clocks that change, accounts on both sides of the date line."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.definitions import defs
from pipelines.defs.schedules import FULL_HOUR, SCHEDULES, due
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.refreshing.refresh import REFRESH_HOUR
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warehouse.lake.partitions import Lake

DAILY, WEEKLY = SCHEDULES

ZONES = [
    *("America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "UTC", "Europe/Berlin"),
    *("Africa/Cairo", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Lord_Howe"),
    *("Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Asia/Beirut", "America/Asuncion"),
]


def ticks(first: date, days: int) -> Iterator[datetime]:
    """Every full hour."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return (begin + timedelta(hours=n) for n in range(24 * days))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2024, 1, 1), date(2026, 11, 1)))
def test_every_account_has_its_turn_exactly_once_a_day_of_its_own_whatever_clocks_do(
    zone: str, first: date
) -> None:
    turns = Counter(
        tick.astimezone(ZoneInfo(zone)).date()
        for tick in ticks(first, 30)
        if due({"1": zone}, tick, REFRESH_HOUR)
    )

    whole = [first + timedelta(days=n) for n in range(1, 28)]
    assert [turns[day] for day in whole] == [1] * len(whole)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Los_Angeles", "2026-11-01", "12 13"),  # the clock is put back: 5:00 is 13:00
        ("America/Los_Angeles", "2026-03-08", "13 12"),  # put forward
        ("Pacific/Auckland", "2026-04-05", "16 17"),
        ("Pacific/Auckland", "2026-09-27", "17 16"),
        ("Europe/Berlin", "2026-10-25", "3 4"),
        ("Asia/Kolkata", "2026-10-25", "0 0"),  # 5:30
    ],
)
def test_where_the_clock_changes_the_hour_of_utc_changes_with_it(
    zone: str, day: str, hours: str
) -> None:
    at = date.fromisoformat(day)
    found = {
        tick.astimezone(ZoneInfo(zone)).date(): tick.hour
        for tick in ticks(at - timedelta(days=2), 4)
        if due({"1": zone}, tick, REFRESH_HOUR)
    }

    assert f"{found[at - timedelta(days=1)]} {found[at]}" == hours


@pytest.fixture
def known(lake: Lake, instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """An instance that knows an account in Auckland and one in Los Angeles."""
    rows = [
        {"account_id": "1", "name": "Kea", "timezone_name": "Pacific/Auckland", "currency": "NZD"},
        {
            "account_id": "2",
            "name": "Sun",
            "timezone_name": "America/Los_Angeles",
            "currency": "USD",
        },
    ]
    store_accounts(lake, rows, datetime(2026, 11, 1, tzinfo=UTC))
    return instance


def tick(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, at: str) -> Any:
    """What one tick asks for: the config of the run, or why there is none."""
    repository = defs.get_repository_def()
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime.fromisoformat(at),
        repository_def=repository,
        resources={"graph": GraphResource()},
    ) as context:
        ticked = repository.get_schedule_def(schedule.name).evaluate_tick(context)
    requests = ticked.run_requests or ()
    return [r.run_config["ops"]["look"]["config"] for r in requests] or ticked.skip_message


@pytest.mark.parametrize(
    ("at", "account"),
    [
        ("2026-11-23T16:00:00+00:00", "act_1"),  # 5:00 on the 24th in Auckland
        ("2026-11-23T13:00:00+00:00", "act_2"),  # 5:00 on the 23rd in Los Angeles
        ("2026-07-01T17:00:00+00:00", "act_1"),  # winter there
        ("2026-07-01T12:00:00+00:00", "act_2"),  # summer there
    ],
)
def test_the_daily_schedule_asks_for_the_accounts_whose_morning_it_is(
    known: dg.DagsterInstance, at: str, account: str
) -> None:
    [config] = tick(DAILY, known, at)

    assert config == {"accounts": [account], "full": False, "as_of": at}


def test_at_other_hours_it_asks_for_nothing_and_says_why(known: dg.DagsterInstance) -> None:
    assert "No account is due" in tick(DAILY, known, "2026-11-23T15:00:00+00:00")


def test_many_accounts_are_runs_of_so_many_each(
    known: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, lake: Lake
) -> None:
    rows = [
        {"account_id": str(n), "name": "", "timezone_name": "Asia/Tokyo", "currency": "JPY"}
        for n in range(10, 17)
    ]
    store_accounts(lake, rows, datetime(2026, 11, 1, tzinfo=UTC))
    monkeypatch.setenv("FB_ACCOUNTS_PER_RUN", "3")

    asked = tick(DAILY, known, "2026-11-23T20:00:00+00:00")

    assert [len(one["accounts"]) for one in asked] == [3, 2, 2]
    accounts = [account for one in asked for account in one["accounts"]]
    assert sorted(accounts) == [f"act_{n}" for n in range(10, 17)]
    assert {one["as_of"] for one in asked} == {"2026-11-23T20:00:00+00:00"}


def test_before_any_account_is_known_it_says_what_to_do(instance: dg.DagsterInstance) -> None:
    assert "materialize `accounts`" in tick(DAILY, instance, "2026-11-23T15:00:00+00:00")


def test_the_weekly_schedule_pulls_everything_on_the_accounts_own_sunday(
    known: dg.DagsterInstance,
) -> None:
    found = {
        at.isoformat(): asked[0]
        for at in ticks(date(2026, 11, 20), 5)
        if isinstance(asked := tick(WEEKLY, known, at.isoformat()), list)
    }

    sunday = {"act_1": "Pacific/Auckland", "act_2": "America/Los_Angeles"}
    assert {asked["accounts"][0] for asked in found.values()} == set(sunday)
    for at, asked in found.items():
        local = datetime.fromisoformat(at).astimezone(ZoneInfo(sunday[asked["accounts"][0]]))
        assert (local.date(), local.hour) == (date(2026, 11, 22), FULL_HOUR)
        assert asked["full"]


def test_a_tick_that_is_evaluated_twice_asks_for_the_same_run(known: dg.DagsterInstance) -> None:
    repository = defs.get_repository_def()
    keys = []
    for _ in range(2):
        with dg.build_schedule_context(
            instance=known,
            scheduled_execution_time=datetime(2026, 11, 23, 16, tzinfo=UTC),
            repository_def=repository,
            resources={"graph": GraphResource()},
        ) as context:
            ticked = repository.get_schedule_def(DAILY.name).evaluate_tick(context)
        keys += [request.run_key for request in ticked.run_requests or ()]

    assert len(set(keys)) == 1
