"""An account that is forgotten is nowhere any more, and nothing else has changed."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import warehouse
from fbgraph.limits.shared_cooldowns import Cooldown
from fbgraph.limits.usage import Limit
from fbgraph.sandbox import Sandbox
from pipelines.cli.commands import forget
from pipelines.cli.main import cli
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.state.cooldowns import cooldowns_of
from tests.clock import NOW
from tests.pipelines.conftest import DAYS
from tests.runs import run_job
from tests.seeds import dagster_at, seed_home, seed_lake
from warehouse.decode.rows import Reject
from warehouse.lake.defects import rejects
from warehouse.lake.defects.rejects import row_of
from warehouse.lake.forgetting import traces_of
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dagster as dg
    from click.testing import Result

    from tests.s3 import S3

COUNTED = (
    "accounts",
    "accounts_history",
    "campaigns",
    "ads",
    "ads_history",
    "insights_hourly",
    "rejects",
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(world="hostile", now=lambda: NOW, accounts=2) as running:
        yield running


@pytest.fixture(scope="module")
def made(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake and a home of Dagster as each test begins with, for copies."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patched:
        settings(patched, sandbox, str(folder / "lake"), folder / "dagster")
        with dagster_at(seed_home(folder / "dagster")) as opened:
            fill(str(seed_lake(folder / "lake")), opened, sandbox)
    (folder / "lake").rename(folder / "kept")  # a home refuses a copy of a lake that is still there
    return folder


@pytest.fixture(params=["folder", "bucket"])
def url(
    request: pytest.FixtureRequest,
    made: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> str:
    """A lake of two accounts with all that can be kept of one, and a home that shows it."""
    home = tmp_path / "dagster"
    if request.param == "folder":
        url = str(shutil.copytree(made / "kept", tmp_path / "lake", symlinks=True))
        shutil.copytree(made / "dagster", home)
        settings(monkeypatch, sandbox, url, home)
        return url
    s3: S3 = request.getfixturevalue("s3")
    url = f"s3://{s3.new_bucket()}/lake"
    settings(monkeypatch, sandbox, url, home)
    with dagster_at(seed_home(home)) as opened:
        fill(url, opened, sandbox)
    return url


@pytest.fixture
def instance(url: str) -> Iterator[dg.DagsterInstance]:
    """The home that shows the lake."""
    del url
    with dagster_at(Path(os.environ["DAGSTER_HOME"])) as opened:
        yield opened


def settings(environ: pytest.MonkeyPatch, sandbox: Sandbox, url: str, home: Path) -> None:
    environ.setenv("FB_GRAPH_URL", sandbox.url)
    environ.setenv("FB_ACCESS_TOKEN", sandbox.token)
    environ.setenv("WAREHOUSE_URL", url)
    environ.setenv("DAGSTER_HOME", str(home))


def fill(url: str, instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    """Load two accounts, add what else there can be of one, and publish."""
    two = sandbox.account_ids
    assert run_job(instance, "accounts_job").success
    for account in two:  # objects are listed with the first load
        cell = f"act_{account}|{DAYS[-1]}"
        assert run_job(instance, "insights_hourly_job", cell, cell).success
    lake = Lake(url)
    rejected = row_of(
        *(1, Reject(1, 1, "name", "x", "not a name", "{}")),
        table="ads",
        account_id=two[0],
        date=None,
        at=NOW,
    )
    rejects.write(lake.store, f"rejects/ads/{two[0]}/latest/1.parquet", [rejected])
    lake.store.note(f".failed/insights_daily/{two[0]}/2026-11-20.json", '{"at": "2026-11-23"}')
    lake.store.note(f".runs/insights_daily/{two[0]}/abc.json", "{}")
    lake.store.note(f"no_longer_defined/account_id={two[0]}/date=2026-11-20/data.parquet", "rows")
    cooldowns = cooldowns_of(lake.store, time.time)
    cooldowns.put(Limit(two[0], "ads_insights"), Cooldown(600, is_block=True))
    cooldowns.put(Limit(two[1], "ads_insights"), Cooldown(600, is_block=True))
    publish(url)


def counts(url: str) -> Mapping[tuple[str, str], int]:
    """Rows of the published file by table and account."""
    with warehouse.open(url) as opened:
        return {
            (table, account): rows
            for table in COUNTED
            for account, rows in opened.sql(
                f"select account_id, count(*) from {table} group by all"  # noqa: S608
            ).fetchall()
        }


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["forget", *arguments])


def every_byte_of(folder: Path, text: str) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if text in str(path) or (path.is_file() and text.encode() in path.read_bytes())
    ]


def test_it_is_gone_from_lake_state_published_tables_and_grid(
    url: str, instance: dg.DagsterInstance, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    first, second, *_ = sandbox.account_ids
    lake, before, asked = Lake(url), counts(url), sandbox.calls()["total"]
    assert {account for _, account in before} == {first, second}

    done = run("--account", f"act_{first}", "--yes")

    assert done.exit_code == 0, done.output
    assert f"Removed act_{first}: 3 account-days" in done.output
    assert counts(url) == {key: rows for key, rows in before.items() if key[1] != first}
    assert not traces_of(lake, first)
    assert [*cooldowns_of(lake.store, time.time).current()] == [Limit(second, "ads_insights")]
    assert {*instance.get_dynamic_partitions(AD_ACCOUNTS)} == {f"act_{second}"}
    assert sandbox.calls()["total"] == asked
    assert every_byte_of(lake.root, first) == []  # earlier snapshots and the master have it no more
    if url.startswith("s3://"):
        objects = request.getfixturevalue("s3").objects(url.split("/")[2])
        assert not [key for key, body in objects.items() if first in key or first.encode() in body]
    again = run("--account", first, "--yes")
    assert again.exit_code == 2
    assert f"has no data of act_{first}. To see which accounts it has, run" in again.output


@pytest.mark.slow
@pytest.mark.parametrize("url", ["folder"], indirect=True)
@pytest.mark.parametrize("dies_in", ["remove_account", "publish", "unmark"])
def test_killed_midway_the_same_command_goes_on(
    url: str,
    dies_in: str,
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
) -> None:
    first, before = sandbox.account_ids[0], counts(url)
    code = (
        "import os; from pipelines.cli.commands import forget;"
        "from pipelines.reports.catalog import reports_of;"
        f"forget.{dies_in} = lambda *_, **__: os._exit(9);"
        f"forget.run_forget(os.environ, reports_of(os.environ), '{first}', is_agreed=True)"
    )
    if dies_in == "remove_account":  # in its midst: the files are gone, the shared ones are not
        code = code.replace("forget.remove_account", "forget.Lake.update")
    killed = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603  # our own code
    assert killed.returncode == 9
    assert traces_of(Lake(url), first)

    done = run("--account", first, "--yes")

    assert done.exit_code == 0, done.output
    assert counts(url) == {key: rows for key, rows in before.items() if key[1] != first}
    assert not traces_of(Lake(url), first)
    assert f"act_{first}" not in instance.get_dynamic_partitions(AD_ACCOUNTS)


@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_a_load_that_goes_on_meanwhile_is_told(
    url: str, sandbox: Sandbox, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, lake = sandbox.account_ids[0], Lake(url)
    rows = lake.read("insights_hourly", account_id=first, date=DAYS[-1])

    def publish_late(*given: str, **how: Any) -> object:
        lake.replace("insights_hourly", rows, account_id=first, date=DAYS[-1])
        return publish(*given, **how)

    with monkeypatch.context() as patched:
        patched.setattr(forget, "publish", publish_late)
        done = run("--account", first, "--yes")
    assert done.exit_code == 1
    assert "was loaded again meanwhile. Stop that run" in done.output
    assert f"act_{first}" in instance.get_dynamic_partitions(AD_ACCOUNTS)

    assert run("--account", first, "--yes").exit_code == 0
    assert not traces_of(lake, first)


@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_a_ducklake_that_cannot_be_reached_is_named_and_the_same_command_goes_on(
    url: str, sandbox: Sandbox, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, folder = sandbox.account_ids[0], Path(url) / ".snapshots"
    with monkeypatch.context() as patched:
        gone = f"{url}/gone"
        patched.setenv("WAREHOUSE_PUBLISH", f"ducklake:sqlite:{gone}/catalogue?data_path={gone}")
        refused = run("--account", first, "--yes")
    assert refused.exit_code == 2
    assert f" forget --account act_{first}`: it does the rest" in refused.output
    assert len([*folder.glob("0*")]) == 1
    assert every_byte_of(folder, first) == []
    assert f"act_{first}" in instance.get_dynamic_partitions(AD_ACCOUNTS)

    assert run("--account", first, "--yes").exit_code == 0
    assert not traces_of(Lake(url), first)


@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_without_a_terminal_it_wants_a_yes_and_at_one_it_asks(url: str, sandbox: Sandbox) -> None:
    first, before = sandbox.account_ids[0], counts(url)

    refused = run("--account", first)

    assert refused.exit_code == 2
    assert "Add --yes where there is no terminal" in refused.output
    assert at_a_terminal(first, "n") == 1
    assert counts(url) == before
    assert at_a_terminal(first, "y") == 0
    assert not traces_of(Lake(url), first)


def at_a_terminal(account: str, answer: str) -> int:
    """Type the command and an answer at a terminal; the exit code."""
    person, terminal = pty.openpty()
    command = [str(Path(sys.executable).with_name("fbinsights")), "forget", "--account", account]
    with subprocess.Popen(  # noqa: S603  # our own command
        command, stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        os.write(person, f"{answer}\n".encode())
        _, said = running.communicate(timeout=120)
    os.close(person)
    os.close(terminal)
    assert f"Remove act_{account} Nordlicht Shop DE from" in said
    return running.returncode


@pytest.mark.parametrize("account", ["me", "act_", "12x", "../11"])
def test_what_is_not_an_account_is_refused(account: str, tmp_path: Path) -> None:
    del tmp_path

    assert run("--account", account, "--yes").exit_code == 2
