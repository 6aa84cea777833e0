"""The component behind `type: pipelines.components.InsightsReport` in a `defs.yaml`."""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import dagster as dg

from pipelines.assets import report_asset
from pipelines.definition import FIRST_DAY, LOOKBACK_DAYS
from pipelines.reports import REPORTS

__all__ = ["InsightsReport"]


#: Dagster's YAML has days as texts.
_Day = Annotated[date, dg.Resolver(lambda _, day: date.fromisoformat(day), model_field_type=str)]


@dataclass
class InsightsReport(dg.Component, dg.Resolvable):
    """A report of insights: an asset with a partition per account-day, its table, its checks.

    docs/reports.md tells what each key means. All files were read and checked when
    `pipelines.reports` was imported; Dagster reads them once more to know what is where.
    """

    name: str
    level: str
    fields: Sequence[str]
    breakdowns: Sequence[str] = ()
    action_breakdowns: Sequence[str] = ()
    action_attribution_windows: Sequence[str] = ()
    lookback_days: int = LOOKBACK_DAYS
    start_date: _Day = FIRST_DAY
    description: str = ""
    owners: Sequence[str] = ()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        del context  # it knows the folder; the report knows the rest
        return dg.Definitions(assets=[report_asset(REPORTS[self.name])])
