"""Scenarios about bodies on their way, and about gateways that answer in Meta's place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fbgraph.sandbox.faults.responses import HTML, HTML_HEADERS
from fbgraph.sandbox.protocol.messages import ServerResponse, compact

if TYPE_CHECKING:
    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.context import RequestContext

__all__ = ["drip", "held_up", "inflate", "overstate", "page_by_time"]

#: Seconds that a gateway says to wait.
HELD_UP_SECONDS: Final = 7

#: What an inflated page has behind its rows: more than a client should hold.
BLANKS: Final = 100_000_000

#: Minutes that a limit is said to be used up for: 416 days.
OVERSTATED_MINUTES: Final = 600_000


def held_up(
    fault: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """One in N responses is HTML of a gateway: 429, 503 with a date, 429 with seconds, in turn."""
    if not fault.picks(request.number):
        return response
    now = context.now
    status, headers = (
        (429, {"retry-after": str(HELD_UP_SECONDS)}),
        (503, {"retry-after": _http_date(now + timedelta(seconds=HELD_UP_SECONDS))}),
        (429, {}),
    )[request.number // max(1, fault.number) % 3]
    return ServerResponse(HTML, status, {**HTML_HEADERS, "date": _http_date(now), **headers})


def _http_date(now: Any) -> str:
    return format_datetime(now, usegmt=True)


def overstate(
    fault: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """One in N responses about an account says that its limit is used up for more than a year."""
    if context.account is None or not fault.picks(request.number):
        return response
    case = {
        "type": "ads_insights" if "insights" in request.parts else "ads_management",
        "call_count": 5,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": OVERSTATED_MINUTES,
    }
    usage = compact({context.account.id: [case]}).decode()
    return replace(response, headers={**response.headers, "x-business-use-case-usage": usage})


def _is_first_page(fault: Fault, response: ServerResponse, request: ServerRequest) -> bool:
    """Whether it is the first page of several rows of a list, for the first time."""
    is_page = response.body.startswith(b'{"data":[{') and request.params.get("limit") != "1"
    return is_page and "after" not in request.params and fault.times(request.path) == 1


def drip(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    """The first page of each list comes a byte every N ms, once."""
    if not _is_first_page(fault, response, request):
        return response
    return replace(response, drip_seconds=fault.number / 1000)


def inflate(
    fault: Fault, response: ServerResponse, request: ServerRequest, _: RequestContext
) -> ServerResponse:
    """The first pages of N lists have 100 MB of blanks, which pack to nearly nothing."""
    is_first = _is_first_page(fault, response, request)
    if not is_first or fault.times("inflated") > fault.number:
        return response
    return replace(response, body=response.body + b" " * BLANKS)


def page_by_time(
    _: Fault, response: ServerResponse, request: ServerRequest, context: RequestContext
) -> ServerResponse:
    """Lists go on by `since` and `until` in place of cursors, as those of Page insights do."""
    if not response.body.startswith(b'{"data":['):
        return response
    try:
        answer = json.loads(response.body)
    except ValueError:  # another fault has broken it
        return response
    if "next" not in answer.get("paging", {}):
        return response
    until = int(context.now.timestamp())
    answer["paging"] = {
        name: f"{request.base_url}/{request.version}/{request.path}?"
        + urlencode({"access_token": request.token or "", "since": since, "until": since + 86_400})
        for name, since in (("previous", until - 2 * 86_400), ("next", until))
    }
    return replace(response, body=compact(answer))
