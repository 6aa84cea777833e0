"""What `fbinsights check` says about a project folder."""

from __future__ import annotations

import json
import os
from datetime import date
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.commands.check import run_check
from pipelines.project.faults import Findings, findings_in
from pipelines.project.folder import complete, contents
from pipelines.state.homes import NOTE, prepare
from tests.reports import KNOWN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project folder."""
    complete(tmp_path, contents())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(folder: Path, **environ: str) -> Findings:
    return findings_in(folder, environ)


def test_nothing_is_wrong_with_a_new_folder_nor_with_one_that_is_no_project(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert look(folder) == Findings()
    assert look(tmp_path_factory.mktemp("bare")) == Findings()


def test_a_line_of_env_that_is_not_read_and_a_name_that_nobody_knows_come_with_their_lines(
    folder: Path,
) -> None:
    (folder / ".env").write_text("# mine\nFB_ACCES_TOKEN=x\nOTHERS_OWN=1\n\nfoo bar\n")

    found = look(folder)

    assert found.faults == [".env:5: is not read: expected NAME=value"]
    assert found.warnings == [
        ".env:2: FB_ACCES_TOKEN: is not a variable of fbinsights; did you mean FB_ACCESS_TOKEN?"
    ]


def test_an_env_that_others_may_read_or_that_git_would_take_is_said(folder: Path) -> None:
    (folder / ".env").chmod(0o640)
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("*.pyc\n")

    assert look(folder).warnings == [
        ".env: others on this machine may read the token: chmod 600 .env",
        ".gitignore: write .env into it: it holds the token.",
    ]


def test_an_env_that_is_a_folder_cannot_be_read(folder: Path) -> None:
    (folder / ".env").unlink()
    (folder / ".env").mkdir()

    assert look(folder).faults == [".env: cannot be read: Is a directory"]


@pytest.mark.parametrize("is_prepared", [True, False])
def test_settings_without_limits_with_telemetry_or_with_folders_of_yesterday(
    *, is_prepared: bool, folder: Path
) -> None:
    settings = "nux: {enabled: false}\nstorage:\n  sqlite:\n    base_dir: .dagster\n"
    (folder / "dagster.yaml").write_text(settings)
    if is_prepared:
        (folder / ".dagster").mkdir()
        prepare(folder / ".dagster")

    found = look(folder)

    assert found.faults == []
    [telemetry, missing, relative] = found.warnings
    assert telemetry == "dagster.yaml: telemetry: is on: write enabled: false under it"
    assert missing.startswith("dagster.yaml: concurrency, run_queue, run_monitoring, ")
    assert "so Dagster's own limits apply" in missing
    assert relative.startswith("dagster.yaml:4: base_dir: .dagster: is relative to where")


def test_settings_that_are_not_yaml_come_with_their_line(folder: Path) -> None:
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: [\n")

    [fault] = look(folder).faults

    assert fault.startswith("dagster.yaml:3: ")


def test_settings_of_its_own_in_the_folders_home_are_said_to_count(folder: Path) -> None:
    (folder / ".dagster").mkdir()
    (folder / ".dagster" / "dagster.yaml").write_text(contents()["dagster.yaml"])

    [told] = look(folder).warnings

    assert told.startswith(".dagster/dagster.yaml: Dagster reads this file and not dagster.yaml")


def test_a_home_that_is_none_or_another_is_said(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("home")

    relative = look(folder, DAGSTER_HOME=".dagster")
    elsewhere = look(folder, DAGSTER_HOME=os.fspath(other))

    assert "DAGSTER_HOME must be the absolute path" in relative.faults[0]
    missing, another = elsewhere.warnings
    assert missing.startswith(f"{other / 'dagster.yaml'}: is missing: Dagster has no limits there")
    assert another.startswith(f"DAGSTER_HOME is {other}: what is loaded here is shown there")
    (folder / ".dagster").mkdir()
    assert look(folder, DAGSTER_HOME=os.fspath(folder)).warnings == []


def test_another_lake_on_the_folders_home_is_a_fault_with_what_to_do(folder: Path) -> None:
    (folder / ".dagster").mkdir()
    known = {"lake_id": "a", "place": os.fspath(folder / "data")}
    (folder / ".dagster" / NOTE).write_text(json.dumps(known))

    assert look(folder).faults == []
    [fault] = look(folder, WAREHOUSE_URL="./other").faults
    assert "one grid cannot show two lakes. Set WAREHOUSE_URL back, or give this lake a" in fault


def test_a_second_history_beside_that_of_the_project_is_said(folder: Path) -> None:
    """Dagster's own processes, started with the home of yesterday, have begun one."""
    for home in (folder, folder / ".dagster"):
        (home / "history").mkdir(parents=True)

    found = look(folder, DAGSTER_HOME=os.fspath(folder))

    assert f"set DAGSTER_HOME={folder / '.dagster'} and start Dagster again" in found.warnings[0]


def test_a_name_in_env_that_nobody_knows_is_told_once_though_the_environment_has_it_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("FB_ACCES_TOKEN=x\n")

    run_check({"FB_ACCES_TOKEN": "x"}, KNOWN, date(2026, 11, 29))

    said = capsys.readouterr().out
    assert said.count("FB_ACCES_TOKEN") == 1
    assert ".env:1: FB_ACCES_TOKEN" in said
