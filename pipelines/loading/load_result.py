"""`Outcome`: the result of loading one account-day, and what a failure is about: values, until they
are printed or handed to Dagster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph import act_id

if TYPE_CHECKING:
    from datetime import date

    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.records import Load

__all__ = ["HAD_ROWS", "Outcome", "Target"]

#: `kind` of an account-day whose new rows could not replace the old ones.
HAD_ROWS: Final = "rows"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of loading one account-day: its new `load`, the `error` that kept the old one, or
    why it was `skipped`: its day has not begun.

    `duplicates`: keys of the grain that more than one of its rows has. `kind` names an error that
    another load may undo; "" for all others. `is_sure`: of a day without rows, that an earlier
    response had said so, or a person.
    """

    account_day: AccountDay
    load: Load | None = None
    error: str = ""
    duplicates: int = 0
    kind: str = ""
    skipped: str = ""
    is_sure: bool = False

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.account_day} skipped: {self.skipped}"
        if self.load is None:
            return f"{self.account_day} failed: {self.error}"
        return f"{self.account_day} {self.load.verdict}: {self.load.reason}"


class Target(NamedTuple):
    """What a load is about: a `table`, or the published file; one `account` of it (``act_123``; ""
    for all), and one `day` of that.
    """

    table: str
    account: str = ""
    day: date | None = None

    @classmethod
    def of(cls, table: str, account_day: AccountDay) -> Target:
        """One account-day of a report."""
        return cls(table, act_id(account_day.account_id), account_day.day)

    @property
    def key(self) -> str:
        """Its partition in Dagster's grid: ``act_123|2026-11-21``, ``act_123`` or ""."""
        day = "" if self.day is None else self.day.isoformat()
        return "|".join(filter(None, (self.account, day)))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.table, self.key)))
