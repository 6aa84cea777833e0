"""Fill a DuckDB file from the lake: native tables sorted by grain, comments, views.

Data comes to DuckDB as Parquet files and in no other way; its casts are never the gate, for it
turns "12a" into NULL. What is in the lake was checked when it was decoded.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow.parquet as pq

from warehouse.lake import DATA_FILE, Lake, records
from warehouse.schema import TABLES
from warehouse.sql import create_table, literal, name, typed_nothing
from warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from warehouse.table import Column, Table

__all__ = ["CONFIG", "build", "freeze"]

#: Nothing is fetched from the internet, and instants are shown in UTC wherever the machine is.
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "TimeZone": "UTC",
}

#: Tables that are kept in files.
STORED: Final = [table for table in TABLES.values() if table.partitions is not None]

#: Tables whose rows are read from files when publishing.
FROZEN: Final = [*STORED, TABLES["rejects"]]

#: DuckDB's types of the columns that stand in a path; left to itself it makes a number of an id.
HIVE_TYPES: Final[Mapping[str, str]] = {
    "account_id": "VARCHAR",
    "date": "DATE",
}


def build(lake: Lake, path: Path) -> Mapping[str, int]:
    """Write a database at `path`; rows by table. Raises duckdb.Error and OSError."""
    frozen = path.with_name("frozen")
    freeze(lake, frozen)
    with duckdb.connect(path, config=CONFIG) as connection:
        connection.execute("BEGIN; CREATE SCHEMA lake")
        for table in TABLES.values():
            connection.execute(create_table(table))
        for view in VIEWS.values():
            connection.execute(f"CREATE VIEW {name(view.name)} AS {view.sql}")
        for table in STORED:
            connection.execute(_lake_view(lake, table))
        for comment in _comments():
            connection.execute(comment)
        connection.execute("COMMIT")
        for table, source in _sources(frozen):
            _insert(connection, table, source)
        connection.execute("CHECKPOINT")
        counts = {table: _count(connection, table) for table in TABLES}
    shutil.rmtree(frozen)
    return counts


def freeze(lake: Lake, folder: Path) -> None:
    """Link all files of the lake under `folder`, where they stay as they are now.

    A load that replaces a file meanwhile can then neither fail the read nor make `loads` tell of
    rows that were not read. One flat folder per table, for thousands of folders take seconds to
    make and remove: account_id=11/date=2026-11-21/data.parquet is 11,2026-11-21,data.parquet.
    """
    for table in FROZEN:
        top = lake.root / table.name
        (folder / table.name).mkdir(parents=True)
        stored = table.partitions is not None
        paths = [p.path for p in lake.partitions(table)] if stored else top.rglob("*.parquet")
        for path in paths:
            flat = ",".join(part.rpartition("=")[2] for part in path.relative_to(top).parts)
            with suppress(FileNotFoundError):  # rejects go when their account-day is loaded
                (folder / table.name / flat).hardlink_to(path)


def _sources(frozen: Path) -> Iterator[tuple[Table, str]]:
    """Where the rows of each table come from, as SQL; a table without files has no source."""
    by_table = {table: sorted((frozen / table.name).iterdir()) for table in FROZEN}
    made = records(path for paths in by_table.values() for path in paths)
    for table_name, rows in zip(("loads", "restatements"), made, strict=True):
        path = frozen / f"{table_name}.parquet"
        pq.write_table(rows, path)
        yield TABLES[table_name], f"read_parquet({literal(str(path))})"
    for table, paths in by_table.items():
        if paths:
            yield table, _frozen_rows(frozen, table)


def _frozen_rows(frozen: Path, table: Table) -> str:
    """Read all linked files of a table, with the columns that their names carry."""
    parts = [
        f"split_part(parse_filename(filename), ',', {n})::{HIVE_TYPES[folder]} AS {name(folder)}"
        for n, folder in enumerate(table.partitions or (), start=1)
    ]
    pattern = literal(str(frozen / table.name / "*.parquet"))
    rows = (
        f"SELECT {', '.join(['* EXCLUDE (filename)', *parts])} FROM read_parquet({pattern}, "  # noqa: S608  ours
        "filename = true, hive_partitioning = false, union_by_name = true)"
    )
    return f"({rows}){LIVE if table.name == 'rejects' else ''}"


#: Rejects of what is published and of later attempts: a replaced load's may still lie about.
LIVE: Final = (
    " AS r WHERE NOT EXISTS (FROM loads AS l WHERE l.table_name = r.table_name"
    " AND l.account_id = r.account_id AND l.date = r.date AND l.loaded_at > r.loaded_at)"
)


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    order = ", ".join(name(column) for column in table.grain)
    connection.execute(
        f"INSERT INTO {name(table.name)} BY NAME SELECT * FROM {source} ORDER BY {order}"  # noqa: S608  ours
    )


def _lake_view(lake: Lake, table: Table) -> str:
    """View the files where they lie. The columns of the path need their types said."""
    columns = ", ".join(name(column.name) for column in table.columns)
    folders = table.partitions or ()
    pattern = lake.root.joinpath(table.name, *(f"{folder}=*" for folder in folders), DATA_FILE)
    types = ", ".join(f"{literal(folder)}: {HIVE_TYPES[folder]}" for folder in folders)
    hive = (
        f"hive_partitioning = true, hive_types = {{{types}}}"
        if folders
        else ("hive_partitioning = false")
    )
    files = f"read_parquet({literal(str(pattern))}, {hive})"
    source = files if lake.partitions(table) else typed_nothing(table)
    return f"CREATE VIEW lake.{name(table.name)} AS SELECT {columns} FROM {source}"  # noqa: S608  ours


def _comments() -> Iterator[str]:
    for table in TABLES.values():
        yield from _comments_on("TABLE", name(table.name), table.meaning, table.columns)
    for table in STORED:
        meaning = f"The files of {table.name}, read where they lie."
        yield from _comments_on("VIEW", f"lake.{name(table.name)}", meaning, table.columns)
    for view in VIEWS.values():
        yield from _comments_on("VIEW", name(view.name), view.meaning, view.columns)


def _comments_on(
    kind: str, relation: str, meaning: str, columns: Sequence[Column]
) -> Iterator[str]:
    yield f"COMMENT ON {kind} {relation} IS {literal(meaning)}"
    for column in columns:
        where = f"{relation}.{name(column.name)}"
        yield f"COMMENT ON COLUMN {where} IS {literal(column.comment)}"


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f"FROM {name(table)} SELECT count(*)").fetchall()
    return int(count)
