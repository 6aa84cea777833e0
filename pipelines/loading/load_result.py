"""What became of one account-day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.records import Load

__all__ = ["HAD_ROWS", "Outcome"]

#: `kind` of an account-day for which rows came that could not take the place of the old ones.
HAD_ROWS: Final = "rows"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account-day: its new `load`, or the `error` that kept the old one.

    `duplicates`: keys of the grain that more than one of its rows has. `kind` names an error that
    another look may undo; "" for all others.
    """

    account_day: AccountDay
    load: Load | None = None
    error: str = ""
    duplicates: int = 0
    kind: str = ""

    def __str__(self) -> str:
        if self.load is None:
            return f"{self.account_day} failed: {self.error}"
        return f"{self.account_day} {self.load.verdict}: {self.load.reason}"
