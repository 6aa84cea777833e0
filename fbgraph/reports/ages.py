"""Days that Meta refuses because they are too old, and how tasks are cut by that. No I/O.

Meta keeps totals for 37 months (code 3018 beyond), and some breakdowns and fields for less: 13
months of hours and of unique people, 6 of `frequency_value`. What it returns beyond those is not
documented (docs/graph-api.md#history), so a refusal of old days counts as a matter of age until a
newer day is refused as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from fbgraph.errors import FieldError, RequestError, TooOldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fbgraph.errors import GraphError

__all__ = [
    "EVERYTHING",
    "SHORTEST_MEMORY",
    "TooOld",
    "blamed_fields",
    "may_be_too_old",
    "refused_day",
]

#: The whole query, where other keys are names of fields.
EVERYTHING: Final = ""

#: The shortest time for which Meta is documented to keep anything: `frequency_value`, 6 months.
SHORTEST_MEMORY: Final = timedelta(days=180)


def may_be_too_old(error: GraphError, first: date, old_before: date) -> bool:
    """Whether a query that begins on `first` may have been refused for its age. Code 3018 says so;
    any other refusal may only mean it, and only for days before `old_before`.
    """
    if isinstance(error, TooOldError):
        return True
    return type(error) in {RequestError, FieldError} and first < old_before


def blamed_fields(error: GraphError, named: Sequence[str], fields: Sequence[str]) -> Sequence[str]:
    """Which of `fields` were refused for days that may be too old: those that the error has
    `named`, else those whose names are words of its message. Empty for code 3018, which is about
    days.
    """
    if isinstance(error, TooOldError):
        return ()
    words = set(re.findall(r"\w+", error.detail.message))
    return named or [field for field in fields if field in words]


def refused_day(error: GraphError, days: Sequence[date]) -> date | None:
    """The newest day known to be too old after a query for `days` was refused.

    Code 3018 is about the first day of a range; any other refusal blames a day only if that day was
    requested alone. None: request halves to find out.
    """
    return days[0] if isinstance(error, TooOldError) or len(days) == 1 else None


@dataclass(slots=True)
class TooOld:
    """What an account was refused for its age: field, or `EVERYTHING` → the newest day, and why.
    What is refused for a day is refused for all days before it.
    """

    days: dict[str, date] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def note(self, names: Iterable[str], day: date, error: GraphError) -> None:
        """Remember that these are refused up to `day`."""
        for name in names:
            if day >= self.days.get(name, day):
                self.days[name] = day
                self.why[name] = (
                    f"Older than Meta keeps: {error}"
                    if isinstance(error, TooOldError)
                    else f"Meta refuses days up to {day}: {error}"
                )

    def ends_before(self, day: date) -> bool:
        """Whether something is refused up to the day before."""
        return day - timedelta(days=1) in self.days.values()

    def cut(self, days: Sequence[date]) -> Sequence[tuple[tuple[date, ...], frozenset[str]]]:
        """Neighbouring days for which the same is refused, oldest first, each with what is
        refused.
        """

        def refused(day: date) -> frozenset[str]:
            return frozenset(name for name, last in self.days.items() if day <= last)

        return [(tuple(group), names) for names, group in groupby(days, key=refused)]
