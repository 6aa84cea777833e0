"""Limits that do not reset: how long anybody waits for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import Request
from fbgraph.errors import Detail, LimitStuckError, ThrottledError
from fbgraph.limits.retry import CEILING_SECONDS
from fbgraph.limits.stuck import LIMIT_STUCK_REFUSALS, LIMIT_STUCK_SECONDS, is_stuck
from fbgraph.limits.throttle import Throttle
from tests.clock import Clock

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

ONE = Request("GET", "act_1/insights")
OBJECTS = Request("GET", "act_1/campaigns")
TWO = Request("GET", "act_2/insights")


def refusal(named: float | None, limit: str = "account_use_case") -> ThrottledError:
    return ThrottledError(
        Detail("(#80000) Too many calls.", code=80000, cooldown_seconds=named, limit=limit)
    )


@pytest.mark.parametrize(
    ("refusals", "seconds", "stuck"),
    [
        (LIMIT_STUCK_REFUSALS, LIMIT_STUCK_SECONDS, True),
        (LIMIT_STUCK_REFUSALS - 1, LIMIT_STUCK_SECONDS, False),
        (LIMIT_STUCK_REFUSALS, LIMIT_STUCK_SECONDS - 1, False),
        (1, 10 * LIMIT_STUCK_SECONDS, False),
        (50, 600.0, False),
    ],
)
def test_waiting_ends_after_several_refusals_over_two_hours(
    refusals: int, seconds: float, *, stuck: bool
) -> None:
    assert is_stuck(refusals, seconds) is stuck


def until_stuck(throttle: Throttle, clock: Clock, named: float | None) -> tuple[int, float]:
    """Requests that were refused until one is not to be waited for, and the time they took."""
    refused, began = 0, clock.seconds()
    while throttle.stuck(ONE) is None:
        while (wait := throttle.acquire(ONE)) > 0:
            clock.sleep(wait)
        throttle.release(ONE, refusal(named))
        refused += 1
        assert refused < 100
    return refused, clock.seconds() - began


@pytest.mark.parametrize(
    ("named", "refused"),
    [(None, 12), (1.0, 18), (60.0, 12), (900.0, 9), (3000.0, 4), (3600.0, 3), (1e9, 3)],
)
def test_however_long_meta_names_waiting_ends_between_two_and_three_hours(
    named: float | None, refused: int
) -> None:
    clock = Clock()

    calls, seconds = until_stuck(Throttle(clock.seconds), clock, named)

    assert calls == refused
    assert LIMIT_STUCK_SECONDS <= seconds <= LIMIT_STUCK_SECONDS + CEILING_SECONDS


def test_only_what_counts_against_that_limit_is_not_waited_for() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)

    until_stuck(throttle, clock, None)

    assert isinstance(throttle.stuck(Request("GET", "act_1/insights")), LimitStuckError)
    assert (throttle.stuck(OBJECTS), throttle.stuck(TWO)) == (None, None)


def test_the_error_says_which_limit_how_often_how_long_what_meta_said_and_what_to_do() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    until_stuck(throttle, clock, 3600.0)

    assert str(throttle.stuck(ONE)) == (
        "Gave up waiting: act_1's limit for insights has refused 3 requests in a row over 2 h 0"
        " min. Meta's last response: (#80000) Too many calls. [code 80000] Run the same command"
        " again later; it resumes. The app dashboard (https://developers.facebook.com/apps) shows"
        " which limit it is."
    )


def test_once_its_cooldown_is_over_one_request_looks_again_and_may_free_it() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    until_stuck(throttle, clock, None)
    clock.sleep(throttle.cooldown_of(ONE))

    looks = [throttle.stuck(ONE), throttle.acquire(ONE)]
    throttle.release(ONE)
    clock.sleep(1)
    throttle.release(ONE, refusal(None))  # a new block, and not the old one

    assert looks == [None, 0.0]
    assert throttle.stuck(ONE) is None


def test_a_request_waits_for_hours_and_no_longer_and_the_next_one_fails_at_once(
    wire: MakeWire,
) -> None:
    error = {"message": "(#17) User request limit reached", "code": 17}
    graph = wire(httpx.Response(400, json={"error": error}))

    with pytest.raises(LimitStuckError):
        graph.client.get("act_1/campaigns")
    waited = sum(graph.waits)
    with pytest.raises(LimitStuckError, match="Run the same command again later"):
        graph.client.get("act_1/campaigns")
    (batched,) = graph.client.batch([OBJECTS])

    assert waited <= LIMIT_STUCK_SECONDS + CEILING_SECONDS
    assert sum(graph.waits) == waited
    assert isinstance(batched, LimitStuckError)


@pytest.mark.parametrize("minutes", [1, 59, 600_000])
def test_a_wait_that_is_named_for_a_limit_that_is_hardly_used_is_believed_once(
    wire: MakeWire, minutes: int
) -> None:
    usage = {"type": "ads_insights", "call_count": 5, "estimated_time_to_regain_access": minutes}
    said = {"x-business-use-case-usage": json.dumps({"1": [usage]})}
    graph = wire(httpx.Response(200, json={"data": []}, headers=said))

    for _ in range(10):
        graph.client.get("act_1/insights")

    assert graph.waits == [min(minutes * 60.0, CEILING_SECONDS)]
