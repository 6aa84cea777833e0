"""Responses that do not end: each exchange has one deadline, over real sockets."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fbgraph import GraphClient, Request
from fbgraph.errors import RequestError, RetryableError, UncertainWriteError
from fbgraph.http.connection import RESPONSE_SECONDS
from fbgraph.http.sockets import Exchange
from fbgraph.limits.retry import REQUEST
from tests.pace import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

CERTIFICATES = Path(__file__).parents[1] / "certificates"

#: The deadline of these tests, and how much later its end may be seen.
SECONDS = 0.3
LATE_SECONDS = 2.0

CHECK = "Check the network, FB_GRAPH_URL and any proxy between you and Meta."

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

#: What a server sends, a piece every few milliseconds, and for ever.
ENDLESS: Mapping[str, Callable[[], Iterable[bytes]]] = {
    "headers, a byte at a time": lambda: itertools.chain(
        (bytes([one]) for one in HEAD), itertools.cycle([b"X-Slow: 1\r\n"])
    ),
    "the status line, a byte at a time": lambda: itertools.chain(
        [b"HTTP/1.1 200 "], itertools.repeat(b"O")
    ),
    "100 Continue": lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": lambda: itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "a body of known length": lambda: itertools.chain(
        [HEAD, b"Content-Length: 1000000\r\n\r\n"], itertools.repeat(b" ")
    ),
    "chunks": lambda: itertools.chain(
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(b"1\r\n \r\n")
    ),
    "a body until the connection closes": lambda: itertools.chain(
        [HEAD, b"\r\n"], itertools.repeat(b" ")
    ),
    "nothing after the headers": lambda: [HEAD, b"Content-Length: 5\r\n\r\n"],
    "nothing at all": list[bytes],
}


@contextmanager
def endless(
    pieces: Iterable[bytes], tls: ssl.SSLContext | None = None, *, reads: bool = True
) -> Iterator[str]:
    """A server that answers its first connection with these, slowly, and never closes it."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with tls.wrap_socket(plain, server_side=True) if tls else plain as connected:
            if reads:
                connected.recv(65_536)
            try:
                for piece in pieces:
                    connected.sendall(piece)
                    if over.wait(0.002):
                        break
            except OSError:  # the client has had enough
                pass
            over.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join(5)


class _EnoughError(Exception):
    """The client was about to try again."""


def enough(_: float) -> None:
    raise _EnoughError


def client_at(url: str, seconds: float = SECONDS) -> GraphClient:
    certificates = CERTIFICATES / "loopback.pem"
    return GraphClient(
        "EAAinvented", base_url=url, response_seconds=seconds, ca_file=certificates, sleep=enough
    )


def met(client: GraphClient, request: Request) -> RetryableError:
    """What the first attempt of a request ends with."""
    (found,) = client.batch_once([request])
    assert isinstance(found, RetryableError)
    return found


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("is_secret", [False, True])
def test_a_response_that_does_not_end_is_given_up_at_its_deadline(
    kind: str, *, is_secret: bool
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if is_secret else None
    if tls:
        tls.load_cert_chain(CERTIFICATES / "loopback.pem", CERTIFICATES / "loopback.key")
    with endless(ENDLESS[kind](), tls) as url, client_at(url) as client:
        began = time.monotonic()
        said = str(met(client, Request("GET", "act_1/campaigns")))
        seconds = time.monotonic() - began

    assert f"from {url} was not complete after 0 s" in said
    assert said.endswith(f"[GET act_1/campaigns] {CHECK}")
    assert SECONDS <= seconds <= SECONDS + within(LATE_SECONDS)
    assert RESPONSE_SECONDS == 120.0


def test_the_error_names_the_account_and_the_request_and_it_is_tried_again() -> None:
    waits: list[float] = []
    with (
        endless(ENDLESS["headers, a byte at a time"]()) as url,
        GraphClient(
            "EAAinvented",
            base_url=url,
            response_seconds=SECONDS,
            sleep=waits.append,
            jitter=lambda: 0.0,
        ) as client,
        pytest.raises(RetryableError) as caught,
    ):
        client.call(Request("GET", "7/insights", account_id="1"))

    assert str(caught.value) == (
        f"The response about act_1 from {url} was not complete after 0 s. [GET 7/insights] {CHECK}"
    )
    assert len(waits) == REQUEST.attempts - 1


def test_a_write_whose_response_does_not_end_is_uncertain() -> None:
    with (
        endless(ENDLESS["chunks"]()) as url,
        client_at(url) as client,
        pytest.raises(UncertainWriteError, match="may have succeeded"),
    ):
        client.post("7", {"name": "x"})


def test_a_server_that_does_not_read_is_given_up_at_the_deadline() -> None:
    file = {"a.bin": b"x" * 20_000}  # 0.3 s are allowed for it; what follows fills every buffer
    big = {"filler": "y" * 20_000_000}
    with endless([], reads=False) as url, client_at(url) as client:
        began = time.monotonic()
        with pytest.raises((RetryableError, UncertainWriteError)):
            client.call(Request("POST", "act_1/adimages", big, file))
        seconds = time.monotonic() - began

    assert seconds <= 2 * SECONDS + within(LATE_SECONDS)


def test_a_file_has_more_time_the_larger_it_is() -> None:
    """A second for each 64 KiB: 20,000 bytes add about as much again to these 0.3 s."""
    with endless([]) as url, client_at(url) as client:
        began = time.monotonic()
        with pytest.raises(UncertainWriteError):
            client.call(Request("POST", "act_1/adimages", {}, {"a.bin": b"x" * 65_536}))
        seconds = time.monotonic() - began

    assert 1 + SECONDS <= seconds <= 1 + SECONDS + within(LATE_SECONDS)


def test_the_time_begins_when_a_request_has_its_connection() -> None:
    now = [100.0]
    exchange = Exchange(30.0, lambda: now[0])

    now[0] += 1000  # it waits in the pool
    left = [exchange.remaining(12.0)]
    now[0] += 25
    left += [exchange.remaining(12.0), exchange.remaining(None)]
    now[0] += 5

    assert left == [12.0, 5.0, 5.0]
    assert (exchange.remaining(12.0), exchange.is_over) == (0.0, True)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["response_seconds", "timeout_seconds"])
def test_a_deadline_is_a_positive_number_of_seconds(name: str, seconds: float) -> None:
    with pytest.raises(RequestError, match=f"{name} must be a positive number of seconds"):
        GraphClient("EAAinvented", **{name: seconds})  # type: ignore[arg-type]
