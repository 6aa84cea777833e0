"""Plain tables and lines for the terminal: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import logging
import sys
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["escape_unencodable", "only_once", "print_warnings", "say", "table_lines"]


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


def only_once() -> Callable[[logging.LogRecord], bool]:
    """A filter that lets each text through once: each run of a command has a client of its own,
    and each of them meets the same surprises.
    """
    told: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = text not in told
        told.add(text)
        return new

    return is_new


def escape_unencodable() -> None:
    r"""Names of accounts come in every script: a terminal that lacks one shows ``\u6771``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_warnings() -> None:
    """Our own warnings on stderr. Dagster's log has them too, and the rest."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    # What became of account-days is told at the end, with what to do.
    handler.addFilter(lambda record: not hasattr(record, "outcome"))
    handler.addFilter(only_once())
    for package in ("fbgraph", "warehouse", "pipelines"):
        logging.getLogger(package).addHandler(handler)
