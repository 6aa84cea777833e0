"""What a report may ask for: each rule broken at least once, and what must pass."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from fbgraph.catalog.fields import COMBINATIONS, HOURLY, breakdowns, insights_fields
from pipelines.definitions import defs
from pipelines.reports.names import reserved
from pipelines.reports.rules import CARE, RULES, faults, no_sums
from pipelines.reports.spec import FIRST_DAY, ReportSpec
from pipelines.reports.tables import table_of
from tests.reports import KNOWN
from warehouse.schema.catalog import OWN

if TYPE_CHECKING:
    from collections.abc import Collection


def definition(**changes: Any) -> ReportSpec:
    """A report that is right but for `changes`."""
    right: dict[str, Any] = {"name": "mine", "level": "ad", "fields": ("impressions", "actions")}
    return ReportSpec(**right | changes)


def fields_under(asked: Collection[str]) -> tuple[str, ...]:
    """A field that Meta gives under all of these breakdowns."""
    names = ("clicks", "total_postbacks")
    return tuple(f for f in names if all(breakdowns()[name].gives(f) for name in asked))[:1]


AUDIENCE = "hourly_stats_aggregated_by_audience_time_zone"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "My report"}, "name: My report: use only a-z"),
        ({"name": "1st"}, "name: 1st: use only a-z"),
        ({"period": "weekly"}, "period: weekly: unknown name; did you mean week"),
        (
            {"period": "week", "breakdowns": (HOURLY,)},
            f"period: week: Meta would add up the same hour of all days; remove {HOURLY}",
        ),
        ({"level": "adsets"}, "level: adsets: unknown name; did you mean adset"),
        ({"level": "creative"}, "expected one of account, campaign, adset, ad"),
        ({"fields": ()}, "fields: list at least one field"),
        ({"fields": ("spend", "spend")}, "fields: spend: is listed twice"),
        ({"breakdowns": ("age", "age")}, "breakdowns: age: is listed twice"),
        ({"fields": ("impresions",)}, "impresions: unknown name; did you mean impressions"),
        ({"fields": ("zzz",)}, "fields: zzz: unknown name"),
        ({"fields": ("date_start",)}, "date_start: remove it"),
        ({"fields": ("age",)}, "age: is not a field; put it under breakdowns"),
        (
            {"fields": ("action_device",)},
            "action_device: is not a field; put it under action_break",
        ),
        ({"fields": ("age_targeting",)}, "age_targeting: Meta refuses every request with it"),
        ({"fields": ("wish_bid",)}, "wish_bid: requests with it fail"),
        ({"fields": ("total_card_view",)}, "report runs with it fail with 2/1504044"),
        ({"fields": ("adset_end",)}, "adset_end: a finished report run with it cannot be read"),
        ({"fields": ("creative_media_type",)}, "it splits rows"),
        ({"fields": ("objective_results",)}, "Meta returns it as `results`"),
        ({"fields": ("total_postbacks",)}, "Meta returns it only without other metrics"),
        ({"fields": ("configurable_placement_ptc_reach",)}, "needs a filter"),
        (
            {"level": "campaign", "fields": ("ad_id",)},
            "rows of level campaign do not have it; use level ad",
        ),
        (
            {"level": "account", "fields": ("campaign_name",)},
            "level account do not have it; use level camp",
        ),
        (
            {"level": "adset", "fields": ("quality_ranking",)},
            "level adset do not have it; use level ad",
        ),
        (
            {"breakdowns": (HOURLY,), "fields": ("video_play_actions",)},
            "refuses it in hourly reports",
        ),
        ({"breakdowns": (HOURLY,), "fields": ("reach",)}, 'in hourly reports Meta sends "0"'),
        ({"breakdowns": (AUDIENCE,), "fields": ("frequency",)}, 'in hourly reports Meta sends "0"'),
        ({"breakdowns": (HOURLY,), "fields": ("cpp",)}, "it does not exist in hourly reports"),
        (
            {"breakdowns": (HOURLY,), "fields": ("unique_clicks",)},
            "Meta leaves it out of hourly reports",
        ),
        (
            {"breakdowns": (HOURLY, "age")},
            "Meta refuses this combination; by the hour Meta gives no",
        ),
        (
            {"breakdowns": (HOURLY,), "action_breakdowns": ("action_device",)},
            "Meta returns only action_",
        ),
        ({"breakdowns": ("age",), "action_breakdowns": ("action_reaction",)}, "Meta returns only"),
        ({"breakdowns": ("agee",)}, "breakdowns: agee: unknown name; did you mean age"),
        ({"breakdowns": ("action_type",)}, "action_type: is not a breakdown of rows; put it under"),
        (
            {"breakdowns": ("platform_position",)},
            "Meta refuses it alone; add publisher_platform (live requests, 2026-06)",
        ),
        (
            {"breakdowns": ("age", "country")},
            "to support this combination; supported: *_asset+age, *_asset+age+gender, age+gender",
        ),
        (
            {"breakdowns": ("frequency_value",), "fields": ("impressions",)},
            "impressions: under frequency_value Meta returns only reach (Insights API > Breakdowns",
        ),
        (
            {"breakdowns": ("image_asset",), "fields": ("ctr",)},
            "ctr: under image_asset Meta returns only act",
        ),
        (
            {"breakdowns": ("region",), "fields": ("video_p25_watched_actions",)},
            "Meta does not return it under region",
        ),
        (
            {"breakdowns": ("region",), "fields": ("video_avg_time_watched_actions",)},
            "does not return it under region",
        ),
        (
            {"fields": ("converted_product_quantity",)},
            "it needs action_breakdowns: [action_converted_product_id]",
        ),
        ({"action_breakdowns": ("action_devise",)}, "unknown name; did you mean action_device"),
        ({"action_attribution_windows": ("7d_view",)}, "7d_view: is accepted and has had no value"),
        ({"action_attribution_windows": ("28d_view",)}, "has had no value since 2026-01-12"),
        ({"action_attribution_windows": ("inline",)}, "returned on its own since 2025-06-10"),
        ({"action_attribution_windows": ("default",)}, "is already what `value` holds"),
        ({"action_attribution_windows": ("7d_clicks",)}, "did you mean 7d_click"),
        ({"fields": ("spend",), "action_attribution_windows": ("1d_click",)}, "no field has wind"),
        ({"lookback_days": 0}, "lookback_days: 0: expected a number of days from 1 to 90"),
        ({"lookback_days": 91}, "lookback_days: 91: expected"),
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
        ({"breakdowns": ("dma",)}, "dma: Meta removed it on 2026-06-22; use comscore_market (Out"),
        ({"breakdowns": ("media_format",)}, "media_format: Meta refuses it: nonexisting field"),
        ({"breakdowns": ("media_type",)}, "only with an empty list; write action_breakdowns: []"),
        ({"breakdowns": ("mmm",), "level": "adset"}, "mmm: Meta returns it only as a file"),
        (
            {"breakdowns": ("image_asset",), "level": "account", "fields": ("spend",)},
            "image_asset: Meta refuses it at level account; use level campaign or a finer one",
        ),
        (
            {"breakdowns": ("place_page_id",), "level": "account", "fields": ("clicks",)},
            "place_page_id: Meta refuses it at level account",
        ),
        (
            {"breakdowns": ("image_asset", "body_asset"), "fields": ("spend",)},
            "body_asset+image_asset: Meta refuses this combination; ask for one kind of asset",
        ),
        ({"breakdowns": ("age", "publisher_platform")}, "refuses this combination (live requests"),
        (
            {"breakdowns": ("app_id",), "fields": ("spend",)},
            "app_id Meta returns only total_postbacks",
        ),
        ({"breakdowns": ("skan_version",), "fields": ("clicks",)}, "returns only total_postbacks*"),
        (
            {"level": "account", "fields": ("interactive_component_tap",)},
            "requests with it fail at level account with 2/1504041",
        ),
        ({"action_breakdowns": ("country",)}, "is not an action breakdown; put it under breakd"),
        ({"owners": ("growth",)}, "owners: growth: expected an e-mail address, such as "),
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
        {
            "fields": ("converted_product_quantity",),
            "action_breakdowns": ("action_converted_product_id",),
        },
        {"breakdowns": ("country", "region")},
        {"breakdowns": ("user_segment_key",)},
        {"breakdowns": ("impression_device",), "action_breakdowns": ("action_device",)},
        {"breakdowns": ("country",), "action_breakdowns": ("action_carousel_card_id",)},
        {"breakdowns": ("media_type",), "action_breakdowns": ()},
        {"breakdowns": ("skan_campaign_id",), "fields": ("total_postbacks_detailed",)},
        {"breakdowns": ("app_id", "skan_conversion_id"), "fields": ("total_postbacks",)},
        {"fields": ("spend",), "action_breakdowns": ("action_device",)},
        {"level": "campaign", "fields": ("interactive_component_tap",)},
        {"breakdowns": ("frequency_value",), "fields": ("reach",)},
        {"breakdowns": ("image_asset",), "fields": ("spend", "reach", "action_values", "ad_name")},
        {"action_breakdowns": ("action_device", "action_reaction")},
        {"action_attribution_windows": ("1d_click", "28d_click", "1d_ev", "incrementality")},
        {"fields": ("unique_clicks",)},
        {"lookback_days": 90, "start_date": date(2026, 2, 1), "owners": ("team:growth", "a@b.de")},
        *(
            {"breakdowns": tuple(sorted(together)), "fields": fields_under(together)}
            for together in sorted(COMBINATIONS, key=sorted)
        ),
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
        ("action_attribution_windows", "7d_view"),
        ("fields", "ad_id"),
        ("fields", "clickz"),
        ("fields", "reach"),
    ]


def test_a_report_that_loads_today_loads_next_year() -> None:
    assert all(rule(definition(start_date=FIRST_DAY)) is not None for rule in RULES)
    assert faults(definition(fields=("unique_clicks",), start_date=FIRST_DAY)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "refresh"},
        {"level": "creative"},
        {"fields": ("spend", "spend")},
        {"fields": ("age",)},
        {"fields": ("date_start",)},
        {"level": "campaign", "fields": ("ad_id",)},
        {"lookback_days": 0},
        {"owners": ("growth",)},
    ],
    ids=str,
)
def test_allow_unknown_excuses_nothing_that_is_ours(changes: dict[str, Any]) -> None:
    assert len(faults(definition(**changes, allow_unknown=True))) == 1


def test_what_the_catalogue_does_not_know_is_kept_as_the_json_that_it_is() -> None:
    table = table_of(
        definition(fields=("brand_new",), breakdowns=("new_kind",), allow_unknown=True)
    )

    assert table.column("brand_new").kind == "json"
    assert (table.column("new_kind").kind, "new_kind" in table.grain) == ("json", True)


@pytest.mark.parametrize(
    "name",
    [
        "select",
        "order",
        "refresh",
        "ad_daily",
        "account_hourly",
        "calendar",
        "failures",
        "creatives",
    ],
)
def test_a_reserved_name_is_refused_with_what_to_do(name: str) -> None:
    [fault] = faults(definition(name=name))

    assert f"name: {name}: this name is reserved:" in str(fault)
    assert str(fault).endswith("give the report another name")


def test_duckdb_has_no_word_that_a_table_cannot_be_called_and_a_report_can() -> None:
    with duckdb.connect() as connection:
        words = connection.sql("SELECT DISTINCT keyword_name FROM duckdb_keywords()").fetchall()
        for (word,) in words:
            try:
                connection.execute(f"CREATE TABLE {word} (a INT); FROM {word} SELECT {word}.a")
            except duckdb.Error:
                assert reserved(word), word


def test_names_of_tables_views_assets_jobs_and_steps_are_reserved() -> None:
    repository = defs.get_repository_def()
    jobs = repository.get_all_jobs()
    steps = {node.name for job in jobs for node in job.all_node_defs}
    names = {*OWN.tables, *OWN.views, *(job.name for job in jobs), *steps}
    names |= {sensor.name for sensor in repository.sensor_defs}
    names |= {schedule.name for schedule in repository.schedule_defs}

    plain = {name for name in names if name.isidentifier() and not name.startswith("__")}
    assert {name for name in plain if not reserved(name)} <= {*KNOWN.by_name}


def test_every_care_of_the_catalogue_has_words() -> None:
    assert {field.care for field in insights_fields().values()} - {""} == set(CARE)


@pytest.mark.parametrize(
    ("breakdowns", "why"),
    [
        ((), ""),
        ((HOURLY,), ""),
        (("age", "gender"), ""),
        (("publisher_platform", "platform_position", "impression_device"), ""),
        (("product_id",), "product_id counts what showed several products once per product"),
        (("video_asset",), "video_asset counts what showed several assets once per asset"),
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
