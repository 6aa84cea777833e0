"""A lake in a bucket of S3, or of a compatible store, by conditional writes.

It relies on this and no more: a PUT is whole or not at all, reads and listings see it at once, and
a PUT may depend on the existing object (``If-Match``, ``If-None-Match``). There is no rename and
no lock. Source: Amazon S3 user guide, "Data consistency model" and "Conditional writes".

An object is written by one PUT (S3 takes 5 GB), so a writer that dies leaves nothing half done.
That is why boto3 is used and not `pyarrow.fs`, which has no conditional writes, shows no ETags in
listings, and completes the upload of a file whose writer has failed.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

import boto3
import pyarrow as pa
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from warehouse.errors import BucketError, InaccessibleError, WarehouseError
from warehouse.storage.atomic import scratch_folder
from warehouse.storage.local import Folder
from warehouse.storage.retry import REQUESTS, WRITES, reading, replacing
from warehouse.storage.s3_errors import explain
from warehouse.storage.store import Found, StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

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

#: An unfinished upload this old belongs to no running process.
ABANDONED: Final = timedelta(days=1)

#: Codes of S3 for a condition that does not hold. Source: S3 API reference, PutObject.
FASTER: Final = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}

GONE: Final = {"NoSuchKey", "404"}

#: Codes of an object or a prefix that these credentials may not see; and what a cold archive says.
DENIED: Final = {"AccessDenied", "403", "InvalidObjectState"}
READING: Final = {"read", "listed"}


class Bucket:
    """The objects of a bucket below a prefix; see `store.Store`. `root` is this machine's part."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        root: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._here = Folder(root)
        self.root = self._here.root
        self.duckdb_root: Path | None = None  # its wheel has no httpfs
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._now = now

    @property
    def _s3(self) -> Any:
        with self._explained("", "reached"):
            value = os.environ.get
            endpoint = value("AWS_ENDPOINT_URL_S3") or value("AWS_ENDPOINT_URL")
            return _client(
                value("AWS_REGION") or None, endpoint or None, value("AWS_MAX_ATTEMPTS") or None
            )

    def name(self, key: str = "") -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}".rstrip("/")

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
        found = Found([], {})
        try:
            for entry in self._listed(plain):
                key = str(entry["Key"]).removeprefix(self._prefix)
                if _matches(key, pattern):
                    found.files.append(StoredFile(key, str(entry["ETag"])))
        except InaccessibleError as error:
            found.unreadable[plain.rpartition("/")[0]] = error
        found.files.sort()
        return found

    def _listed(self, plain: str) -> Iterator[Mapping[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        with self._explained(plain, "listed"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + plain):
                yield from page.get("Contents", ())

    def open(self, key: str, *, footer_only: bool = False) -> pa.NativeFile:
        if footer_only:
            size, end = self._get(key, _end, Range=f"bytes=-{FOOTER_BYTES}")
            # A Parquet file ends with its footer, the footer's size in 4 bytes and 4 bytes of magic
            if len(end) == size or int.from_bytes(end[-8:-4], "little") + 8 <= len(end):
                return pa.BufferReader(end)
        return self._get(key, self._whole)

    def _whole(self, response: Mapping[str, Any]) -> pa.NativeFile:
        if response["ContentLength"] <= MEMORY_BYTES:
            return pa.BufferReader(response["Body"].read())
        with scratch_folder(self.root) as folder:
            path = folder / "object"
            with path.open("wb") as file:
                shutil.copyfileobj(response["Body"], file)
            return pa.OSFile(str(path))  # it outlives its name

    def read(self, key: str) -> bytes:
        text: bytes = self._get(key, lambda response: response["Body"].read())
        return text

    def _get(self, key: str, take: Callable[[Mapping[str, Any]], Out], **which: str) -> Out:
        """Read an object, all of it from one version."""
        with self._explained(key, "read"):
            return reading()(lambda: take(self._s3.get_object(**self._at(key), **which)))

    def replace(self, key: str, write: Callable[[], Path | None]) -> None:
        def give_up() -> Exception:
            reason = f"{self.name(key)}: other writers replaced it {WRITES} times meanwhile"
            return BucketError(reason, "retry later")

        replacing(give_up)(self._replaced, key, write)

    def _replaced(self, key: str, write: Callable[[], Path | None]) -> bool:
        """Replace an object once; False where another writer was faster."""
        tag = self._tag(key)
        written = write()
        if written is None:
            return True
        with written.open("rb") as file:
            is_done = self._put(key, file, tag)
        if is_done:
            written.unlink()
        return is_done

    def _tag(self, key: str) -> str | None:
        """The ETag of the current object; None if there is none.

        Whatever is read afterwards is of that version, or else the condition does not hold.
        """
        try:
            with self._explained(key, "read"):
                return str(self._s3.head_object(**self._at(key))["ETag"])
        except FileNotFoundError:
            return None

    def _put(self, key: str, body: Any, tag: str | None) -> bool:
        """Write an object if the current one still has `tag`; whether it did."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._explained(key, "written"):
            try:
                self._s3.put_object(**self._at(key), Body=body, **condition)
            except ClientError as error:
                if error.response["Error"]["Code"] not in FASTER:
                    raise
                return False
        return True

    def note(self, key: str, text: str) -> None:
        with self._explained(key, "written"):
            self._s3.put_object(**self._at(key), Body=text.encode())

    def delete(self, key: str) -> None:
        with self._explained(key, "deleted"):
            self._s3.delete_object(**self._at(key))

    def freeze(
        self, wanted: Sequence[tuple[str, Path]]
    ) -> Sequence[str | InaccessibleError | None]:
        if wanted:
            log_how_published()
        return self.each(lambda item: self._copy(*item), wanted)

    def _copy(self, key: str, path: Path) -> str | InaccessibleError | None:
        path.parent.mkdir(exist_ok=True, parents=True)

        def take(response: Mapping[str, Any]) -> str:
            with path.open("wb") as file:
                shutil.copyfileobj(response["Body"], file)
            return str(response["ETag"])

        try:
            return self._get(key, take)
        except FileNotFoundError:
            return None
        except InaccessibleError as error:
            return error

    def set_aside(self, key: str, under: str) -> str:
        target = f"{under}/{key}"
        with self._explained(key, "moved"):
            self._s3.copy_object(**self._at(target), CopySource=self._at(key))
        self.delete(key)
        return self.name(target)

    def share(self, key: str, path: Path) -> None:
        """Upload a file that may be large, in parts, unless that has been done."""
        stat = path.stat()
        made = {"fbinsights-made": f"{stat.st_mtime_ns}-{stat.st_size}"}
        self._abort_abandoned(self._now() - ABANDONED)
        try:
            with self._explained(key, "read"):
                is_there = self._s3.head_object(**self._at(key))["Metadata"] == made
        except FileNotFoundError:
            is_there = False
        if not is_there:
            with self._explained(key, "written"):
                self._s3.upload_file(
                    str(path), self._bucket, self._prefix + key, ExtraArgs={"Metadata": made}
                )

    def _abort_abandoned(self, before: datetime) -> None:
        """Abort uploads whose process was killed; their parts cost money until then."""
        try:
            with self._explained("", "looked through for unfinished uploads"):
                pages = self._s3.get_paginator("list_multipart_uploads")
                for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                    for upload in page.get("Uploads", ()):
                        if upload["Initiated"] < before:
                            self._s3.abort_multipart_upload(
                                Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                            )
        except OSError as error:  # it only costs money
            _log.warning("%s", error)

    def each(self, do: Callable[[In], Out], items: Iterable[In]) -> Sequence[Out]:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="bucket") as pool:
            return list(pool.map(do, items))

    def _at(self, key: str) -> Mapping[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    @contextmanager
    def _explained(self, key: str, done: str) -> Iterator[None]:
        """Raise errors that name the object, the operation and what to do."""
        try:
            yield
        except (ClientError, BotoCoreError, Boto3Error) as error:
            code, message, advice = explain(error)
            if code in GONE:
                raise FileNotFoundError(f"{self.name(key)} does not exist") from None
            if code in DENIED and done in READING:
                raise InaccessibleError(self.name(key), message, advice) from None
            # Not `from error`: its text may hold credentials.
            raise BucketError(f"{self.name(key)} could not be {done}: {message}", advice) from None


@cache
def _client(region: str | None, endpoint: str | None, attempts: str | None) -> Any:
    """One for all lakes: creating it takes 0.1 s. boto3 itself ignores AWS_REGION, but reads
    AWS_MAX_ATTEMPTS.
    """
    patience = {} if attempts else {"total_max_attempts": REQUESTS}
    return boto3.session.Session(region_name=region).client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            retries={"mode": "standard", **patience},
            connect_timeout=10,
            max_pool_connections=2 * THREADS,
        ),
    )


@cache
def log_how_published() -> None:
    """Log how a lake in a bucket is published, the first time that this process does."""
    _log.info(
        "DuckDB's wheel cannot read buckets (it has no httpfs): files that changed in the lake are"
        " copied to this machine and published from here."
    )


def _end(response: Mapping[str, Any]) -> tuple[int, bytes]:
    """The size of an object, and its last bytes."""
    end = response["Body"].read()
    return int(response.get("ContentRange", f"/{len(end)}").rpartition("/")[2]), end


def _matches(key: str, pattern: str) -> bool:
    """Part by part, because the * of fnmatch matches slashes too."""
    parts, wanted = key.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
