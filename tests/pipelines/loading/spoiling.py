"""Ways in which a file of a lake goes bad, and somebody whom permissions stop."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet

__all__ = [
    "CLOSED",
    "DANGLING",
    "LOST",
    "SPOILED",
    "each_in_turn",
    "give_away",
    "nobody",
    "put_back",
    "spoil",
]

NOBODY: Final = 65534

GONE: Final = "on a disk that is not mounted"


def _write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / GONE)


#: What was in it is lost.
LOST: Final[Mapping[str, Callable[[Path], object]]] = {
    "truncated": _truncate,
    "garbage": _write(b"garbage" * 100),
    "empty": _write(b""),
    "a folder": _folder,
}

CLOSED: Final = "closed"
DANGLING: Final = "a dangling link"

SPOILED: Final[Mapping[str, Callable[[Path], object]]] = {
    **LOST,
    CLOSED: lambda path: path.chmod(0),
    DANGLING: _dangle,
}


def each_in_turn(kinds: Iterable[str], ways: Iterable[str]) -> list[ParameterSet]:
    """Every kind in every way; those are slow beyond a few in which each of both has its turn."""
    kinds, ways = [*kinds], [*ways]
    most = max(len(kinds), len(ways))
    first = {(kinds[n % len(kinds)], ways[n % len(ways)]) for n in range(most)}
    return [
        pytest.param(kind, way, marks=() if (kind, way) in first else pytest.mark.slow)
        for kind in kinds
        for way in ways
    ]


def spoil(path: Path, way: str) -> None:
    if way != DANGLING and path.is_symlink():
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    if way in LOST and path.exists():
        path.chmod(0o644)
    SPOILED[way](path)
    give_away(path)


def give_away(path: Path) -> None:
    """To nobody, so that the process may become nobody and own it."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def put_back(pristine: Path, root: Path) -> None:
    """The lake as it was before."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(pristine, root, symlinks=True)
    for path in (root, *root.rglob("*")):
        give_away(path)


@contextmanager
def nobody() -> Iterator[None]:
    """Whoever runs the tests, inside permissions count."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(0)
