"""Limits that do not reset: when waiting for one ends, and the error that says so.

Meta's blocks last minutes; up to an hour has been reported (docs/graph-api.md#pauses). A limit that
refuses everything for longer is not waited for: what needs it fails, with the reason, and the same
command goes on from there later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.errors import Detail, LimitStuckError, ThrottledError
from fbgraph.limits.retry import LIMIT

if TYPE_CHECKING:
    from fbgraph.errors import GraphError
    from fbgraph.limits.usage import Limit

__all__ = [
    "LIMIT_STUCK_REFUSALS",
    "LIMIT_STUCK_SECONDS",
    "final",
    "is_stuck",
    "stuck_error",
    "waited_out",
]

#: A limit that has refused this many requests in a row, the last so long after the first, is not
#: waited for any longer. The longest wait is an hour, so the end comes after three hours at most.
LIMIT_STUCK_REFUSALS: Final = 3
LIMIT_STUCK_SECONDS: Final = 7200.0

_ADVICE: Final = (
    "Run the same command again later; it resumes. The app dashboard"
    " (https://developers.facebook.com/apps) shows which limit it is."
)


def _hours(seconds: float) -> str:
    """``2 h 5 min``, ``40 min``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


#: How long one request waits for its limits, in all.
_PATIENCE: Final = _hours(LIMIT.budget_seconds)


def is_stuck(refusals: int, seconds: float) -> bool:
    """Whether waiting ends: `refusals` in a row, `seconds` between the first and the last."""
    return refusals >= LIMIT_STUCK_REFUSALS and seconds >= LIMIT_STUCK_SECONDS


def stuck_error(limit: Limit, refusals: int, seconds: float, last: Detail) -> LimitStuckError:
    """`last`: what Meta said in the last refusal."""
    whose = f"act_{limit.account_id}'s" if limit.account_id else "the app's"
    text = (
        f"Gave up waiting: {limit.named(whose)} has refused {refusals} requests in a row over"
        f" {_hours(seconds)}. Meta's last response: {last.message}"
    )
    return LimitStuckError(replace(last, message=text, advice=_ADVICE))


def waited_out(last: Detail | None = None) -> LimitStuckError:
    """For a request that has waited as long as one may, while others used its limits up again."""
    text = f"Gave up: the limits of this request were still used up after {_PATIENCE} of waiting."
    if last is None:
        return LimitStuckError(Detail(text, advice=_ADVICE))
    text = f"{text} Meta's last response: {last.message}"
    return LimitStuckError(replace(last, message=text, advice=_ADVICE))


def final(error: GraphError) -> GraphError:
    """The error that a request ends with, when it is not tried again after `error`."""
    return waited_out(error.detail) if isinstance(error, ThrottledError) else error
