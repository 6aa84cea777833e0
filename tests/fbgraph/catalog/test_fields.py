from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from fbgraph.catalog import fields
from fbgraph.catalog.fields import HOURLY, LEVELS
from fbgraph.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fbgraph import Node

KINDS = tuple(dict.fromkeys(fields.EDGE_KINDS.values()))

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
            *("alone", "needs_filter", "needs_product", "not_of_accounts"),
        ),
    },
    "object_fields.csv": {
        "object": tuple(kind for kind in KINDS if kind != "insights"),
        "wire": ("string", "number", "boolean", "array", "object"),
        "kind": (
            *("id", "text", "timestamp", "money_minor"),
            *("number", "boolean", "array", "object", "epoch", "json"),
        ),
        "right": ("", "business_management", "manage", "advertise"),
        "care": ("", "fails", "costly", "volatile", "personal"),
    },
}


def rows_of(name: str) -> list[dict[str, str]]:
    return list(
        csv.DictReader(files("fbgraph.catalog").joinpath(name).read_text("utf-8").splitlines())
    )


def test_the_catalogue_of_insights_holds_what_meta_lists() -> None:
    assert len(fields.insights_fields()) == 238


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(("adaccount", 77), ("campaign", 50), ("adset", 87), ("ad", 42), ("adcreative", 78)),
        *(("adimage", 17), ("advideo", 49), ("customconversion", 19), ("customaudience", 43)),
        *(("savedaudience", 16), ("adspixel", 34), ("adlabel", 5), ("adrule", 11)),
        *(("adactivity", 13), ("highdemandperiod", 8)),
    ],
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
        (fields.BREAKDOWNS, 100),
        (fields.ACTION_BREAKDOWNS, 18),
        (fields.OPERATORS, 26),
        (fields.DATE_PRESETS, 20),
        (fields.LEVELS, 4),
    ],
)
def test_the_short_lists_are_complete(words: frozenset[str], count: int) -> None:
    assert len(words) == count


def test_what_always_comes_is_in_the_catalogue() -> None:
    assert set(fields.ALWAYS_RETURNED) <= set(fields.insights_fields())


@pytest.fixture(scope="module")
def account() -> Iterator[Node]:
    """An account of a sandbox, which refuses what Meta refuses."""
    with (
        Sandbox(world="hostile", now=lambda: datetime(2026, 11, 23, 11, 7, tzinfo=UTC)) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        yield client.account(sandbox.account_ids[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_of_a_kind_are_found_by_its_name(kind: str) -> None:
    known = fields.insights_fields() if kind == "insights" else fields.object_fields(kind)

    assert fields.of(kind) == known != {}


@pytest.mark.parametrize("asked", [fields.of, fields.readable])
@pytest.mark.parametrize("kind", ["", "campaigns", "Campaign", "report"])
def test_a_kind_that_is_none_has_no_fields(asked: Any, kind: str) -> None:
    with pytest.raises(KeyError):
        asked(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_readable_needs_no_right_and_fails_nothing(kind: str) -> None:
    names = fields.readable(kind)
    known = [fields.of(kind)[name] for name in names]

    mild = {"", "costly", "volatile"}
    marked = [one for one in known if getattr(one, "right", "") or one.care not in mild]
    assert (marked, len(names), len(set(names))) == ([], len(names), len(names))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_readable_has_its_reason(kind: str) -> None:
    left_out = [fields.of(kind)[name] for name in fields.of(kind).keys() - {*fields.readable(kind)}]

    assert [f for f in left_out if not getattr(f, "right", "") and not f.care] == []


def test_under_the_hourly_breakdown_what_it_refuses_is_not_readable() -> None:
    hourly = set(fields.readable("insights", hourly=True))

    assert set(fields.readable("insights")) - hourly == {
        name
        for name, field in fields.insights_fields().items()
        if field.hourly == "error" and not field.care
    }


@pytest.mark.parametrize(
    ("edge", "kind"), [("campaigns", "campaign"), ("adsets", "adset"), ("ads", "ad")]
)
def test_all_that_is_readable_may_be_asked_of_an_object_and_of_its_edge(
    account: Node, edge: str, kind: str
) -> None:
    rows = list(account.edge(edge, fields="*"))
    node = replace(account, id=rows[0]["id"], kind=kind).get("*")

    assert (len(rows) > 1, node) == (True, rows[0])
    assert set(node) <= set(fields.readable(kind))


def test_all_that_is_readable_may_be_asked_of_an_account(account: Node) -> None:
    found = account.get("*")

    assert (found["id"], set(found) <= set(fields.readable("adaccount"))) == (account.id, True)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("breakdowns", [[], [HOURLY]], ids=["daily", "hourly"])
def test_all_that_is_readable_may_be_asked_of_insights_at_once_and_as_a_report(
    account: Node, level: str, breakdowns: list[str]
) -> None:
    day = {"since": "2026-11-20", "until": "2026-11-20"}
    asked: dict[str, Any] = {"level": level, "breakdowns": breakdowns, "time_range": day}

    rows = list(account.insights(fields="*", time_increment=1, **asked))
    pages = account.report({"fields": "*", "time_increment": 1, **asked})

    readable = {*fields.readable("insights", hourly=bool(breakdowns)), *breakdowns}
    assert ([row for page in pages for row in page.data], len(rows) > 0) == (rows, True)
    assert {name for row in rows for name in row} <= readable
