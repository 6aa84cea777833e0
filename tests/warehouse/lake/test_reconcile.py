"""The proof of an account-day, on values."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.lake.proof.reconcile import (
    Evidence,
    Totals,
    Verdict,
    compare,
    duplicates_of_grain,
    prove,
    spend_tolerance,
    too_many_rejects,
)
from warehouse.schema.columns import HOURLY
from warehouse.schema.table import Column, Table
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    return prove(Evidence.of(TABLE, found, rejected=rejected), control, **more)


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
    assert verdict.reason.endswith("; Meta returned no total of the account for this day")


def test_one_impression_too_many_is_not_proven() -> None:
    verdict = proof(rows({}, {}, {"impressions": "101"}))

    assert not verdict.proven
    assert "impressions 301 of 300, 1 more than the account's total" in verdict.reason


@pytest.mark.parametrize(
    ("row_count", "coins"),
    [
        (0, "0"),  # nothing was rounded
        (1, "0.5"),
        (2, "1"),
        (5, "2.5"),
        (12, "4"),  # four standard deviations from here on
        (480, "25.29"),
        (100_000, "365.14"),
    ],
)
@pytest.mark.parametrize("coin", [Decimal(1), Decimal("0.01")], ids=["JPY", "EUR"])
def test_spend_may_be_off_by_rounding_and_no_more(
    row_count: int, coins: str, coin: Decimal
) -> None:
    tolerance = spend_tolerance(row_count, coin)

    assert abs(tolerance / coin - Decimal(coins)) < Decimal("0.01")
    whole = Totals(spend=Decimal(1000))
    for off, within in ((tolerance, True), (tolerance + Decimal("0.000001"), False)):
        for found in (whole.spend - off, whole.spend + off):
            *_, spend = compare(Totals(spend=found), whole, tolerance)
            assert spend.within is within


def _rounded(seed: int, count: int, mean: int) -> tuple[Decimal, Decimal]:
    """The sum of rows each rounded to whole coins, and the rounded sum of what they were."""
    dice = random.Random(seed)  # noqa: S311  # seeded, no secret
    true = [dice.uniform(0, 2 * mean) for _ in range(count)]
    return Decimal(sum(map(round, true))), Decimal(round(sum(true)))


@pytest.mark.parametrize("seed", range(20))
def test_a_day_of_small_amounts_in_yen_is_proven_however_its_rows_were_rounded(seed: int) -> None:
    count = 20 * 24
    rows, total = _rounded(seed, count, mean=8)
    found = Evidence(rows=count, totals=Totals(count, 0, rows), spending=count)

    assert prove(found, Totals(count, 0, total), coin=Decimal(1)).proven


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100])
def test_a_row_that_is_missing_is_found_whatever_it_cost(count: int) -> None:
    control = Totals(count * 3, 0, Decimal(count))  # three impressions and a yen a row
    less = Totals((count - 1) * 3, 0, Decimal(count - 1))
    found = Evidence(rows=count - 1, totals=less, spending=count - 1)

    verdict = prove(found, control, coin=Decimal(1))

    assert not verdict.proven
    assert "3 short of the account's total" in verdict.reason


def test_spend_without_impressions_and_clicks_hides_up_to_the_tolerance_and_no_further() -> None:
    control = Totals(300, 30, Decimal("13.00"))
    hidden = spend_tolerance(12)

    def short_by(off: Decimal) -> Verdict:
        totals = replace(control, spend=control.spend - off)
        return prove(Evidence(rows=12, totals=totals, spending=12), control)

    assert hidden == Decimal("0.04")  # four cents of twelve rows
    assert short_by(hidden).proven
    assert not short_by(hidden + Decimal("0.01")).proven


def test_rows_with_spend_or_impressions_may_have_been_rounded() -> None:
    found = rows(
        {},
        {"spend": "0"},
        {"spend": "0", "impressions": "0"},
        {"spend": "0.01", "impressions": "0"},
        {"spend": None, "impressions": "5"},
    )

    assert Evidence.of(TABLE, found).spending == 4
    assert Evidence.of(TABLE, rows()).spending == 0


# -- days that are not over, breakdowns that are lost ------------------------------------------


@pytest.mark.parametrize(
    ("found", "no_sums", "told"),
    [
        (({}, {}, {}), "", "3 rows add up to the account's total: impressions 300, "),
        (({}, {}), "", "impressions 200 of 300, 100 short of the account's total"),
        (({},), "no totals to compare it with", "no totals to compare it with"),
    ],
)
def test_a_day_that_is_not_over_is_provisional_whether_it_adds_up_or_not(
    found: Sequence[dict[str, Any]], no_sums: str, told: str
) -> None:
    verdict = proof(
        rows(*found), not_over="the day was not over when Meta was asked", no_sums=no_sums
    )

    assert verdict.verdict == "provisional"
    assert verdict.reason.startswith(f"the day was not over when Meta was asked; {told}")
    assert verdict.may_change is ("short" in told)


@pytest.mark.parametrize("not_over", ["", "the day was not over"])
def test_rows_that_all_lack_the_hour_are_unproven_though_they_add_up(not_over: str) -> None:
    lost = {"impressions": "150", "clicks": "15", "spend": "1.65", HOURLY: None}
    found = rows({**lost, "ad_id": "3"}, {**lost, "ad_id": "4"})

    verdict = proof(found, not_over=not_over)

    assert (verdict.verdict, verdict.may_change) == ("unproven", True)
    assert verdict.reason == f"no row has the requested breakdown: {HOURLY}"
    assert proof(found, no_sums="no totals").verdict == "unproven"


def test_some_rows_without_an_hour_or_none_with_impressions_lack_nothing() -> None:
    nothing = {"impressions": "0", "clicks": "0", "spend": "0", HOURLY: None}

    assert not Evidence.of(TABLE, rows({}, {HOURLY: None})).lost
    assert Evidence.of(TABLE, rows({HOURLY: None}, nothing | {HOURLY: HOUR_LABELS[3]})).lost == {
        HOURLY
    }
    assert not Evidence.of(TABLE, rows(nothing)).lost
    assert not Evidence.of(TABLE, rows()).lost


def test_a_breakdown_is_lost_if_no_part_has_it() -> None:
    table = Table(
        "by_two",
        ("ad_id", "date", "age", "gender"),
        "…",
        (
            Column("ad_id", "id", "…"),
            Column("age", "text", "…", breakdown=True),
            Column("gender", "text", "…", breakdown=True),
            Column("gender_name", "text", "…", field="gender", breakdown=True),
            Column("impressions", "count", "…"),
        ),
    )

    def part(*values: tuple[str | None, str | None, str | None]) -> Evidence:
        age, gender, name = zip(*values, strict=True)
        return Evidence.of_part(
            table,
            pa.table(
                {
                    "age": pa.array(age, pa.string()),
                    "gender": pa.array(gender, pa.string()),
                    "gender_name": pa.array(name, pa.string()),
                    "impressions": pa.array([1] * len(values), pa.int64()),
                }
            ),
        )

    without_age = part((None, None, "male"), (None, "female", None))
    without_both = part((None, None, None))
    with_age = part(("18-24", None, None))

    assert (Evidence() + without_both + without_age).whole(table).lost == {"age"}
    assert (without_both + with_age).whole(table).lost == {"gender"}
    assert (with_age + without_age).whole(table).lost == frozenset()


def test_a_day_without_delivery_is_proven_by_nothing_against_nothing() -> None:
    verdict = proof(rows(), None)

    assert verdict.proven
    assert verdict.reason == "no delivery: Meta returned no rows and no total"


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
        assert verdict.reason.endswith("1 key has more than one row")


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
    few = Evidence(rows=3, totals=Totals(1, 0, Decimal()))

    good = prove(few, control, no_sums="no totals to compare it with")
    bad = prove(replace(few, rejected=1), control, no_sums="no totals to compare it with")

    assert (good.verdict, good.reason) == ("unprovable", "no totals to compare it with")
    assert (bad.verdict, bad.reason) == ("unproven", "1 row could not be read")
