"""The connection of a client: sends requests with one token, and hides that token everywhere else.

Each request is sent exactly once. Limits, retries and what a response means are the client's.
"""

from __future__ import annotations

import codecs
import logging
import math
import re
import threading
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx

from fbgraph.catalog import versions
from fbgraph.errors import (
    Detail,
    RequestError,
    RetryableError,
    StoppedError,
    TooMuchDataError,
    VersionError,
)
from fbgraph.http.auth import BearerAuth, ProofTransport, appsecret_proof, secrets_of
from fbgraph.http.request import as_curl, check, check_address
from fbgraph.http.response import scrub
from fbgraph.http.sockets import Sockets
from fbgraph.http.transport import (
    UNSENT,
    address_of,
    checked_url,
    make_transport,
    proxy_for,
    require_private,
    secrets_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from fbgraph.http.request import Request
    from fbgraph.http.sockets import Exchange

__all__ = ["MAX_BODY_BYTES", "RESPONSE_SECONDS", "Connection", "Received"]

#: A request without a complete response after this time is given up, whatever keeps coming.
RESPONSE_SECONDS: Final = 120.0

#: A request with files has a second more for each of this many bytes of them.
UPLOAD_BYTES_PER_SECOND: Final = 65_536

#: The most bytes that a response may have, unpacked. A larger page is asked for with fewer rows.
MAX_BODY_BYTES: Final = 64 * 1024 * 1024

#: How a body may be packed: each unpacks a part of it to some megabytes at most. Others, and one
#: inside another, unpack to more than memory holds before anybody can count it.
ENCODINGS: Final = ("gzip", "deflate")

#: Packed with the header of gzip. Source: zlib, decompressobj.
_GZIP: Final = zlib.MAX_WBITS | 16

#: Byte order mark → the encoding that removes it. JSON must have none (RFC 8259, section 8.1).
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

_STRAY: Final = (
    "The server sent two responses to one request. The second was discarded; check any proxy"
    " between you and Meta."
)
_CONNECTION: Final = "Check the network, FB_GRAPH_URL and any proxy between you and Meta."

_log = logging.getLogger(__name__)


class Received(NamedTuple):
    """A response as it came: `headers` by name, in any case; the `body` unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """The way to one version of Graph with one token, for any number of threads.

    Raises VersionError, TokenError and RequestError for settings that are malformed, and as
    `make_transport` does. `stopped` is set once nothing may be sent any more.
    """

    def __init__(  # noqa: PLR0913  # the settings of a client that are about its connection
        self,
        access_token: str,
        *,
        app_secret: str | None,
        base_url: str,
        version: str,
        timeout_seconds: float,
        response_seconds: float,
        proxy: str | None,
        allow_http: bool,
        ca_file: str | Path | None,
        transport: httpx.BaseTransport | None,
        clock: Callable[[], float],
    ) -> None:
        self._response_seconds = require_seconds(response_seconds, "response_seconds")
        self.base_url: Final = checked_url(base_url)
        self.version: Final = _checked(version)
        self.stopped: Final = threading.Event()
        self.proof: Final = appsecret_proof(access_token, app_secret) if app_secret else None
        proxy = proxy or proxy_for(self.base_url)
        require_private(self.base_url, proxy, allow_http=allow_http)
        self._sockets = Sockets(clock)
        below = transport or make_transport(proxy, ca_file, self._sockets)
        self._way = f" through the proxy {address_of(proxy)}" if proxy else ""
        self._secrets_of_graph = secrets_of(access_token, app_secret)
        self._secrets = secrets_of(access_token, app_secret, secrets_in(proxy))
        self._http = httpx.Client(
            base_url=f"{self.base_url}/{version}/",
            auth=BearerAuth(access_token),
            headers={"accept-encoding": ", ".join(ENCODINGS)},
            cookies=_no_cookies(),
            timeout=require_seconds(timeout_seconds, "timeout_seconds"),
            transport=ProofTransport(below, self.proof) if self.proof else below,
        )

    def close(self) -> None:
        self._http.close()

    def stop(self) -> None:
        """End what is being sent, in all threads, and everything later: it raises StoppedError."""
        self.stopped.set()
        self._sockets.cut()

    def require_running(self) -> None:
        """Raise StoppedError after `stop`."""
        if self.stopped.is_set():
            raise StoppedError("Stopped while waiting.")

    def check(self, request: Request) -> Request:
        """The request. Raises RequestError for one that must not be sent."""
        return check(request, self.hide)

    def check_address(self, request: Request) -> None:
        """Raise RequestError for a request that would have a secret of Graph in its URL."""
        check_address(request, lambda text: scrub(text, self._secrets_of_graph))

    def send(self, request: Request, seconds: float | None = None) -> Received:
        """Send once; `seconds`: how long the response may take, if not as long as usual.

        Raises RetryableError if no response came in time, which says whether it was sent,
        TooMuchDataError for one that is too large to hold, RequestError for an address that is not
        http(s), StoppedError after `stop`.
        """
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s", self.as_curl(request))
        where = "data" if request.method == "POST" else "params"
        content: dict[str, Any] = {where: request.encoded}
        if request.files:
            content["files"] = [(name, (name, body)) for name, body in request.files.items()]
        self.require_running()
        seconds = min(self._response_seconds, seconds or self._response_seconds)
        seconds += sum(map(len, request.files.values())) / UPLOAD_BYTES_PER_SECOND
        with self._sockets.exchange(seconds) as exchange:
            try:
                with self._http.stream(request.method, request.path, **content) as response:
                    if not exchange.has_response:  # it was there before the request was sent
                        self._sockets.is_suspicious = True
                        raise RetryableError(Detail(_STRAY, call=self.call_of(request)))
                    body = self._body(response, request)
                return Received(response.status_code, response.headers, body)
            except httpx.UnsupportedProtocol:
                raise RequestError(
                    f"{self.base_url} is not an http(s) address. Set FB_GRAPH_URL to one, or unset"
                    " it."
                ) from None
            except httpx.RequestError as error:  # its text may quote headers, and so the token
                self.require_running()
                raise self._no_response(request, error, exchange) from None

    def _no_response(
        self, request: Request, error: httpx.RequestError, exchange: Exchange
    ) -> RetryableError:
        if exchange.is_over and isinstance(error, httpx.TimeoutException):
            text = (
                f"The response{_about(request)} from {self.base_url}{self._way} was not complete"
                f" after {exchange.seconds:.0f} s."
            )
        else:
            cause = self.hide(f"{type(error).__name__} {error}".strip())
            text = f"No response from {self.base_url}{self._way}: {cause}."
        sent = not isinstance(error, UNSENT)
        return RetryableError(
            Detail(text, call=self.call_of(request), sent=sent, advice=_CONNECTION)
        )

    def _body(self, response: httpx.Response, request: Request) -> bytes:
        """The body, unless it is too large: a few kilobytes may unpack to gigabytes."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", *ENCODINGS}:
            text = f"The response is encoded as {encoding!r}, which was not requested."
            raise RetryableError(Detail(text, call=self.call_of(request), advice=_CONNECTION))
        parts: list[bytes] = []
        size = 0
        for part in _unpacked(response, encoding):
            parts.append(part)
            size += len(part)
            if size > MAX_BODY_BYTES:
                text = f"The response{_about(request)} has more than {MAX_BODY_BYTES:,} bytes."
                raise TooMuchDataError(
                    Detail(text, call=self.call_of(request), advice="Request fewer rows.")
                )
        return _as_utf8(b"".join(parts))

    def as_curl(self, request: Request) -> str:
        """A curl command that sends this request, with $FB_ACCESS_TOKEN in place of the token."""
        root = f"{self.base_url}/{self.version}"
        return as_curl(request, root, proof=self.proof is not None, hide=self.hide)

    def call_of(self, request: Request) -> str:
        """A request as errors name it, without secrets."""
        return self.hide(str(request))

    def hide(self, text: str) -> str:
        """A text with every secret of this connection hidden."""
        return scrub(text, self._secrets)


def _unpacked(response: httpx.Response, encoding: str) -> Iterator[bytes]:
    """The parts of a body. If it is packed by gzip it may have several members (RFC 1952, section
    2.2); httpx would read only the first. Raises httpx.DecodingError.
    """
    if encoding != "gzip" or response.is_stream_consumed:
        yield from response.iter_bytes()
        return
    member = zlib.decompressobj(_GZIP)
    for part in response.iter_raw():
        left = part
        while left:
            if member.eof:  # what follows the last member fills up
                left = left.lstrip(b"\0")
                member = zlib.decompressobj(_GZIP)
                continue
            try:
                yield member.decompress(left)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            left = member.unused_data


def _as_utf8(body: bytes) -> bytes:
    """A body as JSON has to be: in UTF-8, without a byte order mark."""
    for mark, encoding in _MARKS.items():
        if body.startswith(mark):
            return body.decode(encoding, "replace").encode()
    return body


def _about(request: Request) -> str:
    return f" about act_{request.account_id}" if request.account_id else ""


def _no_cookies() -> CookieJar:
    """A jar that stays empty: Graph needs none, and a proxy may send more of them than fit into the
    next request.
    """
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def require_seconds(seconds: float, name: str) -> float:
    """`seconds`. Raises RequestError for what is not a positive number of them."""
    if not 0 < seconds < math.inf:
        raise RequestError(f"{name} must be a positive number of seconds (got {seconds}).")
    return seconds


def _checked(version: str) -> str:
    if not re.fullmatch(r"v\d+\.\d+", version, re.ASCII):
        example = versions.PINNED
        raise VersionError(f"{version!r} is not an API version. Write it like {example}.")
    return version
