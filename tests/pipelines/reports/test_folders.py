"""Where reports are: built in, in a folder of one's own, and where they were once."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.reports.catalog import HOURLY_REPORT, Reports, reports_of
from pipelines.reports.files import read_files
from pipelines.reports.folders import moves, own_files, why_no_folder

ROOT = Path(__file__).resolve().parents[3]
DAILY = (ROOT / "pipelines" / "reports" / "presets" / "insights_daily.yaml").read_text("utf-8")
MINE = """\
type: pipelines.components.InsightsReport
attributes:
  name: mine
  level: campaign
  fields: [spend]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str = MINE) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def names(reports: Reports) -> list[str]:
    """Those that can be loaded, besides the hourly one."""
    return sorted(reports.by_name.keys() - {HOURLY_REPORT.name})


def test_without_a_folder_there_is_what_is_built_in() -> None:
    assert names(reports_of({})) == ["insights_daily"]
    assert reports_of({}).problems == ()


def test_reports_in_the_working_directory_are_read_at_any_depth_under_any_name() -> None:
    write("reports/mine.yaml")
    write("reports/eu/defs.yml", MINE.replace("mine", "two") + "---\n" + MINE.replace("mine", "x"))

    assert names(reports_of({})) == ["insights_daily", "mine", "two", "x"]


def test_fb_reports_names_another_folder(tmp_path: Path) -> None:
    write("reports/mine.yaml")
    write("elsewhere/other.yaml", MINE.replace("mine", "other"))

    for folder in ("elsewhere", str(tmp_path / "elsewhere"), " ./elsewhere "):
        assert names(reports_of({"FB_REPORTS": folder})) == ["insights_daily", "other"]


@pytest.mark.parametrize("folder", ["nowhere", "a.yaml"])
def test_fb_reports_must_be_a_folder_and_all_else_that_is_wrong_is_told_with_it(
    folder: str,
) -> None:
    write("a.yaml")

    with pytest.raises(ConfigError, match=f"FB_REPORTS is not a folder: '{folder}'") as caught:
        own_files({"FB_REPORTS": folder, "FB_API_VERSION": "26"})

    assert "FB_API_VERSION is not a version" in str(caught.value)


@pytest.mark.parametrize("is_link", [False, True])
def test_what_is_in_the_folders_place_is_reported_and_costs_no_other_report(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_link: bool,
) -> None:
    place = tmp_path / "reports"
    place.symlink_to("nowhere") if is_link else place.touch()

    assert names(reports_of({})) == ["insights_daily"]
    assert caplog.messages == [why_no_folder({})]
    assert "reports is not a folder" in caplog.text
    (tmp_path / "mine").mkdir()
    assert why_no_folder({"FB_REPORTS": "mine"}) == ""


def test_a_report_of_ones_own_replaces_the_one_that_is_built_in() -> None:
    write("reports/daily.yaml", DAILY.replace("    - spend\n", "    - spend\n    - cpc\n"))

    found = reports_of({})

    assert found.problems == ()
    assert "cpc" in found.by_name["insights_daily"].table.fields


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    - reach\n", ""),
        ("level: ad", "levl: ad"),
        ("level: ad", "level: [ad]"),
        ("  fields:", "  fields: ["),
        ("type: pipelines.components.InsightsReport", "type: pipelines.components.InsightReport"),
    ],
)
def test_one_of_ones_own_that_is_wrong_is_not_replaced_by_the_one_that_is_built_in(
    old: str, new: str
) -> None:
    """It may have more columns, which would be lost in each day that is loaded again."""
    write("reports/wide.yaml", DAILY.replace(old, new))

    found = reports_of({})

    assert (names(found), list(found.broken)) == ([], ["insights_daily"])
    assert found.faults


def test_a_file_that_cannot_be_read_and_says_nothing_of_it_leaves_what_is_built_in() -> None:
    write("reports/wide.yaml", "a: [\n")

    assert names(reports_of({})) == ["insights_daily"]
    assert list(reports_of({}).broken) == ["reports/wide.yaml:2"]


def test_files_of_before_are_read_with_one_warning_until_they_are_moved(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("one", "two", "my own"):
        write(f"pipelines/defs/{name}/defs.yaml", MINE.replace("mine", name[:3].strip()))
    write("pipelines/defs/helper.py", "")
    write("reports/two.yaml", MINE)

    with caplog.at_level(logging.WARNING):
        before = read_files(own_files({}))

    assert sorted(before.specs) == ["mine", "my", "one", "two"]
    [record] = caplog.records
    assert "pipelines/defs/one/defs.yaml, " in record.getMessage()
    assert "now belong in the folder reports" in record.getMessage()

    for _, command in moves({}):
        subprocess.run(command, shell=True, check=True)  # noqa: S602  # as a person would paste it
    caplog.clear()
    after = read_files(own_files({}))

    assert after.specs == before.specs
    assert {path.name for path in Path("reports").iterdir()} == {
        *("one.yaml", "two.yaml", "two_2.yaml", "my own.yaml")
    }
    assert (caplog.records, list(moves({}))) == ([], [])


def test_the_folder_to_move_to_is_made_where_there_is_none() -> None:
    write("pipelines/defs/mine/defs.yaml")

    [(_, command)] = moves({})
    subprocess.run(command, shell=True, check=True)  # noqa: S602  # as above

    assert Path("reports/mine.yaml").read_text("utf-8") == MINE


def test_what_is_in_two_places_is_a_fault_of_both() -> None:
    write("pipelines/defs/mine/defs.yaml")
    write("reports/mine.yaml")

    found = reports_of({})

    places = ["reports/mine.yaml:3", "pipelines/defs/mine/defs.yaml:3"]
    assert found.faults == [
        f"{one}: name: mine: this name is also in {other}, so none of them is loaded: rename or"
        " remove all but one"
        for one, other in (places, places[::-1])
    ]
    assert (names(found), list(found.broken)) == (["insights_daily"], ["mine"])
