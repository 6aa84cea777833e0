"""`dagster dev` as a person starts it: webserver, daemon, code server and a process per run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import httpx
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill  # no public way

import warehouse
from fbgraph.sandbox import Sandbox
from tests.pace import PATIENCE_SECONDS, QUICK_DISK, within
from tests.seeds import seed_home, seed_lake
from warehouse.lake.partitions import Lake
from warehouse.published.publish import LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
LAST = date(2026, 11, 22)

ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
AGAIN = """
mutation Again($params: ReexecutionParams) {
  reexecutePartitionBackfill(reexecutionParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
CANCEL = """
mutation Cancel($id: String!) {
  cancelPartitionBackfill(backfillId: $id) {
    __typename
    ... on PythonError { message }
  }
}"""
STALE_STATUS = """
query Stale($key: AssetKeyInput!, $cell: String) {
  assetNodes(assetKeys: [$key]) { staleStatus(partition: $cell) }
}"""
LOG = """
query Log($run: ID!) {
  logsForRun(runId: $run) {
    __typename
    ... on EventConnection { events { ... on LogMessageEvent { message level } } }
  }
}"""
TERMINATE = """
mutation Stop($run: String!) {
  terminateRun(runId: $run) {
    __typename
    ... on PythonError { message }
  }
}"""


def wait_until(happens: Callable[[], object]) -> None:
    """Look again and again; a test that waits for nothing fails."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < within(PATIENCE_SECONDS), "it never happened"
        time.sleep(0.25)  # looking costs the webserver, too


def answers(url: str) -> bool:
    """Whether Dagster's webserver is there."""
    try:
        return httpx.get(f"{url}/server_info").is_success
    except httpx.HTTPError:
        return False


def remembered(lake: Lake) -> set[str]:
    """The report runs in flight that are kept beside a lake.

    By `os.walk`, which does not mind a folder that goes while it looks.
    """
    found = set()
    for folder, _, names in os.walk(lake.root / ".runs"):
        for name in names:
            with suppress(OSError, ValueError, KeyError):  # it went, or is being written
                found.add(str(json.loads(Path(folder, name).read_text())["report_run_id"]))
    return found


@dataclass
class Dagster:
    """A running `dagster dev`, the sandbox that it loads from, and its instance."""

    sandbox: Sandbox
    lake: Lake
    instance: dg.DagsterInstance
    url: str

    def ask(self, query: str, **variables: object) -> Any:
        """What the page asks of the webserver when somebody clicks."""
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.url}/graphql", json=body, timeout=PATIENCE_SECONDS).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, first: str, last: str) -> str:
        """A range of account-days, as the UI's backfill does it; the id of the run."""
        return self._launch(
            {
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            }
        )

    def click(self, cell: str, tags: Mapping[str, str] | None = None) -> str:
        """One account-day, as a click on its cell does it, with tags that a person adds; the id of
        the run.
        """
        account, day = cell.split("|")
        return self._launch(
            {
                "dagster/partition": cell,
                "dagster/partition/account": account,
                "dagster/partition/date": day,
                **(tags or {}),
            }
        )

    def run(self, job: str) -> str:
        """A job without partitions; the id of the run."""
        return self._launch({}, job)

    def _launch(self, tags: Mapping[str, str], job: str = "insights_hourly_job") -> str:
        params = {
            "selector": {
                "repositoryLocationName": "pipelines.definitions",
                "repositoryName": "__repository__",
                "jobName": job,
            },
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        launched = self.ask(LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id: str = launched["run"]["runId"]
        return run_id

    def backfill(self, cells: Sequence[str]) -> str:
        """Choose cells of the grid and launch; the id of the backfill when it has ended."""
        params = {"partitionNames": cells, "assetSelection": [{"path": ["insights_hourly"]}]}
        launched = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        return self._end_of(launched)

    def rerun_failed(self, backfill_id: str) -> str:
        """The button "Re-execute from failure" of a backfill."""
        params = {"parentRunId": backfill_id, "strategy": "FROM_FAILURE"}
        return self._end_of(self.ask(AGAIN, params=params)["reexecutePartitionBackfill"])

    def _end_of(self, launched: Any) -> str:
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        backfill_id: str = launched["backfillId"]
        wait_until(lambda: self._has_ended(backfill_id))
        return backfill_id

    def cancel(self, backfill_id: str) -> None:
        """The button "Cancel backfill"; returns when it has ended.

        Dagster's daemon, when it is at the backfill in that moment, writes over what a click has
        changed; whoever looks at the page sees that, and clicks again.
        """

        def ended() -> bool:
            if self.backfill_status(backfill_id) is BulkActionStatus.REQUESTED:
                answer = self.ask(CANCEL, id=backfill_id)["cancelPartitionBackfill"]
                assert answer["__typename"] == "CancelBackfillSuccess", answer
            return self._has_ended(backfill_id)

        wait_until(ended)

    def _has_ended(self, backfill_id: str) -> bool:
        return self._backfill(backfill_id).backfill_end_timestamp is not None

    def _backfill(self, backfill_id: str) -> PartitionBackfill:
        backfill = self.instance.get_backfill(backfill_id)
        assert backfill
        return backfill

    def backfill_status(self, backfill_id: str) -> BulkActionStatus:
        return self._backfill(backfill_id).status

    def terminate(self, run_id: str) -> None:
        """The button "Terminate"."""
        answer = self.ask(TERMINATE, run=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def log(self, run_id: str) -> Sequence[tuple[str, str]]:
        """Level and text of what a run has logged, as its page shows them."""
        found = self.ask(LOG, run=run_id)["logsForRun"]
        assert found["__typename"] == "EventConnection", found
        return [(one["level"], one["message"]) for one in found["events"] if one]

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run.status

    def finish(self, run_id: str) -> dg.DagsterRunStatus:
        wait_until(lambda: self.status(run_id) in ENDED)
        return self.status(run_id)

    def begin(self, first: str, last: str) -> str:
        """Launch, and wait until report runs are in flight.

        Until they are remembered too: what is killed before it hears of its run cannot know it.
        """
        before = remembered(self.lake)
        run_id = self.launch(first, last)
        wait_until(lambda: remembered(self.lake) - before)
        return run_id

    def process_of(self, run_id: str) -> int:
        """The process that executes a run."""
        said = [entry.message for entry in self.instance.all_logs(run_id)]
        pids = [re.search(r"\(pid: (\d+)\)", text) for text in said]
        return next(int(found[1]) for found in pids if found)

    def is_published(self, cell: str) -> bool:
        """Whether `warehouse.duckdb` holds a cell as the lake has it, by its `loaded_at`."""
        account, day = cell.removeprefix("act_").split("|")
        load = self.lake.load_of("insights_hourly", account, date.fromisoformat(day))
        if load is None or not (self.lake.root / LINK).exists():
            return False
        with warehouse.open(self.lake.root) as opened:
            found = opened.sql(
                "from loads select loaded_at where table_name = 'insights_hourly' "
                f"and account_id = '{account}' and date = '{day}'"  # ours
            ).fetchall()
        return found == [(load.loaded_at,)]

    def stale_status(self, asset: str, cell: str | None = None) -> str | None:
        """FRESH, STALE (its page says "Unsynced") or MISSING, of an asset or one of its cells."""
        [node] = self.ask(STALE_STATUS, key={"path": [asset]}, cell=cell)["assetNodes"]
        status: str | None = node["staleStatus"]
        return status

    def publishes(self) -> int:
        """How many runs have published, or are at it."""
        return self.instance.get_runs_count(dg.RunsFilter(job_name="publish_job"))

    def cell(self, number: int, days_back: int = 0) -> str:
        return f"act_{self.sandbox.account_ids[number]}|{self.day(days_back)}"

    def day(self, days_back: int) -> date:
        return LAST - timedelta(days=days_back)


@contextmanager
def running(home: Path) -> Iterator[Dagster]:
    """`dagster dev` with its state and its lake in a folder, until the end of the block."""
    shutil.copy(ROOT / "dagster.yaml", seed_home(home))
    seed_lake(home / "lake")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Pictures for the documents show the company.
    world = "company" if os.environ.get("SCREENSHOTS") else "hostile"
    with Sandbox(world=world, now=lambda: NOW) as sandbox:
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **QUICK_DISK,
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(home),
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
            "FB_REPORTS": str(ROOT / "reports"),
            "WAREHOUSE_URL": str(home / "lake"),
        }
        with (home / "log").open("w") as log:
            dev = subprocess.Popen(  # noqa: S603  # a fixed command
                [
                    *(sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions"),
                    *("-h", "127.0.0.1", "-p", str(port)),
                ],
                cwd=home,
                env=environ,
                stdout=log,
                stderr=log,
            )
        try:
            yield _ready(sandbox, home, port)
        finally:
            dev.send_signal(signal.SIGINT)
            dev.wait(60)


def _ready(sandbox: Sandbox, home: Path, port: int) -> Dagster:
    """Wait until the sensor has found the accounts by itself and made them partitions."""
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(url))
    instance = dg.DagsterInstance.from_config(str(home))
    wait_until(lambda: len(instance.get_dynamic_partitions("ad_accounts")) > 0)
    return Dagster(sandbox, Lake(home / "lake"), instance, url)
