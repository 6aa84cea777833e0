"""Which past account-days are pulled again, and why. No I/O.

Meta changes the numbers of a day for up to 28 days. One control call tells the totals of all of
them; a day whose totals are still those that proved it has not moved, and is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pipelines.reports.spec import LOOKBACK_DAYS
from warehouse.lake.reconcile import Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from warehouse.lake.records import Load

__all__ = ["FRESH_DAYS", "REFRESH_HOUR", "Why", "lookback", "moved", "to_pull"]

#: The newest finished days, which are pulled whether their totals moved or not: what their totals
#: do not show (actions) still comes in. Our choice.
FRESH_DAYS: Final = 3


#: The hour of the account's own clock at which its yesterday is loaded. By then Meta has most of
#: it, and analysts still sleep; no zone puts its clock back or forward at this hour.
REFRESH_HOUR: Final = 5


class Why(StrEnum):
    """Why a day is pulled, the first that holds."""

    FRESH = "fresh"  # one of the newest finished days
    MISSING = "missing"  # not loaded, though an earlier day is
    PROVISIONAL = "provisional"  # the day was not over when it was loaded
    EMPTY = "empty"  # Meta returned nothing for it, and what it had was kept
    UNPROVEN = "unproven"  # loaded, and it did not add up
    MOVED = "moved"  # the account's totals are no longer those that proved it
    FULL = "full"  # nothing is known against it, but everything is asked for


def lookback(today: date, days: int = LOOKBACK_DAYS) -> Sequence[date]:
    """The finished days that Meta may still change, oldest first. `today` is the account's own."""
    return [today - timedelta(days=n) for n in range(days, 0, -1)]


def to_pull(  # noqa: PLR0913  # all that a decision is made by
    today: date,
    loads: Mapping[date, Load],
    totals: Mapping[date, Totals | None],
    *,
    since: date | None,
    emptied: Collection[date] = (),
    full: bool = False,
    days: Sequence[date] | None = None,
) -> Mapping[date, Why]:
    """The days of one account and report that are to be pulled, newest first.

    `loads`: what the lake has of the lookback. `totals`: what Meta says now, None where it gave no
    row; a day of which it said nothing is not compared. `since`: the first day ever loaded; the
    days before it are a backfill's business. `emptied`: days for which Meta last returned nothing,
    though they had rows. `full`: the whole lookback. `days`: the lookback, oldest first, if it is
    not the usual one.
    """
    found = {
        day: Why.EMPTY
        if day in emptied and (today - day).days > FRESH_DAYS
        else _why(today, day, loads.get(day), since, totals)
        for day in reversed(lookback(today) if days is None else days)
    }
    return {day: why or Why.FULL for day, why in found.items() if why or full}


def _why(
    today: date,
    day: date,
    load: Load | None,
    since: date | None,
    totals: Mapping[date, Totals | None],
) -> Why | None:
    reasons = (
        (Why.FRESH, (today - day).days <= FRESH_DAYS),
        (Why.MISSING, load is None and since is not None and since < day),
        (Why.PROVISIONAL, load is not None and load.is_provisional),
        (Why.UNPROVEN, load is not None and not load.is_good),
        (Why.MOVED, load is not None and day in totals and moved(load, totals[day])),
    )
    return next((why for why, holds in reasons if holds), None)


def moved(load: Load, now: Totals | None) -> bool:
    """Whether Meta's totals are no longer those that proved a load."""
    return load.control != (now or Totals())
