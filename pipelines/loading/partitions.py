"""The grid: one cell per ad account and day of that account's own calendar.

A partition key is ``act_123|2026-11-21``. Accounts are added when the token sees them and never
taken away: a key that is deleted takes its history out of the UI.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import dagster as dg

from fbgraph import act_id
from pipelines.reports.spec import FIRST_DAY
from warehouse.decode.hours import zone_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ACCOUNTS",
    "ACCOUNT_DAYS",
    "AD_ACCOUNTS",
    "AccountDay",
    "account_day_of",
    "account_days_from",
    "account_ranges",
    "chunks",
    "key_of",
    "today_in",
]

#: Keys are ``act_123``. Filled by the asset `accounts`.
AD_ACCOUNTS: Final = "ad_accounts"
ACCOUNTS: Final = dg.DynamicPartitionsDefinition(name=AD_ACCOUNTS)


def account_days_from(start: date) -> dg.MultiPartitionsDefinition:
    """The grid of a report that begins on a day.

    Days have no zone of their own here: each account reads them in its own. Two more than UTC has
    finished, so that the day that has just begun in Auckland can be asked for.
    """
    days = dg.DailyPartitionsDefinition(start_date=start.isoformat(), end_offset=2)
    return dg.MultiPartitionsDefinition({"account": ACCOUNTS, "date": days})


ACCOUNT_DAYS: Final = account_days_from(FIRST_DAY)


class AccountDay(NamedTuple):
    """One ad account (digits) on one of its own calendar days."""

    account_id: str
    day: date

    def __str__(self) -> str:
        return f"act_{self.account_id} {self.day}"


def key_of(account_day: AccountDay) -> str:
    """``act_123|2026-11-21``."""
    return f"{act_id(account_day.account_id)}|{account_day.day.isoformat()}"


def account_day_of(partition_key: str) -> AccountDay:
    """The opposite of `key_of`."""
    account, _, day = partition_key.partition("|")
    return AccountDay(account.removeprefix("act_"), date.fromisoformat(day))


def today_in(timezone_name: str, now: datetime) -> date:
    """The calendar day that `now`, an aware instant, is in for an account of this zone.

    Raises UnknownZoneError.
    """
    return now.astimezone(zone_named(timezone_name)).date()


def chunks(days: Iterable[date], size: int) -> Sequence[Sequence[date]]:
    """Runs of neighbouring days, at most `size` long, newest first; inside a run oldest first."""
    ordered = sorted(set(days))
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1] - timedelta(days=pair[0]))
    neighbours = [[day for _, day in run] for _, run in runs]
    cut = [run[max(end - size, 0) : end] for run in neighbours for end in range(len(run), 0, -size)]
    return sorted(cut, reverse=True)


def account_ranges(known: Sequence[str], wanted: Iterable[str]) -> Sequence[tuple[str, str]]:
    """First and last key of each stretch of `known` account keys that are all `wanted`.

    Dagster runs a range of keys, in the order in which it knows them, as one run; stretches keep
    the accounts in between out of it.
    """
    chosen = set(wanted)
    stretches = groupby(known, key=lambda key: key in chosen)
    runs = [list(keys) for is_chosen, keys in stretches if is_chosen]
    return [(run[0], run[-1]) for run in runs]
