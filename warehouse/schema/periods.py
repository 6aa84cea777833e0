"""`Period`: what one row of insights covers: a day, a week from Monday to Sunday, a calendar month.

A period is named by its first day: in paths of the lake, in `loads`, in Dagster's grid. People are
counted once per period, so the rows of a week cannot be made from those of its days. No I/O.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["Period", "account_periods"]

_ONE_DAY: Final = timedelta(days=1)
_WEEK_DAYS: Final = 7
_MONTHS: Final = 12


class Period(StrEnum):
    """The value is what a report says, and the word for it in messages."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first(self, day: date) -> date:
        """The first day of the period that a day is in."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)

    def last(self, day: date) -> date:
        """The last day of the period that a day is in."""
        return self._next(self.first(day)) - _ONE_DAY

    def starts(self, since: date, until: date) -> Sequence[date]:
        """The first days of the periods that have a day from `since` to `until`, oldest first."""
        return list(takewhile(lambda first: first <= until, self._from(self.first(since))))

    def _from(self, first: date) -> Iterator[date]:
        while True:
            yield first
            first = self._next(first)

    def _next(self, first: date) -> date:
        match self:
            case Period.DAY:
                return first + _ONE_DAY
            case Period.WEEK:
                return first + timedelta(days=_WEEK_DAYS)
            case Period.MONTH:
                years, month = divmod(first.month, _MONTHS)
                return date(first.year + years, month + 1, 1)


def account_periods(number: int, periods: Collection[Period]) -> str:
    """Like ``7 account-days`` and, of several periods, ``9 account-days, weeks and months``."""
    first, *others = [one for one in Period if one in periods] or [Period.DAY]
    ending = "" if number == 1 else "s"
    words = [f"{number:,} account-{first}{ending}", *(f"{one}s" for one in others)]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
