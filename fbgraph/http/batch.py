"""Several requests in one: cut into batches, and the outcome of each. No I/O.

Source: Graph API, Batch requests. A batch holds at most 50 requests, and each counts as one against
the limits. An item that did not finish in time comes back as null.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fbgraph.errors import Detail, RetryableError
from fbgraph.limits.retry import OF_A_REQUEST, verdict_on_write, wait_seconds
from fbgraph.limits.stuck import final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fbgraph.errors import GraphError
    from fbgraph.http.request import Request
    from fbgraph.http.response import Response
    from fbgraph.limits.retry import RetryPolicy
    from fbgraph.limits.throttle import Throttle

__all__ = ["MAX_ITEMS", "Pending", "batches", "fits", "form_of", "items_of", "next_batch"]

MAX_ITEMS: Final = 50


@dataclass(slots=True)
class Pending:
    """One request of a batch until it has its `outcome`: a value, or the error it ended with.

    `policies`: how often it is tried again if it failed by itself, not with its whole batch.
    """

    request: Request
    policies: Sequence[RetryPolicy] = OF_A_REQUEST
    ready_at: float = 0.0
    failures: list[GraphError] = field(default_factory=list)
    outcome: Any = None
    is_done: bool = False

    def succeed(self, value: Any) -> None:
        self.outcome, self.is_done = value, True

    def fail(self, error: GraphError, now: float, jitter: float, *, alone: bool = True) -> None:
        """Give up, or wait for another attempt of this request. `alone`: it was not the batch that
        failed.
        """
        if not self.request.repeatable:
            error = verdict_on_write(error)
        self.failures.append(error)
        wait = wait_seconds(self.failures, jitter, self.policies if alone else OF_A_REQUEST)
        if wait is None:
            self.succeed(final(error))
        else:
            self.ready_at = now + wait


def fits(one: Pending, batch: Sequence[Pending]) -> bool:
    """Whether `one` may join the batch.

    Two files of one name never share a batch, so that each part keeps the name it has outside.
    """
    names = {name for other in batch for name in other.request.files}
    return len(batch) < MAX_ITEMS and not names & set(one.request.files)


def batches(pending: Sequence[Pending]) -> Iterator[Sequence[Pending]]:
    """Cut into batches that Graph takes, in order."""
    batch: list[Pending] = []
    for one in pending:
        if not fits(one, batch):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def next_batch(
    waiting: Iterable[Pending], now: float, throttle: Throttle
) -> tuple[Sequence[Pending], float]:
    """Those that may be sent now in one batch, and how long until the next one may be. A request
    whose limit is stuck gets that error as its outcome.
    """
    batch: list[Pending] = []
    soonest = math.inf
    for one in waiting:
        if not fits(one, batch):
            break
        if error := throttle.stuck(one.request):
            one.succeed(error)
            soonest = 0.0
            continue
        wait = one.ready_at - now
        wait = wait if wait > 0 else throttle.acquire(one.request)
        if wait > 0:
            soonest = min(soonest, wait)
        else:
            batch.append(one)
    return batch, soonest


def form_of(
    batch: Sequence[Pending], proof: str | None
) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """The form of a batch, and its files by the name of their part."""
    items = [one.request.item(proof) for one in batch]
    files = {name: content for one in batch for name, content in one.request.files.items()}
    return {"batch": json.dumps(items, separators=(",", ":"))}, files


def items_of(response: Response, count: int) -> Sequence[object]:
    """The items of a batch's response. Raises RetryableError if there are not `count` of them."""
    parsed = response.json()
    if not isinstance(parsed, list) or len(parsed) != count:
        text = f"The response to a batch does not have an item for each of its requests ({count})."
        raise RetryableError(Detail(text, call=response.call))
    return parsed
