"""All there is to run, put together: assets, checks, jobs, schedules, sensors and the door to
Graph; and the components in `reports/presets`, each a report that is defined in YAML.
"""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg

import pipelines.reports.presets as components
from pipelines.components import report_assets
from pipelines.defs.assets import ASSETS, VIEW_SPECS
from pipelines.defs.following import FOLLOW_CHECKS, follow_lake
from pipelines.defs.freshness import FRESH_CHECKS, freshness
from pipelines.defs.jobs import ASSET_JOBS
from pipelines.defs.refresh import REFRESH, refresh_job
from pipelines.defs.schedules import SCHEDULES
from pipelines.defs.sensors import ACCESS_CHECKS, SENSORS
from pipelines.reports.catalog import BROKEN
from pipelines.reports.files import shown
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["FOLDER", "definitions"]

_log = logging.getLogger(__name__)

#: Where the components are.
FOLDER: Final = Path(components.__path__[0])

_OURS: Final = dg.Definitions(
    assets=[*ASSETS, *report_assets(), *VIEW_SPECS, REFRESH],
    jobs=[*ASSET_JOBS, refresh_job],
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
        try:
            found: Sequence[dg.Definitions] = [_built(components, folder)]
        except Exception:  # noqa: BLE001  of whatever kind: the others load without it
            found = _each_alone()
        return dg.Definitions.merge(_OURS, *found)


def _built(module: ModuleType, path: Path | None = None) -> dg.Definitions:
    # By the module and not by pyproject.toml, which is in a checkout only.
    return dg.ComponentTree.from_module(module, FOLDER.parents[1]).build_defs(path)


def _each_alone() -> Sequence[dg.Definitions]:
    """What is in the folder but for what cannot be loaded. A tree of its own for each: Dagster
    reads all files of a tree, whichever of them is wanted.
    """
    found = []
    for path in sorted(FOLDER.iterdir()):
        if path.name.startswith((".", "_")) or not (path.is_dir() or path.suffix == ".py"):
            continue
        try:
            module = import_module(f"{components.__name__}.{path.name.removesuffix('.py')}")
            load = _built if path.is_dir() else dg.load_definitions_from_module
            found.append(_without_tree(load(module)))
        except Exception as error:  # noqa: BLE001  of whatever kind
            if not _has_broken(path):
                _log.error("Dagster cannot load %s: %s", shown(path), error)
    return found


def _without_tree(found: dg.Definitions) -> dg.Definitions:
    """Definitions that can be merged with those of another tree."""
    kept = ("assets", "asset_checks", "jobs", "schedules", "sensors", "resources")
    return dg.Definitions(**{what: getattr(found, what) for what in kept})


def _has_broken(path: Path) -> bool:
    """Whether a report under a path cannot be loaded, which is told elsewhere."""
    places = (told.path for broken in BROKEN.values() for told in broken.told)
    return any(place.is_relative_to(path) for place in places)
