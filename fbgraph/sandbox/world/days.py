"""Local days: which hours they have, which dates a preset means, how a range is cut.

An hour label is an hour of the account's wall clock. Where the clock skips an hour its label has
no real hour; where it goes back one label has two. Meta documents neither;
docs/graph-api.md#days-and-hours is the model here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

__all__ = [
    "ONE_DAY",
    "ONE_HOUR",
    "PRESETS",
    "Range",
    "RefreshedClock",
    "dates",
    "local_date",
    "months_before",
    "periods",
    "real_hours",
    "refreshed",
    "starts_of_hours",
]

ONE_DAY: Final = timedelta(days=1)
ONE_HOUR: Final = timedelta(hours=1)
YEAR_MONTHS: Final = 12

Range = tuple[date, date]


@lru_cache(maxsize=4096)
def starts_of_hours(zone: ZoneInfo, day: date) -> Sequence[tuple[int, datetime]]:
    """(hour of the wall clock, its first instant in UTC) for every real hour of a local day."""
    at = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + ONE_DAY, time(), zone).astimezone(UTC)
    hours = []
    while at < end:
        hours.append((at.astimezone(zone).hour, at))
        at += ONE_HOUR
    return tuple(hours)


def real_hours(zone: ZoneInfo, day: date) -> Sequence[int]:
    """Real hours under each of the 24 labels: 1, or 0 and 2 where the clock changes."""
    labels = [hour for hour, _ in starts_of_hours(zone, day)]
    return [labels.count(hour) for hour in range(24)]


def local_date(zone: ZoneInfo, now: datetime) -> date:
    return now.astimezone(zone).date()


def dates(since: date, until: date) -> Sequence[date]:
    """Both ends included."""
    return [since + timedelta(days=n) for n in range((until - since).days + 1)]


def months_before(day: date, months: int) -> date:
    """The same day, this number of months earlier, or the last one of a shorter month."""
    first = _month_start(day, -months)
    last = _month_start(first, 1) - ONE_DAY
    return min(first + timedelta(days=day.day - 1), last)


def periods(since: date, until: date, increment: str) -> Sequence[Range]:
    """Cut a range by ``time_increment``: a number of days, ``monthly`` or ``all_days``."""
    if increment == "all_days":
        return [(since, until)]
    cuts = [since]
    while cuts[-1] <= until:
        nearest = cuts[-1]
        step = timedelta(days=int(increment)) if increment != "monthly" else None
        cuts.append(nearest + step if step else _month_start(nearest, 1))
    return [(a, min(b - ONE_DAY, until)) for a, b in pairwise(cuts)]


def _month_start(day: date, months: int = 0) -> date:
    index = day.year * YEAR_MONTHS + day.month - 1 + months
    return date(index // YEAR_MONTHS, index % YEAR_MONTHS + 1, 1)


def _quarter_start(day: date) -> date:
    return _month_start(day, -((day.month - 1) % 3))


def _last(days: int) -> Callable[[date], Range]:
    """The last full days: today is not among them."""
    return lambda today: (today - timedelta(days=days), today - ONE_DAY)


def _week_start(day: date, first: int) -> date:
    """`first` weekday of the week: 0 Monday, 6 Sunday."""
    return day - timedelta(days=(day.weekday() - first) % 7)


def _before(start: date, again: Callable[[date], date]) -> Range:
    """The whole period before the one that begins at `start`."""
    return again(start - ONE_DAY), start - ONE_DAY


def _year_start(day: date) -> date:
    return date(day.year, 1, 1)


#: date_preset → (since, until) from today's date. ``maximum`` and ``data_maximum`` depend on how
#: far insights reach back, so `query` adds them. Source: Insights API reference.
PRESETS: Final[Mapping[str, Callable[[date], Range]]] = {
    "today": lambda today: (today, today),
    "yesterday": _last(1),
    "last_3d": _last(3),
    "last_7d": _last(7),
    "last_14d": _last(14),
    "last_28d": _last(28),
    "last_30d": _last(30),
    "last_90d": _last(90),
    "this_month": lambda today: (_month_start(today), today),
    "last_month": lambda today: _before(_month_start(today), _month_start),
    "this_quarter": lambda today: (_quarter_start(today), today),
    "last_quarter": lambda today: _before(_quarter_start(today), _quarter_start),
    "this_year": lambda today: (_year_start(today), today),
    "last_year": lambda today: _before(_year_start(today), _year_start),
    "this_week_mon_today": lambda today: (_week_start(today, 0), today),
    "this_week_sun_today": lambda today: (_week_start(today, 6), today),
    "last_week_mon_sun": lambda today: _before(_week_start(today, 0), lambda d: _week_start(d, 0)),
    "last_week_sun_sat": lambda today: _before(_week_start(today, 6), lambda d: _week_start(d, 6)),
}


class RefreshedClock:
    """Now, as insights see it: numbers are refreshed about every 15 minutes.

    Source: Insights API, Best practices.
    """

    EVERY: Final = timedelta(minutes=15)

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    def stamp(self) -> datetime:
        """The last refresh, in UTC."""
        return refreshed(self.now())


def refreshed(now: datetime) -> datetime:
    """When insights were last refreshed by `now`, in UTC."""
    moment = now.astimezone(UTC)
    return moment - (moment - datetime.min.replace(tzinfo=UTC)) % RefreshedClock.EVERY
