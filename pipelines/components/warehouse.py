"""The component behind `type: pipelines.components.Warehouse`: everything of fbinsights but the
reports of a project, in that project's own Dagster.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import os
from datetime import UTC, datetime

import dagster as dg

from pipelines.assembly import definitions_of
from pipelines.components.reading import KeyPrefix, file_of, reports_of_project
from pipelines.defs.partitions import grid_of
from pipelines.errors import ConfigError
from pipelines.reports.files import shown
from pipelines.reports.spec import WarehouseSpec
from pipelines.settings import intraday_minutes, owners_of

__all__ = ["Warehouse"]


class Warehouse(WarehouseSpec, dg.Component, dg.Resolvable):
    """All of fbinsights but the project's own reports: accounts and objects, the built-in reports,
    warehouse.duckdb and its views, with their checks, jobs, schedules and sensors. One per project.
    """

    key_prefix: KeyPrefix = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Raises ConfigError with everything that is wrong with it, with file and line."""
        reports, path = reports_of_project(context), file_of(context)
        wrong = [
            str(one)
            for one in reports.problems
            if one.path.resolve() == path.resolve()
            and (one.fault.key == "type" or one.fault.key in WarehouseSpec.model_fields)
        ]
        if reports.warehouse is None:
            raise ConfigError("The component Warehouse cannot be loaded:\n" + "\n".join(wrong))
        if reports.warehouse != WarehouseSpec(**self.model_dump()):
            raise ConfigError(
                f"{shown(path)}: key_prefix and group_name must be written in a defs.yaml, as they"
                " are or as {{ env.NAME }}: the command line reads them from there."
            )
        now = datetime.now(UTC)
        grid, owners = grid_of(os.environ, now), owners_of(os.environ)
        minutes = intraday_minutes(os.environ)
        return definitions_of(
            *(reports, grid, owners, reports.components), intraday_minutes=minutes
        )
