"""The files that the lake has now and their content: what publishing compares and copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.errors import WarehouseError
from warehouse.lake import parquet
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from warehouse.lake.parquet import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.schema.catalog import Catalog

__all__ = [
    "FILES",
    "STATE",
    "Key",
    "LakeFile",
    "columns_of",
    "freeze",
    "lake_files",
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
        Column("columns", "texts", "Columns of the file"),
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
        Column("later_rows", "count", "Rows inserted since it was made, which are out of order"),
        Column("lake_views", "text", "Digest of the views in the schema lake"),
        Column("rejects", "text", "Digest of the files that the rejects were copied from"),
        Column("failures", "text", "Digest of the files that the failures were read from"),
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


def lake_files(lake: Lake) -> Sequence[LakeFile]:
    """All files of all tables, by table, account and date."""
    return [
        LakeFile(table.name, found.account_id, found.date, found.stamp, found.key)
        for table in lake.catalog.stored
        for found in lake.partitions(table)
    ]


def freeze(lake: Lake, files: Iterable[LakeFile], folder: Path) -> Sequence[LakeFile]:
    """Keep files under `folder` as they are now; returns those that still existed.

    A load that replaces a file meanwhile can then neither fail the read nor make `loads` describe
    rows that were not read. One flat folder per table, because thousands of folders take seconds to
    create and remove: account_id=11/date=2026-11-21/data.parquet is 11,2026-11-21,data.parquet.
    """
    wanted = [file._replace(path=folder / file.table / _flat(file)) for file in files]
    stamps = lake.store.freeze([(file.file, file.path) for file in wanted])
    return [
        file._replace(stamp=stamp)
        for file, stamp in zip(wanted, stamps, strict=True)
        if stamp is not None
    ]


def _flat(file: LakeFile) -> str:
    _, *folders, name = file.file.split("/")
    return ",".join([*(folder.partition("=")[2] for folder in folders), name])


def write_records(
    catalog: Catalog, files: Sequence[LakeFile], footers: Sequence[Footer], folder: Path
) -> None:
    """Write `files`, `loads` and `restatements`, from the footers of frozen files, as Parquet.

    Raises ChangedKindError for a file whose columns now have other kinds in the table, and
    WarehouseError for one that was loaded as another account-day.
    """
    for file, footer in zip(files, footers, strict=True):
        parquet.require_kinds(catalog.tables[file.table], footer.columns, file.file)
        _require_own(file, footer)
    loads, restatements = parquet.records(footers)
    entries = arrow.records(FILES.arrow_schema, map(_entry, files, footers))
    for name, rows in (("files", entries), ("loads", loads), ("restatements", restatements)):
        pq.write_table(rows, folder / f"{name}.parquet")


def columns_of(
    files: Sequence[LakeFile], footers: Sequence[Footer]
) -> Mapping[str, Collection[tuple[str, ...]]]:
    """By table: each set of columns that some file of it has."""
    columns: dict[str, set[tuple[str, ...]]] = {}
    for file, footer in zip(files, footers, strict=True):
        columns.setdefault(file.table, set()).add(tuple(footer.columns.names))
    return columns


def _require_own(file: LakeFile, footer: Footer) -> None:
    """Only the path says whose rows they are: a copy in another folder would count twice."""
    load = footer.load
    if load is not None and (load.account_id, load.date) != file.key[1:]:
        raise WarehouseError(
            f"{file.file} was loaded as {load.date} of account {load.account_id}: move it out of "
            "the warehouse or back to its own folder"
        )


def _entry(file: LakeFile, footer: Footer) -> Mapping[str, object]:
    return {
        "table_name": file.table,
        "account_id": file.account_id,
        "date": file.date,
        "stamp": file.stamp,
        "columns": footer.columns.names,
    }
