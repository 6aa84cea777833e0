from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fbgraph.reports.query import ReportQuery
from fbgraph.reports.task import ReportTask, Shard

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)


def read(task: ReportTask, *fields: str, asked_at: datetime | None = None) -> Shard:
    """A shard of a task whose rows are in."""
    shard = Shard.of(task, ReportQuery(task.days, (), fields))
    shard.asked_at = asked_at
    task.shards.append(shard)
    return shard


def test_the_fields_of_a_task_are_those_that_every_shard_asked_for() -> None:
    task = ReportTask("1", (DAY,))
    read(task, "ad_id", "spend")
    read(task, "ad_id", "spend", "cpc")

    assert task.fields == {"ad_id", "spend"}


def test_a_task_was_asked_for_when_the_first_of_its_shards_was() -> None:
    task = ReportTask("1", (DAY,))
    before = task.asked_at
    for asked_at in (NOW, None, NOW - timedelta(hours=1)):
        read(task, asked_at=asked_at)

    assert (before, task.asked_at) == (None, NOW - timedelta(hours=1))


def test_what_a_task_is_cut_into_begins_anew_and_the_newest_bears_the_calls() -> None:
    days = tuple(DAY + timedelta(days=n) for n in range(3))
    task = ReportTask("1", days, is_fresh=True, calls=7)
    read(task, "spend")

    tasks = task.cut([days[:1], days[1:]])

    assert [(one.days, one.calls, one.is_fresh, one.shards) for one in tasks] == [
        (days[:1], 0, True, []),
        (days[1:], 7, True, []),
    ]


class Pages:
    """Numbers of shards whose pages were dropped."""

    def __init__(self) -> None:
        self.dropped: list[int] = []

    def add(self, bodies: object, *, shard: int) -> None:
        """No page comes in these tests."""

    def drop(self, shard: int) -> None:
        self.dropped.append(shard)


def test_what_is_asked_for_again_has_another_number_and_what_it_brought_is_dropped() -> None:
    task = ReportTask("1", (DAY,))
    first, second = read(task), read(task)
    task.sink = pages = Pages()

    first.drop()

    assert (pages.dropped, first.number, second.number) == ([1], 3, 2)


@pytest.mark.parametrize(
    ("days", "text"),
    [((DAY,), "act_1 2026-11-21"), ((date(2026, 11, 20), DAY), "act_1 2026-11-20 to 2026-11-21")],
)
def test_a_task_says_which_days_of_which_account(days: tuple[date, ...], text: str) -> None:
    assert str(ReportTask("1", days)) == text
