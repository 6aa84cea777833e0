"""`make bench`: every figure that this project states about speed or memory, in one table."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import compare, creatives, dagster, engine, grid, growth, intraday, overview
from benchmarks.measure import ALL_CORES, ROUNDS, measured
from benchmarks.pages import Pages, keep
from benchmarks.replay import replaying
from benchmarks.serve import Served, days_before, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import date

    from benchmarks.measure import Figures

#: Days of a smaller and of a larger load, by side: the difference is what further rows cost. The
#: others are so slow that less has to do.
SIZES: Final = {"sdk": (1, 2), "dlt": (1, 2)}
SIZE: Final = (4, 12)

#: Days that all sides load once, before anything is measured, to compare what they write.
COMPARED: Final = 2

#: Days of one whole backfill: 200,000 rows.
BACKFILL: Final = 10

#: (account-days, how many times over each is) whose peak memory is measured.
MEMORY: Final = ((10, 1), (100, 1), (8, 10), (1, 100))

#: A Python that has facebook-business, pandas, pyarrow and dlt; without it these are left out.
OTHERS: Final = os.environ.get("BENCH_PYTHON", "")

#: Side → rounds of (figures of the smaller load, of the larger one).
Rounds = dict[str, "list[list[Figures]]"]


def main() -> None:
    """Measure all, print the table."""
    print(_machine())
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        folder = Path(name)
        parts = [
            part(folder)
            for part in (_loads, _rates, _backfill, _memory, _small, _assets, _published, _today)
        ]
        scripts = [
            one.figures() for one in (engine, dagster, grid, creatives, intraday, growth, overview)
        ]
        lines = [_told(line) for line in chain(*parts, *scripts)]
    widths = [max(len(line[n]) for line in lines) for n in range(3)]
    for line in lines:
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |")


def _told(line: tuple[str, str, str]) -> tuple[str, str, str]:
    """The rest takes minutes: say each line as it comes."""
    print("  ".join(line), file=sys.stderr, flush=True)
    return line


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("pyarrow", "duckdb", "pandas"))
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"{machine}, Python {platform.python_version()}, {versions}"


def _loads(folder: Path) -> Iterator[tuple[str, str, str]]:
    with serving() as served:
        sizes = {*SIZE, *(SIZES["sdk"] if OTHERS else ()), COMPARED}
        pages = {days: keep(served, days, folder / f"pages{days}") for days in sizes}
        sides = _sides(folder, served, pages)
        outs = {side: folder / f"{side}.compared" for side in sides}
        for side, measure in sides.items():
            measure(COMPARED, outs[side])
        compare.require_equal(outs)
        rounds = _measure(folder, sides)
    large = rounds["floor"][0][1]["rows"]
    size = pages[SIZE[1]].size / large
    floor = _further(rounds, "floor") * 1e6
    whole = [[one[1]["cpu_seconds"] for one in rounds[side]] for side in ("ours", "floor")]
    yield f"floor F, {large:,.0f} rows of {size:.0f} bytes", f"{floor:.1f} CPU-s/M rows", ""
    ratio = median(a / b for a, b in zip(*whole, strict=True))
    yield "page bytes to checked, typed Parquet, whole process", f"{ratio:.2f} x F", "1.5"
    for side, what, figure in (
        ("ours", "the same, per further row", "1.5"),
        ("socket", "socket to published account-days, per further row", "1.9"),
    ):
        yield what, f"{_further(rounds, side) / _further(rounds, 'floor'):.2f} x F", figure
    for other, figure in (("sdk", "8"), ("dlt", "60")):
        if other in rounds:
            times = _further(rounds, other) / _further(rounds, "socket")
            yield f"CPU per further row, {other} against ours", f"{times:.1f} x", figure


def _sides(
    folder: Path, served: Served, pages: Mapping[int, Pages]
) -> dict[str, Callable[[int, Path], Figures]]:
    """How each side is measured, given days and where to write."""
    sides: dict[str, Callable[[int, Path], Figures]] = {
        "floor": lambda n, out: measured("sides", "floor", folder / f"pages{n}", out),
        "ours": lambda n, out: measured("sides", "ours", folder / f"pages{n}", out),
        "socket": lambda n, out: measured("sides", "socket", *served, n, out),
    }
    if OTHERS:
        asked = {n: _asked(folder, served, pages[n].days) for n in pages}
        for other in SIZES:
            sides[other] = lambda n, out, other=other: measured(  # type: ignore[misc]  # a default binds it
                "others", other, asked[n], out, python=OTHERS
            )
    return sides


def _measure(folder: Path, sides: Mapping[str, Callable[[int, Path], Figures]]) -> Rounds:
    """Measure all sides at both of their sizes, one after the other, again and again."""
    rounds: Rounds = {side: [] for side in sides}
    for turn in range(ROUNDS):
        for side, measure in sides.items():
            days = SIZES.get(side, SIZE)
            rounds[side].append([measure(n, folder / f"{side}.{turn}.{n}") for n in days])
    return rounds


def _asked(folder: Path, served: Served, days: Sequence[date]) -> Path:
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415  # it brings much along

    params = HOURLY_REPORT.params(days[0], days[-1])
    asked: dict[str, Any] = {**served._asdict(), "params": params, "limit": 1000}
    path = folder / f"asked{len(days)}.json"
    path.write_text(json.dumps(asked))
    return path


def _rates(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Further rows per second, from a server that holds nobody up."""
    machines = {"one core": (ALL_CORES[-1:], "55,000"), "two": (ALL_CORES[:2], "80,000")}
    with serving() as behind, replaying(behind) as served:

        def load(n: int, name: str, cores: Collection[int]) -> Figures:
            return measured("sides", "socket", *served, n, folder / f"{name}.{n}", cores=cores)

        for n in SIZE:  # from now on it has all that is asked for
            load(n, "rate", ALL_CORES)
        rates: dict[str, list[float]] = {name: [] for name in machines}
        for turn in range(ROUNDS):
            for name, (cores, _) in machines.items():
                small, large = (load(n, f"rate.{turn}.{name}", cores) for n in SIZE)
                seconds = large["wall_seconds"] - small["wall_seconds"]
                rates[name].append((large["rows"] - small["rows"]) / seconds)
    for name, (_, figure) in machines.items():
        what = f"socket to published account-days, further rows per second, {name}"
        yield what, f"{median(rates[name]):,.0f}", figure


def _backfill(folder: Path) -> Iterator[tuple[str, str, str]]:
    if not OTHERS:
        return
    with serving() as served:
        asked = _asked(folder, served, days_before(BACKFILL))
        pairs = [
            (
                measured("others", "sdk", asked, folder / f"sdk.whole.{turn}", python=OTHERS),
                measured("backfill", *served, BACKFILL, folder / f"backfill.{turn}"),
            )
            for turn in range(ROUNDS)
        ]
    [rows] = {one["rows"] for pair in pairs for one in pair}
    times = median(sdk["cpu_seconds"] / ours["cpu_seconds"] for sdk, ours in pairs)
    cost = median(ours["cpu_seconds"] for _, ours in pairs)
    what = f"CPU of a whole backfill of {rows:,.0f} rows, Dagster included, sdk against ours"
    yield what, f"{times:.1f} x (ours {cost:.1f} CPU-s)", "6"
    peaks = [median(one["peak_mb"] for one in side) for side in zip(*pairs, strict=True)]
    yield "peak memory of it", f"{peaks[1]:.0f} MB (sdk {peaks[0]:.0f} MB)", "300"


def _further(rounds: Rounds, side: str) -> float:
    """CPU seconds that one further row costs."""
    small, large = zip(*rounds[side], strict=True)
    less, more = (median(one["cpu_seconds"] for one in size) for size in (small, large))
    rows: float = large[0]["rows"] - small[0]["rows"]
    cost: float = (more - less) / rows
    return cost


def _memory(folder: Path) -> Iterator[tuple[str, str, str]]:
    with serving() as served:
        pages = folder / "one day"
        keep(served, 1, pages)
    figures: dict[tuple[int, int], list[Figures]] = {size: [] for size in MEMORY}
    for turn in range(ROUNDS):
        for days, copies in MEMORY:
            out = folder / f"m{turn}.{days}.{copies}"
            figures[days, copies].append(measured("memory", pages, out, days, copies))
            shutil.rmtree(out)
    # Peaks of the same load differ by ten megabytes, as its threads happen to meet.
    peaks = [
        {"rows": of_size[0]["rows"], "peak_mb": median(one["peak_mb"] for one in of_size)}
        for of_size in figures.values()
    ]
    small, large, busy, one = peaks
    yield (
        f"peak memory, 8 account-days of {busy['rows'] / 8:,.0f} rows in flight",
        f"{busy['peak_mb']:.0f} MB",
        "300",
    )
    yield (
        f"growth from {small['rows']:,.0f} to {large['rows']:,.0f} rows, 8 in flight",
        f"{large['peak_mb'] - small['peak_mb']:.0f} MB",
        "20",
    )
    yield f"one account-day of {one['rows']:,.0f} rows", f"{one['peak_mb']:.0f} MB", "350"


def _small(folder: Path) -> Iterator[tuple[str, str, str]]:
    times = [measured("small", folder / "one day", folder / f"s{n}") for n in range(ROUNDS)]
    cost = median(one["milliseconds"] for one in times)
    yield "an account-day of 200 rows, bytes to durable file", f"{cost:.1f} ms CPU", "7"


def _assets(folder: Path) -> Iterator[tuple[str, str, str]]:
    rounds = [measured("assets", folder / "one day", folder / f"a{n}") for n in range(ROUNDS)]
    times = median(one["asset"] / one["plain"] for one in rounds)
    what = f"CPU of {rounds[0]['rows']:,.0f} rows by asset, bytes to durable file, against plain"
    yield what, f"{times:.1f} x", "3"


def _published(folder: Path) -> Iterator[tuple[str, str, str]]:
    figures = measured("published", folder / "year")
    limits = {
        "campaigns, 30 days": (25, 400),
        "one account": (10, 220),
        "one ad, one week": (15, 400),
    }
    for name, (native, lake) in limits.items():
        by_hand = figures[f"{name}, by hand"] * 1000
        for side, limit in (("published", native), ("lake", lake)):
            taken = figures[f"{name}, {side}"] * 1000
            times = f"{taken:.0f} ms, {taken / by_hand:.1f} x a table by hand"
            yield f"{side} file, {figures['rows']:,.0f} rows: {name}", times, f"{limit} ms"
    again = figures["publish after one account-day"]
    yield "publishing after one account-day changed", f"{again:.1f} s", "3 s"
    yield "the first publish of all of it", f"{figures['first publish']:.0f} s", ""


def _today(folder: Path) -> Iterator[tuple[str, str, str]]:
    yield from intraday.published(folder / "year")


if __name__ == "__main__":
    main()
