"""How a report query is split into smaller ones that together request the same. No I/O.

`recovery` decides whether to split; `fetch` does it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fbgraph.catalog.fields import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from fbgraph.reports.query import ReportQuery

__all__ = ["halves_of", "is_divisible", "level_below", "split_days", "split_inside"]


def is_divisible(query: ReportQuery) -> bool:
    """Whether `split_days` or `split_inside` can split it."""
    return len(query.days) > 1 or bool(split_inside(query))


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
    """The level by whose objects a query can be narrowed that cannot be split; empty for none. It
    is never below that of the rows: a row of a campaign for some of its ads is a part of the row,
    and neither reach nor rates add up.
    """
    at = LEVELS.index(query.level or "account")
    return LEVELS[at + 1] if at < LEVELS.index(query.rows_of) else ""
