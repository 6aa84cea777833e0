"""Dagster shows "Unsynced" when it is true, and only then: its own resolver is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from pipelines.asset_keys import AssetKeys
from pipelines.definitions import defs
from pipelines.defs.event_log.data_versions import accounts_version
from pipelines.defs.event_log.events import published_events
from pipelines.loading.accounts.stored import store_accounts
from pipelines.resources import GraphResource
from tests.runs import run_job
from warehouse.lake.parquet import Writer, content_digest
from warehouse.published.publish import publish
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.fixture
def status(instance: dg.DagsterInstance) -> Callable[..., str]:
    """FRESH, STALE or MISSING, as the pages have it."""

    def of(asset: str, partition_key: str | None = None) -> str:
        graph, loading = defs.resolve_asset_graph(), LoadingContextForTest(instance)
        resolver = CachingStaleStatusResolver(instance, graph, loading)
        return resolver.get_status(dg.AssetKey(asset), partition_key).value

    return of


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    """One look of the sensor, whose events are recorded; nothing that it asks for is run."""
    sensor = defs.get_repository_def().get_sensor_def("follow_lake")
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=defs.get_repository_def(),
        resources={"graph": GraphResource()},
    )
    result = sensor.evaluate_tick(context)
    for event in result.asset_events:
        instance.report_runless_asset_event(event)
    return result


def test_no_cell_is_unsynced_because_the_accounts_were_listed_again(
    instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date], status: Callable[..., str]
) -> None:
    first, other = (f"act_{account_id}" for account_id in sandbox.account_ids[:2])
    run_job(instance, "accounts_job")
    run_job(instance, "insights_hourly_job", f"{first}|{days[0]}", f"{first}|{days[0]}")
    run_job(instance, "insights_hourly_job", f"{first}|{days[1]}", f"{other}|{days[2]}")
    run_job(instance, "objects_job", first, first)
    cells = [f"{first}|{days[0]}", f"{first}|{days[1]}", f"{other}|{days[2]}"]

    run_job(instance, "accounts_job")

    assert [status("insights_hourly", cell) for cell in cells] == ["FRESH"] * 3
    assert [status(table, first) for table in ("campaigns", "adsets", "ads")] == ["FRESH"] * 3
    assert status("insights_hourly", f"{other}|{days[0]}") == "MISSING"


@pytest.mark.slow
def test_every_cell_of_a_refresh_is_in_sync_and_so_is_what_it_published(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, status: Callable[..., str]
) -> None:
    config = {"accounts": [f"act_{sandbox.account_ids[0]}"], "as_of": NOW.isoformat()}
    run_job(instance, "refresh_job", config={"look": config})
    run_job(instance, "accounts_job")

    cells = lake.partitions("insights_hourly")
    assert len(cells) > 1
    for cell in cells:
        assert status("insights_hourly", f"act_{cell.account_id}|{cell.date}") == "FRESH"
    assert status("warehouse_duckdb") == "FRESH"


def test_the_published_file_is_unsynced_from_a_change_of_the_lake_until_it_is_published(
    instance: dg.DagsterInstance,
    lake: Lake,
    load: Callable[..., Any],
    days: Sequence[date],
    status: Callable[..., str],
) -> None:
    load(days[:1])
    run_job(instance, "publish_job")
    cursor = tick(instance).cursor
    assert status("warehouse_duckdb") == "FRESH"

    load(days[1:2])
    cursor = tick(instance, cursor).cursor
    assert status("warehouse_duckdb") == "STALE"
    tick(instance, cursor)
    assert status("warehouse_duckdb") == "STALE"

    run_job(instance, "publish_job")
    assert status("warehouse_duckdb") == "FRESH"

    load(days[2:])
    tick(instance)
    assert status("warehouse_duckdb") == "STALE"
    for event in published_events(publish(lake.root), AssetKeys()):  # as the command line does
        instance.report_runless_asset_event(event)
    assert status("warehouse_duckdb") == "FRESH"


def test_what_a_script_has_published_is_in_sync_from_the_next_look_on(
    instance: dg.DagsterInstance,
    lake: Lake,
    load: Callable[..., object],
    days: Sequence[date],
    status: Callable[..., str],
) -> None:
    load(days[:1])
    run_job(instance, "publish_job")
    load(days[1:2])
    behind = tick(instance)
    unsynced = status("warehouse_duckdb")
    publish(lake.root)

    changed_days = tick(instance, behind.cursor)
    again = tick(instance, changed_days.cursor)

    assert unsynced == "STALE"
    assert status("warehouse_duckdb") == "FRESH"
    assert not again.asset_events


def test_a_long_load_between_two_publishes_costs_dagster_one_event(
    instance: dg.DagsterInstance, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    cursor, events = None, 0
    for _ in range(5):
        lake.changed()
        result = tick(instance, cursor)
        cursor = result.cursor
        events += sum(isinstance(one, dg.AssetMaterialization) for one in result.asset_events)

    assert events == 1


def test_a_version_is_of_the_rows_and_not_of_the_load(
    lake: Lake, sandbox: Sandbox, load: Callable[..., Any], days: Sequence[date]
) -> None:
    account_id = sandbox.account_ids[0]
    load(days[:2], [account_id])
    key = lake.key("insights_hourly", account_id, days[0])
    first, other = (_version(lake, account_id, day) for day in days[:2])
    bytes_before = lake.store.read(key)

    load(days[:1], [account_id], run_id="run-2")

    assert lake.store.read(key) != bytes_before
    assert _version(lake, account_id, days[0]) == first != other


def _version(lake: Lake, account_id: str, day: date) -> str:
    key = lake.key("insights_hourly", account_id, day)
    return content_digest(lake.table("insights_hourly"), lake.store.open(key))


TABLE = Table(
    "signed",
    ("ad_id",),
    "Rows whose address is signed anew each time.",
    (
        Column("ad_id", "id", "Ad"),
        Column("reach", "count", "Reach"),
        Column("url", "text", "Address", moves=True),
        Column("fetched_at", "instant", "When it was read", field=""),
    ),
)


@pytest.mark.parametrize(
    ("changed", "versions"),
    [
        ({}, 1),
        ({"url": "https://other.example.com"}, 1),
        ({"fetched_at": NOW + timedelta(1)}, 1),
        ({"reach": 2}, 2),
        ({"reach": None}, 2),
        ({"ad_id": "2"}, 2),
    ],
)
def test_each_value_is_part_of_it_but_those_that_move(
    changed: Mapping[str, Any], versions: int, tmp_path: Path
) -> None:
    row = {"ad_id": "1", "reach": 1, "url": "https://example.com", "fetched_at": NOW}

    def digest(name: str, row: Mapping[str, Any]) -> str:
        writer = Writer(TABLE, tmp_path / name)
        writer.write(pa.Table.from_pylist([row], schema=TABLE.file_schema))
        return content_digest(TABLE, writer.finish())

    assert len({digest("one", row), digest("other", {**row, **changed})}) == versions


def test_the_version_of_the_accounts_moves_when_one_gets_another_zone_or_currency(
    lake: Lake,
) -> None:
    one = {"account_id": "1", "name": "Shop", "currency": "EUR", "timezone_name": "Europe/Berlin"}

    def version(day: int, **changed: str) -> str:
        store_accounts(lake, [{**one, **changed}], NOW + timedelta(day))
        return accounts_version(lake)

    first = version(0)
    assert version(1, name="Renamed", amount_spent="99") == version(2, account_id="2") == first
    tokyo = version(3, timezone_name="Asia/Tokyo")
    assert tokyo != first
    assert version(4, name="Again", timezone_name="Asia/Tokyo") == tokyo
    assert version(5, currency="JPY", timezone_name="Asia/Tokyo") != tokyo
