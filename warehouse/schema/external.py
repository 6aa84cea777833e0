"""The tables in the SQL of other engines: CREATE statements over the files of the lake.

Pure: it connects to no engine. Types follow each engine's own reference for Parquet. If an engine
lacks a type, `docs/engines.md` says what it gets instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse.errors import UnknownTableError
from warehouse.schema.table import INSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Table

__all__ = ["DIALECTS", "create_external", "statements"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an engine writes types and names. `decimal` makes one of precision and scale.

    `nested` is False if a list is one type whatever it contains; `digits_first` if a name in a list
    may begin with a digit, as attribution windows do; `apostrophe` escapes one in a text.
    """

    statement: Callable[[Table, Dialect, str], str]
    scalars: Mapping[pa.DataType, str]
    quote: str
    decimal: Callable[[int, int], str]
    a_list: str
    struct: str = ""
    field: str = ""
    nested: bool = True
    digits_first: bool = True
    apostrophe: str = "''"

    def name(self, identifier: str) -> str:
        """Quote a name."""
        return f"{self.quote}{identifier}{self.quote}"


def engine_type(arrow_type: pa.DataType, dialect: Dialect) -> str:
    """An engine's type for an Arrow type of ours."""
    if pa.types.is_decimal(arrow_type):
        return dialect.decimal(arrow_type.precision, arrow_type.scale)
    if pa.types.is_list(arrow_type):
        inner = engine_type(arrow_type.value_type, dialect) if dialect.nested else ""
        return dialect.a_list.format(inner)
    if pa.types.is_struct(arrow_type):
        fields = (
            dialect.field.format(dialect.name(one.name), engine_type(one.type, dialect))
            for one in arrow_type
        )
        return dialect.struct.format(", ".join(fields))
    return dialect.scalars[arrow_type]


def create_external(table: Table, engine: str, root: str) -> str:
    """The statement that creates a table over the files under `root`, the URL of the lake.

    Raises UnknownTableError for a table that has no files of its own.
    """
    if table.partitions is None:
        raise UnknownTableError(
            f"{table.name} has no files in the lake; read it from warehouse.duckdb"
        )
    dialect = DIALECTS[engine]
    url = f"{root.rstrip('/')}/{table.name}".replace("'", dialect.apostrophe)
    return dialect.statement(table, dialect, url)


def statements(catalog: Catalog, engine: str, root: str, names: Iterable[str] = ()) -> str:
    """All tables that are kept in files, or those named. Raises UnknownTableError."""
    tables = [catalog.table_named(name) for name in names] or catalog.stored
    return "\n\n".join(create_external(table, engine, root) for table in tables)


# -- statements ------------------------------------------------------------------------------------


def _columns(table: Table, dialect: Dialect, *, folders: bool) -> Sequence[str]:
    """``name type`` of the columns that folders name, or of those in the files."""
    return [
        f"{dialect.name(field.name)} {engine_type(field.type, dialect)}"
        for field in table.arrow_schema
        if (field.name in (table.partitions or ())) is folders
        and (dialect.digits_first or not _starts_with_digit(field.type))
    ]


def _starts_with_digit(arrow_type: pa.DataType) -> bool:
    """Whether a list has a field, an attribution window, whose name does."""
    if not (pa.types.is_list(arrow_type) and pa.types.is_struct(arrow_type.value_type)):
        return False
    return any(field.name[0].isdigit() for field in arrow_type.value_type)


def _lines(columns: Iterable[str]) -> str:
    return ",\n  ".join(columns)


def _spark(table: Table, dialect: Dialect, url: str) -> str:
    columns = _lines(_columns(table, dialect, folders=False))
    folders = _columns(table, dialect, folders=True)
    if not folders:
        return f"CREATE TABLE {table.name} (\n  {columns}\n)\nUSING PARQUET\nLOCATION '{url}';"
    names = ", ".join(dialect.name(name) for name in table.partitions or ())
    return (
        f"CREATE TABLE {table.name} (\n  {columns},\n  {_lines(folders)}\n)\nUSING PARQUET\n"
        f"PARTITIONED BY ({names})\nLOCATION '{url}';\n"
        f"MSCK REPAIR TABLE {table.name};"
    )


def _athena(table: Table, dialect: Dialect, url: str) -> str:
    columns = _lines(_columns(table, dialect, folders=False))
    folders = ", ".join(_columns(table, dialect, folders=True))
    head = f"CREATE EXTERNAL TABLE `{table.name}` (\n  {columns}\n)\n"
    tail = f"STORED AS PARQUET\nLOCATION '{url}/';"
    if not folders:
        return head + tail
    return f"{head}PARTITIONED BY ({folders})\n{tail}\nMSCK REPAIR TABLE `{table.name}`;"


def _trino(table: Table, dialect: Dialect, url: str) -> str:
    """Columns of folders must come last, in the order of the folders."""
    folders = _columns(table, dialect, folders=True)
    columns = _lines([*_columns(table, dialect, folders=False), *folders])
    names = ", ".join(f"'{name}'" for name in table.partitions or ())
    settings = ["format = 'PARQUET'", f"external_location = '{url}'"]
    settings += [f"partitioned_by = ARRAY[{names}]"] if names else []
    made = f"CREATE TABLE {table.name} (\n  {columns}\n)\nWITH (\n  {_lines(settings)}\n);"
    if not names:
        return made
    # It needs the name of the schema, which only the person who runs it knows.
    return (
        f"{made}\n-- then: CALL system.sync_partition_metadata"
        f"('<your schema>', '{table.name}', 'FULL');"
    )


def _bigquery(table: Table, dialect: Dialect, url: str) -> str:
    columns = _lines(_columns(table, dialect, folders=False))
    folders = ", ".join(_columns(table, dialect, folders=True))
    options = ["format = 'PARQUET'", f"uris = ['{url}/*']", "enable_list_inference = TRUE"]
    options += [f"hive_partition_uri_prefix = '{url}'"] if folders else []
    by = f"WITH PARTITION COLUMNS ({folders})\n" if folders else ""
    left_out = [f.name for f in table.arrow_schema if _starts_with_digit(f.type)]
    comment = f"-- left out, because names in them begin with a digit: {', '.join(left_out)}\n"
    return (
        f"{comment if left_out else ''}CREATE EXTERNAL TABLE {table.name} (\n  {columns}\n)\n"
        f"{by}OPTIONS (\n  {_lines(options)}\n);"
    )


def _snowflake(table: Table, dialect: Dialect, url: str) -> str:
    """Columns are read from the one column VALUE that such a table has, or from the path: from its
    end, because folders above the lake may have the same names.
    """
    root = url.removesuffix(f"/{table.name}")
    at = {name: -n for n, name in enumerate(reversed(table.partitions or ()), start=2)}
    columns = []
    for field in table.arrow_schema:
        kind = engine_type(field.type, dialect)
        if field.name in at:
            folder = f"SPLIT_PART(METADATA$FILENAME, '/', {at[field.name]})"
            value = f"SPLIT_PART({folder}, '=', 2)"
        else:
            value = f"VALUE:{field.name}"
        columns.append(f"{dialect.name(field.name)} {kind} AS ({value}::{kind})")
    by = f"PARTITION BY ({', '.join(table.partitions)})\n" if table.partitions else ""
    return (
        f"-- after: CREATE STAGE fbinsights URL = '{root}' ...\n"
        f"CREATE EXTERNAL TABLE {table.name} (\n  {_lines(columns)}\n)\n{by}"
        f"LOCATION = @fbinsights/{table.name}/\nPATTERN = '.*[.]parquet'\n"
        f"AUTO_REFRESH = FALSE\nFILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE);\n"
        f"ALTER EXTERNAL TABLE {table.name} REFRESH;"
    )


# -- dialects --------------------------------------------------------------------------------------


def _scalars(*names: str) -> Mapping[pa.DataType, str]:
    kinds = (
        *(pa.string(), pa.bool_(), pa.date32(), pa.int8(), pa.int32(), pa.int64(), pa.float64()),
        INSTANT,
    )
    return dict(zip(kinds, names, strict=True))


def _as(word: str) -> Callable[[int, int], str]:
    return lambda precision, scale: f"{word}({precision},{scale})"


def _numeric(precision: int, scale: int) -> str:
    """BigQuery's NUMERIC has up to 9 digits after the point and 29 before it."""
    fits = scale <= 9 and precision - scale <= 29  # noqa: PLR2004  # its documented limits
    return f"{'NUMERIC' if fits else 'BIGNUMERIC'}({precision},{scale})"


#: engine → how it writes. Sources: Spark SQL, Data Types; Trino, Hive connector (`TIMESTAMP WITH
#: TIME ZONE` is Hive's `WITH LOCAL TIME ZONE`, trino#13595; its precision must be that of
#: ``hive.timestamp-precision``, milliseconds by default); Athena, Data types; BigQuery, Parquet
#: conversions, and Column names (none may begin with a digit); Snowflake, CREATE EXTERNAL TABLE.
DIALECTS: Final[Mapping[str, Dialect]] = {
    "spark": Dialect(
        _spark,
        _scalars(*"STRING BOOLEAN DATE TINYINT INT BIGINT DOUBLE TIMESTAMP".split()),
        quote="`",
        decimal=_as("DECIMAL"),
        a_list="ARRAY<{}>",
        struct="STRUCT<{}>",
        field="{}: {}",
        apostrophe=r"\'",
    ),
    "trino": Dialect(
        _trino,
        _scalars(
            *"VARCHAR BOOLEAN DATE TINYINT INTEGER BIGINT DOUBLE".split(),
            "TIMESTAMP(3) WITH TIME ZONE",
        ),
        quote='"',
        decimal=_as("DECIMAL"),
        a_list="ARRAY({})",
        struct="ROW({})",
        field="{} {}",
    ),
    "athena": Dialect(
        _athena,
        _scalars(*"string boolean date tinyint int bigint double timestamp".split()),
        quote="`",
        decimal=_as("decimal"),
        a_list="array<{}>",
        struct="struct<{}>",
        field="{}:{}",
        apostrophe=r"\'",
    ),
    "bigquery": Dialect(
        _bigquery,
        _scalars(*"STRING BOOL DATE INT64 INT64 INT64 FLOAT64 TIMESTAMP".split()),
        quote="`",
        decimal=_numeric,
        a_list="ARRAY<{}>",
        struct="STRUCT<{}>",
        field="{} {}",
        digits_first=False,
        apostrophe=r"\'",
    ),
    "snowflake": Dialect(
        _snowflake,
        _scalars(
            *("VARCHAR", "BOOLEAN", "DATE", "NUMBER(3,0)", "NUMBER(10,0)", "NUMBER(19,0)"),
            *("FLOAT", "TIMESTAMP_LTZ"),
        ),
        quote="",
        decimal=_as("NUMBER"),
        a_list="ARRAY",
        nested=False,
    ),
}
