"""Where the rows of an account's report wait until each of its days is proven and published.

Pages of one report run hold several days mixed, in no order, and a report that had to be split
comes in parts that may overlap. A stage takes them as they come, holds a few megabytes and puts
the rest aside on disk in sorted pieces. Settling a day merges its pieces into one sorted file
that waits beside the lake, so memory does not grow with rows.
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
from warehouse.lake.merge import (
    PART,
    PIECE_ROWS,
    Piece,
    by_day,
    in_order,
    in_pieces,
    put_aside,
    sort,
    without_repeats,
)
from warehouse.lake.parquet import Writer
from warehouse.lake.reconcile import Found
from warehouse.lake.rejects import REJECTS_KEPT
from warehouse.storage.atomic import workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.decode.columns import Account
    from warehouse.decode.rows import Reject
    from warehouse.lake.parquet import Partition
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load, Restatement
    from warehouse.schema.table import Table

__all__ = ["Settled", "Stage", "staged"]

#: Bytes of rows that all stages of a process hold together before one that holds more than its
#: share puts its own aside: rows of a quiet account-day need not touch the disk twice.
HELD_BYTES: Final = 24_000_000
SHARE_BYTES: Final = 2_000_000


#: Decoding and merging take tens of megabytes and a core. Any number of threads may fetch; this one
#: does the heavy work. It alone is several times as fast as an API gives rows, and a second one
#: costs 70 MB and a tenth more CPU (`benchmarks/README.md`).
_HEAVY: Final = ThreadPoolExecutor(1, thread_name_prefix="warehouse")


@dataclass(slots=True)
class _Memory:
    """Bytes of rows that the stages of this process hold."""

    held: int = 0
    lock: Lock = field(default_factory=Lock)

    def change(self, by: int) -> int:
        with self.lock:
            self.held += by
            return self.held


_MEMORY: Final = _Memory()


@dataclass(slots=True)
class _Rejects:
    """What could not be read of an account-day: all of it counted, some of each column kept."""

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
class _Part:
    """What one part of a report has brought besides rows."""

    pages: int = 0
    rejects: defaultdict[date, _Rejects] = field(default_factory=lambda: defaultdict(_Rejects))


@contextmanager
def staged(
    lake: Lake, table: Table | str, account: Account, days: Iterable[date]
) -> Iterator[Stage]:
    """Collect pages of an account's report for these days, prove each, publish each.

    What is not published when the block ends leaves nothing behind.
    """
    table = lake.table(table)
    for day in (days := tuple(days)):
        lake.key(table, account.account_id, day)  # refuses what is not an account-day
    with ExitStack() as at_the_end:
        with lake.writing(table, account.account_id, days[0]):
            folder = at_the_end.enter_context(workshop(lake.root))
        stage = Stage(lake, table, account, days, folder)
        at_the_end.callback(stage.close)
        yield stage


class Stage:
    """Collects one account's rows of one table for a set of days. `staged` makes it.

    `unknown_fields` are the keys that came and nobody asked for.
    """

    def __init__(
        self, lake: Lake, table: Table, account: Account, days: Iterable[date], folder: Path
    ) -> None:
        self.table = table
        self.account = account
        self.days = tuple(days)
        self.unknown_fields: frozenset[str] = frozenset()
        self._lake = lake
        self._folder = folder
        self._keys = tuple(name for name in table.grain if name in table.file_schema.names)
        self._moving = frozenset(column.name for column in table.columns if column.moves)
        self._first = self._keys[0] if self._keys else PART
        self._parts: dict[int, _Part] = {}
        self._dropped: set[int] = set()
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._is_whole = True
        self._pieces: dict[date, list[Piece]] = {day: [] for day in self.days}
        self._files = 0
        self._settled: dict[date, Settled] = {}
        self._lock = Lock()

    def add(self, bodies: Sequence[bytes], *, part: int = 0) -> int:
        """Decode pages of one part, in their order; returns how many rows loaded.

        Safe from any thread. Raises NotAPageError, and then nothing of this call is kept, and
        UnwritableError when the disk is full.
        """
        return _HEAVY.submit(self._add, bodies, part).result()

    def _add(self, bodies: Sequence[bytes], part: int) -> int:
        with self._lock:
            self._demand_open(part)
            told = self._parts.setdefault(part, _Part())
        first_page = told.pages + 1
        found = decode(self.table, bodies, self.account, self.days, first_page=first_page)
        with self._lock:
            self._demand_open(part)
            told.pages += len(bodies)
            self.unknown_fields |= set(found.unknown_fields)
            self._note(told, found.rejects)
            self._hold(found.rows, part)
        return int(found.rows.num_rows)

    def drop(self, part: int) -> None:
        """Forget all that a part brought. What is asked for again comes under another number."""
        with self._lock:
            self._dropped.add(part)
            self._parts.pop(part, None)

    def settle(self, day: date) -> Settled:
        """Merge the rows of one day into a file that waits to be published.

        All parts have to be in. Raises UnwritableError when the disk is full.
        """
        return _HEAVY.submit(self._settle_once, day).result()

    def _settle_once(self, day: date) -> Settled:
        with self._lock:
            self._demand_whole()
            if day not in self._settled:
                self._settled[day] = self._settle(day)
            return self._settled[day]

    def close(self) -> None:
        """Let go of what was not published."""
        _MEMORY.change(by=-self._held_bytes)
        for settled in self._settled.values():
            settled.abandon()

    def _demand_whole(self) -> None:
        if not self._is_whole:
            raise WarehouseError("rows that could not be written are gone: load these days again")

    def _demand_open(self, part: int) -> None:
        self._demand_whole()
        if self._settled:
            raise WarehouseError("the days are being settled: no more pages can be added")
        if part in self._dropped:
            raise WarehouseError(f"part {part} was dropped; give what is read again a new number")

    def _note(self, told: _Part, rejects: Sequence[Reject]) -> None:
        for reject in rejects:
            # A row whose day cannot be read is counted with the first.
            day = reject.date if reject.date in self._pieces else self.days[0]
            told.rejects[day].note(reject)

    def _hold(self, rows: pa.Table, part: int) -> None:
        number = pa.repeat(arrow.int32s([part])[0], rows.num_rows)
        rows = rows.select(["date", *self.table.file_schema.names]).append_column(PART, number)
        self._held.append(rows)
        size = rows.get_total_buffer_size()  # `nbytes` takes as long as the rest of this
        self._held_bytes += size
        together = _MEMORY.change(by=size)
        if self._held_bytes > SHARE_BYTES and together > HELD_BYTES:
            self._put_aside()

    def _put_aside(self) -> None:
        """Write what is held to disk, in sorted pieces of each day."""
        self._is_whole = False  # until all of it is there
        self._files += 1
        for day, rows in self._held_days():
            path = self._folder / f"{day}.{self._files:06}.pieces"
            with self._lake.writing(self.table, self.account.account_id, day):
                self._pieces[day] += put_aside(rows, path, self._first)
        _MEMORY.change(by=-self._held_bytes)
        self._held_bytes = 0
        self._is_whole = True

    def _held_days(self) -> Iterator[tuple[date, pa.Table]]:
        """What is held, sorted, day by day. It is held no more."""
        return by_day(sort(self._held, ["date", *self._keys])) if self._held else iter(())

    def _settle(self, day: date) -> Settled:
        for of_day, rows in self._held_days():
            # With nothing on disk there is nothing to merge with.
            size = PIECE_ROWS if self._files else rows.num_rows
            self._pieces[of_day] += in_pieces(rows, self._first, size)
        where = self._lake.partition(self.table, self.account.account_id, day)
        with self._lake.writing(self.table, self.account.account_id, day):
            writer = Writer(self.table, self._folder / f"{day}.unfinished")
            try:
                found = self._merge(day, writer)
            except BaseException:
                writer.abandon()
                raise
        rejects = _Rejects()
        for told in self._parts.values():
            rejects.add(told.rejects[day])
        found = replace(found, rejected=rejects.rows, rejected_cells=rejects.cells)
        return Settled(self._lake, self.table, where, writer, found, rejects.kept)

    def _merge(self, day: date, writer: Writer) -> Found:
        found = Found()
        for merged in in_order(self._pieces.pop(day), self._keys):
            rows, repeated, duplicates = without_repeats(
                self._alive(merged), self._keys, self._moving
            )
            writer.write(rows.select(self.table.file_schema.names))
            part = Found.of_part(self.table, rows, repeated=repeated, duplicates=duplicates)
            found += replace(part, actions=sums_of(self.table, rows))
        return found.whole(self.table)

    def _alive(self, rows: pa.Table) -> pa.Table:
        if not self._dropped:
            return rows
        dropped = pc.is_in(rows[PART], value_set=arrow.int32s(self._dropped))
        return rows.filter(pc.invert(dropped))


class Settled:
    """One account-day that waits to be published. `found` is what there is to prove it by."""

    def __init__(  # noqa: PLR0913, PLR0917  made in one place
        self,
        lake: Lake,
        table: Table,
        where: Partition,
        writer: Writer,
        found: Found,
        rejects: Sequence[Reject],
    ) -> None:
        self.found = found
        self.rejects = rejects
        self._lake = lake
        self._table = table
        self._where = where
        self._writer: Writer | None = writer

    def publish(self, load: Load) -> Restatement | None:
        """Put the account-day in the place of what is there, with its rejects, at once.

        Gives what it changed, if it is a re-load that changed rows or sums. Raises KeepsProvenError
        when what is there is proven and `load` is not, and UnwritableError when the disk is full;
        either way the old file stays.
        """
        if self._writer is None:
            raise WarehouseError("this account-day was published or let go already")
        self._lake.write_rejects(load, self.rejects)
        change = self._lake.put(self._table, self._where, self._writer, load, self.found.rows)
        self._writer = None
        return change

    def keep_rejects(self, load: Load) -> None:
        """Keep what could not be read of an account-day that is not published."""
        self._lake.write_rejects(load, self.rejects)

    def abandon(self) -> None:
        """Let go of the file, if it was not published."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
