"""Where the history of a lake begins: of a new one, of an old one, and after older days came."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from pipelines.state.history import HISTORY_KEY, default_since, history_since, note_days, set_up
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (TODAY, date(2025, 10, 28)),
        (date(2026, 1, 5), date(2024, 12, 5)),
        (date(2026, 3, 31), date(2025, 2, 28)),
    ],
)
def test_a_new_lake_begins_thirteen_months_before(today: date, since: date) -> None:
    assert default_since(today) == since


def test_the_first_day_is_kept_so_that_grids_do_not_shift(tmp_path: Path) -> None:
    lake = Lake(tmp_path)

    set_up(lake, TODAY)

    assert history_since(lake, None, date(2027, 5, 1)) == date(2025, 10, 28)
    set_up(lake, date(2027, 5, 1))
    assert history_since(lake, None, date(2027, 5, 1)) == date(2025, 10, 28)


def test_no_grid_begins_after_the_oldest_day(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    set_up(lake, TODAY)

    note_days(lake.store, [date(2026, 11, 3), date(2026, 11, 2)])
    note_days(lake.store, [date(2026, 11, 20)])

    assert history_since(lake, None, TODAY) == date(2025, 10, 28)
    assert history_since(lake, date(2026, 11, 10), TODAY) == date(2026, 11, 2)
    assert history_since(lake, date(2026, 1, 1), TODAY) == date(2026, 1, 1)
    note_days(lake.store, [date(2024, 1, 1)])
    assert history_since(lake, None, TODAY) == date(2024, 1, 1)


def test_a_lake_from_before_begins_with_its_oldest_day(tmp_path: Path) -> None:
    day = tmp_path / "insights_hourly" / "account_id=1" / "date=2024-02-03"
    day.mkdir(parents=True)
    (day / "data.parquet").write_bytes(b"")
    lake = Lake(tmp_path)

    assert history_since(lake, date(2026, 1, 1), TODAY) == date(2024, 2, 3)
    assert not (tmp_path / HISTORY_KEY).exists()  # who looks at pages writes nothing
    set_up(lake, TODAY)
    (day / "data.parquet").unlink()
    assert history_since(lake, None, TODAY) == date(2024, 2, 3)


def test_what_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    (tmp_path / HISTORY_KEY).write_text("[]")
    lake = Lake(tmp_path)

    set_up(lake, TODAY)

    assert history_since(lake, None, TODAY) == date(2025, 10, 28)
    assert "since" in (tmp_path / HISTORY_KEY).read_text()
