"""Accounts and their objects: money by the currency's offset, times in UTC, enums as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.decode.objects import Objects, decode_objects
from warehouse.decode.pages import Account
from warehouse.schema.currencies import HUNDREDTHS, WHOLE_UNITS
from warehouse.schema.tables import OBJECT_TABLES, TABLES

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
EUROS = Account("1", "Europe/Berlin", "EUR")


def campaign(**changes: Any) -> dict[str, Any]:
    return {"id": "12021000000000001", "account_id": "1", "name": "東京", **changes}


def read(table: str, *rows: object, account: Account | None = EUROS) -> Objects:
    return decode_objects(OBJECT_TABLES[table], rows, None if table == "accounts" else account, NOW)


def decoded(table: str, *rows: object, account: Account | None = EUROS) -> list[dict[str, Any]]:
    found = read(table, *rows, account=account)
    assert found.rejects == []
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
        ("VND", "1000000000010", "1000000000010"),
        ("VND", "9223372036854775807", "9223372036854775807"),
        ("USD", "-9223372036854775808", "-92233720368547758.08"),
        ("USD", 1284733.0, "12847.33"),  # a JSON number with a point
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


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "None", None, ["EUR"], "XTS", "XXX"])
def test_money_in_a_currency_that_is_not_known_is_null_and_the_reject_says_why(
    currency: object,
) -> None:
    account = {"account_id": "1", "name": "Shop", "currency": currency, "balance": "100"}

    found = read("accounts", account)

    [row] = found.rows.to_pylist()
    reject = next(one for one in found.rejects if one.column == "balance")
    assert (row["balance"], row["account_name"]) == (None, "Shop")
    assert (reject.value, reject.lost) == ('"100"', "cell")
    assert reject.reason == f"the smallest coin of the currency {currency!r} is not known"


def test_an_account_without_money_needs_no_currency() -> None:
    [found] = decoded("accounts", {"account_id": "1"})

    assert found["account_currency"] is found["balance"] is None


def test_a_budget_is_in_the_currency_of_its_account() -> None:
    yen = Account("2", "Asia/Tokyo", "JPY")

    [euros] = decoded("campaigns", campaign(daily_budget="5000"))
    [many] = decoded("campaigns", campaign(account_id="2", daily_budget="5000"), account=yen)

    assert (euros["daily_budget"], many["daily_budget"]) == (50, 5000)


def test_every_currency_of_an_ad_account_is_in_one_of_the_tables() -> None:
    offered = {value for key, value in vars(AdAccount.Currency).items() if key[0] != "_"}

    assert offered <= WHOLE_UNITS | HUNDREDTHS
    assert not WHOLE_UNITS & HUNDREDTHS


@pytest.mark.parametrize(
    "none",
    [
        *("922337203685478", "922337203685477", "92233720368547758", "9223372036854775807"),
        *("9223372036854775808", "9223372036854776000", "9223372036854780000"),
        *(922337203685478, 922337203685478.0, 9.223372036854775807e18),
    ],
)
@pytest.mark.parametrize("currency", ["EUR", "VND", "XTS"])
def test_a_cap_that_is_metas_number_for_none_is_null_in_every_currency(
    none: str | float, currency: str
) -> None:
    account = Account("1", "Europe/Berlin", currency)

    [found] = decoded("campaigns", campaign(spend_cap=none, daily_budget=none), account=account)

    assert (found["spend_cap"], found["daily_budget"]) == (None, None)


def test_an_amount_that_looks_like_no_limit_is_an_amount_and_a_cap_of_0_is_0() -> None:
    spent = {"amount_spent": "922337203685478", "spend_cap": "0"}

    [found] = decoded("accounts", {"account_id": "1", "currency": "EUR", **spent})

    assert (found["amount_spent"], found["spend_cap"]) == (Decimal("9223372036854.78"), 0)


@pytest.mark.parametrize("cap", ["922337203685476", "92233720368547", "-922337203685478"])
def test_a_cap_that_is_another_large_number_is_that(cap: str) -> None:
    [found] = decoded("campaigns", campaign(spend_cap=cap))

    assert found["spend_cap"] == Decimal(cap) / 100


def test_a_number_that_a_float_cannot_tell_from_its_neighbours_is_not_taken() -> None:
    found = read("campaigns", campaign(daily_budget=9007199254740994.0))

    assert [(one.column, one.reason) for one in found.rejects] == [
        ("daily_budget", "not a whole number")
    ]


@pytest.mark.parametrize(
    "zero", ["1969-12-31T16:00:00-0800", "1970-01-01T00:00:00+0000", "1970-01-01T09:00:00+0900"]
)
def test_the_zero_of_unix_time_is_no_time(zero: str) -> None:
    [found] = decoded("adsets", campaign(end_time=zero, start_time="2026-11-20T07:00:12Z"))

    assert (found["end_time"], found["start_time"]) == (
        None,
        datetime(2026, 11, 20, 7, 0, 12, tzinfo=UTC),
    )


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


UNREADABLE = [
    ({"daily_budget": "12.5"}, "daily_budget"),
    ({"daily_budget": 12.5}, "daily_budget"),
    ({"daily_budget": "99999999999999999999"}, "daily_budget"),
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
    ({"created_time": "2026-11-20T08:00:12+0160"}, "created_time"),
    ({"created_time": "2026-11-20T08:00:12+010000.5"}, "created_time"),
    ({"created_time": "\uff12026-11-20T08:00:12+0100"}, "created_time"),
    ({"created_time": "0001-01-01T00:00:00+0100"}, "created_time"),
    ({"name": ["a"]}, "campaign_name"),
    ({"special_ad_categories": "HOUSING"}, "special_ad_categories"),
    ({"special_ad_categories": ["HOUSING", None]}, "special_ad_categories"),
]


@pytest.mark.parametrize(("changes", "column"), UNREADABLE)
def test_a_value_that_cannot_be_read_is_null_and_costs_nothing_else(
    changes: dict[str, Any], column: str
) -> None:
    rows = [campaign(id="3"), campaign(objective="OUTCOME_SALES", **changes), campaign(id="4")]

    found = read("campaigns", *rows)

    kept = found.rows.to_pylist()
    [reject] = found.rejects
    assert [row["campaign_id"] for row in kept] == ["3", "12021000000000001", "4"]
    assert (kept[1][column], kept[1]["objective"]) == (None, "OUTCOME_SALES")
    assert (reject.row, reject.column, reject.lost) == (2, column, "cell")
    assert json.loads(reject.raw)["id"] == "12021000000000001"
    assert found.unread == {("12021000000000001", column)}
    assert (found.unreadable.objects, found.unreadable.cells) == (0, 1)


@pytest.mark.parametrize(
    ("odd", "column"),
    [
        (None, ""),
        ("12021000000000001", ""),
        ([], ""),
        (campaign(id="act_1"), "campaign_id"),
        (campaign(id=""), "campaign_id"),
        (campaign(id=None), "campaign_id"),
        (campaign(id={"id": "1"}), "campaign_id"),
        ({"account_id": "1", "name": "Spring"}, "campaign_id"),
        (campaign(account_id="99"), "account_id"),
        (campaign(account_id=["1"]), "account_id"),
    ],
)
def test_an_object_that_cannot_be_kept_costs_itself_alone(odd: object, column: str) -> None:
    found = read("campaigns", campaign(id="3"), odd, campaign(id="4"))

    [reject] = found.rejects
    assert found.rows["campaign_id"].to_pylist() == ["3", "4"]
    assert (reject.row, reject.column, reject.lost) == (2, column, "row")
    assert json.loads(reject.raw) == odd
    assert (found.unreadable.objects, found.unreadable.cells) == (1, 0)


def test_an_object_that_does_not_say_whose_it_is_is_of_the_account_that_was_asked() -> None:
    [found] = decoded("campaigns", {"id": "3", "daily_budget": "5000"})

    assert (found["account_id"], found["daily_budget"]) == ("1", 50)


def test_half_a_surrogate_costs_a_character() -> None:
    found = read("campaigns", campaign(name="Spring \ud83d", special_ad_categories=["\ud800"]))

    [row] = found.rows.to_pylist()
    assert (row["campaign_name"], row["special_ad_categories"]) == ("Spring \ufffd", ["\ufffd"])
    assert {(reject.column, reject.lost) for reject in found.rejects} == {
        ("campaign_name", "nothing"),
        ("special_ad_categories", "nothing"),
    }
    assert not found.unreadable


def test_what_could_not_be_read_is_told_by_numbers_and_the_first() -> None:
    found = read("campaigns", None, campaign(daily_budget="12a", created_time="yesterday"))

    assert str(found.unreadable) == (
        "1 object not stored, 2 values NULL or left out (see the table rejects);"
        " first: null of number 1 of the list: not an object"
    )
    assert str(read("campaigns", campaign()).unreadable) == ""


def test_a_time_long_ago_is_the_time_that_it_is() -> None:
    [found] = decoded("campaigns", campaign(created_time="0005-01-01T00:00:00Z"))

    assert found["created_time"] == datetime(5, 1, 1, tzinfo=UTC)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=12)
    | st.sampled_from(["12", "-7", "2026-11-20T08:00:12+0100", "EUR", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), table=st.sampled_from(["accounts", "campaigns", "adsets", "ads"]))
def test_whatever_comes_costs_no_other_object_and_no_value_that_can_be_read(
    data: st.DataObject, table: str
) -> None:
    fields = TABLES[table].fields
    odd = data.draw(st.dictionaries(st.sampled_from(fields), json_values) | json_values)
    key = "account_id" if table == "accounts" else "id"
    good = {key: "70", "name": "Good", "currency": "EUR"}

    found = read(table, good, odd)

    rows = {row[TABLES[table].columns[0].name]: row for row in found.rows.to_pylist()}
    name = {"accounts": "account_name"}.get(table, f"{table[:-1]}_name")
    assert rows["70"][name] == "Good"
    assert len(rows) + found.unreadable.objects == 2
