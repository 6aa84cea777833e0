"""A client whose server is a list of answers, and what it was asked and how long it waited; and a
server on a socket that remembers what it heard.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import hypothesis
import pytest

from fbgraph import GraphClient
from fbgraph.http import served
from fbgraph.limits.retry import CEILING_SECONDS
from fbgraph.limits.shared_cooldowns import SharedCooldowns
from fbgraph.limits.usage import Limit
from tests.clock import Clock

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
    MakeWire = Callable[..., "Wire"]
    Listen = Callable[..., "Listener"]


hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no bug
hypothesis.settings.load_profile("unhurried")


@dataclass(frozen=True)
class Heard:
    """One request as a server reads it; the names of its headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, request: httpx.Request) -> Heard:
        target = request.url.raw_path.decode()
        return cls(request.method, target, request.headers, request.content)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        """Of query and form together. One that comes twice is a mistake."""
        query, form = urlsplit(self.target).query, self.body.decode("utf-8", "replace")
        texts = [(name, content.decode()) for name, is_file, content in self._parts if not is_file]
        if not self._boundary:
            texts = parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form))
        pairs = [*parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)), *texts]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    @property
    def files(self) -> dict[str, bytes]:
        return {name: content for name, is_file, content in self._parts if is_file}

    @property
    def items(self) -> list[Heard]:
        """The calls of a batch, each with its files."""
        return [self._item(item) for item in json.loads(self.params["batch"])]

    def _item(self, item: Mapping[str, str]) -> Heard:
        names = item.get("attached_files", "").split(",")
        url, body = "/v26.0/" + item["relative_url"], item.get("body", "").encode()
        heard = Heard(item["method"], url, {**self.headers, "content-type": "form"}, body)
        files = {name: self.files[name] for name in names if name}
        return _WithFiles(heard.method, heard.target, heard.headers, heard.body, files)

    @property
    def _boundary(self) -> bytes:
        return self.headers.get("content-type", "").partition("boundary=")[2].encode()

    @property
    def _parts(self) -> list[tuple[str, bool, bytes]]:
        """Name, whether it is a file, content of each part of a form with files."""
        if not self._boundary:
            return []
        found = []
        for part in self.body.split(b"--" + self._boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            name = re.search(rb'[; ]name="(.*?)"[;\r]', head + b"\r")
            assert name
            found.append((name[1].decode(), b"filename=" in head, content.removesuffix(b"\r\n")))
        return found


class Renewed:
    """A shared value in which another process blocks one limit anew, whenever somebody looks."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def load(self) -> Any:
        return [[*self._limit, CEILING_SECONDS, True]]

    def change(self, decide: Callable[[Any], Any]) -> None:
        """It stays what it is."""


def blocked_for_ever(account_id: str) -> SharedCooldowns:
    """Cooldowns that block an account without end, by a clock that stands still."""
    return SharedCooldowns(Renewed(Limit(account_id)), lambda: 0.0)


@dataclass(frozen=True)
class _WithFiles(Heard):
    attached: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        return dict(self.attached)


class Listener(ThreadingHTTPServer):
    """A server on loopback: what it `heard`, and what it answers to it."""

    def __init__(
        self, answer: Callable[[Heard], httpx.Response], tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.heard: list[Heard] = []
        self.connections = 0
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connected = super().get_request()
        self.connections += 1
        return connected

    def handle_error(self, *_: Any) -> None:
        """Who hangs up on it is no concern of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"

    def _hear(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(self.command, self.path, headers, body)
        self.server.heard.append(heard)
        response = self.server.answer(heard)
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name not in {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    do_GET = do_POST = do_DELETE = do_CONNECT = _hear  # noqa: N815  # the names that http.server calls

    def log_message(self, *_: Any) -> None:
        """Tests read `heard`."""


@dataclass
class Wire:
    """One client at one fake server. The last of `answers` is given again for ever."""

    answers: Sequence[Answer]
    token: str
    settings: dict[str, Any]
    requests: list[httpx.Request] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.client = GraphClient(
            self.token,
            transport=httpx.MockTransport(self._answer),
            sleep=self.clock.sleep,
            jitter=lambda: 0.0,
            clock=self.clock.seconds,
            **self.settings,
        )

    @property
    def waits(self) -> list[float]:
        return self.clock.waits

    @property
    def asked(self) -> list[str]:
        """``GET /v26.0/me`` for each request."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    @property
    def params(self) -> list[dict[str, str]]:
        """The query of each request."""
        return [dict(request.url.params) for request in self.requests]

    @property
    def heard(self) -> list[Heard]:
        return [Heard.of(request) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings about versions come once per process; here, once per test."""
    monkeypatch.setattr(served, "_given", set())


@pytest.fixture
def token() -> str:
    return "123456|inventedForTests0123456789"  # an app's: the bar is written %7C in a URL


@pytest.fixture
def wire(token: str) -> Iterator[MakeWire]:
    """Makes a `Wire` from answers and settings of the client."""
    made: list[Wire] = []

    def make(*answers: Answer, access_token: str = token, **settings: Any) -> Wire:
        made.append(Wire(answers, access_token, settings))
        return made[-1]

    yield make
    for one in made:
        one.client.close()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts a `Listener` that answers with a response, or with what a function makes of a call."""
    with ExitStack() as stack:

        def start(
            answer: Callable[[Heard], httpx.Response] | None = None,
            tls: ssl.SSLContext | None = None,
        ) -> Listener:
            listener = Listener(answer or (lambda _: httpx.Response(200, json={"id": "1"})), tls)
            stack.callback(listener.server_close)
            stack.callback(listener.shutdown)
            serve = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
            serve.start()
            return listener

        yield start
