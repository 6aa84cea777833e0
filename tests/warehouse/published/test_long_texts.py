"""Cells of 100 kB, as of a report of one's own: what DuckDB needs for them it has."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tests.warehouse.lake.mine import MINE
from tests.warehouse.published.asking import ask
from warehouse.decode.pages import Account, decode
from warehouse.lake.partitions import Lake
from warehouse.published.publish import MASTER, SNAPSHOTS, publish

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT: Final = Account("11", "Europe/Berlin", "EUR")

#: More than fits into what DuckDB may have while it inserts few rows.
DAYS, ROWS, CHARACTERS = 25, 100, 100_000


def put(lake: Lake, day: date) -> None:
    rows = [
        {
            "account_id": ACCOUNT.account_id,
            "date_start": str(day),
            "date_stop": str(day),
            "image": {"id": str(n), "url": f"{day} {n} ".ljust(CHARACTERS, "x")},
            "hours": "07:00:00 - 07:59:59",
            "spend": "1.50",
        }
        for n in range(ROWS)
    ]
    page = decode(MINE, [json.dumps({"data": rows}).encode()], ACCOUNT, [day])
    lake.replace(MINE, page.rows, account_id=ACCOUNT.account_id, date=day)


def test_thousands_of_long_texts_are_published_and_carried(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for n in range(DAYS):
        put(lake, date(2026, 10, 1) + timedelta(days=n))
    published = publish(lake.root)
    shutil.rmtree(lake.root / SNAPSHOTS / MASTER)
    again = publish(lake.root)

    assert published.rows["mine"] == again.rows["mine"] == DAYS * ROWS
    [(count, characters)] = ask(lake.root, "FROM mine SELECT count(*), sum(len(image_url))")
    assert (count, characters) == (DAYS * ROWS, DAYS * ROWS * CHARACTERS)
