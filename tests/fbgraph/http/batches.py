"""Items of a batch as Meta answers them, and what a client made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from fbgraph import Request
from fbgraph.errors import GraphError
from tests.fbgraph.conftest import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fbgraph.conftest import Wire


def ok(body: object = None, **headers: str) -> dict[str, Any]:
    """An item that went well."""
    named = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return {"code": 200, "headers": named, "body": json.dumps(body or {"id": "1"})}


def failed(code: int, subcode: int | None = None, **headers: str) -> dict[str, Any]:
    error = {"message": f"({code})", "code": code, "error_subcode": subcode}
    return {**ok({"error": error}, **headers), "code": 400}


def refused(
    code: int, status: int = 400, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The whole batch refused."""
    body = {"error": {"message": f"({code})", "code": code}}
    return httpx.Response(status, json=body, headers=headers)


def items(*found: object) -> httpx.Response:
    return httpx.Response(200, json=list(found))


def echo(request: httpx.Request) -> httpx.Response:
    """A server that answers each item with its own path."""
    return items(*(ok({"path": heard.path}) for heard in Heard.of(request).items))


def server(answers: Mapping[str, Sequence[object]]) -> Callable[[httpx.Request], httpx.Response]:
    """Gives the items of each path one after the other, the last for ever."""
    times: dict[str, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        found = []
        for heard in Heard.of(request).items:
            of_path = answers[heard.path.rpartition("/")[2]]
            times[heard.path] = times.get(heard.path, 0) + 1
            found.append(of_path[min(times[heard.path], len(of_path)) - 1])
        return items(*found)

    return answer


def gets(*paths: str) -> list[Request]:
    return [Request("GET", path) for path in paths]


def asked(graph: Wire) -> list[list[str]]:
    """The paths of each batch."""
    return [[item.path.rpartition("/")[2] for item in heard.items] for heard in graph.heard]


def kinds(outcomes: Sequence[object]) -> list[object]:
    """Values as they are, errors as their class."""
    return [type(one) if isinstance(one, GraphError) else one for one in outcomes]
