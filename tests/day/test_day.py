"""A simulated day; `make day` runs it with 50 accounts, and with a tick every quarter hour."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.day.simulation import Plan, simulate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_after_each_tick_of_a_day_the_tables_are_what_was_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    plan = Plan(accounts=6, delivering=5, publishes=9, killed={6: 0.3})

    figures = simulate(plan, tmp_path)

    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201  # the figures are what it is for
    assert figures.wrong == []
    assert figures.killed == len(plan.killed)
    assert figures.faults["throttled"] > 1
    assert len(figures.closed) >= plan.delivering
    assert 0 < figures.corrected <= len(figures.closed)
    # One to list, then for each account that moved one for its totals and one for its rows; what a
    # throttle refuses is asked for again, and so is what did not add up.
    assert max(figures.calls[1:]) <= 1 + 3 * plan.delivering
