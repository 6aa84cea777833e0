"""A query of an agent, and its result as JSON: exact, and cut where it would be too much."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from math import isfinite
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

import duckdb

from pipelines.agents.bounds import RefusedError
from warehouse.published.reading import require_question
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipelines.agents.bounds import Bounds
    from warehouse.published.opened import Warehouse

__all__ = ["COUNTING_SECONDS", "QueryResult", "ResultColumn", "cut", "exact", "query"]

#: JSON numbers beyond it are floats to most who read them.
EXACT_INTEGERS: Final = 2**53

#: How long the rows that are not returned are counted.
COUNTING_SECONDS: Final = 2

#: Rows that are fetched at once.
FETCHED_ROWS: Final = 2_048


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, with DuckDB's type."""

    name: str
    type: str


@dataclass(frozen=True)
class QueryResult:
    """Rows as lists, in the order of the columns. `rows_total` is None if it is not known; `note`
    says what was left out, and what to do.
    """

    columns: list[ResultColumn]
    rows: list[list[Any]]
    rows_returned: int
    rows_total: int | None
    is_cut: bool
    note: str


def query(opened: Warehouse, bounds: Bounds, sql: str) -> QueryResult:
    """The result of one statement that reads. Raises RefusedError, WarehouseError, duckdb.Error."""
    require_question(sql)
    cursor = opened.cursor()
    try:
        with _interrupted(cursor, bounds.seconds):
            cursor.execute(sql)
            columns = [ResultColumn(name, str(kind)) for name, kind, *_ in cursor.description or ()]
            fetched = _fetched(cursor, min(FETCHED_ROWS, bounds.rows + 1))
            rows, is_cut = cut(([exact(value) for value in row] for row in fetched), bounds)
        total: int | None = len(rows)
        if is_cut:
            more = _count(cursor, fetched)
            total = None if more is None else len(rows) + 1 + more
    finally:
        cursor.close()
    return QueryResult(columns, rows, len(rows), total, is_cut, _note(len(rows), total, is_cut))


@contextmanager
def _interrupted(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """What a cursor is at ends with InterruptException after these seconds."""
    timer = Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def cut(rows: Iterable[list[Any]], bounds: Bounds) -> tuple[list[list[Any]], bool]:
    """The first rows that fit, and whether one more was read that does not. Raises RefusedError if
    not even the first one fits.
    """
    kept: list[list[Any]] = []
    left = bounds.characters
    for row in rows:
        left -= len(json.dumps(row, ensure_ascii=False))
        if left < 0 and not kept:
            raise RefusedError(
                "One row alone is longer than a whole result may be:"
                f" {counted(bounds.characters, 'character')} of JSON. Select fewer columns, or the"
                " beginning of long texts: left(x, 200)."
            )
        if left < 0 or len(kept) == bounds.rows:
            return kept, True
        kept.append(row)
    return kept, False


def exact(value: object) -> Any:
    """A value as JSON has it, without loss: decimals, and integers that a float cannot hold, as
    text; dates and instants in ISO 8601.
    """
    plain: Any = str(value)
    match value:
        case None | bool() | str():
            plain = value
        case int() if abs(value) <= EXACT_INTEGERS:
            plain = value
        case float() if isfinite(value):
            plain = value
        case Decimal():
            plain = f"{value:f}"
        case datetime() | date() | time_of_day():
            plain = value.isoformat()
        case bytes():
            plain = value.hex()
        case list() | tuple():
            plain = [exact(item) for item in value]
        case dict():
            plain = {str(key): exact(item) for key, item in value.items()}
    return plain


def _fetched(cursor: duckdb.DuckDBPyConnection, size: int) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(size):
        yield from rows


def _count(cursor: duckdb.DuckDBPyConnection, rows: Iterable[object]) -> int | None:
    """How many there are; None if counting takes too long."""
    until = time.monotonic() + COUNTING_SECONDS
    number = 0
    try:
        with _interrupted(cursor, COUNTING_SECONDS):
            for number, _ in enumerate(rows, 1):
                if number % FETCHED_ROWS == 0 and time.monotonic() > until:
                    return None
    except duckdb.InterruptException:
        return None
    return number


def _note(returned: int, total: int | None, is_cut: bool) -> str:  # noqa: FBT001  # private
    if not is_cut:
        return ""
    of = "more; how many is not known" if total is None else f"{total:,}"
    return (
        f"Only the first {counted(returned, 'row')} of {of}. Do not add them up: let SQL do it, or"
        " narrow the query."
    )
