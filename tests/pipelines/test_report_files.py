"""`defs.yaml` files: what is read, and what is told with file and line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from pipelines.definition import Definition
from pipelines.report_files import read_definitions
from pipelines.reports import CONTROL, REPORTS, read_reports, report_of
from pipelines.settings import ConfigError
from warehouse.registry import OWN
from warehouse.schema import LIVE_WINDOWS, TABLES
from warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_tables")

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
    found = read_definitions(folder(RIGHT))

    assert found.faults == []
    assert found.definitions["by_country"] == Definition(
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


def test_a_day_may_be_quoted_and_a_file_may_hold_several_reports_and_other_components(
    folder: Callable[..., Path],
) -> None:
    quoted = RIGHT.replace("2026-01-01", '"2026-01-01"')
    other = "type: dagster.DefsFolderComponent\nattributes: {fields: 7}\n"

    found = read_definitions(folder(f"{quoted}---\n{other}---\n{RIGHT.replace('by_', 'per_')}"))

    assert found.faults == []
    assert [d.start_date for d in found.definitions.values()] == [date(2026, 1, 1)] * 2
    assert list(found.definitions) == ["by_country", "per_country"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  level: campaign\n", "", "2: level: is missing"),
        ("lookback_days", "lookback_day", "8: lookback_day: is no key of a report; do you mean l"),
        ("owners", "colour", "11: colour: is no key of a report; there are name, level, fields"),
        ("lookback_days: 7", "lookback_days: week", "8: lookback_days: week: write a whole number"),
        ("lookback_days: 7", "lookback_days: yes", "8: lookback_days: True: write a whole number"),
        ("2026-01-01", "2026-02-30", "9: start_date: 2026-02-30: write a day like 2026-11-21"),
        ("2026-01-01", '"{{ env.X }}"', "9: start_date: {{ env.X }}: write a day like 2026-11-21"),
        ("2026-01-01", "2026-01-01 10:00:00", "9: start_date: 2026-01-01 10:00:00: write a day"),
        ("[country]", "country", "5: breakdowns: country: write a list of texts"),
        ("[country]", "[1]", "5: breakdowns: write a list of texts"),
        ("[country]", "{country: 1}", "5: breakdowns: write a list of texts"),
        ("[country]", "\n  - country\n  - age", "5: breakdowns: age+country: Meta gives no such"),
        ("by_country", "insights_hourly", "3: name: insights_hourly: this name is taken"),
        ("by_country", "accounts", "3: name: accounts: this name is taken"),
        ("by_country", "warehouse_duckdb", "3: name: warehouse_duckdb: this name is taken"),
        ("by_country", "campaign_daily", "3: name: campaign_daily: campaign_daily: a view or"),
        ("by_country", "insights_daily", "3: name: insights_daily: insights_daily has one row per"),
        (RIGHT[RIGHT.index("attr") :], "attributes: []\n", "2: attributes: is missing"),
        ("[country]", "[country", "6: YAML: expected ',' or ']'"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    folder: Callable[..., Path], old: str, new: str, told: str
) -> None:
    where = folder(RIGHT.replace(old, new))

    with pytest.raises(ConfigError) as caught:
        read_reports(where)

    lines = str(caught.value).splitlines()
    assert len(lines) == 2, lines
    assert f"a/defs.yaml:{told}" in lines[1]


def test_the_line_is_that_of_the_value(folder: Callable[..., Path]) -> None:
    text = RIGHT.replace("[impressions, actions]", "\n  - impressions\n  - clickz\n  - actions")

    [fault] = read_definitions(folder(text)).faults

    assert "defs.yaml:8: fields: clickz: is not known; do you mean clicks" in fault


def test_all_files_are_told_at_once(folder: Callable[..., Path]) -> None:
    wrong = RIGHT.replace("impressions", "impresions").replace("7d_click", "7d_view")
    again = RIGHT.replace("country]", "agee]")

    with pytest.raises(ConfigError) as caught:
        read_reports(folder(wrong, again))

    told = str(caught.value)
    assert "a/defs.yaml:6: fields: impresions" in told
    assert "a/defs.yaml:7: action_attribution_windows: 7d_view" in told
    assert "b/defs.yaml:5: breakdowns: agee" in told
    assert "b/defs.yaml:3: name: by_country: there is a report of this name already, in" in told


def test_the_table_of_a_report_is_the_warehouses_with_a_view_of_its_lists(
    folder: Callable[..., Path],
) -> None:
    reports = read_reports(folder(RIGHT))

    assert reports["by_country"].table.grain == ("account_id", "campaign_id", "date", "country")
    assert VIEWS["by_country_actions"].grain[-2:] == ("list_field", "action_type")
    assert "7d_click" in [column.name for column in VIEWS["by_country_actions"].columns]


def test_a_report_without_lists_has_no_view(folder: Callable[..., Path]) -> None:
    plain = RIGHT.replace(", actions", "").replace("  action_attribution_windows: [7d_click]\n", "")

    read_reports(folder(plain))

    assert "by_country_actions" not in VIEWS


def test_insights_daily_may_be_given_more_fields_and_none_may_be_taken(
    folder: Callable[..., Path],
) -> None:
    asked = ", ".join(f for f in OWN["insights_daily"].fields if f != "date_start")
    text = f"""\
type: pipelines.components.InsightsReport
attributes:
  name: insights_daily
  level: ad
  fields: [{asked}, cpc, results]
  action_attribution_windows: [1d_click, 7d_click, 1d_view, 1d_ev]
"""
    wider = text.replace(", reach", "")

    with pytest.raises(ConfigError, match="must keep reach, which views count on"):
        read_reports(folder(wider))
    (folder() / "a" / "defs.yaml").write_text(text.replace("1d_click, ", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="insights_daily must keep actions as list"):
        read_reports(folder())
    (folder() / "a" / "defs.yaml").write_text(text.replace(", 1d_ev", ""), encoding="utf-8")
    read_reports(folder())

    assert TABLES["insights_daily"].column("cpc").kind == "ratio"


def test_what_is_asked_for_says_windows_and_action_breakdowns() -> None:
    asked = Definition(
        name="x",
        level="campaign",
        fields=("actions",),
        action_breakdowns=("action_device",),
        action_attribution_windows=("1d_view",),
    )

    report = report_of(asked)

    assert list(report.action_breakdowns) == ["action_type", "action_device"]
    assert list(report.windows) == ["1d_view"]
    params = CONTROL.params(date(2026, 11, 20), date(2026, 11, 20))
    assert params["action_breakdowns"] is None
    assert params["action_attribution_windows"] == list(LIVE_WINDOWS)


def test_the_reports_that_ship_are_right_and_read() -> None:
    assert set(REPORTS) == {"insights_hourly", "insights_daily", "insights_age_gender"}
    assert REPORTS["insights_age_gender"].breakdowns == ("age", "gender")
    assert read_definitions().faults == []
