"""Stopped: whether an account that usually spends at this time of the day has spent nothing.

Time is counted as it passes, so that the hour which a clock skips in spring does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from pipelines.watching.ahead import LEAST_DAYS, LEAST_SHARE, USUAL_LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.watching.open_day import OpenDay, PastDay

__all__ = ["Stop", "stop_of"]

#: It must have spent nothing for this long, and usually spend this share of a day in that time.
#: Rows of an hour are there this many minutes after its end, if only in part.
IDLE_LEAST: Final = timedelta(minutes=105)
STOPPED_SHARE: Final = 0.04
ROWS_DELAY: Final = 30

#: One in this number of days that are like today may have had an idle hour at this time, and one
#: of the same weekday: a failed payment does not silence the rule for four weeks. In accounts that
#: spend nothing in 3 % of their hours, one of ten finds 84 % of stops in two hours, and alarms on
#: 1.6 % of calm days; one of twenty 56 % and 1.4 %.
DAYS_AN_EXCEPTION: Final = 10
SAME_WEEKDAY_EXCEPTIONS: Final = 1


@dataclass(frozen=True, slots=True)
class Stop:
    """From which minute to which one nothing was spent, and what usually is."""

    since: float
    until: float
    usual: float


def stop_of(day: OpenDay) -> Stop | None:
    """Since when an account has stopped; None if it has not, or if nobody can say."""
    since, until = _idle(day)
    if day.passed(since, until) < IDLE_LEAST or len(day.complete) < LEAST_DAYS:
        return None
    like = _like(day, since, until)
    if not like:
        return None
    usual_day = median(one.spend for one in like)
    usual = median(one.curve.grown(since, until) or 0.0 for one in like)
    by_now = median(one.curve.at(until) or 0.0 for one in like)
    too_small = (
        usual < STOPPED_SHARE * usual_day
        or by_now < LEAST_SHARE * usual_day
        or usual_day < USUAL_LEAST * day.least_budget
    )
    return None if too_small else Stop(since, until, usual)


def _like(day: OpenDay, since: float, until: float) -> Sequence[PastDay]:
    """The days that are like today: those of weekdays that usually spend in each hour between two
    minutes. Empty if today's weekday does not, or if too many of them had an idle hour then.
    """
    hours = [hour for hour in range(24) if since <= 60 * hour and 60 * (hour + 1) <= until]
    hours = [hour for hour in hours if day.passed(60.0 * hour, 60.0 * (hour + 1))]
    by_weekday: dict[int, list[PastDay]] = {}
    for one in day.complete:
        by_weekday.setdefault(one.date.weekday(), []).append(one)
    usual = {weekday: of for weekday, of in by_weekday.items() if _idle_of(of, hours) < len(of) / 2}
    same = usual.get(day.today.weekday())
    like = [one for of in usual.values() for one in of]
    if not hours or not same or _idle_of(same, hours) > SAME_WEEKDAY_EXCEPTIONS:
        return ()
    return like if DAYS_AN_EXCEPTION * _idle_of(like, hours) <= len(like) else ()


def _idle_of(days: Sequence[PastDay], hours: Sequence[int]) -> int:
    """How many of some days had an hour of these without spend."""
    return sum(not all(one.hours[hour] for hour in hours) for one in days)


def _idle(day: OpenDay) -> tuple[float, float]:
    """From which minute of today to which one nothing was spent: as Meta's billing has it, where
    rows do not say otherwise; without billing, as rows have it.
    """
    spent = [hour for hour, spend in enumerate(day.hours) if spend]
    rows_end = 60.0 * (spent[-1] + 1) if spent else 0.0
    flat, last = day.counter.flat_since, day.counter.last
    if flat is not None and last is not None:
        # An hour that has rows was not idle; the one in which billing stopped may have some.
        idle_since = rows_end if rows_end >= flat + 60 else flat
        return max(idle_since, 0.0), last
    if day.rows_at is None:
        return 0.0, 0.0
    return rows_end, day.rows_at - ROWS_DELAY
