"""What a report may ask for: each rule broken at least once, and what must pass."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fbgraph.fields import ACTION_BREAKDOWNS, BREAKDOWNS, COMBINATIONS, HOURLY, insights_fields
from pipelines.definition import FIRST_DAY, Definition
from pipelines.report_rules import CARE, RULES, faults, no_sums
from pipelines.report_tables import table_of


def definition(**changes: Any) -> Definition:
    """A report that is right but for `changes`."""
    right: dict[str, Any] = {"name": "mine", "level": "ad", "fields": ("impressions", "actions")}
    return Definition(**right | changes)


AUDIENCE = "hourly_stats_aggregated_by_audience_time_zone"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "My report"}, "name: My report: write a-z"),
        ({"name": "1st"}, "name: 1st: write a-z"),
        ({"level": "adsets"}, "level: adsets: is not known; do you mean adset"),
        ({"level": "creative"}, "there are account, campaign, adset, ad"),
        ({"fields": ()}, "fields: name at least one field"),
        ({"fields": ("spend", "spend")}, "fields: spend: stands there twice"),
        ({"breakdowns": ("age", "age")}, "breakdowns: age: stands there twice"),
        ({"fields": ("impresions",)}, "impresions: is not known; do you mean impressions"),
        ({"fields": ("zzz",)}, "fields: zzz: is not known"),
        ({"fields": ("date_start",)}, "date_start: leave it out"),
        ({"fields": ("age",)}, "age: is no field; put it under breakdowns"),
        ({"fields": ("action_device",)}, "action_device: is no field; put it under action_break"),
        ({"fields": ("age_targeting",)}, "age_targeting: Meta refuses every request with it"),
        ({"fields": ("wish_bid",)}, "wish_bid: requests with it fail"),
        ({"fields": ("total_card_view",)}, "report runs with it fail (2/1504044)"),
        ({"fields": ("adset_end",)}, "adset_end: a finished report run with it cannot be read"),
        ({"fields": ("creative_media_type",)}, "it splits rows"),
        ({"fields": ("objective_results",)}, "it comes back as `results`"),
        ({"fields": ("total_postbacks",)}, "together with other metrics"),
        ({"fields": ("configurable_placement_ptc_reach",)}, "needs a filter"),
        ({"level": "campaign", "fields": ("ad_id",)}, "rows of level campaign have none; use ad"),
        ({"level": "account", "fields": ("campaign_name",)}, "level account have none; use camp"),
        ({"level": "adset", "fields": ("quality_ranking",)}, "level adset have none; use ad"),
        ({"breakdowns": (HOURLY,), "fields": ("video_play_actions",)}, "refuses it by the hour"),
        ({"breakdowns": (HOURLY,), "fields": ("reach",)}, 'by the hour Meta sends "0"'),
        ({"breakdowns": (AUDIENCE,), "fields": ("frequency",)}, 'by the hour Meta sends "0"'),
        ({"breakdowns": (HOURLY,), "fields": ("cpp",)}, "by the hour it does not exist"),
        ({"breakdowns": (HOURLY,), "fields": ("unique_clicks",)}, "by the hour Meta leaves it out"),
        ({"breakdowns": (HOURLY, "age")}, "by the hour Meta gives no other breakdown"),
        ({"breakdowns": (HOURLY,), "action_breakdowns": ("action_device",)}, "Meta gives only act"),
        ({"breakdowns": ("age",), "action_breakdowns": ("action_reaction",)}, "Meta gives only"),
        ({"breakdowns": ("agee",)}, "breakdowns: agee: is not known; do you mean age"),
        ({"breakdowns": ("action_type",)}, "action_type: put it under action_breakdowns"),
        ({"breakdowns": ("impression_device",)}, "Meta gives it with publisher_platform only"),
        ({"breakdowns": ("platform_position",)}, "Meta gives it with publisher_platform only"),
        ({"breakdowns": ("age", "country")}, "no such combination; with one of them go age+gend"),
        ({"breakdowns": ("country", "region")}, "Meta gives no such combination"),
        (
            {"breakdowns": ("frequency_value",), "fields": ("impressions",)},
            "impressions: under frequency_value Meta gives reach alone",
        ),
        ({"breakdowns": ("image_asset",), "fields": ("ctr",)}, "ctr: under image_asset Meta give"),
        ({"breakdowns": ("region",), "fields": ("video_p25_watched_actions",)}, "no video_p*"),
        ({"breakdowns": ("region",), "fields": ("video_avg_time_watched_actions",)}, "no avg_time"),
        ({"fields": ("converted_product_quantity",)}, "needs the breakdown product_id"),
        ({"action_breakdowns": ("action_devise",)}, "is not known; do you mean action_device"),
        ({"fields": ("spend",), "action_breakdowns": ("action_device",)}, "add `actions` to the"),
        ({"action_attribution_windows": ("7d_view",)}, "7d_view: is accepted and has had no value"),
        ({"action_attribution_windows": ("28d_view",)}, "has had no value since 2026-01-12"),
        ({"action_attribution_windows": ("inline",)}, "returned on its own since 2025-06-10"),
        ({"action_attribution_windows": ("default",)}, "is what `value` holds anyway"),
        ({"action_attribution_windows": ("7d_clicks",)}, "do you mean 7d_click"),
        ({"fields": ("spend",), "action_attribution_windows": ("1d_click",)}, "no field has wind"),
        ({"lookback_days": 0}, "lookback_days: 0: write a number of days from 1 to 90"),
        ({"lookback_days": 91}, "lookback_days: 91: write"),
        ({"start_date": date(2023, 9, 30)}, "start_date: 2023-09-30: Meta keeps 37 months"),
        ({"breakdowns": (HOURLY,), "start_date": date(2024, 12, 11)}, "13 months of hourly break"),
        ({"fields": ("unique_clicks",), "start_date": date(2024, 1, 1)}, "13 months of unique_*"),
        (
            {"fields": ("reach",), "breakdowns": ("age",), "start_date": date(2024, 5, 9)},
            "13 months of reach under breakdowns: nothing before 2024-05-10",
        ),
        (
            {
                "fields": ("reach",),
                "breakdowns": ("frequency_value",),
                "start_date": date(2025, 7, 11),
            },
            "6 months of frequency_value",
        ),
        ({"owners": ("growth",)}, "owners: growth: write an e-mail address, or team:"),
    ],
)
def test_a_wrong_report_is_refused_with_the_rule(changes: dict[str, Any], told: str) -> None:
    found = [str(fault) for fault in faults(definition(**changes))]

    assert any(told in line for line in found), found
    assert len(found) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"level": "account", "fields": ("reach", "frequency", "results")},
        {"level": "campaign", "fields": ("campaign_id", "campaign_name", "spend")},
        {"breakdowns": (HOURLY,), "start_date": date(2024, 12, 12)},
        {"breakdowns": (HOURLY,), "action_breakdowns": ("action_target_id",)},
        {"breakdowns": (HOURLY,), "fields": ("actions", "purchase_roas")},
        {"breakdowns": ("region",), "fields": ("video_play_actions",)},
        {"breakdowns": ("product_id",), "fields": ("converted_product_quantity",)},
        {"breakdowns": ("frequency_value",), "fields": ("reach",)},
        {"breakdowns": ("image_asset",), "fields": ("spend", "reach", "action_values", "ad_name")},
        {"breakdowns": ("dma",)},
        {"action_breakdowns": ("action_device", "action_reaction")},
        {"action_attribution_windows": ("1d_click", "28d_click", "1d_ev", "incrementality")},
        {"fields": ("unique_clicks",)},
        {"lookback_days": 90, "start_date": date(2026, 2, 1), "owners": ("team:growth", "a@b.de")},
        *({"breakdowns": tuple(sorted(together))} for together in sorted(COMBINATIONS, key=sorted)),
    ],
    ids=str,
)
def test_a_right_report_has_no_fault_and_a_table(changes: dict[str, Any]) -> None:
    right = definition(**changes)

    assert [str(fault) for fault in faults(right)] == []
    assert set(right.fields) <= {column.source for column in table_of(right).columns}


def test_all_faults_are_told_at_once() -> None:
    wrong = definition(
        level="campaign",
        fields=("reach", "ad_id", "clickz"),
        breakdowns=(HOURLY,),
        action_attribution_windows=("7d_view",),
    )

    assert sorted((fault.key, fault.value) for fault in faults(wrong)) == [
        ("action_attribution_windows", ""),
        ("action_attribution_windows", "7d_view"),
        ("fields", "ad_id"),
        ("fields", "clickz"),
        ("fields", "reach"),
    ]


def test_a_report_that_loads_today_loads_next_year() -> None:
    assert all(rule(definition(start_date=FIRST_DAY)) is not None for rule in RULES)
    assert faults(definition(fields=("unique_clicks",), start_date=FIRST_DAY)) == []


def test_every_care_of_the_catalogue_has_words() -> None:
    assert {field.care for field in insights_fields().values()} - {""} == set(CARE)


@pytest.mark.parametrize(
    ("breakdowns", "why"),
    [
        ((), ""),
        ((HOURLY,), ""),
        (("age", "gender"), ""),
        (("publisher_platform", "platform_position", "impression_device"), ""),
        (("product_id",), "product_id counts what several products were shown in once for each"),
        (("video_asset",), "video_asset counts what several assets were shown in once for each"),
        (("frequency_value",), "people do not add up"),
        ((AUDIENCE,), "viewers' clocks"),
        (("dma",), "United States"),
        (("skan_version",), "SKAdNetwork"),
        (("signal_source",), "is not known to add up"),
    ],
)
def test_what_adds_up_to_no_total_has_its_reason(breakdowns: tuple[str, ...], why: str) -> None:
    told = no_sums(breakdowns)

    assert why in told
    assert bool(told) == bool(why)


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
