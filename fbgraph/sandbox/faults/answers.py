"""Scenarios that spoil answers: bodies, shapes of errors, ids of runs, items of batches."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.faults.calls import throttle_headers
from fbgraph.sandbox.protocol.call import Answer, compact
from fbgraph.sandbox.protocol.errors import error_body
from fbgraph.sandbox.protocol.refusals import REFUSALS, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.protocol.call import Call
    from fbgraph.sandbox.world.place import Place

    After = Callable[[Fault, Answer, Call, Place], Answer]
    Item = Callable[[Fault, Answer, Call], Answer | None]

__all__ = [
    "break_answer",
    "create_answer",
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


def html_502(_: Answer) -> Answer:
    return Answer(HTML, 502, HTML_HEADERS)


#: Statuses with which HTML has been seen, in turn.
HTML_STATUSES: Final = (502, 500, 503, 504)


def html(fault: Fault, answer: Answer, call: Call, _: Place) -> Answer:
    if not fault.picks(call.number):
        return answer
    turn = call.number // max(1, fault.number) % len(HTML_STATUSES)
    return replace(html_502(answer), status=HTML_STATUSES[turn])


def empty_500(_: Answer) -> Answer:
    return Answer(b"", 500)


def service_unavailable(_: Answer) -> Answer:
    return Answer(b"Service Unavailable", 200, HTML_HEADERS)


def cut_json(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])


def reset(answer: Answer) -> Answer:
    """The connection ends in the middle of the body."""
    return replace(answer, is_cut_short=True)


def _code_2(answer: Answer) -> Answer:
    return replace(answer, body=error_body(refused("unavailable"), "AFlakySandbox"), status=503)


#: What goes wrong in `flaky`, in turn.
BREAKS: Final[Sequence[Callable[[Answer], Answer]]] = (
    *(html_502, empty_500, service_unavailable, cut_json, _code_2),
)


def break_answer(fault: Fault, answer: Answer, call: Call, _: Place) -> Answer:
    turn = call.number // max(1, fault.number) % len(BREAKS)
    return BREAKS[turn](answer) if fault.picks(call.number) else answer


def one_in(spoil: Callable[[Answer], Answer]) -> After:
    """One in so many answers is spoilt in this way."""

    def after(fault: Fault, answer: Answer, call: Call, _: Place) -> Answer:
        return spoil(answer) if fault.picks(call.number) else answer

    return after


def slow(fault: Fault, answer: Answer, _: Call, __: Place) -> Answer:
    return replace(answer, wait_seconds=answer.wait_seconds + fault.number / 1000)


def shrink_pages(fault: Fault, answer: Answer, call: Call, _: Place) -> Answer:
    """A page of more than one row and so many bytes is refused; with fewer rows it is not."""
    is_page = answer.body.startswith(b'{"data":[') and call.params.get("limit") != "1"
    if not is_page or len(answer.body) <= fault.number:
        return answer
    return replace(answer, body=error_body(refused("reduce_data"), ""), status=500)


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


def odd_errors(fault: Fault, answer: Answer, _: Call, __: Place) -> Answer:
    """Every error has a shape that has been seen, each time another one."""
    if not answer.body.startswith(b'{"error":{'):
        return answer
    shape = SHAPES[(fault.times("errors") - 1) % len(SHAPES)]
    return replace(answer, body=compact({"error": shape(json.loads(answer.body)["error"])}))


# --- report runs ----------------------------------------------------------------------------


def create_answer(*bodies: Callable[[str], Any], once: bool = True) -> After:
    """What the creation of a run answers, given its id. With `once` for the first of its kind."""

    def after(fault: Fault, answer: Answer, call: Call, _: Place) -> Answer:
        is_creation = call.method == "POST" and answer.body.startswith(b'{"report_run_id":"')
        same = frozenset((k, v) for k, v in call.params.items() if k != "access_token")
        if not is_creation or (once and fault.times(call.path, same) > 1):
            return answer
        made = json.loads(answer.body)["report_run_id"]
        body = bodies[(fault.times("bodies") - 1) % len(bodies)]
        return replace(answer, body=compact(body(made)))

    return after


#: What a poll answers now and then instead of where the run stands.
POLLS: Final[Sequence[Callable[[Any], bytes]]] = (
    lambda _: b"<html></html>",
    lambda run: compact({"id": run}),
    lambda run: compact({"id": run, "async_percent_completion": 10}),
    lambda run: compact({"id": run, "async_status": None, "async_percent_completion": None}),
)


def poll_body(fault: Fault, answer: Answer, call: Call, place: Place) -> Answer:
    """One in so many polls that went well says nothing that can be used."""
    is_poll = (
        place.run_id is not None
        and call.parts == (place.run_id,)
        and answer.status == HTTPStatus.OK
    )
    if not is_poll or not fault.picks(fault.times("polls") - 1):
        return answer
    body = POLLS[(fault.times("bodies") - 1) % len(POLLS)]
    return replace(answer, body=body(call.parts[0]))


# --- items of a batch -----------------------------------------------------------------------


def item_null(fault: Fault, answer: Answer, call: Call) -> Answer | None:
    return None if fault.picks(call.number) else answer


def item_error(name: str) -> Item:
    """One in so many items gets this line of `REFUSALS`."""

    def item(fault: Fault, answer: Answer, call: Call) -> Answer:
        if not fault.picks(call.number):
            return answer
        headers = throttle_headers(name, "") if name.startswith("throttled") else {}
        body = error_body(refused(name), "ABatchedSandbox")
        return Answer(body, REFUSALS[name].status, {**answer.headers, **headers})

    return item
