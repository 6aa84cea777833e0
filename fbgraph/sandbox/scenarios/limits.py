"""Scenarios about limits: throttled calls, and quotas that count and block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import calls
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.limits.quota import QUOTAS, tight
from fbgraph.sandbox.scenarios.sources import HANDLING, RATE_LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIMITS_SCENARIOS"]

#: Throttle → one in how many of the calls that its limit is about, and what they are told.
THROTTLED: Final[Mapping[str, tuple[int, str]]] = {
    "throttled": (9, "80000/2446079 with minutes to wait, for an account"),
    "throttled_management": (9, "80004/2446079 with minutes to wait, for an account's objects"),
    "throttled_account": (9, "17/2446079 with seconds to wait, for an account"),
    "throttled_account_613": (9, "613/1487742 with seconds to wait, for an account"),
    "throttled_app": (11, "4 for the whole app"),
    "throttled_insights": (9, "4/1504022 for all insights of the app"),
    "throttled_page": (11, "32 with HTTP 403"),
    "throttled_custom": (11, "613 without a subcode"),
}

LIMITS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    **{
        name: Scenario(f"one in N calls: {what}", RATE_LIMITS, n, before=calls.throttle(name))
        for name, (n, what) in THROTTLED.items()
    },
    "throttled_application": Scenario(
        "one in N calls: 341 for the whole app",
        *(HANDLING, 11),
        before=calls.throttle("throttled_application"),
    ),
    "throttled_metrics": Scenario(
        "one in N calls: 613 about custom metrics, where a report run is created",
        *("seen in public logs of 2026", 4),
        before=calls.throttle("throttled_metrics"),
    ),
    # Quotas that count and block
    "quota_full": Scenario(
        "the quotas of full access", RATE_LIMITS, quota=lambda _: QUOTAS["full"]
    ),
    "quota_limited": Scenario(
        "the quotas of limited access", RATE_LIMITS, quota=lambda _: QUOTAS["limited"]
    ),
    "quota_tight": Scenario(
        "an account's score of N points, and hourly quotas of 5 N to 30 N calls",
        *(RATE_LIMITS, 60),
        quota=tight,
    ),
}
