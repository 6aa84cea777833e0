"""The jobs: one for each asset or group of assets that a person or a schedule may run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.defs.following import PUBLISH_JOB
from pipelines.reports.catalog import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.asset_keys import AssetKeys

__all__ = ["asset_jobs", "assets_by_job", "report_job"]


def assets_by_job(reports: Iterable[str], objects: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Job → the assets that it materializes; `reports` and tables of `objects` by their names."""
    return {
        "accounts_job": ["accounts"],
        "objects_job": list(objects),
        **{f"{report}_job": [report] for report in (CONTROL.name, *reports)},
        PUBLISH_JOB: ["warehouse_duckdb"],
        "overview_job": ["overview"],
    }


#: Job → what it does; those of reports have a sentence of their own.
_DOES: Final[Mapping[str, str]] = {
    "accounts_job": "Lists the ad accounts that the token sees. New ones get their rows in the "
    "grids. The sensor new_accounts runs it by itself.",
    "objects_job": "Lists campaigns, ads and all other objects of the chosen accounts, archived "
    "ones included. Refreshes do so by themselves.",
    f"{CONTROL.name}_job": "Loads the accounts' own totals of the chosen days. Reports do so by "
    "themselves, to be proven by them; this is for the totals alone.",
    PUBLISH_JOB: "Copies what changed in the lake into warehouse.duckdb, which analysts open. The "
    "sensor follow_lake runs it by itself, within a minute of each load.",
    "overview_job": "Makes overview.html, the page to look at, of what is published. Each refresh "
    "makes it by itself.",
}


def _does(job: str, assets: Sequence[str]) -> str:
    of_report = (
        f"Loads {', '.join(assets)} for the chosen partitions, each of an account and day (or week,"
        " or month): it is requested again, replaced as a whole and compared with the account's own"
        " totals."
    )
    return _DOES.get(job, of_report)


def asset_jobs(jobs: Mapping[str, Sequence[str]], keys: AssetKeys) -> dg.Definitions:
    """Jobs by their assets, for Dagster, which does not export the type of these."""
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(
                name,
                selection=dg.AssetSelection.assets(*map(keys, assets)),
                description=_does(name, assets),
                executor_def=dg.in_process_executor,  # whatever the project's own is
            )
            for name, assets in jobs.items()
        ]
    )


def report_job(report: str, keys: AssetKeys) -> dg.Definitions:
    """The job of one report."""
    return asset_jobs({f"{report}_job": [report]}, keys)
