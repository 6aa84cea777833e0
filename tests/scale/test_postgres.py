"""Dagster's storage in Postgres by `dagster.postgres.yaml`: for the command line, and between two
processes that know nothing of each other.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
import sqlalchemy
from dagster_postgres import PostgresRunStorage

from fbgraph.sandbox import Sandbox
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.state.dagster_home import open_instance
from tests.pace import PATIENCE_SECONDS
from tests.runs import run_job
from tests.scale.farm import ROOT, TEMPLATES, environ_of
from tests.scale.pooled import POOL, PROCESSES
from tests.scale.services import running
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)
YAML = TEMPLATES / "dagster.postgres.yaml"


@pytest.fixture
def home(new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `dagster.postgres.yaml` under the name that Dagster looks for."""
    shutil.copy(YAML, tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", new_database())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_the_command_line_does_in_a_project_is_in_postgres_for_all_to_see(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        for name, value in environ_of(home, sandbox, home / "lake").items():
            monkeypatch.setenv(name, value)
        cell = key_of(AccountDay(sandbox.account_ids[0], date(2026, 11, 21)))

        with open_instance({}, open_store(str(home / "lake"))) as instance:
            accounts = run_job(instance, "accounts_job")
            loaded = run_job(instance, "insights_hourly_job", cell, cell)

    with dg.DagsterInstance.from_config(str(home)) as elsewhere:
        assert isinstance(elsewhere.run_storage, PostgresRunStorage)
        seen = {run.run_id: run.status for run in elsewhere.get_runs()}
        newest = elsewhere.get_latest_materialization_event(dg.AssetKey("insights_hourly"))
        partitions = elsewhere.get_dynamic_partitions("ad_accounts")
    assert [seen[one.run_id] for one in (accounts, loaded)] == [dg.DagsterRunStatus.SUCCESS] * 2
    assert newest
    assert newest.asset_materialization
    assert newest.asset_materialization.partition == cell
    assert cell.partition("|")[0] in partitions
    assert not list(home.rglob("*.db"))


def test_many_events_of_a_process_take_a_few_connections_to_postgres(home: Path) -> None:
    events = [dg.AssetMaterialization("lake", partition=f"day {n}") for n in range(50)]
    connected: list[object] = []
    with open_instance({}, open_store(str(home / "lake"))) as instance:
        sqlalchemy.event.listen(sqlalchemy.Pool, "connect", lambda made, _: connected.append(made))
        for event in events:
            instance.report_runless_asset_event(event)
        assert len(instance.get_materialized_partitions(dg.AssetKey("lake"))) == len(events)

    assert 0 < len(connected) < len(events) / 2  # one for each statement would be a hundred


def test_a_restart_of_postgres_between_two_statements_costs_nothing(
    home: Path, postgres_server: str
) -> None:
    server = sqlalchemy.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    end_all = sqlalchemy.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
    )
    name = os.environ["DAGSTER_POSTGRES_URL"].rpartition("/")[2]
    ended = []
    with open_instance({}, open_store(str(home / "lake"))) as instance, server.connect() as admin:
        for _ in range(2):
            instance.report_runless_asset_event(dg.AssetMaterialization("lake"))
            assert not instance.get_runs()
            assert not instance.all_instigator_state()
            ended.append(len(admin.execute(end_all, {"name": name}).all()))
    server.dispose()

    assert ended == [3, 3]  # one for runs, one for events, one for schedules and sensors


def test_two_processes_are_never_both_in_a_pool_with_one_place(home: Path, tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
    seen = tmp_path / "seen"
    seen.mkdir()
    environ = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.scale.pooled", str(seen)]

    with ExitStack() as stack:
        both = [
            stack.enter_context(running(command, tmp_path / f"log{n}", environ=environ, cwd=home))
            for n in range(PROCESSES)
        ]
        # They give up by themselves before, and then their logs say on what.
        ends = [process.wait(2 * PATIENCE_SECONDS) for process in both]

    assert ends == [0, 0], [(tmp_path / f"log{n}").read_text() for n in range(PROCESSES)]
    assert list(seen.glob("*.saw")), "nobody ever waited for the place"
    assert not (seen / "inside").exists()
