"""Folders of reports: which files are read as reports, and what happens to the others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.reports.catalog import HOURLY_REPORT, read_reports
from pipelines.reports.yaml_files import unread_files, yaml_files

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = """\
type: pipelines.components.InsightsReport
attributes:
  name: by_country
  level: campaign
  breakdowns: [country]
  fields: [impressions]
"""


@pytest.mark.parametrize(
    "name", ["notes.txt", "report.json", ".report.yaml", "..2026_11_29/report.yaml"]
)
def test_what_is_hidden_or_not_yaml_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(RIGHT + "nonsense: 1\n", encoding="utf-8")

    found = read_reports(yaml_files(tmp_path))

    assert (list(found.by_name), found.problems) == ([HOURLY_REPORT.name], ())


def test_files_that_nobody_reads_are_named(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(RIGHT)
    (tmp_path / "right.yaml").write_text(RIGHT)

    assert unread_files(tmp_path) == [tmp_path / "report.json"]


@pytest.mark.parametrize("name", ["by.yaml.txt", "by.yaml.bak", "by.ymal", "by.yaml~", "by.YML_"])
def test_a_name_with_a_slip_in_its_ending_is_a_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(RIGHT)

    [warning] = read_reports(yaml_files(tmp_path)).warnings

    assert f"{name}:1: file: is not read" in warning
    assert "Rename it to by.yaml" in warning


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "right.yaml").write_text(RIGHT)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere")

    found = read_reports(yaml_files(tmp_path))

    told = [
        "gone.yaml:1: YAML: the file cannot be read: No such file",
        "pipe.yaml:1: YAML: it is a",
    ]
    assert all(one in fault for one, fault in zip(told, found.faults, strict=True)), found.faults
    assert list(found.by_name) == [HOURLY_REPORT.name, "by_country"]


def test_a_link_to_a_folder_is_followed_and_none_is_read_twice(tmp_path: Path) -> None:
    mine, shared = tmp_path / "mine", tmp_path / "shared"
    mine.mkdir()
    shared.mkdir()
    (shared / "right.yaml").write_text(RIGHT)
    (mine / "shared").symlink_to(shared)
    (shared / "back").symlink_to(mine)

    found = read_reports(yaml_files(mine))

    assert (list(found.by_name), found.problems) == ([HOURLY_REPORT.name, "by_country"], ())
