"""The wire: Starlette in front of the platform, and the sandbox's own pages beside it."""

from __future__ import annotations

import gzip
import json
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fbgraph.sandbox.call import Call, read_form
from fbgraph.sandbox.graph import respond
from fbgraph.sandbox.scenarios import SCENARIOS, Active

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

    from fbgraph.sandbox.state import Platform

    Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

__all__ = ["make_app"]

#: Bodies shorter than this are not worth compressing.
COMPRESSED_FROM: Final = 1000

METHODS: Final = ["GET", "POST", "DELETE"]


def make_app(platform: Platform) -> Starlette:
    """The application; everything under ``/_sandbox`` is ours, everything else is Graph's."""
    own = {
        "truth": _truth,
        "calls": _calls,
        "world": _world,
        "scenario": _scenario,
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
            return JSONResponse(handle(platform, request, await request.body()))
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return endpoint


def _graph_endpoint(platform: Platform) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call = _read(request, await request.body(), platform.ledger.next_number())
        answer = respond(platform, call)
        body, headers = answer.body, dict(answer.headers)
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        if platform.settings.compress and zipped and len(body) >= COMPRESSED_FROM:
            body = gzip.compress(body, compresslevel=1)
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
        return Response(body, answer.status, headers)

    return endpoint


def _read(request: Request, body: bytes, number: int) -> Call:
    version, _, path = request.url.path.strip("/").partition("/")
    params = {**read_form(request.url.query), **_form(request, body)}
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return Call(
        method=params.get("method", request.method).upper(),
        version=version,
        path=path,
        params=params,
        base_url=f"http://{request.headers.get('host', '')}",
        number=number,
        bearer=bearer.strip() if scheme.lower() == "bearer" else None,
    )


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
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in items}


def _truth(platform: Platform, request: Request, _: bytes) -> Any:
    given = request.query_params
    return platform.truth(given["account_id"], date.fromisoformat(given["date"]))


def _calls(platform: Platform, request: Request, _: bytes) -> Any:
    if request.method == "DELETE":
        platform.ledger.reset()
    return platform.ledger.report()


def _world(platform: Platform, _: Request, __: bytes) -> Any:
    return platform.describe_world()


def _scenario(platform: Platform, request: Request, body: bytes) -> Any:
    """GET lists what there is; POST turns on exactly those named; DELETE turns all off."""
    if request.method == "POST":
        platform.active = Active(_names(request, body))
    elif request.method == "DELETE":
        platform.active = Active()
    known = {name: {"does": s.does, "contract": s.section} for name, s in SCENARIOS.items()}
    return {"active": list(platform.active.names), "scenarios": known}


def _names(request: Request, body: bytes) -> list[str]:
    """``names`` (or ``name``): comma text in query or form, or a JSON list."""
    given = {**read_form(request.url.query), **_form(request, body)}
    text = given.get("names", given.get("name", ""))
    found = json.loads(text) if text.startswith("[") else text.split(",")
    return [name.strip() for name in found if name.strip()]
