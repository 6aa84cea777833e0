"""The careful way: one body, row by row, each row loaded exactly or rejected with its reason.

It only judges. The rows it passes are written out again as text and take the fast way, so both
ways convert by the same code.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from warehouse.cells import RepeatedKey, UnreadableError, cell
from warehouse.errors import NotAPageError
from warehouse.typed import DAY_END, DAY_START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warehouse.table import Table
    from warehouse.typed import Account

__all__ = ["JudgedPage", "Reject", "as_body", "as_json", "judge_page"]

_BLANK: Final = re.compile(r"[ \t\n\r]*")

#: Most characters of a value that a reject repeats; its `raw` has all of it.
_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not loaded. `page` and `row` count from 1; `value` and `raw` are JSON.

    `column` is "" when the row as a whole is at fault; `date` is the row's day if it can be read.
    """

    page: int
    row: int
    column: str
    value: str
    reason: str
    raw: str
    date: date | None = None


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """Rows that can be read, as text; the ones that cannot; and keys that nobody asked for."""

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


def judge_page(
    table: Table, body: bytes, page: int, account: Account, days: Sequence[date]
) -> JudgedPage:
    """Sort the rows of one body. Raises NotAPageError."""
    rows, rejects, unknown = [], [], set[str]()
    for number, (raw, row) in enumerate(_raw_rows(body, page), start=1):
        unknown |= _unknown(table, row)
        try:
            rows.append((number, _judge(table, row, account, days), raw))
        except _RowError as error:
            reject = Reject(page, number, error.column, as_json(error.value), str(error), raw)
            rejects.append(replace(reject, date=_day(row)))
    return JudgedPage(rows, rejects, frozenset(unknown))


def as_body(rows: Sequence[tuple[int, Mapping[str, Any], str]]) -> bytes:
    """Rows that were judged readable, as a body for the fast way."""
    return json.dumps({"data": [values for _, values, _ in rows]}).encode()


def _judge(
    table: Table, row: object, account: Account, days: Sequence[date]
) -> Mapping[str, object]:
    if not isinstance(row, dict):
        reason = f"the key {row.key!r} stands there twice" if isinstance(row, RepeatedKey) else ""
        raise _RowError("", row, reason or "the row is not an object")
    values: dict[str, object] = {}
    for column in table.columns:
        value = row.get(column.source) if column.source else None
        if value is not None:
            try:
                values[column.source] = cell(column, value)
            except UnreadableError as error:
                raise _RowError(column.name, value, str(error)) from error
        elif column in table.required:
            raise _RowError(column.name, None, "is missing, and no row may lack it")
    _belongs(row, values, account, days)
    return values


def _belongs(
    row: Mapping[str, Any], values: Mapping[str, object], account: Account, days: Sequence[date]
) -> None:
    """Raise _RowError for a row that is not of this account and one of these days."""
    if values.get("account_id", account.account_id) != account.account_id:
        raise _RowError("account_id", row["account_id"], "a row of another account")
    day = values.get(DAY_START)
    if day is not None and row.get(DAY_END) not in (None, day):  # no set: a list may stand there
        raise _RowError("date", row[DAY_END], f"the row covers several days: {DAY_END} differs")
    if day is not None and days and day not in {str(asked) for asked in days}:
        raise _RowError("date", row[DAY_START], "a day that was not asked for")


def _day(row: object) -> date | None:
    try:
        return date.fromisoformat(row[DAY_START]) if isinstance(row, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def _unknown(table: Table, row: object) -> set[str]:
    if not isinstance(row, dict):
        return set()
    known = {column.source: column for column in table.columns if column.source}
    names = row.keys() - known.keys() - ({DAY_END} if DAY_START in known else set())
    for source, column in known.items():
        if column.kind == "actions" and isinstance(row.get(source), list):
            entry = {"action_type", *column.keys, "value", *column.windows}
            extra = {key for item in row[source] if isinstance(item, dict) for key in item} - entry
            names |= {f"{source}.{key}" for key in extra}
    return names


def as_json(value: object) -> str:
    """Write a value for a person to see, shortened if it is long."""
    try:
        text = json.dumps(value, default=lambda _: None)
    except RecursionError:  # which only a value that nests thousands deep can do
        text = "…"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _raw_rows(body: bytes, page: int) -> Iterator[tuple[str, Any]]:
    """Yield each row of a page as it is written and as Python reads it. Raises NotAPageError."""
    # A byte that is no UTF-8 becomes a lone surrogate, so that only its own row is rejected.
    text = body.decode("utf-8", "surrogateescape")
    _demand_page(text, page)
    at = _skip(text, 0) + 1
    key, at = _scan(text, _skip(text, at))
    while key != "data":
        _, at = _scan(text, _skip(text, _skip(text, at) + 1))  # past the colon
        key, at = _scan(text, _skip(text, _skip(text, at) + 1))  # past the comma
    at = _skip(text, _skip(text, _skip(text, at) + 1) + 1)  # past the colon and the bracket
    while text[at] != "]":
        row, end = _scan(text, at)
        # Parquet holds UTF-8 only: a byte that is none is written out as \udcff.
        yield text[at:end].encode("utf-8", "backslashreplace").decode(), row
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _demand_page(text: str, page: int) -> None:
    try:
        whole = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        start = text[:60].encode("ascii", "backslashreplace").decode()
        raise NotAPageError(page, f"{error}; it starts with {start!r}") from error
    if isinstance(whole, RepeatedKey):
        raise NotAPageError(page, f"the key {whole.key!r} stands there twice")
    if not isinstance(whole, dict):
        raise NotAPageError(page, "it is not a JSON object")
    if "error" in whole and "data" not in whole:
        raise NotAPageError(page, f"it is an error: {as_json(whole['error'])}")
    if not isinstance(whole.get("data"), list):
        raise NotAPageError(page, "`data` is missing or not a list")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | RepeatedKey:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    count = Counter(key for key, _ in pairs)
    return RepeatedKey(max(count, key=lambda key: count[key]))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_Number,
    parse_int=_Number,
    # NaN and Infinity are not JSON; as floats they are refused wherever they stand.
    parse_constant=float,
)
_scan = _DECODER.raw_decode


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()
