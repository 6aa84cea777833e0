"""Today by the hour: what a tick costs, and what it costs to publish after each of a day.

Ticks run against a sandbox in a process of its own, whose clock this moves: 500 accounts, of which
none, one or a hundred deliver. Each tick is a process of its own, without Dagster. What Dagster
keeps of one is measured on an instance of its own (SQLite on disk).

Publishing is measured on a lake of 5 million rows: every quarter of an hour of a day, the open days
of a hundred of 500 accounts are replaced by longer ones, and a reader has the first file open all
day long.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from benchmarks import lake as year
from benchmarks.measure import ROOT, measured, print_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.measure import Figures
    from warehouse.lake.partitions import Lake

__all__ = ["figures", "published"]

ACCOUNTS: Final = 500
MOVED: Final = 100
NOW: Final = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)

#: Publishes of a day, one every quarter of an hour.
QUARTERS: Final = 96

#: Ticks whose traces in Dagster's database are measured.
DATABASE_TICKS: Final = 4

#: Letters of a run's id, after which Dagster names its files.
RUN_ID: Final = 36

TODAY: Final = year.FIRST_DAY + timedelta(days=365)


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    with tempfile.TemporaryDirectory() as name:
        for moved, limit in ((0, "10"), (1, "16"), (MOVED, "")):
            tick = _second_tick(moved, Path(name, str(moved)))
            what = f"calls of a tick of {ACCOUNTS} accounts, of which {moved} moved"
            yield what, f"{tick['calls']:.0f}", limit
    taken = f"{tick['wall_seconds']:.1f} s, {tick['cpu_seconds']:.1f} CPU-s"
    yield "the last of these, process included", f"{taken}, {tick['peak_mb']:.0f} MB", ""
    with tempfile.TemporaryDirectory() as name, _serving(MOVED, None) as (url, token, _):
        kept = measured("intraday", "database", url, token, name)
    a_day = f"{kept['all'] * QUARTERS / 1000:.0f} MB a day of {QUARTERS}"
    yield "Dagster's database grows by a tick of these", f"{kept['all']:.0f} kB, {a_day}", ""
    yield "of it, all but the file that each run has", f"{kept['shared']:.0f} kB", "50 kB"


def published(folder: Path) -> Iterator[tuple[str, str, str]]:
    """The same of publishing. `folder` has the lake of a year, or will have it."""
    found = measured("intraday", "publish", folder)
    rows = f"{found['rows']:,.0f} rows, after {MOVED} open days changed"
    seconds = f"{found['median']:.2f} s, at most {found['worst']:.2f} s"
    yield f"publishing {rows}, {QUARTERS} times", seconds, "60 s"
    yield (
        "of it, to copy the file",
        f"{found['copy']:.2f} s, at most {found['copies']:.2f} s",
        "1 s",
    )
    yield "CPU of each, and peak memory", f"{found['cpu']:.2f} s, {found['peak']:.0f} MB", ""
    growth = f"{found['growth']:+.0f} % of {found['size']:.0f} MB; {found['rebuilt']:.0f} rebuilt"
    yield "growth of the file in that day", growth, "+30 %; 0"
    yield "disk, with a reader all day", f"{found['disk']:.1f} x the file", "6 x"


# -- ticks -----------------------------------------------------------------------------------------
def _second_tick(moved: int, folder: Path) -> Figures:
    """The tick an hour after the first one, which asks for everything."""
    with _serving(moved) as (url, token, set_clock):
        measured("intraday", "tick", url, token, folder, NOW.isoformat())
        later = NOW + timedelta(hours=1)
        set_clock(later)
        done = measured("intraday", "tick", url, token, folder, later.isoformat())
    if done["opened"] != moved or done["failed"]:
        sys.exit(f"{done['opened']} open days were loaded instead of {moved}")
    return done


@contextmanager
def _serving(
    delivering: int, now: datetime | None = NOW
) -> Iterator[tuple[str, str, Callable[[datetime], None]]]:
    """The sandbox in a process of its own, by this machine's clock unless it is told the time; what
    sets its clock.
    """
    told = [now.isoformat()] if now else []
    command = [sys.executable, "-m", "benchmarks.intraday", "serve", str(delivering), *told]
    with subprocess.Popen(  # noqa: S603  ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        asked, answers = process.stdin, process.stdout
        if asked is None or answers is None:
            sys.exit("the sandbox has no pipes")

        def set_clock(at: datetime) -> None:
            asked.write(f"{at.isoformat()}\n")
            asked.flush()
            answers.readline()

        url, token = json.loads(answers.readline())
        yield url, token, set_clock
        process.communicate()


def _serve(delivering: int, *told: str) -> None:
    from fbgraph.sandbox import Sandbox  # noqa: PLC0415  # what is measured is imported when used

    now = [datetime.fromisoformat(one) for one in told]
    options: dict[str, Any] = {"now": lambda: now[-1]} if told else {}
    with Sandbox(world="agency", accounts=ACCOUNTS, delivering=delivering, **options) as sandbox:
        print(json.dumps([sandbox.url, sandbox.token]), flush=True)
        for line in sys.stdin:
            now.append(datetime.fromisoformat(line.strip()))
            print(flush=True)


def _tick(url: str, token: str, folder: str, at: str) -> Mapping[str, float]:
    from fbgraph import GraphClient  # noqa: PLC0415  # as above
    from pipelines.loading.intraday.tick import run_tick  # noqa: PLC0415
    from pipelines.loading.recording import Recording  # noqa: PLC0415
    from pipelines.loading.session import Session  # noqa: PLC0415
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415
    from warehouse.lake.partitions import Lake  # noqa: PLC0415
    from warehouse.schema.catalog import OWN  # noqa: PLC0415

    lake = Lake(folder, catalog=OWN.with_table(HOURLY_REPORT.table))
    with GraphClient(token, base_url=url) as client:
        session = Session(
            client, lake, "benchmark", lambda: datetime.fromisoformat(at), Recording()
        )
        done = run_tick(session)
    return {"calls": done.calls, "opened": len(done.opened), "failed": len(done.failed)}


def _database(url: str, token: str, folder: str) -> Mapping[str, float]:
    """What ticks leave in Dagster's home, in kB for each: all of it, and outside of the runs' own
    files.
    """
    import dagster as dg  # noqa: PLC0415  # as above

    os.environ |= {"FB_GRAPH_URL": url, "FB_ACCESS_TOKEN": token, "WAREHOUSE_URL": f"{folder}/lake"}
    from tests.runs import run_job  # noqa: PLC0415

    home = Path(folder, "home")
    home.mkdir()
    overrides = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance:
        sizes = []
        for _ in range(1 + DATABASE_TICKS):  # the first one asks for everything
            run = run_job(instance, "intraday_job")
            if not run.success:
                sys.exit(f"a tick failed: {run.failed} {run.stopped}")
            sizes.append(_kilobytes(home))
    each = {part: (sizes[-1][part] - sizes[0][part]) / DATABASE_TICKS for part in sizes[0]}
    return {"all": sum(each.values()), "shared": each["shared"]}


def _kilobytes(home: Path) -> Mapping[str, float]:
    """Of the files of single runs, and of those that all share."""
    found = {"own": 0.0, "shared": 0.0}
    for path in home.rglob("*"):
        if path.is_file():
            part = "own" if len(path.name.partition(".")[0]) == RUN_ID else "shared"
            found[part] += path.stat().st_size / 1000
    return found


# -- publishing ------------------------------------------------------------------------------------
def _publish(url: Path) -> Mapping[str, float]:
    import warehouse  # noqa: PLC0415  # as above
    from warehouse.lake.partitions import Lake  # noqa: PLC0415
    from warehouse.published import publish as publishing  # noqa: PLC0415

    if not (url / year.TABLE.name).exists():
        year.fill(url)
    lake, master = Lake(url), url / ".snapshots/.master/warehouse.duckdb"
    accounts = [f"5002{n:03}007310042" for n in range(ACCOUNTS)]
    first = publishing.publish(url)
    size, inode = first.snapshot.stat().st_size, master.stat().st_ino
    copies = _timed(publishing, "copy")
    taken, cpu, disk, rebuilt, rows = [], [], [], 0, 0
    with warehouse.open(url) as reader:
        for n in range(QUARTERS):
            with mock.patch("os.fsync"):  # to put them is not what is measured
                for account_id in random.Random(n).sample(accounts, MOVED):  # noqa: S311  no secret
                    _put_open_day(lake, account_id, n)
            began = time.process_time()
            done = publishing.publish(url)
            cpu.append(time.process_time() - began)
            taken.append(done.seconds)
            rows = done.rows[year.TABLE.name]
            rebuilt += master.stat().st_ino != inode
            inode = master.stat().st_ino
            there = sum(path.stat().st_size for path in master.parent.parent.rglob("*.duckdb"))
            disk.append((there + size * (not first.snapshot.exists())) / size)
        [(seen,)] = reader.sql(f"FROM {year.TABLE.name} SELECT count(*)").fetchall()
    if seen != first.rows[year.TABLE.name]:
        sys.exit(f"a reader had {first.rows[year.TABLE.name]} rows and has {seen}")
    return {
        "rows": rows,
        "median": statistics.median(taken),
        "worst": max(taken),
        "copy": statistics.median(copies),
        "copies": max(copies),
        "cpu": statistics.median(cpu),
        "growth": 100 * (done.snapshot.stat().st_size / size - 1),
        "size": size / 1e6,
        "rebuilt": rebuilt,
        "disk": max(disk),
        "peak": _resident_mb(),
    }


def _timed(module: object, function: str) -> list[float]:
    """The seconds of each call of a function of a module from now on."""
    seconds: list[float] = []
    called = getattr(module, function)

    def timed(*given: object) -> None:
        began = time.perf_counter()
        called(*given)
        seconds.append(time.perf_counter() - began)

    setattr(module, function, timed)
    return seconds


def _resident_mb() -> float:
    """Memory of this process now: the first publish of the lake, which is a rebuild, had more."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _put_open_day(lake: Lake, account_id: str, quarter: int) -> None:
    """The open day of an account, as it is in that quarter of an hour."""
    from warehouse.lake.proof.reconcile import Evidence  # noqa: PLC0415  # as above
    from warehouse.lake.records import Load  # noqa: PLC0415
    from warehouse.schema.verdicts import PROVISIONAL  # noqa: PLC0415

    rows = year.account_day(account_id, TODAY, quarter)
    rows = rows.slice(0, max(1, rows.num_rows * (quarter + 1) // QUARTERS))
    load = Load.of(
        *(year.TABLE.name, account_id, TODAY, Evidence.of(year.TABLE, rows)),
        verdict=PROVISIONAL,
        loaded_at=datetime.now(UTC),
    )
    lake.replace(year.TABLE, rows, account_id=account_id, date=TODAY, load=load)


if __name__ == "__main__":
    way, *asked = sys.argv[1:] or ["all"]
    if way == "serve":
        _serve(int(asked[0]), *asked[1:])
    elif way == "tick":
        print_figures(lambda: _tick(*asked))
    elif way == "database":
        print_figures(lambda: _database(*asked))
    elif way == "publish":
        print_figures(lambda: _publish(Path(asked[0])))
    else:
        with tempfile.TemporaryDirectory() as name:
            for line in (*figures(), *published(Path(name, "year"))):
                print("  ".join(line), flush=True)
