"""Ctrl-C at any moment of a command, on a machine that is busy: `make stops` tries it 200 times."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from tests.kills.scene import Pace, Scene, command
from tests.pace import PATIENCE_SECONDS, within

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kills.scene import Started

TRIES: Final = int(os.environ.get("STOPS", "0"))
SEED: Final = int(os.environ.get("STOPS_SEED", "1"))

DAYS: Final = [date(2026, 11, day) for day in (10, 12, 14)]
PACE: Final = Pace(latency=0.05)

#: From Ctrl-C to the end of the process.
SOON: Final = 3.0


def ended(process: Started) -> float:
    """Send Ctrl-C; seconds until the process is gone."""
    began = time.monotonic()
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(PATIENCE_SECONDS)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def duration(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that a load takes here and now."""
    with Scene(tmp_path_factory.mktemp("calm"), DAYS, PACE) as scene:
        began = time.monotonic()
        process = command(scene)
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("number", range(TRIES))
def test_ctrl_c_ends_a_command_at_any_moment(tmp_path: Path, duration: float, number: int) -> None:
    chance = random.Random(f"{SEED} {number}")  # noqa: S311  # no secret
    with Scene(tmp_path, DAYS, PACE) as scene:
        process = command(scene)
        time.sleep(chance.random() * 0.9 * duration)
        if not process.is_alive():
            pytest.skip("It had ended before.")
        seconds = ended(process)
        said = (tmp_path / "told").read_text()

        assert seconds < within(SOON), said
        if process.exitcode == -signal.SIGINT:  # Python had not begun with us: 130 in a shell too
            assert ", in main\n" not in said
        else:
            assert process.exitcode == 130, said
            assert "Run the same command again to resume" in said
        if number < 3:
            again = command(scene)
            again.join(PATIENCE_SECONDS)
            assert (again.exitcode, scene.wrong(), scene.unfinished()) == (0, [], [])
