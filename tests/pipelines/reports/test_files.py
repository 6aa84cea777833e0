"""Files of reports: what is read, and what is reported with file and line."""

from __future__ import annotations

import errno
import os
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.reports.catalog import CONTROL, HOURLY_REPORT, Report, read_reports
from pipelines.reports.files import read_files
from pipelines.reports.spec import ReportSpec
from pipelines.reports.yaml_files import yaml_files
from tests.reports import KNOWN
from warehouse.schema.catalog import OWN
from warehouse.schema.insights import LIVE_WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


RIGHT = """\
type: pipelines.components.InsightsReport
attributes:
  name: by_country
  level: campaign
  breakdowns: [country]
  fields: [impressions, actions]
  action_attribution_windows: [7d_click]
  lookback_days: 7
  start_date: 2026-01-01
  description: Campaigns by country.
  owners: ["team:growth"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder with one `defs.yaml` for each text, in `a`, `b` and so on."""

    def write(*texts: str) -> Path:
        for name, text in zip("abc", texts, strict=False):
            path = tmp_path / name / "defs.yaml"
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_file_says_a_report(folder: Callable[..., Path]) -> None:
    found = read_files(yaml_files(folder(RIGHT)))

    assert found.faults == []
    assert found.specs["by_country"] == ReportSpec(
        name="by_country",
        level="campaign",
        fields=("impressions", "actions"),
        breakdowns=("country",),
        action_attribution_windows=("7d_click",),
        lookback_days=7,
        start_date=date(2026, 1, 1),
        description="Campaigns by country.",
        owners=("team:growth",),
    )


def test_a_day_may_be_quoted_and_a_file_may_hold_several_reports(
    folder: Callable[..., Path],
) -> None:
    quoted = RIGHT.replace("2026-01-01", '"2026-01-01"')

    found = read_files(yaml_files(folder(f"{quoted}---\n{RIGHT.replace('by_', 'per_')}")))

    assert found.faults == []
    assert [d.start_date for d in found.specs.values()] == [date(2026, 1, 1)] * 2
    assert list(found.specs) == ["by_country", "per_country"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  level: campaign\n", "", "2: level: is missing"),
        (
            "lookback_days",
            "lookback_day",
            "8: lookback_day: is not a key of a report; did you mean l",
        ),
        (
            "owners",
            "colour",
            "11: colour: is not a key of a report; expected one of name, level, fields",
        ),
        (
            "lookback_days: 7",
            "lookback_days: week",
            "8: lookback_days: week: expected a whole number",
        ),
        (
            "lookback_days: 7",
            "lookback_days: yes",
            "8: lookback_days: True: expected a whole number",
        ),
        ("2026-01-01", "2026-02-30", "9: start_date: 2026-02-30: expected a day like 2026-11-21"),
        (
            "2026-01-01",
            '"{{ env.X }}"',
            "9: start_date: {{ env.X }}: expected a day like 2026-11-21",
        ),
        ("2026-01-01", "2026-01-01 10:00:00", "9: start_date: 2026-01-01 10:00:00: expected a day"),
        ("2026-01-01", "2026-W01-1", "9: start_date: 2026-W01-1: expected a day like 2026-11-21"),
        ("2026-01-01", "9999-12-31", "9: start_date: 9999-12-31: expected a day no later than"),
        ("[country]", "country", "5: breakdowns: country: expected a list, like [age, gender]"),
        ("[country]", "[1]", "5: breakdowns: expected a list, like [age, gender]"),
        (
            '["team:growth"]',
            "growth",
            '11: owners: growth: expected a list, like ["ada@example.com", "team:growth"]',
        ),
        ("[country]", "{country: 1}", "5: breakdowns: expected a list, like [age, gender]"),
        ("[country]", "\n  - country\n  - age", "5: breakdowns: age+country: Meta is not known to"),
        ("by_country", "insights_hourly", "3: name: insights_hourly: this name is reserved: fb"),
        ("by_country", "accounts", "3: name: accounts: this name is reserved: fbinsights"),
        ("by_country", "warehouse_duckdb", "3: name: warehouse_duckdb: this name is reserved: D"),
        ("by_country", "campaign_daily", "3: name: campaign_daily: this name is reserved: fb"),
        (
            "by_country",
            "insights_daily",
            "3: name: insights_daily: insights_daily must keep one row per",
        ),
        (RIGHT[RIGHT.index("attr") :], "attributes: []\n", "2: attributes: write what"),
        ("[country]", "[country", "6: YAML: expected ',' or ']'"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    folder: Callable[..., Path], old: str, new: str, told: str
) -> None:
    where = folder(RIGHT.replace(old, new))

    found = read_reports(yaml_files(where))

    assert len(found.faults) == 1, found.faults
    assert f"a/defs.yaml:{told}" in found.faults[0]
    assert (len(found.broken), list(found.by_name)) == (1, [HOURLY_REPORT.name])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("defs.yaml", RIGHT.replace("type:", "typ:"), "2: type: is missing: write type: pipelines"),
        ("defs.yaml", RIGHT.replace("InsightsReport", "insightreport"), "1: type: pipelines.compo"),
        ("defs.yaml", RIGHT.replace("pipelines.components", "fbinsights"), "1: type: fbinsights."),
        ("defs.yaml", RIGHT.replace("pipelines.components.InsightsReport", "Reprt"), "Reprt: "),
        ("by_country.yml", RIGHT.replace("typ", "tip"), "2: type: is missing: write type: pipel"),
        ("By_Country.YAML", RIGHT + "  a: 1\n", "12: a: is not a key of a report"),
        ("values.yaml", "a: [\n", "2: YAML: "),
        ("schema.yml", "version: 2\nmodels: []\n", "1: type: is missing: write type: pipelines"),
        ("x.yaml", "type: dagster.DefsFolderComponent\n", "1: type: dagster.DefsFolderComponent"),
        ("x.yaml", "type: a.B\nattributes: {fields: 7}\n", "is not a report, and only reports"),
        ("x.yaml", RIGHT + "requirements: {}\n", "12: requirements: is not a key at this level"),
        ("x.yaml", RIGHT + "  action_breakdowns:\n", "12: action_breakdowns: expected a list"),
        ("defs.yaml", "", "1: document: is empty: write type: pipelines"),
        ("defs.yaml", "# later\n", "1: document: is empty: write type: pipelines"),
        ("defs.yaml", "- spend\n", "1: document: is not a report"),
        ("defs.yaml", RIGHT + "  level: ad\n", "12: level: is written twice"),
        ("defs.yaml", RIGHT + "labels: 1\n", "12: labels: is not a key at this level"),
        ("defs.yaml", "attributes: &a {name: *a, fields: [*a]}\n", "or one contains itself"),
        ("defs.yaml", RIGHT.replace("by_country", "on"), "3: name: True: expected text, in quotes"),
        ("defs.yaml", RIGHT.replace("by_country", "By_Country"), "lower case, by_country: DuckDB"),
        ("defs.yaml", "a: &a 1\nb: &a 2\n", "2: YAML: an anchor of this name is defined above"),
        ("defs.yaml", "[" * 3000, "1: YAML: lists and keys are nested too deeply"),
        ("defs.yaml", RIGHT + "#" * 1_000_000, "1: YAML: the file is longer than 1,000,000 bytes"),
    ],
)  # fmt: skip
def test_nothing_that_is_meant_for_a_report_is_passed_over(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    found = read_reports(yaml_files(tmp_path))

    assert list(found.by_name) == [HOURLY_REPORT.name]
    assert any(told in fault for fault in found.faults), found.faults


@pytest.mark.parametrize("values", ["[{0}, {0}, {0}, {0}, {0}]", "{{<<: [{0}, {0}, {0}]}}"])
def test_a_short_file_that_means_billions_of_values_is_refused_at_once(
    folder: Callable[..., Path], values: str
) -> None:
    chain = [f"a{n + 1}: &a{n + 1} {values.format(f'*a{n}')}" for n in range(30)]
    lines = ["a0: &a0 {x: 1}", *chain, "attributes: *a30", ""]

    [fault] = read_reports(yaml_files(folder("\n".join(lines)))).faults

    assert "a/defs.yaml:1: YAML: aliases expand to more than 100,000 values" in fault


def test_a_folder_that_cannot_be_read_stops_no_report(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = folder(RIGHT, RIGHT)
    real = os.scandir

    def scandir(path: Path) -> Any:  # root, who runs tests in containers, may read everything
        if str(path).endswith("/a"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = read_reports(yaml_files(where))

    assert list(found.by_name) == [HOURLY_REPORT.name, "by_country"]
    [fault] = found.faults
    assert fault.endswith("/a:1: folder: cannot be read: check its permissions")


def test_a_wrong_report_stops_no_other_and_keeps_what_can_be_told_of_its_table(
    folder: Callable[..., Path],
) -> None:
    wrong = RIGHT.replace("impressions", "impresions").replace("by_country", "mine")

    found = read_reports(yaml_files(folder(wrong, RIGHT, "a: [")))
    catalog = found.catalog

    assert list(found.by_name) == [HOURLY_REPORT.name, "by_country"]
    assert [name.rpartition("/")[2] for name in found.broken] == ["mine", "defs.yaml:1"]
    # Its days are in the lake, and stay published.
    assert "actions" in [column.name for column in catalog.tables["mine"].columns]
    assert "mine_actions" in catalog.views
    # If the lake has kept its definition, that is better.
    assert catalog.given == {"by_country"}


def test_a_name_that_is_reserved_now_takes_nothing_of_its_owner(
    folder: Callable[..., Path],
) -> None:
    found = read_reports(
        yaml_files(
            folder(*(RIGHT.replace("by_country", n) for n in ("creatives", "ad_daily", "loads")))
        )
    )

    assert list(found.broken) == ["creatives", "ad_daily", "loads"]
    assert found.catalog == OWN


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[country]", "[spend]", "by_country would have two columns called spend"),
        ("[country]", "[campaign_id]", "by_country would have two columns called campaign_id"),
        ("actions]", "actions, date]", "by_country would have two columns called date"),
        ("[7d_click]", "[value]", "by_country would have two columns called value"),
        ("[7d_click]", "[list_field]", "by_country_actions would have two columns called list_f"),
        (
            "actions]",
            'actions, "a b"]',
            "fields: a b: use only a-z, 0-9 and _: it becomes a column's name",
        ),
        ("actions]", "actions, Spend]", "fields: Spend: use only a-z, 0-9 and _"),
    ],
)
def test_what_is_unknown_names_a_column_of_its_own(
    folder: Callable[..., Path], old: str, new: str, told: str
) -> None:
    text = RIGHT.replace("impressions", "spend").replace(old, new) + "  allow_unknown: true\n"

    [fault] = read_reports(yaml_files(folder(text))).faults

    assert told in fault


def test_the_line_is_that_of_the_value(folder: Callable[..., Path]) -> None:
    text = RIGHT.replace("[impressions, actions]", "\n  - impressions\n  - clickz\n  - actions")

    [fault] = read_files(yaml_files(folder(text))).faults

    assert "defs.yaml:8: fields: clickz: unknown name; did you mean clicks" in fault


def test_all_files_are_told_at_once(folder: Callable[..., Path]) -> None:
    wrong = RIGHT.replace("impressions", "impresions").replace("7d_click", "7d_view")
    again = RIGHT.replace("country]", "agee]")

    told = "\n".join(read_reports(yaml_files(folder(wrong, again))).faults)

    assert "a/defs.yaml:6: fields: impresions" in told
    assert "a/defs.yaml:7: action_attribution_windows: 7d_view" in told
    assert "b/defs.yaml:5: breakdowns: agee" in told
    assert "b/defs.yaml:3: name: by_country: this name is also in" in told


def test_what_is_wrong_in_a_file_is_told_in_the_order_of_its_lines(
    folder: Callable[..., Path],
) -> None:
    lines = RIGHT.replace("level: campaign", "colour: red").replace("[country]", "[agee]")
    several = lines.replace("[impressions, actions]", "\n  - clickz\n  - spent").replace(
        "7d_click", "7d_view"
    )

    found = read_reports(yaml_files(folder(several, several.replace("by_", "per_"))))

    told = [fault.rpartition("defs.yaml:")[2].split(":")[0] for fault in found.faults]
    assert told == ["2", "4", "5", "7", "8", "9"] * 2
    within = [
        line.rpartition("defs.yaml:")[2] for line in str(found.broken["by_country"]).split("\n")
    ]
    assert [line.split(":")[0] for line in within] == ["2", "4", "5", "7", "8", "9"]


def test_the_table_of_a_report_is_the_warehouses_with_a_view_of_its_lists(
    folder: Callable[..., Path],
) -> None:
    catalog = read_reports(yaml_files(folder(RIGHT))).catalog

    assert catalog.tables["by_country"].grain == ("account_id", "campaign_id", "date", "country")
    assert catalog.views["by_country_actions"].grain[-2:] == ("list_field", "action_type")
    assert "7d_click" in [column.name for column in catalog.views["by_country_actions"].columns]


def test_a_report_without_lists_has_no_view(folder: Callable[..., Path]) -> None:
    plain = RIGHT.replace(", actions", "").replace("  action_attribution_windows: [7d_click]\n", "")

    catalog = read_reports(yaml_files(folder(plain))).catalog

    assert "by_country" in catalog.tables
    assert "by_country_actions" not in catalog.views


def test_insights_daily_may_be_given_more_fields_and_none_may_be_taken(
    folder: Callable[..., Path],
) -> None:
    asked = ", ".join(f for f in OWN.tables["insights_daily"].fields if f != "date_start")
    text = f"""\
type: pipelines.components.InsightsReport
attributes:
  name: insights_daily
  level: ad
  fields: [{asked}, cpc, results]
  action_attribution_windows: [1d_click, 7d_click, 1d_view, 1d_ev]
"""
    wider = text.replace(", reach", "")

    [fault] = read_reports(yaml_files(folder(wider))).faults
    assert "must keep reach, which views need" in fault
    (folder() / "a" / "defs.yaml").write_text(text.replace("1d_click, ", ""), encoding="utf-8")
    [fault] = read_reports(yaml_files(folder())).faults
    assert "insights_daily must keep actions as list" in fault
    (folder() / "a" / "defs.yaml").write_text(text.replace(", 1d_ev", ""), encoding="utf-8")
    reports = read_reports(yaml_files(folder()))
    assert reports.faults == []

    assert reports.catalog.tables["insights_daily"].column("cpc").kind == "ratio"


def test_what_is_asked_for_says_windows_and_action_breakdowns() -> None:
    asked = ReportSpec(
        name="x",
        level="campaign",
        fields=("actions",),
        action_breakdowns=("action_device",),
        action_attribution_windows=("1d_view",),
    )

    report = Report.of(asked)

    assert report.action_breakdowns == ("action_type", "action_device")
    assert list(report.windows) == ["1d_view"]
    params = CONTROL.params(date(2026, 11, 20), date(2026, 11, 20))
    assert params["action_breakdowns"] is None
    assert params["action_attribution_windows"] == list(LIVE_WINDOWS)


def test_the_reports_that_ship_are_right_and_read() -> None:
    assert set(KNOWN.by_name) == {"insights_hourly", "insights_daily", "insights_age_gender"}
    assert KNOWN.by_name["insights_age_gender"].breakdowns == ("age", "gender")
    assert KNOWN.problems == ()
