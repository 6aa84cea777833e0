"""Replacing a file so that a reader sees the old one or the new one, whenever the power goes."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["locked", "replacing", "sync_folder"]

#: Ending of a file that is being written. Its name starts with a dot as well: no glob and no
#: reader of a hive layout takes it for data.
UNFINISHED: Final = ".unfinished"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, made if it is not there; wait for whoever has it.

    The lock is the kernel's and lies on the folder itself: it leaves no file behind, and goes
    when its holder is killed. Threads exclude each other as processes do.
    """
    _make(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write; when the block ends well it is at `path`, whole and on disk.

    Call it under the lock of the folder: what is unfinished there then belongs to a writer that
    was killed, and is removed.
    """
    for orphan in path.parent.glob(f".*{UNFINISHED}"):
        orphan.unlink()
    aside = path.parent / f".{uuid4().hex}{UNFINISHED}"
    try:
        with aside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:  # Ctrl-C too
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _make(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
