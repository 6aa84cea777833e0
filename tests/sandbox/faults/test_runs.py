"""Scenarios of report runs, pages, numbers and rows, each by what a client then sees."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOUR_LABELS, HOURLY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
DAYS = {"since": "2026-11-20", "until": "2026-11-21"}


def start(graph: Graph, **params: Any) -> str:
    return graph.create(f"{graph.account()}/insights", **{"time_range": DAY, **params})


def last_poll(graph: Graph, run_id: str) -> dict[str, Any]:
    polls: list[dict[str, Any]] = [graph.get(run_id).json() for _ in range(4)]
    return polls[-1]


def statuses(*names: str) -> list[dict[str, Any]]:
    return [{"field": "ad.effective_status", "operator": "IN", "value": [*names]}]


@pytest.mark.parametrize(
    ("scenario", "code", "subcode"),
    [
        ("run_fails_once", -2, 2490547),
        ("run_fails_unknown", 2, 1504044),
        ("run_fails_busy", 4, 1504022),
        ("run_fails_too_large", -3, 1504045),
        ("run_fails_silently", None, None),
    ],
)
def test_the_first_run_of_a_query_fails(
    open_graph: Callable[..., Graph], scenario: str, code: int | None, subcode: int | None
) -> None:
    graph = open_graph(scenario)

    first, second = (last_poll(graph, start(graph)) for _ in range(2))

    assert first["async_status"] == "Job Failed"
    assert (first.get("error_code"), first.get("error_subcode")) == (code, subcode)
    assert second["async_status"] == "Job Completed"


@pytest.mark.parametrize(
    ("scenario", "seen"),
    [
        ("run_always_fails", ["Job Failed"] * 3),
        ("run_hangs", ["Job Running"] * 3),
        ("run_hangs_once", ["Job Not Started", "Job Completed", "Job Completed"]),
        ("run_hangs_once:43", ["Job Running", "Job Completed", "Job Completed"]),
    ],
)
def test_a_run_goes_wrong_as_often_as_it_says(
    open_graph: Callable[..., Graph], scenario: str, seen: list[str]
) -> None:
    graph = open_graph(scenario)

    assert [last_poll(graph, start(graph))["async_status"] for _ in range(3)] == seen


@pytest.mark.parametrize("percent", [0, 43, 100])
def test_a_run_hangs_at_a_percentage(open_graph: Callable[..., Graph], percent: int) -> None:
    graph = open_graph(f"run_hangs:{percent}")

    found = last_poll(graph, run_id := start(graph))

    assert found["async_percent_completion"] == percent
    assert graph.error(f"{run_id}/insights")["code"] == 2601


@pytest.mark.parametrize(
    ("scenario", "large", "small"),
    [
        ("run_too_long:1", {"time_range": DAYS}, {"time_range": DAY}),
        ("run_too_many_rows:100", {"level": "ad", "breakdowns": [HOURLY]}, {"level": "ad"}),
        ("run_too_many_objects:8", {"level": "ad"}, {"level": "campaign"}),
        (
            "run_too_many_statuses:2",
            {"level": "ad", "filtering": statuses(*EFFECTIVE_STATUSES["ad"])},
            {"level": "ad", "filtering": statuses("ACTIVE", "PAUSED")},
        ),
        ("run_too_many_statuses:2", {"level": "ad"}, {"level": "account"}),
    ],
)
def test_a_run_is_too_large_until_it_is_split(
    open_graph: Callable[..., Graph], scenario: str, large: dict[str, Any], small: dict[str, Any]
) -> None:
    graph = open_graph(scenario)

    failed, done = (last_poll(graph, start(graph, **asked)) for asked in (large, small))

    assert (failed["async_status"], failed["error_code"]) == ("Job Failed", -3)
    assert failed["error_subcode"] == 1504045
    assert done["async_status"] == "Job Completed"


def test_a_field_kills_every_run_that_has_it(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_dies_of_field:clicks")

    dead, alive = (last_poll(graph, start(graph, fields=f)) for f in ("clicks,spend", "spend"))

    assert (dead["error_code"], dead["error_subcode"]) == (2, 1504044)
    assert alive["async_status"] == "Job Completed"


def test_a_run_vanishes_once(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_vanishes")

    first, second = start(graph), start(graph)

    assert graph.poll(first)[1:] == ["error"] * 9
    assert graph.poll(second)[-1] == "Job Completed"


def test_a_run_is_unknown_after_30_days(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    run_id = start(graph)
    graph.poll(run_id)

    graph.clock.now += timedelta(days=30)
    kept = graph.get(f"{run_id}/insights").status_code
    graph.clock.now += timedelta(seconds=1)
    gone = graph.error(f"{run_id}/insights")

    assert kept == 200
    assert (gone["code"], gone["error_subcode"]) == (100, 33)


def test_a_completed_run_can_be_read_after_some_tries(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_unreadable:2")
    graph.poll(run_id := start(graph))

    answers = [graph.get(f"{run_id}/insights") for _ in range(3)]

    assert [a.status_code for a in answers] == [400, 400, 200]
    assert answers[0].json()["error"]["error_subcode"] == 1815107


def test_only_another_run_can_be_read(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_never_readable")
    first, second = start(graph), start(graph)
    for run_id in (first, second):
        graph.poll(run_id)

    codes = [graph.get(f"{run_id}/insights").status_code for run_id in (first, first, second)]

    assert codes == [400, 400, 200]


def test_a_summary_is_refused_that_nobody_asked_for(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("spurious_summary")
    graph.poll(run_id := start(graph))

    message = graph.error(f"{run_id}/insights")["message"]

    assert message.startswith("(#100) Cannot include account_id,")
    assert graph.get(f"{run_id}/insights").status_code == 200


def test_a_creation_answers_with_a_number_or_without_an_id(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("run_id_number")
    path = f"{graph.account()}/insights"

    number = graph.post(path, time_range=DAY).json()["report_run_id"]
    graph.sandbox.use("run_id_missing")
    bodies = [graph.post(path, time_range=days).json() for days in (DAY, DAYS, DAY)]

    assert isinstance(number, int)
    assert graph.get(str(number)).json()["id"] == str(number)
    assert bodies[:2] == [{}, {"report_run_id": None}]
    assert bodies[2]["report_run_id"].isdecimal()


def test_polls_say_nothing_now_and_then(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("odd_polls:2")
    run_id = start(graph)

    bodies = [graph.get(run_id).content for _ in range(8)]

    odd = [body for body in bodies if b"Job Completed" not in body and b"Job Running" not in body]
    assert len(odd) == 4
    assert {odd[0][:1], odd[1][:1]} == {b"<", b"{"}


def test_a_poll_that_is_refused_keeps_its_error(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("odd_polls:1", "fresh_run_unknown")

    assert graph.get(start(graph)).json()["error"]["code"] == 100


def test_pages_are_short_and_no_row_is_lost(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("short_pages")
    path = f"{graph.account()}/ads"

    pages = [len(body["data"]) for body in graph.pages(path, limit=10)]

    graph.sandbox.use()
    assert max(pages) == 5
    assert sum(pages) == len(graph.rows(path))


def test_pages_without_end_are_empty_and_offer_new_cursors(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("endless_pages")
    pages = graph.pages(f"{graph.account()}/ads", limit=5)

    bodies = [next(pages) for _ in range(9)]

    cursors = {body["paging"]["cursors"]["after"] for body in bodies}
    assert [len(body["data"]) for body in bodies] == [5, *[0] * 8]
    assert len(cursors) == 9


def read(graph: Graph, everything: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    graph.poll(run_id := start(graph, **{**everything, **params}))
    return graph.rows(f"{run_id}/insights", limit=50)


def impressions(rows: list[dict[str, Any]]) -> int:
    return sum(int(row["impressions"]) for row in rows)


def test_numbers_arrive_late_and_then_are_the_truth(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("late_numbers")

    first, second = (impressions(read(graph, everything)) for _ in range(2))

    control = graph.rows(f"{graph.account()}/insights", fields="impressions", time_range=DAY)
    assert first < second
    assert second == int(control[0]["impressions"])
    assert second == int(graph.sandbox.truth(graph.account(), DAY["since"])["sums"]["impressions"])


def test_an_empty_hour_has_neither_rows_nor_totals_and_is_over_within_the_day(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("empty_hour:60")

    def looks() -> tuple[int, int]:
        totals = graph.rows(f"{graph.account()}/insights", fields="spend", time_range=DAY)
        return len(read(graph, everything)), len(totals)

    first = looks()
    graph.clock.now += timedelta(minutes=30)
    second = looks()
    graph.clock.now += timedelta(minutes=60)
    third = looks()

    truth = graph.sandbox.truth(graph.account(), DAY["since"])
    assert (first, second, third) == ((0, 0), (0, 0), (truth["count"], 1))


def test_rows_stand_in_another_order_at_each_reading(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("rows_in_other_order")
    graph.poll(run_id := start(graph, **everything))

    first, second = (
        [(row["ad_id"], row.get(HOURLY)) for row in graph.rows(f"{run_id}/insights", limit=50)]
        for _ in range(2)
    )

    assert first != second
    assert sorted(first, key=str) == sorted(second, key=str)
    assert len(set(first)) == len(first)


def test_an_object_that_moves_between_parts_comes_twice(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("rows_twice")
    split = {"ACTIVE": statuses("ACTIVE"), "PAUSED": statuses("PAUSED", "ARCHIVED", "DELETED")}

    active, paused = (
        Counter(row["ad_id"] for row in read(graph, everything, filtering=part))
        for part in split.values()
    )
    whole = read(graph, everything)

    (both,) = active.keys() & paused.keys()
    assert active[both] == paused[both] > 1
    assert len(whole) == graph.sandbox.truth(graph.account(), DAY["since"])["count"]


def test_an_ad_comes_without_its_hours_and_so_in_the_truth(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("hour_key_missing")

    rows = read(graph, everything)

    truth = graph.sandbox.truth(graph.account(), DAY["since"])
    keyless = [row for row in rows if HOURLY not in row]
    assert max(int(row["impressions"]) for row in keyless) > 0
    assert len(rows) == truth["count"]
    assert len(keyless) == sum(row["hour"] is None for row in truth["rows"])


@pytest.mark.parametrize(
    ("day", "by_clock", "elapsed"),
    [
        (date(2026, 3, 29), {*range(24)} - {2}, {*range(23)}),
        (date(2025, 10, 26), {*range(24)}, {*range(24)}),
        (date(2026, 11, 21), {*range(24)}, {*range(24)}),
    ],
)
def test_labels_count_elapsed_hours_when_the_clock_changes(
    open_graph: Callable[..., Graph], day: date, by_clock: set[int], elapsed: set[int]
) -> None:
    graph = open_graph()

    def hours() -> tuple[set[int], str]:
        truth = graph.sandbox.truth(graph.account(), day)
        seen = {row["hour"] for row in truth["rows"]} - {None}
        return seen, truth["sums"]["impressions"]

    usual, same = hours()
    graph.sandbox.use("elapsed_hours")

    assert usual == by_clock
    assert hours() == (elapsed, same)
    assert len(HOUR_LABELS) == 24
