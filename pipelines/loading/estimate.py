"""Estimates: how many rows an account-day will have, learned from the lake, and how days are cut
into report runs by that.

`cut` decides; `learned` reads a few footers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import HOURLY
from fbgraph.reports.runner import REPORT_PAGE_ROWS
from pipelines.loading.partitions import chunks
from pipelines.reports.catalog import CONTROL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load

__all__ = [
    "DAYS_PER_RUN",
    "ROWS_PER_RUN",
    "Cost",
    "Learned",
    "cost_of",
    "cut",
    "expected_rows",
    "guessed_rows",
    "learned",
]

#: Most rows, and days, of one report run. Larger runs fail more often at Meta, and a failure costs
#: more.
ROWS_PER_RUN: Final = 50_000
DAYS_PER_RUN: Final = 31

#: Rows of an account-day about which nothing is known, for cutting: more would cut a month in two.
UNKNOWN_ROWS: Final = 1_500

#: The same for telling a person: breakdowns by the hour, other breakdowns, none. A small account of
#: some 15 ads that deliver. Our guess, and shown as one.
HOURLY_GUESS: Final = 300
SPLIT_GUESS: Final = 100
PLAIN_GUESS: Final = 20

#: The nearest loaded days by which the size of another is estimated.
NEIGHBOURS: Final = 7

#: Polls of a run that Meta computes at once. A busy Meta takes more.
POLLS_PER_RUN: Final = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What loading costs: report runs, and calls as Meta counts them."""

    runs: int = 0
    calls: int = 0
    rows: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.runs + other.runs, self.calls + other.calls, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the lake knows about days of an account in a table: `loads` of the nearest days and of
    those days themselves, and the `controls` of those days.
    """

    loads: Sequence[Load]
    controls: Mapping[date, Load]

    @property
    def usual(self) -> int | None:
        """Rows of an ordinary day; None if nothing was loaded."""
        return ceil(median(load.rows for load in self.loads)) if self.loads else None

    def rows(self, days: Iterable[date], unknown: int = UNKNOWN_ROWS) -> Mapping[date, int]:
        """Rows that each day will have: as many as it had, or by its control totals and neighbours,
        or as an ordinary day; `unknown` if nothing was loaded.
        """
        own = {load.date: load.rows for load in self.loads}
        impressions = sum(load.impressions or 0 for load in self.loads)
        usual = unknown if self.usual is None else self.usual
        expected = {}
        for day in days:
            control = self.controls.get(day)
            if day in own:
                expected[day] = own[day]
            elif control is not None and impressions:
                expected[day] = ceil(sum(own.values()) * (control.impressions or 0) / impressions)
            else:
                expected[day] = usual
        return expected


def learned(
    lake: Lake, table: str, account_id: str, days: Sequence[date], most: int = NEIGHBOURS
) -> Learned:
    """Read what tells how big days are: at `most` that many loaded days, the nearest, besides those
    days themselves.
    """
    loaded = sorted(
        where.date for where in lake.partitions(table, account_id) if where.date is not None
    )
    near = sorted(loaded, key=lambda day: min(abs((day - one).days) for one in days))[:most]
    sources = {*near, *(set(days) & {*loaded})}
    known = lake.loads_of(table, [(account_id, day) for day in sources])
    controls = lake.loads_of(CONTROL.name, [(account_id, day) for day in days])
    return Learned([load for load in known if load], {load.date: load for load in controls if load})


def expected_rows(
    lake: Lake, table: str, account_id: str, days: Sequence[date]
) -> Mapping[date, int]:
    """Rows that each day will have, by what the lake knows."""
    return learned(lake, table, account_id, days).rows(days)


def guessed_rows(breakdowns: Collection[str]) -> int:
    """Rows of an account-day if nothing was loaded to estimate them by."""
    if HOURLY in breakdowns:
        return HOURLY_GUESS
    return SPLIT_GUESS if breakdowns else PLAIN_GUESS


def cut(days: Iterable[date], rows: Mapping[date, int]) -> Sequence[Sequence[date]]:
    """Cut days into report runs: neighbours, newest first, as many as fit into a run.

    A run has at least one day, however many rows that has. Inside a run the oldest day is first.
    """
    runs = []
    for stretch in chunks(days, DAYS_PER_RUN):
        run: list[date] = []
        for day in reversed(stretch):
            if run and sum(rows[one] for one in run) + rows[day] > ROWS_PER_RUN:
                runs.append(run[::-1])
                run = []
            run.append(day)
        runs.append(run[::-1])
    return sorted(runs, key=lambda run: run[-1], reverse=True)


def cost_of(runs: Iterable[Sequence[date]], rows: Mapping[date, int]) -> Cost:
    """The cost of runs on a calm day: each is created, polled and read, and has one control
    call.
    """
    total = Cost()
    for run in runs:
        expected = sum(rows[day] for day in run)
        pages = max(1, ceil(expected / REPORT_PAGE_ROWS))
        total += Cost(1, 1 + POLLS_PER_RUN + pages + 1, expected)
    return total
