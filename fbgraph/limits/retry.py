"""When a failed request is retried, and after how long.

`wait_seconds` decides from the failures so far; tenacity carries it out with the sleep it is given.
Throttles have a budget of their own: waiting for a limit does not count as a failed attempt.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import tenacity

from fbgraph.errors import (
    GraphError,
    NotReadyError,
    RetryableError,
    ThrottledError,
    UncertainWriteError,
)
from fbgraph.limits.throttle import blocked_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["MAX_ATTEMPTS", "MAX_THROTTLED_SECONDS", "retrying", "verdict_on_write", "wait_seconds"]

#: Attempts in all, the first one included, that may end in anything but a throttle.
MAX_ATTEMPTS: Final = 6

#: What one request may spend waiting for limits. A block has lasted up to an hour
#: (docs/graph-api.md#limits).
MAX_THROTTLED_SECONDS: Final = 2 * 3600.0

#: A wait that looks like a hang to whoever watches, and so is logged as a warning.
LONG_WAIT_SECONDS: Final = 5.0

_FIRST_WAIT_SECONDS: Final = 1.0
_MAX_WAIT_SECONDS: Final = 60.0
_NOT_READY_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


def wait_seconds(failures: Sequence[GraphError], jitter: float) -> float | None:
    """Seconds until the next attempt, or None to give up.

    `failures` of this one request, oldest first; `jitter` in [0, 1) spreads callers apart: it adds
    up to half of a backoff and up to a tenth of a wait that Meta named.
    """
    last = failures[-1]
    if isinstance(last, ThrottledError):
        throttles = [e for e in failures if isinstance(e, ThrottledError)]
        cooldown = _cooldown_seconds(throttles)
        waited = sum(_cooldown_seconds(throttles[:n]) for n in range(1, len(throttles)))
        return None if waited + cooldown > MAX_THROTTLED_SECONDS else cooldown * (1 + jitter / 10)
    tries = sum(not isinstance(e, ThrottledError) for e in failures)
    if not isinstance(last, RetryableError) or tries >= MAX_ATTEMPTS:
        return None
    first = _NOT_READY_SECONDS if isinstance(last, NotReadyError) else _FIRST_WAIT_SECONDS
    return min(first * 2.0 ** (tries - 1), _MAX_WAIT_SECONDS) * (1 + jitter / 2)


def retrying(sleep: Callable[[float], None], jitter: Callable[[], float]) -> tenacity.Retrying:
    """A tenacity loop for one request: iterate it and try inside ``with attempt:``."""
    failures: list[GraphError] = []
    waits: list[float] = []

    def note(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, GraphError):
            return False
        failures.append(error)
        wait = wait_seconds(failures, jitter())
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


def _cooldown_seconds(throttles: Sequence[ThrottledError]) -> float:
    return blocked_seconds(len(throttles), throttles[-1].detail.cooldown_seconds)
