"""What accounts spend: by the hour, and as the counter that their bills go by.

Both are asked often, of many accounts: a day is worked out once, and then added up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph.sandbox.world.days import dates, local_date
from fbgraph.sandbox.world.delivery import at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph.sandbox.world.delivery import HoursOf, Progress
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Spending"]

#: Account-days kept at hand.
KEPT: Final = 8192

#: Counters begin here, with more each day than is spent: one never falls when a sandbox is started
#: again on a later day.
FIRST_DAY: Final = date(2020, 3, 2)
ROUGHLY: Final = 2


class Hour(NamedTuple):
    """An hour of an account: its label, its first instant, and what each ad spends in it."""

    label: int
    start: datetime
    spent: Sequence[int]


class Spending:
    """`use` says what ads deliver. Amounts are in minor units."""

    def __init__(self, hours_of: HoursOf) -> None:
        #: By account, from when its counter counts, and what it was then.
        self._begun: dict[str, tuple[datetime, int]] = {}
        self.use(hours_of)

    def use(self, hours_of: HoursOf) -> None:
        """What ads deliver from now on, and on any day before."""
        self._hours_of = hours_of
        self._day = lru_cache(maxsize=KEPT)(self._whole_day)

    def by_hour(
        self, account: WorldNode, day: date, now: datetime, progress: Progress
    ) -> dict[int, int]:
        """What was spent in each hour of a day as far as it is known; idle hours are left out."""
        share_of = progress(now, account.zone)
        found: dict[int, int] = {}
        for hour in self._day(account, day):
            if spent := _part(hour.spent, share_of(hour.start)):
                found[hour.label] = found.get(hour.label, 0) + spent
        return found

    def counter(self, account: WorldNode, now: datetime, restarted: datetime | None) -> int:
        """What an account has spent in its life, or since the counter began again from 0."""
        begun, amount = (restarted, 0) if restarted else self._beginning(account, now)
        first, last = (local_date(account.zone, at) for at in (begun, now))
        days = sum(self._until(account, day, now) for day in dates(first, last))
        return max(0, amount + days - self._until(account, first, begun))

    def restart(self, account: WorldNode, amount: int, now: datetime) -> None:
        """Count from `amount` from now on."""
        self._begun[account.id] = (now, amount)

    def _beginning(self, account: WorldNode, now: datetime) -> tuple[datetime, int]:
        today = local_date(account.zone, now)
        begun = self._begun.get(account.id)
        if begun is None or begun[0] > now:
            midnight = datetime.combine(today, time(), account.zone).astimezone(UTC)
            begun = self._begun[account.id] = (midnight, _spent_before(account, today))
        return begun

    def _until(self, account: WorldNode, day: date, now: datetime) -> int:
        share_of = at_once(now, account.zone)
        return sum(_part(hour.spent, share_of(hour.start)) for hour in self._day(account, day))

    def _whole_day(self, account: WorldNode, day: date) -> Sequence[Hour]:
        found: dict[tuple[datetime, int], list[int]] = {}
        for ad in account.under("ad"):
            for label, start, numbers in self._hours_of(ad, day):
                if label is not None and numbers.spend:
                    found.setdefault((start, label), []).append(numbers.spend)
        return [Hour(label, start, found[start, label]) for start, label in sorted(found)]


def _part(spent: Sequence[int], share: float) -> int:
    """Rounded for each ad, as rows are."""
    if share >= 1:
        return sum(spent)
    return sum(int(one * share + 0.5) for one in spent) if share > 0 else 0


def _spent_before(account: WorldNode, day: date) -> int:
    about = account.about
    usual = about.daily or 50 * about.cpm
    days = (day - FIRST_DAY).days if about.activity else 0
    return 4321 * about.cpm + days * ROUGHLY * usual
