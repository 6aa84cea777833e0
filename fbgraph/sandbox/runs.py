"""Asynchronous report runs: created, polled, read.

A run moves on with each poll, so that a client's loop can be tested in no time, or with the clock.
Sources: Insights API, Asynchronous jobs; contract §6.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from fbgraph.fields import insights_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.query import Query

    Twist = Callable[["Run", "RunState"], "RunState"]

__all__ = ["FAILURES", "STAGES", "Run", "RunState", "Runs", "stage"]

DONE: Final = "Job Completed"
DONE_PERCENT: Final = 100

#: From so much progress on a run says this, best first. Source: Insights API, Best practices.
STAGES: Final[Sequence[tuple[float, str]]] = (
    (1.0, DONE),
    (0.5, "Job Running"),
    (0.25, "Job Started"),
    (0.0, "Job Not Started"),
)

#: How a failed run explains itself since v25. Source: Insights API, Error codes.
FAILURES: Final[Mapping[str, Mapping[str, object]]] = {
    "failed": {
        "error_code": -2,
        "error_subcode": 2490547,
        "error_message": "Report Failed",
        "error_user_title": "Report Failed",
        "error_user_msg": "Generating the report failed. Try again later.",
    },
    "unknown": {
        "error_code": 2,
        "error_subcode": 1504044,
        "error_message": "Unknown Error",
        "error_user_title": "Unknown Error",
        "error_user_msg": "An unknown error occurred. Try again later.",
    },
}

FINAL: Final = frozenset({DONE, "Job Failed", "Job Skipped"})


@dataclass(frozen=True, slots=True)
class RunState:
    """What one poll shows. `error` holds the error fields of a failed run."""

    status: str
    percent: int
    error: Mapping[str, object] | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_readable(self) -> bool:
        return self.status == DONE and self.percent == DONE_PERCENT


@dataclass(slots=True)
class Run:
    """One report run. `attempt` counts the runs of an equal query, this one included."""

    id: str
    account_id: str
    query: Query
    created: datetime
    stamp: datetime  # the refresh of insights that it shows
    scenarios: tuple[str, ...]
    attempt: int
    polls: int = 0
    polls_when_done: int = 0
    state: RunState = RunState(STAGES[-1][1], 0)
    completed: datetime | None = None


class Runs:
    """Every run of this sandbox. `polls` each takes; `seconds`, when given, replaces them."""

    def __init__(self, polls: int, seconds: float | None) -> None:
        self._polls = polls
        self._seconds = seconds
        self._numbers = count(1)
        self._attempts: Counter[Query] = Counter()
        self._runs: dict[str, Run] = {}

    def create(
        self,
        query: Query,
        account_id: str,
        times: tuple[datetime, datetime],
        scenarios: Sequence[str],
    ) -> Run:
        """`times`: when it was created, and the refresh of insights that it shows."""
        self._attempts[query] += 1
        # With the time in it no id comes again after a restart, when a client may still hold one.
        run_id = f"12{int(times[0].timestamp() * 10)}{next(self._numbers):05}"
        run = Run(run_id, account_id, query, *times, tuple(scenarios), self._attempts[query])
        self._runs[run.id] = run
        return run

    def find(self, run_id: str) -> Run | None:
        return self._runs.get(run_id)

    def poll(self, run: Run, now: datetime, twists: Sequence[Twist]) -> RunState:
        """Move a run on by one poll and say where it stands. `twists` are those of scenarios."""
        run.polls += 1
        if not run.state.is_final:
            run.state = self._look(run, now, twists)
        return run.state

    def look(self, run: Run, now: datetime, twists: Sequence[Twist]) -> RunState:
        """Where it stands, for a reader: by the clock that may have changed since the last poll."""
        if self._seconds is not None and not run.state.is_final:
            run.state = self._look(run, now, twists)
        return run.state

    def _look(self, run: Run, now: datetime, twists: Sequence[Twist]) -> RunState:
        state = stage(self._progress(run, now))
        run.polls_when_done += state.is_final
        if state.is_final and _kills(run.query):
            state = RunState("Job Failed", 0, FAILURES["unknown"])
        for twist in twists:
            state = twist(run, state)
        run.completed = now if state.is_final else None
        return state

    def _progress(self, run: Run, now: datetime) -> float:
        if self._seconds is None:
            return run.polls / self._polls
        gone = (now - run.created).total_seconds()
        return gone / self._seconds if self._seconds else 1.0


def stage(progress: float) -> RunState:
    """From 0 to 1 and beyond → status and percent."""
    status = next(name for least, name in STAGES if progress >= least)
    running = status in (DONE, "Job Running")
    return RunState(status, min(DONE_PERCENT, int(progress * DONE_PERCENT)) if running else 0)


def _kills(query: Query) -> bool:
    """Whether a field is asked for with which runs have been dying (contract 5.3)."""
    return any(insights_fields()[name].care == "kills_runs" for name in query.fields)
