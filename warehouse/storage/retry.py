"""What is tried again in a bucket, and how often. tenacity does it, as it does for requests to Meta
(`fbgraph.limits.retry`); single requests to S3 are repeated by botocore itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tenacity
from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READS", "REQUESTS", "WRITES", "reading", "replacing"]

#: Times that botocore sends a request with a temporary failure, unless AWS_MAX_ATTEMPTS says
#: otherwise. Its own waits grow up to 20 s, with jitter.
REQUESTS: Final = 5

#: Times that an object is requested whose bytes stop midway: botocore repeats requests only.
READS: Final = 3
_CUT_SHORT: Final = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)

#: Times that other writers may be faster before a replacement is given up, and the longest wait in
#: between. Chance spreads those who write at once.
WRITES: Final = 20
_LONGEST_SECONDS: Final = 0.2


def reading() -> tenacity.Retrying:
    """Reads an object again that was cut short, at once; raises what the last read raised."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_CUT_SHORT),
        stop=tenacity.stop_after_attempt(READS),
        reraise=True,
    )


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
