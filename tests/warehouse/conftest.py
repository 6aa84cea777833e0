"""A lake in a folder of the test's own, and account-days to put into it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.seeds import seed_lake
from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load, Restatement
from warehouse.schema.catalog import OWN
from warehouse.schema.columns import HOURLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

DAY = date(2026, 11, 21)
LOADED = datetime(2026, 11, 22, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Days:
    """Makes account-days and puts them into a lake."""

    lake: Lake

    def rows(self, count: int = 6, *, account: str = "11", day: date = DAY) -> pa.Table:
        """Two ads of two campaigns by the hour; the last row has no hour and no traffic."""
        bodies = [_row(n, account, day, hourless=n == count - 1) for n in range(count)]
        body = json.dumps({"data": bodies}).encode()
        owner = Account(account, "Europe/Berlin", "EUR")
        return decode(self.lake.table("insights_hourly"), [body], owner, [day]).rows

    def load(self, rows: pa.Table, *, account: str = "11", day: date = DAY, **more: Any) -> Load:
        return Load(
            **{
                "table": "insights_hourly",
                "account_id": account,
                "date": day,
                "rows": rows.num_rows,
                "spend": sum(rows["spend"].to_pylist(), Decimal()),
                "verdict": "proven",
                "loaded_at": LOADED,
                **more,
            }
        )

    def put(
        self, count: int = 6, *, account: str = "11", day: date = DAY, **more: Any
    ) -> Restatement | None:
        rows = self.rows(count, account=account, day=day)
        load = self.load(rows, account=account, day=day, **more)
        return self.lake.replace("insights_hourly", rows, account_id=account, date=day, load=load)


def _row(n: int, account: str, day: date, *, hourless: bool) -> dict[str, Any]:
    values = {
        "account_id": account,
        "campaign_id": f"2{n % 2}",
        "ad_id": f"3{n % 2}",
        "campaign_name": f"Campaign {n % 2}",
        "account_currency": "EUR",
        "impressions": "0" if hourless else str(100 * n),
        "clicks": "0" if hourless else str(n),
        "spend": "0" if hourless else f"{n}.01",
        "actions": [{"action_type": t, "value": str(n)} for t in ("like", "link_click")],
        "date_start": str(day),
        "date_stop": str(day),
        HOURLY: HOUR_LABELS[n // 2 % 24],
    }
    return {key: value for key, value in values.items() if not (hourless and key == HOURLY)}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(seed_lake(tmp_path / "the lake", OWN))


@pytest.fixture
def days(lake: Lake) -> Days:
    return Days(lake)


@pytest.fixture(scope="session")
def make_days() -> Callable[[Path], Days]:
    """For lakes that outlive one test."""
    return lambda folder: Days(Lake(folder))


@pytest.fixture
def open_days(make_days: Callable[[Path], Days]) -> Iterator[Days]:
    """In a lake that any user of this machine may enter; pytest's own folders are for one."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield make_days(Path(folder) / "lake")


@pytest.fixture
def later() -> list[datetime]:
    """Times after the first load, in order."""
    return [LOADED + timedelta(days=n) for n in range(1, 10)]
