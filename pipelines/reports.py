"""What is asked of insights for each table: level, fields, breakdowns, filter.

Reports are data: beside the hourly one, each is a `defs.yaml` (docs/reports.md), which is read
here, once, and whose table is handed to the warehouse. No Dagster: publishing needs it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.asks import Ask
from fbgraph.fields import EFFECTIVE_STATUSES, HOURLY
from pipelines.definition import FIRST_DAY, LOOKBACK_DAYS, Definition, Fault
from pipelines.report_files import FOLDER, read_definitions
from pipelines.report_rules import no_sums
from pipelines.report_tables import table_of
from pipelines.settings import ConfigError
from warehouse.actions import why_not
from warehouse.checks import METRICS
from warehouse.errors import UnfitTableError
from warehouse.registry import register
from warehouse.schema import LIVE_WINDOWS, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.schema import Table

__all__ = ["CONTROL", "HOURLY_REPORT", "REPORTS", "Report", "read_reports", "report_of"]


@dataclass(frozen=True, slots=True)
class Report:
    """A definition of insights that fills one table."""

    name: str  # of the table and of the asset
    level: str
    breakdowns: Sequence[str] = ()
    action_breakdowns: Sequence[str] = ()
    windows: Sequence[str] = ()
    lookback_days: int = LOOKBACK_DAYS
    start_date: date = FIRST_DAY
    owners: Sequence[str] = ()

    @property
    def no_sums(self) -> str:
        """Why control totals cannot prove it; empty if they can."""
        return no_sums(self.breakdowns)

    @property
    def no_conversions(self) -> str:
        """Why control totals cannot prove its lists of actions; empty if they can."""
        return self.no_sums or why_not(self.table)

    @property
    def table(self) -> Table:
        """The table that it fills; its columns are the fields that are asked for."""
        return TABLES[self.name]

    @property
    def asks(self) -> Mapping[str, Sequence[str]]:
        """What it asks for, by the keys of its definition."""
        return {
            "fields": self.table.fields,
            "breakdowns": self.breakdowns,
            "action_breakdowns": self.action_breakdowns,
            "action_attribution_windows": self.windows,
        }

    @property
    def statuses(self) -> Sequence[str]:
        """Every effective_status of its rows' objects: what it asks for, so that none is hidden."""
        return EFFECTIVE_STATUSES.get(self.level, ())

    @property
    def required(self) -> Sequence[str]:
        """Fields without which a row is none, or an account-day cannot be proven."""
        metrics = [metric for metric in METRICS if metric in self.table.fields]
        return (*(column.source for column in self.table.required), *metrics)

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
            "action_breakdowns": list(self.action_breakdowns) or None,
            "action_attribution_windows": list(self.windows) or None,
            "filtering": filtering or None,
        }


#: Totals of the whole account, which prove the other reports.
CONTROL: Final = Report("control_daily", "account", windows=LIVE_WINDOWS)

#: Every hour of every ad: what the views by campaign and account are made of.
HOURLY_REPORT: Final = Report("insights_hourly", "ad", (HOURLY,))


def report_of(definition: Definition) -> Report:
    """The report of a definition. Actions are split by their type whatever else splits them."""
    split = dict.fromkeys(("action_type", *definition.action_breakdowns))
    return Report(
        definition.name,
        definition.level,
        definition.breakdowns,
        tuple(split) if definition.action_breakdowns else (),
        definition.action_attribution_windows,
        definition.lookback_days,
        definition.start_date,
        definition.owners,
    )


def read_reports(folder: Path = FOLDER) -> Mapping[str, Report]:
    """Every report that is defined under a folder, by name; its table is the warehouse's then.

    Raises ConfigError that tells all that is wrong in all files, with file, line and rule; then the
    warehouse may know some of the tables.
    """
    found = read_definitions(folder)
    for definition in () if found.faults else found.definitions.values():
        try:
            if definition.name in _TAKEN:
                raise UnfitTableError("this name is taken")  # noqa: TRY301  # as by a table
            register(table_of(definition))
        except UnfitTableError as error:
            found.fault_of(definition.name, Fault("name", definition.name, str(error)))
    if found.faults:
        raise ConfigError("Reports cannot be loaded:\n  " + "\n  ".join(found.faults))
    return {name: report_of(one) for name, one in found.definitions.items()}


#: Names that are those of assets or of tables that others fill.
_TAKEN: Final = {*TABLES, "warehouse_duckdb"} - {"insights_daily"}

REPORTS: Final[Mapping[str, Report]] = {HOURLY_REPORT.name: HOURLY_REPORT, **read_reports()}
