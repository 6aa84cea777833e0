"""What a tick does, from what is known and what came now. No I/O.

The lifetime spend of an account (`amount_spent`) moves first, for all accounts by one request for a
hundred of them; its insights follow minutes later. So a movement makes an account dirty, and it
stays so, each tick asking for its totals, until those have moved too and stand still again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipelines.loading.refreshing.refresh import moved
from warehouse.decode.hours import over_at, today_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from pipelines.state.intraday import OpenAccount
    from warehouse.lake.proof.reconcile import Totals
    from warehouse.lake.records import Load

__all__ = [
    "after_failure",
    "after_look",
    "closed",
    "days_over",
    "is_to_load",
    "listed",
    "may_have_moved",
    "open_days",
]

#: Totals that have moved and then stay the same for this long are whole: Meta refreshes insights
#: about every 15 minutes (docs/graph-api.md#insights), and one refresh may pass an account by.
SETTLED_AFTER: Final = timedelta(minutes=30)

#: How long totals that do not move are asked for although the account has spent: a correction of
#: the lifetime spend, or its fall to 0 when its cap is reset, never shows in them. What was
#: delivered shows within three hours, after which a day counts as over.
SPENT_PATIENCE: Final = timedelta(hours=3)

#: A day that could not be closed for this long is left to the daily refresh, which has tried too.
FORGOTTEN_AFTER: Final = timedelta(days=3)

_ONE_DAY: Final = timedelta(days=1)


def open_days(zone: str, now: datetime) -> Sequence[date]:
    """The days of an account that are not over, oldest first: today, and in its first hours also
    yesterday, whose delivery Meta still counts. Raises UnknownZoneError.
    """
    today = today_in(zone, now)
    return [day for day in (today - _ONE_DAY, today) if over_at(zone, day) > now]


def may_have_moved(known: OpenAccount, spent: str | None) -> bool:
    """Whether to ask for the totals of an account: it was never asked, it has spent something (or
    its lifetime spend has been reset), nobody knows what it spends, or its totals do not yet stand
    still.
    """
    return known.is_dirty or spent is None or spent != known.spent


def listed(known: OpenAccount, spent: str | None, now: datetime) -> OpenAccount:
    """What is known once its lifetime spend has been listed. The first one that is listed says
    nothing about when it moved.
    """
    has_moved = known.spent is not None and spent is not None and spent != known.spent
    return replace(
        known,
        spent=spent,
        spent_at=now,
        spent_moved_at=now if has_moved else known.spent_moved_at,
        is_dirty=may_have_moved(known, spent),
        failing=frozenset(day for day in known.failing if now.date() - day <= FORGOTTEN_AFTER),
    )


def after_look(
    known: OpenAccount, totals: Mapping[date, Totals | None], now: datetime
) -> OpenAccount:
    """What is known once the totals of an account's open days have come, and whether it stays
    dirty.
    """
    has_moved = any(known.days.get(day) != one for day, one in totals.items())
    at = now if has_moved else known.totals_moved_at
    return replace(
        known,
        totals_moved_at=at,
        days={**known.days, **totals},
        failing=known.failing - totals.keys(),
        is_dirty=_is_dirty(known, at, now),
    )


def _is_dirty(known: OpenAccount, totals_moved_at: datetime | None, now: datetime) -> bool:
    spent_at = known.spent_moved_at
    if totals_moved_at is None and spent_at is None:
        return False  # nothing has ever moved
    if totals_moved_at is not None and (spent_at is None or spent_at <= totals_moved_at):
        return now - totals_moved_at < SETTLED_AFTER
    return spent_at is not None and now - spent_at < SPENT_PATIENCE


def after_failure(known: OpenAccount, day: date) -> OpenAccount:
    """What is known of an account after one of its days could not be requested or loaded: the next
    tick tries again.
    """
    return replace(known, is_dirty=True, failing=known.failing | {day})


def is_to_load(totals: Totals | None, load: Load | None, *, is_failing: bool = False) -> bool:
    """Whether the open day of an account is to be loaded: it delivers, and its totals are not those
    that its rows were compared with, or the rows did not add up to them; or the last try failed.
    """
    if is_failing:
        return True
    if load is None:
        return totals is not None
    if load.is_over:
        return False
    same = (load.impressions, load.clicks) == (load.control_impressions, load.control_clicks)
    return moved(load, totals) or not same


def days_over(known: OpenAccount, zone: str, now: datetime) -> Sequence[date]:
    """Days of an account that a tick has asked for and that are over now, oldest first: to be
    loaded once more and closed. Raises UnknownZoneError.
    """
    return [day for day in sorted(known.days) if over_at(zone, day) <= now]


def closed(known: OpenAccount, days: Mapping[date, bool], zone: str, now: datetime) -> OpenAccount:
    """What is known after days were closed (True) or could not be. A day that cannot be closed is
    tried again, until the daily refresh has had it for long enough.
    """
    left = {
        day: one
        for day, one in known.days.items()
        if day not in days or not (days[day] or now - over_at(zone, day) > FORGOTTEN_AFTER)
    }
    done = {day for day, is_closed in days.items() if is_closed}
    return replace(known, days=left, failing=known.failing - done)
