"""The thumbnails of an account's creatives: each is downloaded once, some in each run.

First it is decided which (`choosing`), from what the lake knows; then they are downloaded, several
at a time. Where an address has expired, the creative is read by id for another one. A picture that
cannot be had costs itself: the row in `thumbnails` says why, and it is tried again when all others
have had their turn.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines.loading.media.choosing import MediaLimits, Tried, Wanted, choose, has_expired
from pipelines.loading.media.download import Downloads, PictureError
from pipelines.loading.media.formats import EXTENSIONS, format_of
from warehouse.decode import arrow
from warehouse.errors import WarehouseError
from warehouse.schema.objects.creatives import THUMBNAILS
from warehouse.storage.content import keep_content
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

    #: Reads objects of an account (digits) by id, into the lake; "" or why it could not.
    ReadAgain = Callable[[str, Sequence[str]], str]

__all__ = ["Pictures", "keep_thumbnails"]

_log = logging.getLogger(__name__)

#: Downloads at once.
_THREADS: Final = 8

#: Pictures after which their rows are written, so that a killed process loses few.
_WRITTEN: Final = 250


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a run did for an account: pictures `kept` and their `total_bytes`, those that `failed`,
    the `first` reason, how many are `left` for later runs, and the `calls` of Graph: creatives that
    were read by id, because their address had expired.
    """

    kept: int = 0
    total_bytes: int = 0
    failed: int = 0
    left: int = 0
    first: str = ""
    calls: int = 0

    def __str__(self) -> str:
        failed = f", {counted(self.failed, 'picture')} failed ({self.first})" if self.failed else ""
        left = f", {self.left:,} left for the next runs" if self.left else ""
        calls = f", {counted(self.calls, 'creative')} read by id" if self.calls else ""
        size = f" ({max(1, round(self.total_bytes / 1e3)):,} kB)" if self.kept else ""
        return f"{counted(self.kept, 'thumbnail')} downloaded{size}{failed}{left}{calls}"


def keep_thumbnails(  # noqa: PLR0913  # what, whose, from where and to where
    graph_url: str,
    lake: Lake,
    row: ObjectTable,
    account_ids: Iterable[str],
    now: Callable[[], datetime],
    *,
    read_again: ReadAgain,
    limits: MediaLimits | None = None,
) -> Mapping[str, Pictures]:
    """Download thumbnails of objects that the lake lacks, account (digits) by account. Returns what
    was done, by account. `graph_url`: where Graph is. Nothing else fails if this does; raises what
    `read_again` does.
    """
    done: dict[str, Pictures] = {}
    if not row.thumbnail:
        return done
    with Downloads(graph_url) as downloads:
        for account_id in account_ids:
            try:
                found = _keep(
                    *(downloads, lake, row, account_id, now, limits or MediaLimits(), read_again)
                )
            except (WarehouseError, OSError) as error:
                _log.warning("Thumbnails of act_%s were not kept: %s", account_id, error)
                continue
            if found != Pictures():
                _log.log(
                    *(logging.WARNING if found.failed else logging.INFO, "%s of act_%s: %s"),
                    *(row.name, account_id, found),
                )
            done[account_id] = found
    return done


def _keep(  # noqa: PLR0913, PLR0917  # what, whose, from where and to where
    downloads: Downloads,
    lake: Lake,
    row: ObjectTable,
    account_id: str,
    now: Callable[[], datetime],
    limits: MediaLimits,
    read_again: ReadAgain,
) -> Pictures:
    tried = _tried(lake, account_id)
    choice = choose(_addresses(lake, row, account_id).items(), tried, now(), limits)
    batch = _Batch(downloads, lake, account_id, now, tried, limits)
    batch.done = Pictures(left=choice.left + len(choice.download) + len(choice.read_again))
    batch.keep(choice.download)
    if choice.read_again and not batch.is_full:
        why = read_again(account_id, choice.read_again)
        batch.done = replace(batch.done, calls=len(choice.read_again))
        if why:
            _log.warning("%s of act_%s could not be read by id: %s", row.name, account_id, why)
            return batch.done
        found = _addresses(lake, row, account_id)
        batch.keep([Wanted(one, found.get(one) or "") for one in choice.read_again])
    return batch.done


def _addresses(lake: Lake, row: ObjectTable, account_id: str) -> Mapping[str, str | None]:
    objects = lake.read(row.latest, account_id=account_id)
    columns = (objects[name].to_pylist() for name in (row.key, row.thumbnail))
    return dict(zip(*columns, strict=True))


def _tried(lake: Lake, account_id: str) -> Mapping[str, Tried]:
    known = lake.read(THUMBNAILS, account_id=account_id)
    rows = known.select(["creative_id", "sha256", "attempts", "fetched_at"])
    return {
        one["creative_id"]: Tried(
            one["sha256"] is not None, one["attempts"] or 0, one["fetched_at"]
        )
        for one in arrow.python_rows(rows)
    }


@dataclass(slots=True)
class _Batch:
    """The pictures of one account in one run. `done`: what has become of them."""

    downloads: Downloads
    lake: Lake
    account_id: str
    now: Callable[[], datetime]
    tried: Mapping[str, Tried]
    limits: MediaLimits
    done: Pictures = field(default_factory=Pictures)

    @property
    def is_full(self) -> bool:
        return self.done.total_bytes >= self.limits.total_bytes

    def keep(self, every: Sequence[Wanted]) -> None:
        """Download pictures in order, several at a time, until the run has enough bytes."""
        unwritten: list[Mapping[str, Any]] = []
        with _threads(self.downloads) as pool:
            for start in range(0, len(every), _THREADS):
                for found in pool.map(self._row, every[start : start + _THREADS]):
                    unwritten.append(found)
                    self.done = _added(self.done, found)
                if len(unwritten) >= _WRITTEN or self.is_full:
                    _write(self.lake, self.account_id, unwritten)
                    unwritten = []
                if self.is_full:
                    break
        if unwritten:
            _write(self.lake, self.account_id, unwritten)

    def _row(self, one: Wanted) -> Mapping[str, Any]:
        """The row of a picture that was downloaded, or of why it was not."""
        at, before = self.now(), self.tried.get(one.creative_id)
        row = {"account_id": self.account_id, "creative_id": one.creative_id, "fetched_at": at}
        failed = row | {"sha256": None, "attempts": (before.attempts if before else 0) + 1}
        if not one.address or has_expired(one.address, at):
            return failed | {"error": "its address has expired, and Meta returned no new one"}
        try:
            content = self.downloads.get(one.address)
        except PictureError as error:
            return failed | {"error": str(error)}
        found = format_of(content)
        if found is None:
            known = ", ".join(mime.removeprefix("image/") for mime in EXTENSIONS)
            return failed | {"error": f"not a picture in a known format ({known})"}
        sha256, path = keep_content(self.lake.store, content, EXTENSIONS[found.mime])
        return row | {
            "sha256": sha256,
            "path": path,
            **found._asdict(),
            "bytes": len(content),
            "attempts": 0,
        }


@contextmanager
def _threads(downloads: Downloads) -> Iterator[ThreadPoolExecutor]:
    """Threads that download. After an exception, such as Ctrl-C, none of them is waited for."""
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures") as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            downloads.stop()
            raise


def _added(done: Pictures, row: Mapping[str, Any]) -> Pictures:
    if row["sha256"] is None:
        return replace(
            done, failed=done.failed + 1, left=done.left - 1, first=done.first or row["error"]
        )
    return replace(
        done,
        kept=done.kept + 1,
        left=done.left - 1,
        total_bytes=done.total_bytes + row["bytes"],
    )


def _write(lake: Lake, account_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    new = arrow.records(THUMBNAILS.arrow_schema, rows)

    def merged(before: pa.Table) -> pa.Table:
        return pa.concat_tables([arrow.without(before, "creative_id", new), new])

    lake.update(THUMBNAILS, merged, account_id=account_id)
