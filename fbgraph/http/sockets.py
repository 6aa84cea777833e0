"""The sockets of a client: a deadline for each exchange, and a way to cut them all.

httpcore limits how long one read may take, which a server that sends a byte a second never exceeds,
be it in the headers, in the body, or behind a proxy. Here the whole exchange has an end.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Exchange", "PooledTransport", "Sockets"]

#: A larger piece is sent in several, so that the deadline is looked at in between.
_SENT_BYTES: Final = 65_536

#: What can go wrong, which httpcore and httpx call the same.
_ERRORS: Final = {
    getattr(httpcore, name): getattr(httpx, name)
    for name in (
        *("ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
        *("ConnectError", "ReadError", "WriteError"),
        *("ProxyError", "UnsupportedProtocol", "LocalProtocolError", "RemoteProtocolError"),
    )
}


class Exchange:
    """One request and its response, which have to be complete within `seconds` of its first byte:
    the time that it waits for a connection of the pool does not count.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds: Final = seconds
        self._clock = clock
        self._began: float | None = None
        #: Whether anything was read since the request was written.
        self.has_response = True

    def remaining(self, seconds: float | None) -> float:
        """What is left, `seconds` at most. 0: the time is over."""
        now = self._clock()
        self._began = now if self._began is None else self._began
        left = max(self._began + self.seconds - now, 0.0)
        return left if seconds is None else min(left, seconds)

    @property
    def is_over(self) -> bool:
        return self._began is not None and self.remaining(None) <= 0


class Sockets(httpcore.SyncBackend):
    """Opens the connections of a client. Each thread makes one exchange at a time.

    Closing a client does not wake a thread that waits for a response; `cut` does.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._exchanges = threading.local()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._is_cut = False
        self._lock = threading.Lock()
        #: A server has sent more than it was asked for: no connection is used twice.
        self.is_suspicious = False

    @contextmanager
    def exchange(self, seconds: float) -> Iterator[Exchange]:
        """What this thread reads and writes inside is one exchange."""
        self._exchanges.current = exchange = Exchange(seconds, self._clock)
        try:
            yield exchange
        finally:
            self._exchanges.current = None

    @property
    def current(self) -> Exchange | None:
        """The exchange of this thread."""
        found: Exchange | None = getattr(self._exchanges, "current", None)
        return found

    def remaining(self, seconds: float | None) -> float | None:
        """How long the next read or write of this thread may take, `seconds` at most."""
        return seconds if self.current is None else self.current.remaining(seconds)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self.remaining(timeout)
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return self.kept(stream)

    def kept(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        """A stream that obeys deadlines and `cut`."""
        open_socket: socket.socket = stream.get_extra_info("socket")
        with self._lock:
            self._sockets.add(open_socket)
        if self._is_cut:
            _cut(open_socket)
        return _Stream(stream, self)

    def cut(self) -> None:
        """Every read or write fails now, and so does every later connection."""
        with self._lock:
            self._is_cut = True
            sockets = list(self._sockets)
        for open_socket in sockets:
            _cut(open_socket)


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes take no longer than what is left of the exchange."""

    def __init__(self, below: httpcore.NetworkStream, sockets: Sockets) -> None:
        self._below = below
        self._sockets = sockets

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._sockets.remaining(timeout)
        if left == 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        if exchange := self._sockets.current:
            exchange.has_response = True
        return self._below.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if exchange := self._sockets.current:
            exchange.has_response = False
        for start in range(0, len(buffer), _SENT_BYTES):
            left = self._sockets.remaining(timeout)
            if left == 0:
                raise httpcore.WriteTimeout("the deadline has passed")
            self._below.write(buffer[start : start + _SENT_BYTES], left)

    def close(self) -> None:
        self._below.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._sockets.remaining(timeout)
        return self._sockets.kept(self._below.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """As below. httpcore uses no connection again that has something to read: it is closed, or
        has a response that nobody asked for.
        """
        if info != "is_readable":
            return self._below.get_extra_info(info)
        is_readable = self._below.get_extra_info(info)
        if is_readable and _has_bytes(self._below.get_extra_info("socket")):
            self._sockets.is_suspicious = True
        return is_readable or self._sockets.is_suspicious


def _has_bytes(open_socket: socket.socket) -> bool:
    """Whether there is something to read, and not only the end. Not known for TLS, which sends
    tickets of its own.
    """
    if isinstance(open_socket, ssl.SSLSocket):
        return False
    try:
        return bool(open_socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False


def _cut(open_socket: socket.socket) -> None:
    with suppress(OSError):  # it was closed meanwhile
        open_socket.shutdown(socket.SHUT_RDWR)


class PooledTransport(httpx.BaseTransport):
    """What `httpx.HTTPTransport` is, over a pool whose sockets are ours."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with _as_httpx():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of httpcore as httpx has them."""
    try:
        yield
    except tuple(_ERRORS) as error:
        raise _ERRORS[type(error)](str(error)) from error
