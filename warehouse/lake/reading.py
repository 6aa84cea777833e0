"""What the files of a lake say: rows, records of loads, and which files there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse.decode import arrow
from warehouse.errors import (
    DamagedFileError,
    InaccessibleError,
    UnknownTableError,
    WarehouseError,
)
from warehouse.lake import parquet
from warehouse.lake.defects.damage import named, require_own
from warehouse.lake.definitions import lake_tables
from warehouse.lake.footers import NO_FOOTER, read_footer, records
from warehouse.lake.parquet import Partition
from warehouse.lake.paths import Listing, key_of, listing_of
from warehouse.lake.records import completed, is_completed
from warehouse.schema.catalog import OWN, Catalog
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.lake.footers import Footer
    from warehouse.lake.records import Load
    from warehouse.schema.table import Table

__all__ = ["Known", "LakeReader"]

_log = logging.getLogger(__name__)

#: Of a table, for some of these account-days: the stamp that the file had, and its record then.
Known = Callable[[str, "Sequence[tuple[str, date]]"], "Mapping[tuple[str, date], tuple[str, Load]]"]

#: So many files are opened one by one before those of `known` are asked for, which costs as much.
MANY_FILES: Final = 500


class LakeReader:
    """Reads the files of one `store`. Keeps nothing open; safe across threads.

    `root` is the folder on this machine: unfinished files are there, and the published file.
    `catalog` has the tables that the caller knows. `known` has records of files as they were
    once: a look at many account-days takes those of files that are still the same.
    """

    def __init__(
        self, url: str | Path, *, catalog: Catalog = OWN, known: Known | None = None
    ) -> None:
        self.store = open_store(url)
        self.root = self.store.root
        self.catalog = catalog
        self._known = known
        self._opened = 0
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

    def read(
        self,
        table: Table | str,
        *,
        account_id: str | None = None,
        date: date | None = None,
        columns: Sequence[str] = (),
    ) -> pa.Table:
        """All rows, or those of an account or an account-day, with the table's schema. If `columns`
        are named, no others are read.
        """
        table = self.table(table)
        wanted = self._wanted(table, account_id, date)
        read = partial(self._rows, table, columns=columns)
        parts = [rows for rows in self.store.each(read, wanted) if rows is not None]
        schema = table.only(columns).arrow_schema
        return pa.concat_tables(parts) if parts else arrow.empty(schema)

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

    def _rows(self, table: Table, where: Partition, columns: Sequence[str] = ()) -> pa.Table | None:
        try:
            with named(self.store, table, where):
                source = self.store.open(where.key)
                require_own(self.store, table, where, read_footer(source))
                return parquet.read(table.only(columns), where, source)
        except FileNotFoundError:
            return None

    def records_of(
        self, table: Table | str, account_days: Iterable[tuple[str, date]]
    ) -> Sequence[Load | WarehouseError | None]:
        """The records of many account-days (account, date), in their order, or why one cannot be
        read.
        """
        table, cells = self.table(table), [*account_days]
        known = self._known_of(table, cells)
        return self.store.each(
            lambda cell: known.get(cell) or self._record_or_error(table, *cell), cells
        )

    def _known_of(
        self, table: Table, account_days: Sequence[tuple[str, date]]
    ) -> Mapping[tuple[str, date], Load]:
        """Records of those files that are as they were published, once many have been opened. One
        alone is opened: that costs less than to list the files of its account.
        """
        self._opened += len(account_days)
        if self._known is None or self._opened < MANY_FILES or len(account_days) == 1:
            return {}
        published = self._known(table.name, account_days)
        keys = {self.key(table, *cell): cell for cell in published}
        stamps = self.store.stamps(keys)
        return {
            cell: published[cell][1]
            for key, cell in keys.items()
            if stamps.get(key) == published[cell][0]
        }

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
        """As `records_of`, and None for a file that cannot be used, which is logged: a load treats
        it as one that is missing.
        """
        records = self.records_of(table, account_days)
        for error in (one for one in records if isinstance(one, WarehouseError)):
            _log.warning("%s", error)
        return [None if isinstance(one, WarehouseError) else one for one in records]

    def load_of(self, table: Table | str, account_id: str, date: date) -> Load | None:
        """The same for one account-day."""
        return self.loads_of(table, [(account_id, date)])[0]

    def loads(self) -> pa.Table:
        """Records of all account-days, as the table `loads`."""
        return records(self._footers())[0]

    def restatements(self) -> pa.Table:
        """Everything that reloads have changed, as the table `restatements`."""
        return records(self._footers())[1]

    def partitions(self, table: Table | str, account_id: str | None = None) -> Sequence[Partition]:
        """The files of a table, or those of one account, by account and date. What cannot be read,
        or is not a file of the table, is only logged: see `scan`.
        """
        found = self.scan(table, account_id)
        for error in found.left_out.values():
            _log.warning("%s", error)
        return found.files

    def loaded_days(self, table: Table | str, account_id: str) -> Sequence[date]:
        """The days of an account that are in the lake, in order; in a table by week or month, the
        first of each. Lists all its files, which takes a while where there are many.
        """
        return [where.date for where in self.partitions(table, account_id) if where.date]

    def scan(self, table: Table | str, account_id: str | None = None) -> Listing:
        """The same, with what is left out."""
        return listing_of(self.store, self.table(table), account_id)

    def partition(self, table: Table, account_id: str | None, date: date | None) -> Partition:
        """Name a file, whether it exists or not. Raises WarehouseError as `key` does."""
        return Partition(account_id or "", date, self.key(table, account_id, date))

    def key(self, table: Table | str, account_id: str | None, date: date | None) -> str:
        """Where a file is. Raises WarehouseError for an account id that is not digits."""
        return key_of(self.table(table), account_id, date)

    def _footer(self, table: Table, where: Partition) -> Footer:
        """The footer of a file; an empty one if it does not exist."""
        try:
            with named(self.store, table, where):
                source = self.store.open(where.key, footer_only=True)
            return self.footer_of(table, where, source)
        except FileNotFoundError:
            return NO_FOOTER

    def footer_of(self, table: Table, where: Partition, source: Path | pa.NativeFile) -> Footer:
        """The footer of a file of this lake or of a copy, completed if older code wrote it. Raises
        FileNotFoundError, DamagedFileError and InaccessibleError.
        """
        return self.footer_by(table, where, lambda: read_footer(source))

    def footer_by(self, table: Table, where: Partition, read: Callable[[], Footer]) -> Footer:
        """The same by another way to read it."""
        with named(self.store, table, where):
            footer = read()
            require_own(self.store, table, where, footer)
        if (load := footer.load) is None or is_completed(load, table.period):
            return footer
        zone = self._zone_of(load.account_id)
        return footer if zone is None else footer._replace(load=completed(load, zone, table.period))

    def _zone_of(self, account_id: str) -> str | None:
        """Zone of an account from the table `accounts`; None if it is not there."""
        if account_id not in self._zones:
            self._zones[account_id] = None
            # What is wrong with `accounts` is reported where more of it is needed.
            with suppress(WarehouseError, OSError, pa.ArrowException):
                rows = self.read("accounts", columns=("account_id", "account_timezone")).to_pylist()
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
