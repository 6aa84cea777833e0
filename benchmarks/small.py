"""What one quiet account-day costs, from bytes to a durable file, in a process that goes on."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import print_figures
from benchmarks.pages import kept
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS: Final = 200
TIMES: Final = 100


def main(folder: Path, out: Path) -> Mapping[str, float]:
    """CPU milliseconds per account-day."""
    pages, lake = kept(folder), Lake(out)
    [day] = pages.days
    rows = json.loads(next(pages.bodies()))["data"][:ROWS]
    body = json.dumps({"data": rows}, separators=(",", ":")).encode()

    def once() -> None:
        with staging_area(lake, "insights_hourly", pages.account, pages.days) as staging:
            staging.add([body])
            merged = staging.merge(day)
            record = {"verdict": PROVEN, "loaded_at": datetime.now(UTC)}
            account_id = pages.account.account_id
            merged.publish(Load.of("insights_hourly", account_id, day, merged.found, **record))

    once()
    started = time.process_time()
    for _ in range(TIMES):
        once()
    return {"rows": ROWS, "milliseconds": (time.process_time() - started) / TIMES * 1000}


if __name__ == "__main__":
    print_figures(lambda: main(*map(Path, sys.argv[1:])))
