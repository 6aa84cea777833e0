"""What `deploy/fbinsights.service` runs, without systemd: started, killed with all its processes in
the middle of a load, as systemd and a power cut do it, and started again.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from fbgraph.sandbox import Sandbox
from pipelines.loading.partitions import AccountDay
from pipelines.project.folder import TEMPLATES, complete, contents
from pipelines.project.orphans import WHY
from tests.e2e.dev import NOW, Dagster, answers, remembered, wait_until
from tests.pace import PATIENCE_SECONDS, QUICK_DISK
from tests.scale.services import free_port
from tests.scale.truth import rows_of, true_rows
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNIT = (TEMPLATES / "deploy" / "fbinsights.service").read_text(encoding="utf-8")
VENV = str(Path(sys.executable).parent)


def command(name: str, port: int) -> Sequence[str]:
    """What the unit runs, of our venv and at another port."""
    [line] = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    text = line.replace("/opt/fbinsights/bin", VENV).replace("--port 3000", f"--port {port}")
    return shlex.split(text)


def of(folder: Path) -> Iterator[int]:
    """Processes of the service. Systemd knows them by their control group; here they are known by
    what `fbinsights dev` puts into their environment.
    """
    mark = f"FBINSIGHTS_FOLDER={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)


def kill_all(folder: Path) -> None:
    """End all processes of the service at once; returns when they are gone."""
    while pids := [*of(folder)]:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


@contextmanager
def service(folder: Path, sandbox: Sandbox, port: int) -> Iterator[Dagster]:
    """The unit, from start to a kill of all its processes."""
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **QUICK_DISK,
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "PYTHONSAFEPATH": "1",
    }
    with (folder.parent / "log").open("ab") as log:
        before = command("ExecStartPre", port)
        subprocess.run(  # noqa: S603  # our own unit
            before, cwd=folder, env=environ, stdout=log, stderr=log, check=True
        )
        main = subprocess.Popen(  # noqa: S603  # our own unit
            command("ExecStart", port), cwd=folder, env=environ, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url))
        instance = dg.DagsterInstance.from_config(str(folder / ".dagster"))
        wait_until(lambda: instance.get_dynamic_partitions("ad_accounts"))
        yield Dagster(sandbox, Lake(folder / "data"), instance, url)
    finally:
        kill_all(folder)
        main.wait(PATIENCE_SECONDS)


@pytest.mark.slow
def test_a_load_that_the_end_of_the_service_interrupts_is_started_again(tmp_path: Path) -> None:
    folder, port = tmp_path / "ads", free_port()
    complete(folder, contents())
    began = time.monotonic()
    # Report runs take their time by this clock.
    with Sandbox(
        world="hostile", now=lambda: NOW + timedelta(seconds=time.monotonic() - began), latency=0.5
    ) as sandbox:
        with service(folder, sandbox, port) as dagster:
            cells = [dagster.cell(0, days) for days in range(3)]
            run_id = dagster.launch(cells[-1], cells[0])
            wait_until(lambda: remembered(dagster.lake))

        with service(folder, sandbox, port) as dagster:
            wait_until(lambda: children(dagster, run_id))
            [again] = children(dagster, run_id)
            last = dagster.finish(again)
            said = [entry.message for entry in dagster.instance.all_logs(run_id)]
            first = dagster.status(run_id)
        lake = Lake(folder / "data")
        days = [AccountDay(sandbox.account_ids[0], dagster.day(days)) for days in range(3)]

        assert (first, last) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
        assert any(WHY in text for text in said)
        assert [rows_of(lake, one) for one in days] == [true_rows(sandbox, one) for one in days]


def children(dagster: Dagster, run_id: str) -> Sequence[str]:
    """The runs that were started because a run had failed."""
    runs = dagster.instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))
    return [run.run_id for run in runs]
