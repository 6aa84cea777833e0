"""The component behind `type: pipelines.components.InsightsReport`: a report in a Dagster project
of a user.

Reports in FB_REPORTS are written in the same YAML, and both are read without Dagster by the command
line (`reports.files`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated

import dagster as dg
from pydantic import BaseModel

from pipelines.assembly import GRAPH
from pipelines.asset_keys import AssetKeys
from pipelines.components.reading import (
    KeyPrefix,
    file_of,
    known_keys,
    reports_of_project,
    require_sound,
    warn_of_unread,
)
from pipelines.components.scaffolding import InsightsReportScaffolder
from pipelines.defs.assets import report_asset
from pipelines.defs.freshness import fresh_check
from pipelines.defs.jobs import report_job
from pipelines.defs.partitions import grid_of
from pipelines.errors import ConfigError
from pipelines.reports.catalog import Report, Reports
from pipelines.reports.files import shown
from pipelines.reports.spec import FIRST_DAY, ReportSpec
from warehouse.errors import UnfitTableError
from warehouse.schema.catalog import Catalog

__all__ = ["InsightsReport"]

#: Dagster's YAML has days as texts.
_Day = Annotated[date, dg.Resolver(lambda _, day: day, model_field_type=str)]


@dg.scaffold_with(InsightsReportScaffolder)
class InsightsReport(ReportSpec, dg.Component, dg.Resolvable):
    """A report of insights: an asset with a partition per account-day, its table, its checks and
    its job.
    """

    key_prefix: KeyPrefix = None
    start_date: _Day = FIRST_DAY

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The keys as `dg` and Dagster's pages show them. Dagster drops the descriptions of those
        with a default.
        """
        return known_keys(super().model(), ReportSpec)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset. Raises ConfigError with everything that is wrong with the report, with file
        and line.
        """
        reports, path = reports_of_project(context), file_of(context)
        problems = require_sound(self, path, reports, "report")
        report = Report.of(self, tuple(map(str, problems)))
        catalog = self._catalog(report, reports, f"{shown(path)}: name: {self.name}")
        keys = AssetKeys.of(reports)
        keys = replace(keys, of_reports={**keys.of_reports, self.name: self})
        grid = grid_of(os.environ, datetime.now(UTC))
        return dg.Definitions.merge(
            dg.Definitions(
                assets=[report_asset(report, catalog, grid, keys)],
                asset_checks=[fresh_check(self.name, catalog, keys)],
                resources={"graph": GRAPH},
            ),
            report_job(self.name, keys),
        )

    def _catalog(self, report: Report, reports: Reports, where: str) -> Catalog:
        """All tables of the project and this one. Raises ConfigError where it does not fit in."""
        known = reports.by_name.get(self.name)
        if known and known.spec == ReportSpec(**self.model_dump()):
            return reports.catalog
        warn_of_unread(where, "report")
        try:
            return reports.catalog.with_table(report.table)
        except UnfitTableError as error:
            raise ConfigError(f"{where}: {error}") from None
