"""Peak memory of account-days of any size, many at once: the process that loads, as a whole."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import print_figures
from benchmarks.pages import kept
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.pages import Pages

#: Account-days in flight.
AT_ONCE: Final = 8

#: Pages that are handed over together.
BATCH: Final = 4


def load(lake: Lake, pages: Pages, account_id: str, copies: int) -> int:
    """Load the pages `times` over as one account-day; returns the rows published."""
    account = Account(account_id, pages.account.timezone_name, pages.account.currency)
    [day] = pages.days
    with staging_area(lake, "insights_hourly", account, [day]) as staging:
        batch: list[bytes] = []
        for body in _bodies(pages, account_id, copies):
            batch.append(body)
            if len(batch) == BATCH:
                staging.add(batch)
                batch = []
        staging.add(batch)
        merged = staging.merge(day)
        record = {"verdict": PROVEN, "loaded_at": datetime.now(UTC)}
        merged.publish(Load.of("insights_hourly", account_id, day, merged.found, **record))
    return merged.found.rows


def _bodies(pages: Pages, account_id: str, copies: int) -> Iterator[bytes]:
    """The pages again and again, each time of other ads: a page of each copy after the other."""
    whose = b'"account_id":"%s"' % account_id.encode()
    for body in pages.bodies():
        of_account = body.replace(b'"account_id":"%s"' % pages.account.account_id.encode(), whose)
        for copy in range(copies):
            yield of_account.replace(b'"ad_id":"120', b'"ad_id":"%03d' % (100 + copy))


def main(folder: Path, out: Path, account_days: int, copies: int) -> int:
    """Load a number of account-days, some at once; returns the rows published."""
    pages, lake = kept(folder), Lake(out)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ids = (f"5001000073{n:05}" for n in range(account_days))
        return sum(pool.map(lambda account_id: load(lake, pages, account_id, copies), ids))


if __name__ == "__main__":
    pages, out, *numbers = sys.argv[1:]
    print_figures(lambda: main(Path(pages), Path(out), *map(int, numbers)))
