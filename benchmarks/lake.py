"""A lake of many small account-days, as a year of twenty accounts leaves behind."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow
from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Evidence
from warehouse.lake.records import Load
from warehouse.schema.columns import HOURLY
from warehouse.schema.tables import TABLES
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ACCOUNTS", "FIRST_DAY", "account_day", "fill", "put"]

ACCOUNTS: Final = [f"5001000{n:02}7310042" for n in range(20)]
FIRST_DAY: Final = date(2025, 11, 22)
DAYS: Final = 365
ADS: Final = 40
HOURS: Final = 17  # hours of a day in which an ad is delivered: 680 rows a day

TABLE: Final = TABLES["insights_hourly"]


def fill(url: Path, days: int = DAYS) -> Lake:
    """Write the account-days; 5 million rows in 7,300 files by default."""
    lake = Lake(url)
    for n in range(days):
        for account_id in ACCOUNTS:
            put(lake, account_id, FIRST_DAY + timedelta(days=n), seed=n)
    return lake


def put(lake: Lake, account_id: str, day: date, seed: int) -> None:
    """Write one account-day; another seed, other numbers."""
    rows = account_day(account_id, day, seed)
    load = Load.of(
        *(TABLE.name, account_id, day, Evidence.of(TABLE, rows)),
        verdict=PROVEN,
        loaded_at=datetime.now(UTC),
    )
    lake.replace(TABLE, rows, account_id=account_id, date=day, load=load)


def account_day(account_id: str, day: date, seed: int) -> pa.Table:
    """Rows of one account-day, made of a decoded page by arithmetic."""
    rows = _template(account_id)
    shift = arrow.constant(str((day - FIRST_DAY).days * 86_400_000_000), 1, pa.int64())[0]
    changed = {
        "date": arrow.constant(str(day), rows.num_rows, pa.date32()),
        "impressions": pc.add(rows["impressions"], arrow.int64s([seed % 97])[0]),
        "spend": pc.add(rows["spend"], arrow.constant(f"0.{seed % 89:02}", 1, _MONEY)[0]).cast(
            _MONEY
        ),
    }
    for name in ("hour_start_utc", "hour_end_utc"):
        moved = pc.add(rows[name].cast(pa.int64()), shift)
        changed[name] = moved.cast(TABLE.column(name).arrow_type)
    columns = [changed.get(name, rows[name]) for name in TABLE.arrow_schema.names]
    return pa.Table.from_arrays(columns, schema=TABLE.arrow_schema)


_MONEY: Final = TABLE.column("spend").arrow_type
_TEMPLATES: Final[dict[str, pa.Table]] = {}


def _template(account_id: str) -> pa.Table:
    if account_id not in _TEMPLATES:
        body = json.dumps({"data": list(_rows(account_id))}).encode()
        account = Account(account_id, "UTC", "EUR")
        _TEMPLATES[account_id] = decode(TABLE, [body], account, [FIRST_DAY]).rows
    return _TEMPLATES[account_id]


def _rows(account_id: str) -> Iterator[dict[str, object]]:
    prefix = account_id[7:9]
    for n in range(ADS * HOURS):
        ad, hour = divmod(n, HOURS)
        yield {
            "account_id": account_id,
            "campaign_id": f"12{prefix}01000000{ad // 8:06}",
            "adset_id": f"12{prefix}02000000{ad // 4:06}",
            "ad_id": f"12{prefix}03000000{ad:06}",
            "campaign_name": f"Campaign {ad // 8} | Sales | Prospecting",
            "adset_name": f"Ad set {ad // 4} | Broad",
            "ad_name": f"Ad {ad} | Carousel",
            "objective": "OUTCOME_SALES",
            "optimization_goal": "OFFSITE_CONVERSIONS",
            "account_currency": "EUR",
            "impressions": str(50 + 7 * n % 400),
            "clicks": str(n % 11),
            "spend": str(Decimal(3 * n % 977) / 100),
            "inline_link_clicks": str(n % 5),
            "actions": [
                {"action_type": kind, "value": str(n % 7)}
                for kind in ("link_click", "post_engagement", "video_view")
            ],
            "date_start": str(FIRST_DAY),
            "date_stop": str(FIRST_DAY),
            HOURLY: HOUR_LABELS[hour + 3],
        }


if __name__ == "__main__":
    from pathlib import Path

    fill(Path(sys.argv[1]))
