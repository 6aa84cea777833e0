"""Faults in single values, while the numbers are right."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.insights.assets import ASSETS
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fbgraph.sandbox.faults.hooks import Fault, Making

    Row = dict[str, Any]
    Change = Callable[[Row], None]

__all__ = ["empty_value", "half_character", "odd_cell", "odd_entry", "sign_again"]


def _odd_rows(
    field: str, change: Change, fault: Fault, rows: Iterator[bytes], making: Making
) -> Iterator[bytes]:
    """One in N rows of reports that were asked for `field`, changed. Always the same ones."""
    if field not in making.query.fields:
        return rows
    return (_changed(row, change) if fault.picks(n) else row for n, row in enumerate(rows))


def _changed(row: bytes, change: Change) -> bytes:
    values = json.loads(row)
    change(values)
    return compact(values)


def _empty(row: Row) -> None:
    row.setdefault("actions", []).append({"action_type": "app_use", "value": ""})


def _no_entry(row: Row) -> None:
    row.setdefault("actions", []).append(None)


def _no_count(row: Row) -> None:
    row["full_view_impressions"] = "n/a"


def _half(row: Row) -> None:
    row["campaign_name"] = f"{row['campaign_name']} \ud83d"


empty_value: Final = partial(_odd_rows, "actions", _empty)
odd_entry: Final = partial(_odd_rows, "actions", _no_entry)
odd_cell: Final = partial(_odd_rows, "full_view_impressions", _no_count)
half_character: Final = partial(_odd_rows, "campaign_name", _half)

_SIGNATURE: Final = re.compile(rb"oh=00_[0-9a-f]{8}")


def sign_again(fault: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """Rows by asset, signed by the number of the reading; the first of them comes twice."""
    if not ASSETS.keys() & {*making.query.splits}:
        return rows
    return _signed(fault, rows, making.reading)


def _signed(fault: Fault, rows: Iterator[bytes], reading: int) -> Iterator[bytes]:
    for n, row in enumerate(rows):
        for time in range(1 if n else 2):
            signature = b"oh=00_%08x" % dice(fault.name, reading, n, time)
            yield _SIGNATURE.sub(signature, row)
