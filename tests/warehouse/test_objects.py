"""Accounts and their objects: money by the currency's offset, times in UTC, enums as text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from warehouse.decode import decode_objects
from warehouse.schema import TABLES

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
CURRENCIES = {"1": "EUR", "2": "JPY"}


def campaign(**changes: Any) -> dict[str, Any]:
    return {"id": "12021000000000001", "account_id": "1", "name": "東京", **changes}


def decoded(table: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    found = decode_objects(TABLES[table], rows, CURRENCIES, NOW)
    assert found.rejects == ()
    return list(found.rows.to_pylist())


@pytest.mark.parametrize(
    ("currency", "minor", "major"),
    [
        ("JPY", "350220", "350220"),
        ("EUR", "1284733", "12847.33"),
        ("EUR", 100, "1"),  # a JSON number
        ("EUR", "-5", "-0.05"),
        ("COP", "7", "7"),  # ISO 4217 has two decimals; the API has none
        ("HUF", "7", "7"),
        ("BHD", "1234", "12.34"),  # ISO 4217 has three; the API has two
        ("XTS", "1234", "12.34"),  # all that are not named as whole are in hundredths
        ("EUR", "0", "0"),
        ("USD", "99999999999999", "999999999999.99"),
    ],
)
def test_money_of_objects_is_divided_by_the_offset_of_its_currency(
    currency: str, minor: str | int, major: str
) -> None:
    account = {"account_id": "1", "currency": currency, "balance": minor}

    [found] = decoded("accounts", account)

    assert found["balance"] == Decimal(major)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "None", None])
def test_money_in_what_is_no_currency_is_rejected_and_names_it(currency: str | None) -> None:
    account = {"account_id": "1", "currency": currency, "balance": "100"}

    found = decode_objects(TABLES["accounts"], [account], {}, NOW)

    [reject] = found.rejects
    assert (found.rows.num_rows, reject.column, reject.value) == (0, "balance", '"100"')
    assert reject.reason == f"{currency or ''!r} is no currency code"


def test_an_account_without_money_needs_no_currency() -> None:
    [found] = decoded("accounts", {"account_id": "1"})

    assert found["account_currency"] is found["balance"] is None


def test_a_budget_is_in_the_currency_of_its_account() -> None:
    rows = [campaign(account_id=a, daily_budget="5000") for a in CURRENCIES]

    assert [r["daily_budget"] for r in decoded("campaigns", *rows)] == [50, 5000]


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-20T08:00:12+0100", "2026-11-19T23:00:12-0800", "2026-11-20T07:00:12Z"),
        *("2026-11-20t08:00:12+0100", "2026-11-20T08:00:12 0100", "2026-11-20T08:00:12+01:00"),
    ],
)
def test_a_time_of_any_zone_is_the_same_instant_in_utc(text: str) -> None:
    [found] = decoded("campaigns", campaign(updated_time=text))

    assert found["updated_time"] == datetime(2026, 11, 20, 7, 0, 12, tzinfo=UTC)


def test_an_object_keeps_what_it_has_and_is_null_where_it_has_nothing() -> None:
    odd = campaign(effective_status="SOMETHING_NEW", special_ad_categories=["HOUSING"], extra={})

    [found] = decoded("campaigns", odd)

    assert (found["campaign_id"], found["campaign_name"]) == ("12021000000000001", "東京")
    assert found["effective_status"] == "SOMETHING_NEW"
    assert found["special_ad_categories"] == ["HOUSING"]
    assert found["fetched_at"] == NOW
    assert found["daily_budget"] is found["start_time"] is found["objective"] is None


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"daily_budget": "12.5"}, "daily_budget"),
        ({"daily_budget": 12.5}, "daily_budget"),
        ({"daily_budget": "99999999999999999999"}, "daily_budget"),
        ({"daily_budget": "1", "account_id": "99"}, "daily_budget"),  # whose currency?
        ({"daily_budget": "\uff15"}, "daily_budget"),
        ({"daily_budget": "1e3"}, "daily_budget"),
        ({"daily_budget": ""}, "daily_budget"),
        ({"daily_budget": True}, "daily_budget"),
        ({"daily_budget": float("nan")}, "daily_budget"),
        ({"daily_budget": {"amount": "1"}}, "daily_budget"),
        ({"created_time": "yesterday"}, "created_time"),
        ({"created_time": ""}, "created_time"),
        ({"created_time": 1763622012}, "created_time"),
        ({"created_time": "2026-11-20T08:00:12"}, "created_time"),  # of which zone?
        ({"created_time": "2026-11-20 08:00:12+0100"}, "created_time"),
        ({"created_time": "2026-1-2T3:4:5+0100"}, "created_time"),
        ({"created_time": "2026-02-30T00:00:00Z"}, "created_time"),
        ({"created_time": "2026-11-20T24:00:00Z"}, "created_time"),
        ({"created_time": "2026-11-20T08:00:12+2500"}, "created_time"),
        ({"created_time": "2026-11-20T08:00:12+010000.5"}, "created_time"),
        ({"created_time": "\uff12026-11-20T08:00:12+0100"}, "created_time"),
        ({"created_time": "0001-01-01T00:00:00+0100"}, "created_time"),
        ({"name": "\ud800"}, "campaign_name"),
        ({"name": ["a"]}, "campaign_name"),
        ({"special_ad_categories": "HOUSING"}, "special_ad_categories"),
        ({"id": "act_1"}, "campaign_id"),
        ({"id": None}, "campaign_id"),
    ],
)
def test_an_object_that_cannot_be_read_is_rejected_and_its_neighbours_load(
    changes: dict[str, Any], column: str
) -> None:
    rows = [campaign(), campaign(**changes), campaign(id="3")]

    found = decode_objects(TABLES["campaigns"], rows, CURRENCIES, NOW)

    assert found.rows["campaign_id"].to_pylist() == ["12021000000000001", "3"]
    assert [(r.row, r.column) for r in found.rejects] == [(2, column)]
