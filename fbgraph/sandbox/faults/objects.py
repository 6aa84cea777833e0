"""Faults in accounts and their objects, wherever they are read: in lists, by their id, in a
batch.
"""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.errors import error_body
from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse, compact
from fbgraph.sandbox.protocol.refusals import REFUSALS, refused
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.nodes import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.world.context import RequestContext

    Row = dict[str, Any]
    Change = Callable[[Row], object]
    After = Callable[[Fault, ServerResponse, ServerRequest, RequestContext], ServerResponse]

__all__ = [
    "break_accounts",
    "break_cells",
    "enlarge_amounts",
    "fail_creatives",
    "lose_objects",
    "no_limits",
    "overdo",
    "rename_currency",
    "spoil_creatives",
]


#: Edges that list objects with fields of their own.
LISTINGS: Final = frozenset({"campaigns", "adsets", "ads", "adaccounts"})

#: field → what cannot be read in its place, each with the wrong kind or shape of value.
UNREADABLE: Final[Mapping[str, Any]] = {
    "daily_budget": "12a",
    "name": ["a", "list"],
    "created_time": "yesterday",
    "special_ad_categories": "HOUSING",
}


#: field → the value that means none. Source: Campaign reference, `spend_cap`; the time as recorded.
NOT_SET: Final[Mapping[str, Any]] = {
    "spend_cap": "922337203685478",
    "end_time": "1969-12-31T16:00:00-0800",
}


def break_cells(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext | None = None
) -> ServerResponse:
    """One in N objects, always the same ones, has values that cannot be read."""

    def change(found: Row) -> object:
        if _is_spared(fault, found):
            return found
        return {**found, **{key: odd for key, odd in UNREADABLE.items() if key in found}}

    return _changed(response, request, change)


def lose_objects(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    """One in N objects of lists, always the same ones, is null or lacks its id."""

    def change(found: Row) -> object:
        if _is_spared(fault, found):
            return found
        if dice(fault.name, found["id"]) // max(1, fault.number) % 2:
            return None
        return {key: found[key] for key in found if key != "id"}

    return _changed(response, request, change) if _is_list(request) else response


def _is_spared(fault: Fault, found: Row) -> bool:
    """Accounts, and all objects but one in N."""
    return _is_account(found) or dice(fault.name, found["id"]) % max(1, fault.number) > 0


def _is_account(found: Row) -> bool:
    """Or what has no id, such as a response that is not an object."""
    return str(found.get("id") or "act_").startswith("act_")


def break_accounts(
    _: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """The list of accounts has a null and an account without id; the second account has a name and
    a balance that cannot be read, the third a time zone that does not exist.
    """
    second, third = (f"act_{one.id}" for one in context.world.accounts[1:3])
    odd: Mapping[str, Row] = {
        second: {"name": {"text": "a name"}, "balance": "a lot"},
        third: {"timezone_name": "Mars/Olympus_Mons"},
    }

    def change(found: Row) -> object:
        changes = odd.get(str(found.get("id")), {})
        return {**found, **{key: value for key, value in changes.items() if key in found}}

    changed = _changed(response, request, change)
    if request.parts != ("me", "adaccounts") or changed.status != HTTPStatus.OK:
        return changed
    body = json.loads(changed.body)
    return replace(changed, body=compact({**body, "data": [None, {"name": ""}, *body["data"]]}))


def no_limits(
    _: Fault, response: ServerResponse, request: ServerRequest, __: RequestContext | None = None
) -> ServerResponse:
    """Caps of campaigns are Meta's number for none, ends of ad sets the zero of Unix time."""
    requested = request.params.get("fields", "")
    odd = {key: value for key, value in NOT_SET.items() if key in requested}
    return _changed(
        response, request, lambda found: found if _is_account(found) else {**found, **odd}
    )


def enlarge_amounts(
    _: Fault, response: ServerResponse, request: ServerRequest, __: RequestContext
) -> ServerResponse:
    """What accounts have spent has 16 digits."""

    def change(found: Row) -> object:
        spent = str(found.get("amount_spent") or "")
        return {**found, "amount_spent": f"1{spent:0>15}"} if spent else found

    return _changed(response, request, change)


def rename_currency(
    _: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """The second account has a currency that nobody knows."""
    second = f"act_{context.world.accounts[1].id}"

    def change(found: Row) -> object:
        is_meant = found.get("id") == second and "currency" in found
        return {**found, "currency": "XTS"} if is_meant else found

    return _changed(response, request, change)


def spoil_creatives(refusal: str) -> After:
    """One in N creatives, always the same ones, fails whatever response it is in, if it is asked
    for what it is made of. Meta does not say which creative it is.
    """

    def after(
        fault: Fault, response: ServerResponse, _: ServerRequest, __: RequestContext
    ) -> ServerResponse:
        if b'"object_story_spec"' not in response.body or response.status != HTTPStatus.OK:
            return response
        body = json.loads(response.body)
        rows = body.get("data", [body])
        found = [row.get("creative", row) for row in rows if isinstance(row, dict)]
        if not any(_is_spoilt(fault, row) for row in found):
            return response
        return replace(
            response, body=error_body(refused(refusal), ""), status=REFUSALS[refusal].status
        )

    return after


def fail_creatives(*, ids_too: bool) -> After:
    """One in N creatives, always the same ones, fails whatever response it is in, with an error
    that says nothing; if not `ids_too`, only where more than ids is requested.
    """

    def after(
        fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
    ) -> ServerResponse:
        is_list = request.parts[-1:] == ("adcreatives",)
        is_node = len(request.parts) == 1 and request.parts[0].startswith(PREFIXES["creative"])
        asks_more = request.params.get("fields", "id") != "id"
        if response.status != HTTPStatus.OK or not (is_list or is_node):
            return response
        body = json.loads(response.body)
        ids = [str(row.get("id")) for row in body.get("data", [body])]
        is_met = any(dice("failing", one) % max(1, fault.number) == 0 for one in ids)
        if not is_met or not (ids_too or asks_more):
            return response
        return replace(response, body=error_body(refused("unknown"), ""), status=500)

    return after


#: In place of digits that Python does not write as a number.
_PLACE: Final = b'"<digits>"'

#: How deep a value nests, and how many digits a number has.
NESTED: Final = 450
DIGITS: Final = 5_000


def overdo(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    """One in N objects of any list, always the same ones, nests deep in each of its objects and
    lists, and has thousands of digits in each of its numbers; not in its ids.
    """
    is_list = len(request.parts) == 2 and "insights" not in request.parts  # noqa: PLR2004  # node, edge
    if response.status != HTTPStatus.OK or not is_list or b'"data"' not in response.body:
        return response
    body = json.loads(response.body)
    rows = [_overdone(row) if _is_overdone(fault, row) else row for row in body["data"]]
    if rows == body["data"]:
        return response
    text = compact({**body, "data": rows})
    return replace(response, body=text.replace(_PLACE, b"9" * DIGITS))


def _is_overdone(fault: Fault, row: object) -> bool:
    known = isinstance(row, dict) and str(row.get("id") or row.get("hash") or "")
    return bool(known) and dice("overdone", known) % max(1, fault.number) == 0


def _overdone(row: Row) -> Row:
    deep: Any = []
    for _ in range(NESTED):
        deep = {"deep": deep}
    return {
        key: deep
        if isinstance(value, dict | list)
        else _PLACE.decode().strip('"')
        if str(value).isdecimal() and not key.endswith(("id", "hash"))
        else value
        for key, value in row.items()
    }


def _is_spoilt(fault: Fault, creative: object) -> bool:
    if not isinstance(creative, dict) or "object_story_spec" not in creative:
        return False
    return dice("spoilt", str(creative["id"])) % max(1, fault.number) == 0


def _is_list(request: ServerRequest) -> bool:
    return request.method == "GET" and request.parts[-1:] != () and request.parts[-1] in LISTINGS


def _changed(response: ServerResponse, request: ServerRequest, change: Change) -> ServerResponse:
    """A response with its objects changed; the same one if none was."""
    is_node = request.method == "GET" and len(request.parts) == 1
    if response.status != HTTPStatus.OK or not (is_node or _is_list(request)):
        return response
    body = json.loads(response.body)
    if is_node:
        after = change(body)
    else:
        after = {**body, "data": [change(one) if one else one for one in body["data"]]}
    return response if after == body else replace(response, body=compact(after))
