"""What dagster.yaml makes of an instance."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus  # no public way

from pipelines.celery_launcher import WatchedCeleryRunLauncher
from pipelines.definitions import defs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[3]
YAML = ROOT / "dagster.yaml"
TEMPLATES = ROOT / "pipelines" / "project" / "templates" / "deploy"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with the settings of a new project folder."""
    shutil.copy(YAML, tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as opened:
        yield opened


def test_nothing_leaves_the_machine_and_only_infrastructure_is_retried(
    checkout: dg.DagsterInstance,
) -> None:
    assert not checkout.telemetry_enabled
    assert not checkout.nux_enabled
    assert checkout.run_retries_enabled
    assert not checkout.get_settings("run_retries")["retry_on_asset_or_op_failure"]
    assert checkout.run_monitoring_enabled


def sections_of(path: Path) -> Mapping[str, str]:
    """Section → its text, with the comment above it."""
    pieces = path.read_text(encoding="utf-8").split("\n\n")
    named = [(re.search(r"^([a-z_]+):", piece, re.MULTILINE), piece.strip()) for piece in pieces]
    return {found[1]: piece for found, piece in named if found}


@pytest.mark.parametrize(
    "path",
    [YAML, TEMPLATES / "dagster.postgres.yaml", TEMPLATES / "dagster.celery.yaml"],
    ids=lambda path: path.name,
)
def test_every_limit_has_its_reason_beside_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    sections = re.findall(r"^([a-z_]+):", text, re.MULTILINE)

    assert sections
    for section in sections:
        assert re.search(rf"^#.*\n(#.*\n)*{section}:", text, re.MULTILINE), section


def test_the_instance_in_postgres_differs_in_its_storage_alone() -> None:
    files, postgres = sections_of(YAML), sections_of(TEMPLATES / "dagster.postgres.yaml")

    assert [name for name in postgres if name != "storage"] == list(files)
    assert {name for name in files if files[name] != postgres[name]} == set()
    assert "env: DAGSTER_POSTGRES_URL" in postgres["storage"]


def test_workers_of_celery_are_one_section_to_be_put_below() -> None:
    added = sections_of(TEMPLATES / "dagster.celery.yaml")

    assert set(added) == {"run_launcher"}
    assert "run_launcher" not in sections_of(TEMPLATES / "dagster.postgres.yaml")


def test_runs_of_the_command_line_are_no_business_of_celerys() -> None:
    """They have no task, and their own process sees to them."""
    launcher = WatchedCeleryRunLauncher(default_queue="dagster")

    told = launcher.check_run_worker_health(dg.DagsterRun(job_name="accounts_job"))

    assert told.status is WorkerStatus.RUNNING


def test_runs_carry_the_tags_that_the_limits_are_about(checkout: dg.DagsterInstance) -> None:
    config = checkout.get_concurrency_config().run_queue_config
    assert config
    limited = {limit["key"] for limit in config.tag_concurrency_limits}

    refresh = defs.resolve_job_def("refresh_job").tags
    assert limited == {"dagster/partition/account", "dagster/backfill", "fbinsights/refresh"}
    assert "fbinsights/refresh" in refresh
