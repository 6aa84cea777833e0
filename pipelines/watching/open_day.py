"""An account's open day and the days before it, as values: what the rules decide from.

Minutes are those of the account's wall clock since its midnight; negative ones are of the day
before. Money is in major units of the account's currency.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, dropwhile
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from warehouse.decode.hours import instant_of, minute_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime, timedelta

__all__ = ["AdShare", "Curve", "OpenDay", "PastDay", "SpentBudget"]

#: Minutes between two looks that are as far apart as the schedule allows, and some for a tick.
LONGEST_GAP: Final = 250

#: accounts.account_status of an account that may spend; 9 is one in grace: it has not paid yet.
#: Source: Marketing API, Ad Account.
MAY_SPEND: Final = frozenset({1, 9})


@dataclass(frozen=True, slots=True)
class Curve:
    """An amount that grows, as it was at some minutes, in their order; straight lines between."""

    minutes: Sequence[float] = ()
    amounts: Sequence[float] = ()

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]]) -> Self:
        """A curve through points (minute, amount), in any order; of two at a minute the larger."""
        known = dict(sorted(points))
        return cls(tuple(known), tuple(known.values()))

    def at(self, minute: float) -> float | None:
        """The amount at a minute; None before the first point, after the last, and where nobody
        looked for so long that a straight line says nothing.
        """
        if not self.minutes or not self.minutes[0] <= minute <= self.minutes[-1]:
            return None
        after = bisect_left(self.minutes, minute)
        if self.minutes[after] == minute:
            return self.amounts[after]
        begins, ends = self.minutes[after - 1 : after + 1]
        low, high = self.amounts[after - 1 : after + 1]
        if low == high:
            return low
        if ends - begins > LONGEST_GAP:
            return None
        return low + (high - low) * (minute - begins) / (ends - begins)

    def grown(self, since: float, until: float) -> float | None:
        """By how much it grew between two minutes; None where it is not known."""
        first, last = self.at(since), self.at(until)
        return None if first is None or last is None else last - first

    @property
    def last(self) -> float | None:
        """The minute of its last point."""
        return self.minutes[-1] if self.minutes else None

    @property
    def flat_since(self) -> float | None:
        """The first minute since which it is known that nothing was added."""
        if not self.minutes:
            return None
        at = len(self.amounts) - 1
        while at and self.amounts[at - 1] == self.amounts[-1]:
            at -= 1
        return self.minutes[at]

    def previous(self, minute: float, least: float) -> float | None:
        """The last minute with a point that is at least `least` minutes before another."""
        return max((one for one in self.minutes if one <= minute - least), default=None)


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day that is over. `hours`: spend under each of the 24 labels. `is_complete`: its load is
    proven, or cannot be. `seen`: what was known of it by which minute, if it was loaded while it
    went on.
    """

    date: date
    hours: Sequence[float]
    is_complete: bool = True
    seen: Curve = Curve()

    @property
    def spend(self) -> float:
        return sum(self.hours)

    @property
    def curve(self) -> Curve:
        """What was spent by which minute, as it is known now."""
        minutes = [60.0 * hour for hour in range(len(self.hours) + 1)]
        return Curve(tuple(minutes), tuple(accumulate(self.hours, initial=0.0)))


@dataclass(frozen=True, slots=True)
class SpentBudget:
    """A budget of a campaign or an ad set, and what was `spent` under it today. `daily` or
    `lifetime` is set; `remaining` and the ends are those of a lifetime budget.
    """

    level: str  # campaign or adset
    object_id: str
    name: str
    spent: float
    daily: float | None = None
    lifetime: float | None = None
    remaining: float | None = None
    start: datetime | None = None
    end: datetime | None = None
    is_by_hours: bool = False  # day parting: which hours are scheduled is not known


class AdShare(NamedTuple):
    """What an ad spent in some hours of today, and what is usual then."""

    ad_id: str
    name: str | None
    spent: float
    usual: float


@dataclass(frozen=True, slots=True)
class OpenDay:
    """An account on its open day, at an instant.

    `hours`: spend by hour, from rows that were asked for at minute `rows_at` (None: there are
    none). `seen`: its totals by minute, as Meta's reports had them. `counter`: what Meta's billing
    has counted by minute, which is known before reports know it; reaches back into the day before.
    `fresh_at`: everything that Meta showed until then is in here. `past`: the days before.
    `least_budget`: the least daily budget that Meta accepts in this currency, as a floor in money.
    """

    account_id: str
    name: str
    currency: str
    zone: str
    today: date
    now: datetime
    status: int | None = 1
    hours: Sequence[float] = (0.0,) * 24
    rows_at: float | None = None
    seen: Curve = Curve()
    counter: Curve = Curve()
    fresh_at: datetime | None = None
    past: Sequence[PastDay] = ()
    first_day: date | None = None
    least_budget: float = 0.0
    budgets: Sequence[SpentBudget] = ()

    @property
    def minute(self) -> float:
        return minute_of(self.zone, self.today, self.now)

    @property
    def midnight(self) -> datetime:
        """When the day began."""
        return self.instant(0.0)

    def instant(self, minute: float) -> datetime:
        """When the account's clock showed a minute of the day."""
        return instant_of(self.zone, self.today, minute)

    def passed(self, since: float, until: float) -> timedelta:
        """The time between two minutes: an hour that the clock skips takes none."""
        return self.instant(until) - self.instant(since)

    @property
    def complete(self) -> Sequence[PastDay]:
        """The days that can be compared with. Those before the account first spent something are
        not among them: nothing can be learnt from them about what it usually spends.
        """
        complete = [day for day in self.past if day.is_complete]
        return [*dropwhile(lambda day: not day.spend, complete)]

    @property
    def may_spend(self) -> bool:
        return self.status is None or self.status in MAY_SPEND

    @property
    def spent(self) -> float:
        """What was spent today as far as anybody knows."""
        return max(sum(self.hours), *(self.seen.amounts[-1:] or (0.0,)), self.counted or 0.0)

    @property
    def counted(self) -> float | None:
        """What Meta's billing has counted today; None where midnight is not known."""
        last = self.counter.last
        return None if last is None else self.counter.grown(0.0, last)
