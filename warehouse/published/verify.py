"""Whether a published database has what it says: the tables and views that it was made with, and of
each account the rows of the files it was copied from, with the sums that their loads recorded.

A publish that copies what changed looks at that, before anyone sees it: the footers of the files
are known, so it reads the rows of those account-days and counts the others. One that rebuilds looks
at all, and so does whoever finds a file that is not the one that was put there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb

from warehouse.errors import DamagedFileError
from warehouse.lake.changes import last_publishing
from warehouse.lake.defects.damage import reload_command
from warehouse.lake.footers import NO_FOOTER
from warehouse.published.build import SCHEMA
from warehouse.schema.sql import literal, name
from warehouse.schema.verdicts import METRICS
from warehouse.storage.local import stamp_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.lake.footers import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import Key, LakeFile, LeftOut
    from warehouse.schema.table import Table

__all__ = [
    "Mismatch",
    "damage_of",
    "differences",
    "files_of",
    "is_as_left",
    "is_copied",
    "row_counts",
    "structure_of",
    "wrong_in",
]

_REBUILD: Final = "Run `fbinsights publish`, which rebuilds it from the lake"


class Mismatch(NamedTuple):
    """Rows of a file, or of all files of an account, that are not what they should be."""

    table: str
    account_id: str
    date: date | None
    what: str

    def __str__(self) -> str:
        of = f" of account {self.account_id}" if self.account_id else ""
        on = f" on {self.date}" if self.date else ""
        return f"{self.table}{of}{on} has {self.what}"


def differences(
    connection: duckdb.DuckDBPyConnection, tables: Collection[str], *, by_day: bool = False
) -> Sequence[Mismatch]:
    """Where tables are not what their files and loads say: by account, or by account-day."""
    columns: dict[str, set[str]] = {}
    query = (
        "FROM duckdb_columns() SELECT table_name, column_name WHERE schema_name = 'main'"
        " AND database_name = current_database()"
    )
    for table, column in connection.execute(query).fetchall():
        columns.setdefault(table, set()).add(column)
    query = (
        f"FROM {SCHEMA}.files SELECT table_name, bool_or(account_id <> ''),"
        " bool_or(date IS NOT NULL) GROUP BY ALL"
    )
    parts = {table: _Parts(*has) for table, *has in connection.execute(query).fetchall()}
    rows = row_counts(connection, {*tables} - {*parts})
    empty = {table for table, count in rows.items() if not count}
    return [
        Mismatch(table, *row)
        for table in sorted({*tables} - empty)
        for row in connection.execute(
            _comparison(table, columns[table], parts.get(table, _Parts()), by_day=by_day)
        ).fetchall()
    ]


class _Parts(NamedTuple):
    """What the files of a table are named by."""

    account: bool = False
    day: bool = False


def row_counts(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> Mapping[str, int]:
    """How many rows each of these tables has."""
    if not tables:
        return {}
    counts = ", ".join(f"(SELECT count(*) FROM {name(table)})" for table in tables)  # noqa: S608  ours
    [found] = connection.execute(f"SELECT {counts}").fetchall()
    return dict(zip(tables, found, strict=True))


def _comparison(table: str, columns: Collection[str], parts: _Parts, *, by_day: bool) -> str:
    account = "account_id" if parts.account else "''"
    day = "date" if parts.day and by_day else "NULL::DATE"
    metrics = [metric for metric in METRICS if parts.day and metric in columns]
    there = ", ".join(["count(*) AS rows", *(f"sum({one}) AS {one}" for one in metrics)])
    # A load that has no sum, and a file without a load, prove nothing.
    recorded = ", ".join([
        "sum(f.rows)::BIGINT AS rows",
        # Of a day that has two records, the file would be counted twice.
        "count(DISTINCT f.date) FILTER (f.loads > 0) AS loads",
        "count(l.table_name) AS found",
        *(f"CASE WHEN count(l.{one}) = count(*) THEN sum(l.{one}) END AS {one}" for one in metrics),
    ])  # fmt: skip
    differ = [
        "coalesce(t.rows, 0) <> coalesce(r.rows, 0)",
        "r.found <> r.loads",
        *(f"coalesce(t.{one}, 0) <> r.{one}" for one in metrics),
    ]
    words = [
        "coalesce(t.rows, 0) || ' rows instead of ' || coalesce(r.rows, 0)",
        "CASE WHEN r.found <> r.loads THEN r.found || ' loads instead of ' || r.loads END",
    ] + [
        f"CASE WHEN coalesce(t.{one}, 0) <> r.{one}"
        f" THEN '{one} ' || coalesce(t.{one}, 0) || ' instead of ' || r.{one} END"
        for one in metrics
    ]
    of_file = day.replace("date", "f.date")
    return (  # names of ours
        f"WITH there AS (SELECT {account} AS account, {day} AS day, {there} FROM {name(table)}"  # noqa: S608
        " GROUP BY ALL), recorded AS (SELECT f.account_id AS account,"
        f" {of_file} AS day, {recorded} FROM {SCHEMA}.files AS f"
        " LEFT JOIN loads AS l USING (table_name, account_id, date)"
        f" WHERE f.table_name = {literal(table)} GROUP BY ALL)"
        f" SELECT coalesce(t.account, r.account), coalesce(t.day, r.day),"
        f" concat_ws(', ', {', '.join(words)}) FROM there AS t FULL JOIN recorded AS r"
        " ON t.account = r.account AND t.day IS NOT DISTINCT FROM r.day"
        f" WHERE {' OR '.join(differ)} ORDER BY ALL"
    )


def is_copied(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Table],
    stale: Iterable[Key],
    changed: Iterable[tuple[LakeFile, Footer]],
) -> bool:
    """Whether a database has of each file that `changed` the rows and sums that its footer says,
    nothing of the other `stale` ones, and of all others as many rows and loads as before.
    """
    footers = dict.fromkeys(stale, NO_FOOTER) | {file.key: footer for file, footer in changed}
    by_table: dict[str, dict[Key, Footer]] = {}
    for key, footer in footers.items():
        by_table.setdefault(key[0], {})[key] = footer
    books = [("loads", "sum(loads)", "true")]
    books += [(one, "sum(rows)", f"table_name = {literal(one)}") for one in by_table]
    counts = [  # names of ours
        f"(SELECT count(*) FROM {name(table)}) ="  # noqa: S608
        f" coalesce((SELECT {recorded} FROM {SCHEMA}.files WHERE {only}), 0)"
        for table, recorded, only in books
    ]
    [fit] = connection.execute(f"SELECT {', '.join(counts)}").fetchall()
    return all(fit) and all(
        _has(connection, tables[table], files) for table, files in by_table.items()
    )


def _has(connection: duckdb.DuckDBPyConnection, table: Table, files: Mapping[Key, Footer]) -> bool:
    """Whether a table has the rows of these files of it, with the sums of their loads."""
    parts = table.partitions or ()
    metrics = [one for one in METRICS if "date" in parts and one in table.arrow_schema.names]
    measured = ", ".join(["count(*)", *(f"coalesce(sum({one}), 0)" for one in metrics)])
    wanted = {
        "account_id": {literal(account_id) for _, account_id, _ in files},
        "date": {f"DATE {literal(str(day))}" for _, _, day in files},
    }
    only = " AND ".join([f"{part} IN ({', '.join(sorted(wanted[part]))})" for part in parts])
    rows = connection.execute(  # names of ours
        f"SELECT {', '.join([*parts, measured])} FROM {name(table.name)}"  # noqa: S608
        f" WHERE {only or 'true'} GROUP BY {', '.join(parts) or '()'}"
    ).fetchall()
    found = {row[: len(parts)]: row[len(parts) :] for row in rows}
    nothing = (0, *(0 for _ in metrics))
    for (_, account_id, day), footer in files.items():
        count, *sums = found.get((account_id, day)[: len(parts)], nothing)
        # A load that has no sum, and a file without a load, prove nothing.
        recorded = [getattr(footer.load, one, None) for one in metrics]
        if count != footer.rows or any(
            b is not None and a != b for a, b in zip(sums, recorded, strict=True)
        ):
            return False
    return True


def files_of(lake: Lake, found: Iterable[Mismatch]) -> LeftOut:
    """The files of the lake whose rows are not what their footers say."""
    left_out: LeftOut = {}
    for one in found:
        file = lake.key(one.table, one.account_id or None, one.date)
        command = reload_command(one.table, one.account_id, one.date)
        left_out[file] = DamagedFileError(lake.store.name(file), f"it has {one.what}", command)
    return left_out


def is_as_left(database: Path, stamp: Path) -> bool:
    """Whether a database is as it was when its `stamp` was written down."""
    with suppress(OSError, ValueError):
        return stamp.read_text(encoding="utf-8") == stamp_of(database)
    return False


def structure_of(connection: duckdb.DuckDBPyConnection) -> str:
    """A digest of the tables with their columns, and of the names of the views."""
    [(digest,)] = connection.execute(
        "SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM ("
        "SELECT concat_ws(' ', c.schema_name, c.table_name, column_name, data_type) AS line"
        " FROM duckdb_columns() AS c SEMI JOIN duckdb_tables() AS t ON t.table_oid = c.table_oid"
        " AND t.database_oid = c.database_oid WHERE c.database_name = current_database() UNION ALL"
        " SELECT concat_ws(' ', schema_name, view_name) FROM duckdb_views()"
        " WHERE NOT internal AND database_name = current_database())"
    ).fetchall()
    return str(digest)


def damage_of(link: Path, snapshots: Path) -> str:
    """What is wrong with the published file, with what to do; "" if nothing is. If it is the very
    file that was published, that costs a look at its size and time; else it is read.
    """
    record = last_publishing(snapshots)
    try:
        if record.file == stamp_of(link) and os.access(link, os.R_OK):
            return ""
        with duckdb.connect(link.resolve(), read_only=True) as connection:
            found = wrong_in(connection)
    except (duckdb.Error, OSError) as error:
        found = str(error).strip().splitlines()[0]
    return f"{link} is damaged: {found}. {_REBUILD}" if found else ""


def wrong_in(connection: duckdb.DuckDBPyConnection) -> str:
    """What is wrong in a published database; "" if nothing is, or if an earlier version made it,
    which did not note what it has. Raises duckdb.Error.
    """
    noted = connection.execute(
        "FROM duckdb_columns() SELECT column_name"
        " WHERE database_name = current_database() AND schema_name = ? AND table_name = 'state'",
        [SCHEMA],
    ).fetchall()
    if noted and ("structure",) not in noted:
        return ""
    [(structure,)] = connection.execute(f"FROM {SCHEMA}.state SELECT structure").fetchall()
    if structure != structure_of(connection):
        return "its tables or views are not those that were published"
    tables = connection.execute(f"FROM {SCHEMA}.files SELECT DISTINCT table_name").fetchall()
    found = differences(connection, [table for (table,) in tables])
    return str(found[0]) if found else ""
