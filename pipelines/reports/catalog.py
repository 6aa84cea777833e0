"""What is asked of insights for each table: level, fields, breakdowns, filter.

Reports are data: next to the hourly one, each is written in YAML (docs/reports.md). A program reads
them once (`reports_of`) and passes the value on: to what loads, publishes and shows them. No
Dagster: publishing needs it too.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

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
from pipelines.reports.components import read_components
from pipelines.reports.files import in_order, read_files
from pipelines.reports.folders import is_ready, own_components, own_files, preset_files
from pipelines.reports.object_spec import object_table_of
from pipelines.reports.rules import no_sums
from pipelines.reports.spec import USUAL, Fault, ReportSpec
from pipelines.reports.tables import in_period, table_of
from warehouse.decode.actions import why_not
from warehouse.errors import UnfitTableError
from warehouse.lake.definitions import changed_key, key_advice
from warehouse.schema.catalog import OWN
from warehouse.schema.insights import CONTROL_DAILY, INSIGHTS_HOURLY, LIVE_WINDOWS
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path
    from typing import Self

    from pipelines.reports.files import Broken, Problem, ReportFiles
    from pipelines.reports.object_spec import ObjectSpec
    from pipelines.reports.spec import WarehouseSpec
    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Table
    from warehouse.storage.store import Store

__all__ = [
    "CONTROL",
    "CONTROLS",
    "DEFINITION",
    "HOURLY_REPORT",
    "Report",
    "Reports",
    "read_reports",
    "reports_of",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a spec asks of Meta's insights, the table that it fills, and what its rows are proven
    by. The columns of the table are the fields that it asks for.
    """

    spec: ReportSpec
    table: Table
    warnings: Sequence[str] = ()  # for each load: what the spec is not sure of, with file and line

    @classmethod
    def of(cls, spec: ReportSpec, warnings: Sequence[str] = ()) -> Self:
        """With the table that a spec makes."""
        return cls(spec, table_of(spec), warnings)

    @property
    def name(self) -> str:
        """The name of the table and of the asset."""
        return self.spec.name

    @property
    def level(self) -> str:
        return self.spec.level

    @property
    def breakdowns(self) -> Sequence[str]:
        return self.spec.breakdowns

    @property
    def action_breakdowns(self) -> Sequence[str] | None:
        """As Meta is asked: what splits actions splits them by their type too. None is Meta's
        default, by type; an empty list is sent as it is.
        """
        split = self.spec.action_breakdowns
        return tuple(dict.fromkeys(("action_type", *split))) if split else split

    @property
    def period(self) -> Period:
        """What a row covers; a partition is one of these, named by its first day."""
        return self.table.period

    def starts(self, days: Sequence[date]) -> Sequence[date]:
        """The periods that have one of these neighbouring days, by their first days, oldest first.
        One that begins before the report does is left out: a part of it would be missing.
        """
        found = self.period.starts(days[0], days[-1]) if days else ()
        is_daily = self.period is Period.DAY
        return [first for first in found if is_daily or first >= self.spec.start_date]

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
    def features(self) -> Sequence[str]:
        """What an account must enable first, or Meta returns no rows, without an error."""
        known = (breakdowns().get(name) for name in self.breakdowns)
        return tuple(dict.fromkeys(one.feature for one in known if one and one.feature))

    @property
    def requests(self) -> Mapping[str, Sequence[str]]:
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
        """Fields that a row must have, or that prove an account-day."""
        metrics = [metric for metric in METRICS if metric in self.table.fields]
        return (*(column.source for column in self.table.required), *metrics)

    def params(self, since: date, until: date) -> Mapping[str, Any]:
        """Parameters of insights for the days from `since` to `until`, both included: all of them
        together, if it is a report by week or month.

        Below the account, insights hide what is archived or deleted unless the filter names every
        status; the account's own totals have it all (docs/graph-api.md#filters).
        """
        is_daily = self.period is Period.DAY
        days, last = ((since, until), None) if is_daily else ((since,), until)
        wanted = tuple(self.statuses), tuple(self.table.fields)
        return self.params_of(ReportQuery(days, *wanted, until=last))

    def params_of(self, query: ReportQuery) -> Mapping[str, Any]:
        """The same for a query that may be a part of the whole."""
        since, until = query.bounds
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
            # Without one, a range is one row, of the very days that were asked for.
            "time_increment": 1 if self.period is Period.DAY else None,
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

#: The same for reports by week or month: totals of the same days, requested together. They are
#: compared and not kept: `loads` has them.
CONTROLS: Final[Mapping[Period, Report]] = {
    Period.DAY: CONTROL,
    **{
        period: Report(
            CONTROL.spec.model_copy(update={"period": period.value}),
            replace(
                CONTROL_DAILY,
                columns=tuple(in_period(CONTROL_DAILY.columns, period)),
                period=period,
            ),
        )
        for period in (Period.WEEK, Period.MONTH)
    },
}

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


#: What has failed of a report that cannot be loaded, in place of a partition key.
DEFINITION: Final = "definition"


@dataclass(frozen=True, slots=True)
class Reports:
    """All reports that there are. A value: what needs them gets them as an argument.

    `by_name`: those that can be loaded. `broken`: those that cannot, by name, or by ``file:line``
    where they have none. `problems`: all that is wrong or doubtful. `catalog`: the warehouse's own
    tables and those of these reports. `components`: those that are components of a Dagster project,
    broken ones too. `warehouse`: where it places everything else; None if that cannot be read.
    `objects`: tables of objects that are not built in, by name.
    """

    by_name: Mapping[str, Report]
    broken: Mapping[str, Broken]
    problems: Sequence[Problem]
    catalog: Catalog
    components: frozenset[str] = frozenset()
    warehouse: WarehouseSpec | None = USUAL
    objects: Mapping[str, ObjectSpec] = field(default_factory=dict)

    @property
    def faults(self) -> Sequence[str]:
        """What keeps reports from loading, as ``file:line: key: value: rule``."""
        return [str(one) for one in self.problems if not one.fault.is_warning]

    @property
    def warnings(self) -> Sequence[str]:
        """What may be wrong, in the same form."""
        return [str(one) for one in self.problems if one.fault.is_warning]

    def why_broken(self) -> Mapping[str, str]:
        """Name → what is wrong with it, of each that cannot be loaded, in lines to print."""
        return {name: broken.why for name, broken in self.broken.items()}

    def require(self, names: Iterable[str]) -> None:
        """Raise ConfigError for a report that does not exist or cannot be loaded, with why."""
        for name in names:
            if name in self.broken:
                noun = self.broken[name].noun.removeprefix("a ")
                raise ConfigError(f"The {noun} {name} cannot be loaded:\n{self.broken[name]}")
            if name not in self.by_name:
                there = ", ".join(self.by_name)
                raise ConfigError(f"There is no report {name!r}. Choose from: {there}.")


def reports_of(environ: Mapping[str, str], store: Store | None = None) -> Reports:
    """Every report of an environment: built in, under FB_REPORTS, and the components of a Dagster
    project. Each program reads them once, at its top. Raises ConfigError where FB_REPORTS is not a
    folder.

    `store`: files of a lake that may have been loaded with other definitions of them. If it cannot
    be read, that is logged, and a load finds out.
    """
    files, components = own_files(environ), own_components(environ)
    return read_reports(files, preset_files(), store, components=components, environ=environ)


def read_reports(
    files: Iterable[Path],
    presets: Iterable[Path] = (),
    store: Store | None = None,
    *,
    components: Iterable[Path] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Reports:
    """Every report of some files, and the hourly one. One that cannot be loaded stops no other."""
    found = read_files(files, presets, partial(read_components, paths=components, environ=environ))
    catalog, reports = _with_reports(OWN, found, store)
    catalog = _with_objects(catalog, found, store)
    for broken in found.broken.values():
        if broken.spec is not None:
            catalog = _with_broken(catalog, broken.spec)
    broken_ones = MappingProxyType(dict(found.broken))
    return Reports(
        *(MappingProxyType(reports), broken_ones, tuple(in_order(found.problems)), catalog),
        *(frozenset(found.components), found.warehouse, MappingProxyType(dict(found.objects))),
    )


def _with_reports(
    catalog: Catalog, found: ReportFiles, store: Store | None
) -> tuple[Catalog, Mapping[str, Report]]:
    """A catalog with the tables of reports of some files, and those reports, after the hourly one.
    One whose table does not fit in is rejected.
    """
    reports = {HOURLY_REPORT.name: HOURLY_REPORT}
    for spec in [*found.specs.values()]:
        # `add`, `check` and docs/presets.md say what is doubtful about a ready report.
        known = is_ready(found.locations[spec.name][0])
        report = Report.of(spec, () if known else tuple(found.warnings_of(spec.name)))
        try:
            wider = catalog.with_table(report.table)
        except UnfitTableError as error:
            found.reject(spec.name, Fault("name", spec.name, str(error)))
            continue
        if fault := _other_key(store, report.table):
            found.reject(spec.name, fault)
        else:
            catalog, reports[report.name] = wider, report
    return catalog, reports


def _with_objects(catalog: Catalog, found: ReportFiles, store: Store | None) -> Catalog:
    """A catalog with the tables of objects of some files. One that does not fit in is rejected."""
    for spec in [*found.objects.values()]:
        row = object_table_of(spec)
        if taken := sorted({table.name for table in row.tables} & catalog.given):
            rule = f"another table is called {taken[0]}; choose another name"
            found.reject(spec.name, Fault("name", spec.name, rule))
            continue
        try:
            wider = catalog.with_objects(row)
        except UnfitTableError as error:
            found.reject(spec.name, Fault("name", spec.name, str(error)))
            continue
        if fault := _other_key(store, row.latest):
            found.reject(spec.name, Fault("key", "", fault.rule))
        else:
            catalog = wider
    return catalog


def _other_key(store: Store | None, table: Table) -> Fault | None:
    """What is wrong with the key of a report's table, if its files in a lake have another one."""
    try:
        changes = changed_key(store, table) if store else ()
    except OSError as error:
        _log.warning(
            "Cannot check whether the report %s still fits its table in the lake: %s. A load checks"
            " it again.",
            *(table.name, error),
        )
        return None
    if store is None or not changes:
        return None
    first, *others = changes
    what = " and ".join((first.what, *map(str, others)))
    return Fault(first.name, "", f"{what} {key_advice(store, table.name)}")


def _with_broken(catalog: Catalog, spec: ReportSpec) -> Catalog:
    """What was loaded of a report that cannot be loaded now is published as before: as the lake has
    kept its definition or, in a lake that has not, as far as its table can be told.
    """
    if spec.name in OWN.tables and spec.name != "insights_daily":
        return catalog
    if spec.level not in LEVELS or spec.period not in {*Period}:
        return catalog
    if not BREAKDOWNS.issuperset(spec.breakdowns):
        return catalog
    known = insights_fields()
    fields = tuple(name for name in spec.fields if name in known)
    try:
        table = table_of(spec.model_copy(update={"fields": fields}))
        return catalog.with_table(table, is_given=False)
    except UnfitTableError:  # a name that is reserved: reported already
        return catalog
