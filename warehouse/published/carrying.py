"""What a new master takes from the file that was published before: everything of tables that are
as they were, which costs a twentieth of reading the lake again; and the rows of files that cannot
be used now.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.published.build import SCHEMA
from warehouse.published.connections import ONE_THREAD
from warehouse.published.manifest import FILES, is_below
from warehouse.schema.sql import literal, name, read_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import LeftOut
    from warehouse.schema.catalog import Catalog

__all__ = ["attach", "carry_all", "carry_over", "insertions"]

_log = logging.getLogger(__name__)

#: The books of a published file, by schema: what it knows of the files that it is a copy of.
BOOKS: Final = ((SCHEMA, "files"), ("main", "loads"), ("main", "restatements"))


def attach(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Attach the published file as `old`. Raises duckdb.Error."""
    connection.execute(f"ATTACH IF NOT EXISTS {literal(str(published))} AS old (READ_ONLY)")


def carry_all(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, commit: Callable[[], None]
) -> bool:
    """Insert what the database `old` has, as it is there, and whether there was anything. A table
    of which the master has some files stays. What has changed in the lake since then is not looked
    at; `commit` is called after each table. Raises duckdb.Error.
    """
    unchanged = _unchanged(connection)
    if not {*BOOKS} <= {*unchanged}:
        return False
    found = connection.execute(
        f"SELECT DISTINCT table_name FROM old.{SCHEMA}.files WHERE table_name NOT IN"  # noqa: S608  ours
        f" (FROM {SCHEMA}.files SELECT table_name) ORDER BY ALL"
    ).fetchall()
    stored = {table.name for table in catalog.stored}
    is_carried = False
    for (table,) in found:
        if table in stored and (columns := unchanged.get(("main", table))):
            # With all threads it is quicker, but takes more than twice as much memory.
            connection.execute(ONE_THREAD)
            for statement in _copies(table, columns):
                connection.execute(statement)
            commit()
            is_carried = True
    return is_carried


def _unchanged(
    connection: duckdb.DuckDBPyConnection,
) -> Mapping[tuple[str, str], Collection[str]]:
    """The columns of each table (schema, name) for which the published file has all that the files
    of the lake have: it has other types of none, and lacks none but those that no file has.
    """
    types: dict[tuple[str, str], dict[str, dict[bool, str]]] = {}
    for is_old, schema, table, column, kind in connection.execute(
        "FROM duckdb_columns() SELECT database_name = 'old', schema_name, table_name, column_name,"
        " data_type WHERE database_name IN ('old', current_database())"
    ).fetchall():
        types.setdefault((schema, table), {}).setdefault(column, {})[is_old] = kind
    filed: dict[tuple[str, str], set[str]] = {}
    query = f"FROM old.{SCHEMA}.files SELECT DISTINCT table_name, columns"
    for table, columns in connection.execute(query).fetchall():
        filed.setdefault(("main", table), set()).update(columns.split(","))
    return {
        table: [column for column, kinds in columns.items() if {*kinds} == {True, False}]
        for table, columns in types.items()
        if all(
            (table not in BOOKS and column not in filed.get(table, ()))
            if True not in kinds
            else kinds.get(False) in {None, kinds[True]}
            for column, kinds in columns.items()
        )
    }


def _copies(table: str, columns: Collection[str]) -> Iterator[str]:
    """Statements that copy a table, with its records."""
    both, there = ", ".join(map(name, columns)), f"old.main.{name(table)}"
    yield f"INSERT INTO {name(table)} BY NAME SELECT {both} FROM {there}"  # noqa: S608  names of ours
    for schema, book in BOOKS:
        only = f"WHERE table_name = {literal(table)}"
        yield f"INSERT INTO {schema}.{book} BY NAME FROM old.{schema}.{book} {only}"


def carry_over(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    frozen: Path,
    published: Path,
    left_out: LeftOut,
) -> None:
    """Insert what the published file has of everything that is left out, with its records. If it
    cannot be read, or is of other tables, that is logged.
    """
    try:
        attach(connection, published)
        rows = connection.execute(
            f"FROM old.{SCHEMA}.files SELECT table_name, account_id, date"
        ).fetchall()
        keys = [
            dict(zip(FILES.grain, key, strict=True))
            for key in rows
            if key[0] in lake.catalog.tables
            and is_below(lake.key(key[0], key[1] or None, key[2]), left_out)
        ]
        path = frozen / "carried.parquet"
        pq.write_table(arrow.records(FILES.arrow_schema, keys), path)
        tables = {key["table_name"] for key in keys}
        statements = list(insertions(connection, path, tables, lake.catalog))
    except duckdb.Error as error:
        _log.warning("%s", _lost(error))
        return
    for statement in statements:
        connection.execute(statement)


def _lost(error: duckdb.Error) -> str:
    return (
        "The old published file cannot be read, so the new one lacks the rows of files in the lake"
        f" that cannot be used now. Reload those, as their messages say. Reason: {error}"
    )


def insertions(
    connection: duckdb.DuckDBPyConnection, keys: Path, tables: Collection[str], catalog: Catalog
) -> Iterator[str]:
    """Statements that insert the rows of files from the database `old`, with their records; `keys`
    names the files.
    """
    carried = f"{read_parquet(keys.parent, keys.name)} AS s"
    for table in sorted(tables):
        same = [f"s.{name(c)} = t.{name(c)}" for c in catalog.tables[table].partitions or ()]
        of_table = f"s.table_name = {literal(table)}"
        yield _insertion(connection, "main", table, carried, [of_table, *same])
    for schema, table in BOOKS:
        same = [f"s.{key} IS NOT DISTINCT FROM t.{key}" for key in FILES.grain]
        yield _insertion(connection, schema, table, carried, same)


def _insertion(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, carried: str, same: list[str]
) -> str:
    columns = connection.execute(
        "FROM duckdb_columns() SELECT column_name WHERE schema_name = ? AND table_name = ?"
        " GROUP BY ALL HAVING count(*) = 2",
        [schema, table],
    ).fetchall()
    both = ", ".join(name(column) for (column,) in columns)
    return (
        f"INSERT INTO {schema}.{name(table)} BY NAME SELECT {both} FROM old.{schema}.{name(table)}"  # noqa: S608  ours
        f" AS t WHERE EXISTS (FROM {carried} WHERE {' AND '.join(same)})"
    )
