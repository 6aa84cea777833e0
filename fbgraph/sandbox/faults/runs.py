"""Faults of lists and report runs: how pages are cut, how runs go, whether they can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.insights.runs import FAILURES, RunState
from fbgraph.sandbox.protocol.paging import Cursor
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.insights.runs import Run
    from fbgraph.sandbox.protocol.paging import Cut, PageRequest

    Poll = Callable[[Fault, RunState, Run], RunState]

__all__ = [
    "always_fails",
    "die_of_field",
    "endless",
    "fail_once",
    "hang",
    "hang_once",
    "not_yet_known",
    "repeat",
    "shorten",
    "skip_once",
    "spurious_summary",
    "stick",
    "thin_out",
    "too_large",
    "unreadable",
    "unreadable_once",
    "vanish",
]

# --- cut ------------------------------------------------------------------------------------


def thin_out(_: Fault, cut: Cut, requested: PageRequest) -> Cut:
    """By turns a short page, an empty one and a full one. The cursor remembers whose turn it is."""
    index = requested.after.step % 3 if requested.after else 0
    held = {0: (cut.stop - cut.start + 1) // 2, 1: 0}.get(index, cut.stop - cut.start)
    stop = cut.start + held
    more = stop < cut.total
    last = Cursor(max(stop - 1, 0), (index + 1) % 3 if more else 0)
    return replace(cut, stop=stop, more=more, after=last)


def shorten(_: Fault, cut: Cut, __: PageRequest) -> Cut:
    """Half of what was asked for, with next."""
    if cut.stop - cut.start <= 1:
        return cut
    stop = (cut.start + cut.stop) // 2
    return replace(cut, stop=stop, more=True, after=Cursor(stop - 1))


def repeat(_: Fault, cut: Cut, requested: PageRequest) -> Cut:
    """Every page after the first offers the cursor that it was asked with."""
    return replace(cut, after=requested.after, more=True) if requested.after else cut


def endless(_: Fault, cut: Cut, requested: PageRequest) -> Cut:
    """Every page after the first is empty and has a next one, each with another cursor."""
    if not requested.after:
        return cut
    after = Cursor(requested.after.index, requested.after.step + 1)
    return replace(cut, stop=cut.start, more=True, after=after)


def repeat_rows(_: Fault, cut: Cut, requested: PageRequest) -> Cut:
    """Every page after the second has the same rows and a next one, each with another cursor."""
    if not requested.after:
        return cut
    after = Cursor(requested.after.index, requested.after.step + 1)
    return replace(cut, more=True, after=after)


# --- poll -----------------------------------------------------------------------------------


def fail_once(kind: str) -> Poll:
    """The first run of a query fails in a way of `FAILURES`."""

    def poll(_: Fault, state: RunState, run: Run) -> RunState:
        lost = state.is_readable and run.attempt == 1
        return RunState("Job Failed", 50, FAILURES[kind]) if lost else state

    return poll


def always_fails(_: Fault, state: RunState, __: Run) -> RunState:
    return RunState("Job Failed", 0, FAILURES["failed"]) if state.is_readable else state


def skip_once(_: Fault, state: RunState, run: Run) -> RunState:
    return RunState("Job Skipped", 0) if state.is_readable and run.attempt == 1 else state


def stick(fault: Fault, state: RunState, run: Run) -> RunState:
    stuck = state.is_readable and run.polls_when_done <= fault.number
    return RunState("Job Running", 100) if stuck else state


def hang(fault: Fault, state: RunState, _: Run) -> RunState:
    """No run gets further than N percent; at 0 none ever starts."""
    held = RunState("Job Running" if fault.number else "Job Not Started", fault.number)
    further = state.is_final or state.percent > fault.number or not fault.number
    return held if further and state != held else state


def hang_once(fault: Fault, state: RunState, run: Run) -> RunState:
    return hang(fault, state, run) if run.attempt == 1 else state


def not_yet_known(fault: Fault, state: RunState, run: Run) -> RunState:
    if run.polls <= fault.number:
        raise refused("unknown_object", method="get", id=run.id)
    return state


def vanish(_: Fault, state: RunState, run: Run) -> RunState:
    """The first run of a query is unknown from the moment it would be done."""
    if run.attempt == 1 and state.is_final:
        raise refused("unknown_object", method="get", id=run.id)
    return state


def die_of_field(fault: Fault, state: RunState, run: Run) -> RunState:
    dies = state.is_readable and fault.word in run.query.fields
    return RunState("Job Failed", 0, FAILURES["unknown"]) if dies else state


#: What a run may have too much of → how much of it a run asks for.
SIZES: Final[dict[str, Callable[[Run], int]]] = {
    "days": lambda run: run.extent.days,
    "rows": lambda run: run.extent.rows,
    "objects": lambda run: run.extent.objects,
    "statuses": lambda run: run.extent.statuses,
}


def too_large(size: str) -> Poll:
    """A run fails that asks for more than N of something."""

    def poll(fault: Fault, state: RunState, run: Run) -> RunState:
        large = state.is_readable and SIZES[size](run) > fault.number
        return RunState("Job Failed", 0, FAILURES["too_large"]) if large else state

    return poll


# --- read -----------------------------------------------------------------------------------


def unreadable(fault: Fault, run: Run) -> None:
    """The first N reads of a completed run fail."""
    if run.state.is_readable and fault.times(run.id) <= fault.number:
        raise refused("run_not_ready")


def unreadable_once(_: Fault, run: Run) -> None:
    """The first run of a query never can."""
    if run.state.is_readable and run.attempt == 1:
        raise refused("run_not_ready")


def spurious_summary(fault: Fault, run: Run) -> None:
    if run.state.is_readable and fault.times(run.id) == 1:
        names = ",".join(run.query.fields[:2])
        they = "they weren't"
        raise refused("not_in_run", names=names, param="summary", they=they, available="")
