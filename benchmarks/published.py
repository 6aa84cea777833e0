"""The published file of a year of twenty accounts: how fast it answers and how fast it is renewed.

The floor of the questions is a table that was built by hand: the same files read by DuckDB, sorted
by account, day and ad, in a database of its own. All are asked as shells and BI tools ask, by
`execute`: DuckDB's relations bind a query twice, and so list the files of a view twice.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from benchmarks import lake as year
from benchmarks.measure import ROUNDS, print_figures
from warehouse.lake.partitions import Lake
from warehouse.published.connections import CONFIG
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LAST: Final = year.FIRST_DAY + timedelta(days=364)

#: Name → SQL on a table.
QUESTIONS: Final = {
    "campaigns, 30 days": f"""select campaign_id, date, sum(spend) from {{}}
        where date > date '{LAST}' - 30 group by all order by all""",
    "one account": f"""select date, sum(spend), sum(impressions) from {{}}
        where account_id = '{year.ACCOUNTS[7]}' group by all order by all""",
    "one ad, one week": f"""select * from {{}} where ad_id = '120703000000000005'
        and date > date '{LAST}' - 7 order by date, hour""",
}


def main(url: Path) -> Mapping[str, float]:
    """Fill a lake, publish it, ask, change one account-day, publish again; seconds of each."""
    if not (url / "insights_hourly").exists():
        year.fill(url)
    first = publish(url)
    figures = {"first publish": first.seconds, "rows": first.rows["insights_hourly"]}
    by_hand = _by_hand(url)
    with duckdb.connect(first.snapshot, read_only=True, config=CONFIG) as opened:
        for name, sql in QUESTIONS.items():
            sides = {"by hand": by_hand, "published": opened.execute, "lake": opened.execute}
            tables = {"lake": "lake.insights_hourly"}
            asked = {s: sql.format(tables.get(s, "insights_hourly")) for s in sides}
            taken: dict[str, list[float]] = {side: [] for side in sides}
            answers = {s: ask(asked[s]).fetchall() for s, ask in sides.items()}
            if not answers["published"] == answers["lake"] == answers["by hand"]:
                sys.exit(f"{name}: the answers differ")
            for _ in range(ROUNDS):
                for side, ask in sides.items():
                    started = time.perf_counter()
                    ask(asked[side]).fetchall()
                    taken[side].append(time.perf_counter() - started)
            figures |= {f"{name}, {s}": statistics.median(t) for s, t in taken.items()}
    again = []
    for n in range(ROUNDS):
        year.put(Lake(url), year.ACCOUNTS[n], LAST, seed=int(time.time()) % 1000 + n)
        again.append(publish(url).seconds)
    return figures | {"publish after one account-day": statistics.median(again)}


def _by_hand(url: Path) -> Callable[[str], duckdb.DuckDBPyConnection]:
    """A sorted native table of the same rows; how to ask it."""
    connection = duckdb.connect(url.with_suffix(".by-hand"), config=CONFIG)
    columns = ", ".join(f'"{column.name}"' for column in year.TABLE.columns)
    files = f"{url}/insights_hourly/account_id=*/date=*/data.parquet"
    connection.execute(
        f"create or replace table insights_hourly as select {columns} "
        f"from read_parquet('{files}', hive_partitioning = true, "
        "hive_types = {'account_id': VARCHAR, 'date': DATE}) "
        "order by account_id, date, ad_id, hour; checkpoint"
    )
    return connection.execute


if __name__ == "__main__":
    print_figures(lambda: main(Path(sys.argv[1])))
