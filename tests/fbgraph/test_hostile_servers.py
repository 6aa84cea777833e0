"""What a client does about gateways and bodies that Meta's own API would not send: real sockets."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph import GraphClient, Request
from fbgraph.errors import BlockedError, ThrottledError, TooMuchDataError
from fbgraph.http.connection import MAX_BODY_BYTES
from fbgraph.limits.retry import LIMIT, REQUEST
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
        Sandbox(scenarios=["inflated:1"]) as sandbox,
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
