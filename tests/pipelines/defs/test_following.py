"""The published file follows the lake, whoever loaded, by few publishes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.definitions import defs
from pipelines.defs.following import AFTER_FAILURES, Runs, Watched, reason_to_wait
from pipelines.resources import GraphResource
from tests.runs import run_job
from warehouse.lake.changes import Change, Lag, Publishing
from warehouse.published import publish as publishing
from warehouse.published.master import refresh
from warehouse.published.publish import lag, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from warehouse.lake.partitions import Lake
    from warehouse.published.master import Refreshed

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
BEHIND = Lag(Change("b", NOW), Publishing("a", NOW - timedelta(seconds=10), 1.0))
QUIET = Lag(Change("b", NOW - timedelta(seconds=20)), BEHIND.published)
PENDING = "Loads are in progress; their data is published when one of them ends."


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failed(times: int, ago: float) -> Runs:
    return Runs(failures=times, failed_at=later(-ago))


@pytest.mark.parametrize(
    ("behind", "runs", "said"),
    [
        (Lag(Change(), None), Runs(), "Nothing has been loaded yet."),
        (Lag(Change("b", NOW), None), Runs(), ""),
        (Lag(Change("b", NOW), None), Runs(is_loading=True), ""),
        (Lag(Change(), Publishing("?", NOW)), Runs(), ""),  # published before changes were noted
        (Lag(Change("a"), Publishing("a", NOW)), Runs(), "The published file is up to date."),
        (BEHIND, Runs(), PENDING),  # no run of Dagster's loads, and something just changed the lake
        (BEHIND, Runs(has_ended=True), ""),
        (QUIET, Runs(), ""),
        (BEHIND, Runs(is_publishing=True), "A publish is in progress."),
        (BEHIND, Runs(is_loading=True), PENDING),
        (BEHIND, Runs(is_loading=True, has_ended=True), PENDING),
        (BEHIND, failed(1, ago=50), "1 publish has failed; the next is at 20:00."),
        (QUIET, failed(1, ago=61), ""),
        (BEHIND, failed(99, ago=3500), "99 publishes in a row have failed; the next is at 20:01."),
        (QUIET, failed(99, ago=3601), ""),
    ],
)
def test_it_publishes_what_changed_once_and_not_again_at_once_when_that_fails(
    behind: Lag, runs: Runs, said: str
) -> None:
    assert reason_to_wait(behind, runs, NOW) == said


def test_while_loads_go_on_it_publishes_when_one_has_ended_and_else_rarely() -> None:
    def waits(runs: Runs) -> int:
        return next(n for n in range(1000) if not reason_to_wait(BEHIND, runs, later(n)))

    assert waits(Runs(is_loading=True, has_ended=True)) == 16
    assert waits(Runs(is_loading=True)) == 291
    assert waits(Runs()) == 20  # nobody loads any more
    assert list(AFTER_FAILURES) == sorted(AFTER_FAILURES)


def test_a_short_load_after_a_quiet_time_is_published_once_when_it_has_ended() -> None:
    quarter = Lag(Change("b", NOW), Publishing("a", NOW - timedelta(minutes=15), 1.0))

    def is_time(seconds: float, runs: Runs) -> bool:
        return not reason_to_wait(quarter, runs, later(seconds), since=later(5))

    assert [n for n in range(5, 320, 15) if is_time(n, Runs(is_loading=True))] == [305]
    assert is_time(20, Runs(is_loading=True, has_ended=True))  # one of several
    assert is_time(20, Runs())


class Ticks:
    """The sensor as the daemon has it: its cursor, and runs that are launched once per key."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.keys: set[str] = set()
        self.checks: list[bool] = []
        self.watched = Watched()
        self.now = datetime.now(UTC)

    def __call__(self, seconds: float = 15) -> str:
        """Tick, so long after the last one, and run what it asks for; what it said if nothing."""
        self.now += timedelta(seconds=seconds)
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.watched.cursor,
            repository_def=defs.get_repository_def(),
            resources={"graph": _At(at=str(self.now))},
        )
        result: Any = defs.get_repository_def().get_sensor_def("follow_lake").evaluate_tick(context)
        self.watched = Watched.of(result.cursor)
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
            if isinstance(event, dg.AssetCheckEvaluation):
                self.checks.append(event.passed)
        for request in result.run_requests or ():
            assert request.run_key not in self.keys
            self.keys.add(request.run_key)
            run_job(self.instance, "publish_job")
        return result.skip_message or ""


class _At(GraphResource):
    at: str = ""

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """What runs of Dagster cost grows with the accounts, and what is shown here does not."""
    with Sandbox(world="hostile", now=lambda: NOW, accounts=3) as running:
        yield running


@pytest.fixture
def tick(instance: dg.DagsterInstance) -> Ticks:
    return Ticks(instance)


def published_rows(lake: Lake) -> int:
    with warehouse.open(lake.root) as opened:
        [(rows,)] = opened.sql("from insights_hourly select count(*)").fetchall()
    return int(rows)


def test_of_a_lake_without_anything_nothing_is_published(tick: Ticks, lake: Lake) -> None:
    assert tick() == "Nothing has been loaded yet."
    assert not (lake.root / "warehouse.duckdb").exists()


def test_what_was_loaded_without_dagster_is_published_by_the_next_tick_and_then_no_more(
    tick: Ticks, lake: Lake, sandbox: Sandbox, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])

    said = [tick() for _ in range(3)]

    assert said == ["", *2 * ["The published file is up to date."]]
    truth = sum(sandbox.truth(i, days[0])["count"] for i in sandbox.account_ids)
    assert published_rows(lake) == truth
    assert len(tick.keys) == 1
    load(days[1:2])
    assert tick(600) == ""
    assert published_rows(lake) > truth


def test_what_a_tick_of_today_has_published_is_not_published_again(
    tick: Ticks, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    tick()
    before = lag(lake).change

    assert run_job(tick.instance, "intraday_job").success

    assert (lag(lake).change == before, lag(lake).is_behind) == (False, False)
    assert [tick() for _ in range(2)] == 2 * ["The published file is up to date."]
    assert tick.instance.get_runs_count(dg.RunsFilter(job_name="publish_job")) == 1


def test_a_file_that_somebody_removed_is_published_again(
    tick: Ticks, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    tick()

    for _ in range(2):
        (lake.root / "warehouse.duckdb").unlink()

        assert tick() == ""
        assert published_rows(lake)


def test_what_changes_while_a_publish_goes_on_is_published_by_the_next(
    lake: Lake, load: Callable[..., Any], days: Sequence[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(days[:1])

    def late(*given: Any) -> Refreshed:
        refreshed = refresh(*given)
        load(days[1:2])
        return refreshed

    monkeypatch.setattr(publishing, "refresh", late)
    publish(lake.root)

    assert lag(lake).is_behind
    monkeypatch.undo()
    publish(lake.root)
    assert not lag(lake).is_behind


def test_a_publish_that_fails_is_tried_again_later_and_the_check_tells_that_it_is_late(
    tick: Ticks, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    publish(lake.root)
    load(days[1:2])
    snapshots = lake.root / ".snapshots"
    elsewhere = snapshots.rename(lake.root / "elsewhere")
    snapshots.symlink_to("a disk that is not mounted")
    tick.now = datetime.now(UTC)

    said = [tick() for _ in range(30)]

    runs = tick.instance.get_runs(dg.RunsFilter(job_name="publish_job"))
    # At once, because when the last one ended is not known, and after 60, 120 and 300 seconds.
    # Runs end at the real time, which is that of the first.
    assert [run.is_failure for run in runs] == [True] * 4
    assert sum("failed; the next is at" in one for one in said) == 26
    assert tick.checks == [True, False]
    snapshots.unlink()
    elsewhere.rename(snapshots)
    tick(600)
    tick()
    assert not lag(lake).is_behind
    assert tick.checks == [True, False, True]


def test_a_script_of_somebody_else_leaves_its_note_too(
    tick: Ticks, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    tick()
    code = (
        "import sys; from warehouse.lake.partitions import Lake; lake = Lake(sys.argv[1]);"
        "lake.update('accounts', lambda rows: rows.slice(1))"
    )

    subprocess.run([sys.executable, "-c", code, str(lake.root)], check=True)  # noqa: S603  # ours

    assert lag(lake).is_behind
    assert tick(600) == ""
    assert not lag(lake).is_behind
