"""Today by the hour as a schedule and a job of Dagster."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.assembly import definitions_of
from pipelines.defs.event_log.old_ticks import remove_old_ticks
from pipelines.defs.intraday import crons, held_by
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.loading.accounts.stored import store_accounts
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.resources import GraphResource
from pipelines.watching.rules import Kind
from tests.clock import Clock
from tests.graph import graph_by
from tests.reports import only
from tests.runs import run_job
from tests.seeds import seed_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from warehouse.lake.partitions import Lake

#: Of two accounts, one whose day ends four hours later.
START = datetime(2026, 11, 23, 21, 5, tzinfo=UTC)

STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(world="hostile", now=clock) as running:
        yield running


def hours_alone(clock: Clock) -> dg.Definitions:
    """No report but the hourly one, by that clock."""
    return definitions_of(only(HOURLY_REPORT), graph=graph_by(clock), intraday_minutes=45)


def events(instance: dg.DagsterInstance, asset: str) -> Sequence[dg.AssetMaterialization]:
    """Materializations of an asset, newest first."""
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
    found = (one.asset_materialization for one in records)
    return [one for one in found if one is not None]


def checks(instance: dg.DagsterInstance, name: str) -> Sequence[str]:
    """All results of a check of the asset `intraday`."""
    check = dg.AssetCheckKey(dg.AssetKey("intraday"), name)
    found = instance.event_log_storage.get_asset_check_execution_history(check, limit=100)
    return [one.status.value for one in found]


def test_ticks_are_published_and_leave_one_event_each_and_one_for_a_day_that_is_closed(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    truth_rows: Callable[[str, date], list[tuple[Any, ...]]],
) -> None:
    second = sandbox.account_ids[1]
    monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(sandbox.account_ids[:2]))
    of = hours_alone(clock)
    runs = []
    for scenario in ((), (), ("forbidden_account",), ("forbidden_account",), (), ()):
        sandbox.use(*scenario)
        clock.now += timedelta(hours=2)
        runs.append(run_job(instance, "intraday_job", of=of))
        if len(runs) == 4:  # what looks at today cannot keep what it has told: no tick fails for it
            (lake.root / ".watching.json").unlink()
            (lake.root / ".watching.json" / "occupied").mkdir(parents=True)

    # What fails for the first time fails its run, which alerts; then it is a number.
    assert [run.success for run in runs] == [True, True, False, True, True, True]
    [(asset, key)] = runs[2].failed
    assert (asset, key.partition("|")[0]) == ("insights_hourly", f"act_{second}")
    ticks = events(instance, "intraday")
    assert [tick.metadata["failed"].value for tick in reversed(ticks)] == [0, 0, 1, 1, 0, 0]
    for name in ("calls", "accounts_asked", "open_days_loaded", "days_closed", "seconds"):
        assert all(isinstance(tick.metadata[name].value, int | float) for tick in ticks)
    # A check has an event when its result changes, not at each tick.
    assert [checks(instance, kind) for kind in Kind] == [["SUCCEEDED"]] * len(Kind)
    closed = sum(int(str(tick.metadata["days_closed"].value)) for tick in ticks)
    cells = events(instance, "insights_hourly")
    assert len(cells) == closed > 0
    assert {cell.metadata["verdict"].value for cell in cells} == {"proven"}
    assert events(instance, "control_daily") == []
    # What Dagster keeps of a run, lines of the log included, does not grow with its account-days.
    quiet = [run.run_id for run, one in zip(runs, reversed(ticks), strict=True) if _is_calm(one)]
    assert all(len(instance.all_logs(run_id)) < 20 for run_id in quiet[1:])
    assert len(quiet) > 1
    with warehouse.open(lake.root) as published:
        found = published.sql(
            "select account_id, date, count(*) from insights_hourly group by all"
        ).fetchall()
    days = [(where.account_id, where.date) for where in lake.partitions("insights_hourly")]
    assert {(of_account, day): rows for of_account, day, rows in found} == {
        (account_id, day): len(truth_rows(account_id, day)) for account_id, day in days if day
    }

    # Old ticks are removed with their files; those that closed a day stay, and so does the grid.
    shown = [dg.AssetKey("intraday"), dg.AssetKey("warehouse_duckdb")]
    home = Path(instance.root_directory)
    files = {path.stem for path in (home / "history" / "runs").glob("*-*.db")}
    assert remove_old_ticks(instance, runs[-1].run_id, shown) == 0
    assert remove_old_ticks(instance, runs[-1].run_id, shown, kept=-timedelta(days=1)) > 0
    left = {run.run_id for run in instance.get_runs()}
    assert {path.stem for path in (home / "history" / "runs").glob("*-*.db")} == left < files
    assert {path.name for path in (home / "storage").iterdir()} <= left
    assert events(instance, "insights_hourly") == cells
    assert events(instance, "intraday")[0] == ticks[0]
    assert [checks(instance, kind) for kind in Kind] == [["SUCCEEDED"]] * len(Kind)


def test_a_ducklake_that_cannot_be_reached_fails_a_tick_after_all_else(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FB_ACCOUNT_IDS", sandbox.account_ids[0])
    gone = f"{lake.root}/gone"
    monkeypatch.setenv("WAREHOUSE_PUBLISH", f"ducklake:sqlite:{gone}/catalogue?data_path={gone}")

    run = run_job(instance, "intraday_job", of=hours_alone(clock))

    assert not run.success
    assert len(events(instance, "warehouse_duckdb")) == len(events(instance, "intraday")) == 1
    assert [checks(instance, kind) for kind in Kind] == [["SUCCEEDED"]] * len(Kind)


def test_a_full_disk_stops_a_tick_with_what_to_do(
    instance: dg.DagsterInstance, clock: Clock, small_disk: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("WAREHOUSE_URL", str(seed_lake(small_disk / "lake")))
    with suppress(OSError):
        (small_disk / "filler").write_bytes(bytes(3_000_000))

    run = run_job(instance, "intraday_job", of=hours_alone(clock))

    caplog.clear()  # what is logged keeps the file that could not be written
    assert run.stopped.startswith("Cannot write: No space left on device. Free disk space, then")


def _is_calm(tick: dg.AssetMaterialization) -> bool:
    """Whether it closed nothing and nothing failed."""
    return tick.metadata["days_closed"].value == tick.metadata["failed"].value == 0


def tick(of: dg.Definitions, instance: dg.DagsterInstance) -> str | None:
    """Why a tick of the schedule asks for nothing; "" if it asks for a run."""
    repository = of.get_repository_def()
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=START,
        repository_def=repository,
        resources={"graph": GraphResource()},
    ) as context:
        ticked = repository.get_schedule_def("intraday").evaluate_tick(context)
    return "" if ticked.run_requests else ticked.skip_message


def test_it_skips_while_a_tick_is_in_progress_and_yields_to_refreshes_and_people(
    instance: dg.DagsterInstance, lake: Lake, clock: Clock
) -> None:
    zone = {"timezone_name": "UTC", "currency": "EUR"}
    store_accounts(lake, [{"account_id": str(n), "name": "", **zone} for n in (1, 2, 3)], START)
    instance.add_dynamic_partitions(AD_ACCOUNTS, ["act_1", "act_2", "act_3"])
    of = hours_alone(clock)

    def add(job: str, **how: Any) -> str:
        return instance.add_run(dg.DagsterRun(job_name=job, status=STARTED, **how)).run_id

    def held() -> set[str]:
        found = set(held_by(instance))
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        return found

    cell = {"dagster/partition/account": "act_2", "dagster/partition/date": "2026-11-01"}
    some = {
        "dagster/asset_partition_range_start": "act_1|2026-01-01",
        "dagster/asset_partition_range_end": "act_2|2026-11-01",
    }
    config = {"ops": {"look": {"config": {"accounts": ["act_3"], "full": False}}}}

    assert held() == set()
    add("publish_job")
    assert held() == set()
    add("insights_hourly_job", tags=cell)
    assert held() == {"2"}
    add("insights_daily_job", tags=some)
    assert held() == {"1", "2"}
    add("objects_job", tags={"dagster/partition": "act_3"})
    assert held() == {"3"}
    add("refresh_job", run_config=config)
    assert held() == {"3"}

    assert tick(of, instance) == ""
    add("refresh_job", run_config=config)
    assert tick(of, instance) == ""
    everything = add("refresh_job")
    assert f"the run {everything[:8]} is loading it" in (tick(of, instance) or "")
    assert held() == {"1", "2", "3"}
    add("intraday_job")
    assert tick(of, instance) == "The last tick is still in progress."


def test_its_cron_lines_are_due_every_so_many_minutes_of_a_day() -> None:
    every_hour = ",".join(map(str, range(24)))

    assert crons(60) == ["10 * * * *"]
    assert crons(15) == ["10,25,40,55 * * * *"]
    assert crons(240) == ["10 0,4,8,12,16,20 * * *"]
    assert crons(45) == [
        "10,55 0,3,6,9,12,15,18,21 * * *",
        "40 1,4,7,10,13,16,19,22 * * *",
        "25 2,5,8,11,14,17,20,23 * * *",
    ]
    for minutes in (15, 17, 45, 50, 90, 240):
        due = sorted(
            60 * int(hour) + int(minute)
            for line in crons(minutes)
            for hour in line.split()[1].replace("*", every_hour).split(",")
            for minute in line.split()[0].split(",")
        )
        assert due == list(range(10, 1440, minutes))
