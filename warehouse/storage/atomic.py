"""Atomic replacement: a reader sees the old file or the new one, whenever the power fails."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from warehouse.errors import NotAFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "STAGING",
    "copy",
    "fullest",
    "locked",
    "nearest",
    "put",
    "remove",
    "scratch_folder",
    "sync_folder",
]

#: Where files are written before they are moved into place: under the root, so that a rename is
#: enough, and behind a dot, so that no glob and no reader of a hive layout takes them for data.
STAGING: Final = ".staging"

#: `copy_file_range` is not for these two files, or this file system has none.
RANGELESS: Final = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})

COPY_BYTES: Final = 1_048_576


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is created if missing; wait while another holds it.

    The lock is the kernel's, on the folder itself: it leaves no file behind, and ends when its
    holder is killed. Threads exclude each other as processes do.
    """
    _make(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Yield a private folder to write in, which is removed at the end.

    Its owner holds its lock. The folder of a killed process has lost its lock, and is removed by
    the next process that comes here.
    """
    top = root / STAGING
    own = top / uuid4().hex
    with locked(top):
        for other in top.iterdir():
            _remove_if_abandoned(other)
        own.mkdir()
        descriptor = os.open(own, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove whatever has this name, if anything does."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def copy(source: Path, target: Path) -> None:
    """Copy a file to a new one, which is on disk afterwards. Where the file system can (XFS,
    btrfs), the two share their blocks until one changes: that takes neither time nor space.
    """
    with source.open("rb") as old, target.open("xb") as new:
        if not _copy_range(old.fileno(), new.fileno()):
            shutil.copyfileobj(old, new, COPY_BYTES)
            new.flush()
        os.fsync(new.fileno())


def _copy_range(old: int, new: int) -> bool:
    """Let the kernel copy a file; False, with nothing done, if it cannot."""
    left = size = os.fstat(old).st_size
    try:
        while left and (done := os.copy_file_range(old, new, left)):
            left -= done
    except AttributeError:  # macOS
        return False
    except OSError as error:
        if left < size or error.errno not in RANGELESS:
            raise
        return False
    return left < size


def put(written: Path, path: Path) -> None:
    """Move a finished file that is on disk into place; survives a power cut.

    A folder of the lake may be on a disk of its own: there a rename needs a copy first.
    """
    try:
        written.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = path.with_name(f".{path.name}.unfinished")
        remove(near)  # of a process that was killed
        try:
            copy(written, near)
            near.replace(path)
        except BaseException:  # a full disk is not to stay full of it
            remove(near)
            raise
        written.unlink()
    sync_folder(path.parent)


def nearest(path: Path) -> Path:
    """The path itself if it exists, else the nearest folder above that does."""
    return next(found for found in (path, *path.parents) if found.exists())


def fullest(*folders: Path) -> Path:
    """Of folders that may be on several disks, the one whose disk has the least space, and the
    first of one disk. Raises OSError.
    """
    return min(map(nearest, folders), key=lambda folder: shutil.disk_usage(folder).free)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_abandoned(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # its owner has just finished
        return
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _make(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        found = nearest(folder)
        raise NotAFolderError(str(found)) from None
    for path in missing:
        sync_folder(path.parent)
