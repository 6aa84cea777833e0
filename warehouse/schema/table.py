"""`Column`, `Table` and `View`, and the Arrow type of each kind of column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DECIMAL", "INSTANT", "KINDS", "RATIO", "WIDE", "Column", "Table", "View"]

#: Twelve digits before the point and six after it: no insights value seen has more of either, and
#: a value that has more is rejected, never rounded.
DECIMAL = pa.decimal128(18, 6)

#: For accounts and their objects: everything that 64 bits hold, in any currency.
WIDE = pa.decimal128(28, 6)

#: A quotient has as many digits as Meta chooses to send: up to twelve after the point.
RATIO = pa.decimal128(28, 12)

#: For sums of many amounts.
SUM = pa.decimal128(38, 6)

#: Instants are kept in UTC; what displays them chooses the zone.
INSTANT = pa.timestamp("us", tz="UTC")

#: kind → Arrow type. `actions` grows by one text per key and one decimal per attribution window of
#: its column.
KINDS: Mapping[str, pa.DataType] = {
    "id": pa.string(),  # 17 digits do not survive a float
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "json": pa.string(),  # any other shape, as JSON; its numbers are texts, digit for digit
    "bool": pa.bool_(),
    "date": pa.date32(),  # a day of the account's own calendar, so it has no zone
    "hour": pa.int8(),  # wall-clock hour; Graph sends "07:00:00 - 07:59:59"
    "timestamp": INSTANT,  # Graph sends "2026-11-21T08:00:12+0100"
    "epoch": INSTANT,  # Graph sends seconds since 1970, as a number
    "instant": INSTANT,  # ours, never from Graph
    "count": pa.int64(),
    "size": pa.int64(),  # a number of people: Meta's -1 for "unknown" is NULL
    "number": pa.int64(),  # a JSON number that is a code or a size
    "decimal": DECIMAL,
    "ratio": RATIO,
    "money": DECIMAL,  # Graph sends major units: insights
    "money_sum": SUM,  # ours, never from Graph
    "money_minor": WIDE,  # Graph sends minor units: objects; kept in major units
    "money_limit": WIDE,  # the same for a cap or a budget: Meta's number for "no limit" is NULL
    "seconds": pa.int32(),
    "elapsed": pa.float64(),  # seconds on a stopwatch: a measurement, not a sum of money
    # Of objects: settings, which are the same in any order that Meta sends them in.
    "set": pa.list_(pa.string()),  # sorted, each once
    "genders": pa.list_(pa.string()),  # Graph sends [1, 2]
    "spec": pa.string(),  # JSON with sorted keys, and sorted lists where order means nothing
    "windows": pa.string(),  # attribution_spec, as insights name it: 1d_view_7d_click
    "flag": pa.bool_(),  # Graph sends 0 and 1
    "origin": pa.string(),  # the id of what it is a copy of; Graph sends "0" for none
    "actions": pa.list_(pa.struct([("action_type", pa.string()), ("value", DECIMAL)])),
}


@dataclass(frozen=True)
class Column:
    """One column: what feeds the request, the Arrow schema, DuckDB's comments and the docs.

    `field` is the Graph field, or the key of the breakdown, that it is read from; it is the
    column's own name when None and "" for what we derive. `windows` are the attribution windows
    that an `actions` column has next to `value`, `keys` the action breakdowns next to
    `action_type`. `inside` are keys of the object in `field`: the first that has a text is the
    column's value. A column that `moves` differs each time that it is requested, as a signed URL
    does, so rows that differ in nothing else are the same. `by_type`: entries of `actions` have
    an `action_type`; None where that is not known.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    field: str | None = None
    breakdown: bool = False
    windows: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    moves: bool = False
    by_type: bool | None = True

    @property
    def source(self) -> str:
        """The key in a row of Graph, or "" if there is none."""
        return self.name if self.field is None else self.field

    @property
    def arrow_type(self) -> pa.DataType:
        if not (self.windows or self.keys):
            return KINDS[self.kind]
        action_type, value = KINDS[self.kind].value_type
        keys = ((key, pa.string()) for key in self.keys)
        windows = ((window, DECIMAL) for window in self.windows)
        return pa.list_(pa.struct([action_type, *keys, value, *windows]))

    @property
    def entry(self) -> Sequence[str]:
        """The keys of an entry of a list of actions; nothing for another kind."""
        if self.kind != "actions":
            return ()
        return ("action_type", *self.keys, "value", *self.windows)

    @property
    def comment(self) -> str:
        """Meaning and unit, as DuckDB and the data dictionary show them."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(frozen=True)
class Table:
    """One table. `grain` identifies one row; `partitions` are the folders that its files are in.

    `partitions` is None for a table that has no files of its own but is put together when the
    warehouse is published. `period`: what a row of insights covers; `date` is its first day.
    """

    name: str
    grain: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    partitions: tuple[str, ...] | None = None
    period: Period = Period.DAY

    @property
    def comment(self) -> str:
        """Meaning and grain, as DuckDB shows them."""
        return _with_grain(self.meaning, self.grain)

    def __hash__(self) -> int:  # all of the columns would be hashed for every page
        return hash(self.name)

    @cached_property
    def fields(self) -> Sequence[str]:
        """Graph fields to request, in order, without breakdown keys and what we derive."""
        return tuple(c.source for c in self.columns if c.source and c.source not in self.breakdowns)

    @cached_property
    def breakdowns(self) -> Sequence[str]:
        """Breakdowns to request next to the fields."""
        return tuple(c.source for c in self.columns if c.breakdown)

    @cached_property
    def graph_keys(self) -> Mapping[str, Sequence[str]]:
        """The keys of a row of Graph that are read, each with those of the objects in it."""
        found: dict[str, dict[str, None]] = {}
        for column in self.columns:
            if column.source:
                parts = found.setdefault(column.source, {})
                parts |= dict.fromkeys((*column.entry, *column.inside))
        return {source: tuple(parts) for source, parts in found.items()}

    @cached_property
    def required(self) -> Sequence[Column]:
        """Columns that no row may lack: the grain, but a breakdown key may be missing."""
        return tuple(c for c in self.columns if c.name in self.grain and not c.breakdown)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([(c.name, c.arrow_type) for c in self.columns])

    @cached_property
    def file_schema(self) -> pa.Schema:
        """The columns of a file: all but those that its folders already name."""
        folders = self.partitions or ()
        return pa.schema([field for field in self.arrow_schema if field.name not in folders])

    def only(self, names: Sequence[str]) -> Table:
        """The table with these columns alone, or as it is if there are none. Raises KeyError."""
        return replace(self, columns=tuple(map(self.column, names))) if names else self

    def column(self, name: str) -> Column:
        """Raises KeyError for a name that is not in the table."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {c.name: c for c in self.columns}


@dataclass(frozen=True)
class View:
    """A named query. `columns` are what it returns, in order; `sql` is its SELECT."""

    name: str
    grain: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    sql: str

    @property
    def comment(self) -> str:
        """Meaning and grain, as DuckDB shows them."""
        return _with_grain(self.meaning, self.grain)


def _with_grain(meaning: str, grain: Sequence[str]) -> str:
    return f"{meaning} One row per {', '.join(grain)}."
