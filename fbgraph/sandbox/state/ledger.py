"""The log of a sandbox: the requests that it served, for tests and benchmarks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse

__all__ = ["Ledger", "pattern"]


def pattern(path: str) -> str:
    """A path with ``{id}`` in place of ids."""
    return re.sub(r"\b(act_)?\d+\b", "{id}", "/" + path)


@dataclass(slots=True)
class Spent:
    """Server time of one kind of call: computing, and waiting because it was to be slow."""

    count: int = 0
    busy_seconds: float = 0.0
    wait_seconds: float = 0.0


class Ledger:
    """Counts calls. An item of a batch is a call, as it is in Meta's quotas; so is the batch."""

    def __init__(self) -> None:
        self._numbers = count()
        self._in_flight = 0
        #: scenario → how often it struck.
        self.faults: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; the numbers of calls go on."""
        self._calls: Counter[tuple[str, str]] = Counter()
        self._errors = 0
        self._bytes = 0
        #: Pictures that were asked for.
        self.media = 0
        self._spent: dict[str, Spent] = {}
        self._by_account: dict[str, defaultdict[str, float]] = {}
        self._most_in_flight = self._in_flight
        self.faults.clear()

    def next_number(self) -> int:
        return next(self._numbers)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Around a request, from its arrival until its response is sent."""
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            yield
        finally:
            self._in_flight -= 1

    def spend(self, kind: str, account_id: str, busy_seconds: float, wait_seconds: float) -> None:
        """`account_id` is empty for a call about none."""
        by_kind = self._by_account.setdefault(account_id, defaultdict(float))
        by_kind[kind] += busy_seconds + wait_seconds
        spent = self._spent.setdefault(kind, Spent())
        spent.count += 1
        spent.busy_seconds += busy_seconds
        spent.wait_seconds += wait_seconds

    def record(self, request: ServerRequest, response: ServerResponse) -> None:
        self._calls[request.method, pattern(request.path)] += 1
        fine = response.status == HTTPStatus.OK and response.body[:1] in (b"{", b"[")
        self._errors += not fine
        self._bytes += len(response.body)

    def report(self) -> dict[str, Any]:
        """Calls by method and path pattern, total, errors, bytes of bodies; faults that struck.
        Pictures are not calls: `media` counts them.

        `spent` has the server time by kind of call; an item of a batch has its own, and so has the
        batch, which waits as long as its slowest item. `spent_by_account` has all seconds of an
        account by kind.
        """
        calls = [
            {"method": method, "path": path, "count": n}
            for (method, path), n in sorted(self._calls.items())
        ]
        return {
            "total": sum(self._calls.values()),
            "errors": self._errors,
            "bytes": self._bytes,
            "media": self.media,
            "calls": calls,
            "faults": dict(sorted(self.faults.items())),
            "most_in_flight": self._most_in_flight,
            "spent": {kind: asdict(spent) for kind, spent in sorted(self._spent.items())},
            "spent_by_account": {key: dict(spent) for key, spent in self._by_account.items()},
        }
