"""From a request to its response: checks who calls, dispatches to the endpoint, wraps what it
returns.
"""

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
from fbgraph.sandbox.protocol.errors import RefusedError, authenticate_header, error_body
from fbgraph.sandbox.protocol.messages import ServerResponse
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.server import batch
from fbgraph.sandbox.server.versions import served_version
from fbgraph.sandbox.world.context import RequestContext

if TYPE_CHECKING:
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.state.tokens import Token
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["respond"]


def respond(platform: Platform, request: ServerRequest) -> ServerResponse:
    """One call from its arrival to its response, refusals, scenarios and headers included."""
    began = perf_counter()
    context = _place(platform, request)
    today = context.now.date()
    requested = version = newest(today)
    try:
        version = served_version(request, today, upgrade=platform.settings.auto_upgrade)
        requested = request.version  # and it is served, if by another one
        token = platform.tokens.check(request, context.now)
        _authorize(platform, request, token, context.account)
        if platform.meter:
            platform.meter.count(request, context)
        platform.active.before(request, context)
        version = platform.active.version(version)
        # Items of a batch were asked of the version that the batch was, if it named one.
        is_batch = not request.parts and bool(request.version)
        response = _handle(platform, request if is_batch else replace(request, version=version))
    except RefusedError as error:
        response = _refusal(error, request)
    usual = _headers(platform, request, version, context)
    if _is_upgrade(requested, version):
        usual["x-ad-api-version-warning"] = (
            f"The call has been auto-upgraded to {version} as {requested} has been deprecated."
        )
    response = replace(response, headers={**usual, **response.headers})
    response = platform.active.after(request, response, context)
    platform.ledger.record(request, response)
    return _timed(platform, request, context, response, began)


def _timed(
    platform: Platform,
    request: ServerRequest,
    context: RequestContext,
    response: ServerResponse,
    began: float,
) -> ServerResponse:
    """With the time that it is to take, where the sandbox is not instant."""
    kind, factor = kind_of(request, context), platform.settings.latency
    if factor:
        wait = response.wait_seconds + factor * call_seconds(kind, response)
        response = replace(response, wait_seconds=wait)
    account_id = context.account.id if context.account else ""
    platform.ledger.spend(kind, account_id, perf_counter() - began, response.wait_seconds)
    return response


def _headers(
    platform: Platform, request: ServerRequest, version: str, context: RequestContext
) -> dict[str, str]:
    account_id = context.account.id if context.account else None
    meter = platform.meter
    shares = meter.shares(request, context) if meter else small_shares(request.number)
    insights = is_insights(request, context)
    return headers(request.number, version, account_id, shares, insights=insights)


def _batch(platform: Platform, request: ServerRequest) -> ServerResponse:
    """The items run at the same time: the whole is as slow as the slowest of them."""
    responses: list[ServerResponse] = []

    def respond_to(item: ServerRequest) -> ServerResponse:
        responses.append(respond(platform, item))
        return responses[-1]

    body = batch.run(request, platform.ledger.next_number, respond_to, platform.active.item)
    return ServerResponse(
        body,
        wait_seconds=max((one.wait_seconds for one in responses), default=0.0),
        is_cut_short=any(one.is_cut_short for one in responses),
    )


def _is_upgrade(requested: str, served: str) -> bool:
    """Whether a newer version responds than was requested; Meta then says so."""
    known = re.fullmatch(r"v(\d{1,2}\.\d)", requested)
    return known is not None and float(known[1]) < float(served[1:])


def _refusal(error: RefusedError, request: ServerRequest) -> ServerResponse:
    refusal = error.refusal
    extra = {"www-authenticate": authenticate_header(refusal), **refusal.headers}
    return ServerResponse(error_body(error, trace_of(request.number)), refusal.status, extra)


def _place(platform: Platform, request: ServerRequest) -> RequestContext:
    """The account that a call is about, however it names it, and the run."""
    first = request.parts[0] if request.parts else ""
    now = platform.now()
    run = platform.runs.find(first, now)
    node = platform.world.nodes[run.account_id] if run else platform.world.find(first)
    run_id = run.id if run else None
    return RequestContext(platform.world, node.line.get("account") if node else None, now, run_id)


def _authorize(
    platform: Platform, request: ServerRequest, token: Token, account: WorldNode | None
) -> None:
    """Whether the token reaches the object that a call is about.

    An account that it does not see is refused by name, anything in it as if it were not there.
    Source: docs/graph-api.md#errors.
    """
    if account is None:
        if request.parts and platform.world.find(request.parts[0]):
            token.need("business_management")  # what belongs to no account is a business
        return
    token.need_ads()
    if token.sees(account):
        return
    if request.parts[0].startswith("act_"):
        raise refused("account_forbidden")
    raise refused("unknown_object", method=request.method.lower(), id=request.parts[0])


def _handle(platform: Platform, request: ServerRequest) -> ServerResponse:
    if (request.method, request.parts) == ("POST", ()):
        return _batch(platform, request)
    return ServerResponse(dispatch(platform, request))
