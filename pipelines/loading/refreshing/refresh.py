"""Which past account-days a refresh reloads, and why. No I/O.

Meta changes the numbers of a day for up to 28 days. One control call returns the totals of all of
them; a day whose totals are still those that proved it has not changed, and is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pipelines.reports.spec import LOOKBACK_DAYS
from warehouse.lake.proof.reconcile import Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from warehouse.lake.records import Load
    from warehouse.schema.periods import Period

__all__ = [
    "FRESH_DAYS",
    "REFRESH_HOUR",
    "ReloadReason",
    "days_to_reload",
    "lookback",
    "moved",
    "periods_back",
    "periods_to_reload",
]

#: The newest finished days, which are reloaded whether their totals changed or not: they still gain
#: what totals do not show (actions). Our choice.
FRESH_DAYS: Final = 3


#: The hour of the account's own clock at which its yesterday is loaded. By then Meta has most of
#: it, and analysts still sleep; no zone puts its clock back or forward at this hour.
REFRESH_HOUR: Final = 5


class ReloadReason(StrEnum):
    """Why a day is reloaded; the first that applies."""

    DAMAGED = "damaged"  # its file in the lake cannot be used
    FRESH = "fresh"  # one of the newest finished days; any week or month of the lookback
    MISSING = "missing"  # not loaded, though an earlier day is
    PROVISIONAL = "provisional"  # the day was not over when it was loaded
    EMPTY = "empty"  # Meta returned nothing for it, and its data was kept
    UNPROVEN = "unproven"  # loaded, and it did not add up
    MOVED = "moved"  # the account's totals are no longer those that proved it
    FAILED = "failed_before"  # its last load failed, whatever an earlier one has brought
    FULL = "full"  # nothing suggests a change, but everything is requested


def lookback(today: date, days: int = LOOKBACK_DAYS) -> Sequence[date]:
    """The finished days that Meta may still change, oldest first. `today` is the account's own."""
    return [today - timedelta(days=n) for n in range(days, 0, -1)]


def periods_back(today: date, period: Period, days: int) -> Sequence[date]:
    """The weeks or months that Meta may still change, by their first days, oldest first: each that
    ended in the last `days`, and the one that goes on.
    """
    return period.starts(today - timedelta(days=days), today)


def periods_to_reload(
    back: Sequence[date], damaged: Collection[date]
) -> Mapping[date, ReloadReason]:
    """Those of `back` to reload, newest first: all of them, because a changed number of people does
    not show in the totals of days. `damaged`: those whose files cannot be used.
    """
    return {
        first: ReloadReason.DAMAGED if first in damaged else ReloadReason.FRESH
        for first in reversed(back)
    }


def days_to_reload(  # noqa: PLR0913  # everything that the decision depends on
    today: date,
    loads: Mapping[date, Load],
    totals: Mapping[date, Totals | None],
    *,
    since: date | None,
    emptied: Collection[date] = (),
    failed: Collection[date] = (),
    damaged: Collection[date] = (),
    full: bool = False,
    days: Sequence[date] | None = None,
) -> Mapping[date, ReloadReason]:
    """The days of one account and report to reload, newest first.

    `loads`: what the lake has of the lookback. `totals`: what Meta returns now, None if it returned
    no row; a day that it did not mention is not compared. `since`: the first day ever loaded; the
    days before it are a backfill's business. `emptied`: days for which Meta last returned nothing,
    though they had rows; `failed`: days whose last load failed. `damaged`: days whose files cannot
    be used. `full`: the whole lookback. `days`: the lookback, oldest first, if it is not the usual
    one.
    """
    found = {
        day: ReloadReason.DAMAGED
        if day in damaged
        else ReloadReason.EMPTY
        if day in emptied and (today - day).days > FRESH_DAYS
        else _why(today, day, loads.get(day), since, totals)
        or (ReloadReason.FAILED if day in failed else None)
        for day in reversed(lookback(today) if days is None else days)
    }
    return {day: why or ReloadReason.FULL for day, why in found.items() if why or full}


def _why(
    today: date,
    day: date,
    load: Load | None,
    since: date | None,
    totals: Mapping[date, Totals | None],
) -> ReloadReason | None:
    reasons = (
        (ReloadReason.FRESH, (today - day).days <= FRESH_DAYS),
        (ReloadReason.MISSING, load is None and since is not None and since < day),
        (ReloadReason.PROVISIONAL, load is not None and load.is_provisional),
        (ReloadReason.UNPROVEN, load is not None and not load.is_good),
        (ReloadReason.MOVED, load is not None and day in totals and moved(load, totals[day])),
    )
    return next((why for why, holds in reasons if holds), None)


def moved(load: Load, now: Totals | None) -> bool:
    """Whether Meta's totals are no longer those that proved a load."""
    return load.control != (now or Totals())
