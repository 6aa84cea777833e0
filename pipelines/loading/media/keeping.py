"""The thumbnails of an account's creatives: each is downloaded once, some in each run.

First it is decided which, from what the lake knows; then they are downloaded, several at a time. A
picture that cannot be had costs itself: the row in `thumbnails` says why, and it is tried again
when all others have had their turn.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.loading.media.download import Downloads, PictureError
from pipelines.loading.media.formats import EXTENSIONS, format_of
from warehouse.decode import arrow
from warehouse.errors import WarehouseError
from warehouse.schema.objects.creatives import THUMBNAILS
from warehouse.schema.objects.links import expires_at
from warehouse.storage.content import keep_content
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["MediaLimits", "Pictures", "keep_thumbnails", "wanted"]

_log = logging.getLogger(__name__)

#: Downloads at once.
_THREADS: Final = 8

#: Pictures after which their rows are written, so that a killed process loses few.
_WRITTEN: Final = 250


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """The most of one account in one run: pictures that are tried, and bytes that are kept."""

    pictures: int = 1_000
    total_bytes: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a run did for an account: pictures `kept` and their `total_bytes`, those that `failed`,
    the `first` reason, and how many are `left` for later runs.
    """

    kept: int = 0
    total_bytes: int = 0
    failed: int = 0
    left: int = 0
    first: str = ""

    def __str__(self) -> str:
        failed = f", {counted(self.failed, 'picture')} failed ({self.first})" if self.failed else ""
        left = f", {self.left:,} left for the next runs" if self.left else ""
        size = f" ({max(1, round(self.total_bytes / 1e3)):,} kB)" if self.kept else ""
        return f"{counted(self.kept, 'thumbnail')} downloaded{size}{failed}{left}"


class Wanted(NamedTuple):
    """A creative without a kept thumbnail, and where its picture is."""

    creative_id: str
    address: str


def wanted(
    creatives: Iterable[tuple[str, str | None]],
    tried: Mapping[str, tuple[bool, datetime]],
    now: datetime,
) -> Sequence[Wanted]:
    """What to download, in order. No I/O.

    `creatives`: their ids and the addresses of their thumbnails. `tried`: id → whether the picture
    is kept, and when that was tried. First come those that were never tried, the newest creative
    (the highest id) first; then those that failed, the one that has waited longest first. An
    address that has expired waits for the next listing.
    """
    found = [
        Wanted(creative_id, address)
        for creative_id, address in creatives
        if address
        and not tried.get(creative_id, (False, now))[0]
        and (expires_at(address) or now.timestamp()) >= now.timestamp()
    ]
    newest = sorted(found, key=lambda one: (len(one.creative_id), one.creative_id), reverse=True)
    return sorted(
        newest,
        key=lambda one: tried[one.creative_id][1].timestamp() if one.creative_id in tried else 0.0,
    )


def keep_thumbnails(  # noqa: PLR0913  # what, whose, from where and to where
    graph_url: str,
    lake: Lake,
    row: ObjectTable,
    account_ids: Iterable[str],
    now: Callable[[], datetime],
    *,
    limits: MediaLimits | None = None,
) -> Mapping[str, Pictures]:
    """Download thumbnails of objects that the lake lacks, account (digits) by account. Returns what
    was done, by account. `graph_url`: where Graph is. Nothing else fails if this does.
    """
    done: dict[str, Pictures] = {}
    if not row.thumbnail:
        return done
    with Downloads(graph_url) as downloads:
        for account_id in account_ids:
            try:
                found = _keep(downloads, lake, row, account_id, now, limits or MediaLimits())
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
) -> Pictures:
    objects = lake.read(row.latest, account_id=account_id)
    known = lake.read(THUMBNAILS, account_id=account_id)
    every = wanted(
        zip(*(objects[name].to_pylist() for name in (row.key, row.thumbnail)), strict=True),
        {
            one["creative_id"]: (one["sha256"] is not None, one["fetched_at"])
            for one in arrow.python_rows(known.select(["creative_id", "sha256", "fetched_at"]))
        },
        now(),
    )
    done, unwritten = Pictures(left=len(every)), []
    with _threads(downloads) as pool:
        for start in range(0, min(len(every), limits.pictures), _THREADS):
            some = every[start : min(start + _THREADS, limits.pictures)]
            for found in pool.map(lambda one: _row(downloads, lake, account_id, one, now()), some):
                unwritten.append(found)
                done = _added(done, found)
            is_enough = done.total_bytes >= limits.total_bytes
            if len(unwritten) >= _WRITTEN or is_enough:
                _write(lake, account_id, unwritten)
                unwritten = []
            if is_enough:
                break
    if unwritten:
        _write(lake, account_id, unwritten)
    return done


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


def _row(
    downloads: Downloads, lake: Lake, account_id: str, one: Wanted, at: datetime
) -> Mapping[str, Any]:
    """The row of a picture that was downloaded, or of why it was not."""
    row = {"account_id": account_id, "creative_id": one.creative_id, "fetched_at": at}
    try:
        content = downloads.get(one.address)
    except PictureError as error:
        return row | {"sha256": None, "error": str(error)}
    found = format_of(content)
    if found is None:
        known = ", ".join(mime.removeprefix("image/") for mime in EXTENSIONS)
        return row | {"sha256": None, "error": f"not a picture in a known format ({known})"}
    sha256, path = keep_content(lake.store, content, EXTENSIONS[found.mime])
    return row | {
        "sha256": sha256,
        "path": path,
        **found._asdict(),
        "bytes": len(content),
    }


def _write(lake: Lake, account_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    new = arrow.records(THUMBNAILS.arrow_schema, rows)

    def merged(before: pa.Table) -> pa.Table:
        replaced = pc.is_in(before["creative_id"], value_set=new["creative_id"].combine_chunks())
        return pa.concat_tables([before.filter(pc.invert(replaced)), new])

    lake.update(THUMBNAILS, merged, account_id=account_id)
