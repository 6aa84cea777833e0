from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.errors import (
    NotReadyError,
    RequestError,
    RunFailedError,
    StoppedError,
    TokenError,
    TooMuchDataError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fbgraph import Page
    from fbgraph.objects.report_run import ReportRun
    from tests.fbgraph.conftest import MakeWire, Wire

#: name → the poll of a run as it came from Meta, with invented ids.
POLLS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "bodies" / "report_runs.json").read_text("utf-8")
)
ASKED = {"level": "ad", "fields": ["spend"], "time_increment": 1}
NOT_READY = httpx.Response(
    400,
    json={
        "error": {
            "code": 2601,
            "error_subcode": 1815107,
            "message": "Error accessing adreport job.",
        }
    },
)
#: Reads of one report until it is given up as not loadable.
PATIENCE = 6

#: Both doors to a report.
DOORS: dict[str, Callable[..., Iterator[Page]]] = {
    "client": lambda graph, **how: graph.client.report("act_1", ASKED, **how),
    "node": lambda graph, **how: graph.client.account("1").report(ASKED, **how),
}


def page(*spends: str, after: str | None = None) -> httpx.Response:
    paging = {"cursors": {"after": after}, "next": "https://graph.facebook.com/x"} if after else {}
    return httpx.Response(200, json={"data": [{"spend": s} for s in spends], "paging": paging})


def meta(
    *, polls: str = "completed", reads: Mapping[str, list[httpx.Response]] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """Makes runs 1, 2, …; each is polled as `polls` says, a word a run, the last for all others.

    `reads`: by run, its pages one after the other; of a run not named, one page.
    """
    created = [0]
    left = {run: list(pages) for run, pages in (reads or {}).items()}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            created[0] += 1
            return httpx.Response(200, json={"report_run_id": str(created[0])})
        run = request.url.path.split("/")[2]
        if request.url.path.endswith("/insights"):
            pages = left.get(run, [page(f"{run}.00")])
            return pages.pop(0) if len(pages) > 1 else pages[0]
        words = polls.split()
        found = POLLS[words[min(int(run), len(words)) - 1]]
        return httpx.Response(200, json={**found, "id": run})

    return answer


def steps(graph: Wire) -> list[str]:
    """``create``, ``poll 1``, ``read 1`` for each request."""
    return [
        "create"
        if r.method == "POST"
        else f"{'read' if path[-1] == 'insights' else 'poll'} {path[2]}"
        for r in graph.requests
        for path in [r.url.path.split("/")]
    ]


def spends(pages: Iterator[Page]) -> list[str]:
    return [row["spend"] for found in pages for row in found.data]


@pytest.mark.parametrize("door", DOORS)
def test_a_report_is_its_pages(wire: MakeWire, door: str) -> None:
    graph = wire(meta(reads={"1": [page("1", after="A"), page(after="B"), page("2")]}))

    pages = list(DOORS[door](graph))

    assert [[row["spend"] for row in one.data] for one in pages] == [["1"], [], ["2"]]
    assert steps(graph) == ["create", "poll 1", "read 1", "read 1", "read 1"]
    assert graph.heard[0].params == {
        "level": "ad",
        "fields": '["spend"]',
        "time_increment": "1",
    }


@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_asked_before_the_first_page_is(wire: MakeWire, door: str) -> None:
    graph = wire(meta(reads={"1": [page("1", after="A"), page("2")]}))

    pages = DOORS[door](graph)
    counts = [len(graph.requests)]
    next(pages)
    counts.append(len(graph.requests))

    assert (counts, steps(graph)) == ([0, 3], ["create", "poll 1", "read 1"])


@pytest.mark.parametrize("failed", ["failed_legacy", "failed_generic", "skipped"])
def test_a_run_that_failed_is_asked_for_again_and_read(wire: MakeWire, failed: str) -> None:
    graph = wire(meta(polls=f"{failed} completed"))

    found = spends(DOORS["client"](graph))

    assert (found, steps(graph)) == (
        ["2.00"],
        ["create", "poll 1", "create", "poll 2", "read 2"],
    )


def test_a_report_that_fails_as_often_as_allowed_is_an_error(wire: MakeWire) -> None:
    graph = wire(meta(polls="failed_generic"))

    with pytest.raises(RunFailedError):
        list(DOORS["client"](graph, attempts=3))

    assert steps(graph).count("create") == 3


def test_what_happens_is_told_to_who_wants_to_know(wire: MakeWire) -> None:
    graph = wire(meta(polls="failed_generic completed"))
    created: list[str] = []
    polls: list[ReportRun] = []

    list(DOORS["client"](graph, on_created=created.append, on_poll=polls.append))

    assert created == ["1", "2"]
    assert [(p.report_run_id, p.status, p.percent) for p in polls] == [
        ("1", "Job Failed", POLLS["failed_generic"]["async_percent_completion"]),
        ("2", "Job Completed", 100),
    ]


@pytest.mark.parametrize("door", DOORS)
def test_a_run_is_waited_for_no_longer_than_allowed(wire: MakeWire, door: str) -> None:
    graph = wire(meta(polls="running"))

    with pytest.raises(RunFailedError, match="Report run 1 is stuck"):
        list(DOORS[door](graph, timeout_seconds=100, attempts=1))

    assert 100 < sum(graph.waits) <= 130


def test_a_run_that_takes_too_long_is_asked_for_again(wire: MakeWire) -> None:
    graph = wire(meta(polls="running completed"))

    assert spends(DOORS["client"](graph, timeout_seconds=10)) == ["2.00"]


def test_a_report_that_never_becomes_loadable_is_made_again(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    graph = wire(meta(reads={"1": [NOT_READY]}))

    found = spends(DOORS["client"](graph))

    assert found == ["2.00"]
    assert steps(graph) == [
        *("create", "poll 1", *["read 1"] * PATIENCE),
        *("create", "poll 2", "read 2"),
    ]
    assert "act_1: the report run cannot be read; creating a new one" in caplog.text


def test_a_report_that_is_never_loadable_at_all_is_an_error(wire: MakeWire) -> None:
    graph = wire(meta(reads={"1": [NOT_READY], "2": [NOT_READY]}))

    with pytest.raises(NotReadyError):
        list(DOORS["client"](graph))

    assert steps(graph).count("create") == 2


def test_runs_that_failed_and_runs_not_loadable_are_counted_together(wire: MakeWire) -> None:
    graph = wire(meta(polls="failed_generic completed", reads={"2": [NOT_READY]}))

    with pytest.raises(NotReadyError):
        list(DOORS["client"](graph))

    assert steps(graph).count("create") == 2


@pytest.mark.parametrize("attempts", [0, -1])
def test_no_attempt_at_all_is_no_empty_report(wire: MakeWire, attempts: int) -> None:
    graph = wire(meta())

    with pytest.raises(RequestError, match="attempts"):
        list(DOORS["client"](graph, attempts=attempts))

    assert graph.requests == []


def test_what_no_other_run_would_help_is_not_asked_for_again(wire: MakeWire) -> None:
    too_large = wire(meta(polls="failed"))

    with pytest.raises(TooMuchDataError):
        list(DOORS["client"](too_large))

    assert steps(too_large) == ["create", "poll 1"]


def test_an_error_in_the_middle_of_the_pages_is_raised_and_repeats_none(wire: MakeWire) -> None:
    expired = httpx.Response(400, json={"error": {"code": 190, "message": "expired"}})
    graph = wire(meta(reads={"1": [page("1", after="A"), expired]}))
    found: list[Any] = []

    with pytest.raises(TokenError):
        found.extend(row for one in DOORS["client"](graph) for row in one.data)

    assert steps(graph) == ["create", "poll 1", "read 1", "read 1"]


def test_pages_too_big_are_halved_and_the_run_is_kept(wire: MakeWire) -> None:
    reduce = {"code": 1, "message": "Please reduce the amount of data you're asking for"}
    too_big = httpx.Response(500, json={"error": reduce})
    graph = wire(meta(reads={"1": [too_big, page("1", after="A"), page("2")]}))

    assert spends(DOORS["client"](graph)) == ["1", "2"]
    assert [p.get("limit") for p in graph.params[2:]] == ["500", "250", "250"]


def test_the_pages_of_a_report_use_up_the_limits_of_its_account(wire: MakeWire) -> None:
    usage = {"x-fb-ads-insights-throttle": '{"acc_id_util_pct":96}'}
    busy = httpx.Response(200, json=page("1", after="A").json(), headers=usage)
    graph = wire(meta(reads={"1": [busy, page("2")]}))

    list(DOORS["node"](graph))

    assert graph.waits == [1.0, 60.0]


def test_a_report_that_waits_ends_when_its_client_is_stopped(wire: MakeWire) -> None:
    graph = wire(meta(polls="running"))

    with pytest.raises(StoppedError):
        list(DOORS["client"](graph, on_poll=lambda _: graph.client.stop()))

    assert steps(graph) == ["create", "poll 1"]
