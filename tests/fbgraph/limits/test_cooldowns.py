from __future__ import annotations

import os
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from fbgraph.limits.cooldowns import Cooldown, SharedCooldowns
from fbgraph.limits.throttle import Throttle
from fbgraph.limits.usage import Limit
from tests.clock import Clock
from tests.limits import ONE, TWO, refusal

if TYPE_CHECKING:
    from pathlib import Path


def throttles(clock: Clock, folder: Path, count: int) -> list[Throttle]:
    """Of as many processes that share a file."""
    ledgers = [SharedCooldowns(folder / "limits.json", clock.seconds) for _ in range(count)]
    return [Throttle(clock.seconds, cooldowns) for cooldowns in ledgers]


def test_what_one_process_is_told_another_obeys(tmp_path: Path) -> None:
    clock = Clock()
    here, there = throttles(clock, tmp_path, 2)

    here.release(ONE, refusal(100.0))

    assert [there.acquire(ONE), there.acquire(TWO)] == [100.0, 0.0]


def test_a_limit_that_is_free_again_is_free_for_all(tmp_path: Path) -> None:
    clock = Clock()
    here, there = throttles(clock, tmp_path, 2)
    here.release(ONE, refusal(100.0))
    clock.sleep(100)

    waits = [here.acquire(ONE), there.acquire(ONE)]  # the probe, and who waits for it
    here.release(ONE)
    waits.append(there.acquire(ONE))

    assert (waits[0], waits[1] > 0, waits[2]) == (0.0, True, 0.0)


def test_of_all_processes_one_finds_out_whether_a_block_is_over(tmp_path: Path) -> None:
    clock = Clock()
    crowd = throttles(clock, tmp_path, 3)
    crowd[0].release(ONE, refusal(100.0))
    told = [one.acquire(ONE) for one in crowd]
    clock.sleep(100)

    probes = [one.acquire(ONE) for one in crowd]
    crowd[0].release(ONE, refusal(50.0))
    again = [one.acquire(ONE) for one in crowd]

    assert (told, [wait <= 0 for wait in probes]) == ([100.0] * 3, [True, False, False])
    assert all(wait >= 50 for wait in again)


def test_what_is_left_of_a_limit_makes_no_block_shorter(tmp_path: Path) -> None:
    clock = Clock()
    cooldowns = SharedCooldowns(tmp_path / "limits.json", clock.seconds)

    cooldowns.put(Limit("1"), Cooldown(100, is_block=True))
    cooldowns.put(Limit("1"), Cooldown(1))

    assert cooldowns.current() == {Limit("1"): Cooldown(100, is_block=True)}


def test_a_probe_that_dies_holds_the_others_up_for_seconds_only(tmp_path: Path) -> None:
    clock = Clock()
    here, there = throttles(clock, tmp_path, 2)
    here.release(ONE, refusal(100.0))
    clock.sleep(100)
    here.acquire(ONE)

    clock.sleep(there.acquire(ONE))

    assert there.acquire(ONE) == 0.0


def test_rests_pass_and_are_swept_out(tmp_path: Path) -> None:
    clock = Clock()
    cooldowns = SharedCooldowns(tmp_path / "limits.json", clock.seconds)
    cooldowns.put(Limit("1"), Cooldown(50))
    clock.sleep(60)
    cooldowns.put(Limit("2", "ads_insights"), Cooldown(50))

    assert (cooldowns.current(), "50.0" in cooldowns.path.read_text()) == (
        {Limit("2", "ads_insights"): Cooldown(50.0)},
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", "[1]", '[["1"]]', '[["1","",9e9]]', '[["1","",null,false]]'),
        *('[["1","","x",true]]', "\ud83d"),
    ],
)
def test_a_ledger_that_cannot_be_read_keeps_nobody_from_calling(tmp_path: Path, text: str) -> None:
    path = tmp_path / "limits.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    cooldowns = SharedCooldowns(path, Clock().seconds)

    told = cooldowns.current()
    cooldowns.put(Limit("1"), Cooldown(5))

    assert (told, cooldowns.current()) == ({}, {Limit("1"): Cooldown(5.0)})


def test_a_ledger_makes_its_folder_when_there_is_something_to_tell(tmp_path: Path) -> None:
    cooldowns = SharedCooldowns(tmp_path / "not" / "yet" / "limits.json", Clock().seconds)

    before = cooldowns.current()
    cooldowns.put(Limit(), Cooldown(9))

    assert (before, cooldowns.current()) == ({}, {Limit(): Cooldown(9.0)})


def _tell(path: Path, account_id: str) -> None:
    cooldowns = SharedCooldowns(path, lambda: 0.0)
    for n in range(20):
        cooldowns.put(Limit(f"{account_id}{n}"), Cooldown(100))


def test_many_processes_lose_nothing_that_they_tell(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    context = get_context("fork" if os.name == "posix" else None)
    tellers = [context.Process(target=_tell, args=(path, letter)) for letter in "abcd"]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join(30)

    told = SharedCooldowns(path, lambda: 0.0).current()

    assert told.keys() == {Limit(f"{letter}{n}") for letter in "abcd" for n in range(20)}
