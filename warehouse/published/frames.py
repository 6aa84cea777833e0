"""Results as pandas: types that people compute with at once, or exact ones by choice."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse.schema.table import DECIMAL, WIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd  # type: ignore[import-untyped]  # it ships no types

__all__ = ["exact_frame", "frame", "with_integers"]

#: DuckDB's type for a sum of integers, which has 128 bits.
HUGEINT: Final = pa.decimal128(38, 0)


def with_integers(table: pa.Table) -> pa.Table:
    """Sums of integers as integers, where all of a column fit into 64 bits."""
    return _fitted(table, lambda kind: pa.int64() if kind == HUGEINT else kind)


def frame(table: pa.Table) -> pd.DataFrame:
    """A frame to divide, describe, resample and draw.

    Decimals are float64, dates are datetime64, instants keep their zone, and integers and truth
    values are pandas' own types that have gaps: Int64, boolean. A float has 15 digits: sums of
    money are exact to the cent below ten trillion.
    """
    import pandas as pd  # noqa: PLC0415  # slow to import, and only needed here

    signed = {kind: f"Int{kind.bit_width}" for kind in _SIGNED}
    unsigned = {kind: f"UInt{kind.bit_width}" for kind in _UNSIGNED}
    dtypes = {
        **{kind: pd.api.types.pandas_dtype(name) for kind, name in (signed | unsigned).items()},
        pa.bool_(): pd.BooleanDtype(),
    }
    floats = _fitted(table, lambda kind: pa.float64() if pa.types.is_decimal(kind) else kind)
    return floats.to_pandas(types_mapper=dtypes.get, date_as_object=False)


_SIGNED: Final = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
_UNSIGNED: Final = (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())


def exact_frame(table: pa.Table) -> pd.DataFrame:
    """A frame of Arrow types: decimals stay exact. Sums of money have the type of money where they
    fit into it.
    """
    import pandas as pd  # noqa: PLC0415  # slow to import, and only needed here

    return _fitted(table, _narrowed).to_pandas(types_mapper=pd.ArrowDtype)


def _narrowed(kind: pa.DataType) -> pa.DataType:
    """DuckDB's sums have 38 digits and money of objects has 28. Arrow has no more than 38, and so
    cannot divide or multiply them.
    """
    wide = kind == WIDE or (pa.types.is_decimal(kind) and kind.precision == HUGEINT.precision)
    return pa.decimal128(DECIMAL.precision, kind.scale) if wide else kind


def _fitted(table: pa.Table, to: Callable[[pa.DataType], pa.DataType]) -> pa.Table:
    """Columns cast to the wanted types, if all of their values fit."""
    for n, field in enumerate(table.schema):
        if (kind := to(field.type)) != field.type:
            with suppress(pa.ArrowInvalid):
                table = table.set_column(n, field.name, table.column(n).cast(kind))
    return table
