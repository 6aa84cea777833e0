"""Scenarios of bad luck: answers that break on their way, and errors that pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import answers, calls
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.protocol.refusals import REFUSALS
from fbgraph.sandbox.scenarios.sources import CODES, HANDLING, TRANSIENT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANSWERS_SCENARIOS"]

ANSWERS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Luck
    "flaky": Scenario(
        "one in N answers: in turn HTML 502, empty 500, text 200, cut JSON, code 2",
        *("facebook-python-business-sdk #145, #414", 5),
        after=answers.break_answer,
    ),
    "html": Scenario(
        "one in N answers: HTML, in turn with HTTP 502, 500, 503 and 504",
        *("facebook-business 26.0.3, FacebookResponse.is_success", 6),
        after=answers.html,
    ),
    "empty_500": Scenario(
        "one in N answers: HTTP 500 with no body",
        *("facebook-python-business-sdk #414", 6),
        after=answers.one_in(answers.empty_500),
    ),
    "service_unavailable": Scenario(
        "one in N answers: HTTP 200 with the text Service Unavailable",
        *("facebook-python-business-sdk #145", 6),
        after=answers.one_in(answers.service_unavailable),
    ),
    "cut_json": Scenario(
        "one in N answers: JSON that ends too early, in a whole answer",
        *(TRANSIENT, 6),
        after=answers.one_in(answers.cut_json),
    ),
    "reset": Scenario(
        "one in N answers: the connection ends in the middle of a body",
        *(TRANSIENT, 6),
        after=answers.one_in(answers.reset),
    ),
    "slow": Scenario("every answer comes N ms late", TRANSIENT, 10, after=answers.slow),
    "unavailable": Scenario(
        "one in N calls: code 2, is_transient, in turn with HTTP 503, 500 and 400",
        *(TRANSIENT, 6),
        before=calls.unavailable,
    ),
    "intermittent": Scenario(
        "one in N calls: 2/1504043, is_transient",
        *(CODES, 6),
        before=calls.now_and_then("intermittent"),
    ),
    "unknown_error": Scenario(
        "one in N calls: 1/99 with HTTP 500",
        *("airbyte #25383", 6),
        before=calls.now_and_then("unknown"),
    ),
    "odd_errors": Scenario(
        "one in N calls: code 2; and every error has another shape: error_data as an object, as"
        " text, as null text, with blame_field; `error` a plain text; no type and trace; a title in"
        " Spanish",
        "facebook-python-business-sdk #272, #563, #573; facebook-php-business-sdk #237",
        strength=6,
        before=calls.now_and_then("unavailable"),
        after=answers.odd_errors,
    ),
    "always": Scenario(
        "every call answers this line of the table of errors (`refusals`)",
        *(HANDLING, "unknown", REFUSALS),
        before=calls.always,
    ),
}
