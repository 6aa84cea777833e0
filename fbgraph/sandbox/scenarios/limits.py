"""Scenarios about limits: throttled calls, and quotas that count and block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import bodies, refusing
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.limits.quota import QUOTAS, tight
from fbgraph.sandbox.scenarios.sources import HANDLING, RATE_LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIMITS_SCENARIOS"]

#: Throttle → one in how many of the requests that its limit is about, and their error.
THROTTLED: Final[Mapping[str, tuple[int, str]]] = {
    "throttled": (9, "80000/2446079 for an account, with minutes to wait"),
    "throttled_management": (9, "80004/2446079 for an account's objects, with minutes to wait"),
    "throttled_account": (9, "17/2446079 for an account, with seconds to wait"),
    "throttled_account_613": (9, "613/1487742 for an account, with seconds to wait"),
    "throttled_app": (11, "4 for the whole app"),
    "throttled_insights": (9, "4/1504022 for all insights of the app"),
    "throttled_page": (11, "32 with HTTP 403"),
    "throttled_custom": (11, "613 without a subcode"),
}

LIMITS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    **{
        name: Scenario(
            f"one in N requests: {what}", RATE_LIMITS, strength=n, before=refusing.throttle(name)
        )
        for name, (n, what) in THROTTLED.items()
    },
    "throttled_application": Scenario(
        "one in N requests: 341 for the whole app",
        HANDLING,
        strength=11,
        before=refusing.throttle("throttled_application"),
    ),
    "throttled_metrics": Scenario(
        "one in N requests that create a report run: 613 about custom metrics",
        "seen in public logs of 2026",
        strength=4,
        before=refusing.throttle("throttled_metrics"),
    ),
    "never_resets": Scenario(
        "the insights limit of the second account stays used up; each refusal names N minutes",
        "not documented; a limit that an app does not get back",
        strength=0,
        before=refusing.never_reset,
    ),
    "held_up": Scenario(
        "one in N responses is a gateway's: HTML with 429 or 503, in turn with Retry-After as a"
        " date, as seconds, and without",
        "RFC 9110, 10.2.3",
        strength=11,
        after=bodies.held_up,
    ),
    "overstated_wait": Scenario(
        "one in N responses about an account says that its limit is used up for 600,000 minutes",
        "not documented; a mistake in a header",
        strength=6,
        after=bodies.overstate,
    ),
    # Quotas that count and block
    "quota_full": Scenario(
        "the quotas of full access", RATE_LIMITS, quota=lambda _: QUOTAS["full"]
    ),
    "quota_limited": Scenario(
        "the quotas of limited access", RATE_LIMITS, quota=lambda _: QUOTAS["limited"]
    ),
    "quota_tight": Scenario(
        "a score of N points for each account, and hourly quotas of 5 N to 30 N requests",
        RATE_LIMITS,
        strength=60,
        quota=tight,
    ),
}
