"""What is asked of insights for each table: level, fields, breakdowns, filter. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.fields import EFFECTIVE_STATUSES, HOURLY
from warehouse.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from warehouse.schema import Table

__all__ = ["CONTROL", "REPORTS", "Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """A definition of insights that fills one table."""

    name: str  # of the table and of the asset
    level: str
    breakdowns: Sequence[str] = ()

    @property
    def table(self) -> Table:
        """The table that it fills; its columns are the fields that are asked for."""
        return TABLES[self.name]

    def params(self, since: date, until: date) -> Mapping[str, Any]:
        """Parameters of insights for the days from `since` to `until`, both included.

        Below the account, insights hide what is archived or deleted unless the filter names every
        status; the account's own totals have it all (contract 3.3.5, 3.3.6).
        """
        return {
            "level": self.level,
            "fields": self.table.fields,
            "time_range": {"since": since.isoformat(), "until": until.isoformat()},
            "time_increment": 1,
            "breakdowns": self.breakdowns or None,
            "filtering": _every_status(self.level),
        }


def _every_status(level: str) -> Sequence[Mapping[str, Any]] | None:
    statuses = EFFECTIVE_STATUSES.get(level)
    field = f"{level}.effective_status"
    return [{"field": field, "operator": "IN", "value": statuses}] if statuses else None


#: Totals of the whole account, which prove the other reports.
CONTROL: Final = Report("control_daily", "account")

REPORTS: Final[Mapping[str, Report]] = {
    report.name: report for report in (Report("insights_hourly", "ad", (HOURLY,)),)
}
