from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph import Request
from fbgraph.errors import (
    GraphError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    TokenError,
    UncertainWriteError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fbgraph import GraphClient
    from tests.fbgraph.conftest import MakeWire

CREATED = httpx.Response(200, json={"id": "120210000000000001"})
DONE = httpx.Response(200, json={"success": True})

#: Every way to write.
WRITES: dict[str, Callable[[GraphClient], object]] = {
    "create": lambda client: client.account("1").create("campaigns", name="x"),
    "upload": lambda client: client.account("1").create("adimages", files={"a": b"1"}),
    "validate": lambda client: client.node("7").update(validate_only=True, name="x"),
    "update": lambda client: client.node("7").update(name="x"),
    "delete": lambda client: client.node("7").delete(),
    "post": lambda client: client.post("act_1/campaigns", {"name": "x"}),
    "call": lambda client: client.call(Request("DELETE", "7")),
}


def refused(code: int, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "No", "code": code}})


#: What leaves it open whether a write happened.
LOST = {
    "read timeout": httpx.ReadTimeout("too slow"),
    "write timeout": httpx.WriteTimeout("too slow"),
    "reset": httpx.ReadError("reset by peer"),
    "hung up": httpx.RemoteProtocolError("Server disconnected"),
    "502": httpx.Response(502, html="<html>Bad Gateway"),
    "empty": httpx.Response(500),
    "service unavailable": httpx.Response(200, text="Service Unavailable"),
    "cut short": httpx.Response(200, text='{"id":"1202'),
    "a list": httpx.Response(200, json="text"),
    "code 1": refused(1, 500),
    "code 2": refused(2, 503),
    "code 1705": refused(1705),
}


def test_an_object_is_created_on_an_edge(wire: MakeWire) -> None:
    graph = wire(CREATED)

    made = graph.client.account("1").create(
        "campaigns",
        name="Größe 東京 😀 & 50% + a=b",
        objective="OUTCOME_TRAFFIC",
        status="PAUSED",
        special_ad_categories=[],
        is_adset_budget_sharing_enabled=False,
        daily_budget=5000,
        bid_strategy=None,
        promoted_object={"page_id": "1", "offer_id": None, "events": [{"at": None, "n": "Ü"}]},
    )

    (heard,) = graph.heard
    assert (made, graph.asked) == ({"id": "120210000000000001"}, ["POST /v26.0/act_1/campaigns"])
    assert heard.params == {
        "name": "Größe 東京 😀 & 50% + a=b",
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "special_ad_categories": "[]",
        "is_adset_budget_sharing_enabled": "false",
        "daily_budget": "5000",
        "promoted_object": '{"page_id":"1","events":[{"n":"Ü"}]}',
    }


def test_the_parameters_of_a_write_are_in_its_body_and_not_in_its_address(wire: MakeWire) -> None:
    graph = wire(DONE)

    graph.client.node("7").update(name="secret plans")

    assert graph.requests[0].url.query == b""


def test_the_id_of_what_was_created_is_text(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"id": 120210000000000001}))

    assert graph.client.account("1").create("ads", name="x") == {"id": "120210000000000001"}


def test_an_object_is_changed_and_what_is_none_is_left_as_it_is(wire: MakeWire) -> None:
    graph = wire(DONE)

    answer = graph.client.node("7").update(name="Neu", status=None, targeting={"age_min": 18})

    assert (answer, graph.asked, graph.heard[0].params) == (
        {"success": True},
        ["POST /v26.0/7"],
        {"name": "Neu", "targeting": '{"age_min":18}'},
    )


def test_an_object_is_deleted(wire: MakeWire) -> None:
    graph = wire(DONE)

    answer = graph.client.node("7").delete()

    assert (answer, graph.asked) == ({"success": True}, ["DELETE /v26.0/7"])


def test_validating_writes_nothing(wire: MakeWire) -> None:
    graph = wire(DONE)

    graph.client.account("1").create("campaigns", name="x", validate_only=True)
    graph.client.node("7").update(name="x", validate_only=True)

    assert [heard.params for heard in graph.heard] == [
        {"name": "x", "execution_options": '["validate_only"]'}
    ] * 2


def test_validating_keeps_the_other_options(wire: MakeWire) -> None:
    graph = wire(DONE)

    graph.client.node("7").update(validate_only=True, execution_options=["synchronous_ad_review"])

    options = json.loads(graph.heard[0].params["execution_options"])
    assert options == ["synchronous_ad_review", "validate_only"]


@pytest.mark.parametrize("name", ["create", "upload", "update", "delete"])
def test_a_write_that_meta_says_it_did_not_do_is_an_error(wire: MakeWire, name: str) -> None:
    graph = wire(httpx.Response(200, json={"success": False}))

    with pytest.raises(GraphError, match=r"returned success=false.*(act_1|7)") as caught:
        WRITES[name](graph.client)

    assert (type(caught.value), len(graph.requests)) == (GraphError, 1)


def test_files_are_sent_under_their_names(wire: MakeWire, tmp_path: Path) -> None:
    path = tmp_path / "größe b.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    images = {"images": {"größe b.png": {"hash": "0123", "url": "https://…"}}}
    graph = wire(httpx.Response(200, json=images))

    answer = graph.client.account("1").create("adimages", files=[path])

    (heard,) = graph.heard
    assert (answer, heard.params, heard.files) == (
        images,
        {},
        {"größe b.png": b"\x89PNG\r\n\x1a\n\x00\xff"},
    )


def test_files_of_every_kind_go_beside_parameters(wire: MakeWire, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"a")
    graph = wire(DONE)

    with path.open("rb") as opened:
        graph.client.account("1").create(
            "adimages",
            name="Größe\r\nLF\nCR",
            options={"a": None, "b": [1]},
            files={"a.png": path, "b.png": b"", "c.png": opened, "d.png": io.BytesIO(b"--d\r\n")},
        )

    (heard,) = graph.heard
    assert (heard.params, heard.files) == (
        {"name": "Größe\r\nLF\nCR", "options": '{"b":[1]}'},
        {"a.png": b"a", "b.png": b"", "c.png": b"a", "d.png": b"--d\r\n"},
    )


def test_a_file_that_is_sent_again_is_sent_whole(wire: MakeWire) -> None:
    graph = wire(httpx.ConnectError("refused"), refused(17), DONE)

    graph.client.account("1").create("adimages", files={"a.png": io.BytesIO(b"abc")})

    assert [heard.files for heard in graph.heard] == [{"a.png": b"abc"}] * 3


def test_a_file_open_as_text_is_refused_before_anything_is_sent(wire: MakeWire) -> None:
    graph = wire(DONE)
    text: Any = io.StringIO("abc")

    with pytest.raises(RequestError, match="binary mode"):
        graph.client.account("1").create("adimages", files={"a.png": text})

    assert graph.requests == []


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_is_lost_is_uncertain_after_one_request(
    wire: MakeWire, name: str, lost: str
) -> None:
    graph = wire(LOST[lost])

    with pytest.raises(UncertainWriteError, match=r"check before retrying") as caught:
        WRITES[name](graph.client)

    detail, (heard,) = caught.value.detail, graph.heard
    assert f"{detail.method} /v26.0/{detail.path}" == f"{heard.method} {heard.path}"
    assert graph.waits == []


@pytest.mark.parametrize(
    "fault",
    [
        *(httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("all")),
        httpx.ProxyError("407 Proxy Authentication Required"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_never_left_is_sent_again(wire: MakeWire, name: str, fault: Exception) -> None:
    graph = wire(fault, DONE)

    answer = WRITES[name](graph.client)

    assert (answer, graph.waits) == ({"success": True}, [1.0])


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_never_leaves_says_so_and_is_not_uncertain(wire: MakeWire, name: str) -> None:
    graph = wire(httpx.ConnectError("refused"))

    with pytest.raises(RetryableError, match="ConnectError") as caught:
        WRITES[name](graph.client)

    assert type(caught.value) is RetryableError


@pytest.mark.parametrize("code", [4, 17, 613, 80004])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_was_throttled_is_sent_again(wire: MakeWire, name: str, code: int) -> None:
    graph = wire(refused(code), DONE)

    answer = WRITES[name](graph.client)

    assert (answer, graph.waits) == ({"success": True}, [60.0])


@pytest.mark.parametrize(
    ("code", "kind"), [(100, RequestError), (190, TokenError), (200, PermissionDeniedError)]
)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_was_refused_is_refused_and_not_uncertain(
    wire: MakeWire, name: str, code: int, kind: type[GraphError]
) -> None:
    graph = wire(refused(code))

    with pytest.raises(kind):
        WRITES[name](graph.client)

    assert len(graph.requests) == 1


@pytest.mark.parametrize("lost", LOST)
def test_the_creation_of_a_report_may_be_repeated(wire: MakeWire, lost: str) -> None:
    graph = wire(LOST[lost], httpx.Response(200, json={"report_run_id": "7"}))

    report_run_id = graph.client.account("1").create_report(level="ad")

    assert (report_run_id, len(graph.requests)) == ("7", 2)
