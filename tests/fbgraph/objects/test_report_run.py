"""Report runs: what a poll says to do next, and how long to wait for one."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import RetryableError, RunHungError
from fbgraph.objects.report_run import (
    NEXT_STEP,
    START_SECONDS,
    STUCK_POLLS,
    STUCK_SECONDS,
    TOTAL_SECONDS,
    ReportRun,
    RunStep,
    next_step,
    poll_seconds,
    run_id_of,
    wait_until_done,
)
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping


RUN = "120233000000000077"

#: name → the poll of a run as it came from Meta, with invented ids.
POLLS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "bodies" / "report_runs.json").read_text("utf-8")
)

#: Steps, by how long the run exists and how long it has not moved.
STEPS = [
    ("Job Not Started", 0, 0, 0, RunStep.WAIT),
    ("Job Not Started", 0, START_SECONDS, START_SECONDS, RunStep.WAIT),
    ("Job Not Started", 0, START_SECONDS + 1, 0, RunStep.RESUBMIT),
    ("Job Started", 0, START_SECONDS + 1, START_SECONDS + 1, RunStep.WAIT),
    ("Job Running", 43, START_SECONDS + 1, START_SECONDS + 1, RunStep.WAIT),
    ("Job Running", 0, TOTAL_SECONDS, TOTAL_SECONDS, RunStep.WAIT),
    ("Job Running", 99, TOTAL_SECONDS + 1, 0, RunStep.RESUBMIT),
    ("Job Running", 100, 5, 5, RunStep.WAIT),
    ("Job Running", 100, STUCK_SECONDS, STUCK_SECONDS, RunStep.WAIT),
    ("Job Running", 100, 900, STUCK_SECONDS + 1, RunStep.RESUBMIT),
    ("Job Completed", 100, 0, 0, RunStep.READ),
    ("Job Completed", 100, 2 * TOTAL_SECONDS, 0, RunStep.READ),
    ("Job Completed", 99, 0, 0, RunStep.WAIT),
    ("Job Completed", 99, 900, STUCK_SECONDS, RunStep.WAIT),
    ("Job Completed", 0, 900, STUCK_SECONDS + 1, RunStep.RESUBMIT),  # as if its percent never came
    ("Job Completed", 99, TOTAL_SECONDS + 1, 0, RunStep.RESUBMIT),  # else polled for ever
    ("Job Failed", 0, 0, 0, RunStep.RESUBMIT),
    ("Job Failed", 100, 0, 0, RunStep.RESUBMIT),
    ("Job Skipped", 0, 0, 0, RunStep.RESUBMIT),
]


@pytest.mark.parametrize(("status", "percent", "age", "unchanged", "step"), STEPS)
def test_a_poll_says_what_to_do_next(
    status: str, percent: int, age: float, unchanged: float, step: RunStep
) -> None:
    run = ReportRun(RUN, status, percent)

    assert next_step(run, age, unchanged, unchanged_polls=STUCK_POLLS) is step


def test_a_run_is_not_stuck_as_long_as_nobody_could_look() -> None:
    run = ReportRun(RUN, "Job Running", 100)

    steps = [
        next_step(run, 900, 2 * STUCK_SECONDS, unchanged_polls=n)
        for n in (STUCK_POLLS - 1, STUCK_POLLS)
    ]

    assert steps == [RunStep.WAIT, RunStep.RESUBMIT]


def test_every_documented_status_has_a_step_and_an_example() -> None:
    documented = {
        *("Job Not Started", "Job Started", "Job Running"),
        *("Job Completed", "Job Failed", "Job Skipped"),
    }

    assert set(NEXT_STEP) == {status for status, *_ in STEPS} == documented


@given(
    status=st.sampled_from(sorted(NEXT_STEP)),
    percent=st.integers(0, 200),
    unchanged=st.floats(0, 10 * TOTAL_SECONDS),
)
def test_no_run_that_does_not_move_is_waited_for_longer_than_an_hour(
    status: str, percent: int, unchanged: float
) -> None:
    run = ReportRun(RUN, status, percent)

    assert next_step(run, TOTAL_SECONDS + 1, unchanged, unchanged_polls=1) is not RunStep.WAIT


def test_a_run_whose_first_poll_comes_late_is_not_given_up_for_it() -> None:
    run = ReportRun(RUN, "Job Running", 50)

    assert next_step(run, TOTAL_SECONDS + 1, 0, unchanged_polls=0) is RunStep.WAIT


@pytest.mark.parametrize("name", POLLS)
def test_a_poll_that_was_seen_is_read(name: str) -> None:
    run = ReportRun.from_body(POLLS[name], RUN)

    assert (run.status, run.percent, run.error is not None) == (
        POLLS[name]["async_status"],
        POLLS[name]["async_percent_completion"],
        name in {"failed", "failed_generic", "failed_legacy", "skipped"},
    )


@pytest.mark.parametrize(
    ("percent", "read"),
    [
        *((43, 43), (0, 0), (100, 100), ("43", 43), (100.0, 100)),
        *((None, 0), (True, 0), ("", 0), ([], 0), ("much", 0), (-5, 0), (99.9, 99)),
        *(("100.0", 100), ("99.9", 99), (float("inf"), 0), ("nan", 0), ("1e999", 0)),
    ],
)
def test_the_percent_of_a_run_is_read_from_whatever_comes(percent: object, read: int) -> None:
    body = {"async_status": "Job Running", "async_percent_completion": percent}

    assert ReportRun.from_body(body, RUN).percent == read


def test_a_status_is_known_in_whatever_case_it_comes() -> None:
    said = {
        "job completed": "Job Completed",
        "JOB RUNNING": "Job Running",
        " Job started\n": "Job Started",
    }

    assert {one: ReportRun.from_body({"async_status": one}, RUN).status for one in said} == said


def test_a_run_whose_percent_goes_back_and_forth_ends_like_one_that_does_not_move() -> None:
    clock = Clock()
    percents = cycle([50, 40])

    def poll(_: str) -> ReportRun:
        return ReportRun(RUN, "Job Running", next(percents))

    with pytest.raises(RunHungError, match="stuck: 'Job Running' at"):
        wait_until_done(poll, RUN, sleep=clock.sleep, clock=clock.seconds)

    assert clock.seconds() <= 1.1 * TOTAL_SECONDS
    # A little back on the way does not matter.
    rising = iter([10, 30, 20, 60, 50, 100])
    reported: list[int] = []

    def rise(_: str) -> ReportRun:
        percent = next(rising)
        return ReportRun(RUN, "Job Completed" if percent == 100 else "Job Running", percent)

    wait_until_done(
        *(rise, RUN),
        sleep=clock.sleep,
        clock=clock.seconds,
        on_poll=lambda run: reported.append(run.percent),
    )
    assert reported == [10, 30, 20, 60, 50, 100]


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"id": RUN}, {"async_status": None}, {"async_status": 3}, {"async_status": []}),
        *(
            {"async_status": "Job Exploded"},
            {"async_status": "Job Queued"},
            {"async_status": ""},
            [],
        ),
        [{"async_status": "Job Completed", "async_percent_completion": 100}],
    ],
)
def test_a_poll_without_a_status_that_we_know_is_asked_for_again(body: object) -> None:
    with pytest.raises(RetryableError, match="unknown status"):
        ReportRun.from_body(body, RUN)


@pytest.mark.parametrize(
    ("found", "report_run_id"),
    [(RUN, RUN), (int(RUN), RUN), ("6023920149050", "6023920149050")],
)
def test_the_id_of_a_run_comes_as_text_or_number(found: object, report_run_id: str) -> None:
    assert run_id_of({"report_run_id": found}) == report_run_id


@pytest.mark.parametrize(
    "answer",
    [
        *({}, {"id": RUN}, {"success": True}, [], [{"report_run_id": RUN}]),
        *(
            {"report_run_id": odd}
            for odd in (
                *(None, True, False, "", " ", "0", 0, -5, "-5", "1/../me", "me", "1 2", "1\n"),
                *(6.02e15, [RUN], {"id": RUN}, "\u0661\u0662", "\u00b2"),
            )
        ),
    ],
)
def test_a_creation_without_an_id_is_a_passing_fault(answer: object) -> None:
    with pytest.raises(RetryableError, match="no report_run_id"):
        run_id_of(answer)


@pytest.mark.parametrize(
    ("run_seconds", "polls"), [(1, 1), (3, 3), (10, 7), (20, 10), (60, 14), (600, 24)]
)
def test_a_run_that_tells_its_progress_is_found_done_soon_by_few_polls(
    run_seconds: float, polls: int
) -> None:
    age, asked = 0.0, 0
    while age < run_seconds:
        done = int(100 * age / run_seconds)
        age += poll_seconds(age, done if done >= 50 else 0)
        asked += 1

    assert asked <= polls
    assert age - run_seconds <= 3
    assert poll_seconds(100.0, 0) == 40


@pytest.mark.parametrize(
    ("age", "took", "wait"), [(0, 40, 30), (25, 40, 10), (29.5, 40, 11.8), (0, 1, 1), (0, 600, 60)]
)
def test_a_run_is_left_alone_for_most_of_what_another_of_its_account_took(
    age: float, took: float, wait: float
) -> None:
    assert poll_seconds(age, 0, took_seconds=took) == pytest.approx(wait)


def test_a_run_that_says_100_percent_is_looked_at_soon_again() -> None:
    waits = [poll_seconds(500, 100, unchanged_seconds=n, took_seconds=400) for n in (0, 10, 300)]

    assert waits == [1.0, 4.0, 60.0]
