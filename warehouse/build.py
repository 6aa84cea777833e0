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

from warehouse.lake import DATA_FILE, Lake
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

#: DuckDB's types of the columns that stand in a path; left to itself it makes a number of an id.
HIVE_TYPES: Final[Mapping[str, str]] = {
    "table_name": "VARCHAR",
    "account_id": "VARCHAR",
    "date": "DATE",
}


def build(lake: Lake, path: Path) -> Mapping[str, int]:
    """Write a database at `path`; rows by table. Raises duckdb.Error and OSError."""
    frozen = freeze(lake, path.with_name("lake"))
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
    shutil.rmtree(frozen.root)
    return counts


def freeze(lake: Lake, root: Path) -> Lake:
    """Link all files of the lake under `root`, where they stay as they are now.

    A load that replaces a file meanwhile can then neither fail the read nor make `loads` tell of
    rows that were not read. Raises OSError.
    """
    for table in (*STORED, TABLES["rejects"]):
        for path in (lake.root / table.name).rglob("*.parquet"):
            linked = root / path.relative_to(lake.root)
            linked.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # rejects go when their account-day is loaded
                linked.hardlink_to(path)
    root.mkdir(exist_ok=True)
    return Lake(root)


def _sources(lake: Lake) -> Iterator[tuple[Table, str]]:
    """Where the rows of each table come from, as SQL; a table without rows has no source."""
    for table in STORED:
        if lake.partitions(table):
            yield table, _files(lake, table, "union_by_name = true")
    made = {"loads": lake.loads(), "restatements": lake.restatements()}
    for table_name, rows in made.items():
        path = lake.root / f"{table_name}.parquet"
        pq.write_table(rows, path)
        yield TABLES[table_name], f"read_parquet({literal(str(path))})"
    if next((lake.root / "rejects").rglob("*.parquet"), None):
        yield TABLES["rejects"], _live_rejects(lake)


def _files(lake: Lake, table: Table, *options: str) -> str:
    """Read all files of a stored table, the columns of its path with their right types."""
    folders = table.partitions or ()
    pattern = lake.root.joinpath(table.name, *(f"{folder}=*" for folder in folders), DATA_FILE)
    return _read_parquet(pattern, folders, *options)


def _read_parquet(pattern: Path, folders: Sequence[str], *options: str) -> str:
    types = ", ".join(f"{literal(folder)}: {HIVE_TYPES[folder]}" for folder in folders)
    hive = f"hive_partitioning = true, hive_types = {{{types}}}"
    arguments = [literal(str(pattern)), hive if folders else "hive_partitioning = false", *options]
    return f"read_parquet({', '.join(arguments)})"


def _live_rejects(lake: Lake) -> str:
    """Rejects of what is published and of later attempts; a replaced load's may still lie about."""
    pattern = lake.root.joinpath("rejects", "*", "*", "*", "*.parquet")
    files = _read_parquet(pattern, tuple(HIVE_TYPES))
    return (
        f"(FROM {files} AS r WHERE NOT EXISTS (FROM loads AS l WHERE l.table_name = r.table_name "
        "AND l.account_id = r.account_id AND l.date = r.date AND l.loaded_at > r.loaded_at))"
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    order = ", ".join(name(column) for column in table.grain)
    connection.execute(
        f"INSERT INTO {name(table.name)} BY NAME SELECT * FROM {source} ORDER BY {order}"  # noqa: S608  ours
    )


def _lake_view(lake: Lake, table: Table) -> str:
    columns = ", ".join(name(column.name) for column in table.columns)
    source = _files(lake, table) if lake.partitions(table) else typed_nothing(table)
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
