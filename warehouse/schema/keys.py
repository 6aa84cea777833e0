"""The key of a table of insights: what one row of it is about. No I/O.

Fields may come and go from load to load; the key may not, because files of two keys in one table
cannot be told apart. It is compared in the words of a report: level, breakdowns, action breakdowns,
period.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.schema.table import Column, Table

__all__ = ["KeyChange", "RowKey", "key_changes"]

_TYPE: Final = "action_type"

#: The parts of a key, as a report calls them.
_PARTS: Final = ("level", "breakdowns", "action_breakdowns", "period")


@dataclass(frozen=True, slots=True)
class RowKey:
    """What makes a row, and an entry of its lists. `action_breakdowns` is None where there are no
    lists, and empty where their entries have not even a type.
    """

    level: str
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] | None = None
    period: str = Period.DAY

    @classmethod
    def of(cls, table: Table) -> Self:
        """The key of a table, whatever the order of its columns, and however a breakdown that comes
        as an object is spread over them.
        """
        ids = [c.name for c in map(table.column, table.grain) if c.kind == "id" and not c.breakdown]
        split_by = [_split_by(column) for column in table.columns if column.kind == "actions"]
        return cls(
            ids[-1].removesuffix("_id") if ids else "",
            tuple(sorted({column.source for column in table.columns if column.breakdown})),
            split_by[0] if split_by else None,
            table.period,
        )


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A part of a key that was `old` and is `new`. `name` is how a report calls it."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.name} {self.what}"

    @property
    def what(self) -> str:
        """What happened to the part."""
        return f"changed from {self.old} to {self.new}"


def key_changes(kept: Table, table: Table) -> Sequence[KeyChange]:
    """What differs between the keys of two tables; nothing if rows of both may be in one table."""
    old, new = RowKey.of(kept), RowKey.of(table)
    if old.action_breakdowns is None or new.action_breakdowns is None:
        # Lists of actions may come and go, like any field.
        old, new = (replace(key, action_breakdowns=None) for key in (old, new))
    elif any(column.by_type is None for column in (*kept.columns, *table.columns)):
        old, new = _without_types(old), _without_types(new)
    return [
        KeyChange(name, _shown(before), _shown(after))
        for name, before, after in zip(_PARTS, astuple(old), astuple(new), strict=True)
        if before != after
    ]


def _without_types(key: RowKey) -> RowKey:
    rest = tuple(name for name in key.action_breakdowns or () if name != _TYPE)
    return replace(key, action_breakdowns=rest)


def _shown(part: str | Sequence[str]) -> str:
    return part if isinstance(part, str) else f"[{', '.join(part)}]"


def _split_by(column: Column) -> tuple[str, ...]:
    """What the entries of a list are split by."""
    return tuple(sorted((*((_TYPE,) if column.by_type else ()), *column.keys)))
