"""Work in several threads that nobody waits for once its time is over."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["THREADS", "in_threads"]

In = TypeVar("In")
Out = TypeVar("Out")

#: Downloads at once.
THREADS: Final = 8

#: How often it is looked whether the time is over, and how often once more after that: what is cut
#: off ends within milliseconds.
_LOOK_SECONDS: Final = 0.1
_LAST_LOOKS: Final = 10


def in_threads(
    work: Callable[[In], Out],
    items: Sequence[In],
    *,
    is_enough: Callable[[], bool],
    is_over: Callable[[], bool],
    cut: Callable[[], object],
) -> Generator[Out, None, None]:
    """What `work` makes of each item, as it comes, begun in order. Raises what `work` raises.

    Nothing is begun once it `is_enough`. Once the time `is_over`, `cut` ends what is under way. A
    thread that goes on all the same is left behind: it may be stuck where nothing wakes it, such as
    in a lookup of a name, and so the threads of a pool, which are joined at exit, would not do.
    """
    shared = _Shared(deque(items), work, is_enough)
    for number in range(min(THREADS, len(items))):
        threading.Thread(target=shared.work_on, name=f"pictures-{number}", daemon=True).start()
    looks = _LAST_LOOKS
    try:
        while looks and not shared.has_ended:
            try:
                found = shared.done.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if is_over():
                    cut()
                    looks -= 1
                continue
            shared.ended += 1
            if isinstance(found, _Failed):
                raise found.error
            yield found
    finally:
        with shared.lock:
            shared.waiting.clear()


@dataclass(slots=True)
class _Shared(Generic[In, Out]):
    """What the threads share with the one that waits for them. `begun` and `ended`: how many of
    the items.
    """

    waiting: deque[In]
    work: Callable[[In], Out]
    is_enough: Callable[[], bool]
    done: queue.SimpleQueue[Out | _Failed] = field(default_factory=queue.SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: int = 0
    ended: int = 0

    def work_on(self) -> None:
        """What one thread does."""
        while True:
            with self.lock:
                if not self.waiting or self.is_enough():
                    return
                one = self.waiting.popleft()
                self.begun += 1
            try:
                self.done.put(self.work(one))
            except BaseException as error:  # noqa: BLE001  # raised where it is waited for
                self.done.put(_Failed(error))

    @property
    def has_ended(self) -> bool:
        """Whether nothing is under way, and nothing will be."""
        with self.lock:
            return self.begun == self.ended and (not self.waiting or self.is_enough())


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException
