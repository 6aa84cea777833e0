"""`Store`: the few operations that a lake needs of a folder or a bucket.

`local.Folder` and `s3.Bucket` implement it; the same tests hold both to it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from warehouse.errors import InaccessibleError

__all__ = ["Found", "Store", "StoredFile"]

In = TypeVar("In")
Out = TypeVar("Out")


class StoredFile(NamedTuple):
    """A file of the store. One that replaces it has another `stamp`."""

    key: str
    stamp: str


class Found(NamedTuple):
    """Files that were found, by key. `unreadable`: each key that may be a file, or a folder of
    files, and cannot be read → the error that says so. What is below it is not gone.
    """

    files: list[StoredFile]
    unreadable: dict[str, InaccessibleError]

    def all(self) -> Sequence[StoredFile]:
        """The files, if there can be no others. Raises InaccessibleError."""
        for error in self.unreadable.values():
            raise error
        return self.files


class Store(Protocol):
    """The files of one lake. A key names one, such as ``ads/account_id=11/data.parquet``.

    A reader sees a whole file, the old one or the new one, however its writer ends. Every method is
    safe from any thread. Errors are OSError: they name the file and say what to do.
    """

    @property
    def root(self) -> Path:
        """The folder on this machine: of the lake itself or, where that is elsewhere, of the files
        that stay here: unfinished ones, the published file, the limits.
        """

    @property
    def duckdb_root(self) -> Path | None:
        """Where DuckDB reads the lake's files by itself; None if it cannot."""

    def name(self, key: str = "") -> str:
        """A file, or the whole store, as messages and links name it."""

    def require_writable(self) -> None:
        """Raise OSError or WarehouseError if files cannot be written, or not safely."""

    def find(self, pattern: str) -> Sequence[StoredFile]:
        """Files whose keys match, by key. ``*`` and ``?`` match anything but ``/``. Raises
        InaccessibleError where a folder that may have some cannot be read.
        """

    def scan(self, pattern: str) -> Found:
        """As `find`; what cannot be read is named and costs nothing else."""

    def scan_folders(self, pattern: str) -> Iterator[Found]:
        """As `scan`, in pieces: one for each folder that the first wildcard of the pattern matches,
        in their order.
        """

    def stamps(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Stamps of files, by key. What is not in it is not there, or has to be opened to find out
        what is wrong with it.
        """

    def open(self, key: str, *, footer_only: bool = False) -> Path | pa.NativeFile:
        """A source for `pyarrow.parquet.ParquetFile`: one version of the file, even if it is
        replaced meanwhile.

        `footer_only`: rows are not needed. Raises FileNotFoundError, which a path may also raise
        when it is read, and InaccessibleError.
        """

    def read(self, key: str) -> bytes:
        """All of a small file. Raises FileNotFoundError and InaccessibleError."""

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        """Atomically replace a file by the one that `write` returns, a path on this machine.

        No other writer comes between what `write` reads of `key` and the replacement. Where others
        cannot be locked out, `write` is called again if one of them was faster. If it returns None
        or raises, the old file stays. The returned path is gone afterwards.
        """

    def note(self, key: str, text: str) -> None:
        """Atomically replace a small text. This does not wait for the disk: a power cut may leave
        the old text, or an empty file.
        """

    def delete(self, key: str) -> None:
        """Remove a file, if it exists."""

    def freeze(
        self, wanted: Sequence[tuple[str, Path]]
    ) -> Sequence[str | InaccessibleError | None]:
        """Copy files as they are now to paths on this machine; their stamps, None if gone, or why
        one cannot be read.
        """

    def set_aside(self, key: str, under: str) -> str:
        """Move a file below the folder `under`; the name that messages give it there."""

    def share(self, key: str, path: Path, pause: timedelta = timedelta()) -> None:
        """Copy a file of this machine next to the lake, unless the lake is on this machine, or what
        is there was shared less than a pause before this file was made.
        """

    def shared(self, key: str, path: Path) -> bool:
        """Copy what was shared to a path on this machine; whether there is any that can be read."""

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        """Apply `do` to each, several at a time where most of it is waiting; results in order."""
