"""Where the files of a lake lie: the few things that a lake asks of a folder or of a bucket.

`folder.Folder` and `bucket.Bucket` are the two there are; the same tests hold both to this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["Found", "Store"]

In = TypeVar("In")
Out = TypeVar("Out")


class Found(NamedTuple):
    """A file that is there. One that takes its place has another `stamp`."""

    key: str
    stamp: str


class Store(Protocol):
    """The files of one lake. A key names one, such as ``ads/account_id=11/data.parquet``.

    Whoever reads sees a file whole, the old one or the new one, however its writer ends. All of it
    is safe from any thread. Errors are OSError: they name the file and say what to do.
    """

    @property
    def root(self) -> Path:
        """The folder on this machine: of the lake itself or, where that lies elsewhere, of what
        stays here: what is being written, the published file, the limits.
        """

    @property
    def duckdb_root(self) -> Path | None:
        """Where DuckDB reads the lake's files by itself; None if it cannot."""

    def name(self, key: str = "") -> str:
        """A file, or the whole, as messages and links name it."""

    def demand_writable(self) -> None:
        """Raise OSError or WarehouseError where nothing can be put, or not safely."""

    def find(self, pattern: str) -> Sequence[Found]:
        """Files whose keys match, by key. ``*`` and ``?`` stand for anything but ``/``."""

    def open(self, key: str, *, footer_only: bool = False) -> Path | pa.NativeFile:
        """What `pyarrow.parquet.ParquetFile` reads, one version of the file whatever becomes of it.

        `footer_only`: no rows are wanted. Raises FileNotFoundError, a path later than the rest.
        """

    def read(self, key: str) -> bytes:
        """All of a small file. Raises FileNotFoundError."""

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        """Put the file that `write` names, one of this machine, into its place at once, for good.

        Nothing of anybody else's comes between what `write` reads of `key` and that. Where others
        cannot be held up, `write` is called again after one of them was faster. If it gives None or
        raises, what is there stays. The file that it names is gone afterwards.
        """

    def note(self, key: str, text: str) -> None:
        """Put a small text in its place at once, whatever is there. The disk is not waited for: a
        power cut may leave the old text there, or an empty file.
        """

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""

    def freeze(self, wanted: Sequence[tuple[str, Path]]) -> Sequence[str | None]:
        """Put files, as they are now, at paths on this machine; their stamps, None if gone."""

    def share(self, key: str, path: Path) -> None:
        """Put a file of this machine beside the lake, unless that is on this machine itself."""

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        """Do the same with each, several at a time where waiting is most of it; in their order."""
