"""The days of the grids: from the first day of the history to whoever's today is the latest."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.defs.partitions import Grid, account_days_of, grid_of, zone_ahead
from pipelines.state.history import default_since
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SINCE = date(2026, 11, 26)


def days(grid: Grid, now: datetime, start: date = SINCE) -> Sequence[str]:
    partitions = account_days_of(grid, start).get_partitions_def_for_dimension("date")
    return partitions.get_partition_keys(now)


@pytest.mark.parametrize(
    ("zones", "at", "last"),
    [
        (["America/New_York"], "2026-11-29T03:00", "2026-11-28"),
        (["America/New_York"], "2026-11-29T06:00", "2026-11-29"),
        (["America/New_York", "Pacific/Auckland"], "2026-11-29T10:00", "2026-11-29"),
        (["America/New_York", "Pacific/Auckland"], "2026-11-29T11:00", "2026-11-30"),
        (["Asia/Kolkata"], "2026-11-29T18:30", "2026-11-30"),
        ([], "2026-11-29T23:00", "2026-11-29"),
    ],
)
def test_the_grid_ends_with_the_latest_today(zones: Sequence[str], at: str, last: str) -> None:
    now = datetime.fromisoformat(f"{at}+00:00")

    assert days(Grid(SINCE, zone_ahead(zones, now.year)), now)[-1] == last


def test_the_grid_begins_with_the_history_or_a_later_start_of_the_report() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)

    assert days(Grid(SINCE), now) == ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"]
    assert days(Grid(SINCE), now, date(2026, 11, 28)) == ["2026-11-28", "2026-11-29"]
    assert days(Grid(SINCE), now, date(2023, 10, 1))[0] == "2026-11-26"


#: Period, now, the first day of the history → first and last partition.
GRIDS = """
week  2026-11-22T12:00 2026-11-01 2026-11-02 2026-11-16
week  2026-11-23T00:00 2026-11-02 2026-11-02 2026-11-23
week  2027-01-01T12:00 2026-12-01 2026-12-07 2026-12-28
month 2026-11-30T23:59 2026-10-15 2026-11-01 2026-11-01
month 2026-12-01T00:00 2026-10-01 2026-10-01 2026-12-01
"""


def test_weeks_begin_on_mondays_and_months_on_their_first_and_the_one_that_goes_on_is_there() -> (
    None
):
    for period, at, since, first, last in map(str.split, GRIDS.strip().splitlines()):
        grid = account_days_of(Grid(date.fromisoformat(since)), SINCE.min, Period(period))
        keys = grid.get_partitions_def_for_dimension("date").get_partition_keys(
            datetime.fromisoformat(f"{at}+00:00")
        )
        assert (keys[0], keys[-1]) == (first, last), (period, at)
        assert {Period(period).first(date.fromisoformat(key)) for key in keys} == {
            *map(date.fromisoformat, keys)
        }


@pytest.mark.parametrize(
    "wrong", [{"FB_OWNERS": "nobody"}, {"FB_HISTORY_SINCE": "soon"}, {"WAREHOUSE_URL": "gs://x"}]
)
def test_what_is_wrong_takes_no_page_with_it(
    tmp_path: Path, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)

    grid = grid_of({"WAREHOUSE_URL": str(tmp_path), **wrong}, now)

    assert grid == Grid(default_since(now.date()), "UTC")
    assert "The grids begin and end as in a new lake" in caplog.text


def test_the_variable_moves_the_first_day(tmp_path: Path) -> None:
    environ = {"WAREHOUSE_URL": str(tmp_path), "FB_HISTORY_SINCE": "2026-01-02"}

    assert grid_of(environ, datetime(2026, 11, 29, tzinfo=UTC)).since == date(2026, 1, 2)
