"""Days, weeks, months: which one a day is in, which ones a range overlaps, when one is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from warehouse.decode.hours import since_over, why_not_over
from warehouse.lake.definitions import keep_definition, lake_tables
from warehouse.lake.partitions import Lake
from warehouse.schema.catalog import OWN
from warehouse.schema.insights import CONTROL_DAILY
from warehouse.schema.keys import key_changes
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from pathlib import Path

#: Period, a day → first and last day of its period. 2024 is a leap year, 2026-11-16 a Monday.
PERIODS = """
day   2026-11-18 2026-11-18 2026-11-18
week  2026-11-16 2026-11-16 2026-11-22
week  2026-11-22 2026-11-16 2026-11-22
week  2027-01-01 2026-12-28 2027-01-03
week  2024-02-29 2024-02-26 2024-03-03
month 2026-11-01 2026-11-01 2026-11-30
month 2026-12-31 2026-12-01 2026-12-31
month 2024-02-10 2024-02-01 2024-02-29
month 2026-02-28 2026-02-01 2026-02-28
"""

#: Period, first and last day of a range → the periods that have a day in it.
STARTS = """
day   2026-11-30 2026-12-01 2026-11-30 2026-12-01
week  2026-11-18 2026-11-18 2026-11-16
week  2026-11-22 2026-11-23 2026-11-16 2026-11-23
week  2026-12-27 2027-01-04 2026-12-21 2026-12-28 2027-01-04
month 2026-11-15 2026-11-16 2026-11-01
month 2026-11-30 2027-01-01 2026-11-01 2026-12-01 2027-01-01
"""

#: Zone, period, its first day, the last that was requested, when (UTC) → what is not over. Clocks
#: go back on 2026-10-25 in Berlin and forward on 2026-03-08 in Los Angeles; three hours by a
#: stopwatch.
OVER = """
Europe/Berlin       week  2026-11-16 2026-11-22 2026-11-22T22:59 week-was-not-over
Europe/Berlin       week  2026-11-16 2026-11-22 2026-11-23T01:59 had-not-been-over
Europe/Berlin       week  2026-11-16 2026-11-22 2026-11-23T02:00 -
Europe/Berlin       week  2026-10-19 2026-10-25 2026-10-25T22:30 week-was-not-over
Europe/Berlin       week  2026-10-19 2026-10-25 2026-10-26T02:00 -
America/Los_Angeles week  2026-03-02 2026-03-08 2026-03-09T09:59 had-not-been-over
America/Los_Angeles week  2026-03-02 2026-03-08 2026-03-09T10:00 -
Pacific/Auckland    month 2026-12-01 2026-12-31 2026-12-31T10:59 month-was-not-over
Pacific/Auckland    month 2026-12-01 2026-12-31 2026-12-31T14:00 -
Asia/Kolkata        month 2026-02-01 2026-02-28 2026-02-28T21:30 -
Europe/Berlin       week  2026-11-16 2026-11-21 2026-11-25T12:00 week-was-not-over
"""


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]


def test_a_day_is_in_one_period_and_a_range_has_those_that_it_overlaps() -> None:
    for period, *days in lines(PERIODS):
        day, first, last = map(date.fromisoformat, days)
        assert (Period(period).first(day), Period(period).last(day)) == (first, last), days
        assert Period(period).first(last) == first
        assert Period(period).last(first) == last
    for period, *days in lines(STARTS):
        since, until, *starts = map(date.fromisoformat, days)
        assert Period(period).starts(since, until) == starts, days
    assert Period.WEEK.starts(date(2026, 11, 18), date(2026, 11, 2)) == []


def test_a_period_is_over_three_hours_after_its_end_by_the_clock_of_its_account() -> None:
    for zone, period, first, until, at, expected in lines(OVER):
        last = Period(period).last(date.fromisoformat(first))
        since = since_over(
            *(zone, last, datetime.fromisoformat(at).replace(tzinfo=UTC)),
            date.fromisoformat(until),
        )
        not_over = why_not_over(since, Period(period))
        assert not_over == "" if expected == "-" else expected.replace("-", " ") in not_over, at


def test_a_table_of_another_period_has_another_key_and_its_definition_keeps_it(
    tmp_path: Path,
) -> None:
    daily = replace(CONTROL_DAILY, name="totals")
    weekly = replace(daily, period=Period.WEEK)
    lake = Lake(tmp_path)

    keep_definition(lake.store, daily)
    of_days = (tmp_path / ".tables" / "totals.json").read_text()
    keep_definition(lake.store, weekly)  # there are no files yet

    assert "period" not in of_days
    assert lake_tables(lake.store, OWN).catalog.tables["totals"].period is Period.WEEK
    assert [*map(str, key_changes(daily, weekly))] == ["period changed from day to week"]
