"""Starlette in front of the platform, and the sandbox's own pages."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fbgraph.sandbox.endpoints.writing import change
from fbgraph.sandbox.protocol.messages import ServerRequest, Upload, read_form
from fbgraph.sandbox.scenarios.catalog import SCENARIOS
from fbgraph.sandbox.server.respond import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from fbgraph.sandbox.state.platform import Platform

    Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

__all__ = ["ENDS_EARLY", "make_app"]

#: Bodies shorter than this are not worth compressing.
COMPRESSED_FROM: Final = 1000

#: What uvicorn logs when a response ends before its length, which `CutShort` means to.
ENDS_EARLY: Final = "ASGI callable returned without completing response."
#: Bytes that `Dripping` sends at most.
MOST_DRIPPED: Final = 500

#: Parts of a multipart body, and bytes of one without a file name.
MOST_PARTS: Final = 1000
LARGEST_PART: Final = 100_000_000

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
    """The application; everything under ``/_sandbox`` is ours, everything else is Graph's."""
    own = {
        "truth": _truth,
        "calls": _calls,
        "world": _world,
        "seed": _seed,
        "scenario": _scenario,
        "token": _token,
        "change": _change,
    }
    routes = [
        Route(f"/_sandbox/{name}", _endpoint(platform, handle), methods=METHODS)
        for name, handle in own.items()
    ]
    graph = Route("/{path:path}", _graph_endpoint(platform), methods=METHODS)
    return Starlette(routes=[*routes, graph])


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


def _graph_endpoint(platform: Platform) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        params, files = await _body(request)
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
        if response.drip_seconds:
            return Dripping(body, response.status, headers, response.drip_seconds)
        kind = CutShort if response.is_cut_short else Response
        return kind(body, response.status, headers)

    return endpoint


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


async def _body(request: Request) -> tuple[Mapping[str, str], Mapping[str, Upload]]:
    """The parameters and files of a body, in whichever of three ways it is written."""
    body = await request.body()
    if "multipart/form-data" not in request.headers.get("content-type", ""):
        return _form(request, body), {}
    try:
        parts = await request.form(max_files=MOST_PARTS, max_part_size=LARGEST_PART)
    except HTTPException:
        return {}, {}  # a broken body says nothing, and the parameters that it lacks are missed
    texts = {name: part for name, part in parts.items() if isinstance(part, str)}
    files = {
        name: Upload(part.filename or "", await part.read())
        for name, part in parts.items()
        if not isinstance(part, str)
    }
    await parts.close()
    return texts, files


def _form(request: Request, body: bytes) -> dict[str, str]:
    """A form body, or the top level of a JSON one."""
    if not body:
        return {}
    if "json" not in request.headers.get("content-type", ""):
        return read_form(body.decode("utf-8", "replace"))
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in items if v is not None}


def _truth(platform: Platform, request: Request, _: bytes) -> Any:
    given = request.query_params
    requested = given.get("breakdowns")
    breakdowns = None if requested is None else tuple(word for word in requested.split(",") if word)
    return platform.truth(given["account_id"], date.fromisoformat(given["date"]), breakdowns)


def _calls(platform: Platform, request: Request, _: bytes) -> Any:
    if request.method == "DELETE":
        platform.forget()
    return platform.served()


def _world(platform: Platform, _: Request, __: bytes) -> Any:
    return platform.describe_world()


def _seed(platform: Platform, _: Request, __: bytes) -> Any:
    return {"seed": platform.world.seed}


def _scenario(platform: Platform, request: Request, body: bytes) -> Any:
    """GET lists what there is; POST turns on exactly those named; DELETE turns all off."""
    if request.method == "POST":
        platform.use(_names(request, body))
    elif request.method == "DELETE":
        platform.use(())
    known = {
        name: {"does": s.does, "source": s.source, "strength": s.strength}
        for name, s in SCENARIOS.items()
    }
    return {"active": list(platform.active.names), "scenarios": known}


def _token(platform: Platform, request: Request, body: bytes) -> Any:
    """POST makes a token; DELETE revokes the one that ``access_token`` names."""
    given = _given(request, body)
    if request.method == "DELETE":
        platform.tokens.revoke(given["access_token"])
        return {"success": True}
    accounts = _words(given["accounts"]) if "accounts" in given else None
    scopes = _words(given.get("scopes", "ads_read"))
    expires = given.get("expires_at", "0")
    kind = given.get("kind", "USER")
    return {"access_token": platform.make_token(scopes, accounts, int(expires), kind)}


def _change(platform: Platform, request: Request, body: bytes) -> Any:
    """POST changes the object ``id`` as `Sandbox.change` does."""
    given = dict(_given(request, body))
    change(platform, given.pop("id"), given)
    return {"success": True}


def _given(request: Request, body: bytes) -> Mapping[str, str]:
    return {**read_form(request.url.query), **_form(request, body)}


def _names(request: Request, body: bytes) -> list[str]:
    """``names`` or ``name``."""
    given = _given(request, body)
    return _words(given.get("names", given.get("name", "")))


def _words(text: str) -> list[str]:
    """Comma text or a JSON list."""
    found = json.loads(text) if text.startswith("[") else text.split(",")
    return [word.strip() for word in found if word.strip()]
