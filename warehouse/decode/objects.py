"""Accounts, campaigns, ads and all other objects, as parsed JSON, to typed rows.

They are few, so all of it is Python. What cannot be read exactly costs as little as possible: a
character, a cell, which is NULL, or the object; never another object, and never the account.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from warehouse.decode import arrow
from warehouse.decode.money import is_no_limit, major_units
from warehouse.decode.object_values import inside, read_of_object
from warehouse.decode.packed import PackedObjects
from warehouse.decode.rows import ROW, Reject, all_of, as_json
from warehouse.decode.values import CELL, NOTHING, Flaw, UnreadableError, read
from warehouse.schema.objects.refused import WHOLE, Refused
from warehouse.wording import brief, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warehouse.decode.casts import Account
    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.schema.table import Column

__all__ = ["Objects", "Unreadable", "decode_objects", "id_of", "identity_of"]

#: Kinds of money that come in minor units.
MINOR: Final = frozenset({"money_minor", "money_limit"})

#: The zero of Unix time, in any zone: what Meta sends for a time that was never set, such as the
#: end of an ad set without one. Source: recorded bodies (1969-12-31T16:00:00-0800).
AROUND_ZERO: Final = frozenset({"1969-12-31", "1970-01-01"})

#: What Meta sends for a number of people that it does not know. Source: Custom Audience reference.
UNKNOWN_SIZE: Final = "-1"

#: Kinds of times.
INSTANTS: Final = frozenset({"timestamp", "epoch"})

#: Objects that are Python values at the same time: a creative has kilobytes.
_AT_ONCE: Final = 1_000

#: How JSON writes that there is no value.
NULL: Final = "null"

#: A float represents whole numbers up to here exactly.
EXACT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Objects:
    """Rows of the table's schema, and the rejects. `ids` are those of all objects that have one;
    `unread` are the values, (id, column), that are NULL because they could not be read; `refused`
    are ids of objects with a field that Graph refused. `unreadable` counts the losses.
    """

    rows: pa.Table
    rejects: Sequence[Reject]
    ids: frozenset[str]
    unread: frozenset[tuple[str, str]]
    refused: frozenset[str]
    unreadable: Unreadable


@dataclass(frozen=True, slots=True)
class Unreadable:
    """How many objects could not be read, how many values of the others, and the first of them."""

    objects: int = 0
    cells: int = 0
    first: str = ""

    def __bool__(self) -> bool:
        return bool(self.objects or self.cells)

    def __add__(self, other: Unreadable) -> Unreadable:
        return Unreadable(
            self.objects + other.objects, self.cells + other.cells, self.first or other.first
        )

    def __str__(self) -> str:
        counts = ((self.objects, "object", "not stored"), (self.cells, "value", "NULL or left out"))
        parts = ", ".join(f"{counted(count, what)} {cost}" for count, what, cost in counts if count)
        return f"{parts} (see the table rejects); first: {self.first}" if parts else ""


class _ObjectError(Exception):
    """An object that cannot be kept: the required column, and the value that came for it."""

    def __init__(self, column: str, value: object, reason: str) -> None:
        self.column = column
        self.value = value
        super().__init__(reason)


def decode_objects(
    table: ObjectTable, objects: Sequence[object], account: Account | None, fetched_at: datetime
) -> Objects:
    """Decode the objects of an account, each once: if one came twice, as it came last. `account` is
    None for the table `accounts`. They may be `packed`: none is held as Python values for long.
    If two objects have the same key, the first is kept and the other is a reject.

    Keys that the table does not have are ignored: a caller may request more fields of an object
    than the table keeps. The `row` of a reject counts the objects from 1.
    """
    if not isinstance(objects, PackedObjects):
        objects = PackedObjects(partial(identity_of, table), objects)
    kept: list[pa.Table] = []
    rejects: list[Reject] = []
    ids: list[str] = []
    refused: set[str] = set()
    numbered = enumerate(objects, start=1)
    taken: dict[str, str] = {}
    while some := dict(islice(numbered, _AT_ONCE)):
        some_ids = {number: id_of(table, one) for number, one in some.items()}
        ids += some_ids.values()
        refused.update(some_ids[number] for number, one in some.items() if _is_refused(one))
        rejects += _take_out_others(table, some, some_ids, taken)
        rows, lost = _decoded(table, some, account, fetched_at)
        kept.append(rows)
        rejects += lost
    unread = {(ids[one.row - 1], one.column) for one in rejects if one.lost == CELL}
    parts = (_in_words(one, ids[one.row - 1]) for one in rejects if one.lost != NOTHING)
    unreadable = Unreadable(
        sum(reject.lost == ROW for reject in rejects),
        sum(reject.loses_value for reject in rejects),
        next(parts, ""),
    )
    return Objects(
        pa.concat_tables(kept) if kept else arrow.empty(table.latest.arrow_schema),
        rejects,
        frozenset(filter(None, ids)),
        frozenset(unread),
        frozenset(refused),
        unreadable,
    )


def _is_refused(found: object) -> bool:
    return isinstance(found, dict) and Refused in map(type, found.values())


def _decoded(
    table: ObjectTable,
    found: Mapping[int, object],
    account: Account | None,
    fetched_at: datetime,
) -> tuple[pa.Table, Sequence[Reject]]:
    """Rows and rejects of some objects, by their numbers."""
    rows: dict[int, Mapping[str, Any]] = {}
    rejects: list[Reject] = []
    for number, one in found.items():
        try:
            values, flaws = _values(table, account, one)
        except _ObjectError as error:
            rejects.append(_lost(number, one, error))
            continue
        rows[number] = {**values, "fetched_at": fetched_at}
        rejects += [
            Reject(1, number, name, as_json(f.value), f.reason, _raw(one), None, f.lost)
            for name, f in flaws
        ]
    kept, refused = _typed(table, rows)
    for number, why in refused.items():
        rejects = [reject for reject in rejects if reject.row != number]
        rejects.append(_lost(number, found[number], _ObjectError("", None, why)))
    return kept, sorted(rejects, key=lambda reject: reject.row)


def id_of(table: ObjectTable, found: object) -> str:
    """The id of an object from JSON; "" if it has none or an unreadable one."""
    column = table.columns[0]
    try:
        value = value_of(column, found) if isinstance(found, dict) else None
        return "" if value is None else str(read(column, value)[0])
    except UnreadableError:
        return ""


def identity_of(table: ObjectTable, found: object) -> str:
    """What tells an object from any other: its id at Graph, whatever its key is; else its key."""
    own = found.get("id") if isinstance(found, dict) else None
    is_id = isinstance(own, str | int) and not isinstance(own, bool)
    return str(own) if is_id else id_of(table, found)


def _take_out_others(
    table: ObjectTable,
    objects: dict[int, object],
    ids: Mapping[int, str],
    taken: dict[str, str],
) -> Sequence[Reject]:
    """Take objects out whose key an earlier object has; returns their rejects. `taken`: each key so
    far → the identity of its object.
    """
    rejects = []
    for number, one in [*objects.items()]:
        own = identity_of(table, one)
        first = taken.setdefault(ids[number], own) if ids[number] else own
        if first != own:
            rejects.append(_not_unique(table, number, objects.pop(number), first))
    return rejects


def _not_unique(table: ObjectTable, number: int, found: object, first: str) -> Reject:
    """The reject of an object that has the key of another."""
    key, value = table.key, value_of(table.columns[0], found) if isinstance(found, dict) else None
    other = brief(identity_of(table, found))
    reason = f"{other} has the same {key} as {brief(first)}, which is kept"
    if table.is_own:
        reason += "; choose a key that differs for each, such as id"
    return _lost(number, found, _ObjectError(key, value, reason))


def _values(
    table: ObjectTable, account: Account | None, found: object
) -> tuple[dict[str, object], Sequence[tuple[str, Flaw]]]:
    """Values by column name, and what is wrong with them. Raises _ObjectError."""
    if not isinstance(found, dict):
        raise _ObjectError("", found, "not an object")
    if isinstance(whole := found.get(WHOLE), Refused):
        raise _ObjectError("", None, whole.reason)
    currency = found.get("currency") if account is None else account.currency
    values: dict[str, object] = {}
    derived, flaws = _derived(table, found)
    required = {table.key, "account_id"} if account is None else {table.key}
    for column, field, is_deep in _fields(table):
        value = found.get(field) if field else derived.get(column.name)
        try:
            if value is not None and is_deep:
                value = value_of(column, found)
            if value is None:
                if column.name in required:
                    raise _ObjectError(column.name, None, "missing, but every object must have it")
                continue
            values[column.name], of_cell = _cell(column, value, currency)
        except UnreadableError as error:
            if column.name in {table.key, "account_id"}:
                raise _ObjectError(column.name, value, str(error)) from error
            flaws.append((column.name, Flaw(value, str(error), CELL)))
            continue
        flaws += [(column.name, flaw) for flaw in of_cell]
    if account is not None:
        _belongs(values, found, account)
    return values, flaws


@cache
def _fields(table: ObjectTable) -> Sequence[tuple[Column, str, bool]]:
    """Each column of a table with the field that it is read from, "" if it is derived, and whether
    it is inside that.
    """
    paths = [(column, column.source.partition(".")) for column in table.columns]
    return [(column, field, bool(deeper)) for column, (field, _, deeper) in paths]


def value_of(column: Column, found: Mapping[str, Any]) -> object:
    """The value for a column that comes from Graph, which may be deep inside; None if there is
    none. Raises UnreadableError if the way to it leads through anything but objects.
    """
    return inside(found, column.source)


#: What functions raise for a shape that they do not know.
_UNKNOWN_SHAPE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def _derived(
    table: ObjectTable, found: Mapping[str, Any]
) -> tuple[Mapping[str, Any], list[tuple[str, Flaw]]]:
    """Values that are made from a whole object. They are all NULL if its shape is not known."""
    if table.derived is None:
        return {}, []
    try:
        return table.derived(found), []
    except (*_UNKNOWN_SHAPE, RecursionError) as error:
        first = next(c.name for c in table.columns if not c.source)
        reason = f"nothing can be derived from an object of this shape: {error!r}"
        return {}, [(first, Flaw(None, reason, CELL))]


def _cell(column: Column, value: object, currency: object) -> tuple[object, Sequence[Flaw]]:
    if _is_plain(column.kind, value):
        return value, ()
    if isinstance(value, float):
        value = _as_written(value)
    if column.kind == "money_limit" and is_no_limit(value):
        return None, ()
    if column.kind == "size" and str(value) == UNKNOWN_SIZE:
        return None, ()
    found, flaws = read_of_object(column, value)
    if column.kind in MINOR:
        return major_units(str(found), currency), flaws
    if column.kind in INSTANTS and str(found)[:10] in AROUND_ZERO:
        return None, ()
    return found, flaws


def _is_plain(kind: str, value: object) -> bool:
    """Whether a value can be kept as it is, like most: ASCII in a text, digits in an id."""
    if not isinstance(value, str) or not value.isascii():
        return False
    return kind == "text" or (kind == "id" and value.isdigit())


def _as_written(number: float) -> object:
    """A JSON number with a point or an exponent as text: a whole one without them, if a float
    represents it exactly.
    """
    if not math.isfinite(number):
        return number
    whole = f"{number:.0f}"
    is_exact = number.is_integer() and (abs(number) <= EXACT or is_no_limit(whole))
    return whole if is_exact else repr(number)


def _belongs(values: dict[str, object], found: Mapping[str, Any], account: Account) -> None:
    """An object without an account belongs to the requested one. Raises _ObjectError for an object
    of another account.
    """
    if values.setdefault("account_id", account.account_id) != account.account_id:
        reason = f"the object is not of account {account.account_id}"
        raise _ObjectError("account_id", found["account_id"], reason)


def _typed(
    table: ObjectTable, rows: Mapping[int, Mapping[str, Any]]
) -> tuple[pa.Table, Mapping[int, str]]:
    """Rows by their number as Arrow holds them, and why it still refuses others."""
    try:
        return arrow.records(table.latest.arrow_schema, rows.values()), {}
    except pa.ArrowException as error:
        if len(rows) == 1:
            return arrow.empty(table.latest.arrow_schema), dict.fromkeys(rows, str(error))
    parts = [_typed(table, {number: row}) for number, row in rows.items()]
    refused = {number: why for _, some in parts for number, why in some.items()}
    return pa.concat_tables([part for part, _ in parts]), refused


def _lost(number: int, found: object, error: _ObjectError) -> Reject:
    return Reject(1, number, error.column, as_json(error.value), str(error), _raw(found))


def _in_words(reject: Reject, object_id: str) -> str:
    """A reject in one line: the value, its object, and the reason."""
    # What Graph refuses as a whole has an id and no value.
    is_refused = object_id and not reject.column and reject.value == NULL
    value = "" if is_refused else brief(reject.value)
    what = " ".join(filter(None, (reject.column, value)))
    whose = brief(object_id) or f"number {reject.row} of the list"
    return f"{what} of {whose}: {reject.reason}" if what else f"{whose}: {reject.reason}"


def _raw(found: object) -> str:
    """All of an object as JSON."""
    try:
        return json.dumps(found, default=all_of)
    except RecursionError:
        return as_json(found)
