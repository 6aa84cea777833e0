"""The careful path: one body, row by row. What cannot be read exactly is named with its reason, and
costs as little as possible: a value of a list, an entry, a cell; a row only if it is a key of the
table or one of the numbers that prove an account-day.

It only judges. The rows it passes are written out again as text and take the fast path, so both
paths convert by the same code.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from warehouse.decode.casts import DAY_END, DAY_START
from warehouse.decode.values import CELL, NOTHING, Flaw, RepeatedKey, UnreadableError, read
from warehouse.errors import NotAPageError
from warehouse.schema.verdicts import METRICS
from warehouse.wording import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warehouse.decode.casts import Expected
    from warehouse.schema.table import Column, Table

__all__ = ["ROW", "JudgedPage", "Reject", "all_of", "as_body", "as_json", "judge_page"]

_BLANK: Final = re.compile(r"[ \t\n\r]*")

#: Most characters of a value that a reject repeats; its `raw` has all of it.
_SHOWN: Final = 500

#: What a reject costs if nothing less is possible; the other costs are those of `values`.
ROW: Final = "row"


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not be read exactly. `page` and `row` count from 1; `value` and `raw` are JSON.

    `column` is "" when the row as a whole is at fault; `date` is the row's day if it can be read.
    `lost` is what it costs: `ROW`, or a word of `values`.
    """

    page: int
    row: int
    column: str
    value: str
    reason: str
    raw: str
    date: date | None = None
    lost: str = ROW

    def __str__(self) -> str:
        return f"{self.column or 'row'} {brief(self.value)}: {self.reason}"

    @property
    def loses_value(self) -> bool:
        """Whether its row loaded without something that Meta sent."""
        return self.lost not in {ROW, NOTHING}


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """Rows that can be read, as text; the rejects; and keys that were not requested."""

    rows: Sequence[tuple[int, Mapping[str, Any], str]]  # (row from 1, values, raw JSON)
    rejects: Sequence[Reject]
    unknown_fields: frozenset[str]


class _RowError(Exception):
    def __init__(self, column: str, value: object, reason: str) -> None:
        self.column = column
        self.value = value
        super().__init__(reason)


class _Number(str):
    """A JSON number as the text it is written in."""

    __slots__ = ()


def judge_page(expected: Expected, body: bytes, page: int) -> JudgedPage:
    """Sort the rows of one body. Raises NotAPageError."""
    rows, rejects, unknown = [], list[Reject](), set[str]()
    for number, (raw, row) in enumerate(_raw_rows(body, page), start=1):
        unknown |= _unknown(expected.table, row)
        day = _day(row)
        try:
            values, flaws = _judge(expected, row)
        except _RowError as error:
            value = as_json(error.value)
            rejects.append(Reject(page, number, error.column, value, str(error), raw, day))
        else:
            rows.append((number, values, raw))
            rejects += [
                Reject(page, number, name, as_json(f.value), f.reason, raw, day, f.lost)
                for name, f in flaws
            ]
    return JudgedPage(rows, rejects, frozenset(unknown))


def as_body(rows: Sequence[tuple[int, Mapping[str, Any], str]]) -> bytes:
    """Rows that were judged readable, as a body for the fast path."""
    return json.dumps({"data": [values for _, values, _ in rows]}).encode()


def _judge(expected: Expected, row: object) -> tuple[Mapping[str, Any], Sequence[tuple[str, Flaw]]]:
    """The values of a row as Graph would have sent them, and what is wrong with its columns."""
    if not isinstance(row, dict):
        raise _RowError("", row, "the row is not an object")
    table = expected.table
    values: dict[str, Any] = {}
    flaws: list[tuple[str, Flaw]] = []
    for column in table.columns:
        value = _value(column, row) if column.source else None
        if value is None:
            if column in table.required:
                raise _RowError(column.name, None, "missing, but every row must have it")
            continue
        try:
            found, of_cell = read(column, value)
        except UnreadableError as error:
            if column.name in table.grain or column.name in METRICS:
                raise _RowError(column.name, value, str(error)) from error
            flaws.append((column.name, Flaw(value, str(error), CELL)))
            continue
        # Keys whose texts differ only in invalid characters share the grain from here on: rows
        # that differ otherwise turn the check `grain` red, so nothing merges unnoticed.
        flaws += [(column.name, flaw) for flaw in of_cell]
        _put(column, values, found)
    _belongs(expected, row, values)
    return values, flaws


def _value(column: Column, row: Mapping[str, Any]) -> object:
    value: object = row.get(column.source)
    if not column.inside:
        return value
    if isinstance(value, dict):
        there = (value[key] for key in column.inside if value.get(key) is not None)
        return next(there, None)
    # Documented as an object; a text in its place can only be its name.
    return value if column.breakdown else None


def _put(column: Column, values: dict[str, Any], found: object) -> None:
    if column.inside:
        values.setdefault(column.source, {})[column.inside[0]] = found
    else:
        values[column.source] = found


def _belongs(expected: Expected, row: Mapping[str, Any], values: Mapping[str, object]) -> None:
    """Raise _RowError for a row that is not of this account and one of these days, or the period
    that begins on that day and ends `until` another.
    """
    account_id, until = expected.account.account_id, expected.until
    if values.get("account_id", account_id) != account_id:
        raise _RowError("account_id", row["account_id"], "the row is of another account")
    day = values.get(DAY_START)
    end = row.get(DAY_END)
    if until is not None and end != str(until):
        raise _RowError(DAY_END, end, f"the row does not end on {until}, as was requested")
    if until is None and day is not None and end not in (None, day):  # a list is in no set
        raise _RowError("date", end, f"the row covers several days: {DAY_END} differs")
    requested = {str(one) for one in expected.days}
    if day is not None and requested and day not in requested:
        raise _RowError("date", row[DAY_START], "the row is of a day that was not requested")


def _day(row: object) -> date | None:
    try:
        return date.fromisoformat(row[DAY_START]) if isinstance(row, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def _unknown(table: Table, row: object) -> set[str]:
    if not isinstance(row, dict):
        return set()
    known = table.graph_keys
    names = row.keys() - known.keys() - ({DAY_END} if DAY_START in known else set())
    for source, parts in known.items():
        value = row.get(source)
        objects = value if isinstance(value, list) else [value]
        keys = {key for item in objects if isinstance(item, dict) for key in item}
        names |= {f"{source}.{key}" for key in keys - set(parts)} if parts else set()
    return names


def as_json(value: object) -> str:
    """Write a value for a person to see, shortened if it is long."""
    try:
        text = json.dumps(value, default=all_of)
    except RecursionError:  # which only a value that nests thousands deep can do
        text = "…"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def all_of(odd: object) -> object:
    """What JSON has for a value that it cannot hold: all values of a repeated key, null for what
    Meta refused.
    """
    return odd.values if isinstance(odd, RepeatedKey) else None


def _raw_rows(body: bytes, page: int) -> Iterator[tuple[str, Any]]:
    """Yield each row of a page as it is written and as Python reads it. Raises NotAPageError."""
    # A byte that is not UTF-8 becomes a lone surrogate, so that only its own cell is mended.
    text = body.decode("utf-8", "surrogateescape")
    _require_page(text, page)
    at = _skip(text, 0) + 1
    key, at = _scan(text, _skip(text, at))
    while key != "data":
        _, at = _scan(text, _skip(text, _skip(text, at) + 1))  # past the colon
        key, at = _scan(text, _skip(text, _skip(text, at) + 1))  # past the comma
    at = _skip(text, _skip(text, _skip(text, at) + 1) + 1)  # past the colon and the bracket
    while text[at] != "]":
        row, end = _scan(text, at)
        # Parquet holds UTF-8 only: any other byte is written out as \udcff.
        yield text[at:end].encode("utf-8", "backslashreplace").decode(), row
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _require_page(text: str, page: int) -> None:
    try:
        whole = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        start = text[:60].encode("ascii", "backslashreplace").decode()
        raise NotAPageError(page, f"{error}; the body starts with {start!r}") from error
    if not isinstance(whole, dict):
        raise NotAPageError(page, "it is not a JSON object")
    for value in whole.values():
        if isinstance(value, RepeatedKey):
            raise NotAPageError(page, f"the key {value.key!r} appears more than once")
    if "error" in whole and "data" not in whole:
        raise NotAPageError(page, f"it is an error: {as_json(whole['error'])}")
    if not isinstance(whole.get("data"), list):
        raise NotAPageError(page, "`data` is missing or not a list")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    values: dict[str, list[Any]] = {key: [] for key in found}
    for key, value in pairs:
        values[key].append(value)
    return {
        key: RepeatedKey(key, of_key) if len(of_key) > 1 else of_key[0]
        for key, of_key in values.items()
    }


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_Number,
    parse_int=_Number,
    # NaN and Infinity are not JSON; as floats they are refused wherever they are.
    parse_constant=float,
)
_scan = _DECODER.raw_decode


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()
