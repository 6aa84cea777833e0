"""Pages to columns of text by our own reader in C, at several times the speed of Arrow's.

It takes what Graph sends, and declines whatever is out of the ordinary: Arrow's reader judges that.
Where ours could not be compiled, Arrow's reads everything. `reader.c` says what it takes: texts,
and lists of objects of texts. An object of texts, as in breakdowns by asset, is passed as a list of
one.
"""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["LIBRARY", "read"]


#: A list or an object in an object.
NESTED: Final = re.compile(rb'": ?[\[{]')


class _Column(ctypes.Structure):
    """The `struct column` of `reader.c`, where it is explained."""

    _fields_ = (
        ("key", ctypes.c_char_p),
        ("key_size", ctypes.c_int64),
        ("first_child", ctypes.c_int64),
        ("children", ctypes.c_int64),
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("room", ctypes.c_int64),
        ("data_size", ctypes.c_int64),
        ("data_room", ctypes.c_int64),
        ("validity", ctypes.c_void_p),
        ("offsets", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
    )


def _library() -> ctypes.CDLL | None:
    spec = find_spec(
        "warehouse.decode.native._reader"
    )  # found, not imported: there is no Python in it
    if spec is None or spec.origin is None:
        return None
    library = ctypes.CDLL(spec.origin)  # other threads run while it does
    library.fbinsights_read.restype = ctypes.c_int64
    library.fbinsights_free.argtypes = [ctypes.c_void_p]
    return library


#: The compiled reader; None where there is none.
LIBRARY: Final = _library()


def read(row: pa.StructType, bodies: Sequence[bytes]) -> pa.StructArray | None:
    """All rows of all bodies, in their order; None if they are not just as expected.

    `row` consists of texts, of structs of texts, and of lists of such structs.
    """
    objects = [field.name for field in row if pa.types.is_struct(field.type)]
    if not objects:
        return _read(row, bodies)
    if not all(_looks_flat(name, bodies) for name in objects):
        return None
    counts = {}
    for name in objects:
        bodies, counts[name] = _in_brackets(name, bodies)
    rows = _read(_with_lists(row), bodies)
    return None if rows is None else _without_brackets(row, rows, counts)


def _read(row: pa.StructType, bodies: Sequence[bytes]) -> pa.StructArray | None:
    if LIBRARY is None:
        return None
    described = _described(row)
    columns = (_Column * len(described))(*(_Column(*begins) for begins in described))
    rows = LIBRARY.fbinsights_read(
        columns,
        ctypes.c_int64(row.num_fields),
        ctypes.c_int64(len(columns)),
        (ctypes.c_char_p * len(bodies))(*bodies),
        (ctypes.c_int64 * len(bodies))(*map(len, bodies)),
        ctypes.c_int64(len(bodies)),
    )
    return None if rows < 0 else _struct(row, columns, 0)


def _looks_flat(name: str, bodies: Sequence[bytes]) -> bool:
    """Whether the first object has no list inside: otherwise the page would be declined late."""
    first = next(filter(None, map(_object_of(name).search, bodies[:1])), None)
    return first is None or not NESTED.search(first[2])


def _in_brackets(name: str, bodies: Sequence[bytes]) -> tuple[Sequence[bytes], int]:
    """Put the objects of a key in brackets; returns how many there were.

    Where this goes wrong, the page is declined. In a text a quote follows a backslash, so no text
    contains the key with its quotes. If the first closing brace is in a text, or is that of an
    inner object, the opened bracket is never closed.
    """
    found = [_object_of(name).subn(rb"\1[\2]", body) for body in bodies]
    return [body for body, _ in found], sum(count for _, count in found)


@lru_cache(maxsize=64)
def _object_of(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'("%s": ?)(\{[^}]*\})' % re.escape(name.encode()))


@lru_cache(maxsize=64)
def _with_lists(row: pa.StructType) -> pa.StructType:
    return pa.struct(
        [
            (field.name, pa.list_(field.type) if pa.types.is_struct(field.type) else field.type)
            for field in row
        ]
    )


def _without_brackets(
    row: pa.StructType, rows: pa.StructArray, counts: Mapping[str, int]
) -> pa.StructArray | None:
    """Objects again; None if one of them came as a list."""
    columns = []
    for field in row:
        values = rows.field(field.name)
        if field.name in counts:
            if counts[field.name] != len(values) - values.null_count:
                return None
            values = pc.list_element(values, 0)
        columns.append(values)
    return pa.StructArray.from_arrays(columns, fields=list(row))


@lru_cache(maxsize=64)
def _described(row: pa.StructType) -> Sequence[tuple[bytes, int, int, int]]:
    """The first fields of `struct column`: for each field, then for the entries of each list."""
    fields: list[tuple[bytes, int, int, int]] = []
    entries: list[tuple[bytes, int, int, int]] = []
    for n, field in enumerate(row):
        inner = list(field.type.value_type) if pa.types.is_list(field.type) else []
        fields.append((*_key(field), row.num_fields + len(entries) - n, len(inner)))
        entries += [(*_key(entry), 0, 0) for entry in inner]
    return (*fields, *entries)


def _key(field: pa.Field) -> tuple[bytes, int]:
    key = f'"{field.name}"'.encode()
    return key, len(key)


def _struct(kind: pa.StructType, columns: ctypes.Array[_Column], first: int) -> pa.StructArray:
    arrays = [_array(field.type, columns, first + n) for n, field in enumerate(kind)]
    return pa.StructArray.from_arrays(arrays, fields=list(kind))


def _array(kind: pa.DataType, columns: ctypes.Array[_Column], n: int) -> pa.Array:
    # By hand, for the reader gives buffers. What it costs to have an array from somebody else's
    # reader is in README.md: 2.6 x the CPU of a whole decode at best.
    column = columns[n]
    buffers = [
        _buffer(column.validity, (column.length + 7) // 8),
        _buffer(column.offsets, (column.length + 1) * 4),
    ]
    children = None
    if pa.types.is_list(kind):
        children = [_struct(kind.value_type, columns, n + column.first_child)]
    else:
        buffers.append(_buffer(column.data, column.data_size))
    return pa.Array.from_buffers(kind, column.length, buffers, column.null_count, children=children)


class _ForeignMemory:
    """Memory that the reader allocated. Arrow frees it with the last array that needs it."""

    __slots__ = ("_address", "_free")

    def __init__(self, address: int, free: Callable[[int], None]) -> None:
        self._address = address
        self._free = free

    def __del__(self) -> None:
        self._free(self._address)


def _buffer(address: int | None, size: int) -> pa.Buffer:
    """Hand `size` bytes over to Arrow. A column without values has no memory; zeros replace it."""
    if LIBRARY is None or address is None:
        return pa.py_buffer(bytes(size))
    return pa.foreign_buffer(address, size, _ForeignMemory(address, LIBRARY.fbinsights_free))
