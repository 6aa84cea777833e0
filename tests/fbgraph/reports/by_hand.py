"""Tasks that are taken from step to step by hand: a fetcher, and what it works with, in memory."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fbgraph.reports.fetch import Fetcher
from fbgraph.reports.handler import Wanted
from fbgraph.reports.routine import Routine
from fbgraph.reports.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph import GraphClient
    from fbgraph.http.paging import Params
    from fbgraph.reports.handler import Checkpoint
    from fbgraph.reports.query import ReportQuery
    from fbgraph.reports.task import ReportTask

__all__ = ["NOW", "Bench", "at", "fail", "read"]

NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)


class Handler:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.queries: list[ReportQuery] = []
        self.closed: list[ReportTask] = []

    def params(self, query: ReportQuery) -> Params:
        self.queries.append(query)
        return {"query": repr(query)}

    def open(self, task: ReportTask) -> Any:
        raise NotImplementedError

    def finish(self, task: ReportTask) -> tuple[Sequence[str], Sequence[ReportTask]]:
        raise NotImplementedError

    def fail(self, task: ReportTask, why: str) -> Sequence[str]:
        return [f"{task}: {why}"]

    def close(self, task: ReportTask) -> None:
        self.closed.append(task)


class Pending:
    def __init__(self) -> None:
        self.kept: dict[str, Checkpoint] = {}
        self.finished: list[tuple[str, Sequence[date]]] = []

    def saved(self, account_id: str, params: Params) -> Checkpoint | None:
        return self.kept.get(account_id + params["query"])

    def save(self, account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        self.kept[account_id + params["query"]] = checkpoint

    def forget(self, account_id: str, params: Params) -> None:
        self.kept.pop(account_id + params["query"], None)

    def done(self, account_id: str, days: Sequence[date]) -> None:
        self.finished.append((account_id, days))

    def end(self) -> None:
        """It ends with its test."""


class Bench:
    """A fetcher, and the steps that its tasks come to."""

    def __init__(self, client: GraphClient, statuses: Sequence[str] = ("ACTIVE", "PAUSED")) -> None:
        self.handler, self.pending = Handler(), Pending()
        wanted = Wanted(
            tuple(statuses),
            ("ad_id", "spend", "ctr"),
            required=("ad_id",),
            tolerated=(ArithmeticError,),
        )
        runner = Runner(client, self.handler, self.pending)
        self.fetcher: Fetcher[str] = Fetcher(
            client, runner, self.handler, self.pending, wanted, lambda: NOW
        )

    def begin(self, task: ReportTask) -> Routine:
        routine = Routine(task.account_id, partial(self.fetcher.load, task))
        routine.resume()
        return routine


def at(routine: Routine) -> str:
    """The kind of step that a routine waits for; empty at the end."""
    return "" if routine.step is None else type(routine.step).__name__


def read(routine: Routine, report_run_id: str = "7", age_seconds: float = 0.0) -> None:
    """Create a run, find it done, read it."""
    run = (report_run_id, age_seconds)
    for step, value in (("Create", run), ("Finished", None), ("Call", None)):
        assert at(routine) == step
        routine.resume(value)


def fail(routine: Routine, error: Exception) -> None:
    """Create a run that fails."""
    assert at(routine) == "Create"
    routine.resume(("7", 0.0))
    assert at(routine) == "Finished"
    routine.resume(error=error)
