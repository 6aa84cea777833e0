"""Far ahead: whether an account has spent much more today than it usually has by this hour.

Two rules, and either suffices at two looks running: the day so far, compared with the last 28 days
at this hour; and the last two hours, at the pace that the day had before them. Days are first
divided by what is usual for their weekday.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from pipelines.watching.open_day import Curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.watching.open_day import OpenDay, PastDay

__all__ = [
    "DAYS_BACK",
    "DIFFERENCE_LEAST",
    "LEAST_DAYS",
    "LEAST_SHARE",
    "USUAL_LEAST",
    "Ahead",
    "ahead_of",
    "is_still_ahead",
]

#: Days that are compared with, and how many of them must be complete.
DAYS_BACK: Final = 28
LEAST_DAYS: Final = 20

#: Nothing is told before a day has usually spent this share: early hours are noise.
LEAST_SHARE: Final = 0.1

#: A usual day that is cheaper than this number of least budgets is nobody's alarm, and neither is a
#: difference of fewer. Meta's own least budget, about a dollar, is the floor in each currency.
USUAL_LEAST: Final = 5
DIFFERENCE_LEAST: Final = 2

#: By how many times its scale spend must exceed what is usual: 2.5 times the usual in an account
#: that is steady. Scale is the spread of the days (MAD), at least a share of their median. With
#: 3.5 and a fifth (1.7 times), 4 % of calm account-days alarmed.
TIMES_SCALE: Final = 5.0
LEAST_SCALE: Final = 0.3

#: Or the last two hours alone: this number of times what they usually have at the day's own pace,
#: and more than on any of the days by this factor. With 1.5 and 1.1, 1.3 % of calm account-days
#: alarmed and 71 % of what was planted was found within three hours, with these 0.9 and 72 %; by
#: the last hour alone 0.5 and 49 %.
RECENT_MINUTES: Final = 120
RECENT_TIMES: Final = 1.8
RECENT_OF_MOST: Final = 1.0
RECENT_SHARE: Final = 0.03

#: The day's own pace counts from here on: a slow morning does not make a usual noon fast.
SLOWEST_PACE: Final = 0.8
PAST_PACES: Final = (0.4, 2.5)

#: How far a weekday's level is followed: it is known from four days, whose noise halves this way.
LEVEL_SHRINK: Final = 0.5

#: Two looks running must agree, at least this many minutes apart: looks of one hour are one look.
LOOKS_APART: Final = 45


@dataclass(frozen=True, slots=True)
class _Compared:
    """One way to know spend: of today, and of the days before as they are to be compared."""

    today: Curve
    past: Sequence[Curve]
    scales: Sequence[float]  # of each day, by the weekdays' levels
    usual_day: float
    is_like: bool  # both are equally late

    def usual(self, since: float, until: float) -> Sequence[float]:
        """What each of the days spent between two minutes."""
        grown = [curve.grown(since, until) for curve in self.past]
        return [g * s for g, s in zip(grown, self.scales, strict=True) if g is not None]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was spent by a minute of the day, and what is usual by then."""

    minute: float
    spent: float
    usual: float


def ahead_of(day: OpenDay) -> Ahead | None:
    """How far an account is ahead; None if it is not, or if nobody can say."""
    found = [one for way in _ways(day) if (one := _ahead_by(day, way))]
    return max(found, key=lambda one: one.spent, default=None)


def is_still_ahead(day: OpenDay) -> bool:
    """Whether it is ahead by half of what it takes to say so; also where nobody can say."""
    return any(_is_still_ahead(way) for way in _ways(day)) or not _ways(day)


def _ahead_by(day: OpenDay, way: _Compared) -> Ahead | None:
    """By one way to know spend, at its last two looks."""
    minute = way.today.last or 0.0
    before = way.today.previous(minute, LOOKS_APART)
    if before is None or not (_is_ahead(day, way, minute) and _is_ahead(day, way, before)):
        return None
    spent = way.today.grown(0.0, minute) or 0.0
    return Ahead(minute, spent, median(way.usual(0.0, minute)))


def _is_still_ahead(way: _Compared) -> bool:
    minute = way.today.last or 0.0
    spent, days = way.today.grown(0.0, minute), way.usual(0.0, minute)
    if spent is None or not days:
        return True
    return spent > (1 + TIMES_SCALE / 2 * LEAST_SCALE) * median(days)


def _is_ahead(day: OpenDay, way: _Compared, minute: float) -> bool:
    spent, days = way.today.grown(0.0, minute), way.usual(0.0, minute)
    if spent is None or len(days) < LEAST_DAYS:
        return False
    usual = median(days)
    differs = spent - usual
    if usual < LEAST_SHARE * way.usual_day or differs < LEAST_SHARE * usual:
        return False
    if differs < DIFFERENCE_LEAST * day.least_budget:
        return False
    scale = max(_spread(days, usual), LEAST_SCALE * usual)
    if differs > TIMES_SCALE * scale and differs > LEAST_SHARE * way.usual_day:
        return True
    return way.is_like and _is_recently_ahead(way, minute)


def _is_recently_ahead(way: _Compared, minute: float) -> bool:
    """By the last two hours, at the pace at which each day was before them."""
    since = minute - RECENT_MINUTES
    recent, before = way.today.grown(since, minute), way.today.grown(0.0, max(since, 0.0))
    if since <= 0 or recent is None or before is None:
        return False
    usual_before = median(way.usual(0.0, since))
    if not usual_before:
        return False
    low, high = PAST_PACES
    paced = [
        grown / min(max(earlier / usual_before, low), high)
        for grown, earlier in zip(way.usual(since, minute), way.usual(0.0, since), strict=True)
    ]
    usual, pace = median(paced), max(before / usual_before, SLOWEST_PACE)
    return (
        usual >= RECENT_SHARE * way.usual_day
        and recent > RECENT_TIMES * usual * pace
        and recent > RECENT_OF_MOST * max(paced) * pace
    )


def _ways(day: OpenDay) -> Sequence[_Compared]:
    """Meta's billing is compared with what the days are known to have spent, for it knows at once;
    reports with what reports had at that hour, where that was kept. Otherwise they are too low for
    their day, and its last two hours have what earlier ones lacked: that is not compared.
    """
    past = day.complete
    if len(past) < LEAST_DAYS:
        return ()
    levels = _levels(past)
    now = levels[day.today.weekday()]
    scales = [now / levels[one.date.weekday()] for one in past]
    usual_day = median(one.spend * s for one, s in zip(past, scales, strict=True))
    if usual_day < USUAL_LEAST * day.least_budget or not usual_day:
        return ()
    finals = [one.curve for one in past]
    seen = [one.seen if _covers(one.seen) else Curve() for one in past]
    was_seen = sum(curve.last is not None for curve in seen) >= LEAST_DAYS
    ways = [
        (day.counter, finals, True),
        (day.seen, seen if was_seen else finals, was_seen),
        (_of_rows(day), finals, False),
    ]
    return [
        _Compared(today, days, scales, usual_day, is_like)
        for today, days, is_like in ways
        if today.at(0.0) is not None
    ]


def _levels(past: Sequence[PastDay]) -> Mapping[int, float]:
    """How much is spent on each weekday, against all of them: 1 for a usual one."""
    usual = median(one.spend for one in past)
    levels = dict.fromkeys(range(7), 1.0)
    for weekday in levels:
        days = [one.spend for one in past if one.date.weekday() == weekday]
        if days and usual:
            level = 1 + LEVEL_SHRINK * (median(days) / usual - 1)
            levels[weekday] = max(level, LEVEL_SHRINK)
    return levels


#: Minutes that may pass between two looks of a past day, for what was known in between to count.
_UNSEEN: Final = 150


def _covers(seen: Curve) -> bool:
    """Whether a past day was looked at often enough to say what was known by when."""
    minutes = seen.minutes
    ends = minutes and minutes[0] <= 0 and minutes[-1] >= 24 * 60 - _UNSEEN
    gaps = (late - early for early, late in pairwise(minutes))
    return bool(ends) and max(gaps, default=0.0) <= _UNSEEN


def _of_rows(day: OpenDay) -> Curve:
    """Spend of today by the ends of its hours, where nothing else is known."""
    if day.rows_at is None or day.seen.last is not None:
        return Curve()
    ended = int(day.rows_at // 60)
    return Curve.of((60.0 * hour, sum(day.hours[:hour])) for hour in range(ended + 1))


def _spread(values: Sequence[float], middle: float) -> float:
    """The standard deviation, by the median of the distances: one odd day does not count."""
    return 1.4826 * median(abs(value - middle) for value in values)
