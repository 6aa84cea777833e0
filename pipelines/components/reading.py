"""What a project's components know of each other: all its reports, read as the command line reads
them, so that both have the same tables, names and keys.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

import dagster as dg
from pydantic import BaseModel

from pipelines.errors import ConfigError
from pipelines.reports.catalog import Reports, read_reports
from pipelines.reports.files import Broken, Problem, problems_of
from pipelines.reports.folders import own_files, preset_files
from pipelines.reports.object_spec import ObjectSpec
from pipelines.reports.project import component_file, component_files
from pipelines.reports.spec import Placed, ReportSpec
from pipelines.settings import store_of

__all__ = [
    "KeyPrefix",
    "file_of",
    "known_keys",
    "reports_of_project",
    "require_sound",
    "warn_of_unread",
]

_log: Final = logging.getLogger(__name__)


#: In YAML a prefix of one part needs no list.
KeyPrefix = Annotated[
    tuple[str, ...] | None,
    dg.Resolver(lambda _, prefix: prefix, model_field_type=Sequence[str] | str | None),
]


def reports_of_project(context: dg.ComponentLoadContext) -> Reports:
    """Every report of a project. Raises ConfigError where FB_REPORTS is not a folder."""
    environ = dict(os.environ)
    files, components = own_files(environ), [*component_files(context.defs_module_path)]
    every = [*files, *components]
    stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in every)
    return _read(len(files), stamps, tuple(sorted(environ.items())))


@lru_cache(maxsize=2)
def _read(
    files: int, stamps: tuple[tuple[Path, int, int], ...], environ: tuple[tuple[str, str], ...]
) -> Reports:
    """Once for all components of a project, as long as no file changes: the first `files` are in
    the folder of reports, the others components.
    """
    paths: Sequence[Any] = [path for path, _, _ in stamps]
    known = dict(environ)
    return read_reports(
        paths[:files], preset_files(), store_of(known), components=paths[files:], environ=known
    )


def file_of(context: dg.ComponentLoadContext) -> Path:
    """The file that a component is defined in."""
    path = context.path
    return (component_file(path) or path) if path.is_dir() else path


def known_keys(model: type[BaseModel], of: type[Placed]) -> type[BaseModel]:
    """The keys of a component with their descriptions: Dagster drops those of keys with a
    default.
    """
    for name, key in model.model_fields.items():
        key.description = of.model_fields[name].description
    model.model_rebuild(force=True)
    return model


def require_sound(
    spec: ReportSpec | ObjectSpec, path: Path, reports: Reports, noun: str
) -> Sequence[Problem]:
    """What is doubtful about a spec that Dagster has read. Raises ConfigError with everything that
    is wrong, with file and line.
    """
    problems = [*problems_of(spec, path)]
    if broken := reports.broken.get(spec.name):  # next to others, or in this lake
        problems += [
            one
            for one in broken.problems
            if one.path.resolve() == path.resolve()
            and str(one.fault) not in {str(known.fault) for known in problems}
            and "{{" not in one.fault.value  # Dagster has read that template
        ]
    if any(not one.fault.is_warning for one in problems):
        raise ConfigError(f"The {noun} {spec.name} cannot be loaded:\n{Broken(problems)}")
    return problems


def warn_of_unread(where: str, noun: str) -> None:
    """Warn of a component that only Dagster can read."""
    _log.warning(
        "%s: this %s cannot be read without Dagster, so refreshes and the command line do"
        " not know it: write it in a defs.yaml, and values as they are or as {{ env.NAME }}.",
        *(where, noun),
    )
