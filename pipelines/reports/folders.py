"""The folders that reports are read from: the built-in presets, the user's own (`FB_REPORTS`), and,
until its files are moved, the folder of 0.1.0.
"""

from __future__ import annotations

import logging
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.reports.files import shown
from pipelines.reports.project import component_files, definitions_around
from pipelines.reports.yaml_files import yaml_files
from pipelines.settings import reports_folder
from pipelines.variables import REPORTS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "READY",
    "is_ready",
    "moves",
    "old_files",
    "own_components",
    "own_files",
    "preset_files",
    "projects",
    "reports_alone",
    "why_no_folder",
]

_log = logging.getLogger(__name__)

_ROOM: Final = Path(__file__).parent

#: The ready reports of `fbinsights add`: one per file, which is named after its report.
READY: Final = _ROOM.parent / "project" / "ready"

#: Where reports were until 0.1.0, in a checkout or below the working directory.
OLD: Final = Path("pipelines", "defs")


def _roots() -> Sequence[Path]:
    return Path.cwd(), _ROOM.parents[1]


def preset_files() -> Sequence[Path]:
    """The built-in reports: one per file, which is named after its report."""
    return sorted((_ROOM / "presets").glob("*.yaml"))


def is_ready(path: Path) -> bool:
    """Whether a file is a ready report that nobody has changed."""
    ready = READY / path.name
    try:
        return ready.read_bytes() == path.read_bytes()
    except OSError:
        return False


def projects(environ: Mapping[str, str]) -> Sequence[Path]:
    """The folders of definitions of Dagster projects: of the one that the working directory is in,
    and of one that FB_REPORTS names. Raises ConfigError if that is not a folder.
    """
    named = reports_folder(environ)
    found = [definitions_around(Path.cwd()), _project_of(named)]
    real = dict.fromkeys(folder.resolve() for folder in found if folder)
    old = {(root / OLD).resolve() for root in _roots()}
    return [folder for folder in real if folder not in old]


def _project_of(named: Path | None) -> Path | None:
    """The definitions of the project that a folder of reports is, or is part of. A Python package
    is one too, where nothing else says so.
    """
    if named is None:
        return None
    inside, found = named.resolve(), definitions_around(named)
    if found and (inside.is_relative_to(found) or found.is_relative_to(inside)):
        return found
    return inside if (inside / "__init__.py").is_file() else None


def reports_alone(environ: Mapping[str, str]) -> Path | None:
    """The folder that holds reports alone: what `reports_folder` says, unless it is a project's.
    Raises ConfigError.
    """
    folder = reports_folder(environ)
    return None if _project_of(folder) else folder


def why_no_folder(environ: Mapping[str, str]) -> str:
    """What to say if a file or a dead link is in the place of the folder of users' own reports, so
    that none is read; empty otherwise.
    """
    place = Path(REPORTS_FOLDER)
    if environ.get("FB_REPORTS", "").strip() or place.is_dir() or not os.path.lexists(place):
        return ""
    return (
        f"{REPORTS_FOLDER} is not a folder, so no reports of your own are read. Move it away and"
        " make a folder of that name, or set FB_REPORTS to the folder that has them."
    )


def own_components(environ: Mapping[str, str]) -> Sequence[Path]:
    """The files of components in those folders. Raises ConfigError."""
    return [path for folder in projects(environ) for path in component_files(folder)]


def own_files(environ: Mapping[str, str]) -> Sequence[Path]:
    """The files of reports alone and, with a warning, those not moved there yet. Warns too where a
    file is in the folder's place. Raises ConfigError if FB_REPORTS is not a folder.
    """
    folder = reports_alone(environ)
    if why := why_no_folder(environ):
        _log.warning(why)
    if old := old_files():
        _log.warning(
            "%s: reports now belong in the folder %s. These files are still read; move them"
            " with the commands that `fbinsights check` prints.",
            ", ".join(shown(path) for path in old),
            shown(folder or Path(REPORTS_FOLDER)),
        )
    return [*(yaml_files(folder) if folder else ()), *old]


def old_files() -> Sequence[Path]:
    """Each `defs.yaml` in the folder of 0.1.0."""
    folders = {(root / OLD).resolve() for root in _roots()}
    return [path for folder in sorted(folders) for path in sorted(folder.rglob("defs.yaml"))]


def moves(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Each file in the old folder, and the command that moves it."""
    folder = reports_folder(environ) or Path(REPORTS_FOLDER)
    make = "" if folder.is_dir() else f"mkdir -p {shlex.quote(shown(folder))} && "
    used = {path.name for path in yaml_files(folder)}
    for path in old_files():
        name = next(_free_names(path.parent.name, used))
        used.add(name)
        old, new = shlex.quote(shown(path)), shlex.quote(shown(folder / name))
        yield path, f"{make}mv {old} {new}"


def _free_names(stem: str, used: set[str]) -> Iterator[str]:
    """`stem.yaml`, or with a number if there is such a file already."""
    names = (f"{stem}{end}.yaml" for end in ("", *(f"_{n}" for n in range(2, len(used) + 3))))
    return (name for name in names if name not in used)
