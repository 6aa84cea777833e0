"""Statements for other engines, read by a parser of each one's SQL and held against the schema.

What each type of an engine can hold is written down here once more, the other way round.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from warehouse.errors import UnknownTableError
from warehouse.schema.catalog import OWN
from warehouse.schema.external import DIALECTS, create_external, statements
from warehouse.schema.insights import INSIGHTS_DAILY
from warehouse.schema.table import INSTANT, KINDS, Column, Table
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = "s3://bucket/lake"

STORED: Final = (
    *("accounts", "campaigns", "adsets", "ads", "accounts_history", "campaigns_history"),
    *("insights_hourly", "insights_daily", "control_daily"),
)

#: What a plain type holds.
HOLDS: Final[Mapping[str, pa.DataType]] = {
    "TEXT": pa.string(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TINYINT": pa.int8(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float64(),  # Snowflake's has 64 bits
}

#: An instant, and not a time on some wall: engine → type.
INSTANTS: Final[Mapping[str, str]] = {
    "spark": "TIMESTAMPTZ",  # its TIMESTAMP is the one with the session's zone
    "trino": "TIMESTAMPTZ",
    "athena": "TIMESTAMP",  # it has no other; values are in UTC
    "bigquery": "TIMESTAMPTZ",
    "snowflake": "TIMESTAMPLTZ",
}

#: Athena's types in CREATE TABLE are Hive's.
GRAMMAR: Final[Mapping[str, str]] = {"athena": "hive"}

#: Snowflake's integers are numbers with as many digits as these have.
DIGITS: Final = {3: pa.int8(), 10: pa.int32(), 19: pa.int64()}


def columns_in(sql: str, engine: str) -> Mapping[str, exp.DataType]:
    """Column → type, those in PARTITIONED BY or the like included."""
    body = re.search(r"TABLE\s+\S+ \(\n(.*?)\n\)\n?", sql, re.DOTALL)
    assert body
    lines = body[1].split(",\n")
    if folders := re.search(
        r"(?:PARTITIONED BY|PARTITION COLUMNS) \((`\w+` .*)\)$", sql, re.MULTILINE
    ):
        lines += folders[1].split(", ")
    return dict(_column(line.strip(), engine) for line in lines)


def _column(line: str, engine: str) -> tuple[str, exp.DataType]:
    name, _, kind = line.partition(" ")
    kind = kind.partition(" AS (")[0]
    return name.strip('`"'), exp.DataType.build(kind, dialect=GRAMMAR.get(engine, engine))


def held_by(kind: exp.DataType, engine: str) -> pa.DataType:
    """The Arrow type that a type of an engine holds without loss."""
    name = kind.this.name
    if name == "ARRAY":
        return pa.list_(held_by(kind.expressions[0], engine) if kind.expressions else pa.null())
    if name == "STRUCT":
        return pa.struct([(one.this.name, held_by(one.kind, engine)) for one in kind.expressions])
    if name in {"DECIMAL", "BIGDECIMAL"}:
        precision, scale = (int(one.name) for one in kind.expressions)
        return DIGITS[precision] if scale == 0 else pa.decimal128(precision, scale)
    return INSTANT if name == INSTANTS[engine] else HOLDS[name]


def as_held(arrow_type: pa.DataType, engine: str) -> pa.DataType:
    """The same type as far as an engine tells types apart."""
    if engine == "bigquery" and pa.types.is_integer(arrow_type):
        return pa.int64()
    if engine == "snowflake" and pa.types.is_list(arrow_type):
        return pa.list_(pa.null())
    return arrow_type


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("name", STORED)
def test_every_column_has_the_type_of_the_schema(name: str, engine: str) -> None:
    table = TABLES[name]
    told = columns_in(create_external(table, engine, ROOT), engine)

    wanted = {f.name: as_held(f.type, engine) for f in table.arrow_schema}
    if engine == "bigquery":
        wanted = {name: kind for name, kind in wanted.items() if not table.column(name).windows}
    assert {column: held_by(kind, engine) for column, kind in told.items()} == wanted


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_kind_of_column_has_a_type_in_every_engine(engine: str) -> None:
    columns = tuple(Column(f"a_{kind}", kind, "") for kind in KINDS)
    table = Table("own", (), "", columns, partitions=())

    told = columns_in(create_external(table, engine, ROOT), engine)

    assert {column: held_by(kind, engine) for column, kind in told.items()} == {
        f.name: as_held(f.type, engine) for f in table.arrow_schema
    }


@pytest.mark.parametrize("engine", sorted({*DIALECTS} - {"bigquery"}))
def test_a_statement_is_one_of_the_engine_by_its_own_grammar(engine: str) -> None:
    """Of BigQuery's external tables the parser knows too little."""
    parsed = sqlglot.parse_one(
        create_external(INSIGHTS_DAILY, engine, ROOT).partition(";")[0], dialect=engine
    )

    assert isinstance(parsed, exp.Create)
    assert parsed.kind == "TABLE"


PARTITIONED: Final[Mapping[str, str]] = {
    "spark": "PARTITIONED BY (`account_id`, `date`)",
    "trino": "partitioned_by = ARRAY['account_id', 'date']",
    "athena": "PARTITIONED BY (`account_id` string, `date` date)",
    "bigquery": "WITH PARTITION COLUMNS (`account_id` STRING, `date` DATE)",
    "snowflake": "PARTITION BY (account_id, date)",
}


@pytest.mark.parametrize("engine", DIALECTS)
def test_account_and_day_are_folders_and_the_place_is_the_tables(engine: str) -> None:
    sql = create_external(TABLES["insights_hourly"], engine, ROOT + "/")

    assert PARTITIONED[engine] in sql
    place = "@fbinsights/insights_hourly/" if engine == "snowflake" else f"{ROOT}/insights_hourly"
    assert place in sql
    assert ROOT in sql


@pytest.mark.parametrize("engine", DIALECTS)
def test_a_table_in_one_file_has_no_folders(engine: str) -> None:
    assert "PARTITION" not in create_external(TABLES["accounts"], engine, ROOT).upper()


def test_bigquery_says_which_lists_its_rules_for_names_keep_out() -> None:
    sql = create_external(INSIGHTS_DAILY, "bigquery", ROOT)

    assert re.search(r"^-- left out, .*: actions, action_values, .*$", sql, re.MULTILINE)
    assert "1d_click" not in sql


def test_all_tables_that_have_files_are_told_and_others_are_refused() -> None:
    sql = statements(OWN, "trino", ROOT)

    made = set(re.findall(r"CREATE TABLE (\w+)", sql))
    assert made == {name for name, table in TABLES.items() if table.partitions is not None}
    assert set(STORED) <= made
    with pytest.raises(
        UnknownTableError, match=r"has no files in the lake; read it from warehouse\.duckdb"
    ):
        statements(OWN, "trino", ROOT, ["loads"])
