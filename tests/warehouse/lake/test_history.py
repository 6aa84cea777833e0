"""Objects over time: the latest state, every state before, and the ones that no listing has."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.lake.campaigns import ACCOUNT, MONDAY, account, campaign, names, seen, states
from warehouse.decode.arrow import records
from warehouse.lake.history import mentioned_ids, merge_objects, missing_ids
from warehouse.lake.partitions import Lake
from warehouse.schema.catalog import OWN
from warehouse.schema.table import Table
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


DAY = date(2026, 11, 21)

#: A process that takes in two listings: of what is listed no more, one is known to be deleted.
LISTER = """
import sys
from datetime import UTC, datetime
from warehouse.decode.pages import Account
from warehouse.lake.history import merge_objects
from warehouse.lake.partitions import Lake
lake, account = Lake({url!r}), Account("11", "UTC", "EUR")
told = {{"account_id": "11", "name": "Spring", "updated_time": "2026-11-01T08:00:12+0100"}}
listed = [{{"id": str(n), "effective_status": "DELETED" if n else None, **told}} for n in (0, 1)]
for day, objects in enumerate([listed, [{{"id": "2", **told}}]], start=1):
    at = datetime(2026, 11, day, tzinfo=UTC)
    merge_objects(lake, "campaigns", objects, account, at, complete=True)
print("pandas" in sys.modules)
"""


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


@pytest.mark.parametrize(
    "text",
    [
        '{{"rule":"{shop}","of":{{"picture":"https:\\/\\/x.fbcdn.net\\/1.jpg?oh={n}\\u0026oe={n}B120280"}}}}',
        '"{{\\"picture\\":\\"https://x.fbcdn.net/1.jpg?oh={n}&oe={n}B120280\\"}} {shop}"',
        "see https://x.fbcdn.net/1.jpg?oh={n}&oe={n}B120280 at {shop}",
    ],
)
def test_a_text_that_differs_in_signed_addresses_alone_is_no_change(lake: Lake, text: str) -> None:
    shop = "https://shop.example/?oe=1"
    for after, n in enumerate((5, 6, 6)):
        where = shop if after < 2 else f"{shop}&b=2"
        seen(lake, campaign(name=text.format(n=n, shop=where)), after=after)

    assert [(since, until) for _, since, until in states(lake)] == [(0, 2), (2, None)]


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


def test_changes_are_recorded_though_the_clock_was_ahead_when_the_last_one_was_seen(
    lake: Lake,
) -> None:
    seen(lake, campaign())
    seen(lake, campaign(name="Summer"), after=30)  # the clock is ahead by a month
    for days, name in ((1, "Summer"), (2, "Autumn"), (3, "Autumn"), (4, "Winter"), (31, "Winter")):
        seen(lake, campaign(name=name), after=days)
    seen(lake, campaign(name="Spring again"), after=32)

    assert states(lake) == [
        ("Spring", 0, 30),
        ("Summer", 30, 30),
        ("Autumn", 30, 30),
        ("Winter", 30, 32),
        ("Spring again", 32, None),
    ]
    assert names(lake) == ["Spring again"]


snapshots_at_any_time = st.lists(
    st.tuples(st.integers(-3, 3), st.sampled_from(["Spring", "Summer", "Autumn"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(taken=snapshots_at_any_time, of_accounts=st.booleans())
def test_whatever_the_clock_says_every_change_is_a_state_and_states_follow_each_other(
    taken: Sequence[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory, *, of_accounts: bool
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    for days, name in taken:
        at = MONDAY + timedelta(days=days)
        if of_accounts:
            merge_objects(lake, "accounts", [account(11, name=name)], None, at, complete=False)
        else:
            merge_objects(lake, "campaigns", [campaign(name=name)], ACCOUNT, at, complete=True)

    table, column = ("accounts", "account_name") if of_accounts else ("campaigns", "campaign_name")
    rows = lake.read(f"{table}_history").to_pylist()
    changes = [name for n, (_, name) in enumerate(taken) if n == 0 or name != taken[n - 1][1]]
    assert [row[column] for row in rows] == changes
    assert all(row["valid_from"] < row["valid_to"] for row in rows[:-1])
    assert [row["valid_to"] for row in rows[:-1]] == [row["valid_from"] for row in rows[1:]]
    assert rows[-1]["valid_to"] is None
    assert lake.read(table)[column].to_pylist() == [taken[-1][1]]


def test_a_process_that_died_between_the_two_files_is_made_good_by_the_next(lake: Lake) -> None:
    seen(lake, campaign())
    before = lake.read("campaigns")
    seen(lake, campaign(name="Summer"), after=1)
    lake.replace("campaigns", before, account_id="11")  # as if killed before the second rename
    seen(lake, campaign(name="Summer"), after=2)

    assert names(lake) == ["Summer"]
    assert states(lake) == [("Spring", 0, 1), ("Summer", 1, None)]


def test_accounts_have_a_history_too(lake: Lake) -> None:
    for days, changes in enumerate(({}, {"balance": "200"}, {"name": "Shop GmbH"})):
        at = MONDAY + timedelta(days=days)
        merge_objects(lake, "accounts", [account(11, **changes)], None, at, complete=True)

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

    assert _missing(lake, [DAY, date(2026, 11, 20)]) == {
        "campaigns": ["21"],
        "adsets": [],
        "ads": ["30", "31"],
    }
    assert _missing(lake, [date(2026, 11, 20)])["ads"] == []


def test_ids_in_a_report_of_campaigns_are_found_too(tmp_path: Path) -> None:
    columns = [TABLES["insights_daily"].column(n) for n in ("account_id", "campaign_id", "date")]
    table = Table(
        "mine", ("account_id", "campaign_id", "date"), "…", (*columns,), ("account_id", "date")
    )
    lake = Lake(tmp_path / "lake", catalog=OWN.with_table(table))
    row = {"account_id": "11", "campaign_id": "29", "date": DAY}
    lake.replace("mine", records(table.arrow_schema, [row]), account_id="11", date=DAY)

    assert _missing(lake, [DAY])["campaigns"] == ["29"]


def _missing(lake: Lake, days: Sequence[date]) -> Mapping[str, Sequence[str]]:
    return missing_ids(lake, "11", mentioned_ids(lake, "11", days))


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


def test_objects_are_taken_in_without_pandas(tmp_path: Path) -> None:
    code = LISTER.format(url=str(tmp_path / "lake"))
    told = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert told.stdout == "False\n"
