"""Batches: several requests in one. Each item goes through the same handlers and has its own
response.

Items are answered in their order. An item may name earlier ones: with ``depends_on``, or with
``{result=name:$.data.*.id}`` in its ``relative_url`` or ``body``. Sources: Graph API, Batch
requests; docs/graph-api.md#batch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.limits.usage import trace_of
from fbgraph.sandbox.protocol.errors import error_body
from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse, compact, read_form
from fbgraph.sandbox.protocol.params import check_names, json_value
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    #: What a scenario makes of an item's response; None is an item that was not finished.
    Twist = Callable[[ServerRequest, ServerResponse], ServerResponse | None]

__all__ = ["find", "run"]

MOST_ITEMS: Final = 50


#: ``{result=name:$.path}``
REFERENCE: Final = re.compile(r"\{result=([\w.-]+):(\$[^}]*)\}")

#: One step of a path: ``.name``, ``[0]``, ``.*`` or ``[*]``.
STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\.(\*)|\[(\*)\]")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of ``batch``. `needs` names the items that it waits for."""

    request: ServerRequest
    name: str
    needs: frozenset[str]
    #: ``omit_response_on_success``, by default whether others use the response.
    omitted: bool | None


def run(
    request: ServerRequest,
    number: Callable[[], int],
    respond: Callable[[ServerRequest], ServerResponse],
    twist: Twist,
) -> bytes:
    """The response to every item in order; null for one that is left out or was not finished."""
    check_names(request.params, {"batch"})
    entries = json_value(request.params, "batch", list)
    if len(entries) > MOST_ITEMS:
        raise refused("batch_too_long")
    items = [_item(request, entry, at) for at, entry in enumerate(entries)]
    _check_order(items)
    numbered = [replace(item, request=replace(item.request, number=number())) for item in items]
    responses = _responses(numbered, lambda one: twist(one, respond(one)))
    used = {name for item in items for name in item.needs}
    with_headers = request.params.get("include_headers", "true") not in ("false", "0")
    return compact([
        None
        if _is_omitted(item, used) and _is_good(response)
        else _written(response, with_headers=with_headers)
        for item, response in zip(items, responses, strict=True)
    ])  # fmt: skip


def _is_omitted(item: Item, used: Collection[str]) -> bool:
    return item.name in used if item.omitted is None else item.omitted


def _responses(
    items: Sequence[Item], respond: Callable[[ServerRequest], ServerResponse | None]
) -> Sequence[ServerResponse | None]:
    """Every item's own response. One whose dependency failed is not tried."""
    responses: list[ServerResponse | None] = []
    bodies: dict[str, Any] = {}  # of named items that went well
    for item in items:
        ready = item.needs <= bodies.keys()
        response = respond(_filled(item.request, bodies)) if ready else _aborted(item.request)
        if item.name and response and _is_good(response):
            bodies[item.name] = json.loads(response.body)
        responses.append(response)
    return responses


def _is_good(response: ServerResponse | None) -> bool:
    """A scenario may have broken the body of a response that went well."""
    if response is None or response.status != HTTPStatus.OK:
        return False
    try:
        json.loads(response.body)
    except ValueError:
        return False
    return True


def _aborted(request: ServerRequest) -> ServerResponse:
    error = refused("batch_aborted")
    return ServerResponse(error_body(error, trace_of(request.number)), error.refusal.status)


def _item(outer: ServerRequest, entry: Any, at: int) -> Item:
    if not isinstance(entry, dict) or not {"method", "relative_url"} <= set(entry):
        raise refused("bad_type", name="batch", wanted="a list of objects with relative_url")
    request = _call(outer, entry, at)
    dependencies = entry.get("depends_on") or []
    depends = dependencies.split(",") if isinstance(dependencies, str) else map(str, dependencies)
    needs = {name.strip() for name in depends if name.strip()}
    for found in (one for text in _texts(request) for one in REFERENCE.finditer(text)):
        find(None, found[2])  # refuses a path that cannot be followed before anything is done
        needs.add(found[1])
    omitted = entry.get("omit_response_on_success")
    return Item(request, str(entry.get("name") or ""), frozenset(needs), omitted)


def _call(outer: ServerRequest, entry: Mapping[str, Any], at: int) -> ServerRequest:
    path, _, query = str(entry["relative_url"]).lstrip("/").partition("?")
    first, _, remaining = path.partition("/")
    has_version = re.fullmatch(r"v\d+\.\d+", first)
    version, path = (first, remaining) if has_version else (outer.version, path)
    params = {**read_form(query), **read_form(str(entry.get("body") or ""))}
    bearer = _bearer(entry)
    if "access_token" not in params and not bearer:
        params["access_token"] = outer.token or ""
        # The proof belongs to the token.
        for name in ("appsecret_proof", "appsecret_time"):
            if name in outer.params:
                params.setdefault(name, outer.params[name])
    return ServerRequest(
        method=params.get("method", str(entry["method"])).upper(),
        version=version,
        path=path.strip("/"),
        params=params,
        base_url=outer.base_url,
        bearer=bearer,
        files={name: _file(outer, name, at) for name in _attached(entry)},
    )


def _bearer(entry: Mapping[str, Any]) -> str | None:
    headers = {str(h.get("name", "")).lower(): str(h.get("value", "")) for h in _headers(entry)}
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else None


def _headers(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [header for header in entry.get("headers") or [] if isinstance(header, dict)]


def _attached(entry: Mapping[str, Any]) -> Sequence[str]:
    names = str(entry.get("attached_files") or "").split(",")
    return [name.strip() for name in names if name.strip()]


def _file(outer: ServerRequest, name: str, at: int) -> Any:
    if name not in outer.files:
        raise refused("batch_item", at=str(at), why=f"no part of the body is called {name}")
    return outer.files[name]


def _check_order(items: Sequence[Item]) -> None:
    """An item may need only what comes before it. What Meta says otherwise is not known."""
    before: set[str] = set()
    for at, item in enumerate(items):
        for name in sorted(item.needs - before):
            raise refused("batch_item", at=str(at), why=f"no item before it is called {name}")
        if item.name in before:
            raise refused("batch_item", at=str(at), why=f"there is another {item.name}")
        before |= {item.name} if item.name else set()


def _texts(request: ServerRequest) -> Iterator[str]:
    yield request.path
    yield from request.params.values()


def _filled(request: ServerRequest, bodies: Mapping[str, Any]) -> ServerRequest:
    """References replaced by what they lead to; several values are separated by commas."""

    def value(found: re.Match[str]) -> str:
        return ",".join(_text(one) for one in find(bodies[found[1]], found[2]))

    params = {name: REFERENCE.sub(value, text) for name, text in request.params.items()}
    return replace(request, path=REFERENCE.sub(value, request.path), params=params)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value).decode()


def find(value: Any, path: str) -> Sequence[Any]:
    """What a path leads to, from ``$`` on: names, indexes and ``*``. Refuses any other step."""
    found, remaining = [value], path.removeprefix("$")
    while remaining:
        step = STEP.match(remaining)
        if step is None:
            raise refused("bad_type", name="batch", wanted=f"free of the path {path}")
        found = [inner for one in found for inner in _inside(one, step)]
        remaining = remaining[step.end() :]
    return found


def _inside(value: Any, step: re.Match[str]) -> Sequence[Any]:
    name, index = step[1], step[2]
    if name is not None:
        return [value[name]] if isinstance(value, dict) and name in value else []
    if index is not None:
        return value[int(index) : int(index) + 1] if isinstance(value, list) else []
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _written(response: ServerResponse | None, *, with_headers: bool) -> Mapping[str, Any] | None:
    if response is None:
        return None
    written: dict[str, Any] = {"code": response.status}
    if with_headers:
        written["headers"] = [{"name": k, "value": v} for k, v in response.headers.items()]
    return {**written, "body": response.body.decode()}
