"""Meta's own SDK and our client against the same sandbox, over its socket.

Between them may stand a relay, which sees what a server on the way sees and can spoil answers.
"""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pytest
from facebook_business.api import FacebookAdsApi
from facebook_business.crashreporter import CrashReporter
from facebook_business.session import FacebookSession

from fbgraph.sandbox import Sandbox
from tests.sdk.both import Both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    #: From the status and body that the sandbox gave to those that the caller gets.
    Spoil = Callable[[int, bytes], tuple[int, bytes]]

#: Noon in Berlin: the day before has ended in every account's zone.
NOW = datetime(2026, 11, 23, 11, 7, tzinfo=UTC)


#: Headers of an answer that the caller needs.
PASSED = ("content-type", "x-app-usage", "x-business-use-case-usage", "facebook-api-version")


@dataclass(frozen=True)
class Asked:
    """One call as a server on the way sees it. `url`: path and query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Relay:
    """Use it in a ``with`` block and call its `url`. The sandbox really does what is spoilt."""

    def __init__(self, sandbox_url: str) -> None:
        self.asked: list[Asked] = []
        self.spoils: list[Spoil] = []
        self._to = urlsplit(sandbox_url).netloc
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, answer = relay.pass_on(
                    Asked(self.command, self.path, dict(self.headers), body)
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815  # named by http.server

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def spoil(self, *spoils: Spoil) -> None:
        """The next answers, in order, are what these make of them."""
        self.spoils.extend(spoils)

    def answer(self, body: bytes, status: int = 200, times: int = 1) -> None:
        """The next answers are this one."""
        self.spoil(*[lambda _, __: (status, body)] * times)

    def pass_on(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append(asked)
        there = HTTPConnection(self._to)
        headers = {k: v for k, v in asked.headers.items() if k.lower() != "accept-encoding"}
        there.request(asked.method, asked.url, asked.body, headers)
        answer = there.getresponse()
        status, body = answer.status, answer.read()
        there.close()
        kept = {name: value for name in PASSED if (value := answer.getheader(name))}
        if self.spoils:
            status, body = self.spoils.pop(0)(status, body)
        return status, kept, body

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def untouched_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK keeps its server, its token and its hook for crashes in global places."""
    monkeypatch.setattr(FacebookSession, "GRAPH", "http://127.0.0.1:9")  # none: never leave here
    monkeypatch.setattr(FacebookAdsApi, "_default_api", None)
    monkeypatch.setattr(FacebookAdsApi, "_default_account_id", None)
    monkeypatch.setattr(CrashReporter, "reporter_instance", None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture(scope="session")
def calm() -> Iterator[Sandbox]:
    """Without faults, for all tests that leave other objects alone."""
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def calm_twin() -> Iterator[Sandbox]:
    """The same again, for what is done to one object on both sides."""
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        yield sandbox


@pytest.fixture
def open_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes of its own for one test, with the scenarios that it names."""
    with ExitStack() as stack:

        def start(*scenarios: str, **options: Any) -> Sandbox:
            options.setdefault("now", lambda: NOW)
            return stack.enter_context(Sandbox(world="hostile", scenarios=scenarios, **options))

        yield start


@pytest.fixture
def open_relay() -> Iterator[Callable[[Sandbox], Relay]]:
    """Puts relays before sandboxes."""
    with ExitStack() as stack:
        yield lambda sandbox: stack.enter_context(Relay(sandbox.url))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A PNG of 3 by 2 pixels whose bytes hold line ends."""
    path = tmp_path / "banner.png"
    path.write_bytes(png(3, 2))
    return path


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\r\n\xff" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.fixture
def both_of() -> Iterator[Callable[..., Both]]:
    made: list[Both] = []

    def make(sandbox: Sandbox, url: str | None = None) -> Both:
        made.append(Both(sandbox, url or sandbox.url))
        return made[-1]

    yield make
    for both in made:
        both.client.close()


@pytest.fixture
def relay(calm: Sandbox, open_relay: Callable[[Sandbox], Relay]) -> Relay:
    return open_relay(calm)


@pytest.fixture
def both(calm: Sandbox, relay: Relay, both_of: Callable[..., Both]) -> Both:
    """Both callers, with the relay before the sandbox."""
    return both_of(calm, relay.url)
