"""What a person does in Dagster, seen by `dagster dev` as a whole: kills, stops, races, re-runs."""

from __future__ import annotations

import os
import re
import signal
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from fbgraph.limits.cooldowns import Cooldown
from fbgraph.limits.usage import Limit
from pipelines.defs.following import POLL_SECONDS
from pipelines.defs.partitions import WHOLE, account_days_of
from pipelines.state.cooldowns import cooldowns_of
from tests.e2e.dev import LAST, wait_until
from tests.pace import within
from warehouse.lake.changes import FOLLOWS_WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.dev import Dagster


#: Dagster takes as much again to begin the run that publishes.
SLACK_SECONDS = 60


@pytest.fixture
def slow(dagster: Dagster) -> Iterator[Dagster]:
    """Report runs that take their time, so that one can strike in the midst of them."""
    dagster.sandbox.use("run_hangs", "slow:50")
    yield dagster
    dagster.sandbox.use()


@pytest.mark.slow
def test_a_run_whose_process_is_killed_is_noticed_and_goes_on_with_its_report_runs(
    slow: Dagster,
) -> None:
    run_id = slow.begin(slow.cell(0, 2), slow.cell(0))
    created = {run["id"] for run in slow.sandbox.calls()["runs"]}

    os.kill(slow.process_of(run_id), signal.SIGKILL)
    slow.sandbox.use()

    assert slow.finish(run_id) is dg.DagsterRunStatus.FAILURE
    retries = dg.RunsFilter(tags={"dagster/parent_run_id": run_id})
    wait_until(lambda: slow.instance.get_runs(retries))
    [retry] = slow.instance.get_runs(retries)
    assert slow.finish(retry.run_id) is dg.DagsterRunStatus.SUCCESS
    assert {run["id"] for run in slow.sandbox.calls()["runs"]} == created
    for days_back in range(3):
        load = slow.lake.load_of(
            "insights_hourly", slow.sandbox.account_ids[0], LAST - timedelta(days=days_back)
        )
        assert load
        assert (load.verdict, load.run_id) == ("proven", retry.run_id)


@pytest.mark.slow
def test_terminating_a_run_stops_the_calls_within_seconds_and_the_next_one_goes_on(
    slow: Dagster,
) -> None:
    run_id = slow.begin(slow.cell(1, 2), slow.cell(1))
    before = time.monotonic()

    slow.terminate(run_id)

    assert slow.finish(run_id) is dg.DagsterRunStatus.CANCELED
    assert time.monotonic() - before < within(15)
    calls = slow.sandbox.calls()["total"]
    time.sleep(1)  # nothing comes after it
    assert slow.sandbox.calls()["total"] == calls
    created = len(slow.sandbox.calls()["runs"])
    slow.sandbox.use()
    assert slow.finish(slow.launch(slow.cell(1, 2), slow.cell(1))) is dg.DagsterRunStatus.SUCCESS
    assert len(slow.sandbox.calls()["runs"]) == created


def test_two_runs_that_race_for_one_account_day_leave_one_whole_file(dagster: Dagster) -> None:
    cell = dagster.cell(2)
    runs = [dagster.launch(cell, cell) for _ in range(2)]

    statuses = [dagster.finish(run_id) for run_id in runs]

    assert statuses == [dg.DagsterRunStatus.SUCCESS] * 2
    account_id = dagster.sandbox.account_ids[2]
    load = dagster.lake.load_of("insights_hourly", account_id, LAST)
    truth = dagster.sandbox.truth(account_id, LAST)
    assert load
    assert (load.rows, load.verdict) == (truth["count"], "proven")
    assert load.run_id in runs


@pytest.mark.slow
def test_three_clicks_are_published_together_within_a_minute_of_their_end(dagster: Dagster) -> None:
    cells = [dagster.cell(2, 20), dagster.cell(2, 21), dagster.cell(3, 20)]
    before = dagster.publishes()

    runs = [dagster.click(cell) for cell in cells]
    assert {dagster.finish(run) for run in runs} == {dg.DagsterRunStatus.SUCCESS}

    ended = time.monotonic()
    wait_until(lambda: all(map(dagster.is_published, cells)))
    assert time.monotonic() - ended < within(FOLLOWS_WITHIN.total_seconds() + SLACK_SECONDS)
    # Runs of one account wait for each other: while they go on, they are published in between.
    assert 1 <= dagster.publishes() - before <= 2
    time.sleep(POLL_SECONDS + 1)
    assert dagster.publishes() - before <= 2


@pytest.mark.slow
def test_a_tag_that_a_person_adds_lets_an_account_day_become_empty(dagster: Dagster) -> None:
    cell, account_id = dagster.cell(4, 3), dagster.sandbox.account_ids[4]
    ends = [dagster.finish(dagster.click(cell))]
    dagster.sandbox.use("empty_hour:600")

    ends += [
        dagster.finish(dagster.click(cell, tags))
        for tags in ({}, {"fbinsights/accept_empty": "yes"})
    ]

    dagster.sandbox.use()
    load = dagster.lake.load_of("insights_hourly", account_id, dagster.day(3))
    success, failure = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
    assert ends == [success, failure, success]
    assert load
    assert (load.verdict, load.rows) == ("proven", 0)
    changes = dagster.lake.restatements().to_pylist()
    assert [
        (one["rows_before"] > 0, one["rows_after"])
        for one in changes
        if (one["table_name"], one["account_id"]) == ("insights_hourly", account_id)
    ] == [(True, 0)]


@pytest.mark.slow
def test_of_a_backfill_with_one_bad_cell_the_others_are_there_and_it_alone_is_run_again(
    dagster: Dagster,
) -> None:
    key = dg.AssetKey("insights_hourly")
    cells = [dagster.cell(number, back) for number in (5, 6) for back in range(6)]
    bad = cells[4]
    account, _, day = bad.partition("|")
    file = dagster.lake.key(
        "insights_hourly", account.removeprefix("act_"), date.fromisoformat(day)
    )
    folder = (dagster.lake.root / file).parent
    folder.parent.mkdir(parents=True)
    folder.touch()  # a file stands where the folder of this account-day belongs

    backfill = dagster.backfill(cells)

    statuses = dagster.instance.get_status_by_partition(key, cells, account_days_of(WHOLE))
    assert statuses
    assert {cell for cell, status in statuses.items() if "FAILED" in str(status)} == {bad}
    assert [str(status) for status in statuses.values()].count(
        "AssetPartitionStatus.MATERIALIZED"
    ) == len(cells) - 1
    folder.unlink()
    before = len(dagster.instance.get_runs())
    dagster.rerun_failed(backfill)
    runs = dagster.instance.get_runs(limit=len(dagster.instance.get_runs()) - before)
    ends = [f"dagster/asset_partition_range_{end}" for end in ("start", "end")]
    again = [[run.tags[end] for end in ends] for run in runs if ends[0] in run.tags]
    assert again == [[bad, bad]]
    statuses = dagster.instance.get_status_by_partition(key, [bad], account_days_of(WHOLE))
    assert statuses
    assert str(statuses[bad]) == "AssetPartitionStatus.MATERIALIZED"


#: What the page of a run shows while it waits for a limit.
WAITS = re.compile(
    r"act_(\d+) waits until \d\d:\d\d UTC \(5[45] min\) for the account's limit for insights: Meta"
    r" reports that it is used up\."
)


def test_a_run_that_waits_for_a_limit_says_who_waits_for_what_until_when_and_can_be_stopped(
    dagster: Dagster,
) -> None:
    dagster.sandbox.use("never_resets:55")
    run_id = dagster.click(dagster.cell(1, 40))

    def waits() -> set[tuple[str, str]]:
        logged = ((level, WAITS.search(text)) for level, text in dagster.log(run_id))
        return {(level, found[1]) for level, found in logged if found}

    wait_until(waits)
    seen, before = waits(), time.monotonic()
    dagster.terminate(run_id)
    ended = dagster.finish(run_id)
    seconds = time.monotonic() - before

    dagster.sandbox.use()
    account_id = dagster.sandbox.account_ids[1]
    cooldowns_of(dagster.lake.store, time.time).put(
        Limit(account_id, "ads_insights"), Cooldown(0.0)
    )
    assert seen == {("WARNING", account_id)}
    assert ended is dg.DagsterRunStatus.CANCELED
    assert seconds < within(15)
