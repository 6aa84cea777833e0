"""One measurement is one process: its CPU seconds, its peak memory and nobody else's."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["ALL_CORES", "ROUNDS", "Figures", "measured", "print_figures"]

#: Times that each side is measured; figures are medians.
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))

#: rows, cpu_seconds (its own and its children's), wall_seconds, peak_mb.
Figures = dict[str, float]

ROOT: Final = Path(__file__).parents[1]

ALL_CORES: Final = tuple(sorted(os.sched_getaffinity(0)))


def measured(
    module: str,
    *arguments: object,
    python: str = sys.executable,
    cores: Collection[int] = ALL_CORES,
) -> Figures:
    """Run a module of the benchmarks in a process of its own, on these cores; the figures that
    it printed.
    """
    # Without byte-code each process would compile all that it imports, which no user's does.
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603  ourselves
        [python, "-m", f"benchmarks.{module}", *map(str, arguments)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    if done.returncode:
        sys.exit(f"{module} {arguments} failed:\n{done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def print_figures(side: Callable[[], int | Mapping[str, float]]) -> None:
    """Do one side's work, which returns its rows or its own figures, and print what it took."""
    started = time.monotonic()
    done = side()
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    figures = {
        "cpu_seconds": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
        "wall_seconds": time.monotonic() - started,
        "peak_mb": _peak_mb(),
        **({"rows": done} if isinstance(done, int) else done),
    }
    print(json.dumps(figures))


def _peak_mb() -> float:
    """Most memory that this process has held. `ru_maxrss` would have its parent's as well."""
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
