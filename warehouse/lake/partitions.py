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

import re
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse.decode import arrow
from warehouse.decode.values import INT64
from warehouse.errors import (
    KeepsProvenError,
    UnknownTableError,
    UnwritableError,
    WarehouseError,
)
from warehouse.lake import parquet
from warehouse.lake import rejects as rejected
from warehouse.lake.changes import note_change
from warehouse.lake.definitions import keep_definition, lake_tables
from warehouse.lake.parquet import Partition, Writer
from warehouse.lake.records import completed, may_replace, restated
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
    from warehouse.storage.store import StoredFile

__all__ = ["DATA_FILE", "Lake", "Partition"]

DATA_FILE: Final = "data.parquet"

_DIGITS: Final = re.compile(r"[0-9]{1,32}")


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
    ) -> pa.Table:
        """Replace the rows of a file by what `change` returns for them; no other writer comes in
        between.

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
                before = self.read(table, account_id=account_id)
                after = change(before)
                is_new = after is not before
                if not is_new:
                    return None
                content = parquet.content_of(table, after, where)
                folder = at_the_end.enter_context(scratch_folder(self.root))
                writer = Writer(table, folder / "rows.unfinished")
                writer.write(content)
                return writer.finish()

            self.store.replace(where.key, write)
        if is_new:
            self.changed()
        return after

    def put(
        self, table: Table, where: Partition, writer: Writer, load: Load | None, rows: int
    ) -> Restatement | None:
        """Finish a file and move it into place; returns what that changed.

        Raises KeepsProvenError, and WarehouseError for the load of other rows.
        """
        _require_same_load(table, where, load, rows)
        change: Restatement | None = None
        written: Writer | None = None

        def write() -> Path:
            nonlocal change, written
            old, history, _ = self._footer(where.key)
            if not may_replace(old, load):
                raise KeepsProvenError(
                    *(table.name, where.account_id, str(where.date)),
                    old=old.verdict if old else "",
                    new=load.verdict if load else "unproven",
                    reason=load.reason if load else "it has no load record",
                )
            change = restated(old, load)
            written = written.again() if written else writer
            return written.finish(load, [*history, change] if change else history)

        with self.writing(table, where.account_id, where.date):
            self._define(table)
            self.store.replace(where.key, write)
        if load:
            rejected.drop_of_earlier_loads(self.store, load, self.now())
        self.changed()
        return change

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
        found = self.partitions(table, account_id)
        return [partition for partition in found if date in {None, partition.date}]

    def _rows(self, table: Table, where: Partition) -> pa.Table | None:
        try:
            return parquet.read(table, where, self.store.open(where.key))
        except FileNotFoundError:
            return None

    def load_of(self, table: Table | str, account_id: str, date: date) -> Load | None:
        """The record of one account-day, from the footer of its file; None if there is none."""
        return self._footer(self.key(self.table(table), account_id, date)).load

    def loads_of(
        self, table: Table | str, account_days: Iterable[tuple[str, date]]
    ) -> Sequence[Load | None]:
        """The records of many account-days (account, date), in their order."""
        table = self.table(table)
        return self.store.each(lambda cell: self.load_of(table, *cell), account_days)

    def loads(self) -> pa.Table:
        """Records of all account-days, as the table `loads`."""
        return parquet.records(self._footers())[0]

    def restatements(self) -> pa.Table:
        """Everything that reloads have changed, as the table `restatements`."""
        return parquet.records(self._footers())[1]

    def partitions(self, table: Table | str, account_id: str | None = None) -> Sequence[Partition]:
        """The files of a table, or those of one account, by account and date."""
        table = self.table(table)
        named = {"account_id": _account_folder(account_id) or "*"}
        folders = [f"{folder}={named.get(folder, '*')}" for folder in table.partitions or ()]
        pattern = "/".join([table.name, *folders, DATA_FILE])
        return [self._partition(found) for found in self.store.find(pattern)]

    def _partition(self, found: StoredFile) -> Partition:
        named = dict(part.split("=", 1) for part in found.key.split("/")[1:-1])
        account_id, day = named.get("account_id"), named.get("date")
        try:
            of = _account_folder(account_id) or "", _day(day) if day else None
            return Partition(*of, found.key, found.stamp)
        except (WarehouseError, ValueError):
            raise WarehouseError(
                f"Unexpected file {self.store.name(found.key)} (not an account/date partition): "
                "move it out of the warehouse"
            ) from None

    def partition(self, table: Table, account_id: str | None, date: date | None) -> Partition:
        """Name a file, whether it exists or not. Raises WarehouseError as `key` does."""
        return Partition(account_id or "", date, self.key(table, account_id, date))

    def key(self, table: Table | str, account_id: str | None, date: date | None) -> str:
        """Where a file is. Raises WarehouseError for an account id that is not digits."""
        table = self.table(table)
        names = {"account_id": _account_folder(account_id), "date": date and date.isoformat()}
        wanted = table.partitions or ()
        given = tuple(name for name, value in names.items() if value is not None)
        if given != wanted:
            raise WarehouseError(
                f"files of {table.name} are named by {list(wanted)}, not by {list(given)}"
            )
        return "/".join([table.name, *(f"{name}={names[name]}" for name in wanted), DATA_FILE])

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

    def _footer(self, key: str) -> Footer:
        """The footer of a file; an empty one if it does not exist."""
        try:
            return self.footer_of(self.store.open(key, footer_only=True))
        except FileNotFoundError:
            return parquet.NO_FOOTER

    def footer_of(self, source: Path | pa.NativeFile) -> Footer:
        """The footer of a file of this lake, completed if older code wrote it. Raises
        FileNotFoundError.
        """
        footer = parquet.footer(source)
        if footer.load is None or footer.load.is_over is not None:
            return footer
        zone = self._zone_of(footer.load.account_id)
        return footer if zone is None else footer._replace(load=completed(footer.load, zone))

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
        keys = [
            found.key
            for table in lake_tables(self.store, self.catalog).catalog.stored
            if table.partitions == ("account_id", "date")
            for found in self.partitions(table)
        ]
        return self.store.each(self._footer, keys)


def _account_folder(account_id: str | None) -> str | None:
    if account_id is not None and not _DIGITS.fullmatch(account_id):
        raise WarehouseError(f"Invalid account id {account_id!r}: expected digits without act_")
    return account_id


def _day(text: str) -> date:
    """The day that a folder is named after. Raises ValueError, also for 20261121 and 2026-W47-6,
    which name a day too: a load would create another folder next to that one.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError
    return day


def _require_same_load(table: Table, where: Partition, load: Load | None, rows: int) -> None:
    if load is None:
        return
    for name in ("impressions", "clicks"):
        if (getattr(load, name) or 0) not in INT64:
            raise WarehouseError(
                f"The sum of {name} over {load.rows} rows does not fit into 64 bits"
            )
    recorded = (load.table, load.account_id, load.date, load.rows)
    if recorded != (table.name, where.account_id, where.date, rows):
        raise WarehouseError(f"The load record is of {recorded}, but the rows are not")
