"""Which texts pass as numbers, dates and lists, by kind, in plain Python; `casts` makes them typed.

Graph sends numbers as text ("1148"), with a few exceptions; a JSON number is read as the text it
is written in, so nothing passes through a float. Each function returns the value as text (or a list
or a bool) that Arrow casts without loss (in `casts`), or raises UnreadableError with the reason.

`read` keeps as much of a cell as it can and names what it could not keep.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from warehouse.schema.objects.refused import Refused
from warehouse.schema.table import DECIMAL, RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from warehouse.schema.table import Column

__all__ = [
    "CELL",
    "FIRST_DAY",
    "HOUR_LABELS",
    "INT64",
    "LONGEST_DECIMAL",
    "NOTHING",
    "VALUE",
    "Flaw",
    "RepeatedKey",
    "UnreadableError",
    "mended",
    "named",
    "read",
]

#: The values of the hourly breakdown, in the order of the day. Source: Insights API, Breakdowns.
HOUR_LABELS: Final[Sequence[str]] = tuple(f"{h:02}:00:00 - {h:02}:59:59" for h in range(24))

#: There was no advertising at Meta before this day; an earlier date was misread.
FIRST_DAY: Final = date(2004, 1, 1)

_INTEGER: Final = re.compile(r"-?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Seen next to the documented form: a lower-case t, and the plus sent as a blank.
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+ -][0-9]{2}:?[0-5][0-9])"
)

#: Longest text of a decimal. Arrow's cast goes wrong silently beyond 38 digits: 200 nines are -1
#: to it (pyarrow 26.0.1).
LONGEST_DECIMAL: Final = 38

#: Whole numbers that a column of counts holds.
INT64: Final = range(-(2**63), 2**63)

#: What a flaw costs: the cell is NULL; an entry is left out of its list; one number of an entry is
#: NULL; nothing, because only invalid characters were replaced.
CELL: Final = "cell"
ENTRY: Final = "entry"
VALUE: Final = "value"
NOTHING: Final = "nothing"

#: Halves of surrogate pairs, and bytes that are not UTF-8 as Python decodes them (surrogateescape).
_HALVES: Final = re.compile("[\ud800-\udfff]")
_MENDED: Final = "half a surrogate pair or a byte that is not UTF-8; U+FFFD is stored in its place"


class UnreadableError(ValueError):
    """A value cannot be kept exactly; the message is the reason."""


class RepeatedKey:
    """The value of a key that an object has more than once, with different values or not: it is
    unknown which of them is meant. `values` has all of them.
    """

    def __init__(self, key: str, values: Sequence[object]) -> None:
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class Flaw:
    """A part of a cell that could not be kept as it came, the reason, and what that cost."""

    value: object
    reason: str
    lost: str


def read(column: Column, value: object) -> tuple[object, Sequence[Flaw]]:
    """Read as much as can be kept of a value that is neither missing nor null.

    In a list of actions a bad number is NULL, and an entry that does not say what it is about is
    left out; in a text U+FFFD replaces what is not a character. Raises UnreadableError where
    nothing can be kept.
    """
    value = _once(value)
    if column.kind == "actions":
        return _actions(column, value)
    found = READ[column.kind](value)
    if column.kind in HOLD_TEXT:
        return mended(found, value)
    return found, ()


def _once(value: object) -> object:
    if isinstance(value, RepeatedKey):
        raise UnreadableError(f"the key {value.key!r} appears more than once")
    if isinstance(value, Refused):
        raise UnreadableError(value.reason)
    return value


def mended(found: Any, value: object, where: str = "") -> tuple[Any, Sequence[Flaw]]:
    """A text, or a list of them, with U+FFFD for what is not a character."""
    if isinstance(found, str) and found.isascii():
        return found, ()
    if isinstance(found, list):
        whole: Any = [_HALVES.sub("\ufffd", text) for text in found]
    else:
        whole = _HALVES.sub("\ufffd", found)
    return whole, [Flaw(value, where + _MENDED, NOTHING)] if whole != found else ()


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnreadableError(f"expected text, got {named(value)}")


def _digits(value: object) -> str:
    text = _text(value)
    if not (text.isascii() and text.isdigit()):
        raise UnreadableError("an id must consist of digits")
    return text


def _integer(value: object) -> str:
    text = _text(value)
    if not _INTEGER.fullmatch(text):
        raise UnreadableError("not a whole number")
    # int() of thousands of digits is refused by Python; no int64 has more than 19.
    if len(text.lstrip("-0")) > len(str(INT64.stop)) or int(text) not in INT64:
        raise UnreadableError("does not fit into 64 bits")
    return text


def _decimal(value: object, arrow_type: pa.Decimal128Type = DECIMAL) -> str:
    text = _text(value)
    if len(text) > LONGEST_DECIMAL:
        raise UnreadableError(f"longer than {LONGEST_DECIMAL} characters")
    if not _DECIMAL.fullmatch(text):
        raise UnreadableError("not a decimal number")
    number, places = Decimal(text), arrow_type.scale
    whole = arrow_type.precision - places
    if abs(number) >= Decimal(10) ** whole:
        raise UnreadableError(f"more than {whole} digits before the point")
    _sign, digits, exponent = number.as_tuple()
    spare = -int(exponent) - places
    if spare > 0 and any(digits[-spare:]):
        raise UnreadableError(f"more than {places} digits after the point")
    # Without an exponent: Arrow refuses 0e400, and 1e-45 is 0 to it (pyarrow 26.0.1).
    return f"{number:.{places}f}"


def _date(value: object) -> str:
    text = _text(value)
    if not _DATE.fullmatch(text):
        raise UnreadableError("not a date like 2026-11-21")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UnreadableError("this day does not exist") from error
    if day < FIRST_DAY:
        raise UnreadableError(f"a day before {FIRST_DAY}")
    return text


def _hour(value: object) -> str:
    text = _text(value)
    if text not in HOUR_LABELS:
        raise UnreadableError("not an hour like 07:00:00 - 07:59:59")
    return text


def _timestamp(value: object) -> str:
    text = _text(value)
    # Left to itself, fromisoformat takes more: days without hours, weeks, parts of seconds.
    plain = text.replace(" ", "+").replace("t", "T") if _TIMESTAMP.fullmatch(text) else ""
    try:
        moment = datetime.fromisoformat(plain)
        # strftime writes the year 5 as "5", which Arrow does not read
        return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError) as error:
        raise UnreadableError("not a time like 2026-11-21T08:00:12+0100") from error


def _epoch(value: object) -> str:
    text = _integer(value)
    try:
        return f"{datetime.fromtimestamp(int(text), UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableError("not a time in seconds since 1970") from error


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise UnreadableError(f"expected true or false, got {named(value)}")
    return value


def _texts(value: object) -> list[str]:
    return [_text(entry) for entry in _list(value)]


def _actions(column: Column, value: object) -> tuple[list[dict[str, str]], Sequence[Flaw]]:
    kept: list[dict[str, str]] = []
    flaws: list[Flaw] = []
    for n, entry in enumerate(_list(value), start=1):
        try:
            keys = _keys(column, n, entry, flaws)
        except UnreadableError as error:
            flaws.append(Flaw(entry, str(error), ENTRY))
        else:
            kept.append(keys | dict(_numbers(column, n, entry, flaws)))
    return kept, flaws


def _keys(column: Column, n: int, entry: Any, flaws: list[Flaw]) -> dict[str, str]:
    """The keys of an entry: without them its numbers would count for another. Meta leaves
    `action_type` out where a list has only one number, as in ``website_purchase_roas``.
    """
    if not isinstance(entry, dict):
        raise UnreadableError(f"entry {n} is {named(entry)}, not an object")
    keys = {}
    for name in ("action_type", *column.keys):
        if entry.get(name) is not None:
            try:
                text = _text(_once(entry[name]))
            except UnreadableError as error:
                raise UnreadableError(f"{name} of entry {n}: {error}") from error
            keys[name], replaced = mended(text, entry[name], f"{name} of entry {n}: ")
            flaws += replaced
    return keys


def _numbers(
    column: Column, n: int, entry: Mapping[str, object], flaws: list[Flaw]
) -> Iterator[tuple[str, str]]:
    """Its numbers. A missing one is normal: the action is outside of that window."""
    for name in ("value", *column.windows):
        if (value := entry.get(name)) is not None:
            try:
                yield name, _decimal(_once(value))
            except UnreadableError as error:  # a list may be long: which of its values?
                flaws.append(Flaw(value, f"{name} of entry {n}: {error}", VALUE))


def _json(value: object) -> str:
    """Any value as JSON. Numbers become texts, because they were read as text."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        reason = "it repeats a key, contains NaN or infinity, or nests too deeply"
        raise UnreadableError(reason) from None


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise UnreadableError(f"expected a list, got {named(value)}")
    return value


#: How JSON calls a value that Python's json module has read.
_NAMES: Final[Sequence[tuple[type, str]]] = (
    (bool, "true or false"),
    (str, "text"),
    (int, "a number"),
    (float, "NaN or an infinite number"),
    (dict, "an object"),
    (list, "a list"),
)


def named(value: object) -> str:
    """What a value is, in words, as JSON has it."""
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "null")


#: Kinds that hold what people wrote, in which any character may occur.
HOLD_TEXT: Final = frozenset({"text", "texts", "json"})

#: kind → how a value of it is read; `actions` needs its column, see `read`.
READ: Final[Mapping[str, Callable[[object], object]]] = {
    "id": _digits,
    "text": _text,
    "texts": _texts,
    "json": _json,
    "bool": _bool,
    "date": _date,
    "hour": _hour,
    "timestamp": _timestamp,
    "epoch": _epoch,
    "count": _integer,
    "number": _integer,
    "size": _integer,
    "decimal": _decimal,
    "ratio": partial(_decimal, arrow_type=RATIO),
    "money": _decimal,
    "money_minor": _integer,  # `money.major_units` needs the currency as well
    "money_limit": _integer,
}
