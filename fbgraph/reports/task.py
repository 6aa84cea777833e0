"""Report tasks: neighbouring days of one account that are loaded together, and the shards that they
consist of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from fbgraph.reports.query import ReportQuery

__all__ = ["ReportTask", "Shard", "Sink"]


class Sink(Protocol):
    """Where the pages of a task go. `shard` distinguishes what was requested separately."""

    def add(self, bodies: Sequence[bytes], *, shard: int) -> object:
        """Add pages. Raises RetryableError for what is not a page: it is read again."""

    def drop(self, shard: int) -> None:
        """Discard the pages of a shard: it is requested again under another number."""


@dataclass(slots=True, eq=False)
class ReportTask:
    """Neighbouring days of one account (digits), oldest first, that are finished together.

    `is_fresh`: what an earlier process or attempt requested does not count. `until`: the last day
    of a range that is requested as one; `days` is then its first day. `is_small`: its rows are read
    while Meta computes them, without a report run, as long as Meta does so. `shards` are those
    whose rows have arrived. `calls` as Meta counts them, failed ones included. `age_seconds`: from
    `started`, by the clock, until its last page arrived.
    """

    account_id: str
    days: tuple[date, ...]
    is_fresh: bool = False
    until: date | None = None
    is_small: bool = False
    shards: list[Shard] = field(default_factory=list)
    sink: Sink | None = None
    report_run_ids: list[str] = field(default_factory=list)
    calls: int = 0
    api_version: str = ""
    started: float = 0.0
    age_seconds: float = 0.0
    numbers: int = 0

    def next_number(self) -> int:
        """A number that no shard of this task had before."""
        self.numbers += 1
        return self.numbers

    def cut(self, stretches: Sequence[tuple[date, ...]]) -> Sequence[ReportTask]:
        """New tasks for stretches of its days; the newest one carries the calls so far."""
        how = self.is_fresh, self.until, self.is_small
        tasks = [ReportTask(self.account_id, days, *how) for days in stretches]
        max(tasks, key=lambda task: task.days[-1]).calls = self.calls
        return tasks

    @property
    def asked_at(self) -> datetime | None:
        """When the first of its shards was requested; None before that."""
        return min((one.asked_at for one in self.shards if one.asked_at is not None), default=None)

    @property
    def fields(self) -> frozenset[str]:
        """What every shard was asked for."""
        return frozenset.intersection(*(frozenset(one.query.fields) for one in self.shards))

    def __str__(self) -> str:
        first, last = self.days[0], self.until or self.days[-1]
        return f"act_{self.account_id} {first}" + ("" if first == last else f" to {last}")


@dataclass(slots=True, eq=False)
class Shard:
    """One query of a task, and its report run, if there is one yet. `number` distinguishes its
    pages from those of others, and from its own before it was requested again. `asked_at` is when
    the run was created, by this process or by an earlier one: its numbers are as of then.
    """

    task: ReportTask
    query: ReportQuery
    number: int
    report_run_id: str = ""
    asked_at: datetime | None = None

    @classmethod
    def of(cls, task: ReportTask, query: ReportQuery) -> Shard:
        """A shard with a number of its own."""
        return cls(task, query, task.next_number())

    @property
    def account_id(self) -> str:
        return self.task.account_id

    def drop(self) -> None:
        """Discard its pages: it is read or requested again under another number."""
        if self.task.sink is not None:
            self.task.sink.drop(self.number)
        self.number = self.task.next_number()
