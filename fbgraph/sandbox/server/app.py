"""Starlette in front of the platform."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fbgraph.sandbox.endpoints.media import picture
from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse, read_form
from fbgraph.sandbox.server.bodies import read_body
from fbgraph.sandbox.server.own_pages import OWN_PAGES
from fbgraph.sandbox.server.respond import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from fbgraph.sandbox.protocol.messages import Upload
    from fbgraph.sandbox.state.platform import Platform

    Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

__all__ = ["ENDS_EARLY", "make_app"]

#: Bodies shorter than this are not worth compressing.
COMPRESSED_FROM: Final = 1000

#: What uvicorn logs when a response ends before its length, which `CutShort` means to.
ENDS_EARLY: Final = "ASGI callable returned without completing response."

#: Bytes that `Dripping` sends at most.
MOST_DRIPPED: Final = 500

METHODS: Final = ["GET", "POST", "DELETE"]


class CutShort(Response):
    """Promises its whole body and sends half of it; the server then ends the connection."""

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class Dripping(Response):
    """Promises its whole body and sends a few hundred bytes of it, one by one; then it ends."""

    def __init__(
        self, body: bytes, status: int, headers: Mapping[str, str], seconds: float
    ) -> None:
        super().__init__(body, status, headers)
        self._seconds = seconds

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        for byte in self.body[: min(MOST_DRIPPED, len(self.body) - 1)]:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(self._seconds)


def make_app(platform: Platform) -> Starlette:
    """The application; everything under ``/_sandbox`` is ours, under ``/media`` are pictures,
    and everything else is Graph's.
    """
    routes = [
        Route(f"/_sandbox/{name}", _endpoint(platform, handle), methods=METHODS)
        for name, handle in OWN_PAGES.items()
    ]
    media = Route("/media/{path:path}", _media_endpoint(platform))
    graph = Route("/{path:path}", _graph_endpoint(platform), methods=METHODS)
    return Starlette(routes=[*routes, media, graph])


def _endpoint(platform: Platform, handle: Callable[[Platform, Request, bytes], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
            with platform.lock:
                return JSONResponse(handle(platform, request, body))
        except KeyError as error:
            why = f"Missing parameter or unknown object: {error.args[0]}."
        except ValueError as error:
            why = str(error)
        return JSONResponse({"error": why}, status_code=400)

    return endpoint


def _media_endpoint(platform: Platform) -> Endpoint:
    """Pictures, by their signed addresses: no token, and no part of Graph's quotas."""

    async def endpoint(request: Request) -> Response:
        with platform.lock:
            found = picture(
                platform, request.path_params["path"], dict(request.query_params), platform.now()
            )
            platform.ledger.media += 1
            response = platform.active.media(
                ServerResponse(b"URL signature expired", 403, {"content-type": "text/plain"})
                if found is None
                else ServerResponse(found, headers={"content-type": "image/png"})
            )
        if response.wait_seconds:
            with suppress(asyncio.CancelledError):  # the sandbox ends, and nobody waits any more
                await platform.settings.sleep(response.wait_seconds)
        return _sent(response, response.body, response.headers)

    return endpoint


def _graph_endpoint(platform: Platform) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        params, files = await read_body(request)
        with platform.ledger.in_flight():
            graph_request = _read(request, params, files, platform.ledger.next_number())
            with platform.lock:
                response = respond(platform, graph_request)
            if response.wait_seconds:
                await platform.settings.sleep(response.wait_seconds)
        body, headers = response.body, dict(response.headers)
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        if platform.settings.compress and zipped and len(body) >= COMPRESSED_FROM:
            body = gzip.compress(body, compresslevel=1)
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
        return _sent(response, body, headers)

    return endpoint


def _sent(response: ServerResponse, body: bytes, headers: Mapping[str, str]) -> Response:
    if response.drip_seconds:
        return Dripping(body, response.status, headers, response.drip_seconds)
    kind = CutShort if response.is_cut_short else Response
    return kind(body, response.status, headers)


def _read(
    request: Request, given: Mapping[str, str], files: Mapping[str, Upload], number: int
) -> ServerRequest:
    version, _, path = request.url.path.strip("/").partition("/")
    params = {**read_form(request.url.query), **given}
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return ServerRequest(
        method=params.get("method", request.method).upper(),
        version=version,
        path=path,
        params=params,
        base_url=f"http://{request.headers.get('host', '')}",
        number=number,
        bearer=bearer.strip() if scheme.lower() == "bearer" else None,
        files=files,
    )
