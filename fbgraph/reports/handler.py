"""The interfaces that a report engine works with: the report handler, whose pages it fetches, and
the pending runs, which remember report runs in flight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from fbgraph.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fbgraph.http.paging import Params
    from fbgraph.reports.query import ReportQuery
    from fbgraph.reports.task import ReportTask, Sink

__all__ = ["Checkpoint", "Loaded", "PendingRuns", "ReportHandler", "Wanted"]

Result_co = TypeVar("Result_co", covariant=True)


class ReportHandler(Protocol[Result_co]):
    """What the engine works for: it knows no tables, only queries and where pages go."""

    def params(self, query: ReportQuery) -> Params:
        """Parameters of the report run for a query."""

    def open(self, task: ReportTask) -> Sink:
        """A sink for the pages of a task."""

    def finish(self, task: ReportTask) -> tuple[Sequence[Result_co], Sequence[ReportTask]]:
        """All pages of a task have arrived: returns results, and what is to be loaded once more.
        Called again if it raises RetryableError, so it must raise that before it changes anything.
        """

    def fail(self, task: ReportTask, why: str) -> Sequence[Result_co]:
        """Results of a task that could not be loaded."""

    def close(self, task: ReportTask) -> None:
        """Close the sink of a task that is finished, has failed or was split."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a whole report requests. Fields that are `required` are never left out. `tolerated`:
    exceptions of the handler that fail one task and nothing else. `old_before`: if Meta refuses
    days before it, younger ones are tried before all are blamed. `rows_of`: the level of its rows.
    """

    statuses: Sequence[str]
    fields: Sequence[str]
    required: Collection[str]
    tolerated: tuple[type[Exception], ...] = ()
    old_before: date = date.min
    rows_of: str = "ad"

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """Exceptions that fail one task and nothing else."""
        return (GraphError, OSError, *self.tolerated)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Result_co]):
    """The outcome of a task: results, and tasks that are to be loaded in its place."""

    results: Sequence[Result_co] = ()
    again: Sequence[ReportTask] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What an earlier process left of a query: its run, or that it had to be split."""

    report_run_id: str = ""
    age_seconds: float = 0.0
    was_split: bool = False


class PendingRuns(Protocol):
    """Remembers report runs in flight, so that a process that dies does not lose them."""

    def saved(self, account_id: str, params: Params) -> Checkpoint | None:
        """The checkpoint of a query."""

    def save(self, account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        """Save it, so that the next process finds it if this one is killed."""

    def forget(self, account_id: str, params: Params) -> None:
        """Forget a run that is of no use any more: it failed, or cannot be read."""

    def done(self, account_id: str, days: Sequence[date]) -> None:
        """These days are finished. Their checkpoints stay until the end: if the process dies
        before, the next one finds them.
        """

    def end(self) -> None:
        """Everything is finished: checkpoints of finished days are removed."""
