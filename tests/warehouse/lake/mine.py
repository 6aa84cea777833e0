"""The table of a report of one's own, in a lake."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import warehouse
from warehouse.decode.pages import Account, decode
from warehouse.lake.definitions import FOLDER
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)

MINE = Table(
    "mine",
    ("account_id", "date", "image_id", "hour"),
    "What Ä and 'B' did.",
    (
        Column("account_id", "id", "Account"),
        Column("date", "date", "Day", field="date_start"),
        Column("image_id", "text", "Image", field="image", breakdown=True, inside=("id", "hash")),
        Column("image_url", "text", "Address", field="image", inside=("url",), moves=True),
        Column("hour", "hour", "Hour", field="hours", breakdown=True),
        Column("spend", "money", "Money", "account currency"),
        Column("actions", "actions", "Lists", windows=("7d_click",), keys=("action_device",)),
    ),
    partitions=("account_id", "date"),
)


def put(
    lake: Lake,
    table: Table = MINE,
    day: date = DAY,
    images: Sequence[Mapping[str, str]] = ({"id": "7"},),
) -> None:
    """Load a day, with a row for each image."""
    rows = [
        {
            "account_id": "11",
            "date_start": str(day),
            "date_stop": str(day),
            "image": image,
            "hours": "07:00:00 - 07:59:59",
            "spend": "1.50",
            "actions": [
                {"action_type": "like", "action_device": "x", "value": "2", "7d_click": "1"}
            ],
        }
        for image in images
    ]
    body = json.dumps({"data": rows}).encode()
    page = decode(table, [body], Account("11", "Europe/Berlin", "EUR"), [day])
    lake.replace(table, page.rows, account_id="11", date=day)


def file_of(lake: Lake, name: str = "mine") -> Path:
    return lake.root / FOLDER / f"{name}.json"


def rows_of(url: str | Path, query: str) -> list[tuple[Any, ...]]:
    with warehouse.open(url) as opened:
        return opened.sql(query).fetchall()
