"""A report run created, polled and waited for by a client, and created again if that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

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
    START_SECONDS,
    STUCK_SECONDS,
    TOTAL_SECONDS,
    UNMOVED_SECONDS,
    ReportRun,
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


def poll(status: str, percent: int = 0, **more: Any) -> httpx.Response:
    body = {"id": RUN, "async_status": status, "async_percent_completion": percent} | more
    return httpx.Response(200, json=body)


def seen(name: str, report_run_id: str = RUN) -> httpx.Response:
    return httpx.Response(200, json={**POLLS[name], "id": report_run_id})


def refusal(**error: Any) -> httpx.Response:
    return httpx.Response(400, json={"error": error})


def created(report_run_id: object = RUN) -> httpx.Response:
    return httpx.Response(200, json={"report_run_id": report_run_id})


def asked_for(graph: Wire) -> list[str]:
    """``create`` and ``poll`` for each request."""
    return ["create" if r.method == "POST" else "poll" for r in graph.requests]


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


@pytest.mark.parametrize("percent", [1, 43, 50, 90, 99])
def test_a_run_that_does_not_move_is_polled_less_and_less(wire: MakeWire, percent: int) -> None:
    graph = wire(poll("Job Running", percent))

    with pytest.raises(RunFailedError, match="is stuck"):
        graph.client.wait_for(RUN)

    assert len(graph.waits) <= 28  # so that 14 runs, of four account-days, cost less than 400


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

    assert patience < sum(graph.waits) <= patience + UNMOVED_SECONDS


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
    graph = wire(created("1"), seen(failed, "1"), created("2"), seen("completed", "2"))

    found = graph.client.account("1").run_report({})

    assert (found, asked_for(graph)) == ("2", ["create", "poll", "create", "poll"])


@pytest.mark.parametrize("failed", ["failed_legacy", "failed_generic", "skipped"])
def test_a_run_that_fails_twice_is_an_error(wire: MakeWire, failed: str) -> None:
    graph = wire(created("1"), seen(failed, "1"), created("2"), seen(failed, "2"))

    with pytest.raises(RunFailedError):
        graph.client.account("1").run_report({})

    assert asked_for(graph) == ["create", "poll", "create", "poll"]


def test_a_run_that_hangs_is_asked_for_once_more(wire: MakeWire) -> None:
    hangs = ["not_started"] * 30

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return created(len([r for r in graph.requests if r.method == "POST"]))
        return seen(hangs.pop() if hangs else "completed", request.url.path.rpartition("/")[2])

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
    graph = wire(created("1"), seen("failed_generic", "1"), created("2"), seen("completed", "2"))

    graph.client.account("1").run_report({})

    assert "Report Failed" in caplog.text


def test_reading_a_report_that_is_not_loadable_yet_waits_and_goes_on(wire: MakeWire) -> None:
    not_ready = {"code": 2601, "error_subcode": 1815107, "message": "Error accessing adreport job."}
    rows = httpx.Response(200, json={"data": [{"spend": "1"}]})
    graph = wire(refusal(**not_ready), refusal(**not_ready), rows)

    found = list(graph.client.node(RUN).insights())

    assert (found, graph.waits) == ([{"spend": "1"}], [5.0, 10.0])
