"""The published tables at a destination, brought up to date with a snapshot in one transaction.

Its own books say which files of the lake it shows, as those of every published database do. So what
differs is found by comparing two books, and its rows are copied from the snapshot, which was proven
before. Readers see the publish before or this one, whenever a publisher is killed.

Several publishers may share one. Each reads the number of the last publish before it lists the
lake, and changes it with its own: if another one was faster, it starts again, with the lake as it
is then. So nothing newer is ever replaced by something older, whatever the clocks say.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb

from warehouse.errors import WarehouseError
from warehouse.published import build
from warehouse.published.carrying import insertions
from warehouse.published.connections import WRITING, connected
from warehouse.published.copying import execute
from warehouse.published.ducklake import tidying
from warehouse.published.ducklake.attaching import attach, plain
from warehouse.published.manifest import FILES, STATE
from warehouse.schema.records import FAILURES, LOADS, REJECTS, RESTATEMENTS
from warehouse.schema.sql import create_table, literal, name, read_parquet
from warehouse.schema.table import Column, Table
from warehouse.schema.verdicts import METRICS
from warehouse.schema.views.fivetran import FIVETRAN
from warehouse.storage.retry import PUBLISHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from warehouse.published.ducklake.destination import Destination
    from warehouse.schema.catalog import Catalog

__all__ = ["OvertakenError", "mirror", "number_at"]

_SCHEMA: Final = build.SCHEMA

#: One row, which every publish replaces. So of two at once one fails, whatever they change.
LAST_PUBLISH: Final = Table(
    "latest",
    ("number",),
    "The last publish.",
    (
        Column("number", "count", "How many publishes there were"),
        Column("published_at", "instant", "When its publisher began to list the lake"),
        STATE.column("made_by"),
    ),
)

CHANGED: Final = Table(
    "changed",
    ("number", *FILES.grain),
    "The account-days, and files of objects, that each publish changed; see the view change_feed.",
    (
        *(LAST_PUBLISH.column(one) for one in ("number", "published_at")),
        *(FILES.column(one) for one in FILES.grain),
        Column("rows_before", "count", "Rows before; NULL if there was no such file"),
        Column("rows_after", "count", "Rows since then; NULL if the file was removed"),
        Column("spend_before", "money_sum", "Spend before, as `loads` has it"),
        Column("spend_after", "money_sum", "Spend since then"),
    ),
)

_CHANGE_FEED: Final = (
    f"CREATE VIEW {_SCHEMA}.change_feed AS FROM {_SCHEMA}.changed SELECT *, CASE WHEN "
    "rows_before IS NULL THEN 'added' WHEN rows_after IS NULL THEN 'removed' ELSE 'replaced' END "
    "AS change"
)

#: A table, by its schema and name.
_Key = tuple[str, str]

_OURS: Final = {(_SCHEMA, table.name) for table in (LAST_PUBLISH, CHANGED)}

#: The books, which say what a published database has. If their columns differ, all is copied.
_BOOKS: Final = {(_SCHEMA, FILES.name), ("main", LOADS.name), ("main", RESTATEMENTS.name)}

#: The files that a database shows, each with the spend of its load.
_FILES_IN: Final = (
    f"FROM {{database}}.{_SCHEMA}.files AS f LEFT JOIN {{database}}.main.loads AS l"
    " USING (table_name, account_id, date)"
    " SELECT table_name, account_id, date, stamp, f.rows, l.spend"
)
_BEFORE: Final = f"CREATE TEMP TABLE before AS {_FILES_IN.format(database='target')}"
_NOTHING_BEFORE: Final = f"CREATE TEMP TABLE before AS {_FILES_IN.format(database='old')} LIMIT 0"

#: Files that differ, with what there was and what there is. All of a table that is made again.
_DIFFERENCES: Final = (  # names of ours
    f"CREATE TEMP TABLE differing AS FROM ({_FILES_IN.format(database='old')}) AS a FULL JOIN"  # noqa: S608
    " temp.before AS b ON a.table_name = b.table_name AND a.account_id = b.account_id AND"
    " a.date IS NOT DISTINCT FROM b.date SELECT coalesce(a.table_name, b.table_name) AS table_name,"
    " coalesce(a.account_id, b.account_id) AS account_id, coalesce(a.date, b.date) AS date,"
    " a.stamp IS DISTINCT FROM b.stamp AS is_other, b.rows AS rows_before, a.rows AS rows_after,"
    " b.spend AS spend_before, a.spend AS spend_after"
    " WHERE a.stamp IS DISTINCT FROM b.stamp OR list_contains(?, a.table_name)"
)
_KEEP_CHANGES: Final = (
    f"INSERT INTO {_SCHEMA}.changed BY NAME FROM temp.differing SELECT ?::BIGINT AS number,"
    " ?::TIMESTAMPTZ AS published_at, table_name, account_id, date, rows_before, rows_after,"
    " spend_before, spend_after WHERE is_other"
)


class OvertakenError(WarehouseError):
    """Another one is writing there, or was faster: try again with the lake as it is then."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}. It was busy or changed meanwhile, at each of {PUBLISHES} attempts"
        )


def number_at(destination: Destination) -> int:
    """The number of the last publish at a destination; 0 if there was none."""
    with _opened(destination) as connection:
        return _latest(connection).number


def mirror(  # noqa: PLR0913  # what, where, and as of when
    snapshot: Path,
    destination: Destination,
    catalog: Catalog,
    *,
    seen: int,
    now: datetime,
    afresh: bool,
) -> None:
    """Make a destination show what a snapshot shows, in one transaction; none if it does. `seen`:
    its number before the lake was listed. `afresh`: it keeps nothing of what it showed before.
    Raises OvertakenError, and WarehouseError.
    """
    with _opened(destination) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute(f"ATTACH {literal(str(snapshot))} AS old (READ_ONLY)")
        connection.execute("BEGIN")
        last = _latest(connection)
        if last.number != seen:
            raise OvertakenError("another publisher was faster")
        [(made_by,)] = connection.execute(f"FROM old.{_SCHEMA}.state SELECT made_by").fetchall()
        is_other = afresh or made_by != last.made_by
        made: Sequence[str] = []
        if is_other:
            made = _restructure(connection, afresh=afresh)
        else:
            connection.execute(_BEFORE)
        keys = Path(folder) / "keys.parquet"
        is_other |= _replace_files(connection, keys, catalog, last.number + 1, now, made)
        is_other |= _replace_whole(connection)
        if not is_other:
            connection.execute("ROLLBACK")
            return
        connection.execute(f"DELETE FROM {_SCHEMA}.latest")  # noqa: S608  ours
        connection.execute(
            f"INSERT INTO {_SCHEMA}.latest VALUES (?, ?, ?)",  # noqa: S608  ours
            [seen + 1, now, made_by],
        )
        connection.execute("COMMIT")
        tidying.tidy(connection, destination, seen + 1, now, afresh=afresh)


@contextmanager
def _opened(destination: Destination) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that uses the destination, as `target`. Its errors are ours: of another
    publisher at the same time, or what is to be done.
    """
    with closing(connected(":memory:", _FOLLOWING)) as connection:
        try:
            attach(connection, destination, "target")
            yield connection
        except duckdb.Error as error:
            why = plain(error, destination)
            if isinstance(error, duckdb.TransactionException) or _OTHERS.search(why):
                raise OvertakenError(why) from None
            raise WarehouseError(why) from None


#: Those of the master, but for the version of the file.
_FOLLOWING: Final = {key: value for key, value in WRITING.items() if "storage" not in key}

#: What DuckDB, SQLite and Postgres say if somebody else is writing: no class of its own.
#: `already exists` only of the tables of a catalogue, which two may begin at once.
_OTHERS: Final = re.compile(
    r"conflict|database is locked|could not set lock|could not serialize|deadlock detected"
    r"|duplicate key|unique constraint|ducklake_\w+\W{1,3}already exists",
    re.IGNORECASE,
)


class _LastPublish(NamedTuple):
    """The last publish at a destination."""

    number: int = 0
    made_by: str = ""


def _latest(connection: duckdb.DuckDBPyConnection) -> _LastPublish:
    query = f"FROM target.{_SCHEMA}.latest SELECT number, made_by"
    try:
        [row] = connection.execute(query).fetchall()
    except duckdb.CatalogException:
        return _LastPublish()
    return _LastPublish(*row)


def _restructure(connection: duckdb.DuckDBPyConnection, *, afresh: bool) -> Sequence[str]:
    """Make tables, views and comments those of the snapshot; the tables that were made again, which
    are empty. Tables that are as they should be keep their rows, unless all begins `afresh`:
    statistics of a table remember the least and the greatest id that it ever had.
    """
    wanted, there = _tables_in(connection, "old"), _tables_in(connection, "target")
    dropped = {*there} if afresh else set[_Key]()
    there = {} if afresh else there
    views = connection.execute(
        "FROM duckdb_views() SELECT schema_name, view_name WHERE database_name = 'target'"
        " AND NOT internal"
    ).fetchall()
    connection.execute(_BEFORE if there.keys() >= _BOOKS else _NOTHING_BEFORE)
    other = {key for key, columns in wanted.items() if there.get(key) != columns}
    if other & _BOOKS:
        other = {*wanted}
    dropped |= (other & there.keys()) | (there.keys() - wanted.keys() - _OURS)
    execute(connection, (f"DROP VIEW {_named(key)}" for key in views))
    execute(connection, (f"DROP TABLE {_named(key)}" for key in sorted(dropped)))
    if not there:
        schemas = (_SCHEMA, FIVETRAN)
        execute(connection, (f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in schemas))
        execute(connection, [create_table(table, _SCHEMA) for table in (LAST_PUBLISH, CHANGED)])
    for key in sorted(other):
        connection.execute(f"CREATE TABLE {_named(key)} AS FROM old.{_named(key)} LIMIT 0")
    execute(connection, [*_views(connection), _CHANGE_FEED, *_comments(connection)])
    return [table for _, table in other]


def _replace_files(  # noqa: PLR0913, PLR0917  # what, where, and as of when
    connection: duckdb.DuckDBPyConnection,
    keys: Path,
    catalog: Catalog,
    number: int,
    now: datetime,
    made: Sequence[str],
) -> bool:
    """Replace the rows of files that differ from those before, and all of tables that were
    `made`.
    """
    connection.execute(_DIFFERENCES, [list(made)])
    connection.execute(
        f"COPY (FROM temp.differing SELECT table_name, account_id, date) TO {literal(str(keys))}"
    )
    tables = [
        str(table)
        for (table,) in connection.execute(
            "FROM temp.differing SELECT DISTINCT table_name ORDER BY ALL"
        ).fetchall()
    ]
    if not tables:
        return False
    known = [catalog.tables[table] for table in tables if table in catalog.tables]
    execute(connection, build.delete_stale(keys, known))
    execute(connection, insertions(connection, keys, {table.name for table in known}, catalog))
    for table in known:
        _require_same(connection, keys, table)
    connection.execute(_KEEP_CHANGES, [number, now])
    return True


def _require_same(connection: duckdb.DuckDBPyConnection, keys: Path, table: Table) -> None:
    """Raise unless both have the same rows and sums of the files that were copied."""
    parts = table.partitions or ()
    sums = [f"sum({one})" for one in METRICS if one in table.arrow_schema.names]
    measured = ", ".join([*parts, "count(*)", *sums])
    here = f"(FROM {read_parquet(keys.parent, keys.name)} WHERE table_name = {literal(table.name)})"
    rows = " AND ".join([f"s.{one} = t.{one}" for one in parts] or ["true"])
    found = [
        connection.execute(  # names of ours
            f"FROM {database}.main.{name(table.name)} AS t SELECT {measured}"
            f" WHERE EXISTS (FROM {here} AS s WHERE {rows}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for database in ("old", "target")
    ]
    if found[0] != found[1]:
        raise WarehouseError(
            f"the copy of {table.name} there would differ from warehouse.duckdb. If this"
            " persists, please report it"
        )


def _tables_in(
    connection: duckdb.DuckDBPyConnection, database: str
) -> dict[_Key, Sequence[tuple[str, str]]]:
    """The tables of a database, by schema and name, with names and types of their columns."""
    rows = connection.execute(
        "FROM duckdb_columns() AS c SEMI JOIN duckdb_tables() AS t ON t.table_oid = c.table_oid AND"
        " t.database_oid = c.database_oid SELECT schema_name, table_name, column_name, data_type"
        " WHERE database_name = ? AND NOT (schema_name = ? AND table_name = ?)"
        " ORDER BY schema_name, table_name, column_index",
        [database, _SCHEMA, STATE.name],
    ).fetchall()
    found: dict[_Key, list[tuple[str, str]]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), []).append((column, kind))
    return {**found}


def _views(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """Statements that make the views of the snapshot, but for those that read the lake."""
    rows = connection.execute(
        "FROM duckdb_views() SELECT sql WHERE NOT internal AND database_name = 'old'"
        " AND schema_name IN ('main', ?) ORDER BY schema_name <> 'main', view_oid",
        [FIVETRAN],
    ).fetchall()
    return [sql for (sql,) in rows]


def _comments(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """Statements that make the comments of the snapshot. DuckLake keeps none on a column of a
    view.
    """
    of = "database_name = 'old' AND comment IS NOT NULL AND schema_name <> 'lake'"
    query = (  # names of ours
        f"FROM duckdb_tables() SELECT 'TABLE', schema_name, table_name, NULL, comment WHERE {of}"  # noqa: S608
        f" UNION ALL FROM duckdb_views() SELECT 'VIEW', schema_name, view_name, NULL, comment"
        f" WHERE {of} UNION ALL FROM duckdb_columns() SELECT 'COLUMN', schema_name, table_name,"
        f" column_name, comment WHERE {of} AND table_oid IN (FROM duckdb_tables() SELECT table_oid"
        " WHERE database_name = 'old') ORDER BY ALL"
    )
    lines = []
    for kind, schema, relation, column, comment in connection.execute(query).fetchall():
        if (schema, relation) != (_SCHEMA, STATE.name):
            where = _named((schema, relation)) + (f".{name(column)}" if column else "")
            lines.append(f"COMMENT ON {kind} {where} IS {literal(comment)}")
    return lines


def _replace_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Replace tables that are not of files, where they differ; whether one did."""
    differs = False
    for table in (REJECTS.name, FAILURES.name):
        if _digest(connection, "old", table) != _digest(connection, "target", table):
            execute(connection, [f"DELETE FROM {table}", f"INSERT INTO {table} FROM old.{table}"])  # noqa: S608  ours
            differs = True
    return differs


def _digest(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> object:
    return connection.execute(
        f"FROM {database}.main.{table} AS t SELECT count(*), sum(hash(t)::HUGEINT)"
    ).fetchall()


def _named(key: _Key) -> str:
    return ".".join(map(name, key))
