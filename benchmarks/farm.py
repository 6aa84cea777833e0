"""A backfill of sixty accounts by four workers of Celery against one process, from a sandbox that
is as slow as Meta: ``python -m benchmarks.farm [DAYS]``, by name alone; ten minutes for 30 days.

One process has 30 report runs in flight, four have 120; the sandbox answers as many as it is asked
for. The farm is the one of `make test-scale`, whose servers it needs, with a run of 15 accounts for
each worker. It is up before the click. What it takes begins with that, for which a command starts
and imports Dagster, and ends when everything is published.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import httpx

import warehouse
from benchmarks.engine import Served, serving, timed
from benchmarks.measure import ROOT
from pipelines.defs.slices import BACKFILL_JOB, SLICES_OF
from tests.scale import services
from tests.scale.farm import farm, launch, yaml_of_a_farm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["figures"]

ACCOUNTS: Final = 60
LATENCY: Final = 1.0
UNTIL: Final = date(2026, 11, 21)
DAYS: Final = 30
WORKERS: Final = 4
REPORT: Final = "insights_hourly"
TARGET: Final = 0.4


def figures(days: int) -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    since = UNTIL - timedelta(days=days - 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(LATENCY, ACCOUNTS) as served:
            one = _by_one_process(folder / "one", served, since)
            alone = _runs(served)
        yield "one process: seconds; report runs", f"{one:.0f} s; {len(alone)}", ""
        with serving(LATENCY, ACCOUNTS) as served:
            many = _by_workers(folder / "many", served, since)
            together = _runs(served)
        yield f"{WORKERS} workers: seconds; report runs", f"{many:.0f} s; {len(together)}", ""
        twice = len(together) - len(set(together))
        yield "of its wall time", f"{many / one:.2f} x", f"{TARGET}"
        yield "report runs that were created twice", f"{twice}", "0"
        same = _tables(folder / "one/lake") == _tables(folder / "many/lake")
        yield "equal tables", "yes" if same else "NO", "yes"


def _runs(served: Served) -> list[str]:
    """What each report run was asked for."""
    report = httpx.get(f"{served.url}/_sandbox/calls", timeout=60).json()
    return [run["query"] for run in report["runs"]]


def _environ(home: Path, served: Served, **more: str) -> Mapping[str, str]:
    home.mkdir()
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **own,
        "PYTHONPATH": str(ROOT),
        "DAGSTER_HOME": str(home),
        "FB_GRAPH_URL": served.url,
        "FB_ACCESS_TOKEN": served.token,
        "WAREHOUSE_URL": str(home / "lake"),
        "FB_MEDIA": "0",
        **more,
    }


def _by_one_process(home: Path, served: Served, since: date) -> float:
    environ = _environ(home, served)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    command = [Path(sys.executable).with_name("fbinsights"), "backfill", "--report", REPORT]
    return timed([*command, "--since", since, "--until", UNTIL], **environ).seconds


def _by_workers(home: Path, served: Served, since: date) -> float:
    with services.postgres() as database, services.redis() as broker:
        environ = _environ(
            home,
            served,
            DAGSTER_POSTGRES_URL=database,
            CELERY_BROKER_URL=broker,
            CELERY_RESULT_BACKEND=broker,
            FB_ACCOUNTS_PER_RUN=str(ACCOUNTS // WORKERS),
        )
        os.environ |= environ
        # As many as there are places: a run that waits for one holds its accounts.
        yaml = yaml_of_a_farm().replace("max_concurrent_runs: 5", f"max_concurrent_runs: {WORKERS}")
        (home / "dagster.yaml").write_text(yaml, encoding="utf-8")
        config = {"since": str(since), "until": str(UNTIL), "reports": [REPORT]}
        with (
            dg.DagsterInstance.from_config(str(home)) as instance,
            farm(home, environ, instance, workers=WORKERS, places=1),
        ):
            services.wait_until(instance.all_instigator_state)  # the daemon has looked at a sensor
            began = time.monotonic()
            launch(home, environ, BACKFILL_JOB, {"backfill": config})
            done = dg.RunsFilter(job_name=BACKFILL_JOB, statuses=[dg.DagsterRunStatus.SUCCESS])
            while sum(SLICES_OF in run.tags for run in instance.get_runs(done)) < WORKERS:
                time.sleep(1)
            return time.monotonic() - began


def _tables(lake: Path) -> str:
    """A sum of all that is published of the report."""
    with warehouse.open(lake) as opened:
        return str(opened.sql(f"from {REPORT} select count(*), bit_xor(hash({REPORT}))").fetchall())


if __name__ == "__main__":
    for line in figures(int(sys.argv[1]) if len(sys.argv) > 1 else DAYS):
        print(*line, sep="  ", flush=True)
