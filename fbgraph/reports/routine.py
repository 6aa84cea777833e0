"""Coroutines that an engine resumes step by step.

A coroutine awaits a step; the engine carries it out when there is room, and sends its result back,
or throws its error in at the same place. So ``try`` and ``except`` are where the calls are,
although one thread decides for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence
    from datetime import date

    from fbgraph.reports.poller import Watch

__all__ = ["All", "Call", "Create", "Finished", "Routine", "Step", "Until"]

T = TypeVar("T")


class Step(Generic[T]):
    """What a coroutine waits for."""

    def __await__(self) -> Generator[Step[Any], Any, T]:
        result: T = yield self
        return result


class Call(Step[T]):
    """A call, or several, that a thread makes for an account; returns its result."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work


class Create(Call[T]):
    """The call that creates a report run of days up to `newest`; `is_last`: after all others."""

    def __init__(self, work: Callable[[], T], newest: date, *, is_last: bool) -> None:
        super().__init__(work)
        self.newest = newest
        self.is_last = is_last


class Finished(Step[None]):
    """Wait until the rows of a report run can be read. Raises the error of the run."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch


class Until(Step[None]):
    """Wait for something that other coroutines bring about."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self.is_ready = is_ready


class All(Until):
    """Several coroutines at the same time. Raises what one of them raises, and ends the others."""

    def __init__(
        self, account_id: str, starts: Sequence[Callable[[], Coroutine[Any, Any, Any]]]
    ) -> None:
        super().__init__(lambda: all(r.is_done for r in self.routines) or self._failed is not None)
        self.routines = [Routine(account_id, start, parent=self) for start in starts]

    @property
    def _failed(self) -> Exception | None:
        return next((one.error for one in self.routines if one.error), None)

    def __await__(self) -> Generator[Step[Any], Any, None]:
        try:
            yield self
        finally:
            for routine in self.routines:
                routine.cancel()
        if self._failed is not None:
            raise self._failed


class Routine:
    """A running coroutine: the `step` that it waits for, at last its `result` or its `error`.

    It begins at the first `resume`: one that waits in a queue costs nothing. `parent`: the step of
    another coroutine that waits for it.
    """

    __slots__ = (
        "_coroutine",
        "_start",
        "account_id",
        "error",
        "is_done",
        "parent",
        "result",
        "step",
    )

    def __init__(
        self,
        account_id: str,
        start: Callable[[], Coroutine[Any, Any, Any]],
        parent: All | None = None,
    ) -> None:
        self.account_id = account_id
        self.parent = parent
        self.step: Step[Any] | None = None
        self.result: Any = None
        self.error: Exception | None = None
        self.is_done = False
        self._start = start
        self._coroutine: Coroutine[Any, Any, Any] | None = None

    def resume(self, value: Any = None, error: Exception | None = None) -> Step[Any] | None:
        """Resume with the outcome of a step; returns the next step, None once it has ended."""
        if self.is_done:
            return None
        self._coroutine = self._coroutine or self._start()
        try:
            self.step = (
                self._coroutine.send(value) if error is None else self._coroutine.throw(error)
            )
        except StopIteration as end:
            self.step, self.result, self.is_done = None, end.value, True
        except Exception as failure:  # noqa: BLE001  # raised where it is waited for
            self.step, self.error, self.is_done = None, failure, True
        return self.step

    def cancel(self) -> None:
        """End it at its current step; does nothing if it has ended."""
        self.step, self.is_done = None, True
        if self._coroutine is not None:
            self._coroutine.close()
