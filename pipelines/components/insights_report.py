"""The component behind `type: pipelines.components.InsightsReport` in other Dagster projects.

Reports in FB_REPORTS are written in the same YAML but loaded without it: the command line reads
them without Dagster (`reports.files`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import os
from datetime import UTC, date, datetime
from typing import Annotated, Final

import dagster as dg
from pydantic import BaseModel

from pipelines.defs.assets import report_asset
from pipelines.defs.partitions import grid_of
from pipelines.errors import ConfigError
from pipelines.reports.catalog import Report
from pipelines.reports.files import Broken, problems_of
from pipelines.reports.spec import FIRST_DAY, ReportSpec
from pipelines.resources import GraphResource
from warehouse.errors import UnfitTableError
from warehouse.schema.catalog import OWN

__all__ = ["InsightsReport"]

#: Dagster's YAML has days as texts.
_Day = Annotated[date, dg.Resolver(lambda _, day: day, model_field_type=str)]

_GRAPH: Final = GraphResource()  # one for all reports of a project


class InsightsReport(ReportSpec, dg.Component, dg.Resolvable):
    """A report of insights: an asset with a partition per account-day, its table and its checks."""

    start_date: _Day = FIRST_DAY

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The keys as `dg` and Dagster's pages show them. Dagster drops the descriptions of those
        with a default.
        """
        shown = super().model()
        for name, key in shown.model_fields.items():
            key.description = ReportSpec.model_fields[name].description
        shown.model_rebuild(force=True)
        return shown

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset. Raises ConfigError with everything that is wrong with the report, with file
        and line.
        """
        path = context.path / "defs.yaml" if context.path.is_dir() else context.path
        problems = problems_of(self, path)
        if any(not one.fault.is_warning for one in problems):
            raise ConfigError(f"The report {self.name} cannot be loaded:\n{Broken(problems)}")
        report = Report.of(self, tuple(map(str, problems)))
        try:
            catalog = OWN.with_table(report.table)
        except UnfitTableError as error:
            raise ConfigError(f"{path}: name: {self.name}: {error}") from None
        grid = grid_of(os.environ, datetime.now(UTC))
        return dg.Definitions(
            assets=[report_asset(report, catalog, grid)], resources={"graph": _GRAPH}
        )
