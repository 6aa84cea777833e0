"""A Dagster project of somebody: where its components are, and which files of it Dagster reads.

The same rules as Dagster's own (`dagster.components`, `dg`), read without importing Dagster or the
project.
"""

from __future__ import annotations

import logging
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pipelines.reports.yaml_reader import UnreadableFileError, documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["component_file", "component_files", "definitions_around"]

_log = logging.getLogger(__name__)

#: File of settings → the keys that lead to a project's part. Source: docs.dagster.io, dg
#: configuration.
_SETTINGS: Final = {"dg.toml": ("project",), "pyproject.toml": ("tool", "dg", "project")}

#: In each folder Dagster reads the first of these that exists.
_FILES: Final = ("defs.yaml", "defs.yml", "component.yaml")

#: Folders below one with such a file are read for this type alone.
_OF_FOLDERS: Final = "DefsFolderComponent"


def definitions_around(folder: Path) -> Path | None:
    """The folder of definitions of the Dagster project that a folder is in or is the root of; None
    if there is none.
    """
    here = folder.resolve()
    for root in (here, *here.parents):
        if any((root / name).is_file() for name in _SETTINGS) and (found := _definitions(root)):
            return found
    return None


def _definitions(root: Path) -> Path | None:
    """Those of the project in `root`; None if there is no project."""
    for name, path in _SETTINGS.items():
        if project := _part(root / name, path):
            module = project.get("defs_module") or f"{project.get('root_module', '')}.defs"
            source = root / "src" if (root / "src").is_dir() else root
            folder = source.joinpath(*str(module).split("."))
            if folder.is_dir():
                return folder
            _log.warning(
                "%s: the folder %s of the definitions of this Dagster project does not exist. Set"
                " FB_REPORTS to the folder with its components, if it has reports.",
                *(root / name, folder),
            )
            return None
    return None


def _part(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """A part of a TOML file; empty if there is none."""
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read: %s", path, error)
        return {}
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def component_files(folder: Path) -> Iterator[Path]:
    """The YAML files that Dagster reads in a folder of definitions, in order. Raises OSError."""
    file = component_file(folder)
    if file:
        yield file
        if not _has_folders(file):
            return
    for below in sorted(folder.iterdir()):
        if below.is_dir() and not below.name.startswith(".") and below.name != "__pycache__":
            yield from component_files(below)


def component_file(folder: Path) -> Path | None:
    """The YAML file that Dagster reads right in a folder, if there is one."""
    return next((folder / name for name in _FILES if (folder / name).is_file()), None)


def _has_folders(file: Path) -> bool:
    """Whether a component takes the folders below it as Dagster does without one."""
    try:
        return any(one.type.endswith(_OF_FOLDERS) for one in documents(file))
    except UnreadableFileError:
        return False
