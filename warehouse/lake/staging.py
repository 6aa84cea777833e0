"""The staging area: rows of an account's report, until each of its days is proven and published.

Pages of one report run mix several days, in any order, and a report that had to be split comes in
parts that may overlap. A staging area takes them as they come, holds a few megabytes and spills the
rest to disk in sorted pieces. Merging a day combines its pieces into one sorted file that waits
next to the lake, so memory does not grow with rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow
from warehouse.decode.actions import sums_of
from warehouse.decode.pages import decode
from warehouse.decode.rows import ROW
from warehouse.errors import WarehouseError
from warehouse.lake.defects.rejects import REJECTS_KEPT
from warehouse.lake.merge import (
    PART,
    PIECE_ROWS,
    Piece,
    by_day,
    in_order,
    in_pieces,
    sort,
    spill,
    without_repeats,
)
from warehouse.lake.parquet import Writer
from warehouse.lake.proof.reconcile import Evidence
from warehouse.storage.atomic import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.decode.casts import Account
    from warehouse.decode.rows import Reject
    from warehouse.lake.parquet import Partition
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load, Restatement
    from warehouse.schema.table import Table

__all__ = ["MergedDay", "StagingArea", "staging_area"]

#: Bytes of rows that all staging areas of a process may hold together before one that holds more
#: than its share spills: rows of a quiet account-day need not touch the disk twice.
HELD_BYTES: Final = 24_000_000
SHARE_BYTES: Final = 2_000_000


#: Decoding and merging take tens of megabytes and a core. Any number of threads may fetch; this one
#: does the heavy work. It alone is several times as fast as Meta delivers rows, and a second one
#: would cost 70 MB and a tenth more CPU (`benchmarks/README.md`).
_HEAVY: Final = ThreadPoolExecutor(1, thread_name_prefix="warehouse")


@dataclass(slots=True)
class _HeldBytes:
    """Bytes of rows that the staging areas of this process hold."""

    held: int = 0
    lock: Lock = field(default_factory=Lock)

    def change(self, by: int) -> int:
        with self.lock:
            self.held += by
            return self.held


_HELD: Final = _HeldBytes()


@dataclass(slots=True)
class _Rejects:
    """The rejects of an account-day: all are counted, some of each column are kept."""

    rows: int = 0
    cells: int = 0
    kept: list[Reject] = field(default_factory=list)
    by_column: Counter[str] = field(default_factory=Counter)

    def note(self, reject: Reject) -> None:
        self.rows += reject.lost == ROW
        self.cells += reject.loses_value
        self._keep(reject)

    def add(self, other: _Rejects) -> None:
        self.rows += other.rows
        self.cells += other.cells
        for reject in other.kept:
            self._keep(reject)

    def _keep(self, reject: Reject) -> None:
        self.by_column[reject.column] += 1
        if self.by_column[reject.column] <= REJECTS_KEPT:
            self.kept.append(reject)


@dataclass(slots=True)
class _Received:
    """What one part of a report has delivered next to its rows."""

    pages: int = 0
    rejects: defaultdict[date, _Rejects] = field(default_factory=lambda: defaultdict(_Rejects))


@contextmanager
def staging_area(
    lake: Lake,
    table: Table | str,
    account: Account,
    days: Iterable[date],
    until: date | None = None,
) -> Iterator[StagingArea]:
    """Collect pages of an account's report for these days, prove each, publish each. Of a table by
    week or month, `days` is the first day of a period, and `until` the last one that was requested.

    Days that are not published when the block ends leave nothing behind.
    """
    table = lake.table(table)
    for day in (days := tuple(days)):
        lake.key(table, account.account_id, day)  # refuses what is not an account-day
    with ExitStack() as at_the_end:
        with lake.writing(table, account.account_id, days[0]):
            folder = at_the_end.enter_context(scratch_folder(lake.root))
        staging = StagingArea(lake, table, account, days, folder, until)
        at_the_end.callback(staging.close)
        yield staging


class StagingArea:
    """Collects one account's rows of one table for a set of days. `staging_area` creates it.

    `unknown_fields` are the keys that came without being requested.
    """

    def __init__(  # noqa: PLR0913, PLR0917  made in one place
        self,
        lake: Lake,
        table: Table,
        account: Account,
        days: Iterable[date],
        folder: Path,
        until: date | None = None,
    ) -> None:
        self.table = table
        self.account = account
        self.days = tuple(days)
        self.until = until
        self.unknown_fields: frozenset[str] = frozenset()
        self._lake = lake
        self._folder = folder
        self._keys = tuple(name for name in table.grain if name in table.file_schema.names)
        self._moving = frozenset(column.name for column in table.columns if column.moves)
        self._first = self._keys[0] if self._keys else PART
        self._parts: dict[int, _Received] = {}
        self._dropped: set[int] = set()
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._is_whole = True
        self._pieces: dict[date, list[Piece]] = {day: [] for day in self.days}
        self._files = 0
        self._merged: dict[date, MergedDay] = {}
        self._lock = Lock()

    def add(self, bodies: Sequence[bytes], *, part: int = 0) -> int:
        """Decode pages of one part, in their order; returns how many rows loaded.

        Safe from any thread. Raises NotAPageError, and then none of these pages is kept, and
        FullDiskError if the disk is full.
        """
        return _HEAVY.submit(self._add, bodies, part).result()

    def _add(self, bodies: Sequence[bytes], part: int) -> int:
        with self._lock:
            self._require_open(part)
            received = self._parts.setdefault(part, _Received())
        first_page = received.pages + 1
        found = decode(
            *(self.table, bodies, self.account, self.days), first_page=first_page, until=self.until
        )
        with self._lock:
            self._require_open(part)
            received.pages += len(bodies)
            self.unknown_fields |= set(found.unknown_fields)
            self._note(received, found.rejects)
            self._hold(found.rows, part)
        return int(found.rows.num_rows)

    def drop(self, part: int) -> None:
        """Forget all rows of a part. What is requested again must get another number."""
        with self._lock:
            self._dropped.add(part)
            self._parts.pop(part, None)

    def merge(self, day: date) -> MergedDay:
        """Merge the rows of one day into a file that waits to be published.

        All parts must be in. Raises FullDiskError if the disk is full.
        """
        return _HEAVY.submit(self._merge_once, day).result()

    def _merge_once(self, day: date) -> MergedDay:
        with self._lock:
            self._require_whole()
            if day not in self._merged:
                self._merged[day] = self._merge_day(day)
            return self._merged[day]

    def close(self) -> None:
        """Discard what was not published."""
        _HELD.change(by=-self._held_bytes)
        for merged in self._merged.values():
            merged.abandon()

    def _require_whole(self) -> None:
        if not self._is_whole:
            raise WarehouseError("Rows that could not be written are lost: reload these days")

    def _require_open(self, part: int) -> None:
        self._require_whole()
        if self._merged:
            raise WarehouseError("Cannot add pages: the days are already being merged")
        if part in self._dropped:
            raise WarehouseError(f"Part {part} was dropped: use a new number to add it again")

    def _note(self, received: _Received, rejects: Sequence[Reject]) -> None:
        for reject in rejects:
            # A row with an unreadable day counts with the first day.
            day = reject.date if reject.date in self._pieces else self.days[0]
            received.rejects[day].note(reject)

    def _hold(self, rows: pa.Table, part: int) -> None:
        number = pa.repeat(arrow.int32s([part])[0], rows.num_rows)
        rows = rows.select(["date", *self.table.file_schema.names]).append_column(PART, number)
        self._held.append(rows)
        size = rows.get_total_buffer_size()  # `nbytes` takes as long as everything else here
        self._held_bytes += size
        together = _HELD.change(by=size)
        if self._held_bytes > SHARE_BYTES and together > HELD_BYTES:
            self._spill()

    def _spill(self) -> None:
        """Write the rows in memory to disk, in sorted pieces of each day."""
        self._is_whole = False  # until all of them are written
        self._files += 1
        for day, rows in self._held_days():
            path = self._folder / f"{day}.{self._files:06}.pieces"
            with self._lake.writing(self.table, self.account.account_id, day):
                self._pieces[day] += spill(rows, path, self._first)
        _HELD.change(by=-self._held_bytes)
        self._held_bytes = 0
        self._is_whole = True

    def _held_days(self) -> Iterator[tuple[date, pa.Table]]:
        """The rows in memory, sorted, day by day; they are not held any longer."""
        return by_day(sort(self._held, ["date", *self._keys])) if self._held else iter(())

    def _merge_day(self, day: date) -> MergedDay:
        for of_day, rows in self._held_days():
            # With nothing on disk there is nothing to merge with.
            size = PIECE_ROWS if self._files else rows.num_rows
            self._pieces[of_day] += in_pieces(rows, self._first, size)
        where = self._lake.partition(self.table, self.account.account_id, day)
        with self._lake.writing(self.table, self.account.account_id, day):
            writer = Writer(self.table, self._folder / f"{day}.unfinished")
            try:
                found = self._merge_rows(day, writer)
            except BaseException:
                writer.abandon()
                raise
        rejects = _Rejects()
        for received in self._parts.values():
            rejects.add(received.rejects[day])
        found = replace(found, rejected=rejects.rows, rejected_cells=rejects.cells)
        return MergedDay(self._lake, self.table, where, writer, found, rejects.kept)

    def _merge_rows(self, day: date, writer: Writer) -> Evidence:
        found = Evidence()
        for merged in in_order(self._pieces.pop(day), self._keys):
            rows, repeated, duplicates = without_repeats(
                self._alive(merged), self._keys, self._moving
            )
            writer.write(rows.select(self.table.file_schema.names))
            part = Evidence.of_part(self.table, rows, repeated=repeated, duplicates=duplicates)
            found += replace(part, actions=sums_of(self.table, rows))
        return found.whole(self.table)

    def _alive(self, rows: pa.Table) -> pa.Table:
        if not self._dropped:
            return rows
        dropped = pc.is_in(rows[PART], value_set=arrow.int32s(self._dropped))
        return rows.filter(pc.invert(dropped))


class MergedDay:
    """One account-day that waits to be published. `found` is the evidence to prove it."""

    def __init__(  # noqa: PLR0913, PLR0917  made in one place
        self,
        lake: Lake,
        table: Table,
        where: Partition,
        writer: Writer,
        found: Evidence,
        rejects: Sequence[Reject],
    ) -> None:
        self.found = found
        self.rejects = rejects
        self._lake = lake
        self._table = table
        self._where = where
        self._writer: Writer | None = writer

    def publish(self, load: Load) -> Restatement | None:
        """Atomically replace the account-day, with its rejects.

        Returns what changed, if it is a reload that changed rows or sums. Raises KeepsProvenError
        if the old account-day is proven and `load` is not, and FullDiskError if the disk is full;
        either way the old file stays.
        """
        if self._writer is None:
            raise WarehouseError("This account-day was already published or discarded")
        self._lake.write_rejects(load, self.rejects)
        change = self._lake.put(self._table, self._where, self._writer, load, self.found.rows)
        self._writer = None
        return change

    def keep_rejects(self, load: Load) -> None:
        """Keep the rejects of an account-day that is not published."""
        self._lake.write_rejects(load, self.rejects)

    def abandon(self) -> None:
        """Discard the file, if it was not published."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
