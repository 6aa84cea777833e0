"""The partitions of Dagster's grid: one per ad account, or one per account and day.

Accounts are added when the token sees them and never removed: a key that is deleted takes its
history out of the UI. What a key means is in `loading.partitions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.reports.spec import FIRST_DAY

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ACCOUNTS", "ACCOUNT_DAYS", "AD_ACCOUNTS", "account_days_from"]

#: Keys are ``act_123``. Filled by the asset `accounts`.
AD_ACCOUNTS: Final = "ad_accounts"
ACCOUNTS: Final = dg.DynamicPartitionsDefinition(name=AD_ACCOUNTS)


def account_days_from(start: date) -> dg.MultiPartitionsDefinition:
    """The grid of a report that begins on a day.

    Days have no time zone of their own here: each account reads them in its own. It has two more
    days than UTC has finished, so that the day that has just begun in Auckland can be loaded.
    """
    days = dg.DailyPartitionsDefinition(start_date=start.isoformat(), end_offset=2)
    return dg.MultiPartitionsDefinition({"account": ACCOUNTS, "date": days})


ACCOUNT_DAYS: Final = account_days_from(FIRST_DAY)
