"""Whose turn it is, by values alone: no client, no threads, no time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.limits.usage import Limit
from fbgraph.reports.allowance import (
    ACCOUNT_CALLS,
    ACCOUNT_RUNS,
    APP_CALLS,
    APP_RUNS,
    allowed,
    patience,
)
from fbgraph.reports.scheduler import Scheduler, Situation, Standing, next_call, next_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DAY = date(2026, 11, 21)
COOLING = Standing(cooldown_seconds=30.0)


def situation(
    usage: Mapping[Limit, float] | None = None, *, has_response: bool = True, **standings: Standing
) -> Situation:
    """Accounts are named by letters."""
    return Situation(usage or {}, standings, has_response=has_response)


# -- between accounts ----------------------------------------------------------------------------


@pytest.mark.parametrize("decide", [next_call, next_run])
def test_the_account_that_is_served_least_is_next(
    decide: Callable[[Situation, Iterable[str]], str | None],
) -> None:
    now = situation(a=Standing(calls=1, runs=1), b=Standing(calls=1), c=Standing(runs=3))

    assert [decide(now, waiting) for waiting in ("abc", "cba", "ac", "ca")] == ["b", "b", "a", "a"]


def test_an_account_that_nothing_is_under_way_of_comes_before_all_others() -> None:
    now = situation(a=Standing(calls=1), b=Standing(runs=1))

    assert (next_call(now, "abz"), next_run(now, "abz")) == ("z", "z")


def test_no_account_takes_the_places_of_the_others() -> None:
    """30 places for report runs among ten accounts, of which the first wants hundreds."""
    scheduler: Scheduler[str] = Scheduler()
    for n in range(300):
        scheduler.add_run("a", "a", DAY - timedelta(days=n))
    for account_id in "bcdefghij":
        for n in range(3):
            scheduler.add_run(account_id, account_id, DAY - timedelta(days=n))

    in_flight: Counter[str] = Counter()
    while started := scheduler.starts(
        Situation({}, {key: Standing(runs=runs) for key, runs in in_flight.items()})
    ):
        in_flight.update(started)  # their creation has come back

    assert in_flight == dict.fromkeys("abcdefghij", 3)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), min_size=1))
def test_accounts_get_places_alike_as_long_as_they_want_them(wanted: dict[str, int]) -> None:
    scheduler: Scheduler[str] = Scheduler()
    for key, number in wanted.items():
        for _ in range(number):
            scheduler.add_call(key, key)

    started = Counter(scheduler.starts(situation()))

    assert started.total() == min(
        APP_CALLS, sum(min(number, ACCOUNT_CALLS) for number in wanted.values())
    )
    unserved = [key for key in wanted if started[key] < min(wanted[key], ACCOUNT_CALLS)]
    assert all(max(started.values()) <= started[key] + 1 for key in unserved)


# -- of one account ------------------------------------------------------------------------------


def test_the_newest_days_of_an_account_come_first_and_second_looks_last() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add_run("a", "second look", DAY + timedelta(days=9), is_last=True)
    scheduler.add_run("a", "old", DAY)
    scheduler.add_run("a", "new", DAY + timedelta(days=1))
    scheduler.add_run("a", "half of new", DAY + timedelta(days=1))

    assert scheduler.starts(situation()) == ["half of new", "new", "old"]
    assert scheduler.starts(situation()) == ["second look"]
    assert not scheduler


def test_calls_which_bring_rows_come_before_new_runs_in_their_order() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add_run("a", "create", DAY)
    scheduler.add_call("a", "read")
    scheduler.add_call("a", "finish")

    assert scheduler.waiting == {"a"}
    assert scheduler.starts(situation()) == ["read", "finish", "create"]
    assert (list(scheduler.waiting), bool(scheduler)) == ([], False)


# -- how much at once ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "runs", "calls"),
    [(0.0, 5, 3), (69.9, 5, 3), (70.0, 2, 1), (85.0, 1, 1), (95.0, 1, 1), (140.0, 1, 1)],
)
def test_the_busier_an_account_the_less_of_it_is_under_way(
    percent: float, runs: int, calls: int
) -> None:
    usage = {Limit("a", "ads_insights"): percent}

    most_runs = max(
        n + 1 for n in range(9) if next_run(situation(usage, a=Standing(runs=n)), "a") == "a"
    )
    most_calls = max(
        n + 1 for n in range(9) if next_call(situation(usage, a=Standing(calls=n)), "a") == "a"
    )

    assert (most_runs, most_calls) == (runs, calls)
    assert next_run(situation(usage, a=Standing(runs=9)), "b") == "b"  # another one's limit


@pytest.mark.parametrize(("percent", "runs", "calls"), [(0.0, 30, 12), (85.0, 7, 3), (99.0, 3, 1)])
def test_the_busier_the_app_the_less_is_under_way_in_all(
    percent: float, runs: int, calls: int
) -> None:
    usage = {Limit(): percent}

    def with_others(**under_way: int) -> Situation:
        return situation(usage, b=replace(Standing(), **under_way))  # type: ignore[arg-type]  # ints

    most_runs = next(n for n in range(99) if next_run(with_others(runs=n), "a") is None)
    most_calls = next(n for n in range(99) if next_call(with_others(calls=n), "a") is None)

    assert (most_runs, most_calls) == (runs, calls)


def test_a_call_that_is_under_way_counts_as_a_run() -> None:
    full = situation(b=Standing(calls=2, runs=APP_RUNS - 2))
    own = situation(a=Standing(calls=1, runs=ACCOUNT_RUNS - 1))

    assert (next_run(full, "a"), next_run(own, "a"), next_call(own, "a")) == (None, None, "a")


def test_an_account_that_a_limit_keeps_waiting_is_not_called_and_takes_nobodys_place() -> None:
    asleep = {f"n{n}": replace(COOLING, calls=ACCOUNT_CALLS) for n in range(APP_CALLS)}
    now = Situation({}, {"a": COOLING, **asleep})

    assert (next_call(now, "a"), next_run(now, "a")) == (None, None)
    assert next_call(now, "ab") == "b"


def test_as_long_as_no_call_has_come_back_one_goes_ahead() -> None:
    at_first = situation(has_response=False)
    new = Standing(has_response=False)

    assert next_call(at_first, "ab") == "a"
    assert next_call(at_first.with_call("a"), "b") is None
    assert next_call(situation(a=replace(new, calls=1), b=new), "ab") == "b"
    assert next_call(situation(a=replace(new, calls=1)), "a") is None


def test_of_a_doubtful_account_one_run_goes_ahead_and_is_read() -> None:
    now = situation(a=Standing(runs=1, is_doubtful=True))

    assert (next_run(now, "a"), next_call(now, "a")) == (None, "a")
    assert next_run(situation(a=Standing(is_doubtful=True)), "a") == "a"


def test_while_it_is_found_out_how_old_is_too_old_one_call_decides_about_the_next() -> None:
    now = situation(a=Standing(calls=1, is_halving=True))

    assert (next_run(now, "a"), next_call(now, "a")) == (None, "a")
    assert next_run(situation(a=Standing(runs=1, is_halving=True)), "a") == "a"


# -- allowance -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "most"), [(0, 20), (69, 20), (70, 10), (85, 5), (95, 2), (140, 2)]
)
def test_the_busier_a_limit_the_less_it_allows(percent: float, most: int) -> None:
    assert allowed({Limit("1", "ads_insights"): percent}, "1", 20) == most


def test_the_limits_of_another_account_allow_as_much_as_before() -> None:
    usage = {Limit("1"): 99.0, Limit(): 5.0}

    assert [allowed(usage, key, 5) for key in ("1", "2", "")] == [1, 5, 5]


@given(percent=st.floats(0, 1000), most=st.integers(1, 100))
def test_one_run_may_always_be_in_flight(percent: float, most: int) -> None:
    assert 1 <= allowed({Limit("1"): percent}, "1", most) <= most


@pytest.mark.parametrize(
    ("usage", "times"),
    [
        ({}, 1),
        ({Limit("1"): 70.0}, 2),
        ({Limit("", "ads_insights"): 95.0}, 10),  # the app's
        ({Limit("2"): 99.0}, 1),  # somebody else's
    ],
)
def test_the_busier_a_limit_the_longer_is_waited_for_the_next_poll(
    usage: dict[Limit, float], times: float
) -> None:
    assert patience(usage, "1") == pytest.approx(times)
