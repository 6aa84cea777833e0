"""Which tables there are and what their columns mean: from the comments in the published file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pipelines.agents.bounds import RefusedError
from pipelines.agents.results import exact
from warehouse.published.build import SCHEMA
from warehouse.schema.sql import name as quoted

if TYPE_CHECKING:
    from pipelines.agents.bounds import Bounds
    from warehouse.published.opened import Warehouse

__all__ = ["ColumnMeaning", "PublishedTable", "TableList", "TableMeaning", "describe", "tables"]

#: The files of the lake, which agents may not open, and the file's own books.
HIDDEN_SCHEMAS: Final = ("lake", SCHEMA)

#: Where tables have names without a schema.
USUAL_SCHEMA: Final = "main"


@dataclass(frozen=True)
class PublishedTable:
    """A table or view. `meaning` ends with its grain. Rows and days are those of tables; of a view
    they are not counted.
    """

    name: str
    kind: str
    meaning: str
    rows: int | None
    first_day: str | None
    last_day: str | None


@dataclass(frozen=True)
class TableList:
    """All tables and views. `newest_load`: when an account-day was last loaded."""

    tables: list[PublishedTable]
    newest_load: str | None


@dataclass(frozen=True)
class ColumnMeaning:
    """A column with DuckDB's type. `unit` is empty for what has none."""

    name: str
    type: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class TableMeaning:
    """A table or view with its columns."""

    name: str
    kind: str
    meaning: str
    columns: list[ColumnMeaning]


RELATIONS_SQL: Final = """\
select schema_name, table_name as name, 'table' as kind, coalesce(comment, '') as meaning
from duckdb_tables() where database_name = current_database()
union all
select schema_name, view_name, 'view', coalesce(comment, '')
from duckdb_views() where not internal and database_name = current_database()
order by all"""

COLUMNS_SQL: Final = """\
select column_name, data_type, coalesce(comment, '') from duckdb_columns()
where database_name = current_database() and schema_name = $schema and table_name = $name
order by column_index"""

#: A comment, and the unit at its end.
_WITH_UNIT: Final = re.compile(r"(?P<meaning>.*) \[(?P<unit>[^\]]*)\]", re.DOTALL)


def tables(opened: Warehouse, _bounds: Bounds) -> TableList:
    """Every table and view that an agent may query."""
    dated = opened.sql(
        "select schema_name, table_name from duckdb_columns() where column_name = 'date'"
    )
    has_days = set(dated.fetchall())
    found = [
        _counted(opened, (schema, name), kind, meaning, is_dated=(schema, name) in has_days)
        for (schema, name), (kind, meaning) in _relations(opened).items()
    ]
    [(newest,)] = opened.sql("select max(loaded_at) from loads").fetchall()
    return TableList(found, exact(newest))


def describe(opened: Warehouse, _bounds: Bounds, name: str) -> TableMeaning:
    """What a table and its columns mean. Raises RefusedError, which suggests names."""
    there = {_called(*key).lower(): (key, *rest) for key, rest in _relations(opened).items()}
    asked = name.strip().lower().removeprefix(f"{USUAL_SCHEMA}.").replace('"', "")
    if asked not in there:
        near = get_close_matches(asked, there, n=3)
        advice = f"Did you mean {' or '.join(near)}? " if near else ""
        raise RefusedError(
            f"There is no table or view {name!r} for you. {advice}list_tables has all names."
        )
    (schema, table), kind, meaning = there[asked]
    rows = opened.sql(COLUMNS_SQL, {"schema": schema, "name": table}).fetchall()
    return TableMeaning(_called(schema, table), kind, meaning, [_column(*row) for row in rows])


def _relations(opened: Warehouse) -> dict[tuple[str, str], tuple[str, str]]:
    """Schema and name of each table and view → what it is and means."""
    return {
        (schema, name): (kind, meaning)
        for schema, name, kind, meaning in opened.sql(RELATIONS_SQL).fetchall()
        if schema not in HIDDEN_SCHEMAS
    }


def _counted(
    opened: Warehouse, key: tuple[str, str], kind: str, meaning: str, *, is_dated: bool
) -> PublishedTable:
    """With the rows and days of a table: DuckDB knows them without reading it."""
    if kind != "table":
        return PublishedTable(_called(*key), kind, meaning, None, None, None)
    days = "min(date), max(date)" if is_dated else "null, null"
    source = ".".join(map(quoted, key))
    [(rows, first, last)] = opened.sql(f"select count(*), {days} from {source}").fetchall()  # noqa: S608  # names that DuckDB has
    return PublishedTable(_called(*key), kind, meaning, rows, exact(first), exact(last))


def _called(schema: str, name: str) -> str:
    """As SQL has it."""
    return name if schema == USUAL_SCHEMA else f"{schema}.{name}"


def _column(name: str, kind: str, comment: str) -> ColumnMeaning:
    found = _WITH_UNIT.fullmatch(comment)
    unit, meaning = (found["unit"], found["meaning"]) if found else ("", comment)
    return ColumnMeaning(name, kind, unit, meaning)
