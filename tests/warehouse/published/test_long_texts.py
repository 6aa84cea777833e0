"""Cells of 100 kB, as of a report of one's own: what DuckDB needs for them it has."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.warehouse.lake.mine import DAY, put
from tests.warehouse.published.asking import ask
from warehouse.lake.partitions import Lake
from warehouse.published.publish import MASTER, SNAPSHOTS, publish

if TYPE_CHECKING:
    from pathlib import Path

#: More than fits into what DuckDB may have while it inserts few rows.
DAYS, ROWS, CHARACTERS = 25, 100, 100_000


def test_thousands_of_long_texts_are_published_and_carried(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for day in (DAY + timedelta(days=n) for n in range(DAYS)):
        texts = (f"{day} {n} ".ljust(CHARACTERS, "x") for n in range(ROWS))
        put(lake, day=day, images=[{"id": str(n), "url": text} for n, text in enumerate(texts)])
    published = publish(lake.root)
    shutil.rmtree(lake.root / SNAPSHOTS / MASTER)
    again = publish(lake.root)

    assert published.rows["mine"] == again.rows["mine"] == DAYS * ROWS
    [(count, characters)] = ask(lake.root, "FROM mine SELECT count(*), sum(len(image_url))")
    assert (count, characters) == (DAYS * ROWS, DAYS * ROWS * CHARACTERS)
