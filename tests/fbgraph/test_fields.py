from __future__ import annotations

import csv
from collections import Counter
from importlib.resources import files

import pytest

from fbgraph import fields

#: Words that each column of the catalogue may hold, as `InsightsField` and `ObjectField` say.
WORDS = {
    "insights_fields.csv": {
        "kind": (
            *("id", "text", "date", "count", "decimal", "percent", "money"),
            *("actions", "histograms", "objects"),
        ),
        "unit": ("", "major", "percent", "seconds", "ratio"),
        "additive": ("", "yes", "no", "per_action_type"),
        "hourly": ("ok", "zero", "absent", "omitted", "on_meta", "error"),
        "care": (
            *("", "refused", "fails", "kills_runs", "unreadable", "splits_rows", "renamed"),
            *("alone", "needs_filter"),
        ),
    },
    "object_fields.csv": {
        "object": ("adaccount", "campaign", "adset", "ad", "adcreative"),
        "wire": ("string", "number", "boolean", "array", "object"),
        "kind": (
            *("id", "text", "timestamp", "money_minor"),
            *("number", "boolean", "array", "object"),
        ),
        "right": ("", "business_management", "manage", "advertise"),
    },
}


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(files("fbgraph").joinpath(name).read_text("utf-8").splitlines()))


def test_the_catalogue_of_insights_holds_what_the_contract_lists() -> None:
    assert len(fields.insights_fields()) == 238


@pytest.mark.parametrize(
    ("name", "count"),
    [("adaccount", 77), ("campaign", 50), ("adset", 87), ("ad", 42), ("adcreative", 78)],
)
def test_each_object_has_its_readable_fields(name: str, count: int) -> None:
    assert len(fields.object_fields(name)) == count


def test_an_object_that_is_none_is_no_empty_catalogue() -> None:
    with pytest.raises(KeyError, match="campaigns"):
        fields.object_fields("campaigns")


@pytest.mark.parametrize("name", WORDS)
def test_no_field_stands_twice(name: str) -> None:
    lines = Counter((row.get("object"), row["field"]) for row in rows_of(name))

    assert [line for line, count in lines.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name in WORDS for column in WORDS[name]]
)
def test_a_column_of_the_catalogue_holds_only_words_of_its_docstring(
    name: str, column: str
) -> None:
    assert {row[column] for row in rows_of(name)} == set(WORDS[name][column])


@pytest.mark.parametrize("name", WORDS)
def test_every_line_of_the_catalogue_is_complete_and_tidy(name: str) -> None:
    cells = [cell for row in rows_of(name) for cell in row.values()]

    assert [cell for cell in cells if cell is None or cell != cell.strip()] == []


@pytest.mark.parametrize(
    ("field", "hourly"),
    [
        *(("impressions", "ok"), ("clicks", "ok"), ("spend", "ok")),
        *(("reach", "zero"), ("frequency", "zero"), ("cpp", "absent")),
        *(("actions", "on_meta"), ("action_values", "on_meta"), ("purchase_roas", "on_meta")),
        *(("video_play_actions", "error"), ("full_view_reach", "error")),
        *(("unique_clicks", "omitted"), ("unique_actions", "omitted")),
    ],
)
def test_the_catalogue_says_what_the_hourly_breakdown_does_to_a_field(
    field: str, hourly: str
) -> None:
    assert fields.insights_fields()[field].hourly == hourly


@pytest.mark.parametrize(
    ("field", "additive"),
    [
        *(("impressions", "yes"), ("clicks", "yes"), ("spend", "yes"), ("social_spend", "yes")),
        *(("reach", "no"), ("frequency", "no"), ("ctr", "no"), ("cpm", "no"), ("cpc", "no")),
        *(("actions", "per_action_type"), ("action_values", "per_action_type")),
        *(("ad_id", ""), ("date_start", "")),
    ],
)
def test_only_what_may_be_summed_is_additive(field: str, additive: str) -> None:
    assert fields.insights_fields()[field].additive == additive


@pytest.mark.parametrize(
    ("field", "care"),
    [
        *(("age_targeting", "refused"), ("labels", "refused"), ("location", "refused")),
        *(("wish_bid", "fails"), ("adset_start", "fails"), ("conversion_lead_rate", "fails")),
        *(("total_card_view", "kills_runs"), ("objective_result_rate", "kills_runs")),
        *(("adset_end", "unreadable"), ("objective_results", "renamed")),
    ],
)
def test_a_field_that_breaks_a_default_report_says_why(field: str, care: str) -> None:
    assert fields.insights_fields()[field].care == care


@pytest.mark.parametrize(
    ("name", "field", "wire"),
    [
        *(("adaccount", "spend_cap", "string"), ("adaccount", "amount_spent", "string")),
        *(("campaign", "daily_budget", "string"), ("adset", "lifetime_budget", "string")),
        *(("adaccount", "min_daily_budget", "number"), ("adset", "bid_amount", "number")),
    ],
)
def test_money_of_objects_is_in_minor_units_as_text_or_number(
    name: str, field: str, wire: str
) -> None:
    found = fields.object_fields(name)[field]

    assert (found.kind, found.wire) == ("money_minor", wire)


def test_statuses_grow_from_campaign_to_ad() -> None:
    campaign, adset, ad = (set(fields.EFFECTIVE_STATUSES[o]) for o in ("campaign", "adset", "ad"))

    assert (adset - campaign, ad - adset, campaign - ad) == (
        {"CAMPAIGN_PAUSED"},
        {
            *("ADSET_PAUSED", "DISAPPROVED", "PENDING_BILLING_INFO"),
            *("PENDING_REVIEW", "PREAPPROVED"),
        },
        set(),
    )


def test_the_day_has_24_labels_in_order() -> None:
    labels = fields.HOUR_LABELS

    assert (len(labels), labels[0], labels[-1], list(labels)) == (
        24,
        "00:00:00 - 00:59:59",
        "23:00:00 - 23:59:59",
        sorted(labels),
    )


def test_the_hourly_breakdown_and_its_partners_are_breakdowns() -> None:
    assert {fields.HOURLY} | fields.HOURLY_PARTNERS <= fields.BREAKDOWNS | fields.ACTION_BREAKDOWNS


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (fields.BREAKDOWNS, 98),
        (fields.ACTION_BREAKDOWNS, 16),
        (fields.OPERATORS, 26),
        (fields.DATE_PRESETS, 20),
        (fields.LEVELS, 4),
    ],
)
def test_the_short_lists_are_complete(words: frozenset[str], count: int) -> None:
    assert len(words) == count


def test_what_always_comes_is_in_the_catalogue() -> None:
    assert set(fields.ALWAYS_RETURNED) <= set(fields.insights_fields())
