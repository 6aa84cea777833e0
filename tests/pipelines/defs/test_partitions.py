"""The days of the grids: from the first day of the history to whoever's today is the latest."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.defs.partitions import Grid, account_days_of, grid_of, zone_ahead
from pipelines.state.history import default_since

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
