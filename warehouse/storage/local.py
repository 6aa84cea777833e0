"""A lake in a folder of this machine: renames are atomic, locks are the kernel's."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from warehouse.errors import WarehouseError
from warehouse.storage.atomic import STAGING, locked, put
from warehouse.storage.store import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

__all__ = ["Folder", "usable"]

In = TypeVar("In")
Out = TypeVar("Out")


def usable(path: Path) -> Path:
    r"""A folder that a warehouse can be in, whether it exists or not. Raises WarehouseError for a
    name with ``?`` or ``\``, for which DuckDB opens another file, and for a folder below a file.
    """
    root = path.expanduser().resolve()
    if {"?", "\\"} & {*str(root)}:
        raise WarehouseError(
            rf"{root} cannot be the warehouse: DuckDB cannot open files below a folder with ? or \ "
            "in its name. Rename the folder or set WAREHOUSE_URL to another one"
        )
    if not (nearest := _nearest(root)).is_dir():
        raise WarehouseError(
            f"{root} cannot be the warehouse: {nearest} is a file. Set WAREHOUSE_URL to a folder"
        )
    return root


def _nearest(path: Path) -> Path:
    """The path itself if it exists, else the nearest folder above that does."""
    return next(found for found in (path, *path.parents) if found.exists())


class Folder:
    """The files below `root`; see `store.Store`."""

    def __init__(self, root: Path) -> None:
        self.root = usable(root)
        self.duckdb_root: Path | None = self.root

    def name(self, key: str = "") -> str:
        return str(self.root / key)

    def require_writable(self) -> None:
        if not os.access(nearest := _nearest(self.root), os.W_OK | os.X_OK):
            raise WarehouseError(
                f"Cannot write to {nearest}: fix its permissions or set WAREHOUSE_URL to another "
                "folder"
            )

    def find(self, pattern: str) -> Sequence[StoredFile]:
        # A glob lists every folder on its way; those without a wildcard need no listing.
        parts = pattern.split("/")
        plain = next((n for n, part in enumerate(parts) if {"*", "?"} & {*part}), len(parts) - 1)
        top = self.root.joinpath(*parts[:plain])
        start = len(str(self.root / "x")) - 1
        found = []
        for path in sorted(top.glob("/".join(parts[plain:]))):
            with suppress(FileNotFoundError):
                found.append(StoredFile(str(path)[start:], _stamp(path)))
        return found

    def open(self, key: str, *, footer_only: bool = False) -> Path:  # noqa: ARG002  the disk is near
        return self.root / key

    def read(self, key: str) -> bytes:
        return (self.root / key).read_bytes()

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        path = self.root / key
        with locked(path.parent):
            written = write()
            if written is not None:
                put(written, path)

    def note(self, key: str, text: str) -> None:
        # This does not wait for the disk: that takes tens of milliseconds under load.
        path, aside = self.root / key, self.root / STAGING
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(aside):  # so one name is enough, and what a killed process leaves is reused
            written = aside / "note.unfinished"
            written.write_text(text, encoding="utf-8")
            written.replace(path)

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def freeze(self, wanted: Sequence[tuple[str, Path]]) -> Sequence[str | None]:
        return [self._link(key, path) for key, path in wanted]

    def _link(self, key: str, path: Path) -> str | None:
        """A hard link keeps a file as it is when another replaces it."""
        path.parent.mkdir(exist_ok=True, parents=True)
        with suppress(FileNotFoundError):
            path.hardlink_to(self.root / key)
            return _stamp(path)
        return None

    def share(self, key: str, path: Path) -> None:
        """It is on this machine already."""

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        return [do(item) for item in items]


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_ino}-{stat.st_mtime_ns}-{stat.st_size}"
