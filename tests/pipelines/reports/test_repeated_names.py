"""Reports that share a name: none is used, for one of them may be a stray copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.reports.catalog import HOURLY_REPORT, read_reports
from pipelines.reports.yaml_files import yaml_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RIGHT = """\
type: pipelines.components.InsightsReport
attributes:
  name: by_country
  level: campaign
  breakdowns: [country]
  fields: [impressions]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder with one file for each text: a.yaml, b.yaml and so on."""

    def write(*texts: str) -> Path:
        for name, text in zip("abc", texts, strict=False):
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_of_reports_with_one_name_none_is_used_and_each_names_the_others(
    folder: Callable[..., Path],
) -> None:
    other = RIGHT.replace("by_country", "another")
    copy = RIGHT.replace("[country]", "[age]")
    where = folder(RIGHT, other, f"{copy}---\n{RIGHT}")

    found = read_reports(yaml_files(where))

    assert list(found.by_name) == [HOURLY_REPORT.name, "another"]
    a, c = (f"{where}/{part}.yaml" for part in "ac")
    told = "so none of them is loaded: rename or remove all but one"
    assert found.faults == [
        f"{a}:3: name: by_country: this name is also in {c}:3 and {c}:10, {told}",
        f"{c}:3: name: by_country: this name is also in {a}:3 and {c}:10, {told}",
        f"{c}:10: name: by_country: this name is also in {a}:3 and {c}:3, {told}",
    ]
    assert str(found.broken["by_country"]).split("\n") == [f"  {line}" for line in found.faults]
    assert list(found.broken) == ["by_country"]


@pytest.mark.parametrize("first", [True, False])
def test_a_copy_that_is_wrong_does_not_leave_the_other_one_in_use(
    folder: Callable[..., Path], *, first: bool
) -> None:
    wrong = RIGHT.replace("[country]", "[agee]")

    found = read_reports(yaml_files(folder(*((wrong, RIGHT) if first else (RIGHT, wrong)))))

    assert list(found.by_name) == [HOURLY_REPORT.name]
    told = str(found.broken["by_country"])
    assert told.count("this name is also in") == 2
    assert ("agee: unknown name" in told, len(found.faults)) == (True, 3)
