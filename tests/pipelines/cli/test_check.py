"""`fbinsights check`: all that is wrong with reports and settings, in one go."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipelines.cli.commands.check import run_check
from pipelines.cli.main import cli
from pipelines.reports.catalog import reports_of
from tests.reports import KNOWN

if TYPE_CHECKING:
    from pathlib import Path


TODAY = date(2026, 11, 23)
TOKEN = {"FB_ACCESS_TOKEN": "x"}

REPORT = """\
type: pipelines.components.InsightsReport
attributes:
  name: mine
  level: campaign
  fields: [spend]
"""


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of reports in place of ours; `look` reads it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


def look(reports: Path, files: dict[str, str], **settings: str) -> int:
    for name, text in files.items():
        path = reports / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return run_check(TOKEN | settings, reports_of({}), TODAY)


def test_nothing_is_wrong_with_what_ships() -> None:
    done = CliRunner().invoke(cli, ["check"], env=TOKEN)

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("0 problems, 0 warnings in ")
    assert "insights_age_gender" in done.stderr


def test_everything_is_told_at_once_with_file_line_and_rule(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = REPORT.replace("InsightsReport", "InsightReport").replace("level", "levl")
    files = {
        "a.yaml": wrong.replace("mine", "refresh").replace("[spend]", "[spend, spent, spend]"),
        "b.yml": REPORT.replace("mine", "yours").replace("campaign", "campain"),
        "c/defs.yaml": "type: [\n",
        "d/defs.yaml": REPORT + "---\n" + REPORT,
    }

    code = look(reports, files, FB_GRAPH_URL="ftp://x", FB_API_VERSION="26")

    said = capsys.readouterr()
    assert code == 1
    assert [line.split(" ", 1)[0] for line in said.out.splitlines()] == [
        *("reports/a.yaml:1:", "reports/a.yaml:2:", "reports/a.yaml:3:"),
        *("reports/a.yaml:4:", "reports/a.yaml:5:", "reports/a.yaml:5:"),
        *("reports/b.yml:4:", "reports/c/defs.yaml:2:"),
        *("reports/d/defs.yaml:3:", "reports/d/defs.yaml:9:", "FB_GRAPH_URL", "FB_API_VERSION"),
    ]
    for told in (
        "type: pipelines.components.InsightReport: write type: pipelines.components.InsightsReport",
        "levl: is not a key of a report; did you mean level?",
        "level: is missing",
        "name: refresh: this name is reserved: Dagster has an asset",
        "fields: spend: is listed twice",
        "fields: spent: unknown name; did you mean spend?",
        "level: campain: unknown name; did you mean campaign?",
        "name: mine: this name is also in reports/d/defs.yaml:3",
    ):
        assert told in said.out
    assert said.err.startswith("12 problems, 0 warnings in reports and the settings.")


def test_warnings_are_told_and_fail_nothing(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "  breakdowns: [comscore_market]\n  allow_unknown: true\n"
    files = {"a.yaml": REPORT.replace("spend", "spend, brand_new") + asked}

    code = look(reports, files, FB_ACCESS_TOKEN="")

    told = capsys.readouterr().out.splitlines()
    assert code == 0
    assert all(line.endswith(" (warning)") for line in told)
    assert "fields: brand_new: unknown name; requested anyway because of allow_unknown" in told[0]
    assert "enable the feature comscore" in told[1]
    assert "FB_ACCESS_TOKEN is not set" in told[2]
    assert told[3:] == []


def test_a_file_that_is_where_reports_were_once_comes_with_the_command_that_moves_it(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = reports.parent / "pipelines" / "defs"

    code = look(old, {"mine/defs.yaml": REPORT})

    said = capsys.readouterr()
    assert code == 0
    assert said.out == (
        "pipelines/defs/mine/defs.yaml: move it: mkdir -p reports &&"
        " mv pipelines/defs/mine/defs.yaml reports/mine.yaml (warning)\n"
    )
    assert said.err.startswith("0 problems, 1 warning in the settings.")


def test_a_version_that_ends_soon_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(TOKEN | {"FB_API_VERSION": "v25.0"}, KNOWN, date(2027, 2, 1)) == 0
    assert capsys.readouterr().out.startswith("v25.0 ends on 2027-02-23, in 22 days.")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"FB_ACCOUNT_IDS": "act_1, me"}, "FB_ACCOUNT_IDS: Invalid ad account id 'me'"),
        ({"WAREHOUSE_URL": "ftp://x/y"}, "WAREHOUSE_URL begins with ftp://"),
        ({"FB_API_VERSION": "v21.0"}, "Meta ended API version v21.0 on 2025-09-09."),
        ({"FB_DAGSTER_URL": "here"}, "FB_DAGSTER_URL is not an http(s) address: 'here'."),
    ],
)
def test_settings_are_checked_too(
    settings: dict[str, str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_check(TOKEN | settings, KNOWN, TODAY) == 1
    assert capsys.readouterr().out.startswith(told)


def test_a_secret_that_is_wrong_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(TOKEN | {"FB_ALERT_WEBHOOK": "hush"}, KNOWN, TODAY) == 1

    said = capsys.readouterr()
    assert said.out == "FB_ALERT_WEBHOOK is not an http(s) address.\n"
    assert "hush" not in said.err


def test_a_misspelt_variable_is_a_warning_with_the_name_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"FB_ACCES_TOKEN": "EAA", "FB_PAGE_ID": "1"}

    code = run_check(environ, KNOWN, date(2026, 11, 29))

    told = capsys.readouterr().out.splitlines()
    assert code == 0
    meant = "FB_ACCES_TOKEN is not a variable of fbinsights and has no effect. Did you mean"
    assert told[:2] == [
        f"{meant} FB_ACCESS_TOKEN? (warning)",
        "FB_PAGE_ID is not a variable of fbinsights and has no effect. (warning)",
    ]
