from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.sandbox.insights.runs import RunState, state_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}


@pytest.mark.parametrize(
    ("progress", "status", "percent"),
    [
        (0.0, "Job Not Started", 0),
        (0.3, "Job Started", 0),
        (0.5, "Job Running", 50),
        (0.99, "Job Running", 99),
        (1.0, "Job Completed", 100),
        (7.0, "Job Completed", 100),
    ],
)
def test_a_run_says_how_far_it_is(progress: float, status: str, percent: int) -> None:
    assert state_at(progress) == RunState(status, percent)


def test_a_run_advances_by_poll(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(run_polls=5)

    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)

    assert graph.poll(run_id) == [
        *("Job Not Started", "Job Started", "Job Running", "Job Running", "Job Completed")
    ]


def test_a_run_advances_by_the_clock_when_told_to(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(run_seconds=60)
    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)

    seen = []
    for _ in range(3):
        seen.append(graph.get(run_id).json()["async_status"])
        graph.clock.now += timedelta(seconds=30)

    assert seen == ["Job Not Started", "Job Running", "Job Completed"]


def test_a_poll_has_the_types_that_meta_documents(graph: Graph) -> None:
    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)

    first = graph.get(run_id).json()
    last = graph.get(run_id, fields="async_status,is_running,time_completed,date_start").json()

    assert first == {
        "id": run_id,
        "account_id": graph.account()[4:],
        "time_ref": int(graph.clock.now.timestamp()),
        "async_status": "Job Running",
        "async_percent_completion": 50,
        "date_start": "2026-11-21",
        "date_stop": "2026-11-21",
    }
    assert last == {
        "id": run_id,
        "async_status": "Job Completed",
        "is_running": False,
        "time_completed": int(graph.clock.now.timestamp()),
        "date_start": "2026-11-21",
    }


def test_a_run_read_too_early_is_refused_as_transient(graph: Graph) -> None:
    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)

    error = graph.error(f"{run_id}/insights")

    assert (error["code"], error["error_subcode"], error["is_transient"]) == (2601, 1815107, True)


def finished(graph: Graph, **params: Any) -> str:
    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY, **params)
    graph.poll(run_id)
    return run_id


def test_a_run_reads_what_a_synchronous_call_does(graph: Graph, everything: dict[str, Any]) -> None:
    run_id = finished(graph, **everything)

    rows = graph.rows(f"{run_id}/insights", limit=50)

    assert rows == graph.rows(f"{graph.account()}/insights", time_range=DAY, **everything)


def test_a_run_is_read_backwards_too(graph: Graph, everything: dict[str, Any]) -> None:
    path = f"{finished(graph, **everything)}/insights"
    first, second, *_ = graph.pages(path, limit=10)

    back = graph.get(path, limit=10, before=second["paging"]["cursors"]["before"]).json()

    assert back["data"] == first["data"]


def test_a_run_is_read_25_rows_at_a_time_by_default(
    graph: Graph, everything: dict[str, Any]
) -> None:
    run_id = finished(graph, **everything)

    body = graph.get(f"{run_id}/insights").json()

    assert len(body["data"]) == 25
    assert body["paging"]["cursors"] == {"before": "MAZDZD", "after": "MjQZD"}


def test_a_run_is_read_with_fewer_fields_but_not_with_others(graph: Graph) -> None:
    run_id = finished(graph, fields=["impressions", "spend"])

    fewer = graph.get(f"{run_id}/insights", fields="spend").json()["data"][0]
    error = graph.error(f"{run_id}/insights", fields="spend,clicks,ctr")

    assert fewer.keys() == {"spend", "date_start", "date_stop"}
    assert error["message"] == (
        "(#100) Cannot include clicks,ctr in fields param because they weren't there while "
        "creating the report run. All available values are: impressions,spend"
    )


def test_a_run_without_rows_is_an_empty_list(graph: Graph) -> None:
    filtering = [{"field": "ad.id", "operator": "EQUAL", "value": "1"}]

    run_id = finished(graph, level="ad", filtering=filtering)

    assert graph.get(f"{run_id}/insights").json() == {"data": []}


def test_a_run_shows_the_time_of_its_creation(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    path = f"{graph.account()}/insights"
    run_id = graph.create(path, date_preset="today", fields="impressions")
    graph.poll(run_id)
    before = graph.get(path, date_preset="today", fields="impressions").json()

    graph.clock.now += timedelta(hours=2)

    after = graph.get(path, date_preset="today", fields="impressions").json()
    assert graph.get(f"{run_id}/insights").json() == before != after


def test_a_field_that_kills_runs_ends_one_with_its_error(graph: Graph) -> None:
    run_id = graph.create(f"{graph.account()}/insights", fields="impressions,total_card_view")

    graph.poll(run_id, until="Job Failed")

    found = graph.get(run_id).json()
    assert (found["error_code"], found["error_subcode"]) == (2, 1504044)
    assert graph.error(f"{run_id}/insights")["code"] == 2601


def test_a_field_that_spoils_reading_must_be_left_out(graph: Graph) -> None:
    run_id = finished(graph, fields="impressions,adset_end")

    spoilt = graph.error(f"{run_id}/insights")
    readable = graph.get(f"{run_id}/insights", fields="impressions")

    assert spoilt["message"] == "(#100) Tried accessing nonexisting summary field (adset_end)"
    assert readable.status_code == 200


def test_a_run_does_not_know_other_fields_or_parameters(graph: Graph) -> None:
    run_id = finished(graph)

    assert "node type (AdReportRun)" in graph.error(run_id, fields="foo")["message"]
    assert graph.error(f"{run_id}/insights", level="ad")["message"] == "Invalid parameter"
    assert graph.error("1" * 18)["error_subcode"] == 33


def test_ids_of_runs_do_not_come_again_after_a_restart(open_graph: Callable[..., Graph]) -> None:
    graph, again = open_graph(), open_graph()
    again.clock.now += timedelta(seconds=1)

    ids = {g.create(f"{g.account()}/insights") for g in (graph, again) for _ in range(3)}

    assert len(ids) == 6
