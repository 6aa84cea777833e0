"""What processes do with cooldowns that they share; where they are kept: tests/pipelines/state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fbgraph.limits.shared_cooldowns import Cooldown, SharedCooldowns
from fbgraph.limits.throttle import Throttle
from fbgraph.limits.usage import Limit
from tests.clock import Clock
from tests.limits import ONE, TWO, refusal


class Value:
    """A value in memory, as JSON."""

    def __init__(self, text: str = "null") -> None:
        self.text = text

    def load(self) -> Any:
        return json.loads(self.text)

    def change(self, decide: Any) -> None:
        decided = decide(self.load())
        self.text = self.text if decided is None else json.dumps(decided)


def throttles(clock: Clock, count: int) -> list[Throttle]:
    """Of as many processes that share a value."""
    value = Value()
    return [Throttle(clock.seconds, SharedCooldowns(value, clock.seconds)) for _ in range(count)]


def test_what_one_process_is_told_another_obeys() -> None:
    clock = Clock()
    here, there = throttles(clock, 2)

    here.release(ONE, refusal(100.0))

    assert [there.acquire(ONE), there.acquire(TWO)] == [100.0, 0.0]


def test_a_limit_that_is_free_again_is_free_for_all() -> None:
    clock = Clock()
    here, there = throttles(clock, 2)
    here.release(ONE, refusal(100.0))
    clock.sleep(100)

    waits = [here.acquire(ONE), there.acquire(ONE)]  # the probe, and who waits for it
    here.release(ONE)
    waits.append(there.acquire(ONE))

    assert (waits[0], waits[1] > 0, waits[2]) == (0.0, True, 0.0)


def test_of_all_processes_one_finds_out_whether_a_block_is_over() -> None:
    clock = Clock()
    crowd = throttles(clock, 3)
    crowd[0].release(ONE, refusal(100.0))
    told = [one.acquire(ONE) for one in crowd]
    clock.sleep(100)

    probes = [one.acquire(ONE) for one in crowd]
    crowd[0].release(ONE, refusal(50.0))
    again = [one.acquire(ONE) for one in crowd]

    assert (told, [wait <= 0 for wait in probes]) == ([100.0] * 3, [True, False, False])
    assert all(wait >= 50 for wait in again)


def test_what_is_left_of_a_limit_makes_no_block_shorter() -> None:
    clock = Clock()
    cooldowns = SharedCooldowns(Value(), clock.seconds)

    cooldowns.put(Limit("1"), Cooldown(100, is_block=True))
    cooldowns.put(Limit("1"), Cooldown(1))

    assert cooldowns.current() == {Limit("1"): Cooldown(100, is_block=True)}


def test_a_probe_that_dies_holds_the_others_up_for_seconds_only() -> None:
    clock = Clock()
    here, there = throttles(clock, 2)
    here.release(ONE, refusal(100.0))
    clock.sleep(100)
    here.acquire(ONE)

    wait = there.acquire(ONE)
    clock.sleep(wait)

    assert (wait, there.acquire(ONE)) == (10.0, 0.0)


def test_rests_pass_and_are_swept_out() -> None:
    clock = Clock()
    cooldowns = SharedCooldowns(value := Value(), clock.seconds)
    cooldowns.put(Limit("1"), Cooldown(50))
    clock.sleep(60)
    cooldowns.put(Limit("2", "ads_insights"), Cooldown(50))

    assert (cooldowns.current(), "50.0" in value.text) == (
        {Limit("2", "ads_insights"): Cooldown(50.0)},
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "7",
        '"x"',
        "[1]",
        '[["1"]]',
        '[["1","",9e9]]',
        '[["1","",null,false]]',
        '[["1","","x",true]]',
    ],
)
def test_a_value_that_makes_no_sense_counts_as_empty(text: str) -> None:
    cooldowns = SharedCooldowns(Value(text), Clock().seconds)

    found = cooldowns.current()
    cooldowns.put(Limit("1"), Cooldown(5))

    assert (found, cooldowns.current()) == ({}, {Limit("1"): Cooldown(5.0)})


def test_who_waits_for_a_block_of_another_process_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    here, there = throttles(clock, 2)
    here.release(ONE, refusal(1800.0))

    there.acquire(ONE)

    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("act_1 waits until ")
    assert said.endswith("(30 min) for the account's limit: Meta reports that it is used up.")


@pytest.mark.parametrize(
    ("until", "seconds"), [(1800.0, 1800.0), (4000.0, 3600.0), (36_000_000.0, 0.0), (1e300, 0.0)]
)
def test_a_shared_cooldown_lasts_an_hour_at_most(until: float, seconds: float) -> None:
    clock = Clock()
    value = Value(json.dumps([["1", "", until, True]]))

    throttle = Throttle(clock.seconds, SharedCooldowns(value, clock.seconds))

    assert throttle.acquire(ONE) == seconds
