"""Headers that Meta sends with a body: versions, traces, and shares of quotas used.

Sources: Graph API, Rate limiting; Insights API, Best practices; docs/graph-api.md#usage-headers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TIER", "Shares", "headers", "small_shares", "trace_of"]

TIER: Final = "standard_access"

FIXED: Final[Mapping[str, str]] = {
    "content-type": "application/json; charset=UTF-8",
    "cache-control": "private, no-cache, no-store, must-revalidate",
    "expires": "Sat, 01 Jan 2000 00:00:00 GMT",
    "pragma": "no-cache",
    "x-fb-rev": "1031234567",
}


def trace_of(number: int) -> str:
    """``fbtrace_id`` of a call; the same for the same call of the same sandbox."""
    digest = hashlib.blake2b(str(number).encode(), digest_size=15).digest()
    return "A" + base64.urlsafe_b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Shares:
    """What has been used, in percent of each limit, and how long a block still lasts."""

    tier: str
    app: float
    account: float = 0.0
    account_seconds: int = 0
    case: float = 0.0  # of the business use case that the call belongs to
    case_minutes: int = 0
    app_insights: float = 0.0


def small_shares(number: int) -> Shares:
    """Where nothing is counted: they move a little with the number of the call."""
    percent = 1 + number % 7
    return Shares(TIER, percent, percent, case=percent, app_insights=0.1)


def headers(
    number: int, version: str, account_id: str | None, shares: Shares, *, insights: bool
) -> dict[str, str]:
    """All headers of one response. What an account used is there when the call names one."""
    trace = trace_of(number)
    found = {
        **FIXED,
        "facebook-api-version": version,
        "x-fb-trace-id": trace,
        "x-fb-request-id": trace[::-1],
        "x-fb-debug": trace * 2,
        "x-app-usage": _json(
            {"call_count": round(shares.app), "total_cputime": 0, "total_time": 1}
        ),
    }
    if insights:
        found["x-fb-ads-insights-throttle"] = _json(
            {
                "app_id_util_pct": shares.app_insights,
                "acc_id_util_pct": shares.case,
                "ads_api_access_tier": shares.tier,
            }
        )
    if account_id:
        found |= _of_account(account_id, shares, insights=insights)
    return found


def _of_account(account_id: str, shares: Shares, *, insights: bool) -> dict[str, str]:
    case = {
        "type": "ads_insights" if insights else "ads_management",
        "call_count": round(shares.case),
        "total_cputime": 1,
        "total_time": 3,
        "estimated_time_to_regain_access": shares.case_minutes,
        "ads_api_access_tier": shares.tier,
    }
    account = {
        "acc_id_util_pct": shares.account,
        "reset_time_duration": shares.account_seconds,
        "ads_api_access_tier": shares.tier,
    }
    return {
        "x-ad-account-usage": _json(account),
        "x-business-use-case-usage": _json({account_id: [case]}),
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
