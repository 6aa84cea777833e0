"""Ctrl-C: whatever a load waits for, it stops within seconds and leaves nothing half done. `make
kills` stops it at each of these moments, `make test` at one.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from tests.kills.scene import Pace, Scene, command, program
from tests.pace import PATIENCE_SECONDS, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.kills.scene import Started

#: No two neighbours: five report runs for each account.
DAYS: Final = [date(2026, 11, day) for day in (10, 12, 14, 16, 18)]
NEIGHBOURS: Final = [date(2026, 11, day) for day in (10, 11, 12)]

#: A report run takes 0.2 s, or an hour.
QUICK: Final = Pace(latency=0.05)
LONG: Final = Pace(latency=0.05, run_seconds=72_000)

EVERY: Final = "KILLS" in os.environ

#: Seconds until a process that was told to stop is gone.
SOON: Final = 8.0


def stopped(process: Started, is_reached: Callable[[], bool]) -> float:
    """Send Ctrl-C at a moment; seconds until the process is gone."""
    while process.is_alive() and not is_reached():
        time.sleep(0.01)
    began = time.monotonic()
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(PATIENCE_SECONDS)
    return time.monotonic() - began


def hold(scene: Scene, kind: str) -> Callable[[], bool]:
    """The moment when a call waits for an answer that does not come."""
    scene.held.add(kind)
    return lambda: scene.arrived[kind] > 0


def rest(scene: Scene) -> Callable[[], bool]:
    scene.sandbox.use("throttled:1")
    return lambda: scene.arrived["create_run"] >= 6


def fly(scene: Scene) -> Callable[[], bool]:
    return lambda: scene.arrived["poll_run"] >= scene.runs


#: What a load is at → how slow its sandbox is, and what gives the moment.
MOMENTS: Final[Mapping[str, tuple[Pace, Callable[[Scene], Callable[[], bool]]]]] = {
    "creating": (QUICK, lambda scene: hold(scene, "create_run")),
    "polling": (QUICK, lambda scene: hold(scene, "batch")),
    "reading a slow page": (QUICK, lambda scene: hold(scene, "read_run")),
    "waiting for control totals": (QUICK, lambda scene: hold(scene, "insights")),
    "resting for a limit": (QUICK, rest),
    "30 long runs in flight": (LONG, fly),
}


@pytest.mark.parametrize("moment", MOMENTS if EVERY else ["polling"])
def test_a_load_that_is_told_to_stop_is_gone_soon_and_remembers_its_runs(
    tmp_path: Path, moment: str
) -> None:
    pace, prepare = MOMENTS[moment]
    with Scene(tmp_path, DAYS, pace, accounts=6) as scene:
        process = program(scene)
        seconds = stopped(process, prepare(scene))

        assert seconds < within(SOON)
        assert process.exitcode == 1  # a KeyboardInterrupt, not a signal
        assert [path for path in scene.unfinished() if ".staging" in path] == []
        heard = scene.heard.keys()
        assert scene.remembered() >= heard


@pytest.mark.skipif(not EVERY, reason="`make kills` runs it")
def test_ctrl_c_while_a_page_does_not_come_ends_the_command_and_says_how_to_go_on(
    tmp_path: Path,
) -> None:
    with Scene(tmp_path, NEIGHBOURS, QUICK) as scene:
        process = command(scene)
        seconds = stopped(process, hold(scene, "read_run"))
        told = (tmp_path / "told").read_text()
        scene.held.clear()
        again = command(scene)
        again.join(PATIENCE_SECONDS)

        assert (process.exitcode, seconds < within(SOON)) == (130, True), told
        assert "No partial data was written." in told
        assert (again.exitcode, scene.wrong(), scene.unfinished()) == (0, [], [])
        assert len(scene.created()) == scene.runs
