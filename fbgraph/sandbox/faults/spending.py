"""Faults of spending itself: money runs away, stops, or exceeds its budget. What ads deliver
changes, so insights, the truth and `amount_spent` all show it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fbgraph.sandbox.insights.settling import settling
from fbgraph.sandbox.world.days import ONE_DAY, local_date
from fbgraph.sandbox.world.delivery import Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.world.delivery import HoursOf, Progress, RealHour
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = [
    "Since",
    "exceed_budgets",
    "follow_schedule",
    "read_since",
    "restart_counter",
    "run_away",
    "schedule",
    "settle",
    "stop",
]

#: How much more is spent: by what runs away, and by ads that exceed a daily budget.
RUNAWAY_TIMES: Final = 3
OVER_BUDGET_TIMES: Final = 4
SCHEDULED_TIMES: Final = 2

#: Where the id of an account has its place in the listing (`tree.account_id_of`).
PLACE: Final = slice(5, 9)

#: ``12``, ``12@3`` or ``2026-11-24T12@3``.
SINCE: Final = re.compile(r"(?:(\d{4}-\d\d-\d\d)T)?([01]?\d|2[0-3])(?:@(\d{1,4}))?", re.ASCII)


class Since(NamedTuple):
    """From which hour of an account's clock something is so, until the end of that day. Without a
    `day`, of that on which it was turned on. `account`: its place in the listing, None for all.
    """

    hour: int
    day: date | None = None
    account: int | None = None

    def day_of(self, account: WorldNode, turned_on: datetime | None) -> date | None:
        """The day on which it is so, if it is about this account."""
        if self.account not in (None, int(account.id[PLACE])):
            return None
        return self.day or (local_date(account.zone, turned_on) if turned_on else None)


def read_since(text: str) -> Since:
    """Raises ValueError, which says what a strength looks like."""
    found = SINCE.fullmatch(text)
    if not found:
        raise ValueError("expected an hour, such as 12, 12@3 or 2026-11-24T12@3")
    day, hour, account = found.groups()
    on = date.fromisoformat(day) if day else None
    return Since(int(hour), on, int(account) if account else None)


def run_away(fault: Fault, hours_of: HoursOf) -> HoursOf:
    """From an hour on, three times as much of everything."""
    return _changed(fault, hours_of, RUNAWAY_TIMES)


def stop(fault: Fault, hours_of: HoursOf) -> HoursOf:
    """From an hour on, nothing."""
    return _changed(fault, hours_of, 0)


def exceed_budgets(fault: Fault, hours_of: HoursOf) -> HoursOf:
    """From an hour on, what has a daily budget spends several times as much."""
    return _of_daily_budgets(fault, hours_of, OVER_BUDGET_TIMES)


def follow_schedule(fault: Fault, hours_of: HoursOf) -> HoursOf:
    """From an hour on, what has a daily budget spends twice as much, as its owner planned."""
    return _of_daily_budgets(fault, hours_of, SCHEDULED_TIMES)


def schedule(fault: Fault, node: WorldNode) -> Mapping[str, Any] | None:
    """That plan: a multiplier where the campaign holds the budget, or as much money as the ad set
    has anyway. Source: Ad campaign, Budget schedules; facebook-business 26.0.3, HighDemandPeriod.
    """
    since = read_since(fault.word)
    day, budget = since.day_of(node.account, fault.since), node.values.get("daily_budget")
    if day is None or not budget:
        return None
    by_factor = node.level == "campaign"
    midnight = datetime.combine(day + ONE_DAY, time(), node.zone)
    return {
        "ad_object_id": node.id,
        "budget_value": SCHEDULED_TIMES if by_factor else int(budget),
        "budget_value_type": "MULTIPLIER" if by_factor else "ABSOLUTE",
        "recurrence_type": "ONE_TIME",
        "time_start": _text(datetime.combine(day, time(since.hour), node.zone)),
        "time_end": _text(midnight),
    }


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S%z}"


def _of_daily_budgets(fault: Fault, hours_of: HoursOf, times: int) -> HoursOf:
    more = _changed(fault, hours_of, times)
    return lambda ad, day: (more if _has_daily_budget(ad) else hours_of)(ad, day)


def _has_daily_budget(ad: WorldNode) -> bool:
    return any(ad.line[level].values.get("daily_budget") for level in ("campaign", "adset"))


def _changed(fault: Fault, hours_of: HoursOf, times: int) -> HoursOf:
    since = read_since(fault.word)

    def changed(ad: WorldNode, day: date) -> Sequence[RealHour]:
        hours = hours_of(ad, day)
        if day != since.day_of(ad.account, fault.since):
            return hours
        return tuple(filter(None, (_hour(one, since.hour, times) for one in hours)))

    return changed


def _hour(one: RealHour, since: int, times: int) -> RealHour | None:
    if one.label is None or one.label < since:
        return one
    numbers = Numbers._make([n * times for n in one.numbers])
    return one._replace(numbers=numbers) if times else None


def settle(_: Fault, __: Progress) -> Progress:
    """Insights learn of what was delivered as late as at Meta."""
    return settling


def restart_counter(fault: Fault, account: WorldNode, now: datetime) -> datetime | None:
    """When `amount_spent` of an account began again from 0, if it has."""
    since = read_since(fault.word)
    day = since.day_of(account, fault.since)
    if day is None:
        return None
    begun = datetime.combine(day, time(since.hour), account.zone)
    return begun if begun <= now else None
