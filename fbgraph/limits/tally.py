"""The tally of a client: how many requests it has sent, and the latest usage and version that
Meta reported.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from fbgraph.limits.usage import Usage

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """How many requests one client has sent.

    `calls` as Meta counts them, failed ones and each item of a batch; the latest usage, and the
    version that served the latest response. Requests of a client from `counted` also count for the
    client that it came from: `whole` is the tally of that one.
    """

    calls: int = 0
    api_version: str = ""
    usage: Usage = field(default_factory=Usage)
    whole: Tally | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, calls: int) -> None:
        """Add requests that are sent, from any thread."""
        with self._lock:
            self.calls += calls
        if self.whole is not None:
            self.whole.count(calls)

    def part(self) -> Tally:
        """A tally that begins at zero and counts towards this one."""
        return Tally(0, self.api_version, self.usage, self)
