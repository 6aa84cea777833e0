"""Tables that others add: kept, published, and never at the cost of the warehouse's own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from warehouse.decode.pages import Account, decode
from warehouse.errors import UnfitTableError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 21)

ACTIONS = Column("actions", "actions", "Actions", windows=("7d_click",), keys=("action_device",))

MINE = Table(
    "mine",
    ("account_id", "date", "age"),
    "Mine.",
    (
        Column("account_id", "id", "Account"),
        Column("date", "date", "Day", field="date_start"),
        Column("age", "text", "Age", breakdown=True),
        Column("results", "json", "Results"),
        ACTIONS,
    ),
    partitions=("account_id", "date"),
)

RESULTS = [{"indicator": "reach", "values": [{"value": "17", "n": 1.50}]}]


def rows_of(**values: Any) -> Any:
    row = {"account_id": "11", "date_start": str(DAY), "date_stop": str(DAY), "age": "25-34"}
    body = json.dumps({"data": [row | values]}).encode()
    return decode(MINE, [body], Account("11", "Europe/Berlin", "EUR"), [DAY])


def test_a_table_that_was_added_is_published_with_its_view(tmp_path: Path) -> None:
    catalog = OWN.with_table(MINE)
    entry = {"action_type": "like", "action_device": "iphone", "value": "2", "7d_click": "1"}
    lake = Lake(tmp_path / "lake", catalog=catalog)
    lake.replace("mine", rows_of(actions=[entry]).rows, account_id="11", date=DAY)
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        found = opened.sql("FROM mine_actions SELECT age, action_type, action_device, value")
        assert found.fetchall() == [("25-34", "like", "iphone", Decimal(2))]
    assert catalog.views["mine_actions"].grain[-2:] == ("action_type", "action_device")


def test_a_value_of_another_shape_is_kept_as_json_digit_for_digit() -> None:
    found = rows_of(results=RESULTS)

    assert not found.rejects
    [text] = found.rows["results"].to_pylist()
    assert json.loads(text) == [{"indicator": "reach", "values": [{"value": "17", "n": "1.5"}]}]


@pytest.mark.parametrize("value", ["bare", "12", ""])
def test_a_bare_text_where_json_is_kept_becomes_json(value: str) -> None:
    found = rows_of(results=value)

    assert [json.loads(text) for text in found.rows["results"].to_pylist()] == [value]
    assert not found.rejects


@pytest.mark.parametrize(
    ("value", "kept"), [("\ud83d", "\ufffd"), ([{"a\ud800": "\udc00"}], [{"a\ufffd": "\ufffd"}])]
)
def test_half_a_surrogate_in_json_is_replaced_and_noted(value: object, kept: object) -> None:
    found = rows_of(results=value)

    assert [json.loads(text) for text in found.rows["results"].to_pylist()] == [kept]
    assert [reject.lost for reject in found.rejects] == ["nothing"]


def test_an_entry_whose_key_is_not_a_text_is_left_out_and_noted() -> None:
    good = {"action_type": "like", "action_device": "ipad", "value": "1"}
    found = rows_of(actions=[{**good, "action_device": {}}, good])

    assert found.rows["actions"].to_pylist() == [[{**good, "value": Decimal(1), "7d_click": None}]]
    [reject] = found.rejects
    assert (reject.column, reject.lost) == ("actions", "entry")
    assert reject.reason == "action_device of entry 1: expected text, got an object"


def test_a_key_that_was_asked_for_is_not_unknown_and_another_is() -> None:
    known = {"action_type": "like", "action_device": "ipad", "value": "2"}

    assert rows_of(actions=[known]).unknown_fields == ()
    assert rows_of(actions=[known | {"dda": "1"}]).unknown_fields == ("actions.dda",)


def wider(**changes: Any) -> Table:
    own = OWN.tables["insights_daily"]
    return replace(own, columns=(*own.columns, Column("cpc", "ratio", "Cost")), **changes)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            replace(MINE, name="campaign_daily"),
            "another table or view is called campaign_daily; choose another",
        ),
        (replace(MINE, name="ad_daily"), "another table or view is called ad_daily; choose"),
        (
            replace(MINE, name="adset_hourly"),
            "another table or view is called adset_hourly; choose",
        ),
        (replace(MINE, name="calendar"), "another table or view is called calendar; choose"),
        (
            replace(MINE, name="media"),
            "reserved for a table of the warehouse; choose another",
        ),
        (replace(MINE, name="insights_hourly"), "one row per account_id, ad_id, date, hour"),
        (replace(wider(), columns=wider().columns[1:]), "account_id"),
        (wider(grain=("account_id", "date")), "must keep one row per account_id, ad_id, date"),
    ],
)
def test_a_table_that_would_take_something_away_is_refused(table: Table, told: str) -> None:
    with pytest.raises(UnfitTableError, match=told):
        OWN.with_table(table)


def test_one_of_its_own_may_be_given_more_columns() -> None:
    catalog = OWN.with_table(wider())

    assert catalog.tables["insights_daily"].column("cpc").kind == "ratio"
    assert list(catalog.tables) == list(OWN.tables)
    assert list(catalog.views) == list(OWN.views)


def test_a_view_that_is_called_like_a_new_table_is_seen() -> None:
    catalog = OWN.with_table(MINE)

    with pytest.raises(UnfitTableError, match="mine_actions"):
        catalog.with_table(replace(MINE, name="mine_actions"))


def test_nothing_changes_a_catalog_and_the_order_of_what_is_added_does_not_matter() -> None:
    before = list(OWN.tables), list(OWN.views)
    other = replace(MINE, name="another")

    one = OWN.with_table(MINE).with_table(other)

    assert one == OWN.with_table(other).with_table(MINE)
    assert list(one.tables) == [*OWN.tables, "another", "mine"]
    assert list(one.views) == [*OWN.views, "another_actions", "mine_actions"]
    assert one.given == {"another", "mine"}
    assert before == (list(OWN.tables), list(OWN.views))
    with pytest.raises(TypeError, match="does not support item assignment"):
        one.tables["more"] = MINE  # type: ignore[index]


def test_a_table_that_takes_the_place_of_one_takes_its_view_too() -> None:
    plain = replace(MINE, columns=MINE.columns[:-1])

    catalog = OWN.with_table(MINE).with_table(plain)

    assert catalog.tables["mine"] is plain
    assert "mine_actions" not in catalog.views
