"""Edges: read to their end, page by page, made smaller where Meta demands it, and counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import Edge, GraphClient, Node, Request
from fbgraph.errors import CursorStuckError, GraphError, TooMuchDataError, TotalCountError
from fbgraph.http.paging import PageSize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fbgraph.conftest import MakeWire

REDUCE = {
    "error": {
        "message": "Please reduce the amount of data you're asking for, then retry your request",
        "code": 1,
    }
}


def edge_of(
    rows: Sequence[Any], refused: Callable[[int], bool] = lambda _: False
) -> Callable[[httpx.Request], httpx.Response]:
    """An edge over `rows` whose cursors are offsets, and that refuses some sizes of page."""

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        limit, start = int(params["limit"]), int(params.get("after", -1)) + 1
        if refused(limit):
            return httpx.Response(500, json=REDUCE)
        part = rows[start : start + limit]
        last = start + len(part) - 1
        paging = {"cursors": {"before": str(start), "after": str(last)}}
        if last + 1 < len(rows):
            paging = {**paging, "next": "https://graph.facebook.com/x"}  # type: ignore[dict-item]  # as Meta nests it
        return httpx.Response(200, json={"data": part, "paging": paging})

    return answer


def test_an_edge_is_asked_with_strict_json_and_a_limit(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"data": []}))
    edge = graph.client.account("1").edge(
        "campaigns",
        fields=["id", "name"],
        filtering=[{"field": "id", "operator": "IN", "value": ["1"]}],
        effective_status=["ACTIVE"],
        total_count=True,
    )

    list(edge)

    assert graph.params == [
        {
            "fields": "id,name",
            "filtering": '[{"field":"id","operator":"IN","value":["1"]}]',
            "effective_status": '["ACTIVE"]',
            "limit": "500",
            "summary": "total_count",
        }
    ]


def test_an_edge_is_read_through_the_client_to_its_end(wire: MakeWire) -> None:
    rows = [{"id": str(n)} for n in range(7)]
    graph = wire(edge_of(rows))

    read = list(graph.client.account("1").edge("campaigns", limit=3))

    assert (read, [p.get("after") for p in graph.params]) == (rows, [None, "2", "5"])


def test_the_next_link_is_never_requested(wire: MakeWire) -> None:
    rows = [{"id": str(n)} for n in range(7)]
    graph = wire(edge_of(rows))

    list(graph.client.account("1").edge("campaigns", limit=3))

    assert set(graph.asked) == {"GET /v26.0/act_1/campaigns"}


def test_an_edge_reads_no_page_before_it_is_asked(wire: MakeWire) -> None:
    graph = wire(edge_of([{"id": str(n)} for n in range(7)]))

    pages = graph.client.account("1").edge("campaigns", limit=3).pages()
    calls = [len(graph.requests)]
    next(pages)
    calls.append(len(graph.requests))

    assert calls == [0, 1]


def test_an_edge_is_read_no_further_than_max_pages(wire: MakeWire) -> None:
    graph = wire(edge_of([{"id": str(n)} for n in range(7)]))

    pages = list(graph.client.account("1").edge("campaigns", limit=3).pages(max_pages=2))

    assert (len(pages), len(graph.requests)) == (2, 2)


def test_each_reading_of_an_edge_starts_at_its_first_page(wire: MakeWire) -> None:
    edge = (
        wire(edge_of([{"id": str(n)} for n in range(5)])).client.account("1").edge("ads", limit=2)
    )

    assert list(edge) == list(edge)


def test_an_edge_that_repeats_its_cursor_is_an_error(wire: MakeWire) -> None:
    paging = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    graph = wire(httpx.Response(200, json={"data": [{"id": "1"}], "paging": paging}))

    with pytest.raises(CursorStuckError):
        list(graph.client.account("1").edge("campaigns"))

    assert len(graph.requests) == 2


@given(rows=st.integers(0, 60), limit=st.integers(1, 40), works=st.integers(1, 40))
def test_a_page_too_big_is_halved_and_no_row_is_lost(rows: int, limit: int, works: int) -> None:
    everything = [{"id": str(n)} for n in range(rows)]
    sizes: list[int] = []

    def refused(size: int) -> bool:
        sizes.append(size)
        return size > works

    transport = httpx.MockTransport(edge_of(everything, refused))
    with GraphClient("EAAinvented0123456789", transport=transport) as client:
        read = list(client.account("1").edge("campaigns", limit=limit))

    refusals = [size for size in sizes if size > works]
    assert read == everything
    assert len(refusals) <= 6 + len(sizes) / PageSize.PATIENCE  # to halve, and to grow back


def test_a_page_that_becomes_too_big_in_the_middle_is_asked_again_from_its_cursor(
    wire: MakeWire,
) -> None:
    rows = [{"id": str(n)} for n in range(10)]
    sizes: list[int] = []

    def refused(size: int) -> bool:
        sizes.append(size)
        return len(sizes) == 2

    graph = wire(edge_of(rows, refused))

    read = list(graph.client.account("1").edge("campaigns", limit=4))

    assert (read, sizes) == (rows, [4, 4, 2, 2, 2])


def test_the_other_way_to_ask_starts_with_the_full_size_again(wire: MakeWire) -> None:
    sizes: list[int] = []

    def refused(size: int) -> bool:
        sizes.append(size)
        return len(sizes) == 1

    edge = wire(edge_of([{"id": "1"}], refused)).client.account("1").edge("campaigns", limit=4)

    list(edge)
    list(edge)

    assert sizes == [4, 2, 4]


def test_one_row_that_is_too_much_is_an_error_that_says_which(wire: MakeWire) -> None:
    graph = wire(httpx.Response(500, json=REDUCE))

    with pytest.raises(TooMuchDataError, match=r"row 1 of the listing, requested alone"):
        list(graph.client.account("1").edge("campaigns", limit=10))

    assert ([p["limit"] for p in graph.params], graph.waits) == (["10", "5", "2", "1"], [])


@pytest.mark.parametrize("params", [{}, {"limit": None}])
def test_an_edge_without_a_limit_is_made_smaller_too(wire: MakeWire, params: Any) -> None:
    rows = httpx.Response(200, json={"data": [{"id": "1"}]})
    graph = wire(httpx.Response(500, json=REDUCE), rows)

    list(Edge(graph.client, Request("GET", "act_1/campaigns", params)))

    assert [p.get("limit") for p in graph.params] == ["500", "250"]


def test_the_total_count_comes_with_each_page(wire: MakeWire) -> None:
    body = {"data": [{"id": "1"}], "summary": {"total_count": 5}}
    graph = wire(httpx.Response(200, json=body))

    pages = list(graph.client.account("1").edge("campaigns", total_count=True).pages())

    assert [page.total_count for page in pages] == [5]


def test_counting_asks_for_one_row(wire: MakeWire) -> None:
    body = {"data": [{"id": "1"}], "summary": {"total_count": 5012}}
    graph = wire(httpx.Response(200, json=body))

    count = graph.client.account("1").edge("campaigns", effective_status=["ARCHIVED"]).count()

    assert (count, graph.params) == (
        5012,
        [{"effective_status": '["ARCHIVED"]', "limit": "1", "summary": "total_count"}],
    )


def test_an_edge_of_no_rows_counts_none(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"data": [], "summary": {"total_count": 0}}))

    assert graph.client.account("1").edge("campaigns").count() == 0


def test_an_edge_that_ignores_the_question_is_an_error_that_explains(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"data": [{"id": "1"}]}))

    with pytest.raises(TotalCountError, match="never return it"):
        graph.client.account("1").edge("minimum_budgets").count()


@pytest.mark.parametrize(
    "asked",
    [
        lambda node: node.edge("insights", total_count=True),
        lambda node: node.insights(total_count=True),
        lambda node: node.insights().count(),
        lambda node: node.edge("insights").count(),
        lambda node: node.edge("adlabels").count(),
        lambda node: node.edge("adlabels", total_count=True),
    ],
    ids=["edge", "insights", "insights.count", "edge.count", "adlabels.count", "adlabels"],
)
def test_an_edge_known_to_have_no_count_is_not_even_asked(
    wire: MakeWire, asked: Callable[[Node], object]
) -> None:
    graph = wire(httpx.Response(200, json={"data": []}))

    with pytest.raises(TotalCountError, match=r"(insights|adlabels) has no total_count: .+"):
        asked(graph.client.account("1"))

    assert graph.requests == []


def test_the_summary_of_insights_is_metrics_and_never_a_count(wire: MakeWire) -> None:
    metrics = {"impressions": "48210", "spend": "391.07"}
    graph = wire(httpx.Response(200, json={"data": [{"spend": "1"}], "summary": metrics}))

    (page,) = graph.client.account("1").insights(summary=["impressions", "spend"]).pages()

    assert (page.summary, graph.params[0]["summary"]) == (metrics, '["impressions","spend"]')
    with pytest.raises(TotalCountError):
        _ = page.total_count


def test_a_page_keeps_the_bytes_it_came_in(wire: MakeWire) -> None:
    body = json.dumps({"data": [{"spend": "1.10"}]}, indent=1).encode()
    graph = wire(httpx.Response(200, content=body))

    (page,) = graph.client.account("1").insights().pages()

    assert page.body == body


def test_an_expired_cursor_ends_the_reading_and_repeats_nothing(wire: MakeWire) -> None:
    paging = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    first = httpx.Response(200, json={"data": [{"id": "1"}], "paging": paging})
    expired = {"error": {"message": "(#2642) Invalid cursors values", "code": 2642}}
    graph = wire(first, httpx.Response(400, json=expired))
    read: list[Any] = []

    with pytest.raises(GraphError, match="Run the same command again"):
        read.extend(graph.client.account("1").edge("campaigns"))

    assert len(graph.requests) == 2
