from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.backfill import _publish
from pipelines.cli.runs import open_instance, run_job
from pipelines.cli.selection import Plan
from pipelines.cli.summary import Summary
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setenv("WAREHOUSE_URL", str(tmp_path / "lake"))
    return folder


@pytest.mark.parametrize("home", ["dagster", "/nowhere/at/all", __file__])
def test_a_home_of_dagster_that_is_no_folder_is_a_wrong_setting(home: str) -> None:
    with (
        pytest.raises(ConfigError, match="DAGSTER_HOME must be the absolute path"),
        open_instance({"DAGSTER_HOME": home}),
    ):
        pass


@pytest.mark.usefixtures("home")
def test_first_runs_at_the_same_time_do_not_spoil_dagsters_database() -> None:
    def visit(_: int) -> int:
        with open_instance(os.environ) as instance:
            return instance.get_runs_count()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(visit, range(4)))

    assert [*counts, visit(4)] == [0] * 5


@pytest.fixture
def stray(home: Path) -> Path:
    """A file that is in the way of publishing."""
    path = home.parent / "lake/insights_hourly/account_id=1/date=2026-11-21 copy/data.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    return path


def test_publishing_that_fails_is_told_and_is_a_failed_run(stray: Path) -> None:
    nothing = Summary(Plan((), (), ()), datetime(2026, 11, 23, tzinfo=UTC), {})

    with open_instance(os.environ) as instance:
        _publish(instance, nothing, os.environ["WAREHOUSE_URL"])
        jobs = [(run.job_name, run.is_failure) for run in instance.get_runs()]

    [why] = nothing.failed.values()
    assert (jobs, str(stray) in why) == ([("publish_job", True)], True)


def test_a_file_that_does_not_belong_in_the_warehouse_is_named_without_a_stack(stray: Path) -> None:
    with open_instance(os.environ) as instance:
        [why] = run_job(instance, "publish_job").failed.values()

    assert (
        why
        == f"Unexpected file {stray} (not an account/date partition): move it out of the warehouse"
    )
