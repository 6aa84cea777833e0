from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.reports.routine import All, Call, Routine

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def call(name: str) -> Call[str]:
    return Call(lambda: name)


def named(routine: Routine) -> str:
    """Which call a routine waits for."""
    assert isinstance(routine.step, Call)
    return str(routine.step.work())


def started(*starts: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Routine, All]:
    """A routine that waits for several others, each at its first step."""

    async def parent() -> str:
        await All("1", starts)
        return "all done"

    routine = Routine("1", parent)
    step = routine.resume()
    assert isinstance(step, All)
    for child in step.routines:
        child.resume()
    return routine, step


async def one_call(name: str) -> None:
    await call(name)


def test_a_coroutine_goes_from_step_to_step_and_ends_with_its_result() -> None:
    async def both() -> tuple[str, str]:
        return await call("first"), await call("second")

    routine = Routine("1", both)
    seen = []
    for value in (None, "one", "two"):
        routine.resume(value)
        seen.append(named(routine) if routine.step else "")

    assert (seen, routine.result, routine.is_done) == (
        ["first", "second", ""],
        ("one", "two"),
        True,
    )


def test_what_a_step_failed_of_is_thrown_in_where_it_was_awaited() -> None:
    async def forgiving() -> str:
        try:
            return await call("bad")
        except OSError as error:
            return await call(f"after {error}")

    routine = Routine("1", forgiving)
    routine.resume()
    routine.resume(error=OSError("no disk"))

    assert named(routine) == "after no disk"


def test_what_a_coroutine_does_not_catch_is_its_error() -> None:
    routine = Routine("1", partial(one_call, "bad"))
    routine.resume()
    routine.resume(error=OSError("no disk"))

    assert (str(routine.error), routine.step, routine.is_done) == ("no disk", None, True)


def test_a_coroutine_that_was_never_resumed_has_not_begun() -> None:
    begun: list[str] = []

    async def late() -> None:
        begun.append("late")

    routine = Routine("1", late)
    routine.cancel()

    assert (begun, routine.is_done) == ([], True)


def test_several_are_ready_when_all_are_done() -> None:
    routine, both = started(partial(one_call, "a"), partial(one_call, "b"))
    seen = [both.is_ready()]
    for child in both.routines:
        child.resume("done")
        seen.append(both.is_ready())

    routine.resume()

    assert (seen, routine.result) == ([False, False, True], "all done")


def test_one_that_fails_fails_all_and_ends_the_others_where_they_are() -> None:
    ended = []

    async def other() -> None:
        try:
            await call("long")
        finally:
            ended.append("other")

    routine, both = started(other, partial(one_call, "bad"), other)
    both.routines[1].resume(error=OSError("no disk"))

    assert both.is_ready()
    routine.resume()
    assert (str(routine.error), ended) == ("no disk", ["other", "other"])
    assert [child.is_done for child in both.routines] == [True, True, True]


def test_who_was_cancelled_goes_nowhere_whatever_comes_back() -> None:
    routine = Routine("1", partial(one_call, "a"))
    routine.resume()
    routine.cancel()

    assert routine.resume("late") is None
    assert routine.resume(error=OSError("late")) is None
    assert (routine.step, routine.result, routine.error) == (None, None, None)


def test_who_is_cancelled_cancels_those_that_it_waits_for() -> None:
    routine, both = started(partial(one_call, "a"), partial(one_call, "b"))

    routine.cancel()

    assert [child.is_done for child in both.routines] == [True, True]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_is_not_held_back(kind: type[BaseException]) -> None:
    async def stopped() -> None:
        raise kind

    with pytest.raises(kind):
        Routine("1", stopped).resume()
