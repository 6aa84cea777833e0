"""Objects with values that cannot be read: a cell costs itself, and history does not move."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from tests.pipelines.loading.spoiling import nobody
from tests.warehouse.lake.campaigns import ACCOUNT, MONDAY, account, campaign, names, seen, states
from warehouse.lake.defects.rejects import LATEST, unread_columns
from warehouse.lake.history import merge_objects
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from tests.s3 import S3


def rejects(lake: Lake) -> list[tuple[str, str, str]]:
    """Account, column and value of what could not be read, as published."""
    url = lake.store.name()
    publish(url)
    with warehouse.open(url) as opened:
        query = "select account_id, column_name, value from rejects order by all"
        return opened.sql(query).fetchall()


def test_a_value_that_cannot_be_read_is_null_in_rejects_and_no_change_in_history(
    lake: Lake,
) -> None:
    seen(lake, campaign(), campaign(21, name="Other"))

    merged = seen(lake, campaign(daily_budget="12a"), campaign(21, name="Others"), after=1)

    rows = lake.read("campaigns").to_pylist()
    assert [row["daily_budget"] for row in rows] == [None, Decimal(15)]
    assert states(lake) == [("Spring", 0, None), ("Other", 0, 1), ("Others", 1, None)]
    assert set(lake.read("campaigns_history")["daily_budget"].to_pylist()) == {Decimal(15)}
    assert str(merged.unreadable) == (
        "1 value NULL or left out (see the table rejects);"
        ' first: daily_budget "12a" of 20: not a whole number'
    )
    assert rejects(lake) == [("11", "daily_budget", '"12a"')]


def test_a_change_next_to_a_value_that_cannot_be_read_keeps_the_value_known_before(
    lake: Lake,
) -> None:
    seen(lake, campaign())
    seen(lake, campaign(name="Summer", daily_budget="12a"), after=1)
    seen(lake, campaign(name="Summer"), after=2)
    seen(lake, campaign(name="Summer", daily_budget="2000"), after=3)

    assert states(lake) == [("Spring", 0, 1), ("Summer", 1, 3), ("Summer", 3, None)]
    budgets = lake.read("campaigns_history")["daily_budget"].to_pylist()
    assert budgets == [Decimal(15), Decimal(15), Decimal(20)]
    assert rejects(lake) == []


@pytest.mark.parametrize("name", ["Spring", "Summer"])
def test_a_value_that_is_read_for_the_first_time_was_there_all_along(lake: Lake, name: str) -> None:
    seen(lake, campaign(daily_budget="12a"))
    seen(lake, campaign(daily_budget="12a"), after=1)
    seen(lake, campaign(name=name), after=2)

    rows = lake.read("campaigns_history").to_pylist()
    assert {row["daily_budget"] for row in rows} == {Decimal(15)}
    assert len(rows) == (1 if name == "Spring" else 2)


def test_a_value_that_was_null_and_is_set_is_a_change(lake: Lake) -> None:
    seen(lake, campaign(daily_budget=None))
    seen(lake, campaign(), after=1)

    budgets = lake.read("campaigns_history")["daily_budget"].to_pylist()
    assert budgets == [None, Decimal(15)]


@pytest.mark.parametrize("odd", [None, "a text", {"account_id": "11"}, campaign(22, account_id=9)])
def test_an_object_that_cannot_be_kept_costs_itself_and_is_in_rejects_until_the_next_listing(
    lake: Lake, odd: object
) -> None:
    seen(lake, campaign())

    merged = merge_objects(
        *(lake, "campaigns", [odd, campaign(name="Summer")], ACCOUNT),
        MONDAY + timedelta(days=1),
        complete=True,
    )

    assert names(lake) == ["Summer"]
    assert (merged.unreadable.objects, merged.unreadable.cells) == (1, 0)
    assert [account for account, _, _ in rejects(lake)] == ["11"]
    seen(lake, campaign(22), campaign(name="Summer"), after=2)
    assert rejects(lake) == []


def test_rejects_of_objects_and_of_accounts_come_and_go_in_a_bucket_too(s3: S3) -> None:
    lake = Lake(f"s3://{s3.new_bucket()}")

    def take_in(days: int, **changes: Any) -> None:
        seen(lake, campaign(**changes), after=days)
        odd = [account(11, **{"balance": "x"} if changes else {}), account(12)]
        at = MONDAY + timedelta(days=days)
        merge_objects(lake, "accounts", odd, None, at, complete=False)

    take_in(0, daily_budget="12a")
    assert rejects(lake) == [("11", "balance", '"x"'), ("11", "daily_budget", '"12a"')]
    take_in(1)
    assert rejects(lake) == []
    assert lake.store.find("rejects/*/*/*/*") == []
    assert set(lake.read("campaigns_history")["daily_budget"].to_pylist()) == {Decimal(15)}


def test_a_look_at_rejects_leaves_out_files_that_may_not_be_read_and_names_them(
    open_days: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lake = open_days.lake
    seen(lake, campaign(daily_budget="x"))
    [stored] = lake.store.find("rejects/*/*/*/*")
    content = Path(lake.store.name(stored.key)).read_bytes()
    closed, loop = (
        lake.root / "rejects" / "campaigns" / account_id / LATEST / Path(stored.key).name
        for account_id in ("12", "13")
    )
    for path in (closed, loop):
        path.parent.mkdir(parents=True)
    closed.write_bytes(content)
    closed.chmod(0)
    loop.symlink_to(loop)

    with nobody():
        found = unread_columns(lake.store, [OBJECT_TABLES["campaigns"]], ["11", "12", "13"])

    assert [(one.column, one.objects) for one in found] == [("daily_budget", 1)]
    assert f"{closed} cannot be read: Permission denied" in caplog.text
    assert f"{loop} cannot be read: Too many levels of symbolic links" in caplog.text


def test_an_object_that_cannot_be_kept_keeps_the_row_it_has(lake: Lake) -> None:
    seen(lake, campaign(), campaign(21))
    merged = seen(lake, campaign(), campaign(21, account_id="12"), after=1)

    assert lake.read("campaigns")["campaign_id"].to_pylist() == ["20", "21"]
    assert merged.gone == ["21"]


def test_rejects_of_an_object_stay_until_it_is_read_again(lake: Lake) -> None:
    """A deleted one is in no listing any more."""
    seen(lake, campaign(), campaign(21, daily_budget="x"), campaign(22, daily_budget="y"))
    seen(lake, campaign(), campaign(22), after=1)
    assert rejects(lake) == [("11", "daily_budget", '"x"')]

    seen(lake, campaign(21, effective_status="DELETED"), after=2, complete=False)
    assert rejects(lake) == []
    assert lake.store.find("rejects/*/*/*/*") == []


def test_rejects_of_each_column_are_kept_up_to_a_thousand(lake: Lake) -> None:
    odd = [campaign(number, daily_budget="x", name=[]) for number in range(20, 1_025)]

    merged = seen(lake, *odd)

    assert merged.unreadable.cells == 2 * 1_005
    assert Counter(column for _, column, _ in rejects(lake)) == {
        "campaign_name": 1_000,
        "daily_budget": 1_000,
    }


def test_an_account_that_cannot_be_read_costs_itself_and_each_value_itself(lake: Lake) -> None:
    odd = account(12, name={"not": "a name"}, balance="a lot")
    merged = merge_objects(
        *(lake, "accounts", [account(11), odd, None, {"name": "no id"}, account(13)], None, MONDAY),
        complete=False,
    )

    rows = {row["account_id"]: row for row in lake.read("accounts").to_pylist()}
    assert {key: row["balance"] for key, row in rows.items()} == {"11": 1, "12": None, "13": 1}
    assert (rows["12"]["account_name"], rows["12"]["account_timezone"]) == (None, "Europe/Berlin")
    assert (merged.unreadable.objects, merged.unreadable.cells) == (2, 2)
    assert rejects(lake) == [
        ("", "", "null"),
        ("", "account_id", "null"),
        ("12", "account_name", '{"not": "a name"}'),
        ("12", "balance", '"a lot"'),
    ]

    again = [account(11), account(12, name={"not": "a name"})]
    merge_objects(lake, "accounts", again, None, MONDAY + timedelta(days=1), complete=False)
    assert rejects(lake) == [("12", "account_name", '{"not": "a name"}')]
