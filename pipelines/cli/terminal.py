"""Plain tables and lines for the terminal: results on stdout, everything else on stderr."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["say", "table_lines"]


def say(text: str = "") -> None:
    """A line for the person who watches; not part of the result."""
    click.echo(text, err=True)


def table_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Sequence[str]:
    """A table as lines: text to the left, numbers to the right, None as NULL."""
    body = [list(row) for row in rows]
    columns = [[row[n] for row in body] for n in range(len(header))]
    right = [all(_is_number(v) for v in column if v is not None) for column in columns]
    cells = list(zip(*map(_texts, columns), strict=True))
    widths = [
        max((_width(row[n]) for row in chain([list(header)], cells)), default=0)
        for n in range(len(header))
    ]

    def line(row: Sequence[str]) -> str:
        padded = [
            " " * (width - _width(cell)) + cell if to_right else cell + " " * (width - _width(cell))
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return [line(header), "  ".join("-" * width for width in widths), *map(line, cells)]


def _texts(column: Sequence[object]) -> Sequence[str]:
    """A column as text; its decimals with as many places as the one that needs most."""
    places = max((_places(value) for value in column if isinstance(value, Decimal)), default=0)
    return [
        "NULL"
        if value is None
        else f"{value:.{places}f}"
        if isinstance(value, Decimal)
        else str(value).translate(_ESCAPES)
        for value in column
    ]


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


#: What would break a line or move the cursor, as backslash escapes: names come from advertisers.
_ESCAPES = {n: f"\\x{n:02x}" for n in (*range(32), 127)} | {9: "\\t", 10: "\\n", 13: "\\r"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return cell_len(text)
