"""The published database in SQL: its tables, views and comments, and how rows get into it.

Data reaches DuckDB only as Parquet files; its casts never check anything, because it turns "12a"
into NULL. Everything in the lake was checked when it was decoded.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from warehouse.lake.paths import DATA_FILE
from warehouse.published.manifest import FILES, STATE
from warehouse.schema.records import FAILURES, REJECTS
from warehouse.schema.sql import create_table, literal, name, read_parquet, typed, typed_nothing
from warehouse.schema.views.fivetran import FIVETRAN, fivetran_views

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.footers import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Column, Table

__all__ = [
    "SCHEMA",
    "create",
    "delete_stale",
    "fill_failures",
    "insert_files",
    "insert_records",
    "insert_rejects",
    "lake_views",
]

#: The schema of the published file's own books.
SCHEMA: Final = "published"

#: DuckDB's types of the columns in a path; by default it turns an id into a number.
HIVE_TYPES: Final[Mapping[str, str]] = {
    "account_id": "VARCHAR",
    "date": "DATE",
}

#: The rows of files are gathered before they are inserted if they take less than this on average.
GATHERED_BYTES: Final = 65_536


def create(catalog: Catalog) -> Iterator[str]:
    """Create the empty tables and the views on them, with their comments: each with the statements
    that belong to it.
    """
    yield f"CREATE SCHEMA lake; CREATE SCHEMA {SCHEMA}"
    for table in (FILES, STATE):
        where = f"{SCHEMA}.{name(table.name)}"
        comments = _comments_on("TABLE", where, table.meaning, table.columns)
        yield "; ".join([create_table(table, SCHEMA), *comments])
    for table in catalog.tables.values():
        comments = _comments_on("TABLE", name(table.name), table.comment, table.columns)
        yield "; ".join([create_table(table), *comments])
    for view in catalog.views.values():
        comments = _comments_on("VIEW", name(view.name), view.comment, view.columns)
        yield "; ".join([f"CREATE VIEW {name(view.name)} AS {view.sql}", *comments])
    yield "; ".join([f"CREATE SCHEMA {FIVETRAN}", *_fivetran(catalog)])


def _fivetran(catalog: Catalog) -> Iterator[str]:
    """The views under Fivetran's names. They come in one transaction, which is cheaper."""
    for view in fivetran_views(catalog.tables, catalog.views):
        where = f"{FIVETRAN}.{name(view.name)}"
        yield f"CREATE VIEW {where} AS {view.sql}"
        yield from _comments_on("VIEW", where, view.meaning, view.columns)


def lake_views(
    lake: Lake,
    columns: Mapping[str, Collection[tuple[str, ...]]],
    left_out: Collection[str],
) -> Iterator[str]:
    """Statements that create the views which read the files of the lake directly. There are none
    if DuckDB cannot read them: in a bucket it would need httpfs, which its wheel lacks, and a view
    that fails, or is empty, is worse than none. So there is none of a table while something below
    its folder is `left_out`: DuckDB would stop at it.

    `columns` by table: each set of columns that some file of it has.
    """
    if (root := lake.store.duckdb_root) is None:
        return
    for table in lake.catalog.stored:
        view = f"lake.{name(table.name)}"
        if any(key.split("/")[0] == table.name for key in left_out):
            yield f"DROP VIEW IF EXISTS {view}"
            continue
        yield f"CREATE OR REPLACE VIEW {view} AS {_lake_view(root, table, columns[table.name])}"
        meaning = f"The files of {table.name}, read directly."
        yield from _comments_on("VIEW", view, meaning, table.columns)


def _lake_view(root: Path, table: Table, sets: Collection[tuple[str, ...]]) -> str:
    if not sets:
        return f"FROM {typed_nothing(table)}"
    folders = table.partitions or ()
    of_path = _of_hive if "=" not in str(root) else _of_filename
    files, columns = of_path(root, table, _union(table, sets))
    there = {column for columns in sets for column in columns}
    selected = ", ".join(
        columns[field.name]
        if field.name in folders
        else name(field.name)
        if field.name in there
        else typed(field)
        for field in table.arrow_schema
    )
    return f"SELECT {selected} FROM {files}"  # noqa: S608  ours


def _of_hive(root: Path, table: Table, union: str) -> tuple[str, Mapping[str, str]]:
    """The files of a table, and its columns that DuckDB takes from their paths: the fastest way,
    because a join too skips the files that it does not need.
    """
    folders = table.partitions or ()
    # They need their types said; without them DuckDB guesses.
    types = ", ".join(f"{literal(folder)}: {HIVE_TYPES[folder]}" for folder in folders)
    hive = {"hive_partitioning": "true", "hive_types": f"{{{types}}}"} if folders else {}
    files = read_parquet(root / table.name, _below(table), union_by_name=union, **hive)
    return files, {folder: name(folder) for folder in folders}


def _of_filename(root: Path, table: Table, union: str) -> tuple[str, Mapping[str, str]]:
    """The same for a lake below a folder like ``date=2026-11-28``, which DuckDB would take for a
    column of ours. A filter still leaves files out; a join reads them all.
    """
    tail = len(DATA_FILE) + 1  # /data.parquet
    day = f"filename[-{tail + len('2026-11-28')}:-{tail + 1}]::DATE"
    before_day = tail + len("/date=2026-11-28") if "date" in (table.partitions or ()) else tail
    first = len(str(root / table.name / "account_id=")) + 1
    columns = {
        "account_id": f"filename[{first}:-{before_day + 1}] AS account_id",
        "date": f"{day} AS date",
    }
    files = read_parquet(root / table.name, _below(table), union_by_name=union, filename="true")
    return files, columns


def _below(table: Table) -> str:
    """The pattern of a table's files below its folder."""
    return "/".join([*(f"{folder}=*" for folder in table.partitions or ()), DATA_FILE])


def delete_stale(keys: Path, tables: Iterable[Table]) -> Iterator[str]:
    """Delete all rows of files that changed or were removed; `keys` names them."""
    stale = f"{read_parquet(keys.parent, keys.name)} AS s"
    for table in tables:
        same = [f"s.{name(column)} = t.{name(column)}" for column in table.partitions or ()]
        of_table = f"s.table_name = {literal(table.name)}"
        where = " AND ".join([of_table, *same])
        yield f"DELETE FROM {name(table.name)} AS t USING {stale} WHERE {where}"  # noqa: S608  ours
    for book in (f"{SCHEMA}.files", "loads", "restatements"):
        same = [f"s.{key} IS NOT DISTINCT FROM t.{key}" for key in FILES.grain]
        yield f"DELETE FROM {book} AS t USING {stale} WHERE {' AND '.join(same)}"  # noqa: S608  ours


def insert_records(folder: Path) -> Iterator[str]:
    """Insert the records from the footers of frozen files."""
    for book in (f"{SCHEMA}.files", "loads", "restatements"):
        rows = read_parquet(folder, f"{book.rpartition('.')[2]}.parquet")
        yield f"INSERT INTO {book} BY NAME FROM {rows}"


def insert_files(table: Table, folder: Path, footers: Sequence[Footer]) -> Iterator[str]:
    """Insert all frozen files of a table, which have these `footers`.

    They come in the order of their names, account by account and day by day, each sorted. The rows
    of small files are gathered first: DuckDB would append a few at a time to each column, also to
    those without any value.
    """
    parts = [
        f"split_part(parse_filename(filename), ',', {n})::{HIVE_TYPES[column]} AS {name(column)}"
        for n, column in enumerate(table.partitions or (), start=1)
    ]
    sets = {tuple(one.columns.names) for one in footers}
    filled = {*table.grain, *chain.from_iterable(one.filled for one in footers)}
    there = filled.intersection(chain.from_iterable(sets))
    selected = [name(column) for column in table.file_schema.names if column in there]
    source = read_parquet(
        folder / table.name, "*.parquet", filename="true", union_by_name=_union(table, sets)
    )
    rows = f"SELECT {', '.join([*selected, *parts])} FROM {source}"  # noqa: S608  ours
    into = f"INSERT INTO {name(table.name)} BY NAME"
    if sum(one.memory_bytes for one in footers) < GATHERED_BYTES * len(footers):
        yield f"CREATE TEMP TABLE gathered AS {rows}"
        yield f"{into} FROM temp.gathered"
        yield "DROP TABLE temp.gathered"
    else:
        yield f"{into} {rows}"


def _union(table: Table, sets: Collection[tuple[str, ...]]) -> str:
    """Files that differ in their columns must all be opened before the first is read. So must the
    few files of objects: old ones have money of fewer digits, and DuckDB would take the type of the
    first file for that of all.
    """
    return "true" if len(sets) > 1 or "date" not in (table.partitions or ()) else "false"


def insert_rejects(folder: Path) -> str:
    """Insert the rejects of what is published and of later attempts.

    Those of a load that was replaced may still exist.
    """
    return (
        "INSERT INTO rejects BY NAME SELECT * "  # noqa: S608  ours
        f"FROM {read_parquet(folder, '*.parquet', union_by_name='true')} AS r "
        "WHERE NOT EXISTS (FROM loads AS l WHERE l.table_name = r.table_name "
        "AND l.account_id = r.account_id AND l.date = r.date AND l.loaded_at > r.loaded_at) "
        f"ORDER BY {', '.join(REJECTS.grain)}"
    )


def fill_failures(path: Path) -> str:
    """Insert the failures of what has not been loaded since. A load removes its failure only after
    it has replaced the file.
    """
    return (
        "INSERT INTO failures BY NAME SELECT * "  # noqa: S608  ours
        f"FROM {read_parquet(path.parent, path.name)} AS f "
        "WHERE NOT EXISTS (FROM loads AS l WHERE l.table_name = f.table_name "
        "AND l.account_id = f.account_id AND l.date = f.date AND l.loaded_at > f.failed_at) "
        f"ORDER BY {', '.join(FAILURES.grain)}"
    )


def _comments_on(
    kind: str, relation: str, meaning: str, columns: Sequence[Column]
) -> Iterator[str]:
    yield f"COMMENT ON {kind} {relation} IS {literal(meaning)}"
    for column in columns:
        where = f"{relation}.{name(column.name)}"
        yield f"COMMENT ON COLUMN {where} IS {literal(column.comment)}"
