from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import GraphClient, Request
from fbgraph.errors import Detail, ThrottledError
from fbgraph.limits.retry import CEILING_SECONDS, LIMIT
from fbgraph.limits.throttle import (
    PROBE_SECONDS,
    Throttle,
    cooldown_after,
    cooldown_seconds,
)
from fbgraph.limits.usage import Limit, Reading, Usage, usage_of
from tests.clock import Clock

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

ONE = Request("GET", "act_1/campaigns")
ONE_INSIGHTS = Request("GET", "act_1/insights")
TWO = Request("GET", "act_2/campaigns")
ME = Request("GET", "me")

PERCENTS = st.floats(0, 1000)


def refusal(limit: str, told: float | None = 100.0) -> ThrottledError:
    return ThrottledError(Detail("Too many calls.", code=17, cooldown_seconds=told, limit=limit))


@given(percent=PERCENTS, regain=st.floats(0, 1e6))
def test_a_cooldown_is_never_negative_and_as_long_as_meta_says_up_to_an_hour(
    percent: float, regain: float
) -> None:
    assert cooldown_seconds(percent, regain) >= min(max(regain, 0.0), CEILING_SECONDS)


@given(low=PERCENTS, high=PERCENTS)
def test_a_busier_limit_never_means_a_shorter_rest(low: float, high: float) -> None:
    low, high = sorted((low, high))

    assert cooldown_seconds(low) <= cooldown_seconds(high)


@pytest.mark.parametrize(
    ("percent", "rest"), [(0, 0), (69.9, 0), (70, 1), (85, 10), (95, 60), (130, 60)]
)
def test_the_busier_a_limit_the_longer_the_rest(percent: float, rest: float) -> None:
    assert cooldown_seconds(percent) == rest


@pytest.mark.parametrize(("percent", "rest"), [(9.67, 0.0), (99.0, 60.0), (100.0, 182.0)])
def test_the_time_until_a_score_is_zero_is_a_wait_only_for_a_full_one(
    percent: float, rest: float
) -> None:
    assert cooldown_after(Reading(Limit("1"), "x-ad-account-usage", percent, 182.0)) == rest


@given(told=st.none() | st.floats(0.001, 1e5), strikes=st.integers(1, 30))
def test_a_block_is_bounded_and_never_shorter_than_named(told: float | None, strikes: int) -> None:
    named = min(told or 0.0, CEILING_SECONDS)

    seconds = [LIMIT.seconds(n, told) for n in range(1, strikes + 1)]

    assert all(named <= one <= max(named, LIMIT.most_seconds) for one in seconds)
    assert all(earlier <= later for earlier, later in pairwise(seconds))


def test_a_call_rests_for_the_limits_that_it_counts_against_and_for_no_others() -> None:
    throttle = Throttle(Clock().seconds)
    throttle.note(usage_of({"x-fb-ads-insights-throttle": '{"acc_id_util_pct":96}'}, "1"))

    assert [throttle.acquire(r) for r in (ONE_INSIGHTS, ONE, TWO, ME)] == [60.0, 0.0, 0.0, 0.0]


def test_the_limit_of_the_app_is_everybodys() -> None:
    throttle = Throttle(Clock().seconds)
    throttle.note(usage_of({"x-app-usage": '{"call_count":86}'}))

    assert [throttle.acquire(r) for r in (ONE_INSIGHTS, TWO, ME)] == [10.0] * 3


def test_a_lower_share_ends_a_rest() -> None:
    throttle = Throttle(Clock().seconds)
    for percent in (99, 12):
        throttle.note(usage_of({"x-app-usage": f'{{"call_count":{percent}}}'}))

    assert throttle.acquire(ME) == 0.0


def test_a_rest_passes() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.note(usage_of({"x-app-usage": '{"call_count":99}'}))

    waits = [throttle.acquire(ME)]
    clock.sleep(61)
    waits.append(throttle.acquire(ME))

    assert waits == [60.0, 0.0]


def test_the_view_is_by_app_account_and_use_case() -> None:
    throttle = Throttle(Clock().seconds)
    throttle.note(
        usage_of(
            {
                "x-app-usage": '{"call_count":5}',
                "x-ad-account-usage": '{"acc_id_util_pct":7.5}',
                "x-business-use-case-usage": '{"1":[{"type":"ads_insights","call_count":11}]}',
                "x-fb-ads-insights-throttle": '{"app_id_util_pct":2,"acc_id_util_pct":13}',
            },
            "1",
        )
    )

    assert throttle.percents() == {
        Limit(): 5.0,
        Limit("1"): 7.5,
        Limit("1", "ads_insights"): 13.0,
        Limit("", "ads_insights"): 2.0,
    }


@pytest.mark.parametrize(
    ("limit", "waits"),
    [
        ("app", [100.0, 100.0, 100.0, 100.0]),
        ("app_use_case", [100.0, 0.0, 0.0, 0.0]),
        ("account", [100.0, 100.0, 0.0, 0.0]),
        ("account_use_case", [100.0, 0.0, 0.0, 0.0]),
    ],
)
def test_a_refusal_holds_up_those_who_share_its_limit(limit: str, waits: list[float]) -> None:
    throttle = Throttle(Clock().seconds)

    throttle.release(ONE_INSIGHTS, refusal(limit))

    assert [throttle.acquire(r) for r in (ONE_INSIGHTS, ONE, TWO, ME)] == waits


def test_an_account_that_is_not_known_holds_up_everybody() -> None:
    throttle = Throttle(Clock().seconds)

    throttle.release(Request("GET", "7"), refusal("account"))

    assert throttle.acquire(TWO) == 100.0


def test_after_a_block_one_call_goes_first_and_the_others_when_it_was_answered() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.release(ONE, refusal("account"))
    clock.sleep(100)

    waits = [throttle.acquire(ONE), throttle.acquire(ONE)]
    throttle.release(ONE)
    waits += [throttle.acquire(ONE), throttle.acquire(ONE)]

    assert waits == [0.0, PROBE_SECONDS, 0.0, 0.0]


def test_a_probe_that_is_refused_doubles_the_block() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.release(ONE, refusal("account"))
    clock.sleep(100)
    throttle.acquire(ONE)

    throttle.release(ONE, refusal("account"))

    assert throttle.acquire(ONE) == 200.0


def test_refusals_of_calls_that_were_on_their_way_are_one_strike() -> None:
    throttle = Throttle(Clock().seconds)

    for _ in range(8):
        throttle.release(ONE, refusal("account"))

    assert throttle.acquire(ONE) == 100.0


def test_a_call_that_was_on_its_way_before_a_block_does_not_end_it() -> None:
    throttle = Throttle(Clock().seconds)
    throttle.acquire(ONE_INSIGHTS)
    throttle.acquire(ONE)
    throttle.release(ONE, refusal("account"))

    throttle.release(ONE_INSIGHTS)

    assert throttle.acquire(ONE) == 100.0


def test_a_call_that_is_no_probe_does_not_speak_for_the_one_that_is() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.release(ONE, refusal("account"))
    clock.sleep(100)
    throttle.acquire(ONE)

    throttle.release(ONE_INSIGHTS)
    throttle.abandon(ONE_INSIGHTS)

    assert throttle.acquire(ONE_INSIGHTS) == PROBE_SECONDS


def test_a_probe_that_nobody_answers_lets_the_next_call_try() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.release(ONE, refusal("account"))
    clock.sleep(100)
    throttle.acquire(ONE)

    throttle.abandon(ONE)

    assert throttle.acquire(ONE) == 0.0


def test_a_client_rests_before_the_call_when_its_limit_is_nearly_used_up(wire: MakeWire) -> None:
    busy = httpx.Response(200, json={}, headers={"x-app-usage": '{"call_count":96}'})
    graph = wire(busy, httpx.Response(200, json={}))

    for _ in range(3):
        graph.client.get("me")

    assert graph.waits == [60.0]


def test_many_threads_call_into_a_block_no_more_than_a_probe_at_a_time() -> None:
    lock, clock, into = threading.Lock(), Clock(), [0]

    def answer(_: httpx.Request) -> httpx.Response:
        with lock:
            if clock.seconds() < 90:  # longer than the minute that is waited first
                into[0] += 1
                return httpx.Response(400, json={"error": {"message": "Too many", "code": 17}})
        return httpx.Response(200, json={"id": "1"})

    client = GraphClient(
        "EAAinvented0123456789",
        transport=httpx.MockTransport(answer),
        sleep=clock.sleep,
        jitter=lambda: 0.0,
        clock=clock.seconds,
    )
    client._throttle.release(ONE, refusal("account", told=60.0))  # noqa: SLF001  # blocked already

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.get("act_1"), range(8)))

    assert (found, into[0] <= 1) == ([{"id": "1"}] * 8, True)


#: Meta's own header with a wait of 416 days and little use.
OVERSTATED = {
    "x-business-use-case-usage": '{"1":[{"type":"ads_insights","call_count":5,'
    '"estimated_time_to_regain_access":600000}]}'
}


def test_after_an_hour_one_request_looks_whether_a_long_wait_is_meant() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.note(usage_of(OVERSTATED, "1"))

    before = throttle.acquire(ONE_INSIGHTS)
    clock.sleep(CEILING_SECONDS)

    looks = [throttle.acquire(ONE_INSIGHTS), throttle.acquire(ONE_INSIGHTS)]
    assert (before, looks) == (CEILING_SECONDS, [0.0, PROBE_SECONDS])


def test_a_wait_that_was_not_meant_is_not_believed_again_until_meta_refuses() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    throttle.note(usage_of(OVERSTATED, "1"))
    clock.sleep(CEILING_SECONDS)
    throttle.acquire(ONE_INSIGHTS)
    throttle.note(usage_of(OVERSTATED, "1"))
    throttle.release(ONE_INSIGHTS)

    waits = [throttle.acquire(ONE_INSIGHTS)]
    throttle.note(usage_of(OVERSTATED, "1"))
    waits.append(throttle.acquire(ONE_INSIGHTS))
    throttle.release(ONE_INSIGHTS, refusal("account_use_case"))
    throttle.note(usage_of(OVERSTATED, "1"))
    waits.append(throttle.acquire(ONE_INSIGHTS))

    assert waits == [0.0, 0.0, CEILING_SECONDS]


def test_a_limit_that_stays_used_up_is_looked_at_each_hour() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    waits = []
    for _ in range(3):
        throttle.release(ONE, refusal("account", 36_000_000.0))
        waits.append(throttle.acquire(ONE))
        clock.sleep(CEILING_SECONDS)
        assert throttle.acquire(ONE) == 0.0

    assert waits == [CEILING_SECONDS] * 3


def test_a_request_looks_at_its_own_limits_alone_however_many_are_known() -> None:
    class Counted(str):
        """An account's id that counts how often it is compared with another one."""

        __slots__ = ()
        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

    throttle, accounts = Throttle(Clock().seconds), 500
    limits = [Limit(Counted(n)) for n in range(accounts)]
    throttle.note(Usage([Reading(limit, "x-ad-account-usage", 50.0) for limit in limits]))
    Counted.compared = 0

    assert throttle.percents() == dict.fromkeys(limits, 50.0)
    assert throttle.acquire(ONE) == 0.0
    assert Counted.compared < 5 * accounts


def test_a_long_wait_is_logged_once_with_who_waits_for_what_until_when(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds, now=clock)
    throttle.release(ONE, refusal("account", 1800.0))

    for _ in range(5):
        throttle.acquire(ONE)
        throttle.cooldown_of(ONE)
        clock.sleep(60)

    [line] = [record.getMessage() for record in caplog.records]
    assert line == (
        "act_1 waits until 20:30 UTC (30 min) for the account's limit: Meta reports that it is used"
        " up."
    )
    assert caplog.records[0].levelname == "WARNING"


def test_a_short_wait_is_nobodys_business(caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle(Clock().seconds)
    throttle.note(usage_of({"x-app-usage": '{"call_count":86}'}))

    throttle.acquire(ME)

    assert caplog.records == []
