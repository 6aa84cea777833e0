"""Estimates: how many rows an account-day will have, learned from the lake, how days are cut into
report runs by that, and how many calls the listings of objects take.

`cut` decides; `learned` and `known_objects` read a few footers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.edges import EDGE_ROWS
from fbgraph.catalog.fields import HOURLY
from fbgraph.http.paging import PAGE_ROWS
from fbgraph.reports.runner import REPORT_PAGE_ROWS
from pipelines.loading.partitions import chunks
from pipelines.reports.catalog import CONTROL
from warehouse.lake.history import footer_of_objects
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = [
    "DAYS_PER_RUN",
    "ROWS_PER_RUN",
    "Cost",
    "Learned",
    "cost_of",
    "cut",
    "expected_rows",
    "guessed_rows",
    "known_objects",
    "learned",
    "listing_calls",
    "size_of",
]

#: Most rows, and days, of one report run. Larger runs fail more often at Meta, and a failure costs
#: more.
ROWS_PER_RUN: Final = 50_000
DAYS_PER_RUN: Final = 31

#: Rows of an account-day about which nothing is known, for cutting: more would cut a month in two.
UNKNOWN_ROWS: Final = 1_500

#: Objects of a level with delivery on a day of a small account. Our guess, and shown as one.
DELIVERING: Final[Mapping[str, int]] = {"ad": 20, "adset": 8, "campaign": 4, "account": 1}

#: Rows that breakdowns make of one, for an object and day with delivery: those that are requested
#: together first. As seen in recorded responses (docs/presets.md); a large account has more.
ROWS_OF: Final[Mapping[frozenset[str], float]] = {
    frozenset(names.split()): rows
    for names, rows in {
        "publisher_platform platform_position device_platform": 21,
        "publisher_platform platform_position impression_device": 15,
        "publisher_platform platform_position": 9,
        "age gender": 10,
        HOURLY: 15,
        "hourly_stats_aggregated_by_audience_time_zone": 15,
        "age": 5,
        "gender": 2.5,
        "country": 3,
        "region": 20,
        "comscore_market": 10,
        "dma": 20,
        "publisher_platform": 2.2,
        "device_platform": 2.7,
        "impression_device": 4,
        "product_id": 30,
        "user_segment_key": 3,
        "frequency_value": 10,
    }.items()
}

#: Of a breakdown that nobody has measured, such as the assets of an ad.
UNKNOWN_BREAKDOWN: Final = 2.0

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
    loaded = lake.loaded_days(table, account_id)
    near = sorted(loaded, key=lambda day: min(abs((day - one).days) for one in days))[:most]
    sources = {*near, *(set(days) & {*loaded})}
    known = lake.loads_of(table, [(account_id, day) for day in sources])
    is_daily = lake.table(table).period is Period.DAY  # totals are those of days
    controls = lake.loads_of(CONTROL.name, [(account_id, day) for day in days if is_daily])
    return Learned([load for load in known if load], {load.date: load for load in controls if load})


def expected_rows(
    lake: Lake, table: str, account_id: str, days: Sequence[date]
) -> Mapping[date, int]:
    """Rows that each day will have, by what the lake knows."""
    return learned(lake, table, account_id, days).rows(days)


def rows_of_object(breakdowns: Collection[str]) -> float:
    """Rows of an object of its level on a day with delivery, as breakdowns split them."""
    left, rows = set(breakdowns), 1.0
    for names in sorted(ROWS_OF, key=len, reverse=True):
        if names <= left:
            left -= names
            rows *= ROWS_OF[names]
    return rows * UNKNOWN_BREAKDOWN ** len(left)


def guessed_rows(level: str, breakdowns: Collection[str], size: float = 1.0) -> int:
    """Rows of an account-day if no day of its report was loaded to estimate them by, for an account
    that is `size` times as big as a small one.
    """
    objects = DELIVERING[level] if level == "account" else DELIVERING[level] * size
    return ceil(objects * rows_of_object(breakdowns))


def size_of(level: str, breakdowns: Collection[str], rows: float) -> float:
    """How many times as big as a small one an account is, by its rows of a day in some report."""
    return rows / (DELIVERING[level] * rows_of_object(breakdowns))


def known_objects(lake: Lake, row: ObjectTable, account_id: str) -> int | None:
    """How many objects the lake has of an account (digits); None if they were never listed."""
    footer = footer_of_objects(lake, row.latest, account_id)
    return footer.rows if footer.rows or footer.listed_at else None


def listing_calls(row: ObjectTable, count: int | None) -> int:
    """Calls that list `count` objects, one for each page; where nobody has counted them, a page."""
    return max(1, ceil((count or 0) / EDGE_ROWS.get(row.edge, PAGE_ROWS)))


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
