"""What is asked of insights for each table: level, fields, breakdowns, filter.

Reports are data: next to the hourly one, each is written in YAML (docs/reports.md), which is read
here, once, and whose table is in the catalog that the lake and publishing get. No Dagster:
publishing needs it too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.breakdowns import FEATURE_SETTINGS
from fbgraph.catalog.fields import (
    BREAKDOWNS,
    EFFECTIVE_STATUSES,
    HOURLY,
    LEVELS,
    breakdowns,
    insights_fields,
)
from fbgraph.reports.query import ReportQuery
from pipelines.errors import ConfigError
from pipelines.reports.files import read_files
from pipelines.reports.folders import own_files, preset_files
from pipelines.reports.rules import no_sums
from pipelines.reports.spec import Fault, ReportSpec
from pipelines.reports.tables import table_of
from warehouse.decode.actions import why_not
from warehouse.errors import UnfitTableError
from warehouse.schema.catalog import OWN
from warehouse.schema.insights import CONTROL_DAILY, INSIGHTS_HOURLY, LIVE_WINDOWS
from warehouse.schema.verdicts import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path
    from typing import Self

    from pipelines.reports.files import Broken, ReportFiles
    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Table

__all__ = [
    "BROKEN",
    "CATALOG",
    "CONTROL",
    "DEFINITION",
    "FOUND",
    "HOURLY_REPORT",
    "REPORTS",
    "Report",
    "Reports",
    "broken_reports",
    "read_reports",
    "require_reports",
]


@dataclass(frozen=True, slots=True)
class Report:
    """What a spec asks of Meta's insights, the table that it fills, and what its rows are proven
    by. The columns of the table are the fields that it asks for.
    """

    spec: ReportSpec
    table: Table
    warnings: Sequence[str] = ()  # what the spec is not sure of, with file and line

    @classmethod
    def of(cls, spec: ReportSpec, warnings: Sequence[str] = ()) -> Self:
        """With the table that a spec makes."""
        return cls(spec, table_of(spec), warnings)

    @property
    def name(self) -> str:
        """Of the table and of the asset."""
        return self.spec.name

    @property
    def level(self) -> str:
        return self.spec.level

    @property
    def breakdowns(self) -> Sequence[str]:
        return self.spec.breakdowns

    @property
    def action_breakdowns(self) -> Sequence[str] | None:
        """As Meta is asked: what splits actions splits them by their type too. None is Meta's own,
        by type; an empty list goes to Meta as such.
        """
        split = self.spec.action_breakdowns
        return tuple(dict.fromkeys(("action_type", *split))) if split else split

    @property
    def windows(self) -> Sequence[str]:
        return self.spec.action_attribution_windows

    @property
    def no_sums(self) -> str:
        """Why control totals cannot prove it; empty if they can."""
        return no_sums(self.breakdowns)

    @property
    def no_conversions(self) -> str:
        """Why control totals cannot prove its lists of actions; empty if they can."""
        untyped = "it asks for actions without their types" if self.action_breakdowns == () else ""
        return self.no_sums or why_not(self.table) or untyped

    @property
    def why_empty(self) -> str:
        """Why Meta may return no rows without an error; empty if nothing is known."""
        known = (breakdowns().get(name) for name in self.breakdowns)
        features = [one.feature for one in known if one and one.feature]
        return (
            f"Meta returns none where the account has not switched on the feature {features[0]};"
            f" GET {FEATURE_SETTINGS} lists what is on"
            if features
            else ""
        )

    @property
    def asks(self) -> Mapping[str, Sequence[str]]:
        """What it asks for, by the keys of its spec."""
        return {
            "fields": self.table.fields,
            "breakdowns": self.breakdowns,
            "action_breakdowns": self.action_breakdowns or (),
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
        status; the account's own totals have it all (docs/graph-api.md#filters).
        """
        days = (since, until)
        return self.params_of(ReportQuery(days, tuple(self.statuses), tuple(self.table.fields)))

    def params_of(self, query: ReportQuery) -> Mapping[str, Any]:
        """The same for a query that may be a part of the whole."""
        since, until = query.days[0], query.days[-1]
        by_status = {"field": f"{self.level}.effective_status", "value": list(query.statuses)}
        by_id = {"field": f"{query.level}.id", "value": list(query.ids)}
        filtering = [
            {**condition, "operator": "IN"} for condition in (by_status, by_id)
            if condition["value"]
        ]  # fmt: skip
        return {
            "level": self.level,
            "fields": list(query.fields),
            "time_range": {"since": since.isoformat(), "until": until.isoformat()},
            "time_increment": 1,
            "breakdowns": list(self.breakdowns) or None,
            "action_breakdowns": (
                None if self.action_breakdowns is None else list(self.action_breakdowns)
            ),
            "action_attribution_windows": list(self.windows) or None,
            "filtering": filtering or None,
        }


#: Totals of the whole account, which prove the other reports.
CONTROL: Final = Report(
    ReportSpec(
        name="control_daily",
        level="account",
        fields=tuple(CONTROL_DAILY.fields),
        action_attribution_windows=tuple(LIVE_WINDOWS),
    ),
    CONTROL_DAILY,
)

#: Every hour of every ad: what the views by campaign and account are made of.
HOURLY_REPORT: Final = Report(
    ReportSpec(
        name="insights_hourly",
        level="ad",
        fields=tuple(INSIGHTS_HOURLY.fields),
        breakdowns=(HOURLY,),
    ),
    INSIGHTS_HOURLY,
)


@dataclass(frozen=True, slots=True)
class Reports:
    """All reports that there are, by name, and the catalog that has their tables.

    `files` has all that is wrong or doubtful about them.
    """

    by_name: Mapping[str, Report]
    files: ReportFiles
    catalog: Catalog

    @property
    def broken(self) -> Mapping[str, Broken]:
        """Those that cannot be loaded: by name, or by ``file:line`` where they have none."""
        return self.files.broken


def read_reports(files: Iterable[Path], presets: Iterable[Path] = ()) -> Reports:
    """Every report of some files, and the hourly one. One that cannot be loaded stops no other."""
    found = read_files(files, presets)
    reports = {HOURLY_REPORT.name: HOURLY_REPORT}
    catalog = OWN
    for spec in [*found.specs.values()]:
        report = Report.of(spec, tuple(found.warnings_of(spec.name)))
        try:
            catalog = catalog.with_table(report.table)
        except UnfitTableError as error:
            found.reject(spec.name, Fault("name", spec.name, str(error)))
        else:
            reports[report.name] = report
    for broken in found.broken.values():
        if broken.spec is not None:
            catalog = _with_broken(catalog, broken.spec)
    return Reports(MappingProxyType(reports), found, catalog)


def _with_broken(catalog: Catalog, spec: ReportSpec) -> Catalog:
    """What was loaded of a report that cannot be loaded now is published as before: as the lake has
    kept its definition or, in a lake that has not, as far as its table can be told.
    """
    if spec.name in OWN.tables and spec.name != "insights_daily":
        return catalog
    if spec.level not in LEVELS or not BREAKDOWNS.issuperset(spec.breakdowns):
        return catalog
    known = insights_fields()
    fields = tuple(name for name in spec.fields if name in known)
    try:
        table = table_of(spec.model_copy(update={"fields": fields}))
        return catalog.with_table(table, is_given=False)
    except UnfitTableError:  # a name that is reserved: reported already
        return catalog


#: What has failed of a report that cannot be loaded, in place of a partition key.
DEFINITION: Final = "definition"


def broken_reports() -> Mapping[str, str]:
    """Name → what is wrong with it, of each report that cannot be loaded, in lines to print."""
    return {name: f"this report cannot be loaded:\n{broken}" for name, broken in BROKEN.items()}


def require_reports(names: Iterable[str]) -> None:
    """Raise ConfigError for a report that there is not, or that cannot be loaded, with why."""
    for name in names:
        if name in BROKEN:
            raise ConfigError(f"The report {name} cannot be loaded:\n{BROKEN[name]}")
        if name not in REPORTS:
            raise ConfigError(f"There is no report {name!r}; there are: {', '.join(REPORTS)}.")


_READ: Final = read_reports(own_files(os.environ), preset_files())

#: All that is wrong or doubtful about the files that define reports.
FOUND: Final = _READ.files

#: Reports that cannot be loaded: by name, or by ``file:line`` where they have none.
BROKEN: Final = _READ.broken

REPORTS: Final = _READ.by_name

#: The warehouse's own tables and those of these reports.
CATALOG: Final = _READ.catalog
