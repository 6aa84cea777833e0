"""What Meta refuses because days are too old, and how days are cut by that. No I/O.

Meta keeps totals for 37 months (code 3018 beyond), and less of some breakdowns and fields: 13
months of hours and of unique people, 6 of `frequency_value`. What it answers beyond those is not
documented (docs/graph-api.md#history), so a refusal of old days is taken for a matter of age until
a newer day is refused as well.
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

#: Stands for the whole question where others are names of fields.
EVERYTHING: Final = ""

#: The shortest time for which Meta is documented to keep anything: `frequency_value`, 6 months.
SHORTEST_MEMORY: Final = timedelta(days=180)


def may_be_too_old(error: GraphError, first: date, old_before: date) -> bool:
    """Whether a question that begins on `first` may have been refused for its age.

    Code 3018 says so. Other refusals only may mean it, and only of days before `old_before`.
    """
    if isinstance(error, TooOldError):
        return True
    return type(error) in {RequestError, FieldError} and first < old_before


def blamed_fields(error: GraphError, named: Sequence[str], fields: Sequence[str]) -> Sequence[str]:
    """Which of `fields` of days that may be too old were refused: those that the error is known to
    have `named`, else those whose names are words of its message. Empty for code 3018, which is
    about days.
    """
    if isinstance(error, TooOldError):
        return ()
    words = set(re.findall(r"\w+", error.detail.message))
    return named or [field for field in fields if field in words]


def refused_day(error: GraphError, days: Sequence[date]) -> date | None:
    """The newest day that is known to be too old when a question about `days` was refused.

    Code 3018 is about the day on which a range begins; any other refusal blames a day only when
    that day was asked for alone. None: ask for halves to find out.
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
        """Neighbouring days that are refused the same, oldest first, each with what is refused."""

        def refused(day: date) -> frozenset[str]:
            return frozenset(name for name, last in self.days.items() if day <= last)

        return [(tuple(group), names) for names, group in groupby(days, key=refused)]
