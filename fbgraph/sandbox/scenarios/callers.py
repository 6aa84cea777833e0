"""Scenarios about who calls and what may be called: tokens, accounts, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import calls
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import CODES, HANDLING, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CALLERS_SCENARIOS"]

CALLERS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Tokens
    "expired_token": Scenario("every call answers 190/463", HANDLING, before=calls.expire),
    "token_dies": Scenario(
        "the token is good for N calls, then expired (190/463)",
        *(HANDLING, 40),
        before=calls.die_later,
    ),
    "password_changed": Scenario(
        "every call answers 190/460", HANDLING, before=calls.refuse("token_revoked")
    ),
    "app_not_installed": Scenario(
        "every call answers 190/458", HANDLING, before=calls.refuse("app_not_installed")
    ),
    "session_invalid": Scenario(
        "every call answers 102", HANDLING, before=calls.refuse("session_invalid")
    ),
    "blocked": Scenario(
        "every call answers 368: blocked for a violation of policy",
        HANDLING,
        before=calls.refuse("blocked"),
    ),
    # Accounts
    "forbidden_account": Scenario(
        "the second account is listed but refuses everything with 200",
        "airbyte #26679",
        before=calls.refuse_account(calls.FORBIDDEN, "account_forbidden"),
    ),
    "forbidden_app": Scenario(
        "the second account is listed but refuses everything with 10",
        HANDLING,
        before=calls.refuse_account(calls.FORBIDDEN, "no_permission"),
    ),
    "forbidden_insights": Scenario(
        "the second account refuses its insights with 100/3191001",
        CODES,
        before=calls.refuse_insights,
    ),
    "gone_account": Scenario(
        "the third account is listed but answers 100/33 to everything",
        HANDLING,
        before=calls.refuse_account(calls.GONE, "unknown_object"),
    ),
    "lost_account": Scenario(
        "the fourth account may be read for N calls, then refuses everything with 200",
        *("airbyte #26679", 8),
        before=calls.lose_account,
    ),
    # Versions
    "expired_version": Scenario(
        "every version is expired (2635)", VERSIONS, before=calls.expire_version
    ),
    "upgraded_version": Scenario(
        "a newer version answers, with a warning header and in `next`",
        VERSIONS,
        version=calls.upgrade,
    ),
    "other_version": Scenario(
        "an older version answers, with no warning, in its header and in `next`",
        "seen in public logs of 2026",
        version=calls.other_version,
    ),
}
