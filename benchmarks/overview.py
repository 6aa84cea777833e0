"""The page to look at, of twenty accounts and ninety days: its size, and what it costs to make.

The lake has the ninety days before as well, which the page compares with, by the hour and by the
day: 20 rows of each an account-day. A page is made by a process of its own, start included.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import warehouse
from benchmarks import growth
from benchmarks import lake as year
from benchmarks.measure import ROUNDS, measured, print_figures
from pipelines.loading.accounts.stored import store_accounts
from pipelines.overview.page import overview_of
from pipelines.overview.window import Window
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["figures"]

DAYS: Final = 90

#: What the page shows. The lake begins as many days before.
WINDOW: Final = Window.beginning(year.FIRST_DAY + timedelta(days=DAYS), DAYS)


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    with tempfile.TemporaryDirectory() as name:
        _fill(Path(name))
        rounds = [measured("overview", name) for _ in range(ROUNDS)]
    for what, key, unit, limit in (
        (f"the page of {len(year.ACCOUNTS)} accounts x {DAYS} days: size", "mb", "MB", "2.5"),
        ("CPU of making it, start included", "cpu_seconds", "CPU-s", "2"),
        ("peak memory of that", "peak_mb", "MB", "250"),
    ):
        yield what, f"{median(one[key] for one in rounds):.1f} {unit}", limit


def _fill(folder: Path) -> None:
    lake, now = Lake(folder), datetime.now(UTC)
    rows = [
        {
            "id": f"act_{account_id}",
            "account_id": account_id,
            "name": f"Account {n}",
            "currency": "EUR",
            "timezone_name": "UTC",
        }
        for n, account_id in enumerate(year.ACCOUNTS)
    ]
    store_accounts(lake, rows, now)
    tables = [TABLES[name] for name in ("insights_hourly", "insights_daily")]
    for n, day in enumerate([*WINDOW.before.days, *WINDOW.days]):
        for account_id in year.ACCOUNTS:
            for table in tables:
                growth.put(lake, table, account_id, day, seed=n)
    publish(folder)


def _make(folder: Path) -> Mapping[str, float]:
    """Megabytes of the page."""
    with warehouse.open(folder) as opened:
        made = overview_of(opened, Lake(folder).store.read, datetime.now(UTC), WINDOW)
    return {"mb": len(made.html.encode()) / 1e6}


if __name__ == "__main__":
    print_figures(lambda: _make(Path(sys.argv[1])))
