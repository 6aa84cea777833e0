"""What a project's components know of each other: all its reports, read as the command line reads
them, so that both have the same tables, names and keys.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from pipelines.reports.catalog import Reports, read_reports
from pipelines.reports.folders import own_files, preset_files
from pipelines.reports.project import component_file, component_files
from pipelines.settings import store_of

__all__ = ["KeyPrefix", "file_of", "reports_of_project"]

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
