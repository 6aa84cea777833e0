"""Asynchronous report runs: created, polled, read.

A run moves on with each poll, so that a client's loop can be tested in no time, or with the clock.
Sources: Insights API, Asynchronous jobs; docs/graph-api.md#report-runs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from fbgraph.sandbox.insights.columns import CATALOGUE
from fbgraph.sandbox.world.days import dates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph.sandbox.insights.extent import Extent, InsightsRequest
    from fbgraph.sandbox.insights.query import Query

    Twist = Callable[["Run", "RunState"], "RunState"]

__all__ = ["FAILURES", "Run", "RunState", "Runs", "state_at"]

DONE: Final = "Job Completed"
DONE_PERCENT: Final = 100

#: The least progress → the status that a run then has, best first. Source: Insights API, Best
#: practices.
STATUS_BY_PROGRESS: Final[Sequence[tuple[float, str]]] = (
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
    "too_large": {
        "error_code": -3,
        "error_subcode": 1504045,
        "error_message": "Report Too Large",
        "error_user_title": "Report Too Large",
        "error_user_msg": "The report was too large. Ask for less and try again.",
    },
    "busy": {
        "error_code": 4,
        "error_subcode": 1504022,
        "error_message": "Too many API requests",
        "error_user_title": "Too many API requests",
        "error_user_msg": "There have been too many calls. Wait a bit and try again.",
    },
    "silent": {},  # before v25 a failed run said no more
}

#: A run is forgotten after this time. Source: Insights API, Best practices.
EXPIRES_AFTER: Final = timedelta(days=30)

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
    extent: Extent
    #: How long it takes by the clock, or None where it goes by polls.
    seconds: float | None = None
    times_shown: int = 0  # how many runs have shown its days, this one included
    polls: int = 0
    polls_when_done: int = 0
    state: RunState = RunState(STATUS_BY_PROGRESS[-1][1], 0)
    completed: datetime | None = None

    @property
    def ready(self) -> datetime | None:
        """When the server has finished it, polled or not; None if it goes by polls alone."""
        return None if self.seconds is None else self.created + timedelta(seconds=self.seconds)

    def is_over(self, now: datetime) -> bool:
        """Whether the server is through with it, whatever polls show of that."""
        if self.ready is None:
            return self.state.is_final or self.polls_when_done > 0
        return self.state.is_final or self.ready <= now

    def times(self) -> dict[str, Any]:
        """`ready` is when it was done, `completed` when a poll first showed it; runs that were
        asked for with the same parameters have the same `query`.
        """
        return {
            "id": self.id,
            "account_id": self.account_id,
            "query": f"{crc32(repr(self.query.identity).encode()):08x}",
            "async_status": self.state.status,
            "polls": self.polls,
            "created": self.created.timestamp(),
            "ready": self.ready.timestamp() if self.ready else None,
            "completed": self.completed.timestamp() if self.completed else None,
        }


class Runs:
    """Every run of this sandbox. `polls` each takes; `seconds`, when given, replaces them."""

    def __init__(self, polls: int, seconds: Callable[[Extent], float] | None) -> None:
        self._polls = polls
        self._seconds = seconds
        self._open: dict[str, list[Run]] = {}  # by account, for counting those in flight
        self.forget()
        self._numbers = count(1)
        self._attempts: Counter[Query] = Counter()
        self._times_shown: Counter[tuple[str, str, date]] = Counter()
        self._runs: dict[str, Run] = {}

    def create(
        self,
        insights_request: InsightsRequest,
        account_id: str,
        times: tuple[datetime, datetime],
        scenarios: Sequence[str],
    ) -> Run:
        """`times`: when it was created, and the refresh of insights that it shows."""
        query = insights_request.query
        self._attempts[query.identity] += 1
        # With the time in it no id comes again after a restart, when a client may still hold one.
        run_id = f"12{int(times[0].timestamp() * 10)}{next(self._numbers):05}"
        run = Run(
            run_id,
            account_id,
            query,
            *times,
            scenarios=tuple(scenarios),
            attempt=self._attempts[query.identity],
            extent=insights_request.extent,
            seconds=self._seconds(insights_request.extent) if self._seconds else None,
            times_shown=self._count_showing(query, account_id),
        )
        self._runs[run.id] = run
        self._count(run)
        return run

    def _count(self, run: Run) -> None:
        still = [one for one in self._open.get(run.account_id, ()) if not one.is_over(run.created)]
        self._open[run.account_id] = [*still, run]
        most = max(self._most_in_flight.get(run.account_id, 0), len(still) + 1)
        self._most_in_flight[run.account_id] = most
        self._reported.append(run)

    def forget(self) -> None:
        """Leave the runs of before out of the report."""
        self._reported: list[Run] = []
        self._most_in_flight: dict[str, int] = {}

    def report(self) -> dict[str, Any]:
        """Each run's times, in epoch seconds, and how many were in flight at once by account."""
        return {
            "runs": [run.times() for run in self._reported],
            "most_runs_in_flight": dict(sorted(self._most_in_flight.items())),
        }

    def _count_showing(self, query: Query, account_id: str) -> int:
        shown = [(account_id, query.level, day) for day in dates(query.since, query.until)]
        self._times_shown.update(shown)
        return max(self._times_shown[one] for one in shown)

    def find(self, run_id: str, now: datetime) -> Run | None:
        run = self._runs.get(run_id)
        return run if run and now - run.created <= EXPIRES_AFTER else None

    def poll(self, run: Run, now: datetime, twist: Twist) -> RunState:
        """Move a run on by one poll and return its state. `twist` is that of scenarios."""
        run.polls += 1
        if not run.state.is_final:
            run.state = self._advance(run, now, twist)
        return run.state

    def refresh(self, run: Run, now: datetime, twist: Twist) -> RunState:
        """Its state for a reader: by the clock, which may have moved since the last poll."""
        if self._seconds is not None and not run.state.is_final:
            run.state = self._advance(run, now, twist)
        return run.state

    def _advance(self, run: Run, now: datetime, twist: Twist) -> RunState:
        state = state_at(self._progress(run, now))
        run.polls_when_done += state.is_final
        if state.is_final and _kills(run.query):
            state = RunState("Job Failed", 0, FAILURES["unknown"])
        state = twist(run, state)
        run.completed = now if state.is_final else None
        return state

    def _progress(self, run: Run, now: datetime) -> float:
        if run.seconds is None:
            return run.polls / self._polls
        gone = (now - run.created).total_seconds()
        return gone / run.seconds if run.seconds else 1.0


def state_at(progress: float) -> RunState:
    """From 0 to 1 and beyond → status and percent."""
    status = next(name for least, name in STATUS_BY_PROGRESS if progress >= least)
    running = status in (DONE, "Job Running")
    return RunState(status, min(DONE_PERCENT, int(progress * DONE_PERCENT)) if running else 0)


def _kills(query: Query) -> bool:
    """Whether a field is asked for with which runs have been dying (docs/graph-api.md#values)."""
    return any(CATALOGUE[name].care == "kills_runs" for name in query.fields)
