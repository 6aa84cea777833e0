"""Page bytes to checked, typed Parquet, against DuckDB doing the least that could be called that.

The floor reads the same files with `read_text`, casts with `from_json` and writes Parquet: it
checks nothing, and turns what it cannot read into NULL. Ours checks every value, tiles the hours,
sorts by the grain and keeps the file durable. Each measurement is a process of its own, so that its
CPU seconds are its own; both sides alternate.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main"]

ROUNDS: Final = 5
DAYS: Final = 4
SCALE: Final = 80
DECIMAL: Final = "DECIMAL(18,6)"


def floor(folder: Path) -> int:
    """DuckDB from JSON text to Parquet; rows written."""
    import duckdb  # noqa: PLC0415  # each side imports only what it needs

    from warehouse.schema import TABLES  # noqa: PLC0415

    actions = f'[{{"action_type": "VARCHAR", "value": "{DECIMAL}"}}]'
    types = {"id": '"VARCHAR"', "text": '"VARCHAR"', "hour": '"VARCHAR"', "date": '"DATE"'}
    types |= {"count": '"BIGINT"', "money": f'"{DECIMAL}"', "actions": actions}
    columns = [c for c in TABLES["insights_hourly"].columns if c.source]
    row = ", ".join(f'"{c.source}": {types[c.kind]}' for c in columns)
    target = folder / "floor.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"""
            copy (
              select unnest(page.data, max_depth := 2)
              from (select from_json(content, '{{"data": [{{{row}}}]}}') as page
                    from read_text('{folder}/*.json'))
            ) to '{target}' (format parquet, compression zstd)""")
        [(rows,)] = connection.sql(f"select count(*) from '{target}'").fetchall()
    return int(rows)


def ours(folder: Path) -> int:
    """Decode, check and replace, account-day by account-day; rows written."""
    from warehouse.decode import Account, decode  # noqa: PLC0415
    from warehouse.lake import Lake  # noqa: PLC0415
    from warehouse.schema import TABLES  # noqa: PLC0415

    table = TABLES["insights_hourly"]
    told = json.loads((folder / "account").read_text())
    account = Account(*told["account"])
    days = [date.fromisoformat(day) for day in told["days"]]
    bodies = [path.read_bytes() for path in sorted(folder.glob("*.json"))]
    decoded = decode(table, bodies, account, days)
    lake = Lake(folder / "lake")
    for day in days:
        lake.replace(table, decoded.of_day(day), account_id=account.account_id, date=day)
    return int(decoded.rows.num_rows)


SIDES: Final = {"floor": floor, "ours": ours}


def main() -> None:
    """Print one line per side, and the ratio."""
    from benchmarks.pages import pages_on_disk  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        account, days, files = pages_on_disk(folder, days=DAYS, scale=SCALE)
        told = {
            "account": [account.account_id, account.timezone_name, account.currency],
            "days": [str(day) for day in days],
        }
        (folder / "account").write_text(json.dumps(told))
        size = sum(path.stat().st_size for path in files)
        rounds = [{side: _measured(side, folder) for side in SIDES} for _ in range(ROUNDS)]
    _print(rounds, size)


def _measured(side: str, folder: Path) -> Mapping[str, float]:
    command = [sys.executable, "-m", "benchmarks.decode", side, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # ourselves
    figures: Mapping[str, float] = json.loads(done.stdout)
    return figures


def _print(rounds: Sequence[Mapping[str, Mapping[str, float]]], size: int) -> None:
    rows = {measured["rows"] for one in rounds for measured in one.values()}
    if len(rows) != 1:
        sys.exit(f"the two sides did not write the same rows: {rows}")
    [count] = rows
    print(f"decode: {count:,.0f} rows in {size / 1e6:.0f} MB of pages, median of {ROUNDS}")
    for side in SIDES:
        cpu = median(one[side]["cpu_seconds"] for one in rounds)
        peak = median(one[side]["peak_mb"] for one in rounds)
        print(f"  {side:6} {cpu:6.2f} CPU-s  {count / cpu:9,.0f} rows/CPU-s  {peak:5.0f} MB")
    ratio = median(one["ours"]["cpu_seconds"] / one["floor"]["cpu_seconds"] for one in rounds)
    print(f"  ours / floor = {ratio:.2f}")


def _one(side: str, folder: Path) -> None:
    rows = SIDES[side](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "rows": rows,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
