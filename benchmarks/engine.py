"""The report engine against 20 small accounts and 30 days: its calls, its own time, Meta's time.

Two sandboxes in processes of their own: one that answers at once shows what the engine costs; one
that is as slow as Meta shows how much longer than Meta's own times a load takes. Those are the
critical path: every account's report run is created, computed and read, with as many calls at once
as the engine may make, and nothing else ever waits. Control totals can be asked for meanwhile.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "ACCOUNTS",
    "DAYS",
    "NOW",
    "Done",
    "Served",
    "critical_path",
    "figures",
    "serving",
    "timed",
]

ACCOUNTS: Final = 20
DAYS: Final = [date(2026, 11, 21) - timedelta(days=n) for n in reversed(range(30))]
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)


class Served(NamedTuple):
    """Where a sandbox is."""

    url: str
    token: str


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(latency=0.0) as served:
            loaded = timed([sys.executable, "-m", __spec__.name, "load", *served, folder / "1"])
            report = _report_of(served)
        with serving(latency=1.0) as served:
            slow = timed([sys.executable, "-m", __spec__.name, "load", *served, folder / "2"])
            path = critical_path(_report_of(served))
    rows = json.loads(loaded.stdout)["rows"]
    calls = report["total"] - report["spent"]["batch"]["count"]  # Meta counts items, not batches
    days = f"{ACCOUNTS * len(DAYS)} account-days, {rows:,} rows"
    ratio = json.loads(slow.stdout)["seconds"] / path
    yield f"calls for 10,000 rows, of {days}", f"{1e4 * calls / rows:.1f}", "12"
    yield "the same, the load alone", f"{loaded.seconds:.1f} s, {loaded.cpu_seconds:.1f} CPU-s", ""
    yield f"the same from a sandbox as slow as Meta, of {path:.0f} s", f"{ratio:.2f} x", "1.3"


def critical_path(report: Mapping[str, Any]) -> float:
    """Seconds that a load cannot go below: ``/_sandbox/calls`` → the longest chain, of calls that
    wait for a turn and report runs that take their time. Who takes longest goes first.
    """
    from fbgraph.reports.allowance import APP_CALLS  # noqa: PLC0415  # what is measured is imported when used

    spent = report["spent_by_account"]
    runs: dict[str, float] = {}
    for run in report["runs"]:
        taken = run["ready"] - run["created"]
        runs[run["account_id"]] = max(taken, runs.get(run["account_id"], 0.0))

    def whole(key: str) -> float:
        return float(spent[key]["create_run"] + runs[key] + spent[key]["read_run"])

    lines = [0.0] * APP_CALLS
    ready = []
    for key in sorted(runs, key=whole, reverse=True):
        created = heappop(lines) + spent[key]["create_run"]
        heappush(lines, created)
        ready.append((created + runs[key], key))
    heapify(ready)
    end = 0.0
    while ready:
        at, key = heappop(ready)
        read = max(at, heappop(lines)) + spent[key]["read_run"]
        heappush(lines, read)
        end = max(end, read)
    return end


class Done(NamedTuple):
    stdout: str
    seconds: float
    cpu_seconds: float


def timed(command: list[Any], **environ: str) -> Done:
    """Run a command to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(  # noqa: S603  # ourselves
        [str(part) for part in command],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Done(done.stdout, time.monotonic() - began, cpu_seconds)


def _report_of(served: Served) -> Mapping[str, Any]:
    report: Mapping[str, Any] = httpx.get(f"{served.url}/_sandbox/calls").json()
    return report


@contextmanager
def serving(latency: float, accounts: int = ACCOUNTS) -> Iterator[Served]:
    """Run a sandbox until the block ends."""
    command = [sys.executable, "-m", __spec__.name, "serve", str(latency), str(accounts)]
    with subprocess.Popen(  # noqa: S603  # ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Served(*json.loads(process.stdout.readline()))  # type: ignore[union-attr]  # it is a pipe
        finally:
            process.communicate()


# -- the processes ---------------------------------------------------------------------------------


def _serve(latency: float, accounts: int) -> None:
    from fbgraph.sandbox import Sandbox  # noqa: PLC0415  # each process imports only what it needs

    began = time.monotonic()

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    with Sandbox(world="hostile", now=now, accounts=accounts, latency=latency) as sandbox:
        print(json.dumps([sandbox.url, sandbox.token]), flush=True)
        sys.stdin.read()


def _load(url: str, token: str, folder: str) -> None:
    """Load everything, with what other processes share the limits by; print rows and seconds."""
    from fbgraph import GraphClient  # noqa: PLC0415  # the same
    from pipelines.loading.accounts.discovery import discover  # noqa: PLC0415  # the same
    from pipelines.loading.accounts.stored import accounts_in, store_accounts  # noqa: PLC0415  # the same
    from pipelines.loading.loader import Loader  # noqa: PLC0415  # the same
    from pipelines.loading.partitions import AccountDay  # noqa: PLC0415  # the same
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415  # the same
    from pipelines.state.cooldowns import cooldowns_of  # noqa: PLC0415  # the same
    from warehouse.lake.partitions import Lake  # noqa: PLC0415  # the same

    lake = Lake(folder)
    cooldowns = cooldowns_of(lake.store, time.time)
    with GraphClient(token, base_url=url, cooldowns=cooldowns) as client:
        store_accounts(lake, discover(client).rows, NOW)
        httpx.delete(f"{url}/_sandbox/calls")
        began = time.monotonic()
        loader = Loader(client, lake, accounts_in(lake), "benchmark")
        wanted = [AccountDay(key, day) for key in accounts_in(lake) for day in DAYS]
        outcomes = list(loader.load(HOURLY_REPORT, wanted))
    seconds = time.monotonic() - began
    if not all(one.load and one.load.proven for one in outcomes):
        sys.exit("not every account-day was proven")
    print(
        json.dumps({"rows": sum(one.load.rows for one in outcomes if one.load), "seconds": seconds})
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", latency, accounts]:
            _serve(float(latency), int(accounts))
        case ["load", url, token, folder]:
            _load(url, token, folder)
        case _:
            for line in figures():
                print(*line, sep="  ")
