"""One Parquet file of the lake: written, with its footer, and read."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.errors import ChangedKindError, WarehouseError
from warehouse.lake.footers import CONTENT_KEY, KEY_KEY, LISTED_KEY, SINCE_KEY
from warehouse.lake.records import LOAD_KEY, RESTATEMENTS_KEY, to_values
from warehouse.schema.columns import FETCHED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from warehouse.lake.records import Load, Restatement
    from warehouse.schema.table import Table

__all__ = [
    "Partition",
    "Writer",
    "content_digest",
    "content_of",
    "read",
    "require_kinds",
]

#: As many rows as DuckDB keeps together; a reader need not hold many at once.
ROW_GROUP_ROWS: Final = 122_880

#: Files that begin with fewer rows have no dictionaries of their texts: they would be up to a tenth
#: larger, and DuckDB would need as much longer to read them.
DICTIONARY_ROWS: Final = 400


@dataclass(frozen=True, slots=True)
class Partition:
    """One file. `account_id` is "" and `date` None where the table has no such folder.

    A file that replaces it has another `stamp`; it is empty if the store was not listed.
    """

    account_id: str
    date: date | None
    key: str
    stamp: str = ""


def content_of(table: Table, rows: pa.Table, where: Partition) -> pa.Table:
    """Rows sorted by grain, without the columns that the folders name.

    Raises WarehouseError for columns that are not the table's and rows of another partition.
    """
    if rows.schema != table.arrow_schema:
        raise WarehouseError(f"The new rows do not have the columns of {table.name}")
    for name in table.partitions or ():
        value = str(getattr(where, name))
        wanted = arrow.constant(value, 1, rows.schema.field(name).type)[0]
        same = pc.equal(rows[name], wanted)
        if same.null_count or not arrow.all_true(same):
            raise WarehouseError(f"Some new rows of {table.name} are not of {name} {value}")
    order = [(name, "ascending") for name in table.grain if name in table.file_schema.names]
    content = rows.select(table.file_schema.names)
    return content.sort_by(order) if order else content


class Writer:
    """A file that is being written elsewhere, until it is finished or abandoned."""

    def __init__(self, table: Table, path: Path) -> None:
        self.path = path
        self._table = table
        self._file = path.open("xb")
        self._parquet: pq.ParquetWriter | None = None
        self._filled: set[str] = set()
        self._memory_bytes = 0

    def write(self, content: pa.Table) -> None:
        """Add rows, as row groups of their own."""
        self._begun(content.num_rows).write_table(content, row_group_size=ROW_GROUP_ROWS)
        self._filled.update(
            name
            for name, column in zip(content.column_names, content.columns, strict=True)
            if column.null_count < content.num_rows
        )
        self._memory_bytes += content.nbytes

    def _begun(self, rows: int) -> pq.ParquetWriter:
        """The file as a writer of Parquet; `rows`: those that it begins with."""
        if self._parquet is None:
            grain = [name for name in self._table.grain if name in self._table.file_schema.names]
            self._parquet = pq.ParquetWriter(
                self._file,
                self._table.file_schema,
                compression="zstd",
                compression_level=3,
                use_dictionary=_texts(self._table) if rows >= DICTIONARY_ROWS else False,
                # Rows are sorted by their grain: only there can a reader skip rows by the minimum
                # and maximum of a column.
                write_statistics=grain,
            )
        return self._parquet

    def finish(
        self,
        load: Load | None = None,
        history: Sequence[Restatement] = (),
        *,
        key: str = "",
        listed_at: datetime | None = None,
        listed_since: datetime | None = None,
    ) -> Path:
        """Write the footer, with the load and what its predecessors changed, and sync to disk.
        `key`: where a file without a load belongs. `listed_at`: of one with objects;
        `listed_since`: of one with events, which are there from then on.
        """
        parquet = self._begun(0)
        noted = {
            "filled": [name for name in self._table.file_schema.names if name in self._filled],
            "memory_bytes": self._memory_bytes,
            "end": self._file.tell(),
        }
        keys = {CONTENT_KEY: json.dumps(noted)}
        if load is None and key:
            keys[KEY_KEY] = key
        if listed_at is not None:
            keys[LISTED_KEY] = listed_at.isoformat()
        if listed_since is not None:
            keys[SINCE_KEY] = listed_since.isoformat()
        if load is not None:
            keys[LOAD_KEY] = json.dumps(to_values(load))
            keys[RESTATEMENTS_KEY] = json.dumps([to_values(change) for change in history])
        parquet.add_key_value_metadata(keys)
        parquet.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.path

    def again(self) -> Writer:
        """A new writer with the same rows, for another footer after the file was finished."""
        other = Writer(self._table, self.path.with_name(f"{self.path.name}.again"))
        rows = pq.ParquetFile(self.path)
        for n in range(rows.num_row_groups):
            other.write(rows.read_row_group(n))
        return other

    def abandon(self) -> None:
        """Close the file unfinished; the owner of the folder removes it."""
        if self._parquet is not None:
            self._parquet.is_open = False  # it must not write a footer when it is collected
        with suppress(OSError):  # of a disk that is full
            self._file.close()


@lru_cache(maxsize=64)
def _texts(table: Table) -> Sequence[str]:
    """Paths of the columns that are text, those inside lists included: few values, often again."""
    return [path for field in table.file_schema for path in _text_paths(field)]


def _text_paths(field: pa.Field) -> Iterator[str]:
    if pa.types.is_string(field.type):
        yield field.name
    elif pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
        entry = field.type.value_type
        texts = (part.name for part in entry if pa.types.is_string(part.type))
        yield from (f"{field.name}.list.element.{name}" for name in texts)


def content_digest(table: Table, source: Path | pa.NativeFile) -> str:
    """A digest of a file's rows: 32 hex digits, the same whenever the same rows were written in the
    same pieces. It leaves out columns that `moves`, such as a signed URL, and when the rows were
    fetched. Raises FileNotFoundError.

    It is computed from the bytes as stored: nothing is decoded, and at most one column of one row
    group is in memory.
    """
    moving = {column.name for column in table.columns if column.moves} | {FETCHED_AT.name}
    digest = hashlib.blake2b(digest_size=16)
    file = source if isinstance(source, pa.NativeFile) else pa.OSFile(str(source))
    metadata = pq.read_metadata(file)
    for group, n in product(range(metadata.num_row_groups), range(metadata.num_columns)):
        chunk = metadata.row_group(group).column(n)
        if chunk.path_in_schema.partition(".")[0] not in moving:
            digest.update(f"{chunk.path_in_schema}\n".encode())
            file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
            digest.update(file.read(chunk.total_compressed_size))
    return digest.hexdigest()


def read(table: Table, where: Partition, source: Path | pa.NativeFile) -> pa.Table:
    """Rows of a file with the table's schema; no other columns are read. A column younger
    than the file is null.

    Raises ChangedKindError.
    """
    file = pq.ParquetFile(source)
    there = frozenset(file.schema_arrow.names)
    content = file.read(columns=[name for name in table.file_schema.names if name in there])
    require_kinds(table, content.schema, where.key)
    columns = []
    for field in table.arrow_schema:
        if field.name in (table.partitions or ()):
            value = str(getattr(where, field.name))
            columns.append(arrow.constant(value, content.num_rows, field.type))
        elif field.name in content.schema.names:
            columns.append(content[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(content.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=table.arrow_schema)


def require_kinds(table: Table, columns: pa.Schema, file: object) -> None:
    """Raise ChangedKindError for a column that had another kind when the file was written.

    A list whose entries have gained fields, such as an attribution window, is of the same kind, and
    so is a decimal that has gained digits before its point.
    """
    for field in table.file_schema:
        at = columns.get_field_index(field.name)
        if at >= 0 and not _grown(columns.field(at).type, field.type):
            raise ChangedKindError(
                table.name, field.name, str(columns.field(at).type), str(field.type), str(file)
            )


def _grown(old: pa.DataType, new: pa.DataType) -> bool:
    if pa.types.is_list(old) and pa.types.is_list(new):
        return _grown(old.value_type, new.value_type)
    if pa.types.is_struct(old) and pa.types.is_struct(new):
        kept = {field.name: field.type for field in new}
        return all(kept.get(field.name) == field.type for field in old)
    if pa.types.is_decimal(old) and pa.types.is_decimal(new):
        return bool(old.scale == new.scale and old.precision <= new.precision)
    return bool(old == new)
