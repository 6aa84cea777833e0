"""Other engines read the lake by the blocks of docs/engines.md, as they stand there."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.schema.insights import INSIGHTS_HOURLY
from warehouse.schema.table import DECIMAL, INSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DOCS: Final = Path(__file__).resolve().parents[3] / "docs" / "engines.md"
BLOCKS: Final = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

DAYS: Final = [date(2026, 11, 20), date(2026, 11, 21)]

#: A number to a reader that guesses.
ACCOUNTS: Final = ["11", "0012"]

WANTED: Final[Mapping[str, pa.DataType]] = {f.name: f.type for f in INSIGHTS_HOURLY.arrow_schema}

#: Arrow type → Polars' own.
POLARS: Final[Mapping[pa.DataType, Any]] = {
    pa.string(): pl.String(),
    pa.date32(): pl.Date(),
    pa.int8(): pl.Int8(),
    pa.int32(): pl.Int32(),
    pa.int64(): pl.Int64(),
    DECIMAL: pl.Decimal(18, 6),
    INSTANT: pl.Datetime("us", "UTC"),
}


def block(*words: str) -> str:
    """The block in which all of these words are."""
    [found] = [text for text in BLOCKS if all(word in text for word in words)]
    return str(found)


@pytest.fixture
def run(days: Any) -> Callable[[str], Mapping[str, Any]]:
    """Run a block on a lake of two accounts and two days; what it leaves, by name."""
    for account in ACCOUNTS:
        for day in DAYS:
            days.put(account=account, day=day)

    def running(text: str) -> Mapping[str, Any]:
        names: dict[str, Any] = {"root": days.lake.root}
        exec(text, names)  # noqa: S102  # our own documentation
        return names

    return running


@pytest.fixture
def rows(days: Any) -> Callable[..., Sequence[Mapping[str, Any]]]:
    """What the lake itself reads, in an order of its own."""

    def reading(day: date | None = None) -> Sequence[Mapping[str, Any]]:
        return in_order(days.lake.read("insights_hourly", date=day).to_pylist())

    return reading


def in_order(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Rows under the columns of the schema, sorted."""
    return sorted(({name: row[name] for name in WANTED} for row in rows), key=str)


def types_of(schema: pa.Schema) -> Mapping[str, pa.DataType]:
    return {field.name: plain(field.type) for field in schema}


def plain(kind: pa.DataType) -> pa.DataType:
    """The same type under the name that we use: pandas may hold texts and lists as large ones."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, plain(field.type)) for field in kind])
    return kind


def test_pyarrow_reads_a_day_with_the_types_of_the_schema(
    run: Callable[[str], Mapping[str, Any]], rows: Callable[..., Sequence[Mapping[str, Any]]]
) -> None:
    table = run(block("pyarrow.dataset", "filter="))["table"]

    assert types_of(table.schema) == WANTED
    assert in_order(table.to_pylist()) == rows(DAYS[1])


def test_pyarrow_with_our_schema_fills_what_an_older_file_lacks(
    run: Callable[[str], Mapping[str, Any]], days: Any
) -> None:
    text = block("TABLES")
    assert run(text)["table"].schema == INSIGHTS_HOURLY.arrow_schema

    path = days.lake.root / days.lake.key("insights_hourly", "11", DAYS[0])
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["social_spend"]), path)
    table = run(text)["table"]

    assert table.schema == INSIGHTS_HOURLY.arrow_schema
    assert table.num_rows == 6 * len(DAYS) * len(ACCOUNTS)


def test_pandas_reads_all_with_the_types_of_the_schema(
    run: Callable[[str], Mapping[str, Any]], rows: Callable[..., Sequence[Mapping[str, Any]]]
) -> None:
    frame = run(block("pandas"))["frame"]
    table = pa.Table.from_pandas(frame, preserve_index=False)

    assert types_of(table.schema) == WANTED
    assert in_order(table.to_pylist()) == rows()


def test_polars_reads_all_with_the_types_of_the_schema(
    run: Callable[[str], Mapping[str, Any]], rows: Callable[..., Sequence[Mapping[str, Any]]]
) -> None:
    frame = run(block("polars"))["frame"]

    assert {name: frame.schema[name] for name in frame.columns} == {
        name: as_polars(kind) for name, kind in WANTED.items()
    }
    assert in_order(frame.to_dicts()) == rows()


def as_polars(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        entry = {field.name: as_polars(field.type) for field in kind.value_type}
        return pl.List(pl.Struct(entry))
    return POLARS[kind]
