"""The long form: every scenario alone, and combinations of three by seeds. `make chaos` runs it.

python -m tests.chaos                        every scenario alone, then seeds 1 to 200
python -m tests.chaos --first 201 --count 50 fifty further combinations
python -m tests.chaos --count 0 flaky throttled:3 run_hangs_once     this combination
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos.plans import alone, drawn
from tests.chaos.summary import Report, Summary
from tests.chaos.trial import Plan, World

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

#: Of each process: the lake that all its trials begin with.
_worlds: Final[list[World]] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every load was as it should be."""
    asked = _parsed(arguments)
    plans = [Plan(asked.scenarios)] if asked.scenarios else [] if asked.drawn_only else alone()
    plans = [*plans, *map(drawn, range(asked.first, asked.first + asked.count))]
    summary = Summary()
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        ProcessPoolExecutor(
            asked.processes, get_context("spawn"), initializer=_begin, initargs=(folder,)
        ) as pool,
    ):
        for done in as_completed([pool.submit(_try, plan) for plan in plans]):
            summary.reports.append(done.result())
            _tell(str(summary.reports[-1]))
    seeds = f"seeds {asked.first} to {asked.first + asked.count - 1}" if asked.count else "no seeds"
    _tell(f"\n{seeds}\n{summary}")
    for report in summary.bad:
        _tell(str(report))
    return 1 if summary.bad else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", help="one combination, with strengths")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--count", type=int, default=200, help="how many seeds (200)")
    parser.add_argument("--processes", type=int, default=2, help="at once (2)")
    parser.add_argument("--drawn-only", action="store_true", help="no scenario alone")
    return parser.parse_args(arguments)


def _begin(folder: str) -> None:
    logging.disable(logging.CRITICAL)  # thousands of lines, of faults that are meant
    _worlds.append(World(Path(tempfile.mkdtemp(dir=folder))))


def _try(plan: Plan) -> Report:
    return Report.of(_worlds[0].run(plan))


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
