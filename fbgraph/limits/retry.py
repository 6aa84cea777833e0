"""The retry policy: what is tried again, how often and after how long, with a row for each use.

`wait_seconds` decides from the failures so far; tenacity carries it out with the sleep it is given.
Code that cannot sleep, because other work is waiting too (a batch, a report task), asks
`wait_seconds`.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import tenacity

from fbgraph.errors import (
    CursorError,
    GraphError,
    NotReadyError,
    RetryableError,
    RunFailedError,
    ThrottledError,
    UncertainWriteError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "ALONE",
    "BUSY",
    "CEILING_SECONDS",
    "LIMIT",
    "LOOKING",
    "NOT_READY",
    "OF_A_REQUEST",
    "READING",
    "REQUEST",
    "RUN",
    "RetryPolicy",
    "retrying",
    "verdict_on_write",
    "wait_seconds",
]

#: However long Meta says to wait, after this somebody looks. A block has lasted up to an hour
#: (docs/graph-api.md#limits); what says more has been a mistake.
CEILING_SECONDS: Final = 3600.0

#: A wait that looks like a hang to people who watch, so it is logged as a warning.
LONG_WAIT_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What is `retried`, up to `attempts` times, the first included.

    Waits begin with `first_seconds` and double up to `most_seconds`. A wait that the error names is
    kept, up to `CEILING_SECONDS`, and doubles from there. Chance adds up to `jitter` of a wait, so
    that callers spread. All waits together take `budget_seconds` at most, chance not counted.
    """

    retried: tuple[type[Exception], ...]
    attempts: int
    first_seconds: float = 0.0
    most_seconds: float = 0.0
    jitter: float = 0.0
    budget_seconds: float = math.inf

    def seconds(self, failures: int, named_seconds: float | None = None) -> float:
        """The wait after a number of failures, without jitter; the latest failure may name one."""
        first = self.first_seconds if named_seconds is None else named_seconds
        doubled = min(first * 2.0 ** min(failures - 1, 64), self.most_seconds)
        return min(max(named_seconds or 0.0, doubled), CEILING_SECONDS)


#: A limit is used up. 60 s is the shorter of Meta's two block times.
LIMIT: Final = RetryPolicy(
    (ThrottledError,),
    attempts=100,  # never reached: the budget is used up before
    first_seconds=60.0,
    most_seconds=900.0,
    jitter=0.1,
    budget_seconds=7200.0,
)
#: A finished report run that cannot be read yet.
NOT_READY: Final = RetryPolicy(
    (NotReadyError,), 6, first_seconds=5.0, most_seconds=60.0, jitter=0.5
)
#: Anything else that may pass: Meta is busy, the connection broke, a response makes no sense.
REQUEST: Final = RetryPolicy((RetryableError,), 6, first_seconds=1.0, most_seconds=60.0, jitter=0.5)
#: The policies of one request; the first that fits an error counts, each by its own failures.
OF_A_REQUEST: Final = (LIMIT, NOT_READY, REQUEST)
#: A request by which an object is looked for that makes a page fail: that Meta responds at all is
#: known by then, so one failure is enough to look elsewhere.
LOOKING: Final = (LIMIT, NOT_READY, replace(REQUEST, attempts=1))
#: A request about one object alone, before it is called unreadable.
ALONE: Final = (LIMIT, NOT_READY, replace(REQUEST, attempts=3))

#: A report run is created again at once. Then its query is split, or its field is searched for.
RUN: Final = RetryPolicy((RunFailedError, RetryableError), 2)
#: A query that met an outage after all attempts of its request is asked again: it is not its fault.
BUSY: Final = RetryPolicy((RetryableError,), 5)
#: One run is read from its first page again, because its cursor or a page was bad.
READING: Final = RetryPolicy((CursorError,), 4)


def wait_seconds(
    failures: Sequence[Exception], jitter: float, policies: Sequence[RetryPolicy] = OF_A_REQUEST
) -> float | None:
    """Seconds until the next attempt, or None to give up.

    `failures` of one piece of work, oldest first; `jitter` in [0, 1) is what chance says.
    """
    rows = [_policy_of(failure, policies) for failure in failures]
    policy = rows[-1]
    if policy is None:
        return None
    alike = [failure for failure, row in zip(failures, rows, strict=True) if row is policy]
    if len(alike) >= policy.attempts:
        return None
    waits = [policy.seconds(n, _named_seconds(one)) for n, one in enumerate(alike, 1)]
    return waits[-1] * (1 + jitter * policy.jitter) if sum(waits) <= policy.budget_seconds else None


def _policy_of(failure: Exception, policies: Sequence[RetryPolicy]) -> RetryPolicy | None:
    return next((one for one in policies if isinstance(failure, one.retried)), None)


def _named_seconds(failure: Exception) -> float | None:
    return failure.detail.cooldown_seconds if isinstance(failure, GraphError) else None


def retrying(
    sleep: Callable[[float], None],
    jitter: Callable[[], float],
    policies: Sequence[RetryPolicy] = OF_A_REQUEST,
) -> tenacity.Retrying:
    """A tenacity loop for one piece of work: iterate it and try inside ``with attempt:``."""
    failures: list[Exception] = []
    waits: list[float] = []

    def note(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Exception):
            return False
        failures.append(error)
        wait = wait_seconds(failures, jitter(), policies)
        waits.append(wait or 0.0)
        if wait is not None:
            level = logging.WARNING if wait >= LONG_WAIT_SECONDS else logging.INFO
            _log.log(level, "Retrying in %.0f s: %s", wait, error)
        return wait is not None

    return tenacity.Retrying(retry=note, wait=lambda _: waits[-1], sleep=sleep, reraise=True)


def verdict_on_write(error: GraphError) -> GraphError:
    """What a failure means for a request that must not happen twice: often that nobody knows.

    A throttle and a request that never left may be retried; what Meta refused for good stays so.
    """
    known = isinstance(error, ThrottledError) or not error.detail.sent
    if known or not isinstance(error, RetryableError):
        return error
    advice = "The write may have succeeded; check before retrying."
    return UncertainWriteError(replace(error.detail, advice=advice))
