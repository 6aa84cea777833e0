"""The fast path: page bodies to typed columns in compiled code, where text becomes numbers, with no
Python object per value.

Our reader, or Arrow's where ours declines, takes every value as text and refuses any other; Arrow's
casts then refuse what they cannot keep exactly. They have four gaps, closed here: hexadecimal,
decimals of very many digits, decimals with an exponent, the year 0. All or nothing: a batch with
one doubtful value raises SuspectError and is read row by row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow
from warehouse.decode.hours import HOURS_A_DAY, hours_of
from warehouse.decode.native import reader
from warehouse.decode.values import FIRST_DAY, HOUR_LABELS, LONGEST_DECIMAL
from warehouse.errors import UnknownZoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from warehouse.schema.table import Column, Table

__all__ = ["DAY_END", "DAY_START", "Account", "Expected", "SuspectError", "graph_row", "typed"]

#: First and last day of a row. They differ when a row covers several days, which only a table by
#: week or month can hold.
DAY_START: Final = "date_start"
DAY_END: Final = "date_stop"

#: Brackets that may be left of a batch when eight levels of nesting are taken off its values; pages
#: of Graph's are four deep. Arrow crashes the process on an unknown key that nests 10,000 deep
#: (pyarrow 26.0.1).
MOST_BRACKETS: Final = 1_000
NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))
TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')

LABELS: Final = arrow.texts(HOUR_LABELS)


@dataclass(frozen=True, slots=True)
class Account:
    """The account that rows are of. `account_id` is digits without ``act_``."""

    account_id: str
    timezone_name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What rows must be: of a table and an account, and of its days (any day if there are none).
    `until`: the day on which all of them must end, if not the day on which they begin.
    """

    table: Table
    account: Account
    days: Sequence[date] = ()
    until: date | None = None


class SuspectError(Exception):
    """Something in these bodies is not as expected; the message is Arrow's or ours."""


def typed(expected: Expected, bodies: Sequence[bytes]) -> tuple[pa.Table, frozenset[str]]:
    """All rows of all bodies, and the names of keys that the table does not have.

    Raises SuspectError, and UnknownZoneError for an account whose zone is not in the tz database.
    """
    table, account = expected.table, expected.account
    try:
        rows = _rows(table, bodies)
        columns = {
            column.name: CASTS[column.kind](_values(rows, column), column)
            for column in table.columns
            if column.source
        }
        unknown = _unknown(table, rows.type)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SuspectError(str(error)) from error
    _check(expected, rows, columns)
    columns |= _derived(columns, account, len(rows))
    whole = pa.Table.from_arrays(
        [columns[column.name] for column in table.columns], schema=table.arrow_schema
    )
    return whole, unknown


def _rows(table: Table, bodies: Sequence[bytes]) -> pa.StructArray:
    rows = reader.read(graph_row(table), bodies)
    return _read_by_arrow(table, bodies) if rows is None else rows


def _read_by_arrow(table: Table, bodies: Sequence[bytes]) -> pa.StructArray:
    # A body that is whole starts and ends with a brace; then as many documents as bodies means
    # one each.
    for body in bodies:
        _require(body[:1] == b"{" and body.rstrip()[-1:] == b"}", "a body is not a JSON object")
    joined = b"\n".join(bodies)
    _require(not _nests_deeply(joined), "values nest deeply")
    page = pa.schema([("data", pa.list_(graph_row(table)))])
    documents = arrow.read_json(joined, page, unexpected="infer")
    if not joined.isascii():
        documents.validate(full=True)  # is it UTF-8? Arrow does not look when it reads
    _require(documents.num_rows == len(bodies), "a body is not one JSON object")
    [data] = documents.column("data").chunks  # `combine_chunks` would copy it
    _require(data.null_count == 0, "a body has no data")
    rows = data.flatten()
    _require(rows.null_count == 0, "a row is null")
    return rows


def _nests_deeply(text: bytes) -> bool:
    # Texts are left out only if need be: an odd bracket in a name looks like depth, and is rare.
    return _may_nest_deeply(text) and _may_nest_deeply(TEXT.sub(b"", text))


def _may_nest_deeply(text: bytes) -> bool:
    brackets = text.translate(None, delete=NO_BRACKETS)
    for _ in range(8):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return len(brackets) > MOST_BRACKETS


@lru_cache(maxsize=64)
def graph_row(table: Table) -> pa.StructType:
    """What a row of `table` looks like: texts, objects of texts, lists of such objects."""
    lists = {column.source for column in table.columns if column.kind == "actions"}
    fields = {
        source: _graph_type(parts, is_list=source in lists)
        for source, parts in table.graph_keys.items()
    }
    if DAY_START in fields:
        fields[DAY_END] = pa.string()
    return pa.struct(fields.items())


def _graph_type(parts: Sequence[str], *, is_list: bool) -> pa.DataType:
    if not parts:
        return pa.string()
    texts = pa.struct([(part, pa.string()) for part in parts])
    return pa.list_(texts) if is_list else texts


def _values(rows: pa.StructArray, column: Column) -> pa.Array:
    values = rows.field(column.source)
    if not column.inside:
        return values
    inside = [pc.struct_field(values, key) for key in column.inside]
    return inside[0] if len(inside) == 1 else pc.coalesce(*inside)


def _text(values: pa.Array, _: Column) -> pa.Array:
    return values


def _json(values: pa.Array, _: Column) -> pa.Array:
    # Objects and lists have failed before: the careful path turns them into texts that pass here.
    _require(arrow.all_true(pc.match_substring_regex(values, r'^["\[{]')), "a text is not JSON")
    return values


def _id(values: pa.Array, _: Column) -> pa.Array:
    _require(arrow.all_true(pc.ascii_is_decimal(values)), "an id must consist of digits")
    return values


def _integer(values: pa.Array, column: Column) -> pa.Array:
    for prefix in ("0x", "0X"):  # which Arrow reads as hexadecimal
        _require(not pc.any(pc.starts_with(values, prefix)).as_py(), "hexadecimal")
    return values.cast(column.arrow_type)


def _decimal(values: pa.Array, column: Column) -> pa.Array:
    return _to_decimal(values, column.arrow_type)


def _to_decimal(values: pa.Array, arrow_type: pa.Decimal128Type) -> pa.Array:
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    _require(longest <= LONGEST_DECIMAL, "a decimal is too long")
    letters = values.buffers()[2]  # of all values, one after the other
    digits = b"" if letters is None else letters.to_pybytes()
    # 1e-45 is 0 to Arrow's cast, and so are 1e-65 and others (pyarrow 26.0.1).
    _require(b"e" not in digits and b"E" not in digits, "a decimal has an exponent")
    return values.cast(arrow_type)


def _date(values: pa.Array, column: Column) -> pa.Array:
    days = values.cast(column.arrow_type)
    first = arrow.constant(str(FIRST_DAY), 1, pa.date32())[0]
    _require(arrow.all_true(pc.greater_equal(days, first)), f"before {FIRST_DAY}")
    return days


def _hour(values: pa.Array, column: Column) -> pa.Array:
    hours = pc.index_in(values, value_set=LABELS)
    _require(hours.null_count == values.null_count, "not an hour")
    return hours.cast(column.arrow_type)


def _actions(values: pa.Array, column: Column) -> pa.Array:
    entries = values.values
    _require(entries.null_count == 0, "an entry of a list is null")
    kept = list(column.arrow_type.value_type)
    parts = [
        _to_decimal(entries.field(entry.name), entry.type)
        if pa.types.is_decimal(entry.type)
        else entries.field(entry.name)
        for entry in kept
    ]
    return pa.ListArray.from_arrays(
        values.offsets,
        pa.StructArray.from_arrays(parts, fields=kept),
        type=column.arrow_type,
        mask=values.is_null(),
    )


#: kind → how a column of text becomes one of its type, or raises.
CASTS: Final[Mapping[str, Callable[[pa.Array, Column], pa.Array]]] = {
    "id": _id,
    "text": _text,
    "json": _json,
    "date": _date,
    "hour": _hour,
    "count": _integer,
    "decimal": _decimal,
    "ratio": _decimal,
    "money": _decimal,
    "actions": _actions,
}


def _check(expected: Expected, rows: pa.StructArray, columns: Mapping[str, pa.Array]) -> None:
    for column in expected.table.required:
        _require(columns[column.name].null_count == 0, f"a row has no {column.name}")
    if "account_id" in columns:
        wanted = arrow.texts([expected.account.account_id])[0]
        same = pc.equal(columns["account_id"], wanted)
        _require(arrow.all_true(same), "a row of another account")
    if "date" in columns:
        until = expected.until
        stop = rows.field(DAY_START) if until is None else arrow.texts([str(until)])[0]
        ends = pc.equal(rows.field(DAY_END), stop)
        _require(arrow.all_true(ends), "a row does not end on the requested day")
    if "date" in columns and expected.days:
        requested = arrow.texts([str(day) for day in expected.days]).cast(pa.date32())
        within = pc.is_in(columns["date"], value_set=requested)
        _require(arrow.all_true(within), "a row of a day that was not requested")


def _derived(columns: Mapping[str, pa.Array], account: Account, length: int) -> dict[str, pa.Array]:
    """What we add: the account's zone, and the instants of each row's hour."""
    zone = {"account_timezone": arrow.constant(account.timezone_name, length)}
    if "hour" not in columns:
        return zone
    days = pc.unique(columns["date"])
    at = pc.index_in(columns["date"], value_set=days)
    at = pc.multiply(at, arrow.int32s([HOURS_A_DAY])[0])
    at = pc.add(at, columns["hour"].cast(pa.int32()))  # null where there is no hour
    return zone | {
        name: values.take(at)
        for name, values in _instants(account, tuple(days.to_pylist())).items()
    }


@lru_cache(maxsize=64)
def _instants(account: Account, days: tuple[date, ...]) -> dict[str, pa.Array]:
    """Start, end and length of the 24 hours of each day, one after the other."""
    try:
        hours = [hours_of(account.timezone_name, day) for day in days]
    except UnknownZoneError as error:
        raise UnknownZoneError(account.timezone_name, account.account_id) from error
    return {
        "hour_start_utc": _instant(start for day in hours for start in day.starts),
        "hour_end_utc": _instant(end for day in hours for end in day.ends),
        "hour_seconds": arrow.int32s(length for day in hours for length in day.seconds),
    }


def _instant(epochs: Iterable[int]) -> pa.Array:
    seconds = arrow.int64s(epochs).cast(pa.timestamp("s", tz="UTC"))
    return seconds.cast(pa.timestamp("us", tz="UTC"))


def _unknown(table: Table, row: pa.StructType) -> frozenset[str]:
    """Keys that were not requested: of a row as "key", of an object in it as "key.inner"."""
    known = graph_row(table)
    names = {field.name for field in row} - {field.name for field in known}
    for source, parts in table.graph_keys.items():
        if parts:
            kind = row.field(source).type
            entry = kind.value_type if pa.types.is_list(kind) else kind
            names |= {f"{source}.{field.name}" for field in entry if field.name not in parts}
    return frozenset(names)


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  reads like assert
    if not holds:
        raise SuspectError(otherwise)
