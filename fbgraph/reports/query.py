"""`ReportQuery`: what one report run requests, and how it is split into smaller queries. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["ReportQuery", "halves_of", "level_below", "split_days", "split_inside"]

#: level → the one below it; all objects together are those of campaigns.
_BELOW: Final[Mapping[str, str]] = {"": "campaign", "campaign": "adset", "adset": "ad", "ad": ""}


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What one report run requests.

    `days` are neighbours, oldest first. `statuses` narrow it, and so do `ids`, of objects of
    `level`: campaign, adset or ad; without them all objects are meant. `attempt` counts the runs of
    this query, this one included, but not the `busy` ones for which Meta was busy or did not
    respond. `is_inside`: it is a part of one day.
    """

    days: tuple[date, ...]
    statuses: tuple[str, ...]
    fields: tuple[str, ...]
    level: str = ""
    ids: tuple[str, ...] = ()
    attempt: int = 1
    busy: int = 0
    is_inside: bool = False

    @property
    def is_smallest(self) -> bool:
        """One ad on one day: it cannot be split any further."""
        return len(self.days) == 1 and self.level == "ad" and len(self.ids) == 1

    @property
    def is_divisible(self) -> bool:
        """Whether `split_days` or `split_inside` can split it."""
        return len(self.days) > 1 or bool(split_inside(self))

    def without(self, fields: frozenset[str]) -> ReportQuery:
        """The same query without some fields, as a new one."""
        kept = tuple(field for field in self.fields if field not in fields)
        return replace(self, fields=kept, attempt=1, busy=0)

    def narrowed(self, level: str, ids: tuple[str, ...]) -> ReportQuery:
        """The same query for some objects of a level, as a new one."""
        return replace(self, level=level, ids=ids, attempt=1, busy=0)


def halves_of(items: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    """Two parts of about the same size, which together are the whole."""
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]


def split_days(days: tuple[date, ...]) -> Sequence[tuple[date, ...]]:
    """The newer half of the days, then the older one; an empty half is left out."""
    middle = len(days) // 2
    return [half for half in (days[middle:], days[:middle]) if half]


def split_inside(query: ReportQuery) -> Sequence[ReportQuery]:
    """One day by statuses, then by ids; empty when nothing is left to split.

    Together the parts request the same. An object that changes its status in between can come
    twice, which the reader drops, or not at all, which the control totals show.
    """
    new = replace(query, attempt=1, busy=0, is_inside=True)
    if len(query.statuses) > 1:
        return [replace(new, statuses=half) for half in halves_of(query.statuses)]
    if len(query.ids) > 1:
        return [replace(new, ids=half) for half in halves_of(query.ids)]
    return []


def level_below(query: ReportQuery) -> str:
    """The level by whose objects a query can be narrowed that cannot be split; empty for none."""
    return _BELOW[query.level]
