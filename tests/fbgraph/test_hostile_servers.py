"""What a client does about gateways and bodies that Meta's own API would not send: real sockets."""

from __future__ import annotations

import gzip
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph import GraphClient, Request
from fbgraph.errors import BlockedError, RetryableError, ThrottledError, TooMuchDataError
from fbgraph.http.connection import MAX_BODY_BYTES
from fbgraph.limits.retry import LIMIT, REQUEST
from fbgraph.objects.report_run import ReportRun
from fbgraph.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fbgraph.conftest import MakeWire

OK = httpx.Response(200, json={"id": "1"})
HTML = "<html>Too many requests</html>"


def gateway(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, html=HTML, headers=headers)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (gateway(429, retry_after="120"), 120.0),
        (gateway(503, retry_after="120"), 120.0),
        (gateway(429), LIMIT.first_seconds),
        (gateway(503), REQUEST.first_seconds),
        (gateway(429, retry_after="86400"), 3600.0),
        (httpx.Response(429), LIMIT.first_seconds),
        (httpx.Response(429, json={"detail": "slow down"}, headers={"Retry-After": "9"}), 9.0),
    ],
)
def test_a_gateway_is_obeyed_up_to_an_hour(
    wire: MakeWire, answer: httpx.Response, wait: float
) -> None:
    answer.headers = httpx.Headers({k.replace("_", "-"): v for k, v in answer.headers.items()})
    graph = wire(answer, OK)

    found: object = graph.client.get("act_1")

    assert (found, graph.waits) == ({"id": "1"}, [wait])


def test_a_gateway_that_says_when_holds_up_every_account(wire: MakeWire) -> None:
    answer = gateway(503)
    answer.headers["retry-after"] = "300"
    graph = wire(answer)

    (found,) = graph.client.batch_once([Request("GET", "act_1/ads")])

    assert isinstance(found, ThrottledError)
    assert graph.client.cooldown_of(Request("GET", "act_2/campaigns")) == 300.0


def test_the_words_of_meta_say_more_than_a_status(wire: MakeWire) -> None:
    error = {"error": {"message": "(#100) Invalid parameter", "code": 100}}
    graph = wire(httpx.Response(429, json=error, headers={"Retry-After": "9"}))

    with pytest.raises(Exception, match="Invalid parameter"):
        graph.client.get("1")

    assert graph.waits == []


# -- bodies ------------------------------------------------------------------------------------


@contextmanager
def server(send: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that answers every GET with what `send` writes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                send(self)
            except OSError:  # the client has had enough
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_address[1]}"
        listener.shutdown()


def inflate(handler: BaseHTTPRequestHandler) -> None:
    body = gzip.compress(b'{"data":[' + b" " * (2 * MAX_BODY_BYTES) + b"]}", compresslevel=1)
    handler.send_response(200)
    handler.send_header("content-encoding", "gzip")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_body_that_inflates_has_a_bound_and_the_error_names_account_and_edge() -> None:
    with (
        server(inflate) as url,
        GraphClient("token", base_url=url) as client,
        pytest.raises(TooMuchDataError) as caught,
    ):
        client.call(Request("GET", "7/insights", account_id="1"))

    assert str(caught.value) == (
        "The response about act_1 has more than 67,108,864 bytes. [GET 7/insights]"
        " Request fewer rows."
    )


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "rot13"])
def test_a_body_that_is_packed_in_another_way_is_not_unpacked(
    wire: MakeWire, encoding: str
) -> None:
    packed = httpx.Response(
        200, headers={"content-encoding": encoding}, content=iter([gzip.compress(b"{}")])
    )
    graph = wire(packed, OK)

    found: object = graph.client.get("1")

    assert (found, graph.waits) == ({"id": "1"}, [1.0])


def test_a_page_that_inflates_is_asked_for_with_fewer_rows() -> None:
    with (
        Sandbox(world="hostile", scenarios=["inflated:1"]) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url) as client,
    ):
        ads = client.account(sandbox.account_ids[0]).edge("ads", fields=["id"])
        found, count = [row["id"] for row in ads], ads.count()

    assert len(found) == len(set(found)) == count


def test_an_app_that_is_blocked_stops_everything_at_once(wire: MakeWire) -> None:
    error = {"message": "API access blocked.", "type": "OAuthException", "code": 200}
    graph = wire(httpx.Response(400, json={"error": error}))

    with pytest.raises(BlockedError, match="Check the app dashboard"):
        graph.client.get("act_1/campaigns")

    assert len(graph.requests) == 1


# -- what a broken gateway sends ------------------------------------------------------------------


def twice(handler: BaseHTTPRequestHandler) -> None:
    """The response, and right behind it one that nobody asked for."""
    body = json.dumps({"id": handler.path.rpartition("/")[2]}).encode()
    stray = b'{"data":[]}'
    handler.wfile.write(b"".join(map(whole, (body, stray))))


def later(handler: BaseHTTPRequestHandler) -> None:
    """The same, but the second one comes after a moment."""
    handler.wfile.write(whole(json.dumps({"id": handler.path.rpartition("/")[2]}).encode()))
    time.sleep(0.05)
    handler.wfile.write(whole(b'{"data":[]}'))


def whole(body: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("send", [twice, later])
def test_a_response_that_nobody_asked_for_is_never_taken_for_the_next_one(
    send: Callable[[BaseHTTPRequestHandler], None],
) -> None:
    """It would prove an account-day by rows and totals that are both empty."""
    waits: list[float] = []
    found: list[object] = []
    with server(send) as url, GraphClient("token", base_url=url, sleep=waits.append) as client:
        for n in range(1, 8):
            found.append(client.get(str(n)))
            time.sleep(0.2 if n == 1 else 0)

    assert found == [{"id": str(n)} for n in range(1, 8)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_before_json_is_removed(wire: MakeWire, encoding: str) -> None:
    text = '{"data":[{"id":"1","name":"Köln"}],"paging":{"cursors":{"after":"x"}}}'
    graph = wire(httpx.Response(200, content=text.encode(encoding)))

    (page,) = graph.client.account("1").edge("ads", fields=["name"]).pages()

    assert (page.body, page.data) == (text.encode(), [{"id": "1", "name": "Köln"}])


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_is_tried_again(wire: MakeWire, status: int) -> None:
    graph = wire(httpx.Response(status), OK)

    found: object = graph.client.get("1")

    assert (found, graph.waits) == ({"id": "1"}, [1.0])


@pytest.mark.parametrize("depth", [450, 900, 9_000])
def test_json_that_is_nested_deeper_than_python_can_follow_is_cut_off_there(
    wire: MakeWire, caplog: pytest.LogCaptureFixture, depth: int
) -> None:
    graph = wire(httpx.Response(200, content=b'{"id":"1","a":%s}' % nested(depth)))

    found: dict[str, object] = graph.client.get("1")

    assert (found["id"], graph.waits) == ("1", [])
    assert "nests more than 100 deep" in caplog.text


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_body_packed_in_several_members_is_read_to_its_end() -> None:
    text = json.dumps({"id": "1", "name": "x" * 100_000}).encode()
    packed = b"".join(gzip.compress(text[at : at + 30_000]) for at in range(0, len(text), 30_000))

    def send(handler: BaseHTTPRequestHandler) -> None:
        body = packed + bytes(16) if handler.path.endswith("filled") else packed
        handler.send_response(200)
        handler.send_header("content-encoding", "gzip")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with server(send) as url, GraphClient("token", base_url=url) as client:
        found = [client.get("1"), client.get("filled")]

    assert found == [json.loads(text)] * 2


def test_what_a_login_page_sends_as_json_is_named_with_what_to_check(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"status": "login_required", "url": "http://portal"}))

    with pytest.raises(RetryableError) as caught:
        list(graph.client.node("me").edge("adaccounts", fields=["name"]))

    assert str(caught.value) == (
        "The response is not a page of an edge: it has no list `data` (keys: 'status', 'url')."
        " [GET me/adaccounts] If it persists, check https://metastatus.com. Check FB_GRAPH_URL and"
        " any proxy between you and Meta."
    )


def test_cookies_are_not_kept_and_so_cannot_fill_the_next_request(wire: MakeWire) -> None:
    said = [("set-cookie", f"c{n}={'v' * 3000}; Path=/") for n in range(50)]
    graph = wire(httpx.Response(200, json={"id": "1"}, headers=said))

    for _ in range(3):
        graph.client.get("1")

    assert [request.headers.get("cookie") for request in graph.requests] == [None] * 3


def test_a_poll_that_is_about_another_run_says_nothing_about_this_one() -> None:
    done = {"id": "8", "async_status": "Job Completed", "async_percent_completion": 100}

    with pytest.raises(RetryableError, match="report run 7 is about another one, '8'"):
        ReportRun.from_body(done, "7")
    assert ReportRun.from_body({**done, "id": 7}, "7").percent == 100
