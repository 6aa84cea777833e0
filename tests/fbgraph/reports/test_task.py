from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import NotFoundError, RetryableError, ThrottledError
from fbgraph.limits.usage import Limit
from fbgraph.reports.query import Ask
from fbgraph.reports.task import Order, Part, patience, runs_allowed

DAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("percent", "allowed"), [(0, 20), (69, 20), (70, 10), (85, 5), (95, 2), (140, 2)]
)
def test_the_busier_a_limit_the_fewer_runs_are_in_flight(percent: float, allowed: int) -> None:
    assert runs_allowed({Limit("1", "ads_insights"): percent}, "1", 20) == allowed


def test_the_limits_of_another_account_allow_as_many_as_before() -> None:
    usage = {Limit("1"): 99.0, Limit(): 5.0}

    assert [runs_allowed(usage, key, 5) for key in ("1", "2", "")] == [1, 5, 5]


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


@given(percent=st.floats(0, 1000), most=st.integers(1, 100))
def test_one_run_may_always_be_in_flight(percent: float, most: int) -> None:
    assert 1 <= runs_allowed({Limit("1"): percent}, "1", most) <= most


def test_an_order_is_in_when_all_its_parts_are() -> None:
    order = Order("1", (DAY,))
    order.parts = [Part(order, Ask((DAY,), (), ("spend",)), n) for n in range(2)]

    seen = [order.is_in]
    for part in order.parts:
        part.is_read = True
        seen.append(order.is_in)

    assert seen == [False, False, True]


def test_the_fields_of_an_order_are_those_that_every_part_asked_for() -> None:
    order = Order("1", (DAY,))
    asks = [Ask((DAY,), (), fields) for fields in (("ad_id", "spend"), ("ad_id", "spend", "cpc"))]
    order.parts = [Part(order, ask, n) for n, ask in enumerate(asks)]

    assert order.fields == {"ad_id", "spend"}


@pytest.mark.parametrize(
    ("days", "text"),
    [((DAY,), "act_1 2026-11-21"), ((date(2026, 11, 20), DAY), "act_1 2026-11-20 to 2026-11-21")],
)
def test_an_order_says_which_days_of_which_account(days: tuple[date, ...], text: str) -> None:
    assert str(Order("1", days)) == text


HTML, BUSY = RetryableError("HTML"), ThrottledError("busy")


def test_a_run_whose_polls_make_no_sense_for_long_is_given_up() -> None:
    part = Part(Order("1", (DAY,)), Ask((DAY,), (), ()), 1)

    assert [part.may_pass(HTML, now) for now in (500, 1000, 1100, 1101)] == [True] * 3 + [False]


def test_a_rest_for_a_limit_is_no_silence_of_a_run() -> None:
    part = Part(Order("1", (DAY,)), Ask((DAY,), (), ()), 1)

    answers = [(HTML, 300), (BUSY, 800), (HTML, 1700), (HTML, 2200), (BUSY, 7000), (BUSY, 7201)]

    assert [part.may_pass(*answer) for answer in answers] == [True] * 5 + [False]


def test_a_run_need_not_be_known_everywhere_in_its_first_minute() -> None:
    part = Part(Order("1", (DAY,)), Ask((DAY,), (), ()), 1, created=100.0)

    assert [part.may_pass(NotFoundError("100/33"), now) for now in (160, 161)] == [True, False]


def test_the_first_poll_of_a_run_may_be_unknown_however_late_a_limit_made_it() -> None:
    part = Part(Order("1", (DAY,)), Ask((DAY,), (), ()), 1, created=100.0)

    assert [part.may_pass(NotFoundError("100/33"), now) for now in (400, 401)] == [True, False]
