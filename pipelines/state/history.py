"""Where the history of a lake begins: the first day of the grids and of what `status` misses.

    <lake>/.history.json    {"since": "2025-10-29", "oldest": "2026-11-01"}

`since` is chosen when the lake is set up, 13 months before, and stays, so that grids do not shift.
`oldest` is the oldest day that was ever loaded: no grid begins after it. FB_HISTORY_SINCE stands
above `since`, not above `oldest`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from warehouse.errors import InaccessibleError
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from warehouse.lake.partitions import Lake
    from warehouse.storage.store import Store

__all__ = ["MONTHS", "History", "default_since", "history_since", "note_days", "set_up"]

HISTORY_KEY: Final = ".history.json"

#: So far back Meta has hours. Source: docs/graph-api.md, History.
MONTHS: Final = 13

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class History:
    """What the lake keeps: where it was to begin, and the oldest day that it has (None: none)."""

    since: date
    oldest: date | None = None

    def first(self, wanted: date | None) -> date:
        """The first day of the grids. `wanted` is FB_HISTORY_SINCE."""
        return min(filter(None, (wanted or self.since, self.oldest)))

    def with_days(self, days: Iterable[date]) -> History:
        """The same after these days were loaded."""
        return History(self.since, min(filter(None, (self.oldest, *days)), default=None))

    @property
    def value(self) -> dict[str, str]:
        oldest = {} if self.oldest is None else {"oldest": self.oldest.isoformat()}
        return {"since": self.since.isoformat(), **oldest}


def default_since(today: date) -> date:
    """The day 13 months before; no month is asked for a day that it lacks."""
    months = today.year * 12 + today.month - 1 - MONTHS
    return date(months // 12, months % 12 + 1, min(today.day, 28))


def history_since(lake: Lake, wanted: date | None, today: date) -> date:
    """The first day of the grids of a lake. Writes nothing; of a lake that keeps no history yet,
    its files are listed. Raises OSError where it cannot be reached, and WarehouseError for a file
    that does not belong there.
    """
    known = _known(lake.store) or _counted(lake, today)
    return known.first(wanted)


def set_up(lake: Lake, today: date) -> None:
    """Keep where the history of a lake begins, if it does not yet. Raises as `history_since`."""
    if _known(lake.store) is None:
        _change(lake.store, lambda old: old or _counted(lake, today))


def note_days(store: Store, days: Iterable[date]) -> None:
    """Keep the oldest of days that are in the lake now."""
    known = _known(store)
    if known is not None and known.with_days(days := [*days]) != known:
        _change(store, lambda old: (old or known).with_days(days))


def _change(store: Store, decide: Callable[[History | None], History]) -> None:
    try:
        change(store, HISTORY_KEY, lambda: decide(_known(store)).value)
    except OSError as error:
        _log.warning("The first day of the grids cannot be kept: %s", error)


def _known(store: Store) -> History | None:
    """What is kept; None where nothing is, or nothing that can be read: then it is made again."""
    try:
        value = load(store, HISTORY_KEY)
        oldest = value.get("oldest")
        return History(
            date.fromisoformat(value["since"]),
            None if oldest is None else date.fromisoformat(oldest),
        )
    except FileNotFoundError:
        return None
    except (InaccessibleError, ValueError, KeyError, TypeError, AttributeError):
        _log.warning("%s cannot be read and is written again.", store.name(HISTORY_KEY))
        return None


def _counted(lake: Lake, today: date) -> History:
    """The history of a lake that is new, or older than this file."""
    daily = (table for table in lake.catalog.tables.values() if "date" in (table.partitions or ()))
    days = (where.date for table in daily for where in lake.partitions(table))
    return History(default_since(today)).with_days(day for day in days if day)
