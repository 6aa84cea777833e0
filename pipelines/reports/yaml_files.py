"""Which files of a folder are read as YAML, and which were perhaps meant to be."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["is_yaml", "unread_files", "yaml_files"]

#: How similar the ending of a name must be to one of YAML's to count as a typo of it.
_ALIKE: Final = 0.7


def yaml_files(folder: Path) -> Iterator[Path]:
    """The YAML files under a folder, in order, files that may be meant to be YAML, and folders that
    cannot be read.
    """
    unreadable: list[Path] = []
    for path in _files(folder, unreadable):
        if is_yaml(path.name) or _is_misnamed(path.name):
            yield path
    yield from unreadable


def unread_files(folder: Path) -> Sequence[Path]:
    """All other files under a folder: nobody took them for reports. A README is for people."""
    return [
        path
        for path in _files(folder, [])
        if not (is_yaml(path.name) or _is_misnamed(path.name) or path.stem == "README")
    ]


def _files(folder: Path, unreadable: list[Path]) -> Iterator[Path]:
    """Hidden files are left out: leftovers of editors, and the second copy of everything that
    Kubernetes mounts. Links to folders are followed, each folder is read once.
    """
    seen = set()
    for where, folders, names in os.walk(
        folder, onerror=lambda error: unreadable.append(Path(error.filename)), followlinks=True
    ):
        real = Path(where).resolve()
        is_known = real in seen
        seen.add(real)
        folders[:] = sorted(n for n in folders if not n.startswith(".") and not is_known)
        for name in sorted(names):
            if not name.startswith(".") and not is_known:
                yield Path(where, name)


def is_yaml(name: str) -> bool:
    """Whether a file is read, by its name."""
    return name.lower().endswith((".yaml", ".yml"))


def _is_misnamed(name: str) -> bool:
    """Whether a file was perhaps meant to be YAML: report.yaml.txt, report.ymal, report.yaml~."""
    endings = name.lower().split(".")[1:]
    return any(get_close_matches(end, ("yaml", "yml"), cutoff=_ALIKE) for end in endings)
