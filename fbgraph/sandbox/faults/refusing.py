"""Faults that refuse requests: tokens, permissions, versions, throttles. A response that breaks
now and then, such as `flaky`, is in `responses`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.limits.usage import TIER
from fbgraph.sandbox.protocol.errors import RefusedError
from fbgraph.sandbox.protocol.refusals import EXPIRED_ON, REFUSALS, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.insights.extent import InsightsRequest
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.context import RequestContext

    Before = Callable[[Fault, ServerRequest, RequestContext], None]

__all__ = [
    "always",
    "break_cursor",
    "die_later",
    "expire",
    "expire_version",
    "lose_account",
    "never_reset",
    "now_and_then",
    "other_version",
    "refuse",
    "refuse_account",
    "refuse_audiences",
    "refuse_high_limit",
    "refuse_insights",
    "refuse_long_activities",
    "refuse_long_ranges",
    "refuse_old_fields",
    "refuse_old_hours",
    "refuse_retired_fields",
    "throttle",
    "throttle_headers",
    "time_out",
    "unavailable",
    "upgrade",
]

# --- tokens, permissions --------------------------------------------------------------------

#: Accounts that are refused, by their index in the listing.
FORBIDDEN: Final = 1
GONE: Final = 2
LOST: Final = 3

AUDIENCES: Final = (("customaudiences",), ("saved_audiences",))

#: Fields of objects, with the kind, that some version retires.
RETIRED: Final[Mapping[str, str]] = {
    "balance": "AdAccount",
    "buying_type": "Campaign",
    "billing_event": "AdSet",
    "object_type": "AdCreative",
}

#: The code of a right that is missing altogether; 10 is that of the app.
ANY_RIGHT: Final = 200


def refuse(name: str) -> Before:
    """Every call gets this line of `REFUSALS`."""

    def every(_: Fault, __: ServerRequest, ___: RequestContext) -> None:
        raise refused(name)

    return every


def always(fault: Fault, _: ServerRequest, __: RequestContext) -> None:
    """Every call gets the refusal that the scenario names, its facts left out."""
    known = REFUSALS[fault.word]
    facts: Mapping[str, str] = defaultdict(lambda: "x")
    raise RefusedError(replace(known, message=known.message.format_map(facts)), known.blames)


def expire(_: Fault, __: ServerRequest, context: RequestContext) -> None:
    current = f"{context.now:%A, %d-%b-%y %H:%M:%S} PST"
    raise refused("token_expired", expired=EXPIRED_ON, current=current)


def die_later(fault: Fault, request: ServerRequest, context: RequestContext) -> None:
    """The token works for N calls."""
    if fault.times("calls") > fault.number:
        expire(fault, request, context)


def refuse_account(index: int, name: str) -> Before:
    """One account refuses every call about it."""

    def about_it(_: Fault, request: ServerRequest, context: RequestContext) -> None:
        if context.is_account(index):
            raise refused(name, method=request.method.lower(), id=request.parts[0])

    return about_it


def refuse_insights(_: Fault, request: ServerRequest, context: RequestContext) -> None:
    if context.is_account(FORBIDDEN) and "insights" in request.parts:
        raise refused("insights_forbidden")


def lose_account(fault: Fault, _: ServerRequest, context: RequestContext) -> None:
    """One account can be read for N calls, then no more."""
    if context.is_account(LOST) and fault.times("calls") > fault.number:
        raise refused("account_forbidden")


# --- versions -------------------------------------------------------------------------------

#: For a client that has fallen behind.
NEXT_VERSION: Final = "v27.0"
OLDER_VERSION: Final = "v25.0"


def expire_version(_: Fault, request: ServerRequest, __: RequestContext) -> None:
    if request.parts not in {("me",), ("debug_token",)}:
        raise refused("version", latest=NEXT_VERSION)


def upgrade(_: Fault, __: str) -> str:
    return NEXT_VERSION


def other_version(_: Fault, __: str) -> str:
    """An older version than was asked for, with no word about it."""
    return OLDER_VERSION


# --- throttles ------------------------------------------------------------------------------

#: How long a throttled caller is asked to wait. Its next call succeeds all the same.
REGAIN_MINUTES: Final = 1
RESET_SECONDS: Final = 60

#: Percent that a header shows of a limit that has been passed.
FULL: Final = 104


def _app_usage(_: str) -> dict[str, str]:
    return {"x-app-usage": _json({"call_count": FULL, "total_cputime": 20, "total_time": 40})}


def _account_usage(_: str) -> dict[str, str]:
    usage = {"acc_id_util_pct": FULL, "reset_time_duration": RESET_SECONDS}
    return {"x-ad-account-usage": _json({**usage, "ads_api_access_tier": TIER})}


def _insights_usage(_: str) -> dict[str, str]:
    usage = {"app_id_util_pct": FULL, "acc_id_util_pct": 10, "ads_api_access_tier": TIER}
    return {"x-fb-ads-insights-throttle": _json(usage)}


def _business_usage(kind: str, minutes: int = REGAIN_MINUTES) -> Callable[[str], dict[str, str]]:
    case = {
        "type": kind,
        "call_count": FULL,
        "total_cputime": 40,
        "total_time": 40,
        "estimated_time_to_regain_access": minutes,
        "ads_api_access_tier": TIER,
    }
    return lambda account: {"x-business-use-case-usage": _json({account: [case]})}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _is_about_account(request: ServerRequest, context: RequestContext) -> bool:
    return bool(request.parts) and context.account is not None


def _is_insights(request: ServerRequest, _: RequestContext) -> bool:
    return "insights" in request.parts


@dataclass(frozen=True, slots=True)
class ThrottleFault:
    """Which calls a limit is about, and the headers that go with its refusal, by account."""

    counts: Callable[[ServerRequest, RequestContext], bool]
    headers: Callable[[str], dict[str, str]]


#: Line of `REFUSALS` → what goes with it. Source: Rate limiting of Graph and Marketing API.
THROTTLES: Final[Mapping[str, ThrottleFault]] = {
    "throttled": ThrottleFault(_is_about_account, _business_usage("ads_insights")),
    "throttled_management": ThrottleFault(
        lambda request, context: (
            _is_about_account(request, context) and not _is_insights(request, context)
        ),
        _business_usage("ads_management"),
    ),
    "throttled_account": ThrottleFault(_is_about_account, _account_usage),
    "throttled_account_613": ThrottleFault(_is_about_account, _account_usage),
    "throttled_app": ThrottleFault(lambda _, __: True, _app_usage),
    "throttled_insights": ThrottleFault(_is_insights, _insights_usage),
    "throttled_page": ThrottleFault(lambda _, __: True, _app_usage),
    "throttled_application": ThrottleFault(lambda _, __: True, _app_usage),
    "throttled_custom": ThrottleFault(_is_about_account, lambda _: {}),
    "throttled_metrics": ThrottleFault(
        lambda request, _: request.method == "POST" and "insights" in request.parts, lambda _: {}
    ),
}


def throttle_headers(name: str, account_id: str) -> dict[str, str]:
    return THROTTLES[name].headers(account_id)


def throttle(name: str) -> Before:
    """One in N of the calls that the limit is about is refused."""
    limit = THROTTLES[name]

    def one_in(fault: Fault, request: ServerRequest, context: RequestContext) -> None:
        if limit.counts(request, context) and fault.picks(fault.times("calls") - 1):
            account = context.account.id if context.account else ""
            raise RefusedError(replace(REFUSALS[name], headers=limit.headers(account)))

    return one_in


def never_reset(fault: Fault, request: ServerRequest, context: RequestContext) -> None:
    """The insights limit of one account stays used up."""
    if context.is_account(FORBIDDEN) and (_is_insights(request, context) or context.run_id):
        account = context.account.id if context.account else ""
        headers = _business_usage("ads_insights", fault.number)(account)
        raise RefusedError(replace(REFUSALS["throttled"], headers=headers))


# --- luck -----------------------------------------------------------------------------------


def now_and_then(name: str) -> Before:
    """One in N calls gets this line of `REFUSALS`."""

    def one_in(fault: Fault, request: ServerRequest, _: RequestContext) -> None:
        if fault.picks(request.number):
            raise refused(name)

    return one_in


#: Statuses with which code 2 has been seen, in turn.
UNAVAILABLE: Final = (503, 500, 400)


def unavailable(fault: Fault, request: ServerRequest, _: RequestContext) -> None:
    if fault.picks(request.number):
        index = request.number // max(1, fault.number) % len(UNAVAILABLE)
        raise RefusedError(replace(REFUSALS["unavailable"], status=UNAVAILABLE[index]))


def break_cursor(fault: Fault, request: ServerRequest, _: RequestContext) -> None:
    """The first page of a listing that is asked for with a cursor is refused, once."""
    if request.params.get("after"):
        left_out = {"after", "before", "limit", "access_token"}
        same = frozenset((k, v) for k, v in request.params.items() if k not in left_out)
        if fault.times(request.path, same) == 1:
            raise refused("cursor")


def refuse_audiences(fault: Fault, request: ServerRequest, context: RequestContext) -> None:
    """Audiences of the second account need a right that the token lacks."""
    if context.is_account(FORBIDDEN) and request.parts[-1:] in AUDIENCES:
        raise refused("account_forbidden" if fault.number == ANY_RIGHT else "no_permission")


def refuse_retired_fields(_: Fault, request: ServerRequest, __: RequestContext) -> None:
    """A version of the API has retired some fields of objects."""
    fields = request.params.get("fields", "")
    if request.parts[-1:] not in {("insights",), ("activities",)}:
        for name, kind in RETIRED.items():
            if re.search(rf"\b{name}\b", fields):
                raise refused("node_field", name=name, type=kind)


def refuse_long_activities(fault: Fault, request: ServerRequest, context: RequestContext) -> None:
    """However few rows a page has: it is the time that is too long."""
    if request.parts[-1:] == ("activities",):
        ends = [request.params.get(name, "") for name in ("since", "until")]
        since, until = (int(text) if text.isdecimal() else 0 for text in ends)
        until = until or int(context.now.timestamp())
        if since and until - since > fault.number * 86_400:
            raise refused("reduce_data")


def refuse_high_limit(fault: Fault, request: ServerRequest, _: RequestContext) -> None:
    limit = request.params.get("limit", "")
    if limit.isdecimal() and int(limit) > fault.number:
        raise refused("reduce_data")


# --- what is asked of insights --------------------------------------------------------------


def refuse_long_ranges(fault: Fault, insights_request: InsightsRequest) -> None:
    if insights_request.extent.days > fault.number:
        raise refused("too_much_data")


#: What a synchronous call gets that takes too long, in turn.
TIME_OUTS: Final = ("timed_out", "timed_out_2", "timed_out_2_1504018")


def time_out(fault: Fault, insights_request: InsightsRequest) -> None:
    if not insights_request.is_run and insights_request.extent.rows > fault.number:
        raise refused(TIME_OUTS[(fault.times("calls") - 1) % len(TIME_OUTS)])


def refuse_old_hours(_: Fault, insights_request: InsightsRequest) -> None:
    first = insights_request.query.hourly_from
    if first and insights_request.query.since < first:
        raise refused("hourly_too_old", first=str(first))


def refuse_old_fields(refusal: str, fault: Fault, insights_request: InsightsRequest) -> None:
    """The field named by `fault.word` is refused, with this line of `REFUSALS`, where a range
    begins before the 13 months.
    """
    if (
        fault.word in insights_request.query.fields
        and insights_request.query.since < insights_request.query.kept_from
    ):
        raise refused(refusal, name=fault.word)
