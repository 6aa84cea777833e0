"""Do all sides say the same, value by value? No time counts before they do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["require_equal"]

HOURLY: Final = "hourly_stats_aggregated_by_advertiser_time_zone"

#: Columns that every side has: values, NULLs and decimals of each have to be the same.
TEXTS: Final = ("campaign_id", "adset_id", "ad_id", "campaign_name", "ad_name", "account_currency")
COUNTS: Final = ("impressions", "clicks", "inline_link_clicks", "inline_post_engagement")
LISTS: Final = ("actions", "action_values", "outbound_clicks")

_ENTRIES: Final = (
    "list_transform({}, lambda e: {{'t': e.action_type, 'v': e.value::DECIMAL(18,6)}})"
)


def require_equal(outputs: Mapping[str, Path]) -> None:
    """End everything if what sides wrote differs from what the floor wrote."""
    with duckdb.connect() as connection:
        for side, path in outputs.items():
            if side == "dlt":
                connection.execute(f"attach '{path}' as others (read_only)")
            connection.execute(f'create table "{side}" as {_SELECTS[side](path)}')
        for side in outputs.keys() - {"floor"}:
            columns = "*" if side != "dlt" else f"* exclude ({', '.join(LISTS)})"
            [(differing,)] = connection.execute(f"""
                select count(*) from (
                  (select {columns} from floor except all select {columns} from "{side}")
                  union all (select {columns} from "{side}" except all select {columns} from floor)
                )""").fetchall()
            if differing:
                sys.exit(f"{side} and the floor differ in {differing} rows")


def _values(hour: str, day: str = "date_start", *, lists: bool = True) -> str:
    parts = [
        f"{day}::DATE as date, {hour} as hour, spend::DECIMAL(18,6) as spend",
        *(f"{name}::VARCHAR as {name}" for name in TEXTS),
        *(f"{name}::BIGINT as {name}" for name in COUNTS),
        *(f"{_ENTRIES.format(name) if lists else 'NULL'} as {name}" for name in LISTS),
    ]
    return ", ".join(parts)


_LABEL: Final = f'"{HOURLY}"[:2]::TINYINT'


def _floor(path: Path) -> str:
    return f"select {_values(_LABEL)} from read_parquet('{path}')"


def _lake(path: Path) -> str:
    files = f"{path}/insights_hourly/*/*/data.parquet"
    values = _values("hour", "date")
    return f"select {values} from read_parquet('{files}', hive_types = {{'date': DATE}})"


def _sdk(path: Path) -> str:
    return f"select {_values('hour')} from '{path}/*.parquet'"


def _dlt(_: Path) -> str:
    # dlt puts lists into tables of their own.
    return f"select {_values(_LABEL, lists=False)} from others.bench.insights_hourly"


_SELECTS: Final = {"floor": _floor, "ours": _lake, "socket": _lake, "sdk": _sdk, "dlt": _dlt}
