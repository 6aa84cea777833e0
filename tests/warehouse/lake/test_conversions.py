from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.decode.actions import Key, Sum, plus, sums_of, why_not
from warehouse.decode.pages import Account, decode
from warehouse.lake.proof.conversions import Proof, prove
from warehouse.schema.columns import HOURLY
from warehouse.schema.insights import LIVE_WINDOWS
from warehouse.schema.table import Column, Table
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 11, 21)
ACCOUNT = Account("11", "Europe/Berlin", "EUR")
DAILY, CONTROL = TABLES["insights_daily"], TABLES["control_daily"]


def rows_of(*lists: dict[str, Any], table: Table = DAILY) -> pa.Table:
    """Rows with these list fields."""
    rows = [
        {
            "account_id": "11",
            "ad_id": str(n),
            "date_start": str(DAY),
            "date_stop": str(DAY),
            "impressions": "9",
            "clicks": "1",
            "spend": "1",
            **fields,
        }
        for n, fields in enumerate(lists)
    ]
    decoded = decode(table, [json.dumps({"data": rows}).encode()], ACCOUNT, [DAY])
    assert not decoded.rejects
    return decoded.rows


def entry(action_type: str, value: str | None = None, **windows: str) -> dict[str, str]:
    return {"action_type": action_type, **({"value": value} if value else {}), **windows}


def proof(
    rows: list[dict[str, Any]], control: dict[str, Any], table: Table = DAILY, **more: Any
) -> Proof:
    """The verdict on rows with these lists, of an account with those."""
    given: dict[str, Any] = {"windows": LIVE_WINDOWS, "currency": "EUR", **more}
    some = sums_of(table, rows_of(*rows, table=table))
    return prove(table, some, sums_of(CONTROL, rows_of(control, table=CONTROL)), **given)


def test_lists_are_summed_by_type_and_window_whatever_rows_they_are_in() -> None:
    rows = rows_of(
        {"actions": [entry("like", "2"), entry("omni_purchase", "1", **{"7d_click": "1"})]},
        {},
        {"actions": [entry("like", "3")], "action_values": [entry("omni_purchase", "9.99")]},
        {"actions": [entry("omni_purchase", None, **{"1d_view": "4"})]},
    )

    whole = sums_of(DAILY, rows)

    assert whole == {
        Key("actions", "like", "value"): Sum(Decimal(5), 2),
        Key("actions", "omni_purchase", "value"): Sum(Decimal(1), 1),
        Key("actions", "omni_purchase", "7d_click"): Sum(Decimal(1), 1),
        Key("actions", "omni_purchase", "1d_view"): Sum(Decimal(4), 1),
        Key("action_values", "omni_purchase", "value"): Sum(Decimal("9.99"), 1),
    }
    assert plus(sums_of(DAILY, rows.slice(0, 1)), sums_of(DAILY, rows.slice(1))) == whole


def test_people_ratios_and_clicks_are_not_summed() -> None:
    rows = rows_of(
        {
            "unique_actions": [entry("like", "2")],
            "purchase_roas": [entry("omni_purchase", "3.2")],
            "outbound_clicks": [entry("outbound_click", "3")],
        }
    )

    assert sums_of(DAILY, rows) == {}


LIKES = {"actions": [entry("like", "2")]}
BUYS = {
    "actions": [entry("omni_purchase", "3", **{"1d_click": "1", "7d_click": "2", "28d_click": "3"})]
}


@pytest.mark.parametrize(
    ("rows", "control", "verdict", "reason"),
    [
        ([LIKES, LIKES], {"actions": [entry("like", "4")]}, "proven", "1 action type adds up"),
        ([LIKES, BUYS], {"actions": LIKES["actions"] + BUYS["actions"]}, "proven", "2 action type"),
        ([{}], {}, "proven", "neither the rows nor"),
        ([], {}, "proven", "neither the rows nor"),
        # what is in one and not in the other differs, whichever it is
        ([{}], LIKES, "unproven", "actions like: value 0 of 2"),
        ([LIKES], {}, "unproven", "actions like: value 2 of 0"),
        # a zero is as good as nothing
        ([{"actions": [entry("like", "0")]}], {}, "proven", "adds up"),
        # a window that the rows never had is not compared; one that both have is
        ([BUYS], BUYS, "proven", "adds up"),
        (
            [{"actions": [entry("omni_purchase", "3", **{"1d_click": "1"})]}],
            BUYS,
            "unproven",
            "actions omni_purchase: 7d_click 0 of 2",
        ),
        # an entry may have a window and no value
        (
            [{"actions": [entry("lead", None, **{"1d_view": "2"})]}],
            {"actions": [entry("lead", None, **{"1d_view": "2", "28d_click": "1"})]},
            "proven",
            "1 action type adds up",
        ),
    ],
)
def test_each_type_and_window_is_compared_with_the_account(
    rows: list[dict[str, Any]], control: dict[str, Any], verdict: str, reason: str
) -> None:
    found = proof(rows, control)

    assert found.verdict == verdict
    assert reason in found.reason


def test_a_reason_names_the_worst_types_first_and_how_many_there_are_besides() -> None:
    types = ("a", "b", "c", "d", "e")
    control = {"actions": [entry(name, "100") for name in types]}
    rows = {"actions": [entry(name, str(n * 20)) for n, name in enumerate(types)]}

    found = proof([rows], control)

    assert found.reason == (
        "actions a: value 0 of 100; actions b: value 20 of 100; actions c: value 40 of 100;"
        " and 2 more"
    )


def test_what_could_not_be_read_may_explain_what_is_short_and_never_what_is_too_much() -> None:
    may = "which the unreadable rows or values may explain"

    assert may in proof([{}], LIKES, unreadable=True).reason
    assert may not in proof([LIKES], {}, unreadable=True).reason
    assert proof([LIKES], LIKES, unreadable=True).verdict == "proven"


@pytest.mark.parametrize(
    ("currency", "rows", "whole", "verdict"),
    [
        # one value is not off by a coin, and many are off by a few
        ("EUR", 1, "10.01", "unproven"),
        ("EUR", 100, "1000.11", "proven"),  # 4 * sqrt(100 / 12) = 11.5 cents
        ("EUR", 100, "1000.12", "unproven"),
        ("JPY", 100, "1011", "proven"),
        ("JPY", 100, "1012", "unproven"),
        ("???", 100, "1000.01", "unproven"),  # nobody knows its smallest coin
    ],
)
def test_money_may_be_off_by_the_rounding_of_its_rows(
    currency: str, rows: int, whole: str, verdict: str
) -> None:
    some = [{"action_values": [entry("omni_purchase", "10")]}] * rows

    found = proof(some, {"action_values": [entry("omni_purchase", whole)]}, currency=currency)

    assert found.verdict == verdict


def test_counts_are_exact_unless_they_are_fractions() -> None:
    many = [{"actions": [entry("lead", "1")]}] * 100
    shared = [{"actions": [entry("lead", "0.33")]}] * 3

    assert proof(many, {"actions": [entry("lead", "101")]}).verdict == "unproven"
    assert proof(shared, {"actions": [entry("lead", "1")]}).verdict == "proven"
    assert proof(shared, {"actions": [entry("lead", "2")]}).verdict == "unproven"


def by(name: str) -> Table:
    """insights_daily by a breakdown."""
    columns = (*DAILY.columns, Column(name, "text", "…", breakdown=True))
    return replace(DAILY, name=f"by_{name}", columns=columns)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (DAILY, ""),
        (by("country"), ""),
        (by("platform_position"), ""),
        (TABLES["insights_hourly"], "by the hour Meta leaves out actions off Meta"),
        (by("hourly_stats_aggregated_by_audience_time_zone"), "by the hour Meta leaves out"),
        (by("region"), "by region Meta leaves out"),
        (by("dma"), "by dma Meta leaves out"),
        (by("product_id"), "by product Meta repeats or leaves out"),
        (by("comscore_market"), "whether the breakdown comscore_market keeps actions off Meta"),
    ],
    ids=lambda given: given.name if isinstance(given, Table) else "",
)
def test_what_loses_actions_by_metas_own_rules_is_not_compared(table: Table, why: str) -> None:
    assert why in why_not(table)
    assert bool(why) == bool(why_not(table))
    if why:
        assert prove(table, {}, {}, windows=(), currency="EUR") == ("unprovable", why_not(table))


def test_hours_cost_nothing() -> None:
    hour = {HOURLY: "07:00:00 - 07:59:59", "actions": [entry("like", "2")]}

    rows = rows_of(hour, table=TABLES["insights_hourly"])

    assert sums_of(TABLES["insights_hourly"], rows) == {}


def test_action_breakdowns_and_reports_without_lists_are_not_compared() -> None:
    split = tuple(
        replace(c, keys=("action_device",)) if c.kind == "actions" else c for c in DAILY.columns
    )
    plain = tuple(c for c in DAILY.columns if c.kind != "actions")

    assert why_not(replace(DAILY, name="split", columns=split)) == (
        "Meta leaves out actions when they are split by action_device"
    )
    assert "has no list" in why_not(replace(DAILY, name="plain", columns=plain))


def test_lists_and_windows_that_one_side_lacks_are_named() -> None:
    columns = tuple(
        replace(c, windows=("1d_click", "skan_click")) if c.name == "actions" else c
        for c in DAILY.columns
    )
    table = replace(DAILY, name="own", columns=columns)

    found = proof([LIKES], LIKES, table, missing_fields=("conversions", "reach"))

    assert found.verdict == "proven"
    assert found.reason == (
        "actions, action_values, conversion_values: 1 action type adds up to the account's total;"
        " not compared: conversions, the window skan_click"
    )


def test_nothing_is_proven_where_meta_delivered_no_list() -> None:
    names = ("actions", "action_values", "conversions", "conversion_values")

    found = proof([{}], LIKES, missing_fields=names)

    assert found == ("unprovable", f"Meta did not deliver {', '.join(names)}")


def test_entries_without_a_type_are_compared_too() -> None:
    untyped = sums_of(CONTROL, rows_of({}, table=CONTROL)) | {
        Key("actions", "(no action_type)", "value"): Sum(Decimal(2), 1)
    }

    found = prove(DAILY, {}, untyped, windows=LIVE_WINDOWS, currency="EUR")

    assert found == ("unproven", "actions (no action_type): value 0 of 2")


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("bought", "since_over", "verdict"),
    [
        ("100", HOUR, "proven"),
        ("99", HOUR, "provisional"),
        ("101", HOUR, "provisional"),  # totals may be older than rows, too
        ("98", HOUR, "unproven"),
        ("0", HOUR, "unproven"),
        ("99", 48 * HOUR - timedelta(seconds=1), "provisional"),
        ("99", 48 * HOUR, "unproven"),
        ("99", -HOUR, "provisional"),
        ("0", -HOUR, "provisional"),
        ("100", -HOUR, "proven"),
    ],
)
def test_what_is_off_may_be_a_matter_of_time_while_a_day_is_open_and_a_little_for_two_days_more(
    bought: str, since_over: timedelta, verdict: str
) -> None:
    account = {"actions": [entry("omni_purchase", "100"), entry("like", "5")]}
    rows = [{"actions": [entry("omni_purchase", bought), entry("like", "5")]}]

    found = proof(rows, account, since_over=since_over)

    assert found.verdict == verdict
    assert verdict == "proven" or f"omni_purchase: value {bought} of 100" in found.reason
    is_told = verdict != "proven" and since_over < timedelta()
    assert ("the day had not been over for 3 hours" in found.reason) is is_told


def test_one_type_that_is_off_by_more_than_time_explains_leaves_all_unproven() -> None:
    account = {"actions": [entry("omni_purchase", "1000"), entry("lead", "5")]}
    rows = [{"actions": [entry("omni_purchase", "999")]}]

    found = proof(rows, account, since_over=HOUR)

    assert found.verdict == "unproven"
    assert "lead: value 0 of 5" in found.reason


def test_a_type_that_the_account_lacks_is_no_matter_of_time_once_a_day_is_over() -> None:
    found = proof([{"actions": [entry("lead", "1")]}], {"actions": []}, since_over=HOUR)

    assert found.verdict == "unproven"


def test_what_no_time_mends_is_unprovable_on_an_open_day_too() -> None:
    found = proof([LIKES], LIKES, TABLES["insights_hourly"], since_over=-HOUR)

    assert found.verdict == "unprovable"
