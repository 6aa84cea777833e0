"""Call → response: checks who calls, hands the call to its endpoint, wraps what it gives back."""

from __future__ import annotations

import re
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from fbgraph.catalog.versions import newest
from fbgraph.sandbox.endpoints.routes import dispatch
from fbgraph.sandbox.limits.quota import is_insights
from fbgraph.sandbox.limits.timing import call_seconds, kind_of
from fbgraph.sandbox.limits.usage import headers, small_shares, trace_of
from fbgraph.sandbox.protocol.call import Response
from fbgraph.sandbox.protocol.errors import RefusedError, authenticate_header, error_body
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.server import batch
from fbgraph.sandbox.server.versions import served_version
from fbgraph.sandbox.world.place import Place

if TYPE_CHECKING:
    from fbgraph.sandbox.protocol.call import Call
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.state.tokens import Token
    from fbgraph.sandbox.world.nodes import Node

__all__ = ["respond"]


def respond(platform: Platform, call: Call) -> Response:
    """One call from its arrival to its response, refusals, scenarios and headers included."""
    began = perf_counter()
    place = _place(platform, call)
    today = place.now.date()
    asked = version = newest(today)
    try:
        version = served_version(call, today, upgrade=platform.settings.auto_upgrade)
        asked = call.version  # and it is served, if by another one
        token = platform.tokens.check(call, place.now)
        _authorize(platform, call, token, place.account)
        if platform.meter:
            platform.meter.count(call, place)
        platform.active.before(call, place)
        version = platform.active.version(version)
        # Items of a batch were asked of the version that the batch was, if it named one.
        is_batch = not call.parts and bool(call.version)
        response = _handle(platform, call if is_batch else replace(call, version=version))
    except RefusedError as error:
        response = _refusal(error, call)
    usual = _headers(platform, call, version, place)
    if _is_upgrade(asked, version):
        usual["x-ad-api-version-warning"] = (
            f"The call has been auto-upgraded to {version} as {asked} has been deprecated."
        )
    response = replace(response, headers={**usual, **response.headers})
    response = platform.active.after(call, response, place)
    platform.ledger.record(call, response)
    return _timed(platform, call, place, response, began)


def _timed(
    platform: Platform, call: Call, place: Place, response: Response, began: float
) -> Response:
    """With the time that it is to take, where the sandbox is not instant."""
    kind, factor = kind_of(call, place), platform.settings.latency
    if factor:
        wait = response.wait_seconds + factor * call_seconds(kind, response)
        response = replace(response, wait_seconds=wait)
    account_id = place.account.id if place.account else ""
    platform.ledger.spend(kind, account_id, perf_counter() - began, response.wait_seconds)
    return response


def _headers(platform: Platform, call: Call, version: str, place: Place) -> dict[str, str]:
    account_id = place.account.id if place.account else None
    meter = platform.meter
    shares = meter.shares(call, place) if meter else small_shares(call.number)
    insights = is_insights(call, place)
    return headers(call.number, version, account_id, shares, insights=insights)


def _batch(platform: Platform, call: Call) -> Response:
    """The items run at the same time: the whole is as slow as the slowest of them."""
    responses: list[Response] = []

    def respond_to(item: Call) -> Response:
        responses.append(respond(platform, item))
        return responses[-1]

    body = batch.run(call, platform.ledger.next_number, respond_to, platform.active.item)
    return Response(
        body,
        wait_seconds=max((one.wait_seconds for one in responses), default=0.0),
        is_cut_short=any(one.is_cut_short for one in responses),
    )


def _is_upgrade(asked: str, served: str) -> bool:
    """Whether a newer version responds than was requested; Meta then says so."""
    known = re.fullmatch(r"v(\d{1,2}\.\d)", asked)
    return known is not None and float(known[1]) < float(served[1:])


def _refusal(error: RefusedError, call: Call) -> Response:
    refusal = error.refusal
    extra = {"www-authenticate": authenticate_header(refusal), **refusal.headers}
    return Response(error_body(error, trace_of(call.number)), refusal.status, extra)


def _place(platform: Platform, call: Call) -> Place:
    """The account that a call is about, however it names it, and the run."""
    first = call.parts[0] if call.parts else ""
    now = platform.now()
    run = platform.runs.find(first, now)
    node = platform.world.nodes[run.account_id] if run else platform.world.find(first)
    run_id = run.id if run else None
    return Place(platform.world, node.line.get("account") if node else None, now, run_id)


def _authorize(platform: Platform, call: Call, token: Token, account: Node | None) -> None:
    """Whether the token reaches the object that a call is about.

    An account that it does not see is refused by name, anything in it as if it were not there.
    Source: docs/graph-api.md#errors.
    """
    if account is None:
        if call.parts and platform.world.find(call.parts[0]):
            token.need("business_management")  # what belongs to no account is a business
        return
    token.need_ads()
    if token.sees(account):
        return
    if call.parts[0].startswith("act_"):
        raise refused("account_forbidden")
    raise refused("unknown_object", method=call.method.lower(), id=call.parts[0])


def _handle(platform: Platform, call: Call) -> Response:
    if (call.method, call.parts) == ("POST", ()):
        return _batch(platform, call)
    return Response(dispatch(platform, call))
