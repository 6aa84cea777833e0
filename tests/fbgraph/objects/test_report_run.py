from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import (
    GraphError,
    NotFoundError,
    RequestError,
    RetryableError,
    RunFailedError,
    TokenError,
    TooMuchDataError,
)
from fbgraph.objects.report_run import (
    FRESH_SECONDS,
    NEXT_STEP,
    POLL_SECONDS,
    START_SECONDS,
    STUCK_POLLS,
    STUCK_SECONDS,
    TOTAL_SECONDS,
    ReportRun,
    RunStep,
    next_step,
    poll_seconds,
    run_id_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fbgraph.conftest import MakeWire, Wire

RUN = "120233000000000077"

#: name → the poll of a run as it came from Meta, with invented ids.
POLLS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "bodies" / "report_runs.json").read_text("utf-8")
)

UNKNOWN_YET = {
    "message": f"Unsupported get request. Object with ID '{RUN}' does not exist, cannot be loaded"
    " due to missing permissions, or does not support this operation.",
    "type": "GraphMethodException",
    "code": 100,
    "error_subcode": 33,
}

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


def poll(status: str, percent: int = 0, **more: Any) -> httpx.Response:
    body = {"id": RUN, "async_status": status, "async_percent_completion": percent, **more}
    return httpx.Response(200, json=body)


def seen(name: str) -> httpx.Response:
    return httpx.Response(200, json=POLLS[name])


def refusal(**error: Any) -> httpx.Response:
    return httpx.Response(400, json={"error": error})


def created(report_run_id: object = RUN) -> httpx.Response:
    return httpx.Response(200, json={"report_run_id": report_run_id})


def asked_for(graph: Wire) -> list[str]:
    """``create`` and ``poll`` for each request."""
    return ["create" if r.method == "POST" else "poll" for r in graph.requests]


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
def test_no_run_is_waited_for_longer_than_an_hour(
    status: str, percent: int, unchanged: float
) -> None:
    run = ReportRun(RUN, status, percent)

    assert next_step(run, TOTAL_SECONDS + 1, unchanged, unchanged_polls=0) is not RunStep.WAIT


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
        *((None, 0), (True, 0), ("", 0), ([], 0), ("much", 0)),
    ],
)
def test_the_percent_of_a_run_is_read_from_whatever_comes(percent: object, read: int) -> None:
    body = {"async_status": "Job Running", "async_percent_completion": percent}

    assert ReportRun.from_body(body, RUN).percent == read


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"id": RUN}, {"async_status": None}, {"async_status": 3}, {"async_status": []}),
        *({"async_status": "Job Exploded"}, {"async_status": "job completed"}, []),
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


def test_a_run_is_created_polled_and_done(wire: MakeWire) -> None:
    graph = wire(created(), seen("not_started"), seen("running"), seen("completed"))
    polls: list[ReportRun] = []
    ids: list[str] = []

    found = graph.client.account("1").run_report(
        {"level": "ad", "fields": ["spend"]}, on_created=ids.append, on_poll=polls.append
    )

    assert (found, ids, [(p.status, p.percent) for p in polls], graph.asked, graph.waits) == (
        RUN,
        [RUN],
        [("Job Not Started", 0), ("Job Running", 43), ("Job Completed", 100)],
        ["POST /v26.0/act_1/insights", *[f"GET /v26.0/{RUN}"] * 3],
        [1.0, 1.0, pytest.approx(0.75 * 2 * 57 / 43)],  # most of what 43 % after 2 s leave
    )


def test_the_fields_of_a_report_go_as_a_json_list_in_the_form(wire: MakeWire) -> None:
    graph = wire(created())

    graph.client.account("1").create_report(fields=["spend", "clicks"], time_increment=1)

    form = dict(httpx.QueryParams(graph.requests[0].content.decode()))
    assert form == {"fields": '["spend","clicks"]', "time_increment": "1"}


def test_a_creation_that_gives_no_id_is_made_again(wire: MakeWire) -> None:
    graph = wire(created(None), created(int(RUN)))

    assert graph.client.account("1").create_report() == RUN


def test_a_poll_asks_for_the_reasons_of_a_failure(wire: MakeWire) -> None:
    graph = wire(seen("running"))

    graph.client.poll(RUN)

    fields = set(graph.params[0]["fields"].split(","))
    assert fields >= {"async_status", "async_percent_completion", "error_code", "error_message"}


def test_running_at_100_percent_is_not_done(wire: MakeWire) -> None:
    graph = wire(seen("running_100"), seen("running_100"), seen("completed"))

    graph.client.wait_for(RUN)

    assert len(graph.requests) == 3


def test_a_run_that_stays_at_100_percent_hangs(wire: MakeWire) -> None:
    graph = wire(seen("running"), seen("running_100"))

    with pytest.raises(RunFailedError, match=f"{RUN} is stuck: 'Job Running' at 100 %"):
        graph.client.wait_for(RUN)

    assert STUCK_SECONDS < sum(graph.waits) < 2 * STUCK_SECONDS


@pytest.mark.parametrize(
    ("answer", "patience"),
    [
        (poll("Job Not Started"), START_SECONDS),
        (poll("Job Running", 43), TOTAL_SECONDS),
        (poll("Job Started"), TOTAL_SECONDS),
        (poll("Job Completed", 99), STUCK_SECONDS),
    ],
)
def test_a_run_that_never_ends_is_given_up(
    wire: MakeWire, answer: httpx.Response, patience: float
) -> None:
    graph = wire(answer)

    with pytest.raises(RunFailedError, match="is stuck"):
        graph.client.wait_for(RUN)

    assert patience < sum(graph.waits) <= patience + POLL_SECONDS[1]


def test_a_fresh_run_that_nobody_knows_yet_is_polled_again(wire: MakeWire) -> None:
    graph = wire(refusal(**UNKNOWN_YET), refusal(**UNKNOWN_YET), seen("completed"))
    polls: list[ReportRun] = []

    graph.client.wait_for(RUN, polls.append)

    assert [p.status for p in polls] == ["Job Not Started", "Job Not Started", "Job Completed"]


def test_a_run_that_nobody_knows_after_a_minute_does_not_exist(wire: MakeWire) -> None:
    graph = wire(refusal(**UNKNOWN_YET))

    with pytest.raises(NotFoundError):
        graph.client.wait_for(RUN)

    assert FRESH_SECONDS < sum(graph.waits) <= FRESH_SECONDS + 30


def test_a_poll_that_cannot_be_read_is_made_again_by_itself(wire: MakeWire) -> None:
    answers = [httpx.Response(502, html="<html>"), httpx.Response(200, json={"id": RUN})]
    graph = wire(*answers, seen("completed"))

    graph.client.wait_for(RUN)

    assert graph.waits == [1.0, 1.0, 2.0]  # the poll's own, then two retries


def test_polls_that_are_never_readable_end(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json=[]))

    with pytest.raises(RetryableError):
        graph.client.wait_for(RUN)

    assert len(graph.requests) == 6


@pytest.mark.parametrize("failed", ["failed_legacy", "failed_generic", "skipped"])
def test_a_run_that_failed_is_asked_for_once_more(wire: MakeWire, failed: str) -> None:
    graph = wire(created("1"), seen(failed), created("2"), seen("completed"))

    found = graph.client.account("1").run_report({})

    assert (found, asked_for(graph)) == ("2", ["create", "poll", "create", "poll"])


@pytest.mark.parametrize("failed", ["failed_legacy", "failed_generic", "skipped"])
def test_a_run_that_fails_twice_is_an_error(wire: MakeWire, failed: str) -> None:
    graph = wire(created("1"), seen(failed), created("2"), seen(failed))

    with pytest.raises(RunFailedError):
        graph.client.account("1").run_report({})

    assert asked_for(graph) == ["create", "poll", "create", "poll"]


def test_a_run_that_hangs_is_asked_for_once_more(wire: MakeWire) -> None:
    hangs = [poll("Job Not Started")] * 30

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return created(len([r for r in graph.requests if r.method == "POST"]))
        return hangs.pop() if hangs else seen("completed")

    graph = wire(answer)

    assert graph.client.account("1").run_report({}) == "2"


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (-3, 1504045, TooMuchDataError),
        (2, 1504041, RequestError),
        (190, 463, TokenError),
    ],
)
def test_a_run_that_would_fail_again_is_not_asked_for_again(
    wire: MakeWire, code: int, subcode: int, kind: type[GraphError]
) -> None:
    failed = poll("Job Failed", error_code=code, error_subcode=subcode, error_message="No")
    graph = wire(created(), failed)

    with pytest.raises(kind):
        graph.client.account("1").run_report({})

    assert asked_for(graph) == ["create", "poll"]


def test_a_resubmission_is_logged_with_the_reason(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    graph = wire(created("1"), seen("failed_generic"), created("2"), seen("completed"))

    graph.client.account("1").run_report({})

    assert "Report Failed" in caplog.text


def test_reading_a_report_that_is_not_loadable_yet_waits_and_goes_on(wire: MakeWire) -> None:
    not_ready = {"code": 2601, "error_subcode": 1815107, "message": "Error accessing adreport job."}
    rows = httpx.Response(200, json={"data": [{"spend": "1"}]})
    graph = wire(refusal(**not_ready), refusal(**not_ready), rows)

    found = list(graph.client.node(RUN).insights())

    assert (found, graph.waits) == ([{"spend": "1"}], [5.0, 10.0])


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
