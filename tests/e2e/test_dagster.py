"""What a person does in Dagster, seen by `dagster dev` as a whole: kills, stops, re-runs.

Those of `make test` are in test_browser.py, which starts one too.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.defs.following import POLL_SECONDS
from pipelines.defs.partitions import WHOLE, account_days_of
from tests.e2e.dev import LAST, wait_until
from tests.pace import within
from warehouse.lake.changes import FOLLOWS_WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.dev import Dagster


pytestmark = pytest.mark.slow

#: Dagster takes as much again to begin the run that publishes.
SLACK_SECONDS = 60


@pytest.fixture
def slow(dagster: Dagster) -> Iterator[Dagster]:
    """Report runs that take their time, so that one can strike in the midst of them."""
    dagster.sandbox.use("run_hangs", "slow:50")
    yield dagster
    dagster.sandbox.use()


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
