"""Which days a page is about: by each account's own calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Self

from warehouse.decode.hours import since_over, today_in, why_not_over

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["WINDOW_DAYS", "Window", "last_days"]

#: Days of a page, and of what it compares them with: four weeks have the same weekdays.
WINDOW_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Window:
    """The days from `since` to `until`, both included."""

    since: date
    until: date

    @property
    def days(self) -> Sequence[date]:
        """All of them, oldest first."""
        return [self.since + timedelta(days=n) for n in range((self.until - self.since).days + 1)]

    @property
    def before(self) -> Window:
        """As many days right before."""
        length = timedelta(days=len(self.days))
        return Window(self.since - length, self.until - length)

    @classmethod
    def ending(cls, until: date, days: int) -> Self:
        """A number of days that ends with `until`."""
        return cls(until - timedelta(days=days - 1), until)

    @classmethod
    def beginning(cls, since: date, days: int) -> Self:
        """A number of days that begins with `since`."""
        return cls(since, since + timedelta(days=days - 1))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.since <= day <= self.until

    def __str__(self) -> str:
        return f"{_short(self.since)} to {_short(self.until)}"


def last_days(zone: str, at: datetime, newest: date | None = None) -> Window:
    """The last days of an account's calendar that were over at an instant, as loads count it:
    three hours after midnight. None is later than `newest`.
    """
    until = today_in(zone, at) - timedelta(days=1)
    if why_not_over(since_over(zone, until, at)):
        until -= timedelta(days=1)
    return Window.ending(until if newest is None else min(until, newest), WINDOW_DAYS)


def _short(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
