"""Made-up and real accounts, or those of two sandboxes, never get into one lake."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner

from fbgraph.sandbox import Sandbox
from pipelines.cli.main import cli
from pipelines.definitions import defs
from pipelines.resources import GraphResource
from pipelines.state.origin import THIS_MACHINE, host_of, origin_of, refusal
from tests.clock import NOW
from tests.pipelines.conftest import DAYS
from tests.runs import run_job
from warehouse.lake.identity import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.lake.partitions import Lake

META = "graph.facebook.com"
RANGE = ("--since", str(DAYS[-1]), "--until", str(DAYS[-1]))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://graph.facebook.com", META),
        ("https://GRAPH.facebook.com.:443/", META),
        ("https://meta-proxy.example.com:8443/outgoing", "meta-proxy.example.com"),
        ("http://10.0.0.5:8810", "10.0.0.5"),
        ("http://localhost.example.com", "localhost.example.com"),
        *(
            (f"http://{here}", THIS_MACHINE)
            for here in (
                *("127.0.0.1", "127.0.0.1:8810", "127.1.2.3", "localhost:1", "LOCALHOST."),
                *("[::1]:8810", "[::ffff:127.0.0.1]", "0.0.0.0:80", "sandbox.localhost"),
            )
        ),
    ],
)
def test_names_of_this_machine_count_as_one_and_ports_do_not_count(url: str, host: str) -> None:
    assert host_of(url) == host


def test_a_lake_takes_what_it_has() -> None:
    there = (META, "HTTPS://Meta-Proxy.example.com:99/")  # people may add names as they write them

    assert not refusal(there, META, "/lake")
    assert not refusal(there, "meta-proxy.example.com", "/lake")
    assert refusal(there, "elsewhere", "/lake")


@pytest.mark.parametrize(
    ("known", "source", "may_be_added"),
    [
        (META, "meta-proxy.example.com", True),
        (META, "the sandbox with seed 1", False),
        ("the sandbox with seed 1", META, False),
        ("the sandbox with seed 1", "the sandbox with seed 2", False),
        ("the sandbox with seed 1", THIS_MACHINE, False),
    ],
)
def test_a_refusal_names_both_sources_and_what_to_do(
    known: str, source: str, *, may_be_added: bool
) -> None:
    why = refusal([known], source, "/lake/")

    assert known in why
    assert source in why
    assert "set WAREHOUSE_URL to another folder" in why
    assert (f'add "{source}" to "graph" in /lake/.lake.json' in why) == may_be_added


def test_a_sandbox_is_known_by_its_seed_under_every_name_of_this_machine(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    with Sandbox(seed=2) as other:
        assert origin_of(other.url) == "the sandbox's company with seed 2"
    assert origin_of(sandbox.url) == "the sandbox with seed 1"
    assert origin_of(f"http://localhost:{port}/") == "the sandbox with seed 1"
    with pytest.raises(OSError, match="refused"):
        origin_of(other.url)


def test_what_else_listens_here_is_this_machine(s3: S3) -> None:
    assert origin_of(s3.environ["AWS_ENDPOINT_URL"]) == THIS_MACHINE


@pytest.fixture
def other_seed(
    instance: dg.DagsterInstance,
    load: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Sandbox]:
    """A second sandbox, which the environment names, and a lake that was loaded from the first."""
    assert run_job(instance, "accounts_job").success
    load(DAYS[-1:])
    with Sandbox(world="hostile", seed=2, now=lambda: NOW) as other:
        monkeypatch.setenv("FB_GRAPH_URL", other.url)
        monkeypatch.setenv("FB_ACCESS_TOKEN", other.token)
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
        yield other


@pytest.mark.parametrize("command", [["backfill", *RANGE], ["refresh"], ["plan", *RANGE]])
def test_a_command_refuses_another_source_before_it_asks_or_writes(
    other_seed: Sandbox, lake: Lake, command: list[str]
) -> None:
    before = contents(lake)

    done = CliRunner().invoke(cli, command)

    assert done.exit_code == 2, done.output
    assert re.search(
        "holds data from the sandbox with seed 1.*is the sandbox with seed 2", done.output
    )
    assert other_seed.calls()["total"] == 0
    assert contents(lake) == before


def test_doctor_tells_it_and_goes_no_further(other_seed: Sandbox) -> None:
    done = CliRunner().invoke(cli, ["doctor"])

    assert done.exit_code == 1
    assert "to do  source                The lake" in done.output
    assert other_seed.calls()["total"] == 0


@pytest.mark.parametrize(
    ("job", "key"),
    [
        ("accounts_job", None),
        ("objects_job", "act_200010000310042"),
        ("insights_hourly_job", f"act_200010000310042|{DAYS[-1]}"),
        ("refresh_job", None),
    ],
)
def test_runs_of_dagster_refuse_it_and_say_so_once(
    other_seed: Sandbox, instance: dg.DagsterInstance, lake: Lake, job: str, key: str | None
) -> None:
    before = contents(lake)

    result = run_job(instance, job, key, key)

    assert "holds data from the sandbox with seed 1" in result.stopped
    assert other_seed.calls()["total"] == 0
    assert contents(lake) == before


@pytest.mark.parametrize("name", ["new_accounts", "access_ends"])
def test_sensors_refuse_it(other_seed: Sandbox, instance: dg.DagsterInstance, name: str) -> None:
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance, repository_def=repository, resources={"graph": GraphResource()}
    )

    with pytest.raises(Exception, match="holds data from the sandbox with seed 1"):
        repository.get_sensor_def(name).evaluate_tick(context)
    assert other_seed.calls()["total"] == 0


def test_a_source_that_is_added_to_the_file_is_taken(
    other_seed: Sandbox, instance: dg.DagsterInstance, lake: Lake
) -> None:
    del other_seed
    said = json.loads(lake.store.read(KEY))
    assert said["graph"] == ["the sandbox with seed 1"]
    said["graph"].append("the sandbox with seed 2")
    lake.store.note(KEY, json.dumps(said))

    assert run_job(instance, "accounts_job").success


def test_an_old_lake_takes_the_first_that_loads_it_and_warns_of_strangers(
    other_seed: Sandbox,
    instance: dg.DagsterInstance,
    lake: Lake,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lake.store.delete(KEY)
    with caplog.at_level(logging.WARNING, "pipelines"):
        assert run_job(instance, "accounts_job").success

    assert json.loads(lake.store.read(KEY))["graph"] == ["the sandbox with seed 2"]
    assert {*other_seed.account_ids} < {*lake.read("accounts")["account_id"].to_pylist()}
    assert "holds 7 ad accounts, and none of them is among the 7 that the token sees" in caplog.text


def contents(lake: Lake) -> dict[str, bytes]:
    files = [path for path in lake.root.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}
