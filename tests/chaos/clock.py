"""Time that passes only while everybody waits, for a client and for the sandbox that it calls."""

from __future__ import annotations

import heapq
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Future

__all__ = ["VirtualClock"]

#: Real seconds that threads get to do what needs no waiting, before time goes on.
GRACE_SECONDS: Final = 0.0005

#: Real seconds after which time goes on although somebody seems to be at work.
WORK_SECONDS: Final = 5.0


class VirtualClock:
    """Sleepers wake in the order of their times, as they would; nobody waits in earnest.

    Time stands still while a call is under way, while one of the jobs that were waited for does
    anything but sleep, and while nobody waits for them.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0
        self._wakings: list[float] = []
        self._sleepers = self._waiters = self._calls = 0
        self._jobs: Collection[Future[Any]] = ()
        self._moved = time.monotonic()
        self._changed = threading.Condition()

    def seconds(self) -> float:
        """Since the start."""
        return self._seconds

    def now(self) -> datetime:
        """The same as an aware instant."""
        return self._start + timedelta(seconds=self._seconds)

    def sleep(self, seconds: float) -> None:
        """Come back when all who wake earlier have been woken."""
        with self._changed:
            self._sleepers += 1
            self._pass(seconds, lambda: False)
            self._sleepers -= 1

    def wait(self, futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
        """Come back when one of these is done, or after so long; gives those that are."""
        with self._changed:
            self._jobs = futures
            self._waiters += 1
            self._pass(seconds, lambda: any(one.done() for one in futures))
            self._waiters -= 1
        return [one for one in futures if one.done()]

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

    def _pass(self, seconds: float, is_over: Callable[[], bool]) -> None:
        waking = self._seconds + seconds
        heapq.heappush(self._wakings, waking)
        while self._seconds < waking and not is_over():
            is_next, before = self._wakings[0] >= waking, self._seconds
            self._changed.wait(GRACE_SECONDS if is_next else 10 * GRACE_SECONDS)
            is_still = self._wakings[0] >= waking and self._seconds == before
            if is_next and is_still and self._is_quiet() and not is_over():
                self._seconds, self._moved = waking, time.monotonic()
                self._changed.notify_all()
        self._wakings.remove(waking)
        heapq.heapify(self._wakings)

    def _is_quiet(self) -> bool:
        """Nobody calls, and nobody works. Who works for too long waits for something else."""
        if self._calls:
            return False
        idle = self._sleepers + self._waiters
        at_work = sum(not job.done() for job in self._jobs) + 1 > idle
        return not at_work or time.monotonic() - self._moved > WORK_SECONDS
