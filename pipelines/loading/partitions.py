"""Account-days: one ad account on one day of its own calendar, their keys, and how they are cut
into runs. For a report by week or month `day` is the first day of one.

In Dagster's grid the key of one is ``act_123|2026-11-21`` (`defs.partitions`). No Dagster here.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from fbgraph import act_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AccountDay",
    "account_day_of",
    "chunks",
    "key_of",
]


class AccountDay(NamedTuple):
    """One ad account (digits) on one of its own calendar days; in a report by week or month, in
    the one that begins on that day.
    """

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


def chunks(days: Iterable[date], size: int) -> Sequence[Sequence[date]]:
    """Runs of neighbouring days, at most `size` long, newest first; inside a run oldest first."""
    ordered = sorted(set(days))
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1] - timedelta(days=pair[0]))
    neighbours = [[day for _, day in run] for _, run in runs]
    cut = [run[max(end - size, 0) : end] for run in neighbours for end in range(len(run), 0, -size)]
    return sorted(cut, reverse=True)
