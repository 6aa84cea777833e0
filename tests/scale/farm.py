"""Dagster with its storage in Postgres, and workers of Celery that execute its runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill  # what the page's button makes
from dagster._core.utils import make_new_backfill_id

from pipelines.definitions import defs
from pipelines.loading.partitions import key_of
from tests.pace import QUICK_DISK
from tests.scale.services import running
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.partitions import AccountDay

__all__ = [
    "PLACES",
    "ROOT",
    "TEMPLATES",
    "WORKERS",
    "Farm",
    "environ_of",
    "farm",
    "launch",
    "yaml_of_a_farm",
]

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATES: Final = ROOT / "pipelines" / "project" / "templates" / "deploy"

WORKERS: Final = 2

#: Runs that one worker executes at once: together as many as `max_concurrent_runs` allows.
PLACES: Final = 2


@dataclass
class Farm:
    """A running farm: the lake that it loads into, its instance and its workers."""

    lake: Lake
    instance: dg.DagsterInstance
    workers: Sequence[subprocess.Popen[bytes]]

    def backfill(self, report: str, account_days: Sequence[AccountDay]) -> str:
        """What the page does when cells of the grid are chosen and launched; its id."""
        backfill_id = make_new_backfill_id()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dagster's own, about what it uses itself
            asked = PartitionBackfill.from_asset_partitions(
                backfill_id=backfill_id,
                asset_graph=defs.resolve_asset_graph(),
                partition_names=[key_of(one) for one in account_days],
                asset_selection=[dg.AssetKey(report)],
                backfill_timestamp=time.time(),
                tags={},
                dynamic_partitions_store=self.instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        self.instance.add_backfill(asked)
        return backfill_id

    def runs_of(self, backfill_id: str, *statuses: dg.DagsterRunStatus) -> Sequence[dg.DagsterRun]:
        """Runs of a backfill in these statuses, those that are begun again included."""
        tags = {"dagster/backfill": backfill_id}
        return self.instance.get_runs(dg.RunsFilter(statuses=list(statuses), tags=tags))

    def worker_of(self, run: dg.DagsterRun) -> int | None:
        """The number of the worker that executes a run: the run names its process, and that is in
        the worker's group.
        """
        said = " ".join(entry.message for entry in self.instance.all_logs(run.run_id))
        pids = re.findall(r"\(pid: (\d+)\)", said)
        groups = [worker.pid for worker in self.workers]
        with suppress(ProcessLookupError):
            return groups.index(os.getpgid(int(pids[-1]))) if pids else None
        return None

    def kill(self, number: int) -> None:
        """End a worker with all its processes at once, as a machine goes."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)


def environ_of(home: Path, sandbox: Sandbox, lake: str | Path, **more: str) -> Mapping[str, str]:
    """The environment of a machine."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **QUICK_DISK,
        "PYTHONPATH": str(ROOT),
        "DAGSTER_HOME": str(home),
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "FB_REPORTS": str(ROOT / "reports"),
        "WAREHOUSE_URL": str(lake),
        **more,
    }


def yaml_of_a_farm() -> str:
    """As docs/deploy.md says; what is lost is looked for oftener, for a test has less time."""
    both = [(TEMPLATES / f"dagster.{name}.yaml").read_text() for name in ("postgres", "celery")]
    return "".join(both).replace("poll_interval_seconds: 30", "poll_interval_seconds: 2")


def launch(home: Path, environ: Mapping[str, str], job: str, config: Mapping[str, Any]) -> None:
    """What the button of the launchpad does: a run of a job with the config of its ops."""
    ops = {op: {"config": dict(of)} for op, of in config.items()}
    command = [sys.executable, "-m", "dagster", "job", "launch", "-m", "pipelines.definitions"]
    command += ["-j", job, "--config-json", json.dumps({"ops": ops})]
    done = subprocess.run(  # noqa: S603  # our own command
        command, env=environ, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def farm(
    home: Path,
    environ: Mapping[str, str],
    instance: dg.DagsterInstance,
    *,
    workers: int = WORKERS,
    places: int = PLACES,
) -> Iterator[Farm]:
    """`workers` with `places` for runs each, and Dagster's daemon on the instance of a home."""
    with ExitStack() as stack:
        begun = [
            stack.enter_context(
                running(
                    _worker(n, places),
                    home / f"worker{n}.log",
                    environ=_machine(home, environ, n),
                    cwd=home,
                )
            )
            for n in range(workers)
        ]
        daemon = [sys.executable, "-m", "tests.scale.daemon", "run", "-m", "pipelines.definitions"]
        stack.enter_context(
            running(daemon, home / "daemon.log", environ=environ, cwd=home, ending=signal.SIGINT)
        )
        yield Farm(Lake(environ["WAREHOUSE_URL"]), instance, begun)


def _machine(home: Path, environ: Mapping[str, str], number: int) -> Mapping[str, str]:
    """The environment of a worker. What a lake in a bucket keeps on a machine is its own."""
    return {**environ, "WAREHOUSE_LOCAL": str(home / f"machine{number}")}


def _worker(number: int, places: int) -> Sequence[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker"),
        *("--hostname", f"worker{number}@%h", "--concurrency", str(places)),
        *("--disable-prefetch", "--include", "pipelines.assembly"),
    ]
