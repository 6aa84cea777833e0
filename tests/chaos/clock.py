"""Time that passes only while everybody waits, for a client and for the sandbox that it calls."""

from __future__ import annotations

import heapq
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["VirtualClock"]

#: Real seconds that threads get to do what needs no waiting, before time goes on.
GRACE_SECONDS: Final = 0.001


class VirtualClock:
    """Sleepers wake in the order of their times, as they would; nobody waits in earnest.

    Time stands still while a call is under way. Between calls threads get `GRACE_SECONDS` to go on.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0
        self._wakings: list[float] = []
        self._calls = 0
        self._changed = threading.Condition()

    def seconds(self) -> float:
        """Since the start."""
        return self._seconds

    def now(self) -> datetime:
        """The same as an aware instant."""
        return self._start + timedelta(seconds=self._seconds)

    def sleep(self, seconds: float) -> None:
        """Come back when all who wake earlier have been woken, and no call is under way."""
        with self._changed:
            waking = self._seconds + seconds
            heapq.heappush(self._wakings, waking)
            while self._seconds < waking:
                is_next, before = self._wakings[0] >= waking, self._seconds
                self._changed.wait(GRACE_SECONDS if is_next else 10 * GRACE_SECONDS)
                is_still = self._wakings[0] >= waking and self._seconds == before
                if is_next and is_still and not self._calls:
                    self._seconds = waking
                    self._changed.notify_all()
            self._wakings.remove(waking)
            heapq.heapify(self._wakings)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Time stands still inside."""
        with self._changed:
            self._calls += 1
        try:
            yield
        finally:
            with self._changed:
                self._calls -= 1
