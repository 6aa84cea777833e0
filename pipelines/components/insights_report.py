"""The component behind `type: pipelines.components.InsightsReport` in a `defs.yaml`."""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import dagster as dg

from pipelines.defs.assets import report_asset
from pipelines.errors import ConfigError
from pipelines.reports.catalog import BROKEN, HOURLY_REPORT, REPORTS
from pipelines.reports.files import FOLDER
from pipelines.reports.names import reserved
from pipelines.reports.spec import FIRST_DAY, LOOKBACK_DAYS

__all__ = ["InsightsReport", "report_assets"]


#: Dagster's YAML has days as texts.
_Day = Annotated[date, dg.Resolver(lambda _, day: date.fromisoformat(day), model_field_type=str)]


@dataclass
class InsightsReport(dg.Component, dg.Resolvable):
    """A report of insights: an asset with a partition per account-day, its table, its checks.

    docs/reports.md tells what each key means. All files were read and checked when
    `reports.catalog` was imported, and the assets are made of that (`report_assets`): a file that
    cannot be loaded stops no other. To Dagster a file is a component that adds nothing more.
    """

    name: str
    level: str
    fields: Sequence[str]
    breakdowns: Sequence[str] = ()
    action_breakdowns: Sequence[str] | None = None
    action_attribution_windows: Sequence[str] = ()
    allow_unknown: bool = False
    lookback_days: int = LOOKBACK_DAYS
    start_date: _Day = FIRST_DAY
    description: str = ""
    owners: Sequence[str] = ()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        if self.name not in REPORTS.keys() | BROKEN.keys():
            raise ConfigError(
                f"{context.path} defines the report {self.name}, and reports are read only under"
                f" {FOLDER}. Move the file there."
            )
        return dg.Definitions()


def report_assets() -> Sequence[dg.AssetsDefinition]:
    """An asset for each report that is defined in a file. One that cannot be loaded has an asset
    too, which fails with what is wrong.
    """
    own = [report_asset(report) for report in REPORTS.values() if report is not HOURLY_REPORT]
    return [*own, *(_broken_asset(name) for name in BROKEN if _is_free(name))]


def _is_free(name: str) -> bool:
    """Whether nothing else in Dagster has this name: what is broken may be called anything."""
    return name.isidentifier() and not reserved(name) and name not in REPORTS


def _broken_asset(name: str) -> dg.AssetsDefinition:
    why = f"This report cannot be loaded:\n{BROKEN[name]}"

    @dg.asset(name=name, group_name="broken", description=why)
    def broken() -> None:
        raise dg.Failure(f"{why}\nMend its file, then reload the code location.")

    return broken
