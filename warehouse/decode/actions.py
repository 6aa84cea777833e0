"""Sums of lists of actions, per action type and attribution window.

They are compared with the account's own lists (`conversions`), as far as Meta's rules let them add
up: `why_not` says where not.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from warehouse.schema.table import Column, Table

__all__ = ["LISTS", "Key", "Sum", "Sums", "lists_of", "plus", "sums_of", "why_not"]

#: Lists that add up over rows, and whether they hold money. Left out: `unique_*`, because people do
#: not add up; ratios (`purchase_roas`, `cost_per_*`), because quotients do not either; and clicks
#: and video views, which happen on Meta and are proven as well as clicks are.
LISTS: Final[Mapping[str, bool]] = {
    "actions": False,
    "action_values": True,
    "conversions": False,
    "conversion_values": True,
}

#: Breakdowns that keep actions off Meta, and whose rows add up. Source: Insights API, Breakdowns:
#: all others are in its list of type 1 or 2, or in neither and were never seen to add up.
KEEPS_ACTIONS: Final = frozenset(
    {
        *("age", "gender", "country"),
        *("publisher_platform", "platform_position", "impression_device", "device_platform"),
    }
)

#: (start of a breakdown, what Meta leaves out under it). Source: Insights API, Breakdowns, types 1
#: and 2. The first match counts.
LOSES_ACTIONS: Final[Sequence[tuple[str, str]]] = (
    ("hourly_stats_", "by the hour Meta leaves out actions off Meta"),
    ("region", "by region Meta leaves out actions off Meta"),
    ("dma", "by dma Meta leaves out actions off Meta"),
    ("product_id", "by product Meta repeats or leaves out actions off Meta"),
    ("", "it is not known whether the breakdown {name} keeps actions off Meta"),
)

#: Entries without a type (some of Meta's lists have none) are compared as well, under this name.
UNTYPED: Final = "(no action_type)"


class Key(NamedTuple):
    """What one sum is about. `window` is "value" or an attribution window."""

    field: str
    action_type: str
    window: str


class Sum(NamedTuple):
    """A sum, and how many values it has: each of them may be rounded."""

    value: Decimal = Decimal()
    values: int = 0


#: A key is missing if nothing was counted.
Sums = dict[Key, Sum]


@lru_cache(maxsize=64)
def why_not(table: Table) -> str:
    """Why actions in rows of `table` do not add up to the account's totals; empty if they do."""
    lists = lists_of(table)
    if not lists:
        return "the report has no list of actions that can be added up"
    for name in table.breakdowns:
        if name not in KEEPS_ACTIONS:
            return next(why for part, why in LOSES_ACTIONS if name.startswith(part)).format(
                name=name
            )
    if keys := {key: None for column in lists for key in column.keys}:
        return f"Meta leaves out actions when they are split by {', '.join(keys)}"
    return ""


def sums_of(table: Table, rows: pa.Table) -> Sums:
    """Sum each list per action type and window; nothing for a table that has nothing to compare.

    It costs a sort of small integers: no Python object is created per entry.
    """
    found: Sums = {}
    for column in () if why_not(table) else lists_of(table):
        for chunk in rows[column.name].chunks:
            found = plus(found, dict(_sums(column, chunk.flatten())))
    return found


def plus(some: Sums, others: Sums) -> Sums:
    """Add sums up, key by key."""
    if not (some and others):
        return some or others
    both = dict(some)
    for key, (value, count) in others.items():
        before = both.get(key, Sum())
        both[key] = Sum(before.value + value, before.values + count)
    return both


def lists_of(table: Table) -> Sequence[Column]:
    """The columns of a table that can be compared."""
    return [c for c in table.columns if c.kind == "actions" and c.source in LISTS]


def _sums(column: Column, entries: pa.StructArray) -> Iterator[tuple[Key, Sum]]:
    parts = dict(zip((field.name for field in entries.type), entries.flatten(), strict=True))
    types = parts["action_type"].dictionary_encode(null_encoding="encode")
    order = pc.array_sort_indices(types.indices)  # small integers: Arrow counts, it does not sort
    names = types.dictionary.to_pylist()
    counts = {one["values"]: one["counts"] for one in pc.value_counts(types.indices).to_pylist()}
    for window in ("value", *column.windows):
        values = parts[window]
        if values.null_count == len(values):
            continue
        values, start = values.take(order), 0
        for code, name in enumerate(names):
            of_type = values.slice(start, counts[code])
            start += counts[code]
            if count := len(of_type) - of_type.null_count:
                key = Key(column.name, UNTYPED if name is None else name, window)
                yield key, Sum(pc.sum(of_type).as_py(), count)
