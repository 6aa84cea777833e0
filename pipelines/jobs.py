"""All there is to run: assets, their checks, the jobs and the door to Graph; and the components in
the folder `defs`, among them every report that is defined in YAML.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

import dagster as dg

import pipelines.defs as components
from pipelines.assets import ASSETS, VIEW_SPECS
from pipelines.daily import REFRESH, refresh_job
from pipelines.following import FOLLOW_CHECKS, PUBLISH_JOB, follow_lake
from pipelines.freshness import FRESH_CHECKS, freshness
from pipelines.listings import LEVEL_OF
from pipelines.reports import CONTROL, REPORTS
from pipelines.resources import GraphResource
from pipelines.schedules import SCHEDULES
from pipelines.sensors import ACCESS_CHECKS, SENSORS

__all__ = ["FOLDER", "JOBS", "definitions"]

#: job → the assets that it materializes.
JOBS: Final = {
    "accounts_job": ["accounts"],
    "objects_job": list(LEVEL_OF),
    **{f"{report}_job": [report] for report in (CONTROL.name, *REPORTS)},
    PUBLISH_JOB: ["warehouse_duckdb"],
}

#: Where the components are.
FOLDER: Final = Path(components.__path__[0])

#: By the module and not by pyproject.toml, which is in a checkout only.
_TREE: Final = dg.ComponentTree.from_module(components, FOLDER.parent)

_OURS: Final = dg.Definitions(
    assets=[*ASSETS, *VIEW_SPECS, REFRESH],
    jobs=[
        *(dg.define_asset_job(name, selection=assets) for name, assets in JOBS.items()),
        refresh_job,
    ],
    asset_checks=[*FRESH_CHECKS, *ACCESS_CHECKS, *FOLLOW_CHECKS],
    schedules=SCHEDULES,
    sensors=[freshness, follow_lake, *SENSORS],
    resources={"graph": GraphResource(), "mem": dg.mem_io_manager},
    executor=dg.in_process_executor,  # a process per step costs seconds and gains nothing
)


def definitions(folder: Path | None = None) -> dg.Definitions:
    """Ours and those of the components in a folder. Without one Dagster adds, for its pages, what
    it can tell of all its types of components: a seventh of a second.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's own, about what it uses itself
        return dg.Definitions.merge(_OURS, _TREE.build_defs(folder))
