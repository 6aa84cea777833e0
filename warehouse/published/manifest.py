"""The manifest: the files that the lake has now and their content, which publishing compares and
copies.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.errors import (
    DamagedFileError,
    InaccessibleError,
    WarehouseError,
)
from warehouse.lake.defects.damage import named
from warehouse.lake.footers import records
from warehouse.lake.parquet import Partition
from warehouse.lake.paths import found_by_account, listing_from
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import duckdb

    from warehouse.lake.footers import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.schema.catalog import Catalog
    from warehouse.storage.store import Found

__all__ = [
    "FILES",
    "STATE",
    "FilesToCopy",
    "Key",
    "LakeFile",
    "LeftOut",
    "by_table",
    "column_sets_in",
    "differences_from",
    "file_of",
    "freeze",
    "is_below",
    "unreadable_rows",
    "write_records",
]

#: The published file's own records: the file of the lake that each account-day was copied from.
FILES: Final = Table(
    "files",
    ("table_name", "account_id", "date"),
    "Files of the lake that this copy was made from.",
    (
        Column("table_name", "text", "Table of the file"),
        Column("account_id", "id", "Ad account; empty for a file of all accounts"),
        Column("date", "date", "Day of the account's own calendar; NULL for a file of all days"),
        Column("stamp", "text", "Version of the file; another one if the file was replaced"),
        # One text: a checkpoint writes lists of all files again and again.
        Column("columns", "text", "Columns of the file, a comma after each but the last"),
        Column("rows", "count", "Rows of the file"),
        Column("loads", "count", "1 if the file has the record of a load, else 0"),
        Column("later", "count", "1 if its rows were inserted after this copy was made, else 0"),
    ),
)

#: And one row about the copy as a whole.
STATE: Final = Table(
    "state",
    ("version",),
    "What this copy was made from, which shows whether it is up to date.",
    (
        Column("version", "count", "Number of this state, and of the snapshot that has it"),
        Column("made_by", "text", "Digest of the code and tables that made it"),
        Column("lake_views", "text", "Digest of the views in the schema lake"),
        Column("rejects", "text", "Digest of the files that the rejects were copied from"),
        Column("failures", "text", "Digest of the files that the failures were read from"),
        Column("structure", "text", "Digest of the tables and views of this copy"),
    ),
)


#: Which file: table, account ("" if of all accounts) and date (None if of all days).
Key = tuple[str, str, "date | None"]


class LakeFile(NamedTuple):
    """One file of the lake, and the `path` of its frozen copy once there is one.

    A file that replaces it has another `stamp`.
    """

    table: str
    account_id: str
    date: date | None
    stamp: str
    file: str
    path: Path = Path()

    @property
    def key(self) -> Key:
        return self.table, self.account_id, self.date

    @property
    def where(self) -> Partition:
        return Partition(self.account_id, self.date, self.file, self.stamp)


#: What cannot be published as it is: key of a file of the lake, or of a folder → why, with what to
#: do. What an earlier publish took from there stays published.
LeftOut = dict[str, WarehouseError]


def is_below(file: str, left_out: Collection[str]) -> bool:
    """Whether a key is left out, or in a folder that is."""
    parts = file.split("/") if left_out else ()
    return any("/".join(parts[:n]) in left_out for n in range(1, len(parts) + 1))


class FilesToCopy(NamedTuple):
    """Files of the lake that a database is not a copy of, and the keys of those that it is a copy
    of and that are gone, or other ones now.
    """

    files: Sequence[LakeFile] = ()
    stale: Sequence[Key] = ()

    def and_also(self, other: FilesToCopy) -> FilesToCopy:
        return FilesToCopy([*self.files, *other.files], [*self.stale, *other.stale])


def differences_from(
    connection: duckdb.DuckDBPyConnection, lake: Lake, left_out: LeftOut, *, is_new: bool
) -> Iterator[FilesToCopy]:
    """Compare the lake with a database, account by account: all that is in memory is one account
    and a digest of each. What is not a file of the lake, or cannot be read, is put into `left_out`;
    the rows of such a file stay, unless the database `is_new`.
    """
    digests = _digests_in(connection)
    for table in lake.catalog.stored:
        for account_id, found in found_by_account(lake.store, table):
            known = digests.pop((table.name, account_id), "")
            is_clean = not found.unreadable and not (left_out and _is_above(found, left_out))
            if is_clean and known == _digest(found):
                continue
            listing = listing_from(lake.store, table, found)
            left_out.update(listing.left_out)
            files = [
                LakeFile(table.name, one.account_id, one.date, one.stamp, one.key)
                for one in listing.files
            ]
            stamps = _stamps_in(connection, table.name, account_id) if known else {}
            yield _difference(lake, files, stamps, left_out, is_new=is_new)
    for table_name, account_id in digests:
        stamps = _stamps_in(connection, table_name, account_id)
        yield _difference(lake, (), stamps, left_out, is_new=is_new)


def _difference(
    lake: Lake,
    files: Sequence[LakeFile],
    stamps: Mapping[Key, str],
    left_out: LeftOut,
    *,
    is_new: bool,
) -> FilesToCopy:
    listed = {file.key: file.stamp for file in files}
    changed = [
        file
        for file in files
        if stamps.get(file.key) != file.stamp and not is_below(file.file, left_out)
    ]
    stale = [
        key
        for key, stamp in stamps.items()
        if listed.get(key) != stamp or (is_new and is_below(file_of(lake, key), left_out))
    ]
    return FilesToCopy(changed, stale)


def _is_above(found: Found, left_out: LeftOut) -> bool:
    """Whether some of these files are left out."""
    return any(is_below(one.key, left_out) for one in found.files)


def file_of(lake: Lake, key: Key) -> str:
    """The key in the lake of a file that a database was copied from."""
    table, account_id, day = key
    return lake.key(lake.catalog.tables[table], account_id or None, day)


def _digest(found: Found) -> str:
    """A digest of files of an account: of their days and stamps, as `_digests_in` has it."""
    lines = [f"{key.split('/')[-2].partition('=')[2]} {stamp}" for key, stamp in found.files]
    return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def freeze(
    lake: Lake, files: Collection[LakeFile], folder: Path, left_out: LeftOut
) -> Sequence[LakeFile]:
    """Keep files under `folder` as they are now; returns those that still existed. Those that
    cannot be read are put into `left_out`.

    A load that replaces a file meanwhile can then neither fail the read nor make `loads` describe
    rows that were not read. One flat folder per table, because thousands of folders take seconds to
    create and remove: account_id=11/date=2026-11-21/data.parquet is 11,2026-11-21,data.parquet.
    """
    folders = {table: folder / table for table in {file.table for file in files}}
    wanted = [file._replace(path=folders[file.table] / _flat(file)) for file in files]
    stamps = lake.store.freeze([(file.file, file.path) for file in wanted])
    frozen = []
    for file, stamp in zip(wanted, stamps, strict=True):
        if isinstance(stamp, InaccessibleError):
            left_out[file.file] = stamp
        elif stamp is not None:
            frozen.append(file._replace(stamp=stamp))
    return frozen


def _flat(file: LakeFile) -> str:
    _, *folders, name = file.file.split("/")
    return ",".join([*(folder.partition("=")[2] for folder in folders), name])


def unreadable_rows(lake: Lake, files: Iterable[LakeFile]) -> LeftOut:
    """The frozen files of which not all rows can be read: their footers say nothing of that."""
    left_out: LeftOut = {}
    for file in files:
        try:
            with named(lake.store, lake.catalog.tables[file.table], file.where):
                for _ in pq.ParquetFile(file.path).iter_batches():
                    pass
        except (DamagedFileError, InaccessibleError) as error:
            left_out[file.file] = error
    return left_out


def write_records(
    files: Sequence[LakeFile], footers: Sequence[Footer], folder: Path, *, later: bool
) -> None:
    """Write `files`, `loads` and `restatements`, from the footers of frozen files, as Parquet.
    `later`: they are inserted into a copy that was made before.
    """
    loads, restatements = records(footers)
    entries = arrow.records(
        FILES.arrow_schema,
        [_entry(*pair) | {"later": int(later)} for pair in zip(files, footers, strict=True)],
    )
    for name, rows in (("files", entries), ("loads", loads), ("restatements", restatements)):
        pq.write_table(rows, folder / f"{name}.parquet")


def by_table(
    files: Sequence[LakeFile], footers: Sequence[Footer]
) -> Mapping[str, Sequence[Footer]]:
    """The footers of the files of each table."""
    found: dict[str, list[Footer]] = {}
    for file, footer in zip(files, footers, strict=True):
        found.setdefault(file.table, []).append(footer)
    return found


def _digests_in(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """By table and account: a digest of the files that a database was copied from."""
    rows = connection.execute(
        "FROM published.files SELECT table_name, account_id, md5(string_agg("
        "coalesce(date::VARCHAR, account_id) || ' ' || stamp, chr(10) ORDER BY date)) GROUP BY ALL"
    ).fetchall()
    return {(table, account_id): digest for table, account_id, digest in rows}


def _stamps_in(
    connection: duckdb.DuckDBPyConnection, table: str, account_id: str
) -> Mapping[Key, str]:
    """The files of an account that a database was copied from, and which version of each."""
    rows = connection.execute(
        "FROM published.files SELECT date, stamp WHERE table_name = ? AND account_id = ?"
        " ORDER BY ALL",
        [table, account_id],
    ).fetchall()
    return {(table, account_id, day): stamp for day, stamp in rows}


def column_sets_in(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog
) -> Mapping[str, Collection[tuple[str, ...]]]:
    """By table: each set of columns that some file has of which a database is a copy."""
    query = "FROM published.files SELECT DISTINCT table_name, columns ORDER BY ALL"
    sets: dict[str, list[tuple[str, ...]]] = {table.name: [] for table in catalog.stored}
    for table, columns in connection.execute(query).fetchall():
        sets[table].append(tuple(columns.split(",")))
    return sets


def _entry(file: LakeFile, footer: Footer) -> dict[str, object]:
    return {
        "table_name": file.table,
        "account_id": file.account_id,
        "date": file.date,
        "stamp": file.stamp,
        "columns": ",".join(footer.columns.names),
        "rows": footer.rows,
        "loads": int(footer.load is not None),
    }
