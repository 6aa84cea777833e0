"""Footers: the quick way to read one says what the library's says, or leaves it to that."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.warehouse.published.asking import ask
from warehouse.lake.footer_keys import read_end
from warehouse.lake.footers import Content, read_footer, read_own_footer
from warehouse.published.publish import publish
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)


def path_of(lake: Lake) -> Path:
    return lake.root / lake.key("insights_hourly", "11", DAY)


def written_again(path: Path, rows: pa.Table) -> None:
    """As a person's script does it, which keeps the keys."""
    keys = pq.read_metadata(path).metadata
    pq.write_table(rows.replace_schema_metadata(keys), path)


def test_a_footer_is_the_same_either_way_and_its_content_is_that_of_the_rows(
    days: Any, lake: Lake
) -> None:
    days.put()
    days.put(8)  # a restatement
    path = path_of(lake)
    rows = pq.ParquetFile(path).read()
    own = read_own_footer(path)

    assert own._replace(content=None) == read_footer(path)
    assert own.history
    assert own.content is not None
    assert own.filled == [name for name in rows.column_names if rows[name].null_count < len(rows)]
    assert own.filled != rows.column_names
    assert own.memory_bytes > 8 * rows.num_rows


def test_an_account_day_without_rows_has_no_column_with_a_value(days: Any, lake: Lake) -> None:
    days.put(0)

    assert read_own_footer(path_of(lake)).content == Content([], 0)


def test_all_keys_are_found_as_the_library_finds_them(days: Any, lake: Lake) -> None:
    for n in range(12):
        days.put(n)
        path = path_of(lake)
        end = read_end(path)
        assert end is not None
        assert end.keys == pq.read_metadata(path).metadata
        footer_bytes = pq.read_metadata(path).serialized_size
        assert end.footer_at == path.stat().st_size - 8 - footer_bytes


def test_of_a_long_footer_all_keys_are_found_too(tmp_path: Path) -> None:
    path, rows = tmp_path / "long.parquet", pa.table({f"column_{n}": [n] for n in range(900)})
    pq.write_table(rows.replace_schema_metadata({"fbinsights.key": "x" * 300}), path)
    end = read_end(path)

    assert end is not None
    assert end.keys == pq.read_metadata(path).metadata


def test_what_others_have_written_again_has_no_content(days: Any, lake: Lake) -> None:
    days.put()
    path = path_of(lake)
    written_again(path, pq.ParquetFile(path).read().slice(1))
    footer = read_own_footer(path)

    assert (footer.content, footer.rows) == (None, 5)
    assert footer.filled == footer.columns.names


def test_of_what_arrow_has_not_written_nothing_is_said(tmp_path: Path) -> None:
    by_duckdb, many, small = (tmp_path / f"{name}.parquet" for name in ("duckdb", "many", "small"))
    duckdb.sql(f"COPY (SELECT 1 AS x) TO '{by_duckdb}' (KV_METADATA {{'fbinsights.key': 'x'}})")
    keys = {f"fbinsights.{n}": "x" for n in range(20)}
    pq.write_table(pa.table({"x": [1]}).replace_schema_metadata(keys), many)
    small.write_bytes(b"PAR1")

    assert [read_end(many), read_end(small)] == [None, None]
    end = read_end(by_duckdb)
    assert end is None or end.keys == pq.read_metadata(by_duckdb).metadata


def test_a_footer_with_any_byte_broken_says_nothing_or_what_the_bytes_say(
    days: Any, lake: Lake
) -> None:
    days.put()
    path = path_of(lake)
    content, end = path.read_bytes(), read_end(path)
    assert end is not None
    for at in range(end.footer_at, len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        found = read_end(path)
        # Not one byte between the keys may be another, nor one that says how long something is.
        assert found is None or len(found.keys) == len(end.keys)


def test_a_column_that_somebody_fills_in_is_published(days: Any, lake: Lake) -> None:
    days.put()
    path = path_of(lake)
    rows = pq.ParquetFile(path).read()
    name = next(
        column.name
        for column in TABLES["insights_hourly"].columns
        if column.name in rows.column_names
        and pa.types.is_string(rows.schema.field(column.name).type)
        and rows[column.name].null_count == len(rows)
    )
    at = rows.schema.get_field_index(name)
    field, values = rows.schema.field(at), pa.repeat(pa.scalar("by hand"), len(rows))
    written_again(path, rows.set_column(at, field, values))
    publish(lake.root)

    assert ask(lake.root, f"FROM insights_hourly SELECT DISTINCT {name}") == [("by hand",)]
