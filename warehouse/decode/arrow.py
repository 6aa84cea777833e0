"""Arrow arrays from Python values without `pa.array` and `pa.scalar`.

The first call of either imports pandas, which nothing on the path of the rows needs: a whole
`backfill` of 40,000 rows takes 0.2 of 3.8 CPU-s and 33 of 357 MB more with it. Converting the first
instant to a Python value imports it too. Arrays are made from buffers, records from JSON.
"""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The pools that Arrow prefers keep what is freed, for each thread: with eight account-days in
# flight a third more memory, for no time gained (benchmarks/README.md); 30 of 354 MB for a whole
# `backfill` of 40,000 rows.
pa.set_memory_pool(pa.system_memory_pool())

__all__ = [
    "all_true",
    "constant",
    "empty",
    "int32s",
    "int64s",
    "is_in",
    "null_is_false",
    "python_rows",
    "read_json",
    "records",
    "texts",
    "without",
]

#: What JSON takes as it is for a column of `records`; all else as text.
_AS_IS: Final = (str, NoneType, bool, list, tuple)

#: Rows of `records` that are JSON at the same time: those of creatives have kilobytes each.
_AT_ONCE: Final = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def texts(values: Sequence[str]) -> pa.Array:
    """Make a string array, without nulls. Raises UnicodeEncodeError for a lone surrogate."""
    parts = [value.encode() for value in values]
    ends = array("i", accumulate((len(part) for part in parts), initial=0))
    return pa.Array.from_buffers(
        pa.string(), len(parts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(parts))]
    )


def int64s(values: Iterable[int]) -> pa.Array:
    """Make an int64 array, without nulls."""
    items = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(items), [None, pa.py_buffer(items)])


def int32s(values: Iterable[int]) -> pa.Array:
    """Make an int32 array, without nulls."""
    items = array("i", values)
    return pa.Array.from_buffers(pa.int32(), len(items), [None, pa.py_buffer(items)])


def constant(text: str, length: int, arrow_type: pa.DataType | None = None) -> pa.Array:
    """`text`, cast to `arrow_type`, `length` times."""
    one = texts([text])
    return pa.repeat(one[0] if arrow_type is None else one.cast(arrow_type)[0], length)


def empty(schema: pa.Schema) -> pa.Table:
    """No rows of `schema`; ``schema.empty_table()`` imports pandas."""
    return pa.Table.from_batches([], schema=schema)


def read_json(buffer: bytes, schema: pa.Schema, *, unexpected: str) -> pa.Table:
    """Parse concatenated JSON documents into one chunk. Raises ArrowInvalid."""
    return pj.read_json(
        pa.BufferReader(buffer),
        # One block: a document that straddled two would be an error.
        read_options=pj.ReadOptions(use_threads=False, block_size=len(buffer) + 1),
        parse_options=pj.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=True,
            unexpected_field_behavior=unexpected,
        ),
    )


def records(schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of Python values as a table of `schema`; an absent key is null.

    Values are text, int, float, bool, Decimal, date, datetime with zone, or a list of text.
    Raises ArrowInvalid for one that its column cannot hold exactly.
    """
    as_text = pa.schema([(field.name, _plain_type(field.type)) for field in schema])
    parts, left = [], iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        lines = map(_as_line, some)
        parsed = read_json("\n".join(lines).encode(), as_text, unexpected="error")
        parts.append(parsed.select(schema.names).cast(schema))
    return pa.concat_tables(parts) if parts else empty(schema)


def _as_line(row: Mapping[str, Any]) -> str:
    return json.dumps(
        {key: value if isinstance(value, _AS_IS) else str(value) for key, value in row.items()}
    )


def python_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as ``to_pylist`` returns them, with instants as aware datetimes in UTC."""
    columns = [_python_values(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _python_values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    micros = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
    return [None if n is None else _EPOCH + timedelta(microseconds=n) for n in micros]


def _plain_type(arrow_type: pa.DataType) -> pa.DataType:
    kept = pa.types.is_boolean(arrow_type) or pa.types.is_list(arrow_type)
    return arrow_type if kept else pa.string()


def without(rows: pa.Table, key: str, others: pa.Table) -> pa.Table:
    """The rows whose value of a column `key` is in none of the `others`."""
    return rows.filter(pc.invert(is_in(rows[key], others[key])))


def is_in(values: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """A mask: whether each value is among the others. To combine no chunks imports pandas."""
    known = others.combine_chunks() if others.num_chunks else pa.nulls(0, others.type)
    return pc.is_in(values, value_set=known)


def null_is_false(mask: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A mask in which null counts as false; ``fill_null`` imports pandas."""
    return pc.and_kleene(mask, pc.is_valid(mask))


def all_true(mask: pa.Array) -> bool:
    """Whether no entry is false; a null is neither."""
    return pc.all(mask).as_py() is not False
