"""A project folder: all that a user of an installed fbinsights has, made by `fbinsights init`.

Its files come from `templates`, each under the path that it has there, and are the user's from then
on: nothing writes over one. The checkout is such a folder too.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.errors import ConfigError
from pipelines.project.env_file import env_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ENV_FILE", "TEMPLATES", "Completed", "complete", "contents", "unignored"]

TEMPLATES: Final = Path(__file__).parent / "templates"

#: Holds the token: only its owner may read it.
ENV_FILE: Final = ".env"

#: Templates whose names would mean something to git, pip or a reader where they lie.
_RENAMED: Final = {"gitignore": ".gitignore"}

_IGNORED: Final = ".gitignore"


@dataclass(frozen=True, slots=True)
class Completed:
    """What was done about each file: `made`, or `kept` because it was there."""

    made: Sequence[str]
    kept: Sequence[str]


def contents(database_password: str = "") -> Mapping[str, str]:
    """Relative path → text, of each file of a new project folder. The password is for the database
    of compose.yaml.
    """
    files = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
    found = {ENV_FILE: env_text(database_password=database_password)}
    for path in files:
        name = path.relative_to(TEMPLATES).as_posix()
        found[_RENAMED.get(name, name)] = path.read_text(encoding="utf-8")
    return found


def complete(folder: Path, wanted: Mapping[str, str]) -> Completed:
    """Write the files that a folder lacks of those `wanted`: relative path → text. Raises OSError,
    and ConfigError where a file is in the place of a folder; what was written before it stays.
    """
    made, kept = [], []
    for name, text in wanted.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ConfigError(
                f"{error.filename} is not a folder, and {name} belongs into one of this name. Move"
                " it away, then run the command again."
            ) from None
        mode = 0o600 if name == ENV_FILE else 0o666
        try:
            _create(path, text, mode)
        except FileExistsError:
            kept.append(name)
        else:
            made.append(name)
    return Completed(made, kept)


def _create(path: Path, text: str, mode: int) -> None:
    """Write a file that is not there, whole or not at all. Raises FileExistsError, for a link that
    leads nowhere too.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
            file.write(text)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def unignored(folder: Path) -> Sequence[str]:
    """The lines of our `.gitignore` that a folder's own lacks."""
    with suppress(OSError, UnicodeDecodeError):
        theirs = ignored_by((folder / _IGNORED).read_text(encoding="utf-8"))
        return [line for line in ignored_by(contents()[_IGNORED]) if line not in theirs]
    return ()


def ignored_by(text: str) -> Sequence[str]:
    """The patterns of a `.gitignore`, without slashes at their ends: `data` ignores more than
    `data/` does.
    """
    lines = (line.strip() for line in text.splitlines())
    return [line.strip("/") for line in lines if line and not line.startswith("#")]
