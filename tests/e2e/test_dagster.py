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
from contextlib import chdir, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import httpx
import pytest

from fbgraph.sandbox import Sandbox
from pipelines.partitions import ACCOUNT_DAYS
from warehouse.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
LAST = date(2026, 11, 22)

#: Longer than anything here takes on a busy machine.
PATIENCE_SECONDS = 120

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
TERMINATE = "mutation Stop($run: String!) { terminateRun(runId: $run) { __typename } }"


def wait_until(happens: Callable[[], object]) -> None:
    """Look again and again; a test that waits for nothing fails."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


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
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        params = {
            "selector": {
                "repositoryLocationName": "pipelines.definitions",
                "repositoryName": "__repository__",
                "jobName": "insights_hourly_job",
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

        def ended() -> bool:
            backfill = self.instance.get_backfill(backfill_id)
            return backfill is not None and backfill.backfill_end_timestamp is not None

        wait_until(ended)
        return backfill_id

    def terminate(self, run_id: str) -> None:
        """The button "Terminate"."""
        self.ask(TERMINATE, run=run_id)

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
        before = self.remembered()
        run_id = self.launch(first, last)
        wait_until(lambda: self.remembered() - before)
        return run_id

    def remembered(self) -> set[str]:
        """The report runs that are kept beside the lake."""
        found = set()
        for path in (self.lake.root / ".runs").rglob("*.json"):
            with suppress(OSError, ValueError):  # it went, or is being written
                found.add(str(json.loads(path.read_text())["report_run_id"]))
        return found

    def process_of(self, run_id: str) -> int:
        """The process that executes a run."""
        said = [entry.message for entry in self.instance.all_logs(run_id)]
        pids = [re.search(r"\(pid: (\d+)\)", text) for text in said]
        return next(int(found[1]) for found in pids if found)

    def cell(self, number: int, days_back: int = 0) -> str:
        return f"act_{self.sandbox.account_ids[number]}|{LAST - timedelta(days=days_back)}"


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    home = tmp_path_factory.mktemp("dagster")
    shutil.copy(ROOT / "dagster.yaml", home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Sandbox(now=lambda: NOW) as sandbox:
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(home),
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
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
            with chdir(home):  # dagster.yaml names its folder relative to where one stands
                yield _ready(sandbox, home, port)
        finally:
            dev.send_signal(signal.SIGINT)
            dev.wait(60)


def _ready(sandbox: Sandbox, home: Path, port: int) -> Dagster:
    """Wait until the sensor has found the accounts by itself and made them partitions."""
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/server_info").is_success
        except httpx.HTTPError:
            return False

    wait_until(answers)
    instance = dg.DagsterInstance.from_config(str(home))
    wait_until(lambda: len(instance.get_dynamic_partitions("ad_accounts")) > 0)
    return Dagster(sandbox, Lake(home / "lake"), instance, url)


@pytest.fixture
def slow(dagster: Dagster) -> Iterator[Dagster]:
    """Report runs that take their time, so that one can strike in the midst of them."""
    dagster.sandbox.use("run_hangs", "slow:50")
    yield dagster
    dagster.sandbox.use()


def test_a_run_whose_process_is_killed_is_noticed_and_goes_on_with_its_report_runs(
    slow: Dagster,
) -> None:
    run_id = slow.begin(slow.cell(0, 2), slow.cell(0))
    created = {run["id"] for run in slow.sandbox.calls()["runs"]}

    os.kill(slow.process_of(run_id), signal.SIGKILL)
    slow.sandbox.use()

    assert slow.finish(run_id) is dg.DagsterRunStatus.FAILURE
    retries = dg.RunsFilter(tags={"dagster/parent_run_id": run_id})
    wait_until(lambda: slow.instance.get_runs(retries))
    [retry] = slow.instance.get_runs(retries)
    assert slow.finish(retry.run_id) is dg.DagsterRunStatus.SUCCESS
    assert {run["id"] for run in slow.sandbox.calls()["runs"]} == created
    for days_back in range(3):
        load = slow.lake.load_of(
            "insights_hourly", slow.sandbox.account_ids[0], LAST - timedelta(days=days_back)
        )
        assert load
        assert (load.verdict, load.run_id) == ("proven", retry.run_id)


def test_terminating_a_run_stops_the_calls_within_seconds_and_the_next_one_goes_on(
    slow: Dagster,
) -> None:
    run_id = slow.begin(slow.cell(1, 2), slow.cell(1))
    before = time.monotonic()

    slow.terminate(run_id)

    assert slow.finish(run_id) is dg.DagsterRunStatus.CANCELED
    assert time.monotonic() - before < 15
    calls = slow.sandbox.calls()["total"]
    time.sleep(1)  # nothing comes after it
    assert slow.sandbox.calls()["total"] == calls
    created = len(slow.sandbox.calls()["runs"])
    slow.sandbox.use()
    assert slow.finish(slow.launch(slow.cell(1, 2), slow.cell(1))) is dg.DagsterRunStatus.SUCCESS
    assert len(slow.sandbox.calls()["runs"]) == created


def test_two_runs_that_race_for_one_account_day_leave_one_whole_file(dagster: Dagster) -> None:
    cell = dagster.cell(2)
    runs = [dagster.launch(cell, cell) for _ in range(2)]

    statuses = [dagster.finish(run_id) for run_id in runs]

    assert statuses == [dg.DagsterRunStatus.SUCCESS] * 2
    account_id = dagster.sandbox.account_ids[2]
    load = dagster.lake.load_of("insights_hourly", account_id, LAST)
    truth = dagster.sandbox.truth(account_id, LAST)
    assert load
    assert (load.rows, load.verdict) == (truth["count"], "proven")
    assert load.run_id in runs


def test_of_a_backfill_of_60_with_one_bad_59_are_there_and_one_is_run_again(
    dagster: Dagster,
) -> None:
    key = dg.AssetKey("insights_hourly")
    cells = [dagster.cell(number, back) for number in (5, 6) for back in range(30)]
    bad = cells[7]
    account, _, day = bad.partition("|")
    file = dagster.lake.key(
        "insights_hourly", account.removeprefix("act_"), date.fromisoformat(day)
    )
    folder = (dagster.lake.root / file).parent
    folder.parent.mkdir(parents=True)
    folder.touch()  # a file stands where the folder of this account-day belongs

    backfill = dagster.backfill(cells)

    statuses = dagster.instance.get_status_by_partition(key, cells, ACCOUNT_DAYS)
    assert statuses
    assert {cell for cell, status in statuses.items() if "FAILED" in str(status)} == {bad}
    assert [str(status) for status in statuses.values()].count(
        "AssetPartitionStatus.MATERIALIZED"
    ) == 59
    folder.unlink()
    before = len(dagster.instance.get_runs())
    dagster.rerun_failed(backfill)
    runs = dagster.instance.get_runs(limit=len(dagster.instance.get_runs()) - before)
    ends = [f"dagster/asset_partition_range_{end}" for end in ("start", "end")]
    again = [[run.tags[end] for end in ends] for run in runs if ends[0] in run.tags]
    assert again == [[bad, bad]]
    statuses = dagster.instance.get_status_by_partition(key, [bad], ACCOUNT_DAYS)
    assert statuses
    assert str(statuses[bad]) == "AssetPartitionStatus.MATERIALIZED"
