"""What is told about an open day, decided from values alone.

Kinds and thresholds were chosen by `benchmarks/anomalies.py`, on 90 calm days of 20 accounts (spend
differs by a quarter from day to day and from hour to hour, weekdays by up to a half) and on planted
anomalies; its README has the table. Median and MAD over four weeks, the textbook's rule, alarmed on
one look in seven of pure noise.

"Slower than usual" is not told: reports lag behind by hours, and people slow down on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pipelines.watching.ahead import DIFFERENCE_LEAST, ahead_of, is_still_ahead
from pipelines.watching.stopped import stop_of
from warehouse.decode.hours import minute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipelines.watching.open_day import OpenDay, SpentBudget

__all__ = [
    "CONFIRMED",
    "MEANS",
    "OVER_BUDGET_TIMES",
    "Concern",
    "Kind",
    "Overspent",
    "allowed_today",
    "concerns_of",
    "has_ended",
    "over_budget",
]


class Kind(StrEnum):
    """What may be told about an account. The checks of the asset have these names."""

    FAR_AHEAD = "far_ahead"
    STOPPED = "stopped"
    OVER_BUDGET = "over_budget"
    LATE_DATA = "late_data"


#: kind → what is checked, for people.
MEANS: Final[Mapping[Kind, str]] = {
    Kind.FAR_AHEAD: "No account has spent much more by now than it usually has at this hour of this"
    " weekday, compared with its last 28 days.",
    Kind.STOPPED: "Every account that usually spends at this hour has spent something in the last"
    " two hours.",
    Kind.OVER_BUDGET: "No campaign or ad set has spent more than 1.75 times its budget for today.",
    Kind.LATE_DATA: "What is known of today is at most 90 minutes old, or two intervals.",
}

#: Meta may exceed a daily budget by 25 % according to its documentation of 2025, by 75 % according
#: to its Help Centre as quoted since 2024. Only above both is it told.
OVER_BUDGET_TIMES: Final = 1.75

#: How old the data of today may be, unless two intervals of the schedule are longer.
STALE: Final = timedelta(minutes=90)

#: Kinds that Graph must confirm before anybody is told.
CONFIRMED: Final = frozenset({Kind.STOPPED, Kind.OVER_BUDGET})


@dataclass(frozen=True, slots=True)
class Overspent:
    """A budget that was exceeded: what it `allows` today and what was spent."""

    budget: SpentBudget
    allows: float


@dataclass(frozen=True, slots=True)
class Concern:
    """Something to tell about an account. `figure` is what was spent until `minute` of its clock,
    `usual` what was to be expected; of what stopped, both are of the time since `since`. Of late
    data they are minutes: how old it is, and how old it may be. `cause`: why, if Graph has it.
    """

    kind: Kind
    day: OpenDay
    figure: float
    usual: float
    minute: float
    since: float = 0.0
    over: Sequence[Overspent] = ()
    cause: str = ""


def concerns_of(
    day: OpenDay, kinds: Sequence[str] = tuple(Kind), interval_minutes: float = 60.0
) -> Sequence[Concern]:
    """What is to be told about an account. If its data is late, nothing else is."""
    if not day.may_spend or (day.first_day and day.first_day >= day.today):
        return ()
    if day.fresh_at is not None and day.now - day.fresh_at > stale_after(interval_minutes):
        found = [_late_data(day, interval_minutes)]
    else:
        found = [rule(day) for rule in (_far_ahead, _stopped, _over_budget)]
    return [one for one in found if one and one.kind in kinds]


def stale_after(interval_minutes: float) -> timedelta:
    """How old data may be."""
    return max(STALE, timedelta(minutes=2 * interval_minutes))


def _far_ahead(day: OpenDay) -> Concern | None:
    ahead = ahead_of(day)
    if ahead is None:
        return None
    return Concern(Kind.FAR_AHEAD, day, ahead.spent, ahead.usual, ahead.minute)


def _stopped(day: OpenDay) -> Concern | None:
    stop = stop_of(day)
    if stop is None:
        return None
    return Concern(Kind.STOPPED, day, 0.0, stop.usual, stop.until, stop.since)


# -- over budget -------------------------------------------------------------------------------


def _over_budget(day: OpenDay) -> Concern | None:
    over = [Overspent(one, allows) for one in day.budgets if (allows := allowed_today(day, one))]
    return over_budget(day, over)


def over_budget(day: OpenDay, checked: Sequence[Overspent]) -> Concern | None:
    """The budgets of a day that were exceeded, the worst first."""
    over = [
        one
        for one in checked
        if one.budget.spent > OVER_BUDGET_TIMES * one.allows
        and one.budget.spent - one.allows >= DIFFERENCE_LEAST * day.least_budget
    ]
    if not over:
        return None
    over.sort(key=lambda one: one.allows - one.budget.spent)
    spent, allows = sum(one.budget.spent for one in over), sum(one.allows for one in over)
    return Concern(Kind.OVER_BUDGET, day, spent, allows, day.rows_at or day.minute, over=over)


def allowed_today(day: OpenDay, budget: SpentBudget) -> float | None:
    """What a budget is for, today. Of a lifetime budget the share of the hours that it has left, or
    that it has in all, whichever is more; None where its end or its hours are not known.
    """
    if budget.daily:
        return budget.daily
    if not budget.lifetime or not budget.start or not budget.end or budget.is_by_hours:
        return None
    today = timedelta(days=1)
    total, left = budget.end - budget.start, budget.end - max(day.midnight, budget.start)
    if total <= timedelta() or left <= timedelta():
        return None
    allowed = budget.lifetime * min(today / total, 1.0)
    if budget.remaining is not None:
        allowed = max(allowed, (budget.remaining + budget.spent) * min(today / left, 1.0))
    return allowed


# -- late data ---------------------------------------------------------------------------------


def _late_data(day: OpenDay, interval_minutes: float) -> Concern | None:
    """Only for accounts that spend: about others there is nothing to know."""
    past = day.complete[-7:]
    if day.fresh_at is None or not any(one.spend for one in past):
        return None
    age = (day.now - day.fresh_at) / timedelta(minutes=1)
    may_be = stale_after(interval_minutes) / timedelta(minutes=1)
    since = minute_of(day.zone, day.today, day.fresh_at)
    return Concern(Kind.LATE_DATA, day, age, may_be, day.minute, since)


# -- over again --------------------------------------------------------------------------------


def has_ended(kind: Kind, day: OpenDay, told_at: float) -> bool:
    """Whether what was told at a minute of this day (negative: of the day before) is over. It was
    not found again; that alone does not end it, for it may be just below its threshold.
    """
    return _ENDED[kind](day, told_at)


def _has_spent_since(day: OpenDay, told_at: float) -> bool:
    counter = day.counter
    if counter.last is not None and (counter.flat_since or 0.0) > max(told_at, counter.minutes[0]):
        return True
    return any(spend and 60 * hour >= told_at for hour, spend in enumerate(day.hours))


def _is_fresh(day: OpenDay) -> bool:
    """Not on a new day while nothing is known of it: that does not mean that data is back."""
    return day.fresh_at is not None and day.now - day.fresh_at <= STALE


#: kind → whether what was told is over, from the day as it is now and the minute of its clock at
#: which it was told.
_ENDED: Final[Mapping[Kind, Callable[[OpenDay, float], bool]]] = {
    Kind.FAR_AHEAD: lambda day, _: not is_still_ahead(day),
    Kind.STOPPED: _has_spent_since,
    Kind.OVER_BUDGET: lambda day, _: _over_budget(day) is None,
    Kind.LATE_DATA: lambda day, _: _is_fresh(day),
}
