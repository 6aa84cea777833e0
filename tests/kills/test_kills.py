"""A load is killed at any moment and started again: it ends with the truth and asks nothing twice.

`make kills` kills 60 times, `make test` once. What is killed when follows from the seed, up to what
the machine's scheduler adds.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from tests.kills.scene import Pace, Scene, command, program
from tests.pace import PATIENCE_SECONDS, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.kills.scene import Started

SEED: Final = 11

#: How often a load is killed in each phase, and in how many phases the command is.
KILLS: Final = int(os.environ.get("KILLS", "0"))
COMMAND_KILLS: Final = int(os.environ.get("COMMAND_KILLS", "0"))

#: For the load alone: a report run takes 0.2 s on the wall, its creation 30 ms. Two stretches:
#: each account has two report runs.
QUICK: Final = Pace(speed=20.0)
DAYS: Final = [date(2026, 11, day) for day in (10, 11, 12, 14, 15, 16, 17)]

#: For the command, which lives in real time: a run takes 0.2 s, its creation 30 ms.
REAL: Final = Pace(latency=0.05)
NEIGHBOURS: Final = [date(2026, 11, day) for day in range(10, 17)]

#: An answer that was sent so long before the kill must have been written down. The process takes
#: less than a millisecond for it; the rest is for a machine that has other things to do.
HEARD_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Phase:
    """What a load is at when it is killed, up to `span_seconds` after its `n`th event of a kind.

    `is_hit` looks at what the kill has left.
    """

    reached: Callable[[Scene, int], bool]
    events: Callable[[Scene], int]
    span_seconds: float
    is_hit: Callable[[Scene], bool] = lambda scene: scene.published < scene.account_days


def _runs(scene: Scene) -> int:
    return scene.runs


def _most_days(scene: Scene) -> int:
    return scene.account_days - 5


PHASES: Final[Mapping[str, Phase]] = {
    # Creations take half of the span: many are in the air when the kill comes.
    "create": Phase(lambda scene, n: scene.arrived["create_run"] >= n, _runs, 0.06),
    # The answer to a creation is on its way, or its run is being written down.
    "remember": Phase(lambda scene, n: len(scene.heard) >= n, _runs, 0.004),
    "poll": Phase(lambda scene, n: scene.arrived["poll_run"] >= n, _runs, 0.05),
    "read": Phase(lambda scene, n: scene.arrived["read_run"] >= n, _runs, 0.05),
    "write": Phase(
        lambda scene, n: scene.published >= n - 1 and scene.is_writing,
        _most_days,
        0.003,
        is_hit=lambda scene: scene.is_writing,
    ),
    "publish": Phase(
        lambda scene, n: scene.published >= n,
        _most_days,
        0.01,
        is_hit=lambda scene: 0 < scene.published < scene.account_days,
    ),
}


def killed(process: Started, reached: Callable[[], bool], delay_seconds: float) -> bool:
    """Kill a process so long after a moment; whether it still lived. In real time: it is killed
    by the kernel, wherever it is.
    """
    while process.is_alive() and not reached():
        time.sleep(0.0005)
    time.sleep(delay_seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def kill_and_go_on(
    scene: Scene, start: Callable[[Scene], Started], phase: Phase, dice: random.Random
) -> str:
    """One kill, and everything that must hold afterwards; what happened in a line, empty if the
    kill missed its phase.

    A report run is lost if Meta has it and the process was killed before its id was written down:
    while its creation was in the air, or just then, and before it was polled. It alone may be
    created a second time.
    """
    n, delay_seconds = dice.randint(1, phase.events(scene)), dice.uniform(0, phase.span_seconds)
    is_hit = killed(start(scene), lambda: phase.reached(scene, n), delay_seconds)
    at, heard = time.monotonic(), dict(scene.heard)
    is_hit = is_hit and phase.is_hit(scene)
    before, published = scene.created(), scene.published
    lost = before.keys() - scene.remembered()
    again = start(scene)
    again.join(PATIENCE_SECONDS)
    after = scene.created()

    assert again.exitcode == 0
    assert scene.wrong() == []
    assert scene.unfinished() == []
    if not is_hit:
        return ""
    late = sorted(at - heard[run] for run in lost if run in heard)
    assert all(seconds < within(HEARD_SECONDS) for seconds in late), late
    assert [run for run in lost if before[run].polls] == []
    queries = [run.query for run_id, run in after.items() if run_id not in lost]
    assert len(queries) == len(set(queries)) == scene.runs
    return (
        f"event {n:2} + {1000 * delay_seconds:4.1f} ms: {len(before):2} runs created,"
        f" {len(lost) - len(late):2} in the air, {len(late)} answered and not written down"
        f"{''.join(f' {1000 * seconds:.1f} ms' for seconds in late)},"
        f" {published:2} account-days published; then {len(after) - len(before):2} created"
    )


def kill_in(
    name: str,
    wanted: int,
    folder: Path,
    days: Sequence[date],
    pace: Pace,
    start: Callable[[Scene], Started],
) -> Sequence[str]:
    """Kill in one phase until it has been hit as often as `wanted`; a line for each hit."""
    dice = random.Random(f"{SEED} {name}")  # noqa: S311  # moments, no secrets
    told: list[str] = []
    for attempt in range(3 * wanted):
        with Scene(folder / f"{attempt}", days, pace) as scene:
            if line := kill_and_go_on(scene, start, PHASES[name], dice):
                told.append(line)
                print(f"{start.__name__} {name:8} {line}")  # noqa: T201  # `make kills` shows them
        if len(told) == wanted:
            break
    return told


@pytest.mark.parametrize("name", PHASES if KILLS else ["publish"])
def test_a_load_that_is_killed_goes_on_with_what_it_has_asked_for(
    tmp_path: Path, name: str
) -> None:
    kills = KILLS or 1

    assert len(kill_in(name, kills, tmp_path, DAYS, QUICK, program)) == kills


@pytest.mark.parametrize("name", [*PHASES][::-1][:COMMAND_KILLS])
def test_a_backfill_that_is_killed_goes_on_with_what_it_has_asked_for(
    tmp_path: Path, name: str
) -> None:
    assert len(kill_in(name, 1, tmp_path, NEIGHBOURS, REAL, command)) == 1


@pytest.mark.skipif(not KILLS, reason="`make kills` runs it")
def test_two_loads_of_the_same_account_days_at_once_both_end_with_the_truth(tmp_path: Path) -> None:
    """Each of them creates a report run at most once; one that starts later takes what is there."""
    with Scene(tmp_path, DAYS, QUICK) as scene:
        both = [program(scene), program(scene)]
        for process in both:
            process.join(PATIENCE_SECONDS)
        asked = Counter(run.query for run in scene.created().values())

        assert [process.exitcode for process in both] == [0, 0]
        assert scene.wrong() == []
        assert scene.unfinished() == []
        assert (len(asked), max(asked.values()) <= 2) == (scene.runs, True)
