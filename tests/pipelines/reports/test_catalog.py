"""What we ask for, held against the catalogue of what Meta gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY, insights_fields, object_fields
from pipelines.reports.catalog import CONTROL, HOURLY_REPORT, Report
from pipelines.reports.tables import table_of
from tests.objects import NEEDED
from tests.reports import KNOWN
from warehouse.schema.catalog import OWN
from warehouse.schema.insights import INSIGHTS_DAILY, INSIGHTS_HOURLY
from warehouse.schema.tables import OBJECT_TABLES

EVERY_REPORT = [CONTROL, *KNOWN.by_name.values()]


@pytest.mark.parametrize("report", EVERY_REPORT, ids=lambda report: report.name)
def test_every_field_asked_for_is_one_that_meta_gives_and_that_fails_no_request(
    report: Report,
) -> None:
    fields = [insights_fields()[name] for name in report.table.fields]

    assert [field.field for field in fields if field.care] == []


@pytest.mark.parametrize("report", EVERY_REPORT, ids=lambda report: report.name)
def test_by_the_hour_nothing_is_asked_for_that_does_not_exist_by_the_hour(report: Report) -> None:
    fields = [insights_fields()[name] for name in report.table.fields]
    unfit = {"error", "zero", "absent", "omitted"}

    assert HOURLY not in report.breakdowns or not [f for f in fields if f.hourly in unfit]


def test_the_tables_that_the_warehouse_has_of_reports_are_those_that_the_reports_make() -> None:
    """Column by column, in their order, to the word: the preset is YAML, and so written twice."""
    daily, hourly = KNOWN.by_name["insights_daily"], HOURLY_REPORT

    assert daily.table == INSIGHTS_DAILY == OWN.tables["insights_daily"]
    assert replace(table_of(hourly.spec), meaning=INSIGHTS_HOURLY.meaning) == INSIGHTS_HOURLY


def test_breakdowns_are_asked_for_as_such_and_not_as_fields() -> None:
    for report in EVERY_REPORT:
        assert tuple(report.breakdowns) == tuple(report.table.breakdowns)
        assert not set(report.breakdowns) & set(report.table.fields)


@pytest.mark.parametrize(
    ("table", "level"),
    [("accounts", "account"), *((name, row.kind) for name, row in NEEDED.items())],
)
def test_every_field_of_an_object_is_one_that_ads_read_may_read(table: str, level: str) -> None:
    known = object_fields("adaccount" if level == "account" else level)

    asked = OBJECT_TABLES[table].fields
    assert [f for f in asked if f not in known or known[f].right] == []


def test_a_report_asks_for_exactly_its_days_by_the_day_and_for_every_status() -> None:
    params = HOURLY_REPORT.params(date(2026, 11, 20), date(2026, 11, 22))

    assert params["time_range"] == {"since": "2026-11-20", "until": "2026-11-22"}
    assert params["time_increment"] == 1
    assert params["filtering"] == [
        {"field": "ad.effective_status", "value": list(EFFECTIVE_STATUSES["ad"]), "operator": "IN"}
    ]
    assert {"ARCHIVED", "DELETED"} <= set(EFFECTIVE_STATUSES["ad"])


def test_control_totals_are_the_accounts_own_without_a_filter() -> None:
    params = CONTROL.params(date(2026, 11, 20), date(2026, 11, 22))

    assert (params["level"], params["filtering"]) == ("account", None)
