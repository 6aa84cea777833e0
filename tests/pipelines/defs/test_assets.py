"""The assets in a real Dagster instance on disk, against the sandbox."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from fbgraph.catalog.edges import NO_TOTAL_COUNT
from fbgraph.sandbox import Sandbox
from pipelines.assembly import definitions_of
from pipelines.definitions import defs
from pipelines.defs.jobs import assets_by_job
from pipelines.defs.partitions import Grid
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import READY, preset_files
from tests.clock import NOW
from tests.reports import KNOWN
from tests.runs import RunResult, run_job
from warehouse.lake.partitions import Lake
from warehouse.schema.catalog import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """What runs of Dagster cost grows with the accounts, and what is shown here does not."""
    with Sandbox(world="hostile", now=lambda: NOW, accounts=3) as running:
        yield running


def run_hourly(instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date]) -> RunResult:
    first, last = sandbox.account_ids[0], sandbox.account_ids[-1]
    return run_job(
        instance, "insights_hourly_job", f"act_{first}|{days[0]}", f"act_{last}|{days[-1]}"
    )


def checks(instance: dg.DagsterInstance, asset: str, name: str) -> list[Any]:
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    return [record.event.dagster_event.asset_check_evaluation_data for record in records]  # type: ignore[union-attr]


def test_the_accounts_asset_fills_the_grid(instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    result = run_job(instance, "accounts_job")

    assert result.success
    assert instance.get_dynamic_partitions("ad_accounts") == [
        f"act_{account_id}" for account_id in sandbox.account_ids
    ]


def test_one_cell_of_the_grid_is_loaded_and_proven_by_itself(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    account_id = sandbox.account_ids[0]
    key = f"act_{account_id}|{days[1]}"

    result = defs.resolve_job_def("insights_hourly_job").execute_in_process(
        instance=instance, partition_key=key
    )

    assert result.success
    totals, event = result.asset_materializations_for_node("insights_hourly")
    assert (totals.asset_key.to_user_string(), totals.partition) == ("control_daily", key)
    truth = sandbox.truth(account_id, days[1])
    assert event.partition == key
    assert event.metadata["dagster/partition_row_count"].value == truth["count"]
    shown = {name: value.value for name, value in event.metadata.items()}
    assert shown["verdict"] == "proven"
    assert shown["account_name"] == "Nordlicht Shop DE"
    assert shown["path"] == str(lake.root / lake.key("insights_hourly", account_id, days[1]))
    assert len(str(shown["preview"]).splitlines()) == 2 + 5
    assert {"impressions", "control_impressions", "calls", "api_version"} <= set(shown)
    assert 0 <= float(shown["quota_percent"]) < 100  # type: ignore[arg-type]
    load = lake.load_of("insights_hourly", account_id, days[1])
    assert load
    assert load.run_id == result.run_id


def test_a_week_and_a_month_are_cells_of_grids_of_their_own(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    reports = read_reports(READY.glob("insights_*ly_reach.yaml"), preset_files())
    of = definitions_of(reports, Grid(date(2026, 9, 7)))
    knowing = Lake(lake.root, catalog=reports.catalog)
    run_job(instance, "accounts_job", of=of)
    account_id = sandbox.account_ids[0]
    keys = {
        "insights_weekly_reach": f"act_{account_id}|2026-11-16",
        "insights_monthly_reach": f"act_{account_id}|2026-10-01",
    }

    for report, key in keys.items():
        assert run_job(instance, f"{report}_job", key, key, of=of).success
        assert instance.get_materialized_partitions(dg.AssetKey(report)) == {key}
        grid = of.resolve_assets_def(report).partitions_def
        assert grid is not None
        cells = {k for k in grid.get_partition_keys(dynamic_partitions_store=instance) if k}
        assert key in cells
        complete = checks(instance, report, "complete")[0]
        assert complete.passed
        load = knowing.load_of(report, account_id, date.fromisoformat(key[-10:]))
        assert load
        assert load.verdict == "proven"


def test_of_many_account_days_in_one_run_only_the_bad_are_failed(
    instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("forbidden_account")

    result = run_hourly(instance, sandbox, days)

    forbidden = f"act_{sandbox.account_ids[1]}"
    cells = {f"act_{i}|{day}" for i in sandbox.account_ids for day in days}
    bad = {cell for cell in cells if cell.startswith(forbidden)}
    assert not result.success
    assert {key for _, key in result.failed} == bad
    assert all("#200" in why for why in result.failed.values())
    key = dg.AssetKey("insights_hourly")
    assert set(instance.get_materialized_partitions(key)) == cells - bad


def test_the_check_complete_passes_when_all_add_up_and_fails_when_not(
    instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    assert run_hourly(instance, sandbox, days[:1]).success
    sandbox.use("wrong_rows")
    run_hourly(instance, sandbox, days[1:])

    bad, good = checks(instance, "insights_hourly", "complete")

    assert (good.passed, bad.passed) == (True, False)
    assert bad.severity == dg.AssetCheckSeverity.ERROR
    assert "short of the account's total" in str(bad.metadata["named"].value)


@pytest.mark.parametrize(("scenario", "passed"), [((), True), (("wrong_total_count",), False)])
def test_the_check_counted_compares_listings_with_their_total_count(
    instance: dg.DagsterInstance, sandbox: Sandbox, scenario: Sequence[str], *, passed: bool
) -> None:
    sandbox.use(*scenario)
    run_job(instance, "accounts_job")
    keys = [f"act_{account_id}" for account_id in sandbox.account_ids]

    result = run_job(instance, "objects_job", keys[0], keys[-1])

    assert result.success
    for asset in ("campaigns", "adsets", "ads"):
        [check] = checks(instance, asset, "counted")
        assert check.passed == passed
        assert check.severity == dg.AssetCheckSeverity.WARN


def test_a_listing_that_never_equals_its_count_is_told_as_a_warning(
    instance: dg.DagsterInstance, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("wrong_total_count")
    key = f"act_{sandbox.account_ids[0]}"

    run_job(instance, "objects_job", key, key)

    told = [r.getMessage() for r in caplog.records if r.name == "pipelines.loading.objects"]
    assert len(told) == sum(row.edge not in NO_TOTAL_COUNT for row in OWN.listed)
    assert all(f"of {key}: listed " in line and ", counted " in line for line in told)


def test_a_dead_token_fails_the_run_with_what_to_do(
    instance: dg.DagsterInstance, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.expired_token)

    result = run_job(instance, "accounts_job")

    assert not result.success
    assert "put it in FB_ACCESS_TOKEN" in result.stopped
    assert sandbox.expired_token not in result.stopped


def test_publishing_shows_what_was_loaded(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    run_hourly(instance, sandbox, days)

    run_job(instance, "publish_job")

    with warehouse.open(lake.root) as published:
        [(rows,)] = published.sql("select count(*) from insights_hourly").fetchall()
    assert rows == sum(sandbox.truth(i, day)["count"] for i in sandbox.account_ids for day in days)


def test_every_asset_that_something_loads_is_in_a_job_and_all_are_described() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}

    assert set(specs) == {
        *("refresh", "intraday", "health", "command_line", "lake"),
        *KNOWN.catalog.views,
        *(
            asset
            for assets in assets_by_job(KNOWN.by_name, [row.name for row in OWN.listed]).values()
            for asset in assets
        ),
    }
    assert all(spec.description for spec in specs.values())


def test_the_lineage_goes_from_the_accounts_to_the_views_of_the_published_file() -> None:
    graph = defs.resolve_asset_graph()

    for view in KNOWN.catalog.views:
        above = {key.to_user_string() for key in graph.get_ancestor_asset_keys(dg.AssetKey(view))}
        assert {
            "accounts",
            "ads",
            "control_daily",
            *KNOWN.by_name,
            "lake",
            "warehouse_duckdb",
        } <= above


def test_what_can_be_wrong_is_checked_and_control_totals_not_against_themselves() -> None:
    keys = defs.resolve_asset_graph().asset_check_keys

    assert {(key.asset_key.to_user_string(), key.name) for key in keys} == {
        *(
            (report, name)
            for report in KNOWN.by_name
            for name in ("complete", "conversions", "grain", "rejects", "ids_known", "fresh")
        ),
        *(("accounts", name) for name in ("token", "api_version", "retirements")),
        ("warehouse_duckdb", "up_to_date"),
        *(("intraday", kind) for kind in ("far_ahead", "stopped", "over_budget", "late_data")),
        *((row.name, "counted") for row in OWN.listed),
    }


def test_control_totals_can_be_loaded_alone(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    key = f"act_{sandbox.account_ids[0]}|{days[0]}"

    result = run_job(instance, "control_daily_job", key, key)

    load = lake.load_of("control_daily", sandbox.account_ids[0], days[0])
    sums = sandbox.truth(sandbox.account_ids[0], days[0])["sums"]
    assert result.success
    assert load
    assert (str(load.impressions), str(load.clicks)) == (sums["impressions"], sums["clicks"])


def test_dagster_loads_the_definitions_from_the_checkout_without_a_token(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate"]

    done = subprocess.run(  # noqa: S603  # a fixed command
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
