"""`ReportQuery`: what one report run requests. `splitting` makes smaller ones of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ReportQuery"]


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What one report run requests.

    `days` are neighbours, oldest first. `statuses` narrow it, and so do `ids`, of objects of
    `level`: campaign, adset or ad; without them all objects are meant. `attempt` counts the runs of
    this query, this one included, but not the `busy` ones for which Meta was busy or did not
    respond. `is_inside`: it is a part of one day. `until`: the last day of the range of several
    days that is requested as one, and so never split by days; `days` is then its first day.
    `rows_of`: the level of its rows. Ids of a level below would cut them into parts of rows.
    """

    days: tuple[date, ...]
    statuses: tuple[str, ...]
    fields: tuple[str, ...]
    level: str = ""
    ids: tuple[str, ...] = ()
    attempt: int = 1
    busy: int = 0
    is_inside: bool = False
    until: date | None = None
    rows_of: str = "ad"

    @property
    def bounds(self) -> tuple[date, date]:
        """The first and the last day that are requested, both included."""
        return self.days[0], self.until or self.days[-1]

    @property
    def is_smallest(self) -> bool:
        """One object on one day, of the level of its rows: it cannot be split any further."""
        return len(self.days) == 1 and self.level == self.rows_of and len(self.ids) == 1

    def without(self, fields: frozenset[str]) -> ReportQuery:
        """The same query without some fields, as a new one."""
        kept = tuple(field for field in self.fields if field not in fields)
        return replace(self, fields=kept, attempt=1, busy=0)

    def narrowed(self, level: str, ids: tuple[str, ...]) -> ReportQuery:
        """The same query for some objects of a level, as a new one."""
        return replace(self, level=level, ids=ids, attempt=1, busy=0)
