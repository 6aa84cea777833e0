"""Writes in a batch: sent again only where it is certain that they did not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import Request
from fbgraph.errors import RetryableError, UncertainWriteError
from tests.fbgraph.http.batches import asked, echo, failed, gets, items, kinds, refused

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

#: What leaves it open whether the writes of a batch happened.
LOST = {
    "null": items(None),
    "no items": items(),
    "read timeout": httpx.ReadTimeout("too slow"),
    "hung up": httpx.RemoteProtocolError("Server disconnected"),
    "502": httpx.Response(502, html="<html>"),
    "empty": httpx.Response(500),
    "code 2": refused(2, 503),
    "code 1 of the item": items(failed(1)),
    "code 2 of the item": items(failed(2)),
    "960": items(failed(960)),
    "html in the item": items({"code": 502, "body": "<html>"}),
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_whose_answer_is_lost_is_uncertain_and_never_sent_twice(
    wire: MakeWire, method: str, name: str
) -> None:
    graph = wire(LOST[name])

    (found,) = graph.client.batch([Request(method, "7", {"name": "x"} if method == "POST" else {})])

    assert (type(found), "check before" in str(found), len(graph.requests)) == (
        *(UncertainWriteError, True, 1),
    )
    assert (found.detail.method, found.detail.path) == (method, "7")


def test_of_a_call_that_was_lost_only_what_reads_is_sent_again(wire: MakeWire) -> None:
    graph = wire(httpx.ReadTimeout("too slow"), echo)
    report = Request("POST", "act_1/insights", repeatable=True)

    found = graph.client.batch([*gets("1"), Request("POST", "2"), report])

    assert (kinds(found), asked(graph)) == (
        [{"path": "/v26.0/1"}, UncertainWriteError, {"path": "/v26.0/act_1/insights"}],
        [["1", "2", "insights"], ["1", "insights"]],
    )


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("too slow"),
        httpx.PoolTimeout("all taken"),
        httpx.ProxyError("403 Forbidden"),
    ],
    ids=repr,
)
def test_a_call_that_never_left_is_made_again_for_writes_too(
    wire: MakeWire, fault: Exception
) -> None:
    graph = wire(fault, echo)

    found = graph.client.batch([Request("POST", "1"), Request("DELETE", "2")])

    assert (found, graph.waits) == ([{"path": "/v26.0/1"}, {"path": "/v26.0/2"}], [1.0])


@pytest.mark.parametrize("refusal", [items(failed(17)), refused(4)])
def test_a_write_that_was_throttled_is_made_again(wire: MakeWire, refusal: httpx.Response) -> None:
    graph = wire(refusal, echo)

    found = graph.client.batch([Request("POST", "1")])

    assert (found, graph.waits) == ([{"path": "/v26.0/1"}], [60.0])


def test_a_write_made_once_whose_answer_is_lost_is_uncertain(wire: MakeWire) -> None:
    graph = wire(httpx.ReadTimeout("too slow"))

    found = graph.client.batch_once([*gets("1"), Request("POST", "2")])

    assert (kinds(found), len(graph.requests)) == ([RetryableError, UncertainWriteError], 1)
