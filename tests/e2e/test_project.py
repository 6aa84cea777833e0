"""A project folder from `fbinsights init` to a click in Dagster, with the installed command, and
nothing of the checkout near it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from fbgraph.sandbox import Sandbox
from pipelines.project.folder import complete, contents
from tests.e2e.dev import NOW, Dagster, answers, wait_until
from tests.pace import PATIENCE_SECONDS, QUICK_DISK
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = str(Path(sys.executable).with_name("fbinsights"))


def environ_of(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **QUICK_DISK, **more}


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command
        [COMMAND, *arguments],
        cwd=folder,
        env=environ_of(folder, **environ),
        capture_output=True,
        text=True,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new project folder, as `fbinsights init ads` makes it."""
    complete(tmp_path / "ads", contents("password"))
    return tmp_path / "ads"


@contextmanager
def dev(folder: Path, port: int, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """`fbinsights dev` there; what is left of it at the end is killed."""
    with (folder.parent / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [COMMAND, "dev", "--port", str(port)],
            cwd=folder,
            env=environ_of(folder, **environ),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def of_this_folder(folder: Path) -> list[str]:
    """The command lines of processes that have to do with a folder's Dagster."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)  # noqa: S607
    return [line for line in listed.stdout.splitlines() if f"{folder}/.dagster" in line]


def test_from_init_to_a_click_in_dagster_and_the_end_by_ctrl_c(tmp_path: Path) -> None:
    made = run(tmp_path, "init", "ads")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "ads"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = folder / ".dagster"
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        settings = f"FB_GRAPH_URL={sandbox.url}\nFB_ACCESS_TOKEN={sandbox.token}\n"
        (folder / ".env").write_text(settings + "FB_OWNERS=team:from-the-file\n")
        with dev(folder, port, FB_OWNERS="team:from-the-environment") as process:
            wait_until(lambda: answers(url))
            with dg.DagsterInstance.from_config(str(home)) as instance:
                wait_until(lambda: instance.get_dynamic_partitions("ad_accounts"))
                pages = Dagster(sandbox, Lake(folder / "data"), instance, url)
                cell = pages.cell(0)
                status = pages.finish(pages.click(cell))
                again = run(folder, "dev", "--port", "0")
                owners = pages.ask(OWNERS)["assetNodes"][0]["owners"]
                telemetry = instance.telemetry_enabled
            process.send_signal(signal.SIGINT)
            code = process.wait(PATIENCE_SECONDS)
    loaded = Lake(folder / "data").loads().to_pylist()
    assert status is dg.DagsterRunStatus.SUCCESS
    assert {f"act_{one['account_id']}|{one['date']}" for one in loaded} >= {cell}
    assert {one["verdict"] for one in loaded} == {"proven"}
    assert not telemetry
    assert [owner["team"] for owner in owners] == ["from-the-environment"]
    # Two daemons on one home would start each run twice.
    assert again.returncode == 2
    assert f"Dagster runs on this folder already: {url}, process {process.pid}." in again.stderr
    log = (folder.parent / "log").read_text()
    assert code == 0, log
    assert of_this_folder(folder) == []
    assert "dagster.yaml file will not be used" not in log
    assert "superseded" not in log
    assert {path.name for path in folder.iterdir()} >= {".env", ".dagster", "data", "reports"}
    assert json.loads((home / "fbinsights_dev.json").read_text())["url"] == url


OWNERS = """{
  assetNodes(assetKeys: [{path: ["insights_hourly"]}]) {
    owners { ... on TeamAssetOwner { team } ... on UserAssetOwner { email } }
  }
}"""


@pytest.mark.slow
def test_a_part_of_dagster_that_dies_ends_all_of_it_with_1(folder: Path) -> None:
    port = free_port()
    with dev(folder, port, FB_ACCESS_TOKEN="x", FB_GRAPH_URL="http://127.0.0.1:9") as process:  # noqa: S106
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"))
        listed = subprocess.run(
            ["ps", "-eo", "pid,ppid,args"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        [daemon] = [
            line.split()[0]
            for line in listed
            if f" {process.pid} " in line and "dagster._daemon" in line
        ]
        os.kill(int(daemon), signal.SIGKILL)
        code = process.wait(PATIENCE_SECONDS)
    assert code == 1
    assert of_this_folder(folder) == []


def test_what_keeps_dev_from_starting_is_one_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        in_use = run(folder, "dev", "--port", str(port))
    inside = run(folder / "reports", "dev")

    assert {one.returncode for one in (in_use, inside)} == {2}
    [of_port], [of_folder] = (one.stderr.splitlines() for one in (in_use, inside))
    assert of_port.startswith(f"fbinsights: Port {port} is in use, maybe by another Dagster.")
    assert f"the one that it lies in is {folder}" in of_folder


def test_a_home_of_ones_own_gets_limits_and_no_telemetry_too(tmp_path: Path) -> None:
    """In a folder without a dagster.yaml, for whoever says where Dagster's home is."""
    home = tmp_path / "home"
    home.mkdir()

    # The port stops it, after it has prepared the home.
    done = run(tmp_path, "dev", "--host", "no.such.host.invalid", DAGSTER_HOME=str(home))

    made, why = done.stderr.splitlines()
    assert made == f"made {home / 'dagster.yaml'}: limits, and no telemetry"
    assert "Cannot listen on no.such.host.invalid:3000" in why
    assert done.returncode == 2
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert not instance.telemetry_enabled


def test_a_ready_report_is_added_checked_and_loaded(folder: Path) -> None:
    added = run(folder, "add", "country", "insights_country", "pixels", "carousel")
    checked = run(folder, "check", FB_ACCESS_TOKEN="x")  # noqa: S106
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        settings = {"FB_GRAPH_URL": sandbox.url, "FB_ACCESS_TOKEN": sandbox.token}
        range_ = ("--since", "2026-11-22", "--until", "2026-11-22")
        loaded = run(folder, "backfill", *range_, "--report", "insights_country", **settings)
    asked = run(folder, "query", "select count(*) > 0 from insights_country", "--format", "csv")

    wrote = ("insights_country", "pixels", "insights_carousel")
    assert added.stdout == "".join(f"reports/{name}.yaml\n" for name in wrote)
    assert added.stderr.count("we have not seen a response with it") == 2
    assert "plan --report insights_country --report insights_carousel --since" in added.stderr
    assert "About 3 rows for each campaign and day." in added.stderr
    doubts = checked.stdout.splitlines()
    assert [line.partition(":")[0] for line in doubts] == ["reports/insights_carousel.yaml"] * 2
    assert (checked.returncode, checked.stdout.count("(warning)")) == (0, 2)
    assert loaded.returncode == 0, loaded.stderr
    assert asked.stdout.splitlines()[-1] == "true"


def test_another_lake_on_the_folders_home_is_refused_with_what_to_do(folder: Path) -> None:
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        settings = {"FB_GRAPH_URL": sandbox.url, "FB_ACCESS_TOKEN": sandbox.token}
        account = sandbox.account_ids[0]
        load = ("backfill", "--since", "2026-11-22", "--until", "2026-11-22", "--account", account)
        first = run(folder, *load, **settings)
        other = run(folder, *load, WAREHOUSE_URL="./other", **settings)
    assert first.returncode == 0, first.stderr
    assert other.returncode == 2
    assert f"The Dagster home {folder / '.dagster'} shows what is loaded in" in other.stderr
    assert "give this lake a project folder of its own (`fbinsights init DIR`)" in other.stderr
    assert not (folder / "other").exists()
