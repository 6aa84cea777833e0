"""Headers that Meta sends beside a body: versions, traces, and shares of quotas used.

The shares here are small and move a little; quotas that really count are not imitated. Sources:
Graph API, Rate limiting; Insights API, Best practices; contract 1.11, 7.1.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["headers", "trace_of"]

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


def headers(number: int, version: str, account_id: str | None, *, insights: bool) -> dict[str, str]:
    """All headers of one answer. What an account used is there when the call names one."""
    trace = trace_of(number)
    percent = 1 + number % 7
    found = {
        **FIXED,
        "facebook-api-version": version,
        "x-fb-trace-id": trace,
        "x-fb-request-id": trace[::-1],
        "x-fb-debug": trace * 2,
        "x-app-usage": _json({"call_count": percent, "total_cputime": 0, "total_time": 1}),
    }
    if insights:
        found["x-fb-ads-insights-throttle"] = _json(
            {"app_id_util_pct": 0.1, "acc_id_util_pct": percent, "ads_api_access_tier": TIER}
        )
    if account_id:
        found |= _of_account(account_id, percent, insights=insights)
    return found


def _of_account(account_id: str, percent: int, *, insights: bool) -> dict[str, str]:
    case = {
        "type": "ads_insights" if insights else "ads_management",
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 3,
        "estimated_time_to_regain_access": 0,
        "ads_api_access_tier": TIER,
    }
    account = {"acc_id_util_pct": percent, "reset_time_duration": 0, "ads_api_access_tier": TIER}
    return {
        "x-ad-account-usage": _json(account),
        "x-business-use-case-usage": _json({account_id: [case]}),
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
