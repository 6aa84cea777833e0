"""Days that were open, and days that Meta says are empty, through refreshes and runs of Dagster."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.assembly import definitions_of
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.failures import Failures
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.loading.refreshing.refresh import ReloadReason
from pipelines.reports.catalog import CONTROL, HOURLY_REPORT
from tests.clock import Clock
from tests.graph import graph_by
from tests.reports import only
from tests.runs import run_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fbgraph import GraphClient
    from tests.runs import RunResult
    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 22)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hours_alone(clock: Clock) -> dg.Definitions:
    """No report but the hourly one, by that clock."""
    return definitions_of(only(HOURLY_REPORT), graph=graph_by(clock))


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(world="hostile", now=clock) as running:
        yield running


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """One account that delivers, so that four weeks are soon there."""
    account_id = sandbox.account_ids[0]
    monkeypatch.setenv("FB_ACCOUNT_IDS", account_id)
    return account_id


def refresh(instance: dg.DagsterInstance, clock: Clock, **tags: str) -> RunResult:
    config = {"look": {"as_of": clock.now.isoformat()}}
    return run_job(
        *(instance, "refresh_job"),
        config=config,
        tags=tags,
        output_of="look",
        of=hours_alone(clock),
    )


def files(lake: Lake) -> Mapping[str, bytes]:
    """All that is kept of the account's days."""
    return {
        key: lake.store.read(key)
        for table in (HOURLY_REPORT.name, CONTROL.name)
        for key in (found.key for found in lake.store.find(f"{table}/**/data.parquet"))
    }


def complete(instance: dg.DagsterInstance) -> str:
    """What the check `complete` of the hours said last."""
    check = dg.AssetCheckKey(dg.AssetKey(HOURLY_REPORT.name), "complete")
    [record] = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    return record.status.value


def published(lake: Lake) -> set[tuple[str, int]]:
    """Verdict and rows of each account-day with hours, as analysts see them."""
    asked = f"select verdict, rows > 0 from loads where table_name = '{HOURLY_REPORT.name}'"  # noqa: S608
    with warehouse.open(lake.root) as opened:
        return {(verdict, bool(rows)) for verdict, rows in opened.sql(asked).fetchall()}


def test_a_refresh_through_an_empty_hour_changes_nothing_and_the_next_one_has_it_all_again(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, clock: Clock, account: str
) -> None:
    assert refresh(instance, clock).success
    before, failures = files(lake), Failures(lake.store, HOURLY_REPORT.name)
    clock.now += timedelta(minutes=10)
    sandbox.use("empty_hour:60")

    during = refresh(instance, clock)
    kept, failed, check = files(lake), failures.of(account), complete(instance)
    clock.now += timedelta(minutes=60)
    after = refresh(instance, clock)

    days = {f"act_{account}|{DAY - timedelta(days=n)}" for n in range(3)}
    assert not during.success
    assert days <= {key for asset, key in during.failed if asset == HOURLY_REPORT.name}
    assert all("Load it again after 2026-11-23 21:1" in why for why in during.failed.values())
    assert kept == before
    assert {one.kind for one in failed.values()} == {"empty"}
    assert check == "FAILED"
    assert after.success
    assert complete(instance) == "SUCCEEDED"
    assert failures.of(account) == {}
    assert published(lake) == {("proven", True)}


@pytest.mark.slow
def test_days_that_are_still_empty_an_hour_later_become_so_and_come_back_when_they_do(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, clock: Clock, account: str
) -> None:
    assert refresh(instance, clock).success
    before = files(lake)
    sandbox.use("empty_hour:600")

    looks = []
    for minutes in (0, 59):
        clock.now += timedelta(minutes=minutes)
        looks.append((refresh(instance, clock).success, files(lake) == before))
    clock.now += timedelta(minutes=1)
    last = refresh(instance, clock)
    empty = published(lake)
    sandbox.use()
    back = refresh(instance, clock)

    assert looks == [(False, True)] * 2
    assert last.success
    assert empty == {("proven", False)}
    assert back.success
    assert published(lake) == {("proven", True)}
    assert Failures(lake.store, CONTROL.name).of(account) == {}


@pytest.mark.parametrize(
    "job", ["insights_hourly_job", pytest.param("refresh_job", marks=pytest.mark.slow)]
)
def test_the_tag_of_a_run_makes_it_believe_an_empty_day_at_once(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, clock: Clock, account: str, job: str
) -> None:
    assert refresh(instance, clock).success
    cell = AccountDay(account, DAY)
    sandbox.use("empty_hour:600")

    def run(**tags: str) -> RunResult:
        if job == "refresh_job":
            return refresh(instance, clock, **tags)
        return run_job(instance, job, key_of(cell), key_of(cell), tags=tags)

    without = run(**{"fbinsights/accept_empty": "no"})
    kept = lake.load_of(HOURLY_REPORT.name, *cell)
    believing = run(**{"fbinsights/accept_empty": "yes"})
    load = lake.load_of(HOURLY_REPORT.name, *cell)

    assert not without.success
    why = without.failed[HOURLY_REPORT.name, key_of(cell)]
    assert "the run tag fbinsights/accept_empty=yes" in why
    assert kept
    assert kept.rows
    assert believing.success
    assert load
    assert (load.verdict, load.rows) == ("proven", 0)
    assert lake.read(CONTROL.name, account_id=account, date=DAY).num_rows == 0
    assert Failures(lake.store, HOURLY_REPORT.name).of(account).get(DAY) is None


def test_a_provisional_day_is_loaded_again_by_a_refresh_long_after_it_was_fresh(
    instance: dg.DagsterInstance, client: GraphClient, lake: Lake, clock: Clock, account: str
) -> None:
    assert refresh(instance, clock).success
    open_day = AccountDay(account, clock.now.date())
    [outcome] = Loader(client, lake, accounts_in(lake), "by hand", now=clock).load(
        HOURLY_REPORT, [open_day]
    )
    before = outcome.load
    clock.now += timedelta(days=9)

    result = refresh(instance, clock)

    after = lake.load_of(HOURLY_REPORT.name, *open_day)
    assert before
    assert before.verdict == "provisional"
    assert result.success
    assert result.output.to_reload[HOURLY_REPORT.name][open_day] is ReloadReason.PROVISIONAL
    assert after
    assert (after.verdict, after.is_over, after.asked_at) == ("proven", True, clock.now)
    assert after.rows > before.rows


def test_a_first_load_through_an_empty_hour_is_told_once_and_as_a_warning_of_the_check(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    clock: Clock,
    account: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.use("empty_hour:60")

    def told() -> list[str]:
        found = [
            r.getMessage() for r in caplog.records if "no rows and no totals" in r.getMessage()
        ]
        caplog.clear()
        return found

    assert refresh(instance, clock).success
    [first], check = told(), complete(instance)
    clock.now += timedelta(minutes=30)
    assert refresh(instance, clock).success
    again = told()
    empty = published(lake)
    clock.now += timedelta(minutes=30)
    assert refresh(instance, clock).success

    assert f"(act_{account}). They are stored as days without delivery." in first
    assert "look again after 2026-11-23 21:00 UTC: `fbinsights backfill --since 2026-11-20" in first
    assert first.endswith(f" --until 2026-11-22 --account act_{account}`")
    assert (check, len(again), empty) == ("FAILED", 1, {("proven", False)})
    assert (told(), complete(instance)) == ([], "SUCCEEDED")
    assert published(lake) == {("proven", True)}


def test_an_account_that_stays_silent_is_told_no_more_an_hour_later(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    clock: Clock,
    account: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else an account that has stopped for good would be told every morning."""
    sandbox.use("empty_hour:600")
    assert refresh(instance, clock).success
    caplog.clear()
    clock.now += timedelta(hours=1)

    assert refresh(instance, clock).success

    assert account
    assert [r for r in caplog.records if "no rows and no totals" in r.getMessage()] == []
    assert complete(instance) == "SUCCEEDED"
