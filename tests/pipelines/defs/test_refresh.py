"""The refresh as a run of Dagster, against a sandbox that restates."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import pytest

import warehouse
from fbgraph import act_id
from pipelines.assembly import definitions_of
from pipelines.definitions import defs
from pipelines.loading.partitions import key_of
from pipelines.loading.refreshing.refresh import ReloadReason
from pipelines.reports.catalog import HOURLY_REPORT, Report
from tests.reports import KNOWN, only
from tests.runs import RunResult, run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.refreshing.changes import ChangedDays
    from warehouse.lake.partitions import Lake

NOW = "2026-11-23T20:00:00+00:00"


@pytest.fixture
def two(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Only two accounts, so that four weeks are quickly there."""
    chosen = sandbox.account_ids[:2]
    monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(chosen))
    return chosen


#: No report but the hourly one.
HOURS_ALONE: Final = definitions_of(only(HOURLY_REPORT))


def refresh(instance: dg.DagsterInstance, of: dg.Definitions = defs, **config: Any) -> RunResult:
    op = {"as_of": NOW, **config}
    return run_job(instance, "refresh_job", config={"look": op}, output_of="look", of=of)


def told(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the latest refresh recorded of itself."""
    event = instance.get_latest_materialization_event(dg.AssetKey("refresh"))
    assert event
    assert event.asset_materialization
    return {key: value.value for key, value in event.asset_materialization.metadata.items()}


def failed_cells(instance: dg.DagsterInstance, asset: str, keys: Iterable[str]) -> set[str]:
    """Those of the cells that the grid shows as failed."""
    asset_key = dg.AssetKey(asset)
    partitions = defs.resolve_asset_graph().get(asset_key).partitions_def
    assert partitions
    statuses = instance.get_status_by_partition(asset_key, list(keys), partitions)
    return {key for key, status in (statuses or {}).items() if status and status.name == "FAILED"}


def counts(sandbox: Sandbox) -> dict[tuple[str, str], int]:
    """Calls by method and path."""
    return {(c["method"], c["path"]): c["count"] for c in sandbox.calls()["calls"]}


def counted(sandbox: Sandbox) -> int:
    """Calls as Meta counts them: the items of a batch and not the batch."""
    return sum(number for call, number in counts(sandbox).items() if call != ("POST", "/"))


def reports(sandbox: Sandbox) -> int:
    """Report runs that were created."""
    return len(sandbox.calls()["runs"])


def test_of_restated_days_only_those_that_moved_are_pulled_again_and_the_tables_are_the_truth(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    two: Sequence[str],
    truth_rows: Callable[[str, date], list[tuple[Any, ...]]],
    lake_rows: Callable[[str, date], list[tuple[Any, ...]]],
) -> None:
    assert refresh(instance, HOURS_ALONE, full=True).success
    cells = [(where.account_id, where.date) for where in lake.partitions("insights_hourly")]
    before = {cell: truth_rows(*cell) for cell in cells if cell[1]}  # type: ignore[arg-type]
    sandbox.use("restated_days:10")
    after = {cell: truth_rows(*cell) for cell in before}  # type: ignore[arg-type]
    sandbox.reset_calls()

    result = refresh(instance, HOURS_ALONE)

    moved = {cell for cell, rows in before.items() if rows != after[cell]}
    newest = {i: max(day for of, day in before if of == i and day) for i in two}
    fresh = {(i, newest[i] - timedelta(days=n)) for i in two for n in range(3)}
    changed_days: ChangedDays = result.output
    assert len(before) == 2 * 28
    assert 0 < len(moved - fresh) < 12
    assert set(changed_days.to_reload["insights_hourly"]) == moved | fresh
    assert {cell: lake_rows(*cell) for cell in before} == after  # type: ignore[arg-type]
    said = told(instance)
    assert (said["pulled"], said["moved"]) == (len(moved | fresh), len(moved - fresh))
    assert said["calls"] + said["calls_of_entities"] == counted(sandbox)
    assert said["report_runs_of_a_full_lookback"] == 2
    assert reports(sandbox) <= len(moved | fresh)
    with warehouse.open(lake.root) as published:
        [(rows,)] = published.sql("select count(*) from insights_hourly").fetchall()
    assert rows == sum(map(len, after.values()))


@pytest.mark.slow
def test_a_refresh_asks_for_the_totals_of_each_account_once(
    instance: dg.DagsterInstance, sandbox: Sandbox, two: Sequence[str]
) -> None:
    assert refresh(instance, HOURS_ALONE).success

    # Each account: one call for its totals and, for its one report run, one page of rows.
    assert counts(sandbox)["GET", "/{id}/insights"] == 2 * (1 + 1)
    assert reports(sandbox) == len(two)


@pytest.mark.usefixtures("two")
def test_each_report_goes_back_as_far_as_it_says_and_not_before_it_begins(
    instance: dg.DagsterInstance,
) -> None:
    daily, split = KNOWN.by_name["insights_daily"], KNOWN.by_name["insights_age_gender"]
    some = (
        Report.of(daily.spec.model_copy(update={"lookback_days": 5})),
        Report.of(split.spec.model_copy(update={"start_date": date(2026, 11, 21)})),
    )

    changed_days: ChangedDays = refresh(instance, definitions_of(only(*some)), full=True).output

    pulled = {
        name: sorted({cell.day.day for cell in cells})
        for name, cells in changed_days.to_reload.items()
    }
    assert pulled == {daily.name: [18, 19, 20, 21, 22], split.name: [21, 22]}


def test_yesterday_is_that_of_each_accounts_own_clock(
    instance: dg.DagsterInstance, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = {a["account_id"]: a["timezone_name"] for a in sandbox.world()["accounts"]}
    named = {zone: account_id for account_id, zone in zones.items()}
    auckland, los_angeles = named["Pacific/Auckland"], named["America/Los_Angeles"]
    monkeypatch.setenv("FB_ACCOUNT_IDS", f"{auckland},{los_angeles}")

    changed_days: ChangedDays = refresh(instance, as_of="2026-11-23T12:00:00+00:00").output

    cells = changed_days.to_reload["insights_hourly"]
    newest = {
        i: max(cell.day for cell in cells if cell.account_id == i) for i in (auckland, los_angeles)
    }
    assert (str(newest[auckland]), str(newest[los_angeles])) == ("2026-11-23", "2026-11-22")


def test_an_account_that_refuses_fails_alone_and_the_rest_is_published(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, two: Sequence[str]
) -> None:
    sandbox.use("forbidden_insights")

    result = refresh(instance)

    assert not result.success
    assert {key.partition("|")[0] for _, key in result.failed} == {f"act_{two[1]}"}
    assert all("3191001" in why for why in result.failed.values())
    with warehouse.open(lake.root) as published:
        found = published.sql("select distinct account_id from insights_hourly").fetchall()
    assert found == [(two[0],)]


@pytest.mark.slow
def test_an_account_that_cannot_be_read_is_told_by_name_until_it_is_not_asked_for_any_more(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failures() -> list[tuple[Any, ...]]:
        with warehouse.open(lake.root) as opened:
            return opened.sql("from failures select table_name, account_id, date").fetchall()

    first = sandbox.account_ids[0]
    monkeypatch.setenv("FB_ACCOUNT_IDS", f"{first},999")
    result, shown = refresh(instance, HOURS_ALONE), failures()
    named = refresh(instance, HOURS_ALONE, accounts=[act_id(first)])
    monkeypatch.setenv("FB_ACCOUNT_IDS", first)
    after = refresh(instance, HOURS_ALONE)

    assert list(result.failed) == [("accounts", "act_999")]
    assert shown == [("accounts", "999", None)]
    assert named.success
    assert after.success
    assert failures() == []
    assert lake.partitions("insights_hourly", first)


@pytest.mark.slow
def test_only_the_accounts_that_are_named_are_refreshed(
    instance: dg.DagsterInstance, two: Sequence[str]
) -> None:
    result = refresh(instance, accounts=[f"act_{two[1]}"])

    changed_days: ChangedDays = result.output
    assert {cell.account_id for cell in changed_days.to_reload["insights_hourly"]} == {two[1]}
    assert set(changed_days.to_reload["insights_hourly"].values()) == {ReloadReason.FRESH}


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_what_was_pulled_shows_in_the_grid_and_in_the_check(
    instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    changed_days: ChangedDays = refresh(instance).output

    keys = {
        f"act_{cell.account_id}|{cell.day}" for cell in changed_days.to_reload["insights_hourly"]
    }
    assert set(instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))) == keys
    assert sandbox.account_ids[0] in str(keys)
    check = dg.AssetCheckKey(dg.AssetKey("insights_hourly"), "complete")
    [record] = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert record.status.value == "SUCCEEDED"


def test_account_days_that_fail_in_a_refresh_are_red_in_the_grid_until_they_are_loaded(
    instance: dg.DagsterInstance, sandbox: Sandbox, two: Sequence[str]
) -> None:
    assert refresh(instance, HOURS_ALONE).success
    sandbox.use("forbidden_insights")
    result = refresh(instance, HOURS_ALONE)
    changed_days: ChangedDays = result.output
    assert not result.success

    cells = sorted(map(key_of, changed_days.to_reload["insights_hourly"]))
    bad = [cell for cell in cells if cell.startswith(f"act_{two[1]}|")]
    assert failed_cells(instance, "insights_hourly", cells) == set(bad)
    assert failed_cells(instance, "control_daily", cells) == set(bad)
    assert not failed_cells(instance, "campaigns", map(act_id, two))
    # The run that the page of the cell names.
    key = dg.AssetKey("insights_hourly")
    planned = instance.get_latest_planned_materialization_info(key, partition=bad[0])
    assert planned
    assert planned.run_id == result.run_id

    sandbox.use()
    assert run_job(instance, "insights_hourly_job", bad[0], bad[0]).success
    assert failed_cells(instance, "insights_hourly", cells) == set(bad[1:])
    assert refresh(instance, HOURS_ALONE).success
    assert not failed_cells(instance, "insights_hourly", cells)
    # Of the other account nothing has changed, and only the second refresh had no other news.
    events = instance.fetch_materializations(key, limit=100).records
    good = Counter(one.partition_key for one in events if str(one.partition_key) not in bad)
    assert sorted(good.values()) == [1, 1, 2]


@pytest.mark.usefixtures("two")
def test_what_was_loaded_before_the_token_died_is_published_even_without_a_day(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    sandbox.use("token_dies:25")

    result = refresh(instance)

    assert "put it in FB_ACCESS_TOKEN" in result.stopped
    with warehouse.open(lake.root) as opened:
        [(accounts,)] = opened.sql("from accounts").count("*").fetchall()
    assert accounts == lake.read("accounts").num_rows > 0


@pytest.mark.slow
def test_a_token_that_dies_halfway_stops_it_and_what_was_loaded_is_published(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    sandbox.use("token_dies:130")

    result = refresh(instance)

    assert "put it in FB_ACCESS_TOKEN" in result.stopped
    assert (lake.root / "warehouse.duckdb").exists()
    changed_days: ChangedDays = result.output
    missing = {report: set(map(key_of, changed_days.to_reload[report])) for report in KNOWN.by_name}
    for report, cells in missing.items():
        cells -= set(instance.get_materialized_partitions(dg.AssetKey(report)))
        assert failed_cells(instance, report, map(key_of, changed_days.to_reload[report])) == cells
    assert any(missing.values())
