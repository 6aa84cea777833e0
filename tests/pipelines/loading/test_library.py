"""What an account has besides its ads, loaded from the sandbox: the tables hold what it serves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.catalog.fields import NO_TOTAL_COUNT, object_fields
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.objects import is_due
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from tests.clock import NOW, Clock
from warehouse.decode.pages import Account
from warehouse.lake.defects.rejects import of_objects
from warehouse.lake.history import merge_objects
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LIBRARY: Final = ("images", "videos", "custom_conversions", "custom_audiences")


class Loaded(NamedTuple):
    """A sandbox, a lake that is loaded from it on a Monday, and a way to do so at other times."""

    sandbox: Sandbox
    lake: Lake
    account_ids: Sequence[str]
    load: Callable[..., Any]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with Sandbox(now=lambda: NOW) as sandbox:
        clock = Clock()
        lake = Lake(tmp_path_factory.mktemp("lake"))
        account_ids = sandbox.account_ids[:2]
        with GraphClient(
            sandbox.token, base_url=sandbox.url, sleep=clock.sleep, clock=clock.seconds
        ) as client:

            def load(at: datetime = NOW, *, full: bool = False) -> Any:
                session = Session(client, lake, "run-1", lambda: at, Recording())
                if not lake.read("accounts").num_rows:
                    session.load_accounts(discover(client))
                return session.list_objects(account_ids, full=full)

            load()
            yield Loaded(sandbox, lake, account_ids, load)


def served(loaded: Loaded, account_id: str, table: str) -> dict[str, dict[str, Any]]:
    """What the sandbox serves for a table, by key: its own JSON, read without our client."""
    row = OBJECT_TABLES[table]
    response = httpx.get(
        f"{loaded.sandbox.url}/v25.0/act_{account_id}/{row.edge}",
        params={"fields": ",".join(row.fields), "limit": 100},
        headers={"Authorization": f"Bearer {loaded.sandbox.token}"},
    )
    return {str(one[row.columns[0].source]): one for one in response.json()["data"]}


def expected(kind: str, value: Any) -> Any:
    """A value of JSON as a column of this kind has it: written down again, without our code."""
    if value is None or (kind == "size" and value == -1):
        return None
    if kind == "epoch":
        return datetime.fromtimestamp(value, UTC)
    if kind == "timestamp":
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    if kind == "decimal":
        return Decimal(str(value))
    return json.loads(json.dumps(value)) if kind == "json" else value


def at(found: dict[str, Any], path: str) -> Any:
    value: Any = found
    for part in path.split("."):
        value = None if value is None else value.get(part)
    return value


@pytest.mark.parametrize("table", LIBRARY)
def test_rows_and_values_are_what_the_sandbox_serves(loaded: Loaded, table: str) -> None:
    row = OBJECT_TABLES[table]
    columns = [c for c in row.columns if c.source and not c.moves and c.name != "last_fired_time"]
    for account_id in loaded.account_ids:
        truth = served(loaded, account_id, table)
        rows = {r[row.key]: r for r in loaded.lake.read(table, account_id=account_id).to_pylist()}

        assert rows.keys() == truth.keys() != set()
        for key, found in rows.items():
            values = {
                c.name: json.loads(found[c.name]) if c.kind == "json" and found[c.name] else
                found[c.name] for c in columns
            }  # fmt: skip
            assert values == {c.name: expected(c.kind, at(truth[key], c.source)) for c in columns}
            assert (found["account_id"], found["fetched_at"]) == (account_id, NOW)


def test_what_analysts_ask_is_in_the_published_file(loaded: Loaded) -> None:
    published = publish(loaded.lake.root, catalog=OWN)

    account = loaded.account_ids[0]
    assert {table: published.rows[table] for table in LIBRARY} == {
        table: sum(len(served(loaded, one, table)) for one in loaded.account_ids)
        for table in LIBRARY
    }
    audiences = loaded.lake.read("custom_audiences", account_id=account).to_pylist()
    by_name = {one["custom_audience_name"]: one for one in audiences}
    assert by_name["Customers"]["approximate_count_lower_bound"] is None
    assert by_name["Sleep better | 7d"]["operation_status"] == 471
    conversions = loaded.lake.read("custom_conversions", account_id=account).to_pylist()
    assert [one["is_archived"] for one in conversions].count(True) == 1


def test_what_moves_by_itself_is_no_state_and_slow_tables_are_listed_once_a_week(
    loaded: Loaded,
) -> None:
    before = {table: loaded.lake.read(f"{table}_history").num_rows for table in LIBRARY}

    next_day = loaded.load(NOW + timedelta(days=1))
    all_of_it = loaded.load(NOW + timedelta(days=1, hours=1), full=True)

    again = {(one.table, one.account_id) for one in next_day}
    assert {("campaigns", one) for one in loaded.account_ids} <= again
    assert len({one for one in again if one[0] in LIBRARY}) < len(LIBRARY) * 2
    assert {(one.table, one.account_id) for one in all_of_it if one.listing} == {
        (row.name, one) for row in OWN.listed for one in loaded.account_ids
    }
    assert {table: loaded.lake.read(f"{table}_history").num_rows for table in LIBRARY} == before


def test_paging_faults_cost_nothing(loaded: Loaded) -> None:
    account_id = loaded.account_ids[0]
    truth = {table: served(loaded, account_id, table).keys() for table in LIBRARY}
    loaded.sandbox.use("empty_pages", "broken_cursor", "limit_too_high:20", "no_total_count")
    try:
        found = loaded.load(NOW + timedelta(days=3), full=True)
    finally:
        loaded.sandbox.use()

    assert [one.error for one in found if one.error] == []
    for table in LIBRARY:
        rows = loaded.lake.read(table, account_id=account_id)
        assert set(rows[OBJECT_TABLES[table].key].to_pylist()) == truth[table]
        assert set(rows["fetched_at"].to_pylist()) == {NOW + timedelta(days=3)}


def test_what_vanishes_keeps_its_last_row_and_its_history(loaded: Loaded) -> None:
    account_id = loaded.account_ids[0]
    row = OBJECT_TABLES["images"]
    gone = min(served(loaded, account_id, "images"))
    before = loaded.lake.read("images", account_id=account_id).num_rows
    response = httpx.delete(
        f"{loaded.sandbox.url}/v25.0/act_{account_id}/adimages",
        params={"hash": gone},
        headers={"Authorization": f"Bearer {loaded.sandbox.token}"},
    )
    assert response.status_code == 200

    loaded.load(NOW + timedelta(days=9), full=True)

    rows = {r[row.key]: r for r in loaded.lake.read("images", account_id=account_id).to_pylist()}
    latest = max(one["fetched_at"] for one in rows.values())
    assert len(rows) == before
    assert [key for key, one in rows.items() if one["fetched_at"] < latest] == [gone]


def test_a_token_without_the_right_costs_that_table_alone(loaded: Loaded) -> None:
    loaded.sandbox.use("forbidden_audiences")
    try:
        found = loaded.load(NOW + timedelta(days=2), full=True)
    finally:
        loaded.sandbox.use()

    skipped = {(one.table, one.account_id): one.skipped for one in found if one.skipped}
    assert list(skipped) == [("custom_audiences", loaded.account_ids[1])]
    assert "(#200)" in skipped["custom_audiences", loaded.account_ids[1]]
    assert [one.error for one in found if one.error] == []
    assert loaded.lake.read("custom_audiences", account_id=loaded.account_ids[1]).num_rows == 4


def test_a_field_that_meta_has_retired_costs_its_column_alone(loaded: Loaded) -> None:
    retired = {"campaigns": "buying_type", "adsets": "billing_event", "creatives": "object_type"}
    account_id, lake = loaded.account_ids[0], loaded.lake

    def values(table: str, column: str) -> dict[str, Any]:
        rows = lake.read(table, account_id=account_id).to_pylist()
        return {row[OBJECT_TABLES[table].key]: row[column] for row in rows}

    def states() -> dict[str, int]:
        return {
            table: lake.read(f"{table}_history", account_id=account_id).num_rows
            for table in retired
        }

    before = {table: values(table, column) for table, column in retired.items()}, states()
    loaded.sandbox.use("retired_fields")
    try:
        found = loaded.load(NOW + timedelta(days=3), full=True)
        with GraphClient(loaded.sandbox.token, base_url=loaded.sandbox.url) as client:
            accounts = discover(client)
    finally:
        loaded.sandbox.use()

    assert [one.error for one in found if one.error] == []
    assert ({table: values(table, column) for table, column in retired.items()}, states()) == before
    for table, column in retired.items():
        assert all(before[0][table].values()), "the column had values"
        asked = set(values(table, "fetched_at").values())
        assert asked == {NOW + timedelta(days=3)}
        files = of_objects(lake.store, OBJECT_TABLES[table], account_id).values()
        why = {one["reason"] for rows in files for one in rows if one["column_name"] == column}
        assert len(why) == 1
        assert f"nonexisting field ({column})" in why.pop()
    assert len(accounts.rows) == len(loaded.sandbox.account_ids)


def test_each_account_has_its_own_day_of_the_week() -> None:
    row, daily = OBJECT_TABLES["images"], OBJECT_TABLES["ads"]
    monday = datetime(2026, 11, 23, 5, tzinfo=UTC)
    days = [monday + timedelta(days=n) for n in range(14)]

    assert is_due(row, "7", None, monday)
    assert is_due(daily, "7", monday, monday)
    for account_id in ("7", "8", "9"):
        listed_at, due = monday, []
        for now in days[1:]:
            if is_due(row, account_id, listed_at, now):
                due.append(now)
                listed_at = now
        assert due
        assert [(b - a).days for a, b in pairwise(due)] in ([7], [])
    # A day that was missed is made up for.
    assert is_due(row, "7", monday, monday + timedelta(days=8))
    spread = {
        next(now.day for now in days[1:] if is_due(row, str(one), monday, now)) for one in range(7)
    }
    assert len(spread) == 7


def test_an_odd_cell_costs_itself_in_every_kind_of_column(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    account = Account("1", "Europe/Berlin", "EUR")
    odd = {
        "id": "5", "account_id": "2", "name": ["x"], "approximate_count_lower_bound": -2,
        "approximate_count_upper_bound": "-1", "operation_status": "fine", "time_created": "soon",
        "time_updated": 0, "delivery_status": {"code": "x"}, "delete_time": 10**20,
    }  # fmt: skip
    fine = {"id": "6", "time_created": 1764580000, "operation_status": None}

    merged = merge_objects(lake, "custom_audiences", [odd, fine], account, NOW, complete=True)

    first, second = sorted(merged.rows.to_pylist(), key=lambda one: one["custom_audience_id"])
    assert (first["account_id"], first["owner_account_id"]) == ("1", "2")
    assert first["approximate_count_upper_bound"] is first["time_updated"] is None
    assert first["approximate_count_lower_bound"] == -2
    assert second["time_created"] == datetime(2025, 12, 1, 9, 6, 40, tzinfo=UTC)
    assert merged.unreadable.cells == 5
    assert merged.unreadable.objects == 0


def test_rows_agree_with_the_catalogue_of_graph() -> None:
    for row in OWN.listed:
        known = object_fields(row.kind)
        # Of events, what is made of a row has no id or field at Graph.
        assert row.are_events or set(row.fields) <= known.keys(), row.name
        assert not (row.is_counted and row.edge in NO_TOTAL_COUNT), row.name
        assert row.latest.partitions == ("account_id",)
        assert row.deleted in {"", *(column.name for column in row.columns)}, row.name
        assert set(row.mentioned_by) <= {
            (other.name, column.name) for other in OWN.listed for column in other.columns
        }
