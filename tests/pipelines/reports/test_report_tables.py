"""The table of a report: a column of the right kind for all that may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from fbgraph.catalog.fields import ACTION_BREAKDOWNS, BREAKDOWNS, insights_fields
from pipelines.reports.rules import faults
from pipelines.reports.spec import ReportSpec
from pipelines.reports.tables import table_of


def definition(**changes: Any) -> ReportSpec:
    """A report that is right but for `changes`."""
    right: dict[str, Any] = {"name": "mine", "level": "ad", "fields": ("impressions", "actions")}
    return ReportSpec(**right | changes)


@pytest.mark.parametrize("name", sorted(BREAKDOWNS))
def test_every_breakdown_can_be_a_column(name: str) -> None:
    table = table_of(definition(breakdowns=(name,), fields=("reach",)))

    [column] = [column for column in table.columns if column.breakdown]
    assert (column.source, column.name in table.grain) == (name, True)
    assert column not in table.required


@pytest.mark.parametrize("name", sorted(ACTION_BREAKDOWNS - {"action_type"}))
def test_every_action_breakdown_can_be_a_key_of_an_entry(name: str) -> None:
    table = table_of(definition(action_breakdowns=("action_type", name)))

    entry = table.column("actions").arrow_type.value_type
    assert [field.name for field in entry] == ["action_type", name, "value"]


@pytest.mark.parametrize(
    ("field", "kind", "unit", "meaning"),
    [
        ("spend", "money", "account currency, major units", "Estimated money spent"),
        ("cpc", "ratio", "account currency, major units", "Cpc; do not add up"),
        ("ctr", "ratio", "percent", "Ctr; do not add up"),
        ("reach", "count", "", "People who saw the ad, estimated; do not add up"),
        ("instagram_profile_visits", "count", "", "Instagram profile visits"),
        ("canvas_avg_view_time", "ratio", "", "Canvas avg view time; do not add up"),
        ("created_time", "date", "", "Created time"),
        ("results", "json", "", "Results; do not add up"),
        ("video_play_curve_actions", "json", "", "Video play curve actions; do not add up"),
        (
            "website_ctr",
            "actions",
            "percent",
            "Website ctr; do not add up",
        ),
        (
            "ad_click_actions",
            "actions",
            "count",
            "Ad click actions; types overlap, do not add them up",
        ),
    ],
)
def test_a_column_is_of_the_kind_that_its_field_needs(
    field: str, kind: str, unit: str, meaning: str
) -> None:
    column = table_of(definition(fields=(field,))).column(field)

    assert (column.kind, column.unit, column.meaning) == (kind, unit, meaning)


@pytest.mark.parametrize(
    ("level", "grain", "has", "lacks"),
    [
        ("account", ("account_id", "date"), "account_currency", "campaign_id"),
        ("campaign", ("account_id", "campaign_id", "date"), "objective", "adset_id"),
        ("adset", ("account_id", "adset_id", "date"), "optimization_goal", "ad_id"),
        ("ad", ("account_id", "ad_id", "date"), "adset_name", ""),
    ],
)
def test_a_row_is_an_object_of_the_level_and_a_day(
    level: str, grain: tuple[str, ...], has: str, lacks: str
) -> None:
    table = table_of(definition(level=level, fields=("reach",)))

    names = table.arrow_schema.names
    assert table.grain == grain
    assert has in names
    assert lacks not in names
    assert {"impressions", "clicks", "spend", "reach"} <= set(names)


def test_every_field_that_may_be_asked_for_can_be_a_column() -> None:
    names = tuple(
        name
        for name in insights_fields()
        if not faults(definition(fields=(name,), breakdowns=("product_id",)))
    )

    table = table_of(definition(fields=names))

    assert len(names) > 150
    assert set(names) <= set(table.fields)
    assert table.arrow_schema.names.count("impressions") == 1
