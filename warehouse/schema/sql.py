"""The tables in DuckDB's SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warehouse.schema.table import Table

__all__ = [
    "create_table",
    "duckdb_type",
    "escaped",
    "literal",
    "name",
    "read_parquet",
    "typed",
    "typed_nothing",
]

#: Arrow type → DuckDB type; decimals, lists and structs are put together in `duckdb_type`.
TYPES: Final[Mapping[pa.DataType, str]] = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.int8(): "TINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}


def duckdb_type(arrow_type: pa.DataType) -> str:
    """DuckDB's type for an Arrow type, as DuckDB itself writes it."""
    if pa.types.is_decimal(arrow_type):
        return f"DECIMAL({arrow_type.precision},{arrow_type.scale})"
    if pa.types.is_list(arrow_type):
        return f"{duckdb_type(arrow_type.value_type)}[]"
    if pa.types.is_struct(arrow_type):
        fields = (f"{name(field.name)} {duckdb_type(field.type)}" for field in arrow_type)
        return f"STRUCT({', '.join(fields)})"
    return TYPES[arrow_type]


def create_table(table: Table, schema: str = "main") -> str:
    """The CREATE statement of an empty table."""
    columns = (f"{name(f.name)} {duckdb_type(f.type)}" for f in table.arrow_schema)
    return f"CREATE TABLE {name(schema)}.{name(table.name)} ({', '.join(columns)})"


def typed(field: pa.Field) -> str:
    """A column of NULLs with a column's name and type."""
    return f"NULL::{duckdb_type(field.type)} AS {name(field.name)}"


def typed_nothing(table: Table) -> str:
    """Select no rows with a table's columns, for a table that has no files yet."""
    return f"(SELECT {', '.join(map(typed, table.arrow_schema))} WHERE false)"


def name(identifier: str) -> str:
    """Quote a name."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text."""
    return "'" + text.replace("'", "''") + "'"


def escaped(folder: Path) -> str:
    """A folder in a pattern of DuckDB, where its own characters mean nothing."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(folder))


def read_parquet(folder: Path, pattern: str, **options: str) -> str:
    """The SQL that reads the files below a folder whose names match.

    The folder is taken literally unless `options` change that: neither ``[x]``, which DuckDB would
    take for a pattern, nor ``date=2026-11-28``, which it would take for a column, means anything.
    """
    settings = {"hive_partitioning": "false", **options}
    options_text = ", ".join(f"{option} = {value}" for option, value in settings.items())
    return f"read_parquet({literal(f'{escaped(folder)}/{pattern}')}, {options_text})"
