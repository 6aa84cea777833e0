"""Time that passes only while everybody waits, for clients and for the sandbox that they call."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Future

__all__ = ["Calling", "VirtualClock"]

#: Real seconds that threads get to do what needs no waiting, before time goes on.
GRACE_SECONDS: Final = 0.001


class VirtualClock:
    """Sleepers wake in the order of their times, as they would; nobody waits in earnest.

    Time stands still while a call is under way, and while a thread that decides is at work. Others
    get some grace to go on between their calls.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0
        self._wakings: list[float] = []
        self._calls = 0
        self._changes = 0
        self._deciding: set[int] = set()
        self._waiting: set[int] = set()
        self._changed = threading.Condition()

    def seconds(self) -> float:
        """Since the start."""
        return self._seconds

    def now(self) -> datetime:
        """The same as an aware instant."""
        return self._start + timedelta(seconds=self._seconds)

    def sleep(self, seconds: float) -> None:
        """Come back when all who wake earlier have been woken, and no call is under way."""
        self._pass(seconds, lambda: False)

    def wait(self, futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
        """Come back when one of these is done, or after so long; gives those that are."""
        self._pass(seconds, lambda: any(one.done() for one in futures))
        return [one for one in futures if one.done()]

    def _pass(self, seconds: float, is_over: Callable[[], bool]) -> None:
        with self._changed:
            waking = self._seconds + max(seconds, 0.0)
            self._wakings.append(waking)
            self._waiting.add(threading.get_ident())
            self._changes += 1
            while self._seconds < waking and not is_over():
                before = self._changes
                self._changed.wait(GRACE_SECONDS)
                is_next = min(self._wakings) >= waking and self._deciding <= self._waiting
                is_quiet = before == self._changes and not self._calls
                if is_next and is_quiet and not is_over():
                    self._seconds = max(self._seconds, waking)
                    self._note()
            self._wakings.remove(waking)
            self._waiting.remove(threading.get_ident())
            self._note()

    def _note(self) -> None:
        self._changes += 1
        self._changed.notify_all()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """This thread decides what others do: inside, time goes on only while it waits."""
        with self._changed:
            self._deciding.add(threading.get_ident())
        try:
            yield
        finally:
            with self._changed:
                self._deciding.remove(threading.get_ident())

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Time stands still inside."""
        with self._changed:
            self._calls += 1
            self._changes += 1
        try:
            yield
        finally:
            with self._changed:
                self._calls -= 1
                self._changes += 1


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
