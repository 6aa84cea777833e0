"""A lake in a folder of this machine: renames are atomic, locks are the kernel's."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import stat
from datetime import timedelta
from fnmatch import translate
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

from warehouse.errors import InaccessibleError, NotAFileError, NotAFolderError, WarehouseError
from warehouse.storage.atomic import STAGING, locked, nearest, put
from warehouse.storage.store import Found, StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["ASIDE", "Folder", "make_way", "stamp_of", "usable"]

_log = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")

#: Where a folder is kept that was found where a file belongs, and a damaged file if what was in it
#: cannot be loaded again.
ASIDE: Final = ".damaged"

#: Errors of one file or folder. All others, such as a full disk or too many open files, are of the
#: machine.
LOCAL: Final = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE),
        *(errno.EISDIR, errno.ENXIO, errno.ENODEV),
    }
)

#: Hard links that a file system cannot make: between two of them, or at all.
LINKLESS: Final = frozenset({errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK})


def usable(path: Path) -> Path:
    r"""A folder that a warehouse can be in, whether it exists or not. Raises WarehouseError for a
    name with ``?`` or ``\``, for which DuckDB opens another file, and for a folder below a file.
    """
    root = path.expanduser().resolve()
    if {"?", "\\"} & {*str(root)}:
        raise WarehouseError(
            rf"{root} cannot be the warehouse: DuckDB cannot open files below a folder whose name "
            r"contains ? or \. Rename the folder or set WAREHOUSE_URL to another one"
        )
    if not (found := nearest(root)).is_dir():
        raise WarehouseError(
            f"{root} cannot be the warehouse: {found} is a file. Set WAREHOUSE_URL to a folder"
        )
    return root


class Folder:
    """The files below `root`; see `store.Store`."""

    def __init__(self, root: Path) -> None:
        self.root = usable(root)
        self.duckdb_root: Path | None = self.root
        self._prefix = f"{self.root}/"

    def name(self, key: str = "") -> str:
        return f"{self._prefix}{key}" if key else str(self.root)

    def require_writable(self) -> None:
        if not os.access(found := nearest(self.root), os.W_OK | os.X_OK):
            raise WarehouseError(
                f"Cannot write to {found}: fix its permissions or set WAREHOUSE_URL to another "
                "folder"
            )

    def find(self, pattern: str) -> Sequence[StoredFile]:
        return self.scan(pattern).all()

    def scan(self, pattern: str) -> Found:
        found, parts = Found([], {}), pattern.split("/")
        self._scan("", parts, found)
        return _without_strangers(found, parts)

    def scan_folders(self, pattern: str) -> Iterator[Found]:
        parts = pattern.split("/")
        if (n := _first_wild(parts)) >= len(parts) - 1:
            yield self.scan(pattern)
            return
        above, unlisted = "/".join(parts[:n]), Found([], {})
        for name in self._names(above, parts[n], unlisted):
            found = Found([], {})
            self._scan(f"{above}/{name}" if above else name, parts[n + 1 :], found)
            yield _without_strangers(found, parts)
        yield _without_strangers(unlisted, parts)

    def _scan(self, above: str, parts: Sequence[str], found: Found) -> None:
        """Look for the rest of a pattern, below a folder whose key is `above`."""
        n = _first_wild(parts)
        above = "/".join([*filter(None, [above]), *parts[:n]])
        if n == len(parts):
            self._stat(above, found)
            return
        rest = parts[n + 1 :]
        # Most files have a folder of their own, and a call for each of these takes its time.
        is_last = not any(map(_is_wild, rest))
        below = "".join(f"/{part}" for part in rest)
        for name in self._names(above, parts[n], found):
            key = f"{above}/{name}" if above else name
            if is_last:
                self._stat(f"{key}{below}", found)
            else:
                self._scan(key, rest, found)

    def _names(self, above: str, part: str, found: Found) -> Sequence[str]:
        """What is in a folder and matches."""
        matches = re.compile(translate(part)).match
        try:
            with os.scandir(self.root / above) as entries:
                return sorted(entry.name for entry in entries if matches(entry.name))
        except OSError as error:
            self._note(above, error, found)
            return ()

    def _stat(self, key: str, found: Found) -> None:
        try:
            # Of hundreds of thousands of files pathlib would take most of the time.
            entry = os.stat(f"{self._prefix}{key}")  # noqa: PTH116  as above
        except OSError as error:
            self._note(key, error, found)
            return
        if stat.S_ISREG(entry.st_mode):
            found.files.append(StoredFile(key, _stamp(entry)))
        else:
            found.unreadable[key] = NotAFileError(self.name(key))

    def _note(self, key: str, error: OSError, found: Found) -> None:
        """Keep why a key cannot be read. What is not there is just not found; but a link that leads
        nowhere, as to a disk that is not mounted, is there, and a file may be where a folder was.
        """
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            found.unreadable[key] = self._unreadable(key, error)
            return
        parts = key.split("/")
        for above in ("/".join(parts[:n]) for n in range(1, len(parts) + 1)):
            path = f"{self._prefix}{above}"  # as above: most of what is asked for may be missing
            if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114
                why = f"it is a link to {os.readlink(path)}, which is missing"  # noqa: PTH115
                found.unreadable[above] = InaccessibleError(self.name(above), why, "restore it")
                return
            if isinstance(error, NotADirectoryError) and os.path.isfile(path):  # noqa: PTH113
                found.unreadable[above] = NotAFolderError(self.name(above))
                return

    def _unreadable(self, key: str, error: OSError) -> InaccessibleError:
        """Raises the error itself if it is of the machine."""
        if error.errno not in LOCAL:
            raise error
        return InaccessibleError(self.name(key), str(error.strerror))

    def stamps(self, keys: Iterable[str]) -> Mapping[str, str]:
        found = Found([], {})
        for key in keys:
            self._stat(key, found)
        return dict(found.files)

    def open(self, key: str, *, footer_only: bool = False) -> Path:  # noqa: ARG002  the disk is near
        self._require_file(key)
        return self.root / key

    def read(self, key: str) -> bytes:
        self._require_file(key)
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._unreadable(key, error) from error

    def _require_file(self, key: str) -> None:
        """Raise InaccessibleError for what is there and is not a file: opening a pipe would wait
        for ever; and FileNotFoundError for what is missing.
        """
        found = Found([], {})
        self._stat(key, found)
        for error in found.unreadable.values():
            raise error
        if not found.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.name(key))

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        path = self.root / key
        with locked(path.parent):
            written = write()
            if written is not None:
                make_way(path, self.root)
                put(written, path)

    def note(self, key: str, text: str) -> None:
        # This does not wait for the disk: that takes tens of milliseconds under load.
        path, aside = self.root / key, self.root / STAGING
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(aside):  # so one name is enough, and what a killed process leaves is reused
            written = aside / "note.unfinished"
            written.write_text(text, encoding="utf-8")
            make_way(path, self.root)
            written.replace(path)

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def freeze(
        self, wanted: Sequence[tuple[str, Path]]
    ) -> Sequence[str | InaccessibleError | None]:
        for folder in {path.parent for _, path in wanted}:
            folder.mkdir(exist_ok=True, parents=True)
        return [self._frozen(key, path) for key, path in wanted]

    def _frozen(self, key: str, path: Path) -> str | InaccessibleError | None:
        try:
            return _linked(f"{self._prefix}{key}", path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return self._unreadable(key, error)

    def set_aside(self, key: str, under: str) -> str:
        target = f"{under}/{key}"
        (self.root / target).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).replace(self.root / target)
        return self.name(target)

    def share(self, key: str, path: Path, pause: timedelta = timedelta()) -> None:
        """It is on this machine already."""

    def shared(self, key: str, path: Path) -> bool:  # noqa: ARG002  as above
        return False

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        return [do(item) for item in items]


def _first_wild(parts: Sequence[str]) -> int:
    """Where a pattern has its first wildcard; its length if it has none."""
    return next((n for n, part in enumerate(parts) if _is_wild(part)), len(parts))


def _is_wild(part: str) -> bool:
    return "*" in part or "?" in part


def _without_strangers(found: Found, parts: Sequence[str]) -> Found:
    """A folder of any name may be a file that is nobody's business."""
    for key, error in [*found.unreadable.items()]:
        if isinstance(error, NotAFolderError) and parts[key.count("/")] == "*":
            del found.unreadable[key]
    return found


def make_way(path: Path, root: Path) -> None:
    """Move a folder aside that is where a file is about to be put. Whatever else is there, the file
    replaces.
    """
    if path.is_dir() and not path.is_symlink():
        aside = root / ASIDE / uuid4().hex / path.relative_to(root)
        aside.parent.mkdir(parents=True, exist_ok=True)
        path.rename(aside)
        _log.warning("%s was a folder where a file belongs. It is kept as %s.", path, aside)


def _linked(source: str, path: Path) -> str:
    """Keep a file as it is when another replaces it, by a hard link or else a copy; its stamp."""
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno not in LINKLESS:
            raise
        with Path(source).open("rb") as content, path.open("wb") as copy:
            shutil.copyfileobj(content, copy)
            return _stamp(os.fstat(content.fileno()))
    return _stamp(os.stat(path))  # noqa: PTH116  as in _stat


def stamp_of(path: Path) -> str:
    """The stamp of a file. Raises OSError."""
    return _stamp(path.stat())


def _stamp(entry: os.stat_result) -> str:
    return f"{entry.st_ino}-{entry.st_mtime_ns}-{entry.st_size}"
