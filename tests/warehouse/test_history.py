"""Objects over time: the latest state, every state before, and the ones that no listing has."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.arrow import records
from warehouse.decode import Account
from warehouse.errors import WarehouseError
from warehouse.history import merge_objects, missing_ids
from warehouse.lake import Lake
from warehouse.registry import register
from warehouse.schema import TABLES
from warehouse.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from warehouse.history import Merged

ACCOUNT = Account("11", "Europe/Berlin", "EUR")
MONDAY = datetime(2026, 11, 16, 5, tzinfo=UTC)
DAY = date(2026, 11, 21)

#: A process that takes in two listings: of what is listed no more, one is known to be deleted.
LISTER = """
import sys
from datetime import UTC, datetime
from warehouse.decode import Account
from warehouse.history import merge_objects
from warehouse.lake import Lake
lake, account = Lake({url!r}), Account("11", "UTC", "EUR")
told = {{"account_id": "11", "name": "Spring", "updated_time": "2026-11-01T08:00:12+0100"}}
listed = [{{"id": str(n), "effective_status": "DELETED" if n else None, **told}} for n in (0, 1)]
for day, objects in enumerate([listed, [{{"id": "2", **told}}]], start=1):
    at = datetime(2026, 11, day, tzinfo=UTC)
    merge_objects(lake, "campaigns", objects, account, at, complete=True)
print("pandas" in sys.modules)
"""


def campaign(number: int = 20, **changes: Any) -> dict[str, Any]:
    values = {"id": str(number), "account_id": "11", "name": "Spring", "daily_budget": "1500"}
    return (
        values
        | {"effective_status": "ACTIVE", "updated_time": "2026-11-01T08:00:12+0100"}
        | changes
    )


def seen(
    lake: Lake, *campaigns: Mapping[str, Any], after: int = 0, complete: bool = True
) -> Merged:
    """Take in a snapshot of some days after the first Monday."""
    at = MONDAY + timedelta(days=after)
    return merge_objects(lake, "campaigns", campaigns, ACCOUNT, at, complete=complete)


def names(lake: Lake, table: str = "campaigns") -> list[str]:
    return list(lake.read(table)["campaign_name"].to_pylist())


def states(lake: Lake) -> list[tuple[str, int, int | None]]:
    """Name, first and last day of each state, counted from the first Monday."""
    return [
        (
            row["campaign_name"],
            (row["valid_from"] - MONDAY).days,
            None if row["valid_to"] is None else (row["valid_to"] - MONDAY).days,
        )
        for row in lake.read("campaigns_history").to_pylist()
    ]


def test_a_change_ends_one_state_and_begins_the_next(lake: Lake) -> None:
    seen(lake, campaign())
    seen(lake, campaign(), after=1)
    seen(lake, campaign(name="Summer"), after=2)
    seen(lake, campaign(name="Summer"), after=3)

    assert names(lake) == ["Summer"]
    assert states(lake) == [("Spring", 0, 2), ("Summer", 2, None)]


def test_the_latest_state_says_when_it_was_read(lake: Lake) -> None:
    seen(lake, campaign())
    seen(lake, campaign(budget_remaining="700"), after=1)

    [row] = lake.read("campaigns").to_pylist()
    assert row["fetched_at"] == MONDAY + timedelta(days=1)
    assert row["budget_remaining"] == Decimal(7)


def test_what_moves_by_itself_is_no_change(lake: Lake) -> None:
    seen(lake, campaign())
    before = (lake.root / lake.key("campaigns_history", "11", None)).stat().st_ino
    seen(lake, campaign(budget_remaining="5", updated_time="2026-11-20T08:00:12+0100"), after=1)

    assert states(lake) == [("Spring", 0, None)]
    assert (lake.root / lake.key("campaigns_history", "11", None)).stat().st_ino == before


def test_a_changed_budget_is_a_change_in_major_units(lake: Lake) -> None:
    seen(lake, campaign())
    seen(lake, campaign(daily_budget="2000"), after=1)

    budgets = lake.read("campaigns_history")["daily_budget"].to_pylist()
    assert budgets == [Decimal(15), Decimal(20)]


def test_an_object_that_is_no_longer_listed_stays_and_is_asked_for(lake: Lake) -> None:
    seen(lake, campaign(20), campaign(21, name="Other"))
    merged = seen(lake, campaign(20), after=1)
    assert merged.gone == ["21"]

    deleted = campaign(21, name="Other", effective_status="DELETED")
    assert seen(lake, deleted, after=2, complete=False).gone == []
    assert seen(lake, campaign(20), after=3).gone == []

    rows = lake.read("campaigns").to_pylist()
    assert [r["effective_status"] for r in rows] == ["ACTIVE", "DELETED"]
    assert states(lake) == [("Spring", 0, None), ("Other", 0, 2), ("Other", 2, None)]


def test_of_an_object_that_came_twice_the_later_counts(lake: Lake) -> None:
    seen(lake, campaign(name="first"), campaign(name="second"))

    assert names(lake) == ["second"]


def test_a_snapshot_that_is_older_than_what_is_known_changes_no_history(lake: Lake) -> None:
    seen(lake, campaign(), after=2)
    seen(lake, campaign(name="Old"), after=1)

    assert states(lake) == [("Spring", 2, None)]


def test_a_process_that_died_between_the_two_files_is_made_good_by_the_next(lake: Lake) -> None:
    seen(lake, campaign())
    before = lake.read("campaigns")
    seen(lake, campaign(name="Summer"), after=1)
    lake.replace("campaigns", before, account_id="11")  # as if killed before the second rename
    seen(lake, campaign(name="Summer"), after=2)

    assert names(lake) == ["Summer"]
    assert states(lake) == [("Spring", 0, 1), ("Summer", 1, None)]


def test_an_object_that_cannot_be_read_is_named_and_nothing_changes(lake: Lake) -> None:
    seen(lake, campaign())

    with pytest.raises(
        WarehouseError, match='campaigns of act_11: daily_budget "12a": not a whole'
    ):
        seen(lake, campaign(name="Summer"), campaign(21, daily_budget="12a"), after=1)

    assert names(lake) == names(lake, "campaigns_history") == ["Spring"]


def test_accounts_have_a_history_too(lake: Lake) -> None:
    account = {"account_id": "11", "name": "Shop", "currency": "JPY", "balance": "100"}
    for days, changes in enumerate(({}, {"balance": "200"}, {"name": "Shop GmbH"})):
        at = MONDAY + timedelta(days=days)
        merge_objects(lake, "accounts", [account | changes], None, at, complete=True)

    rows = lake.read("accounts_history").to_pylist()
    assert [r["account_name"] for r in rows] == ["Shop", "Shop GmbH"]
    assert "balance" not in rows[0]


def test_a_rename_does_not_touch_the_rows_of_insights(days: Any, lake: Lake) -> None:
    days.put()
    path = lake.root / lake.key("insights_hourly", "11", DAY)
    before = path.stat()
    seen(lake, campaign())
    seen(lake, campaign(name="Summer"), after=1)

    assert path.stat() == before
    assert set(lake.read("insights_hourly")["campaign_name"].to_pylist()) == {
        "Campaign 0",
        "Campaign 1",
    }


def test_ids_that_insights_mention_and_no_table_has_are_found(days: Any, lake: Lake) -> None:
    days.put()
    seen(lake, campaign(20))

    assert missing_ids(lake, "11", [DAY, date(2026, 11, 20)]) == {
        "campaigns": ["21"],
        "adsets": [],
        "ads": ["30", "31"],
    }
    assert missing_ids(lake, "11", [date(2026, 11, 20)])["ads"] == []


@pytest.mark.usefixtures("own_tables")
def test_ids_in_a_report_of_campaigns_are_found_too(lake: Lake) -> None:
    columns = [TABLES["insights_daily"].column(n) for n in ("account_id", "campaign_id", "date")]
    table = Table(
        "mine", ("account_id", "campaign_id", "date"), "…", (*columns,), ("account_id", "date")
    )
    register(table)
    row = {"account_id": "11", "campaign_id": "29", "date": DAY}
    lake.replace("mine", records(table.arrow_schema, [row]), account_id="11", date=DAY)

    assert missing_ids(lake, "11", [DAY])["campaigns"] == ["29"]


snapshots = st.lists(
    st.dictionaries(st.integers(20, 22), st.sampled_from(["Spring", "Summer"]), max_size=3),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(snapshots=snapshots)
def test_history_gives_back_the_state_at_every_snapshot(
    snapshots: Sequence[Mapping[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    known: dict[str, str] = {}
    for days, snapshot in enumerate(snapshots):
        seen(lake, *(campaign(number, name=name) for number, name in snapshot.items()), after=days)
        known |= {str(number): name for number, name in snapshot.items()}
        at = MONDAY + timedelta(days=days)
        rows = lake.read("campaigns_history").to_pylist()
        valid = [
            row
            for row in rows
            if row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"])
        ]
        assert {row["campaign_id"]: row["campaign_name"] for row in valid} == known
        assert len(valid) == len(known)


def test_objects_of_another_account_are_refused(lake: Lake) -> None:
    other = replace(ACCOUNT, account_id="12")

    with pytest.raises(WarehouseError, match="another account_id than 12"):
        merge_objects(
            lake, "campaigns", [campaign(daily_budget=None)], other, MONDAY, complete=True
        )

    assert names(lake) == names(lake, "campaigns_history") == []


def test_objects_are_taken_in_without_pandas(tmp_path: Path) -> None:
    code = LISTER.format(url=str(tmp_path / "lake"))
    told = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert told.stdout == "False\n"
