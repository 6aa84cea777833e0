"""What the sandbox served: its own account of calls, for tests and benchmarks."""

from __future__ import annotations

import re
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fbgraph.sandbox.call import Answer, Call

__all__ = ["Ledger", "pattern"]


OK: Final = 200


def pattern(path: str) -> str:
    """A path with ``{id}`` in place of ids."""
    return re.sub(r"\b(act_)?\d+\b", "{id}", "/" + path)


class Ledger:
    """Counts calls. An item of a batch is a call, as it is in Meta's quotas; so is the batch."""

    def __init__(self) -> None:
        self._numbers = count()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; the numbers of calls go on."""
        self._calls: Counter[tuple[str, str]] = Counter()
        self._errors = 0
        self._bytes = 0

    def next_number(self) -> int:
        return next(self._numbers)

    def record(self, call: Call, answer: Answer) -> None:
        self._calls[call.method, pattern(call.path)] += 1
        fine = answer.status == OK and answer.body[:1] in (b"{", b"[")
        self._errors += not fine
        self._bytes += len(answer.body)

    def report(self) -> dict[str, Any]:
        """Calls by method and path pattern, their total, errors among them, bytes of bodies."""
        calls = [
            {"method": method, "path": path, "count": n}
            for (method, path), n in sorted(self._calls.items())
        ]
        return {
            "total": sum(self._calls.values()),
            "errors": self._errors,
            "bytes": self._bytes,
            "calls": calls,
        }
