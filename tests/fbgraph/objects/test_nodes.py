"""Nodes: ids that are accepted, paths that are refused, and what is asked of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph import Edge, act_id
from fbgraph.errors import RequestError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fbgraph.conftest import MakeWire

#: What is no name of a node or an edge, and would change where a call goes or what it asks.
INJECTIONS = [
    *("", " ", "/", "/me", "me/", "a//b", ".", "..", "../me", "1/../me", "1/./2", "1/.."),
    *("../../v18.0/me", "%2e%2e/me", "1%2F..%2Fme", "me?fields=id", "me#x", "me;x", "a b"),
    *("https://evil.example/me", "http:me", "//evil.example/me", "\\\\evil.example", "me@evil"),
    *(
        "me\n",
        "me\r\nX-Header: 1",
        "me\x00",
        "\uff4d\uff45",
        "1\u202e2",
        "id={id}",
        "act_1&limit=1",
    ),
]


@pytest.mark.parametrize("account_id", ["123", "act_123", 123])
def test_the_prefix_of_an_account_is_added_or_accepted(account_id: str | int) -> None:
    assert act_id(account_id) == "act_123"


def test_an_id_that_is_a_number_is_taken_as_it_is_written(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"id": "1"}))

    graph.client.node(120233000000000077).get()
    graph.client.account(123).get()

    assert graph.asked == ["GET /v26.0/120233000000000077", "GET /v26.0/act_123"]


@pytest.mark.parametrize(
    "account_id",
    [
        *("", "act_", "act_act_1", "ACT_1", "act1", "me", "1 ", " 1", "1\n", "-1", "1.0", "1e3"),
        *("act_1/campaigns", "1/../me", "1?fields=id", "\u0661\u0662\u0663", "²", "1,2", "0x1f"),
    ],
)
def test_what_is_no_account_id_is_refused(account_id: str) -> None:
    with pytest.raises(RequestError, match="Invalid ad account id"):
        act_id(account_id)


@pytest.mark.parametrize("node_id", INJECTIONS)
def test_a_node_whose_name_is_a_path_elsewhere_is_not_asked(wire: MakeWire, node_id: str) -> None:
    graph = wire(httpx.Response(200, json={}))

    with pytest.raises(RequestError, match="Invalid path"):
        graph.client.node(node_id).get()

    assert graph.requests == []


@pytest.mark.parametrize("name", INJECTIONS)
@pytest.mark.parametrize("asked", [lambda e: next(iter(e)), lambda e: e.count()], ids=["rows", "n"])
def test_an_edge_whose_name_is_a_path_elsewhere_is_not_asked(
    wire: MakeWire, name: str, asked: Callable[[Edge], Any]
) -> None:
    graph = wire(httpx.Response(200, json={"data": []}))

    with pytest.raises(RequestError, match="Invalid path"):
        asked(graph.client.account("1").edge(name))

    assert graph.requests == []


@pytest.mark.parametrize("node_id", INJECTIONS)
def test_no_report_is_created_or_polled_elsewhere(wire: MakeWire, node_id: str) -> None:
    graph = wire(httpx.Response(200, json={"report_run_id": "1"}))

    with pytest.raises(RequestError, match="Invalid path"):
        graph.client.node(node_id).create_report()
    with pytest.raises(RequestError, match="Invalid path"):
        graph.client.poll(node_id)

    assert graph.requests == []


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("me", "/v26.0/me"),
        ("act_1/campaigns", "/v26.0/act_1/campaigns"),
        ("123_456", "/v26.0/123_456"),
        ("oauth/access_token", "/v26.0/oauth/access_token"),
        ("a.page-name", "/v26.0/a.page-name"),
    ],
)
def test_a_path_of_names_is_asked_under_the_version(wire: MakeWire, path: str, url: str) -> None:
    graph = wire(httpx.Response(200, json={}))

    graph.client.get(path)

    assert graph.asked == [f"GET {url}"]


def test_a_node_is_asked_for_its_fields(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"id": "act_1", "name": "Größe"}))

    row = graph.client.account("1").get(["id", "name"])

    assert (row, graph.params) == ({"id": "act_1", "name": "Größe"}, [{"fields": "id,name"}])


def test_a_node_without_fields_is_asked_for_the_default_ones(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"id": "1"}))

    graph.client.node("1").get()

    assert graph.params == [{}]


def test_a_node_that_comes_as_a_list_is_no_row(wire: MakeWire) -> None:
    with pytest.raises(RetryableError):
        wire(httpx.Response(200, json=[])).client.node("1").get()
