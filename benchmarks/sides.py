"""Ways to get the same rows into files: the floor, ours from disk, ours from the socket.

The floor is DuckDB doing the least that could be called loading: it reads the same pages with
`read_text`, casts with `from_json` and writes Parquet. It checks nothing, and turns what it cannot
read into NULL. Ours checks every value, tiles the hours, sorts, adds up, keeps files durable and
replaces account-days one by one; from the socket it asks, inflates and proves as well.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import print_figures

if TYPE_CHECKING:
    from collections.abc import Callable

DECIMAL: Final = "DECIMAL(18,6)"


def floor(pages: Path, out: Path) -> int:
    """DuckDB from JSON text to Parquet; rows written."""
    import duckdb  # noqa: PLC0415  # each side imports only what it needs

    from warehouse.schema.tables import TABLES  # noqa: PLC0415

    actions = f'[{{"action_type": "VARCHAR", "value": "{DECIMAL}"}}]'
    types = {"id": '"VARCHAR"', "text": '"VARCHAR"', "hour": '"VARCHAR"', "date": '"DATE"'}
    types |= {"count": '"BIGINT"', "money": f'"{DECIMAL}"', "actions": actions}
    columns = [c for c in TABLES["insights_hourly"].columns if c.source]
    row = ", ".join(f'"{c.source}": {types[c.kind]}' for c in columns)
    with duckdb.connect() as connection:
        [(rows,)] = connection.execute(f"""
            copy (
              select unnest(page.data, max_depth := 2)
              from (select from_json(content, '{{"data": [{{{row}}}]}}') as page
                    from read_text('{pages}/*.json'))
            ) to '{out}' (format parquet, compression zstd)""").fetchall()
    return int(rows)


def ours(pages: Path, out: Path) -> int:
    """Decode, check, sort, add up and publish, account-day by account-day; rows written."""
    from itertools import islice  # noqa: PLC0415

    from benchmarks.pages import kept  # noqa: PLC0415
    from warehouse.lake.partitions import Lake  # noqa: PLC0415
    from warehouse.lake.records import Load  # noqa: PLC0415
    from warehouse.lake.staging import staging_area  # noqa: PLC0415
    from warehouse.schema.verdicts import PROVEN  # noqa: PLC0415

    pages_kept = kept(pages)
    lake = Lake(out)
    bodies, rows = pages_kept.bodies(), 0
    with staging_area(lake, "insights_hourly", pages_kept.account, pages_kept.days) as staging:
        while batch := list(islice(bodies, 4)):
            staging.add(batch)
        for day in pages_kept.days:
            merged = staging.merge(day)
            merged.publish(
                Load.of(
                    *("insights_hourly", pages_kept.account.account_id, day, merged.found),
                    verdict=PROVEN,
                    loaded_at=datetime.now(UTC),
                )
            )
            rows += merged.found.rows
    return rows


def socket(url: str, token: str, account_id: str, days: int, out: Path) -> int:
    """Load account-days from the sandbox as a run of Dagster does; rows published."""
    from benchmarks.serve import NOW, days_before  # noqa: PLC0415
    from fbgraph import GraphClient  # noqa: PLC0415
    from pipelines.loading.accounts.discovery import discover  # noqa: PLC0415
    from pipelines.loading.accounts.stored import accounts_in, store_accounts  # noqa: PLC0415
    from pipelines.loading.loader import Loader  # noqa: PLC0415
    from pipelines.loading.partitions import AccountDay  # noqa: PLC0415
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415
    from warehouse.lake.partitions import Lake  # noqa: PLC0415

    lake = Lake(out)
    with GraphClient(token, base_url=url) as client:
        store_accounts(lake, discover(client, [account_id]).rows, NOW)
        loader = Loader(client, lake, accounts_in(lake), "bench", now=lambda: NOW)
        wanted = [AccountDay(account_id, day) for day in days_before(days)]
        loads = [one.load for one in loader.load(HOURLY_REPORT, wanted)]
    if not all(load and load.proven for load in loads):
        sys.exit(f"not all account-days were proven: {loads}")
    return sum(load.rows for load in loads if load)


def _side(name: str, arguments: list[str]) -> Callable[[], int]:
    *asked, out = arguments
    if name == "socket":
        url, token, account_id, days = asked
        return lambda: socket(url, token, account_id, int(days), Path(out))
    return lambda: (floor if name == "floor" else ours)(Path(asked[0]), Path(out))


if __name__ == "__main__":
    print_figures(_side(sys.argv[1], sys.argv[2:]))
