"""Faults that break responses, such as `flaky`: bodies, shapes of errors, ids of runs, items of
batches.
"""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.faults.refusing import throttle_headers
from fbgraph.sandbox.protocol.errors import error_body
from fbgraph.sandbox.protocol.messages import ServerResponse, compact
from fbgraph.sandbox.protocol.refusals import REFUSALS, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.context import RequestContext

    After = Callable[[Fault, ServerResponse, ServerRequest, RequestContext], ServerResponse]
    Item = Callable[[Fault, ServerResponse, ServerRequest], ServerResponse | None]

__all__ = [
    "HTML",
    "HTML_HEADERS",
    "PICTURES",
    "break_in_turn",
    "break_picture",
    "creation",
    "cut_json",
    "empty_500",
    "html",
    "item_error",
    "item_null",
    "odd_errors",
    "one_in",
    "poll_body",
    "reset",
    "service_unavailable",
    "shrink_pages",
    "slow",
]


HTML: Final = (
    b'<!DOCTYPE html><html lang="en" id="facebook"><head><title>Error</title></head></html>'
)
HTML_HEADERS: Final = {"content-type": "text/html; charset=utf-8"}


def html_502(_: ServerResponse) -> ServerResponse:
    return ServerResponse(HTML, 502, HTML_HEADERS)


#: Statuses with which HTML has been seen, in turn.
HTML_STATUSES: Final = (502, 500, 503, 504)


def html(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    if not fault.picks(request.number):
        return response
    index = request.number // max(1, fault.number) % len(HTML_STATUSES)
    return replace(html_502(response), status=HTML_STATUSES[index])


def empty_500(_: ServerResponse) -> ServerResponse:
    return ServerResponse(b"", 500)


def service_unavailable(_: ServerResponse) -> ServerResponse:
    return ServerResponse(b"Service Unavailable", 200, HTML_HEADERS)


def cut_json(response: ServerResponse) -> ServerResponse:
    return replace(response, body=response.body[: len(response.body) * 2 // 3])


def reset(response: ServerResponse) -> ServerResponse:
    """The connection ends in the middle of the body."""
    return replace(response, is_cut_short=True)


def _code_2(response: ServerResponse) -> ServerResponse:
    return replace(response, body=error_body(refused("unavailable"), "AFlakySandbox"), status=503)


#: What goes wrong in `flaky`, in turn.
BREAKS: Final[Sequence[Callable[[ServerResponse], ServerResponse]]] = (
    *(html_502, empty_500, service_unavailable, cut_json, _code_2),
)


def break_in_turn(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    index = request.number // max(1, fault.number) % len(BREAKS)
    return BREAKS[index](response) if fault.picks(request.number) else response


def one_in(spoil: Callable[[ServerResponse], ServerResponse]) -> After:
    """One in N responses is spoilt in this way."""

    def after(
        fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
    ) -> ServerResponse:
        return spoil(response) if fault.picks(request.number) else response

    return after


def slow(
    fault: Fault, response: ServerResponse, _: ServerRequest, __: RequestContext
) -> ServerResponse:
    return replace(response, wait_seconds=response.wait_seconds + fault.number / 1000)


def shrink_pages(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    """A page of more than one row and more than N bytes is refused; with fewer rows it is not."""
    is_page = response.body.startswith(b'{"data":[') and request.params.get("limit") != "1"
    if not is_page or len(response.body) <= fault.number:
        return response
    return replace(response, body=error_body(refused("reduce_data"), ""), status=500)


# --- shapes of errors -----------------------------------------------------------------------


def _blamed(error: Mapping[str, Any]) -> Any:
    text = error.get("error_data")
    return json.loads(text) if isinstance(text, str) else {"blame_field_specs": [["access_token"]]}


def _untitled(error: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in error.items() if not key.startswith("error_user_")}


#: How an ``error`` can look, in turn. Sources: docs/graph-api.md#errors; python-business-sdk #272,
#: #563, #573.
SHAPES: Final[Sequence[Callable[[Mapping[str, Any]], Any]]] = (
    lambda error: {**_untitled(error), "error_data": _blamed(error)},
    lambda error: {**error, "error_data": json.dumps(_blamed(error))},
    lambda error: {**error, "error_data": '"null"'},
    lambda error: {**error, "error_data": json.dumps({"blame_field": "access_token"})},
    lambda error: error["message"],
    lambda error: {"message": error["message"], "code": error["code"]},
    lambda error: {
        **error,
        "error_user_title": "Se produjo un error",
        "error_user_msg": "Inténtalo de nuevo más tarde.",
    },
)


def odd_errors(
    fault: Fault, response: ServerResponse, _: ServerRequest, __: RequestContext
) -> ServerResponse:
    """Every error has a shape that has been seen, each time another one."""
    if not response.body.startswith(b'{"error":{'):
        return response
    shape = SHAPES[(fault.times("errors") - 1) % len(SHAPES)]
    return replace(response, body=compact({"error": shape(json.loads(response.body)["error"])}))


# --- report runs ----------------------------------------------------------------------------


def creation(*bodies: Callable[[str], Any], once: bool = True) -> After:
    """The response to creating a run, given its id. With `once` for the first of its kind."""

    def after(
        fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
    ) -> ServerResponse:
        is_creation = request.method == "POST" and response.body.startswith(b'{"report_run_id":"')
        same = frozenset((k, v) for k, v in request.params.items() if k != "access_token")
        if not is_creation or (once and fault.times(request.path, same) > 1):
            return response
        made = json.loads(response.body)["report_run_id"]
        body = bodies[(fault.times("bodies") - 1) % len(bodies)]
        return replace(response, body=compact(body(made)))

    return after


#: What a poll returns now and then instead of the state of the run.
POLLS: Final[Sequence[Callable[[Any], bytes]]] = (
    lambda _: b"<html></html>",
    lambda run: compact({"id": run}),
    lambda run: compact({"id": run, "async_percent_completion": 10}),
    lambda run: compact({"id": run, "async_status": None, "async_percent_completion": None}),
)


def poll_body(
    fault: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """One in N successful polls returns nothing that can be used."""
    is_poll = (
        context.run_id is not None
        and request.parts == (context.run_id,)
        and response.status == HTTPStatus.OK
    )
    if not is_poll or not fault.picks(fault.times("polls") - 1):
        return response
    body = POLLS[(fault.times("bodies") - 1) % len(POLLS)]
    return replace(response, body=body(request.parts[0]))


# --- items of a batch -----------------------------------------------------------------------


def item_null(
    fault: Fault, response: ServerResponse, request: ServerRequest
) -> ServerResponse | None:
    return None if fault.picks(request.number) else response


def item_error(name: str) -> Item:
    """One in N items gets this line of `REFUSALS`."""

    def item(fault: Fault, response: ServerResponse, request: ServerRequest) -> ServerResponse:
        if not fault.picks(request.number):
            return response
        headers = throttle_headers(name, "") if name.startswith("throttled") else {}
        body = error_body(refused(name), "ABatchedSandbox")
        return ServerResponse(body, REFUSALS[name].status, {**response.headers, **headers})

    return item


#: Longer than anybody waits for a picture.
_HANGING_SECONDS: Final = 3600.0

#: What may be wrong with a picture, and how it is then sent.
PICTURES: Final[Mapping[str, Callable[[ServerResponse], ServerResponse]]] = {
    "errors": lambda _: ServerResponse(b"", 500),
    "hangs": lambda response: replace(response, wait_seconds=_HANGING_SECONDS),
    "slow": lambda response: replace(response, drip_seconds=0.1),
    "cut": lambda response: replace(response, body=response.body[: len(response.body) // 2]),
}


def break_picture(fault: Fault, response: ServerResponse) -> ServerResponse:
    return PICTURES[fault.word](response)
