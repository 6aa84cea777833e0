"""What rows with an asset cost against plain ones, from bytes to published account-days."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import print_figures
from benchmarks.pages import kept
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How many times each is measured; the least of CPU seconds counts.
TIMES: Final = 5

#: Both have one row per ad, day and value; what is measured is what tells the values apart.
BREAKDOWNS: Final[Mapping[str, str]] = {"plain": "country", "asset": "image_asset"}

#: A signed address is most of what such a row has.
URL: Final = (
    "https://scontent.xx.fbcdn.net/v/t45.1600-4/{n}_n.png?_nc_cat=105&ccb=1-7&_nc_sid=890911"
    "&_nc_ohc=ZqRS-tgpCdYQ7kNvgFI_jPk&_nc_oc=AdnQAlkevmhNHTed2wRxhGpUKLVzmCDGui&_nc_zt=1"
    "&_nc_ht=scontent.xx&edm=AOgd6ZUEAAAA&_nc_gid={n:016x}&oh=00_AYEFzP{n:016x}&oe=67E33323"
)


def main(folder: Path, out: Path) -> Mapping[str, float]:
    """CPU seconds of each, of as many rows."""
    from pipelines.reports.spec import ReportSpec  # noqa: PLC0415  # after the clock of nothing
    from pipelines.reports.tables import table_of  # noqa: PLC0415

    pages = kept(folder)
    [day] = pages.days
    figures: dict[str, float] = {}
    for name, breakdown in BREAKDOWNS.items():
        fields = ("spend", "reach", "actions")
        table = table_of(ReportSpec(name=name, level="ad", fields=fields, breakdowns=(breakdown,)))
        wanted = {*table.graph_keys, "date_stop"}
        bodies, rows = [], 0
        for page in pages.bodies():
            found = json.loads(page)["data"]
            made = [_row(row, wanted, breakdown, rows + n) for n, row in enumerate(found)]
            # As Meta writes it: without blanks, and with slashes escaped.
            text = json.dumps({"data": made}, separators=(",", ":")).replace("/", "\\/")
            bodies.append(text.encode())
            rows += len(made)
        seconds = []
        for turn in range(TIMES):
            lake = Lake(out / f"{name}{turn}")
            started = time.process_time()
            with staging_area(lake, table, pages.account, pages.days) as staging:
                for at in range(0, len(bodies), 4):
                    staging.add(bodies[at : at + 4])
                merged = staging.merge(day)
                record: dict[str, Any] = {"verdict": PROVEN, "loaded_at": datetime.now(UTC)}
                merged.publish(Load.of(name, pages.account.account_id, day, merged.found, **record))
            seconds.append(time.process_time() - started)
        if merged.found.rows != rows or merged.found.duplicates:
            sys.exit(f"{merged.found.rows} of {rows} rows of {name} were loaded")
        figures |= {"rows": rows, name: min(seconds)}
    return figures


def _row(row: dict[str, Any], wanted: set[str], breakdown: str, n: int) -> dict[str, Any]:
    """A row of hours as one of a breakdown: `n` makes each a row of its own."""
    kept_values = {key: value for key, value in row.items() if key in wanted}
    kept_values["reach"] = row["impressions"]
    if breakdown == "country":
        return {**kept_values, breakdown: f"C{n}"}
    asset = {"hash": f"{n % 16:032x}", "url": URL.format(n=n), "id": str(12 * 10**16 + n)}
    return {**kept_values, breakdown: {**asset, "name": f"bike {n % 16}.png"}}


if __name__ == "__main__":
    print_figures(lambda: main(*map(Path, sys.argv[1:])))
