"""The image, started by our compose.yaml, with a real Postgres: it loads three days from the
sandbox, is killed in the middle, and ends with the sandbox's truth.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import sqlalchemy

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.project.folder import complete, contents
from pipelines.project.orphans import WHY
from tests.image.build import CONTEXT_SECRET
from tests.image.compose import Project, unpacked
from tests.scale.services import postgres, wait_until
from tests.scale.truth import TABLE, rows_of, true_rows
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
DAYS: Final = [date(2026, 11, 20) + timedelta(days=n) for n in range(3)]
PAGES: Final = "http://127.0.0.1:3000"
PASSWORD: Final = "letters4digits"  # noqa: S105  # of a server that goes with the test

LOADS: Final = "select count(*) from loads where table_name = 'insights_hourly'"
SUMS: Final = """
select account_id, date,
  {rows: count(*), impressions: sum(impressions), clicks: sum(clicks), spend: sum(spend)}
from insights_hourly group by all"""

BACKFILL: Final = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
RUNS: Final = """
query Runs { runsOrError { ... on Runs { results { runId status parentRunId jobName
  eventConnection(limit: 1000) { events { ... on MessageEvent { message } } } } } } }"""


@dataclass
class Ended:
    """What is left when everything is loaded."""

    sandbox: Sandbox
    project: Project
    lake: Lake
    loaded_before: int  # account-days that were there at the kill
    healthy: Mapping[str, str]  # service → what its check said
    unhealthy: str  # what the check of the daemon said when all else was gone
    at_the_kill: Sequence[Mapping[str, Any]]  # runs
    alone: int  # the exit code of one container with everything in it, after SIGTERM

    @property
    def account_days(self) -> Sequence[AccountDay]:
        return [AccountDay(account, day) for account in self.sandbox.account_ids for day in DAYS]


def ask(query: str, **variables: object) -> Any:
    """What a page asks of the webserver."""
    body = {"query": query, "variables": variables}
    response = httpx.post(f"{PAGES}/graphql", json=body, timeout=60).json()
    assert "errors" not in response, response
    return response["data"]


def runs() -> Sequence[Mapping[str, Any]]:
    found = ask(RUNS)["runsOrError"]["results"]
    return [run for run in found if run["jobName"] != "publish_job"]


def loaded(lake: Lake, account_days: Sequence[AccountDay]) -> int:
    with suppress(FileNotFoundError):
        return sum(lake.load_of(TABLE, one.account_id, one.day) is not None for one in account_days)
    return 0


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """The whole story, once."""
    folder = tmp_path_factory.mktemp("machine")
    began = time.monotonic()

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    with (
        Sandbox(world="hostile", now=now, latency=0.3) as sandbox,
        postgres(5432, PASSWORD) as url,
    ):
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("CREATE DATABASE dagster"))
        engine.dispose()
        project = new_project(folder / "project", sandbox)
        lake = Lake(folder / "volume-lake")
        try:
            yield story(project, sandbox, lake)
        finally:
            for service in project.services.values():
                service.stop("KILL")


def new_project(folder: Path, sandbox: Sandbox) -> Project:
    """A project folder as somebody has it who has filled in .env."""
    complete(folder, contents(PASSWORD))
    with (folder / ".env").open("a") as env:
        env.write(f"FB_ACCESS_TOKEN={sandbox.token}\nFB_GRAPH_URL={sandbox.url}\n")
    return Project(folder, unpacked())


def story(project: Project, sandbox: Sandbox, lake: Lake) -> Ended:
    """Start, load, kill in the middle, start again, wait for the end."""
    alone = project.alone()
    alone.start()
    alone.wait_healthy()
    ended_with = alone.stop()
    project.up()
    healthy = {name: one.health() for name, one in project.services.items()}
    account_days = [AccountDay(account, day) for account in sandbox.account_ids for day in DAYS]
    wait_until(lambda: is_listed(account_days))
    params = {
        "partitionNames": [key_of(one) for one in account_days],
        "assetSelection": [{"path": [TABLE]}],
    }
    launched = ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    wait_until(lambda: loaded(lake, account_days))
    at_the_kill = [run for run in runs() if run["status"] == "STARTED"]
    project.services["code"].stop("KILL")
    before = loaded(lake, account_days)
    project.services["webserver"].stop("KILL")
    daemon = project.services["daemon"]
    unhealthy = daemon.execute(*daemon.healthcheck)
    daemon.stop("KILL")
    project.boot()
    wait_until(lambda: loaded(lake, account_days) == len(account_days))
    wait_until(lambda: all(run["status"] in {"SUCCESS", "FAILURE"} for run in runs()))
    wait_until(lambda: published(lake, LOADS) == [(len(account_days),)])
    return Ended(
        *(sandbox, project, lake, before, healthy),
        unhealthy=f"{unhealthy.returncode}: {unhealthy.stdout}",
        at_the_kill=at_the_kill,
        alone=ended_with,
    )


def is_listed(account_days: Sequence[AccountDay]) -> bool:
    """Whether a sensor has made partitions of the accounts."""
    query = """{ assetNodes(assetKeys: [{path: ["insights_hourly"]}]) {
      partitionKeysByDimension { name partitionKeys } } }"""
    [node] = ask(query)["assetNodes"]
    keys = {key for one in node["partitionKeysByDimension"] for key in one["partitionKeys"]}
    return {f"act_{one.account_id}" for one in account_days} <= keys


def published(lake: Lake, question: str) -> Sequence[tuple[Any, ...]]:
    """What `warehouse.duckdb` answers; nothing while there is none."""
    with suppress(WarehouseError), warehouse.open(lake.root) as opened:
        return opened.sql(question).fetchall()
    return []


def test_every_part_became_healthy(ended: Ended) -> None:
    assert {name: text.strip() for name, text in ended.healthy.items()} == dict.fromkeys(
        ("code", "webserver", "daemon"), "healthy"
    )


def test_it_was_killed_in_the_middle(ended: Ended) -> None:
    assert 0 < ended.loaded_before < len(ended.account_days)
    assert ended.at_the_kill


def test_every_account_day_ends_as_the_sandbox_served_it(ended: Ended) -> None:
    for one in ended.account_days:
        assert rows_of(ended.lake, one) == true_rows(ended.sandbox, one), one


def test_the_published_file_has_the_same_sums(ended: Ended) -> None:
    truth = {one: ended.sandbox.truth(*one) for one in ended.account_days}

    assert {AccountDay(*key): sums for *key, sums in published(ended.lake, SUMS)} == {
        one: {
            "rows": true["count"],
            "impressions": int(true["sums"]["impressions"]),
            "clicks": int(true["sums"]["clicks"]),
            "spend": Decimal(true["sums"]["spend"]),
        }
        for one, true in truth.items()
        if true["count"]
    }


def test_runs_that_the_kill_ended_failed_and_were_started_again(ended: Ended) -> None:
    now = {run["runId"]: run for run in runs()}
    killed = [now[run["runId"]] for run in ended.at_the_kill]
    parents = {run["parentRunId"] for run in now.values()}

    assert {run["status"] for run in killed} == {"FAILURE"}
    assert all(
        any(
            event.get("message") and WHY in event["message"]
            for event in run["eventConnection"]["events"]
        )
        for run in killed
    )
    assert {run["runId"] for run in killed} <= parents


def test_only_the_code_has_the_token_and_the_image_has_none(ended: Ended) -> None:
    token = ended.sandbox.token
    environs = {
        n: s.execute("cat", "/proc/1/environ").stdout for n, s in ended.project.services.items()
    }

    assert [name for name, text in environs.items() if token in text] == ["code"]
    image = ended.project.image
    assert CONTEXT_SECRET not in image.text
    assert not [path for path in image.files.glob("**/.env*") if path.is_file()]


def test_nothing_runs_as_root_or_may_write_elsewhere(ended: Ended) -> None:
    for service in ended.project.services.values():
        status = service.execute("cat", "/proc/1/status").stdout
        assert "Uid:\t10001\t10001\t10001\t10001" in status
        assert "CapEff:\t0000000000000000" in status
        assert service.execute("touch", "/project/file", "/opt/fbinsights/file").returncode == 1


def test_people_run_commands_in_the_container_of_the_code(ended: Ended) -> None:
    code = ended.project.services["code"]
    days = ["--since", str(DAYS[0]), "--until", str(DAYS[-1])]

    shown = code.execute("fbinsights", "status", "--report", TABLE, *days, "--json")

    [total] = [
        line for line in map(json.loads, shown.stdout.splitlines()) if line["kind"] == "total"
    ]
    assert total["verdicts"] == {"proven": len(ended.account_days)}, shown.stdout
    assert "compiled" in code.execute("fbinsights", "doctor").stdout


def test_what_init_writes_in_the_image_is_what_it_writes_here(ended: Ended) -> None:
    made = ended.project.services["code"].execute("fbinsights", "init", "/tmp/ads").stdout  # noqa: S108  # of the container

    assert [f"made    {name}" for name in contents()] == made.splitlines()


def test_one_container_has_all_and_stops_when_it_is_told_to(ended: Ended) -> None:
    assert ended.alone == 0


def test_a_check_can_fail(ended: Ended) -> None:
    assert ended.unhealthy.startswith("1: http://webserver:3000: ")
    assert "refused" in ended.unhealthy
