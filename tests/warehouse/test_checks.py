"""The proof of an account-day, on values."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.cells import HOUR_LABELS
from warehouse.checks import (
    Found,
    Totals,
    Verdict,
    compare,
    duplicates_of_grain,
    prove,
    too_many_rejects,
    unknown_ids,
)
from warehouse.decode import Account, decode
from warehouse.schema import HOURLY, TABLES

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = TABLES["insights_hourly"]
DAY = date(2026, 11, 21)
CONTROL = Totals(impressions=300, clicks=30, spend=Decimal("3.30"))


def rows(*changes: dict[str, Any]) -> pa.Table:
    """One row per change: an ad in hours 0, 1, 2, …; 100 impressions, 10 clicks and 1.10 each."""
    good = [
        {
            "account_id": "11",
            "ad_id": "3",
            "date_start": str(DAY),
            "impressions": "100",
            "clicks": "10",
            "spend": "1.10",
            HOURLY: HOUR_LABELS[n],
            **change,
        }
        for n, change in enumerate(changes)
    ]
    body = json.dumps({"data": good}).encode()
    return decode(TABLE, [body], Account("11", "UTC", "EUR"), [DAY]).rows


def proof(found: pa.Table, control: Totals | None = CONTROL, **more: Any) -> Verdict:
    rejected = more.pop("rejected", 0)
    return prove(Found.of(TABLE, found, rejected=rejected), control, **more)


def test_rows_that_add_up_to_the_control_are_proven() -> None:
    verdict = proof(rows({}, {}, {}))

    assert verdict.proven
    assert verdict.reason == (
        "3 rows add up to the account's total: impressions 300, clicks 30, spend 3.3"
    )
    assert [d.missing for d in verdict.differences] == [0, 0, 0]


def test_a_missing_row_is_told_by_what_is_short() -> None:
    verdict = proof(rows({}, {}))

    assert not verdict.proven
    assert "impressions 200 of 300, 100 short of the account's total" in verdict.reason


def test_rows_without_a_control_row_are_told_so() -> None:
    verdict = proof(rows({}), None)

    assert not verdict.proven
    assert verdict.reason.endswith("; the account's total has no row of this day")


def test_one_impression_too_many_is_not_proven() -> None:
    verdict = proof(rows({}, {}, {"impressions": "101"}))

    assert not verdict.proven
    assert "impressions 301 of 300, 1 beyond the account's total" in verdict.reason


@pytest.mark.parametrize(
    ("row_count", "control", "off", "within"),
    [
        (1, "10.00", "0.01", True),  # a cent is never worth an alarm
        (1, "10.00", "0.02", False),
        (100, "10000.00", "0.50", True),  # half a cent per row
        (100, "10000.00", "0.51", False),
        (100_000, "100.00", "0.10", True),  # but a thousandth of the control at most
        (100_000, "100.00", "0.11", False),
    ],
)
def test_spend_may_be_off_by_rounding_and_no_more(
    row_count: int, control: str, off: str, *, within: bool
) -> None:
    whole = Totals(spend=Decimal(control))
    for found in (whole.spend - Decimal(off), whole.spend + Decimal(off)):
        *_, spend = compare(Totals(spend=found), whole, row_count)
        assert spend.within is within


def test_a_day_without_delivery_is_proven_by_nothing_against_nothing() -> None:
    verdict = proof(rows(), None)

    assert verdict.proven
    assert verdict.reason == "no delivery: the account's total has no row"


def test_rows_without_traffic_need_no_control_row() -> None:
    nothing = {"impressions": "0", "clicks": "0", "spend": "0", HOURLY: None}

    assert proof(rows(nothing), None).proven


def test_traffic_without_a_control_row_is_not_proven() -> None:
    assert not proof(rows({}), None).proven


def test_a_control_without_rows_is_not_proven() -> None:
    assert not proof(rows()).proven


def test_a_row_that_came_twice_is_not_proven_even_if_the_sums_agree() -> None:
    twice = {"impressions": "150", "clicks": "15", "spend": "1.65"}
    for hour in (HOUR_LABELS[7], None):
        verdict = proof(rows({**twice, HOURLY: hour}, {**twice, HOURLY: hour}))
        assert not verdict.proven
        assert verdict.reason == "keys that more than one row has: 1"


def test_no_hour_is_not_hour_0() -> None:
    half = {"impressions": "150", "clicks": "15", "spend": "1.65"}

    assert proof(rows({**half, HOURLY: None}, {**half, HOURLY: HOUR_LABELS[0]})).proven


def test_rejected_rows_explain_what_is_short_and_no_more() -> None:
    short = proof(rows({}, {}), rejected=1)
    beyond = proof(rows({}, {}, {}, {}), rejected=1)
    nothing = proof(rows({}, {}, {}), rejected=1)

    assert "which the unreadable rows may explain" in short.reason
    assert "explain" not in beyond.reason
    assert nothing.reason == "1 row could not be read"
    assert [v.proven for v in (short, beyond, nothing)] == [False] * 3


def test_a_missing_field_explains_its_own_difference_and_no_other() -> None:
    found = rows({"clicks": None}, {"clicks": None}, {"clicks": None})
    less = replace(CONTROL, impressions=301)

    assert proof(found, missing_fields=["clicks"]).reason == "Meta did not deliver clicks"
    assert proof(found, less, missing_fields=["clicks"]).reason.startswith("impressions 300 of 301")
    assert "clicks 0 of 30" in proof(found, missing_fields=["actions"]).reason


def test_duplicates_name_the_keys_and_how_many_rows_have_them() -> None:
    found = duplicates_of_grain(TABLE, rows({}, {HOURLY: None}, {HOURLY: None}, {}))

    [key] = found.to_pylist()
    assert key == {"account_id": "11", "ad_id": "3", "date": DAY, "hour": None, "rows": 2}
    assert duplicates_of_grain(TABLE, rows({}, {})).num_rows == 0
    assert duplicates_of_grain(TABLE, rows()).num_rows == 0


def test_unknown_ids_are_the_ones_that_no_listing_has() -> None:
    assert unknown_ids(["2", None, "1", "2", "3"], ["1"]) == ["2", "3"]


@pytest.mark.parametrize(
    ("rejected", "loaded", "too_many"),
    [(0, 0, False), (1, 99, False), (1, 98, True), (1, 0, True), (10, 990, False), (11, 989, True)],
)
def test_more_than_a_hundredth_of_rejects_is_too_many(
    rejected: int, loaded: int, *, too_many: bool
) -> None:
    assert too_many_rejects(rejected, loaded) is too_many


def test_what_adds_up_to_no_total_is_unprovable_unless_something_else_is_wrong() -> None:
    control = Totals(1000, 10, Decimal(5))
    few = Found(rows=3, totals=Totals(1, 0, Decimal()))

    good = prove(few, control, no_sums="no totals to hold it against")
    bad = prove(replace(few, rejected=1), control, no_sums="no totals to hold it against")

    assert (good.verdict, good.reason) == ("unprovable", "no totals to hold it against")
    assert (bad.verdict, bad.reason) == ("unproven", "1 row could not be read")
