"""What is asked of insights for each table: level, fields, breakdowns, filter. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.asks import Ask
from fbgraph.fields import EFFECTIVE_STATUSES, HOURLY
from warehouse.checks import METRICS
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

    @property
    def statuses(self) -> Sequence[str]:
        """Every effective_status of its rows' objects: what it asks for, so that none is hidden."""
        return EFFECTIVE_STATUSES.get(self.level, ())

    @property
    def required(self) -> Sequence[str]:
        """Fields without which a row is none, or an account-day cannot be proven."""
        return (*(column.source for column in self.table.required), *METRICS)

    def params(self, since: date, until: date) -> Mapping[str, Any]:
        """Parameters of insights for the days from `since` to `until`, both included.

        Below the account, insights hide what is archived or deleted unless the filter names every
        status; the account's own totals have it all (contract 3.3.5, 3.3.6).
        """
        days = (since, until)
        return self.params_of(Ask(days, tuple(self.statuses), tuple(self.table.fields)))

    def params_of(self, ask: Ask) -> Mapping[str, Any]:
        """The same for a question that may be a part of the whole."""
        since, until = ask.days[0], ask.days[-1]
        by_status = {"field": f"{self.level}.effective_status", "value": list(ask.statuses)}
        by_id = {"field": f"{ask.level}.id", "value": list(ask.ids)}
        filtering = [
            {**condition, "operator": "IN"} for condition in (by_status, by_id)
            if condition["value"]
        ]  # fmt: skip
        return {
            "level": self.level,
            "fields": list(ask.fields),
            "time_range": {"since": since.isoformat(), "until": until.isoformat()},
            "time_increment": 1,
            "breakdowns": list(self.breakdowns) or None,
            "filtering": filtering or None,
        }


#: Totals of the whole account, which prove the other reports.
CONTROL: Final = Report("control_daily", "account")

REPORTS: Final[Mapping[str, Report]] = {
    report.name: report for report in (Report("insights_hourly", "ad", (HOURLY,)),)
}
