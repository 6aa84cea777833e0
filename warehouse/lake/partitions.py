"""The lake: one Parquet file per account-day, replaced whole, its load record in its footer.

    insights_hourly/account_id=123/date=2026-11-21/data.parquet
    campaigns/account_id=123/data.parquet
    accounts/data.parquet
    rejects/insights_hourly/123/2026-11-21/<loaded_at>.parquet
    .changes.json                                               the last change
    .tables/by_country.json                                     the definition of a report's table
    .staging/<a folder for each writer at work>                 always on this machine

Files do not repeat what their folders say: readers of a hive layout (pyarrow, DuckDB, pandas,
Polars) take those columns from the path, and pyarrow refuses files that carry them as well.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from warehouse.decode import arrow
from warehouse.errors import (
    DISK_FULL,
    DamagedFileError,
    FullDiskError,
    KeepsProvenError,
    UnwritableError,
)
from warehouse.lake import parquet
from warehouse.lake.changes import note_change
from warehouse.lake.defects import rejects as rejected
from warehouse.lake.defects.damage import set_aside
from warehouse.lake.definitions import keep_definition
from warehouse.lake.footers import NO_FOOTER
from warehouse.lake.parquet import Partition, Writer
from warehouse.lake.paths import Listing
from warehouse.lake.reading import LakeReader
from warehouse.lake.records import may_replace, require_load_of, restated
from warehouse.schema.catalog import OWN, Catalog
from warehouse.schema.records import REJECTS
from warehouse.storage.atomic import fullest, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from warehouse.decode.rows import Reject
    from warehouse.lake.reading import Known
    from warehouse.lake.records import Load, Restatement
    from warehouse.schema.table import Table

__all__ = ["Lake", "Listing", "Partition"]

_log = logging.getLogger(__name__)


class Lake(LakeReader):
    """Reads and replaces the files of one `store`. Keeps nothing open; safe across threads.

    If a table that is written is not the warehouse's own, its definition is kept in the lake
    (`definitions`). `put_loads`: how many account-days it has put into the lake, by table.
    """

    def __init__(
        self,
        url: str | Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        catalog: Catalog = OWN,
        known: Known | None = None,
    ) -> None:
        super().__init__(url, catalog=catalog, known=known)
        self.now = now
        self._defined: dict[str, Table] = dict(OWN.tables)
        self.put_loads: Counter[str] = Counter()
        self._counting = threading.Lock()

    def require_writable(self) -> None:
        """Raise WarehouseError if files cannot be written."""
        self.store.require_writable()

    def changed(self) -> None:
        """Note that something has changed, so that the published file follows. Every method that
        writes does this; call it after a change made by other means.
        """
        note_change(self.store, self.now())

    def replace(
        self,
        table: Table | str,
        rows: pa.Table,
        *,
        account_id: str | None = None,
        date: date | None = None,
        load: Load | None = None,
    ) -> Restatement | None:
        """Atomically replace a file by `rows`.

        Returns what changed, if they are a reload that changed rows or sums. Raises
        KeepsProvenError if the account-day is proven and `load` is not, and WarehouseError for
        rows that are not of the table or the partition; either way the old file stays.
        """
        table = self.table(table)
        where = self.partition(table, account_id, date)
        content = parquet.content_of(table, rows, where)
        with self.writing(table, account_id, date), scratch_folder(self.root) as folder:
            writer = Writer(table, folder / "rows.unfinished")
            try:
                writer.write(content)
                return self.put(table, where, writer, load, rows.num_rows)
            except BaseException:
                writer.abandon()
                raise

    def update(  # noqa: PLR0913  # which file, and what its footer says
        self,
        table: Table | str,
        change: Callable[[pa.Table], pa.Table],
        *,
        account_id: str | None = None,
        date: date | None = None,
        listed_at: datetime | None = None,
        listed_since: datetime | None = None,
    ) -> pa.Table:
        """Replace the rows of a file by what `change` returns for them; no other writer comes in
        between. `listed_at`, `listed_since`: what `Footer` says of them, where `change` knows it.

        Returns the new rows. Nothing is written if `change` returns the same rows. It is called
        again if another writer was faster, which is possible in a bucket.
        """
        table = self.table(table)
        where = self.partition(table, account_id, date)
        after, is_new = arrow.empty(table.arrow_schema), False
        with self.writing(table, account_id, date), ExitStack() as at_the_end:

            def write() -> Path | None:
                nonlocal after, is_new
                before = self._read_or_set_aside(table, where)
                after = change(before)
                is_new = after is not before
                if not is_new:
                    return None
                content = parquet.content_of(table, after, where)
                folder = at_the_end.enter_context(scratch_folder(self.root))
                writer = Writer(table, folder / "rows.unfinished")
                writer.write(content)
                known = self._footer(table, where)
                ends = listed_at or known.listed_at, listed_since or known.listed_since
                return writer.finish(key=where.key, listed_at=ends[0], listed_since=ends[1])

            self._define(self.catalog.tables.get(table.name, table))
            self.store.replace(where.key, write)
        if is_new:
            self.changed()
        return after

    def _read_or_set_aside(self, table: Table, where: Partition) -> pa.Table:
        """The rows of a file that is about to be written, none if it is damaged. It is kept then,
        because Meta may not return again what was in it, such as earlier states of objects.
        """
        try:
            rows = self._rows(table, where)
        except DamagedFileError as error:
            set_aside(self.store, where, error, self.now())
            rows = None
        return arrow.empty(table.arrow_schema) if rows is None else rows

    def put(
        self, table: Table, where: Partition, writer: Writer, load: Load | None, rows: int
    ) -> Restatement | None:
        """Finish a file and move it into place; returns what that changed.

        Raises KeepsProvenError, and WarehouseError for the load of other rows.
        """
        if load is not None:
            require_load_of(load, table.name, where.account_id, where.date, rows)
        change: Restatement | None = None
        written: Writer | None = None

        def write() -> Path:
            nonlocal change, written
            old, history = self._before(table, where)
            if not may_replace(old, load) and self._is_whole(table, where):
                raise KeepsProvenError(
                    *(table.name, where.account_id, str(where.date)),
                    old=old.verdict if old else "",
                    new=load.verdict if load else "unproven",
                    reason=load.reason if load else "it has no load record",
                )
            change = restated(old, load)
            written = written.again() if written else writer
            history = [*history, change] if change else history
            return written.finish(load, history, key=where.key)

        with self.writing(table, where.account_id, where.date):
            self._define(table)
            self.store.replace(where.key, write)
        if load:
            with self._counting:
                self.put_loads[table.name] += 1
            rejected.drop_of_earlier_loads(self.store, load, self.now())
        self.changed()
        return change

    def _before(self, table: Table, where: Partition) -> tuple[Load | None, Sequence[Restatement]]:
        """What a file that is about to be replaced says of itself."""
        try:
            footer = self._footer(table, where)
        except DamagedFileError as error:
            _log.warning(
                "%s was damaged and is replaced: %s. Restatements recorded in it are lost.",
                *(error.path, error.why),
            )
            footer = NO_FOOTER
        return footer.load, footer.history

    def _is_whole(self, table: Table, where: Partition) -> bool:
        """Whether all rows of a file can be read, and not just its footer."""
        try:
            self._rows(table, where)
        except DamagedFileError:
            return False
        return True

    def _define(self, table: Table) -> None:
        """Ensure, once, that the lake has the definition of a table that is written."""
        if self._defined.get(table.name) is not table:
            keep_definition(self.store, table)
            self._defined[table.name] = table

    @contextmanager
    def writing(self, table: Table, account_id: str | None, date: date | None) -> Iterator[None]:
        """Turn errors of the disk into UnwritableError, which names what was not written, or
        FullDiskError.
        """
        try:
            yield
        except OSError as error:
            of = f" of account {account_id}" if account_id else ""
            on = f" on {date}" if date else ""
            if error.errno in DISK_FULL:
                where = fullest(self.root, self.root / table.name)
                raise FullDiskError(f"{table.name}{of}{on}", where, error) from error
            raise UnwritableError(f"{table.name}{of}{on}", self.store.name(), error) from error

    def write_rejects(self, load: Load, rejects: Sequence[Reject]) -> None:
        """Keep the rejects of a load. Call it before `replace` with the same `load`.

        `replace` removes the rejects of earlier loads. Those of an attempt that never reached
        `replace` stay until then, or the next attempt, so that a failure can be examined.
        """
        if rejects:
            kept = self.load_of(load.table, load.account_id, load.date)
            with self.writing(REJECTS, load.account_id, load.date):
                rejected.keep_of_load(self.store, load, rejects, kept)
            self.changed()
