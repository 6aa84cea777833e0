"""Downloads of pictures: the only requests that go to a server other than Graph's.

They carry no token, no cookie and nothing else of ours. What comes back is bounded in bytes and in
time, and a redirect is followed only to where a picture may be downloaded from in the first place.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final, Self

import httpx

from fbgraph.http.sockets import Sockets
from fbgraph.http.transport import make_transport, proxy_for
from pipelines.loading.media.hosts import META_HOSTS, why_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Downloads", "PictureError"]

#: The largest picture that is kept. A thumbnail of 400 pixels has about 30 kB.
PICTURE_BYTES: Final = 5_000_000

#: A picture that is not complete after this time is given up, whatever keeps coming: a thumbnail
#: has some 30 kB.
SECONDS: Final = 10.0

#: Redirects in a row that are followed.
MOST_REDIRECTS: Final = 3


class PictureError(Exception):
    """A picture that cannot be downloaded; the message is the reason, without its address, which
    is signed. `silent`: the server said nothing about the picture, and may say as little of others.
    """

    def __init__(self, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


class Downloads:
    """A way to Meta's pictures, for any number of threads. `graph_url`: where Graph is."""

    def __init__(
        self,
        graph_url: str,
        *,
        seconds: float = SECONDS,
        most_bytes: int = PICTURE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph_url = graph_url
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._sockets = Sockets(clock)
        metas = make_transport(proxy_for(f"https://{META_HOSTS[0]}"), None, self._sockets)
        self._http = httpx.Client(
            headers={"accept": "image/*", "accept-encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=seconds,
            mounts={"https://": metas, "http://": make_transport(None, None, self._sockets)},
            follow_redirects=False,
            trust_env=False,  # no password of a .netrc
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._http.close()

    def cut(self) -> None:
        """End what is being downloaded, in all threads, and all that is begun later: it raises
        PictureError.
        """
        self._sockets.cut()

    def get(self, address: str, seconds: float = SECONDS) -> bytes:
        """The content of a picture; `seconds`: what is left for it. Raises PictureError."""
        with self._sockets.exchange(min(seconds, self._seconds)):
            for _ in range(MOST_REDIRECTS + 1):
                if why := why_refused(address, self._graph_url):
                    raise PictureError(why)
                with self._response(address) as response:
                    if not response.has_redirect_location:
                        return self._content(response)
                    address = _joined(response)
        raise PictureError(f"more than {MOST_REDIRECTS} redirects in a row")

    @contextmanager
    def _response(self, address: str) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", address) as response:
                yield response
        except (
            httpx.RequestError,
            httpx.InvalidURL,
            ValueError,
        ) as error:  # its text may have the address
            raise PictureError(f"no response ({type(error).__name__})", silent=True) from None
        except RuntimeError:  # httpx: closed while another thread waited for a connection
            raise PictureError("stopped", silent=True) from None

    def _content(self, response: httpx.Response) -> bytes:
        status = response.status_code
        if status != httpx.codes.OK:
            silent = status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
            raise PictureError(f"the response was HTTP {status}", silent=silent)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith("image/"):
            raise PictureError(f"the response is not a picture ({kind or 'no content type'})")
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > self._most_bytes:
                raise PictureError(f"it has more than {self._most_bytes:,} bytes")
        return b"".join(parts)


def _joined(response: httpx.Response) -> str:
    """Where a redirect leads. Raises PictureError."""
    try:
        return str(response.url.join(response.headers["location"]))
    except (httpx.InvalidURL, ValueError):
        raise PictureError("it redirects to a malformed address") from None
