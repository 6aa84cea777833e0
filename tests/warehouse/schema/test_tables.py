"""The tables as data: what they ask for, what they are in Arrow and in DuckDB."""

from __future__ import annotations

import hashlib

import duckdb
import pyarrow as pa
import pytest

from warehouse.errors import UnknownTableError
from warehouse.published.connections import CONFIG
from warehouse.schema.catalog import OWN
from warehouse.schema.columns import HOURLY
from warehouse.schema.sql import create_table, duckdb_type
from warehouse.schema.table import KINDS, Column, Table
from warehouse.schema.tables import SCHEMA_VERSION, TABLES

ALL = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)


@ALL
def test_the_grain_and_the_folders_are_columns(table: Table) -> None:
    names = {column.name for column in table.columns}

    assert len(names) == len(table.columns)
    assert {*table.grain, *(table.partitions or ())} <= names


@ALL
def test_every_column_says_what_it_means(table: Table) -> None:
    assert [c.name for c in table.columns if not c.meaning or c.kind not in KINDS] == []


@ALL
def test_money_names_its_unit(table: Table) -> None:
    money = [c for c in table.columns if c.kind.startswith("money")]

    assert all(c.unit == "account currency, major units" for c in money)


@ALL
def test_duckdb_makes_the_table_with_the_types_of_arrow(table: Table) -> None:
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute(create_table(table))
        made = connection.sql(f'SELECT * FROM "{table.name}"').to_arrow_table().schema  # noqa: S608

    assert [(f.name, duckdb_type(f.type)) for f in made] == [
        (f.name, duckdb_type(f.type)) for f in table.arrow_schema
    ]


def test_hourly_insights_ask_for_fields_and_leave_the_hour_to_the_breakdown() -> None:
    table = TABLES["insights_hourly"]

    assert table.fields[:4] == ("account_id", "campaign_id", "adset_id", "ad_id")
    assert "date_start" in table.fields
    assert not {"hour", HOURLY, "hour_start_utc", "account_timezone"} & set(table.fields)
    assert table.breakdowns == (HOURLY,)


def test_objects_ask_for_graphs_own_names() -> None:
    assert TABLES["campaigns"].fields[:3] == ("id", "account_id", "name")
    assert TABLES["accounts"].fields[:2] == ("account_id", "name")
    assert "fetched_at" not in TABLES["ads"].fields


def test_a_file_does_not_repeat_what_its_folders_say() -> None:
    assert {"account_id", "date"}.isdisjoint(TABLES["control_daily"].file_schema.names)


def test_attribution_windows_stand_beside_the_value_of_an_action() -> None:
    column = Column("actions", "actions", "…", windows=("7d_click", "1d_view"))

    entry = column.arrow_type.value_type

    assert [f.name for f in entry] == ["action_type", "value", "7d_click", "1d_view"]
    assert entry.field("7d_click").type == pa.decimal128(18, 6)


def test_a_version_of_the_columns_stands_for_just_these_columns() -> None:
    columns = [
        f"{table.name}.{field.name}: {field.type}"
        for table in OWN.tables.values()
        if table.partitions is not None
        for field in table.arrow_schema
    ]
    digest = hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]

    assert {SCHEMA_VERSION: digest} == {2: "5116d253c65dea40"}, (
        "columns have changed: raise SCHEMA_VERSION, and write it here with the new digest"
    )


def test_an_unknown_table_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(UnknownTableError, match="Choose from: accounts, campaigns"):
        OWN.table_named("campaign")
