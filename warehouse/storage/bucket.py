"""A lake in a bucket of S3, of Google Cloud Storage or of Azure, by conditional writes.

It relies on this and no more: a PUT is whole or not at all, reads and listings see it at once, and
a PUT may depend on the existing object, on its ETag or its generation. There is no rename and no
lock. Sources: Amazon S3 user guide, "Data consistency model" and "Conditional writes"; Cloud
Storage, "Consistency" and "Request preconditions"; Azure Blob Storage, "Conditional headers".

An object is written by one PUT, so a writer that dies leaves nothing half done. That is why obstore
is used and not `pyarrow.fs`, which has no conditional writes, shows no ETags in listings, and
completes the upload of a file whose writer has failed.
"""

from __future__ import annotations

import fnmatch
import logging
import mmap
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

import obstore
import pyarrow as pa
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    InvalidPathError,
    NotSupportedError,
    PreconditionError,
)

from warehouse.errors import BucketError, InaccessibleError, WarehouseError
from warehouse.storage.atomic import scratch_folder
from warehouse.storage.bucket_errors import DENIED, NO_BUCKET, explain
from warehouse.storage.clouds import client
from warehouse.storage.local import Folder
from warehouse.storage.retry import WRITES, replacing
from warehouse.storage.store import Found, StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from obstore import GetResult, ObjectMeta, UpdateVersion

    from warehouse.storage.clouds import Client

__all__ = ["FOOTER_BYTES", "MEMORY_BYTES", "Bucket", "log_how_published"]

_log = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")

#: Requests at once, where waiting for the store is most of the time.
THREADS: Final = 16

#: Bytes to request where only a footer is needed. A quiet account-day is smaller.
FOOTER_BYTES: Final = 262_144

#: An object up to this size is read into memory, a larger one onto the disk.
MEMORY_BYTES: Final = 8_000_000

#: The most that one PUT may send to S3 and Azure; and a part of what is larger.
PUT_BYTES: Final = 5_000_000_000
PART_BYTES: Final = 100_000_000

#: Metadata of the shared file: which file of this machine it is. A name that Azure takes.
MADE: Final = "fbinsightsmade"

READING: Final = {"read", "listed"}


class Bucket:
    """The objects of a bucket below a prefix; see `store.Store`. `root` is this machine's part."""

    def __init__(self, bucket: str, prefix: str, root: Path, scheme: str = "s3") -> None:
        self._here = Folder(root)
        self.root = self._here.root
        self.duckdb_root: Path | None = None  # its wheel has no httpfs
        self._scheme = scheme
        self._bucket = bucket
        self._prefix = prefix

    def _client(self, size: int = 0) -> Client:
        return client(self._scheme, self._bucket, self._prefix, patient=size > MEMORY_BYTES)

    def name(self, key: str = "") -> str:
        parts = (self._bucket, self._prefix, key)
        return f"{self._scheme}://{'/'.join(filter(None, parts))}"

    def require_writable(self) -> None:
        self._here.require_writable()
        key = f".probe/{uuid4().hex}"
        self._put(key, b"first", None)
        try:
            if self._put(key, b"second", None):
                raise WarehouseError(
                    f"{self.name()} does not support conditional writes: in spite of If-None-Match "
                    "it replaced an existing object. Two loads at once could undo each other's "
                    "work: use a store that supports them, as S3 does"
                )
            self.read(key)
            self.find(".probe/*")
        finally:
            self.delete(key)

    def find(self, pattern: str) -> Sequence[StoredFile]:
        return self.scan(pattern).all()

    def scan(self, pattern: str) -> Found:
        plain = re.split(r"[*?]", pattern, maxsplit=1)[0]
        above = plain.rpartition("/")[0]
        found = Found([], {})
        try:
            for entry in self._listed(above) if plain != pattern else self._head(pattern):
                if _matches(entry["path"], pattern):
                    found.files.append(StoredFile(entry["path"], _stamp(entry)))
        except InaccessibleError as error:
            found.unreadable[above] = error
        found.files.sort()
        return found

    def scan_folders(self, pattern: str) -> Iterator[Found]:
        # One listing has all, a thousand objects in each response. It comes in the order of keys.
        plain = re.split(r"[*?]", pattern, maxsplit=1)[0]
        above = plain.rpartition("/")[0]
        depth = above.count("/") + 2 if above else 1
        try:
            for _, entries in groupby(
                (one for one in self._listed(above) if _matches(one["path"], pattern)),
                lambda entry: entry["path"].split("/")[:depth],
            ):
                yield Found(sorted(StoredFile(one["path"], _stamp(one)) for one in entries), {})
        except InaccessibleError as error:
            yield Found([], {above: error})

    def _listed(self, above: str) -> Iterator[ObjectMeta]:
        with self._explained(above, "listed"):
            for chunk in obstore.list(self._client(), above or None, chunk_size=1000):
                yield from chunk

    def _head(self, key: str) -> Sequence[ObjectMeta]:
        """What is known of an object, in a list; without it, none."""
        try:
            with self._explained(key, "read"):
                return [obstore.head(self._client(), key)]
        except FileNotFoundError:
            return []

    def stamps(self, keys: Iterable[str]) -> Mapping[str, str]:
        # A thousand in each response, and those of an account are next to each other.
        wanted = frozenset(keys)
        folders = sorted({key.rsplit("/", 2)[0] for key in wanted})
        found = self.each(lambda folder: self.scan(f"{folder}/*/*").files, folders)
        return {one.key: one.stamp for files in found for one in files if one.key in wanted}

    def open(self, key: str, *, footer_only: bool = False) -> pa.NativeFile:
        if footer_only and (end := self._end(key)):
            return end
        return self._get(key, self._whole)

    def _end(self, key: str) -> pa.NativeFile | None:
        """The end of a Parquet file, if its footer is in it."""
        with self._explained(key, "read"), suppress(_NoRangeError):
            size, end = _tail(self._client(), key)
            # It ends with its footer, the footer's size in 4 bytes and 4 bytes of magic.
            if len(end) == size or int.from_bytes(end[-8:-4], "little") + 8 <= len(end):
                return pa.BufferReader(pa.py_buffer(end))
        return None

    def _whole(self, response: GetResult) -> pa.NativeFile:
        if response.meta["size"] <= MEMORY_BYTES:
            return pa.BufferReader(pa.py_buffer(response.bytes()))
        with scratch_folder(self.root) as folder:
            path = folder / "object"
            _write(response, path)
            return pa.OSFile(str(path))  # it outlives its name

    def read(self, key: str) -> bytes:
        return self._get(key, lambda response: bytes(response.bytes()))

    def _get(self, key: str, take: Callable[[GetResult], Out]) -> Out:
        """Read an object, all of it from one version."""
        with self._explained(key, "read"):
            return take(obstore.get(self._client(), key))

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        def give_up() -> Exception:
            reason = f"{self.name(key)}: other writers replaced it {WRITES} times meanwhile"
            return BucketError(reason, "retry later")

        replacing(give_up)(self._replaced, key, write)

    def _replaced(self, key: str, write: Callable[[], Path | None]) -> bool:
        """Replace an object once; False where another writer was faster."""
        # Whatever is read afterwards is of this version, or else the condition does not hold.
        version = next(map(_version, self._head(key)), None)
        written = write()
        if written is None:
            return True
        with _mapped(written) as content:
            is_done = self._put(key, content, version)
        if is_done:
            written.unlink()
        return is_done

    def _put(self, key: str, body: bytes | mmap.mmap, version: UpdateVersion | None) -> bool:
        """Write an object if the current one still is of `version`; whether it did."""
        with self._explained(key, "written"):
            try:
                obstore.put(self._client(len(body)), key, body, mode=version or "create")
            except (AlreadyExistsError, PreconditionError):
                return False
            except FileNotFoundError as error:  # what was to be replaced is gone
                if version is None or explain(error, self._scheme).code in NO_BUCKET:
                    raise
                return False
            except GenericError as error:  # another writer, at the same moment
                if explain(error, self._scheme).kind != "conflict":
                    raise
                return False
        return True

    def note(self, key: str, text: str) -> None:
        with self._explained(key, "written"):
            obstore.put(self._client(), key, text.encode(), use_multipart=False)

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError), self._explained(key, "deleted"):
            obstore.delete(self._client(), key)

    def freeze(
        self, wanted: Sequence[tuple[str, Path]]
    ) -> Sequence[str | InaccessibleError | None]:
        if wanted:
            log_how_published()
        return self.each(lambda item: self._copy(*item), wanted)

    def _copy(self, key: str, path: Path) -> str | InaccessibleError | None:
        path.parent.mkdir(exist_ok=True, parents=True)

        def take(response: GetResult) -> str:
            _write(response, path)
            return _stamp(response.meta)

        try:
            return self._get(key, take)
        except FileNotFoundError:
            return None
        except InaccessibleError as error:
            return error

    def set_aside(self, key: str, under: str) -> str:
        target = f"{under}/{key}"
        with self._explained(key, "moved"):
            obstore.copy(self._client(), key, target)
        self.delete(key)
        return self.name(target)

    def share(self, key: str, path: Path, pause: timedelta = timedelta()) -> None:
        """Upload a file that may be large, unless that has been done, or another was made less than
        a pause before it.
        """
        stat = path.stat()
        made: dict[str, Any] = {MADE: f"{stat.st_mtime_ns}-{stat.st_size}"}
        try:
            with self._explained(key, "read"):
                there = obstore.get(self._client(), key, options={"head": True}).attributes
        except FileNotFoundError:
            there = {}
        known = str(there.get(MADE) or "")
        if known == made[MADE] or _is_within(pause, known, stat.st_mtime_ns):
            return
        is_large = stat.st_size > PUT_BYTES
        with self._explained(key, "written"), _mapped(path) as content:
            obstore.put(
                self._client(stat.st_size),
                key,
                content,
                attributes=made,
                use_multipart=is_large,
                chunk_size=PART_BYTES,
            )

    def shared(self, key: str, path: Path) -> bool:
        return isinstance(self._copy(key, path), str)

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="bucket") as pool:
            return list(pool.map(do, items))

    @contextmanager
    def _explained(self, key: str, done: str) -> Iterator[None]:
        """Raise errors that name the object, the operation and what to do."""
        try:
            yield
        except FileNotFoundError as error:
            if error.errno is not None:  # a file of this machine
                raise
            refusal = explain(error, self._scheme)
            if refusal.code not in NO_BUCKET and done != "written":
                raise FileNotFoundError(f"{self.name(key)} does not exist") from None
            raise self._refused(key, done, refusal.message, refusal.advice) from None
        except InvalidPathError as error:
            why = explain(error, self._scheme).message
            advice = "delete the object that has this key, or give it another one"
            raise InaccessibleError(self.name(key), why, advice) from None
        except BaseError as error:
            refusal = explain(error, self._scheme)
            if refusal.kind in DENIED and done in READING:
                where = self.name(key)
                raise InaccessibleError(where, refusal.message, refusal.advice) from None
            # Not `from error`: its text may hold credentials.
            raise self._refused(key, done, refusal.message, refusal.advice) from None

    def _refused(self, key: str, done: str, message: str, advice: str) -> BucketError:
        return BucketError(f"{self.name(key)} could not be {done}: {message}", advice)


@cache
def log_how_published() -> None:
    """Log how a lake in a bucket is published, the first time that this process does."""
    _log.info(
        "DuckDB's wheel cannot read buckets (it has no httpfs): files that changed in the lake are"
        " copied to this machine and published from here."
    )


class _NoRangeError(Exception):
    """The end of an object cannot be read alone: it is empty, or was replaced meanwhile."""


def _tail(store: Client, key: str) -> tuple[int, bytes]:
    """The size of an object, and its last bytes, of one version."""
    try:
        response = obstore.get(store, key, options={"range": {"suffix": FOOTER_BYTES}})
    except NotSupportedError:  # Azure's ranges have a beginning
        size, tag = (found := obstore.head(store, key))["size"], found["e_tag"]
        begin = max(size - FOOTER_BYTES, 0)
        try:
            response = obstore.get(store, key, options={"range": (begin, size), "if_match": tag})
        except (PreconditionError, GenericError) as error:
            raise _NoRangeError from error
    except GenericError as error:
        if "416" not in str(error).partition("\n")[0]:
            raise
        raise _NoRangeError from error
    return response.meta["size"], bytes(response.bytes())


def _write(response: GetResult, path: Path) -> None:
    with path.open("wb") as file:
        for chunk in response:
            file.write(chunk)


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    """A file as bytes, which stay on the disk until they are sent."""
    if not path.stat().st_size:
        yield b""
        return
    with path.open("rb") as file:
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _is_within(pause: timedelta, known: str, made_ns: int) -> bool:
    """Whether what is there, by its metadata, was made less than a pause before. What another
    machine made later, by its own clock, was not.
    """
    at = known.partition("-")[0]
    passed = made_ns - int(at) if at.isdecimal() else -1
    return 0 <= passed < pause.total_seconds() * 1e9


def _stamp(entry: ObjectMeta) -> str:
    """Azure has its ETags in quotes in one place and without them in another."""
    return str(entry["e_tag"]).strip('"')


def _version(entry: ObjectMeta) -> UpdateVersion:
    """What a condition names: the ETag and, at Google, the generation."""
    known: Mapping[str, Any] = {name: entry.get(name) for name in ("e_tag", "version")}
    return {name: value for name, value in known.items() if value}  # type: ignore[return-value]


def _matches(key: str, pattern: str) -> bool:
    """Part by part, because the * of fnmatch matches slashes too."""
    parts, wanted = key.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
