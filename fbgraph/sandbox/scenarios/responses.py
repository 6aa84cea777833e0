"""Scenarios about responses, such as `flaky`: those that break on their way, and temporary
errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import bodies, refusing, responses
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.protocol.refusals import REFUSALS
from fbgraph.sandbox.scenarios.sources import CODES, HANDLING, TRANSIENT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RESPONSES_SCENARIOS"]

RESPONSES_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Luck
    "flaky": Scenario(
        "one in N responses: in turn HTML with 502, empty with 500, text with 200, cut-off"
        " JSON, code 2",
        "facebook-python-business-sdk #145, #414",
        strength=5,
        after=responses.break_in_turn,
    ),
    "html": Scenario(
        "one in N responses: HTML, in turn with HTTP 502, 500, 503 and 504",
        "facebook-business 26.0.3, FacebookResponse.is_success",
        strength=6,
        after=responses.html,
    ),
    "empty_500": Scenario(
        "one in N responses: HTTP 500 without a body",
        "facebook-python-business-sdk #414",
        strength=6,
        after=responses.one_in(responses.empty_500),
    ),
    "service_unavailable": Scenario(
        "one in N responses: HTTP 200 with the text Service Unavailable",
        "facebook-python-business-sdk #145",
        strength=6,
        after=responses.one_in(responses.service_unavailable),
    ),
    "cut_json": Scenario(
        "one in N responses: JSON that ends too early, in a complete response",
        TRANSIENT,
        strength=6,
        after=responses.one_in(responses.cut_json),
    ),
    "reset": Scenario(
        "one in N responses: the connection closes in the middle of the body",
        TRANSIENT,
        strength=6,
        after=responses.one_in(responses.reset),
    ),
    "dripping": Scenario(
        "the first page of each list comes a byte every N ms, once; after 500 bytes the connection"
        " closes",
        "not documented; slow proxies",
        strength=1,
        after=bodies.drip,
    ),
    "inflated": Scenario(
        "the first pages of N lists have 100 MB of blanks behind them, packed",
        "not documented; any proxy may",
        strength=3,
        after=bodies.inflate,
    ),
    "slow": Scenario("every response is N ms late", TRANSIENT, strength=10, after=responses.slow),
    "unavailable": Scenario(
        "one in N requests: code 2, is_transient, in turn with HTTP 503, 500 and 400",
        TRANSIENT,
        strength=6,
        before=refusing.unavailable,
    ),
    "intermittent": Scenario(
        "one in N requests: 2/1504043, is_transient",
        CODES,
        strength=6,
        before=refusing.now_and_then("intermittent"),
    ),
    "unknown_error": Scenario(
        "one in N requests: 1/99 with HTTP 500",
        "airbyte #25383",
        strength=6,
        before=refusing.now_and_then("unknown"),
    ),
    "odd_errors": Scenario(
        "one in N requests: code 2; and every error has a different shape: error_data as an"
        " object, as text, as the text null, with blame_field; `error` as plain text; no type"
        " and trace; a title in Spanish",
        "facebook-python-business-sdk #272, #563, #573; facebook-php-business-sdk #237",
        strength=6,
        before=refusing.now_and_then("unavailable"),
        after=responses.odd_errors,
    ),
    "always": Scenario(
        "every request fails with this line of the table of errors (`protocol/refusals.py`)",
        HANDLING,
        strength="unknown",
        words=REFUSALS,
        before=refusing.always,
    ),
}
