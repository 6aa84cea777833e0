"""What is tried again in a bucket and at a destination, and how often. tenacity does it, as it does
for requests to Meta (`fbgraph.limits.retry`); single requests to a store are repeated by obstore
itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PUBLISHES", "REQUESTS", "WRITES", "publishing", "replacing"]

#: Times that obstore sends a request with a temporary failure, unless AWS_MAX_ATTEMPTS says
#: otherwise. It continues objects whose bytes stop midway, too.
REQUESTS: Final = 5

#: Times that other writers may be faster before a replacement is given up, and the longest wait in
#: between. Chance spreads those who write at once.
WRITES: Final = 20
_LONGEST_SECONDS: Final = 0.2

#: The same for publishes to a destination, which take seconds each.
PUBLISHES: Final = 8
_LONGEST_PAUSE: Final = 20.0


def replacing(give_up: Callable[[], Exception]) -> tenacity.Retrying:
    """Calls again what returns False; raises what `give_up` returns after `WRITES` times."""

    def stopped(_: tenacity.RetryCallState) -> None:
        raise give_up()

    return tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda is_done: not is_done),
        stop=tenacity.stop_after_attempt(WRITES),
        wait=tenacity.wait_random_exponential(multiplier=0.01, max=_LONGEST_SECONDS),
        retry_error_callback=stopped,
    )


def publishing(
    is_overtaken: Callable[[Any], bool], sleep: Callable[[float], None]
) -> tenacity.Retrying:
    """Calls again what another publisher has overtaken; returns the last result after `PUBLISHES`
    times.
    """

    def last(state: tenacity.RetryCallState) -> object:
        return state.outcome.result() if state.outcome else None

    return tenacity.Retrying(
        retry=tenacity.retry_if_result(is_overtaken),
        stop=tenacity.stop_after_attempt(PUBLISHES),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE),
        sleep=sleep,
        retry_error_callback=last,
    )
