"""The thumbnails of creatives: each is downloaded once, some in each run.

First it is decided which (`choosing`), from what the lake knows; then they are downloaded, several
at a time. Where an address has expired, the creative is read by id for another one. A picture that
cannot be had costs itself: the row in `thumbnails` says why, and it is tried again when all others
have had their turn. All pictures of a run together have their time (`bounds`); what does not come
in it is left for the next run, which begins with the accounts that have waited longest.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines.loading.media.bounds import CHECKING_SECONDS, RunBounds
from pipelines.loading.media.choosing import (
    MediaLimits,
    Tried,
    Wanted,
    choose,
    has_expired,
    in_turn,
)
from pipelines.loading.media.download import Downloads, PictureError
from pipelines.loading.media.formats import EXTENSIONS, format_of, is_whole
from pipelines.loading.media.threads import in_threads
from warehouse.decode import arrow
from warehouse.errors import WarehouseError
from warehouse.schema.objects.creatives import THUMBNAILS
from warehouse.storage.content import is_kept, keep_content
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

    #: Reads objects of an account (digits) by id, into the lake, within these seconds; "" or why it
    #: could not.
    ReadAgain = Callable[[str, Sequence[str], float], str]

__all__ = ["Pictures", "keep_thumbnails"]

_log = logging.getLogger(__name__)

#: Pictures after which their rows are written, so that a killed process loses few.
_WRITTEN: Final = 250

#: Creatives that are read by id at once: as many as Graph takes in one request.
_READ_AT_ONCE: Final = 50


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
    bounds: RunBounds,
    limits: MediaLimits | None = None,
) -> Mapping[str, Pictures]:
    """Download thumbnails of objects that the lake lacks, account (digits) by account. Returns what
    was done, by account. `graph_url`: where Graph is. Nothing else fails if this does; raises what
    `read_again` does.
    """
    done: dict[str, Pictures] = {}
    if not row.thumbnail:
        return done
    ordered = _longest_waiting_first(lake, account_ids)
    with Downloads(graph_url) as downloads:
        for at, account_id in enumerate(ordered):
            if bounds.is_over:
                accounts = counted(len(ordered) - at, "account")
                _log.warning("Thumbnails of %s are left for the next runs: %s.", accounts, bounds)
                break
            share = CHECKING_SECONDS / (len(ordered) - at)
            batch = _Batch(downloads, lake, row, account_id, now, limits or MediaLimits(), bounds)
            found = _run(batch, read_again, share)
            if found is not None:
                done[account_id] = found
    if bounds.is_barren:
        _log.warning(
            "Thumbnails: no address that Meta returned is still valid. Check this machine's clock."
        )
    return done


def _run(batch: _Batch, read_again: ReadAgain, checking_seconds: float) -> Pictures | None:
    """What a batch did, which is logged; None if the lake cannot keep it."""
    try:
        batch.run(read_again, checking_seconds)
    except (WarehouseError, OSError) as error:
        _log.warning("Thumbnails of act_%s were not kept: %s", batch.account_id, error)
        return None
    if batch.done != Pictures():
        level = logging.WARNING if batch.done.failed else logging.INFO
        _log.log(level, "%s of act_%s: %s", batch.row.name, batch.account_id, batch.done)
    return batch.done


def _longest_waiting_first(lake: Lake, account_ids: Iterable[str]) -> Sequence[str]:
    """Accounts by when a picture of theirs was last tried, so that each has its turn."""

    def tried_at(account_id: str) -> datetime:
        try:
            known = lake.read(THUMBNAILS, account_id=account_id).select(["fetched_at"])
        except (WarehouseError, OSError):  # reported when its pictures are chosen
            return datetime.min.replace(tzinfo=UTC)
        times = (one["fetched_at"] for one in arrow.python_rows(known))
        return max(filter(None, times), default=datetime.min.replace(tzinfo=UTC))

    return sorted(account_ids, key=tried_at)


def _addresses(lake: Lake, row: ObjectTable, account_id: str) -> Mapping[str, str | None]:
    columns = (row.key, row.thumbnail)
    objects = lake.read(row.latest, account_id=account_id, columns=columns)
    return dict(zip(*(objects[name].to_pylist() for name in columns), strict=True))


def _tried(lake: Lake, account_id: str) -> Mapping[str, Tried]:
    columns = ("creative_id", "sha256", "path", "attempts", "fetched_at")
    rows = lake.read(THUMBNAILS, account_id=account_id, columns=columns)
    return {
        one["creative_id"]: Tried(
            *(one["sha256"] is not None, one["attempts"] or 0, one["fetched_at"]),
            *(one["sha256"] or "", one["path"] or ""),
        )
        for one in arrow.python_rows(rows)
    }


@dataclass(slots=True)
class _Batch:
    """The pictures of one account in one run. `done`: what has become of them."""

    downloads: Downloads
    lake: Lake
    row: ObjectTable
    account_id: str
    now: Callable[[], datetime]
    limits: MediaLimits
    bounds: RunBounds
    done: Pictures = field(default_factory=Pictures)
    _tried: Mapping[str, Tried] = field(default_factory=dict)
    _unwritten: list[Mapping[str, Any]] = field(default_factory=list)
    _received: int = 0  # bytes, before anybody has counted their rows

    @property
    def is_full(self) -> bool:
        return self._received >= self.limits.total_bytes

    def run(self, read_again: ReadAgain, checking_seconds: float) -> None:
        """Choose, download, read again what has expired. Raises WarehouseError and OSError."""
        try:
            self._run(read_again, checking_seconds)
        finally:
            self._write()

    def _run(self, read_again: ReadAgain, checking_seconds: float) -> None:
        tried = _tried(self.lake, self.account_id)
        self._tried = {**tried, **self._damaged(tried, checking_seconds)}
        known = _addresses(self.lake, self.row, self.account_id)
        choice = choose(known.items(), self._tried, self.now(), self.limits)
        self.done = Pictures(left=choice.left + len(choice.download) + len(choice.read_again))
        self._keep(choice.download)
        for start in range(0, len(choice.read_again), _READ_AT_ONCE):
            if self.is_full or not self.bounds.may_read_again:
                return
            if not self._keep_expired(choice.read_again[start : start + _READ_AT_ONCE], read_again):
                return

    def _damaged(self, tried: Mapping[str, Tried], seconds: float) -> Mapping[str, Tried]:
        """Pictures whose file is gone or has another content: they are downloaded once more."""
        until = self.bounds.left - min(seconds, self.bounds.left)
        found: dict[str, Tried] = {}
        for key in in_turn(tried, self.now().date()):
            if self.bounds.is_over or self.bounds.left <= until:
                break
            one = tried[key]
            try:
                whole = is_kept(self.lake.store, one.path, one.sha256)
            except OSError:  # nobody may read it now, which says nothing about its content
                continue
            if not whole:
                found[key] = one._replace(is_kept=False)
        if found:
            files = counted(len(found), "thumbnail")
            _log.warning(
                "%s of act_%s: the files of %s under media/ are missing or damaged; downloading"
                " them again.",
                *(self.row.name, self.account_id, files),
            )
        return found

    def _keep_expired(self, ids: Sequence[str], read_again: ReadAgain) -> bool:
        """Read creatives by id, and keep their pictures; whether any has a valid address now."""
        why = read_again(self.account_id, ids, self.bounds.left)
        self.done = replace(self.done, calls=self.done.calls + len(ids))
        if why:
            self.bounds.note_read_again(brought=False)
            _log.warning(
                "%s of act_%s could not be read by id: %s", self.row.name, self.account_id, why
            )
            return False
        found = _addresses(self.lake, self.row, self.account_id)
        wanted = [Wanted(one, found.get(one) or "") for one in ids]
        brought = any(one.address and not has_expired(one.address, self.now()) for one in wanted)
        self.bounds.note_read_again(brought=brought)
        self._keep(wanted)
        return brought

    def _keep(self, every: Sequence[Wanted]) -> None:
        """Download pictures in order, several at a time, until the run has enough bytes."""
        rows = in_threads(
            *(self._row, every),
            is_enough=lambda: self.is_full or self.bounds.is_over,
            is_over=lambda: self.bounds.is_over,
            cut=self.downloads.cut,
        )
        with closing(rows):
            for found in filter(None, rows):
                self._unwritten.append(found)
                self.done = _added(self.done, found)
                if len(self._unwritten) >= _WRITTEN:
                    self._write()

    def _write(self) -> None:
        """Write the rows of what has been tried since the last time."""
        rows, self._unwritten = self._unwritten, []
        if rows:
            _write(self.lake, self.account_id, rows)

    def _row(self, one: Wanted) -> Mapping[str, Any] | None:
        """The row of a picture that was downloaded, or of why it was not; None if the time for it
        was over.
        """
        at, before = self.now(), self._tried.get(one.creative_id)
        row = {"account_id": self.account_id, "creative_id": one.creative_id, "fetched_at": at}
        failed = row | {"sha256": None, "attempts": (before.attempts if before else 0) + 1}
        if not one.address or has_expired(one.address, at):
            return failed | {"error": "its address has expired, and Meta returned no new one"}
        try:
            content = self.downloads.get(one.address, self.bounds.left)
        except PictureError as error:
            if self.bounds.is_over:
                return None
            self.bounds.note_picture(silent=error.silent)
            return failed | {"error": str(error)}
        self.bounds.note_picture(silent=False)
        found = format_of(content)
        if found is None:
            known = ", ".join(mime.removeprefix("image/") for mime in EXTENSIONS)
            return failed | {"error": f"not a picture in a known format ({known})"}
        if not is_whole(content, found.mime):
            return failed | {"error": f"the picture is cut short or damaged ({found.mime})"}
        self._received += len(content)
        sha256, path = keep_content(self.lake.store, content, EXTENSIONS[found.mime])
        return row | {
            "sha256": sha256,
            "path": path,
            **found._asdict(),
            "bytes": len(content),
            "attempts": 0,
        }


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
