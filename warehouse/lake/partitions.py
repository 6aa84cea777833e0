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
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.decode import arrow
from warehouse.errors import (
    DamagedFileError,
    InaccessibleError,
    KeepsProvenError,
    UnknownTableError,
    UnwritableError,
    WarehouseError,
)
from warehouse.lake import parquet
from warehouse.lake.changes import note_change
from warehouse.lake.defects import rejects as rejected
from warehouse.lake.defects.damage import named, require_own, set_aside
from warehouse.lake.definitions import keep_definition, lake_tables
from warehouse.lake.parquet import Partition, Writer
from warehouse.lake.paths import Listing, key_of, listing_of
from warehouse.lake.records import completed, is_completed, may_replace, require_load_of, restated
from warehouse.schema.catalog import OWN, Catalog
from warehouse.schema.records import REJECTS
from warehouse.storage.atomic import scratch_folder
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from warehouse.decode.rows import Reject
    from warehouse.lake.parquet import Footer
    from warehouse.lake.records import Load, Restatement
    from warehouse.schema.table import Table

__all__ = ["Lake", "Listing", "Partition"]

_log = logging.getLogger(__name__)


class Lake:
    """Reads and replaces the files of one `store`. Keeps nothing open; safe across threads.

    `root` is the folder on this machine: unfinished files are there, and the published file.
    `catalog` has the tables that the caller knows; if one that is written is not the warehouse's
    own, its definition is kept in the lake (`definitions`).
    """

    def __init__(
        self,
        url: str | Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        catalog: Catalog = OWN,
    ) -> None:
        self.store = open_store(url)
        self.root = self.store.root
        self.now = now
        self.catalog = catalog
        self._defined: dict[str, Table] = dict(OWN.tables)
        self._zones: dict[str, str | None] = {}

    def table(self, table: Table | str) -> Table:
        """A table that is kept in files, by its name: from the catalog, or else from the
        definitions in the lake. Raises UnknownTableError.
        """
        if isinstance(table, str):
            catalog = self.catalog
            if table not in catalog.tables:
                catalog = lake_tables(self.store, catalog).catalog
            table = catalog.table_named(table)
        if table.partitions is None:
            raise UnknownTableError(f"{table.name} has no files in the lake")
        return table

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

    def update(
        self,
        table: Table | str,
        change: Callable[[pa.Table], pa.Table],
        *,
        account_id: str | None = None,
        listed_at: datetime | None = None,
        listed_since: datetime | None = None,
    ) -> pa.Table:
        """Replace the rows of a file by what `change` returns for them; no other writer comes in
        between. `listed_at`, `listed_since`: what `Footer` says of them, where `change` knows it.

        Returns the new rows. Nothing is written if `change` returns the same rows. It is called
        again if another writer was faster, which is possible in a bucket.
        """
        table = self.table(table)
        where = self.partition(table, account_id, None)
        after = arrow.empty(table.arrow_schema)
        is_new = False
        with self.writing(table, account_id, None), ExitStack() as at_the_end:

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
            footer = parquet.NO_FOOTER
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
        """Turn errors of the disk into UnwritableError, which names what was not written."""
        try:
            yield
        except OSError as error:
            of = f" of account {account_id}" if account_id else ""
            on = f" on {date}" if date else ""
            raise UnwritableError(f"{table.name}{of}{on}", self.store.name(), error) from error

    def read(
        self, table: Table | str, *, account_id: str | None = None, date: date | None = None
    ) -> pa.Table:
        """All rows, or those of an account or an account-day, with the table's schema."""
        table = self.table(table)
        wanted = self._wanted(table, account_id, date)
        parts = [
            rows for rows in self.store.each(partial(self._rows, table), wanted) if rows is not None
        ]
        return pa.concat_tables(parts) if parts else arrow.empty(table.arrow_schema)

    def _wanted(
        self, table: Table, account_id: str | None, date: date | None
    ) -> Sequence[Partition]:
        """The one file that is meant, whether it exists or not, or all that exist."""
        if len(table.partitions or ()) == sum(one is not None for one in (account_id, date)):
            return [self.partition(table, account_id, date)]
        found = self.scan(table, account_id)
        for error in found.left_out.values():
            if isinstance(error, DamagedFileError | InaccessibleError):
                raise error
        return [partition for partition in found.files if date in {None, partition.date}]

    def _rows(self, table: Table, where: Partition) -> pa.Table | None:
        try:
            with named(self.store, table, where):
                source = self.store.open(where.key)
                require_own(self.store, table, where, parquet.footer(source))
                return parquet.read(table, where, source)
        except FileNotFoundError:
            return None

    def records_of(
        self, table: Table | str, account_days: Iterable[tuple[str, date]]
    ) -> Sequence[Load | WarehouseError | None]:
        """The records of many account-days (account, date), in their order, or why one cannot be
        read.
        """
        table = self.table(table)
        return self.store.each(lambda cell: self._record_or_error(table, *cell), account_days)

    def _record_or_error(
        self, table: Table, account_id: str, date: date
    ) -> Load | WarehouseError | None:
        try:
            return self._footer(table, self.partition(table, account_id, date)).load
        except (DamagedFileError, InaccessibleError) as error:
            return error

    def loads_of(
        self, table: Table | str, account_days: Iterable[tuple[str, date]]
    ) -> Sequence[Load | None]:
        """As `records_of`, and None for a file that cannot be used, of which the log tells: whoever
        loads treats it as one that is missing.
        """
        records = self.records_of(table, account_days)
        for error in (one for one in records if isinstance(one, WarehouseError)):
            _log.warning("%s", error)
        return [None if isinstance(one, WarehouseError) else one for one in records]

    def load_of(self, table: Table | str, account_id: str, date: date) -> Load | None:
        """The same of one account-day."""
        return self.loads_of(table, [(account_id, date)])[0]

    def loads(self) -> pa.Table:
        """Records of all account-days, as the table `loads`."""
        return parquet.records(self._footers())[0]

    def restatements(self) -> pa.Table:
        """Everything that reloads have changed, as the table `restatements`."""
        return parquet.records(self._footers())[1]

    def partitions(self, table: Table | str, account_id: str | None = None) -> Sequence[Partition]:
        """The files of a table, or those of one account, by account and date. What cannot be read,
        or is not a file of the table, is only logged: see `scan`.
        """
        found = self.scan(table, account_id)
        for error in found.left_out.values():
            _log.warning("%s", error)
        return found.files

    def scan(self, table: Table | str, account_id: str | None = None) -> Listing:
        """The same, with what is left out."""
        return listing_of(self.store, self.table(table), account_id)

    def partition(self, table: Table, account_id: str | None, date: date | None) -> Partition:
        """Name a file, whether it exists or not. Raises WarehouseError as `key` does."""
        return Partition(account_id or "", date, self.key(table, account_id, date))

    def key(self, table: Table | str, account_id: str | None, date: date | None) -> str:
        """Where a file is. Raises WarehouseError for an account id that is not digits."""
        return key_of(self.table(table), account_id, date)

    def write_rejects(self, load: Load, rejects: Sequence[Reject]) -> None:
        """Keep the rejects of a load. Call it before `replace` with the same `load`.

        `replace` removes the rejects of earlier loads. Those of an attempt that never reached
        `replace` stay until then, so that a failure can be examined.
        """
        if rejects:
            self.key(load.table, load.account_id, load.date)  # refuses what is not an account-day
            with self.writing(REJECTS, load.account_id, load.date):
                rejected.keep_of_load(self.store, load, rejects)
            self.changed()

    def _footer(self, table: Table, where: Partition) -> Footer:
        """The footer of a file; an empty one if it does not exist."""
        try:
            with named(self.store, table, where):
                source = self.store.open(where.key, footer_only=True)
            return self.footer_of(table, where, source)
        except FileNotFoundError:
            return parquet.NO_FOOTER

    def footer_of(self, table: Table, where: Partition, source: Path | pa.NativeFile) -> Footer:
        """The footer of a file of this lake or of a copy, completed if older code wrote it. Raises
        FileNotFoundError, DamagedFileError and InaccessibleError.
        """
        with named(self.store, table, where):
            footer = parquet.footer(source)
            require_own(self.store, table, where, footer)
        if (load := footer.load) is None or is_completed(load, table.period):
            return footer
        zone = self._zone_of(load.account_id)
        return footer if zone is None else footer._replace(load=completed(load, zone, table.period))

    def _zone_of(self, account_id: str) -> str | None:
        """Zone of an account from the table `accounts`; None if it is not there."""
        if account_id not in self._zones:
            self._zones[account_id] = None
            # Whoever needs more of `accounts` reports what is wrong with it.
            with suppress(WarehouseError, OSError, pa.ArrowException):
                rows = self.read("accounts").select(["account_id", "account_timezone"]).to_pylist()
                self._zones |= {row["account_id"]: row["account_timezone"] for row in rows}
        return self._zones[account_id]

    def _footers(self) -> Sequence[Footer]:
        files = [
            (table, where)
            for table in lake_tables(self.store, self.catalog).catalog.stored
            if table.partitions == ("account_id", "date")
            for where in self._wanted(table, None, None)
        ]
        return self.store.each(lambda file: self._footer(*file), files)
