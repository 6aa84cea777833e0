"""What a new master takes from the file that was published before: the rows of files that cannot be
used now.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.published.build import SCHEMA
from warehouse.published.manifest import FILES, is_below
from warehouse.schema.sql import literal, name, read_parquet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import LeftOut
    from warehouse.schema.catalog import Catalog

__all__ = ["carry_over", "insertions"]

_log = logging.getLogger(__name__)


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
        connection.execute(f"ATTACH {literal(str(published))} AS old (READ_ONLY)")
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
    for schema, table in ((SCHEMA, "files"), ("main", "loads"), ("main", "restatements")):
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
