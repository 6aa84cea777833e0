"""Scenarios about who calls and what may be called: tokens, accounts, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import refusing
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import CODES, HANDLING, VERSIONING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CALLERS_SCENARIOS"]

CALLERS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Tokens
    "expired_token": Scenario("every request fails with 190/463", HANDLING, before=refusing.expire),
    "token_dies": Scenario(
        "the token works for N requests, then is expired (190/463)",
        HANDLING,
        strength=40,
        before=refusing.die_later,
    ),
    "password_changed": Scenario(
        "every request fails with 190/460", HANDLING, before=refusing.refuse("token_revoked")
    ),
    "app_not_installed": Scenario(
        "every request fails with 190/458", HANDLING, before=refusing.refuse("app_not_installed")
    ),
    "session_invalid": Scenario(
        "every request fails with 102", HANDLING, before=refusing.refuse("session_invalid")
    ),
    "blocked": Scenario(
        "every request fails with 368: blocked for a policy violation",
        HANDLING,
        before=refusing.refuse("blocked"),
    ),
    "app_blocked": Scenario(
        "every request fails with 200: API access blocked, for the whole app",
        "seen in public logs of 2026",
        before=refusing.refuse("app_blocked"),
    ),
    # Accounts
    "forbidden_account": Scenario(
        "the second account is listed, but every request about it fails with 200",
        "airbyte #26679",
        before=refusing.refuse_account(refusing.FORBIDDEN, "account_forbidden"),
    ),
    "forbidden_app": Scenario(
        "the second account is listed, but every request about it fails with 10",
        HANDLING,
        before=refusing.refuse_account(refusing.FORBIDDEN, "no_permission"),
    ),
    "forbidden_insights": Scenario(
        "insights of the second account fail with 100/3191001",
        CODES,
        before=refusing.refuse_insights,
    ),
    "gone_account": Scenario(
        "the third account is listed, but every request about it fails with 100/33",
        HANDLING,
        before=refusing.refuse_account(refusing.GONE, "unknown_object"),
    ),
    "lost_account": Scenario(
        "the fourth account can be read for N requests, then every request about it fails with 200",
        "airbyte #26679",
        strength=8,
        before=refusing.lose_account,
    ),
    # Versions
    "expired_version": Scenario(
        "every API version has ended (2635)", VERSIONING, before=refusing.expire_version
    ),
    "upgraded_version": Scenario(
        "a newer version responds, with a warning header and in `next`",
        VERSIONING,
        version=refusing.upgrade,
    ),
    "other_version": Scenario(
        "an older version responds, in its header and in `next`, without a warning",
        "seen in public logs of 2026",
        version=refusing.other_version,
    ),
}
