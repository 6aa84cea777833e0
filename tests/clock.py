"""The tests' time, for clients and for the sandbox that they call: one that a test moves, and one
that passes only while everybody waits.
"""

from __future__ import annotations

import heapq
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.pace import within

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Future

__all__ = ["NOW", "Calling", "Clock", "VirtualClock"]

#: An hour at which the days before are over in every zone.
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)

#: Real seconds that threads get to do what needs no waiting, before time goes on.
GRACE_SECONDS: Final = 0.0005

#: Real seconds in which nobody has begun or ended anything, after which time goes on although
#: somebody seems to be at work.
WORK_SECONDS: Final = 5.0


class Clock:
    """Stands still until a test moves it or somebody who has it sleeps, which ends at once.

    `waits` are the seconds of each sleep, in their order.
    """

    def __init__(self, start: datetime = NOW) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.waits: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    @property
    def now(self) -> datetime:
        """The time as an aware instant. A test sets it, forwards or back."""
        return self._start + timedelta(seconds=self._seconds)

    @now.setter
    def now(self, now: datetime) -> None:
        self._seconds = (now - self._start).total_seconds()

    def seconds(self) -> float:
        """Since the start."""
        return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds
            self.waits.append(seconds)
        time.sleep(GRACE_SECONDS)  # lets the thread that is waited for go on


class VirtualClock(Clock):
    """Sleepers wake in the order of their times, as they would; nobody waits in earnest.

    Time stands still while a call is under way, while one of the jobs that were waited for does
    anything but sleep, and while a thread that decides about them is at work.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._wakings: list[float] = []
        self._calls = 0
        self._idle: set[int] = set()  # threads that sleep or wait
        self._jobs: dict[int, Collection[Future[Any]]] = {}  # by the thread that decides
        self._stirred = time.monotonic()
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        """Come back when all who wake earlier have been woken."""
        with self._changed:
            self._pass(max(seconds, 0.0), lambda: False)

    def wait(self, futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
        """Come back when one of these is done, or after so long; gives those that are."""
        with self._changed:
            self._jobs[threading.get_ident()] = futures
            self._pass(seconds, lambda: any(one.done() for one in futures))
        return [one for one in futures if one.done()]

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """This thread decides what others do: inside, time goes on only while it waits."""
        with self._changed:
            self._jobs[threading.get_ident()] = ()
            self._stirred = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._jobs[threading.get_ident()]

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
                self._stirred = time.monotonic()

    def _pass(self, seconds: float, is_over: Callable[[], bool]) -> None:
        waking = self._seconds + seconds
        self._idle.add(threading.get_ident())
        self._stirred = time.monotonic()
        heapq.heappush(self._wakings, waking)
        while self._seconds < waking and not is_over():
            is_next, before = self._wakings[0] >= waking, self._seconds
            self._changed.wait(GRACE_SECONDS if is_next else 10 * GRACE_SECONDS)
            is_still = self._wakings[0] >= waking and self._seconds == before
            if is_next and is_still and self._is_quiet() and not is_over():
                self._seconds, self._stirred = waking, time.monotonic()
                self._changed.notify_all()
        self._wakings.remove(waking)
        heapq.heapify(self._wakings)
        self._idle.remove(threading.get_ident())

    def _is_quiet(self) -> bool:
        """Nobody calls, and nobody works. Who works for too long waits for something else."""
        if self._calls:
            return False
        # Only of who waits is it known which jobs there are: another one may just have begun some.
        decided = self._jobs.keys() <= self._idle
        jobs = sum(not job.done() for jobs in self._jobs.values() for job in jobs)
        is_at_work = not decided or jobs > len(self._idle - self._jobs.keys())
        return not is_at_work or time.monotonic() - self._stirred > within(WORK_SECONDS)


class Calling(httpx.BaseTransport):
    """Calls take none of a clock's time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._below = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._clock.calling():
            response = self._below.handle_request(request)
            response.read()
            return response

    def close(self) -> None:
        self._below.close()
