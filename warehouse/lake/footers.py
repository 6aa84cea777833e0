"""The footer of a file of the lake: what the file records about itself."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.lake.footer_keys import read_end
from warehouse.lake.records import (
    LOAD_KEY,
    RESTATEMENTS_KEY,
    Load,
    Restatement,
    from_values,
    to_values,
)
from warehouse.schema.records import LOADS, RESTATEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.footer_keys import End

__all__ = [
    "CONTENT_KEY",
    "KEY_KEY",
    "LISTED_KEY",
    "NO_FOOTER",
    "SINCE_KEY",
    "Content",
    "Footer",
    "read_footer",
    "read_own_footer",
    "records",
]

#: Keys of a footer. Of a file that has no load: its key in the lake.
KEY_KEY: Final = b"fbinsights.key"

#: Of a file of objects: when all of them were last listed.
LISTED_KEY: Final = b"fbinsights.listed_at"

#: Of one of events: since when all of them are there.
SINCE_KEY: Final = b"fbinsights.listed_since"

#: Which columns have a value in some row, how much memory all rows take, and where they end.
CONTENT_KEY: Final = b"fbinsights.content"

#: The schema as Arrow knows it, for most files the same.
ARROW_KEY: Final = b"ARROW:schema"


class Content(NamedTuple):
    """What the writer of a file noted about its rows: which columns have a value in some of them,
    and the bytes that all of them take in memory.
    """

    filled: Sequence[str]
    memory_bytes: int


class Footer(NamedTuple):
    """What a file records about itself: its load, what its predecessors changed, its columns, how
    many rows it has, and the key that it was written for, where a load does not say that ("" in
    files that are older than this record). `listed_at`: of objects, when all were last listed;
    `listed_since`: of events, since when they are there. `content`: None unless it was read from
    the file's end, and where it cannot be relied on.
    """

    load: Load | None
    history: Sequence[Restatement]
    columns: pa.Schema
    rows: int = 0
    key: str = ""
    listed_at: datetime | None = None
    listed_since: datetime | None = None
    content: Content | None = None

    @property
    def filled(self) -> Sequence[str]:
        """The columns that have a value in some row, as far as that is known."""
        return self.columns.names if self.content is None else self.content.filled

    @property
    def memory_bytes(self) -> float:
        """What the rows take in memory; infinite if that is not known."""
        return inf if self.content is None else self.content.memory_bytes


#: The footer of a file that does not exist.
NO_FOOTER: Final = Footer(None, (), pa.schema([]))


def read_footer(source: Path | pa.NativeFile) -> Footer:
    """Read the end of a file. Raises FileNotFoundError."""
    file = pq.read_metadata(source)
    metadata = file.metadata or {}
    known = metadata.get(ARROW_KEY)
    columns = _columns_from(known) if known else file.schema.to_arrow_schema()
    return _footer_from(metadata, columns, file.num_rows)


def read_own_footer(path: Path) -> Footer:
    """The same of a file on this disk, with its `content` and much quicker, if a load wrote it and
    nobody else did since. The rows are as many as its load says then.
    """
    end = read_end(path)
    if end is None or LOAD_KEY not in end.keys or (content := _content_from(end)) is None:
        return read_footer(path)
    footer = _footer_from(end.keys, _columns_from(end.keys[ARROW_KEY]), None)
    return footer._replace(content=content)


def _content_from(end: End) -> Content | None:
    """What the writer noted; None if the rows do not end where they did. Other writers, such as a
    person's script, copy the keys and change the rows.
    """
    noted = json.loads(end.keys.get(CONTENT_KEY, b"{}"))
    if noted.get("end") != end.footer_at:
        return None
    return Content(noted["filled"], noted["memory_bytes"])


@lru_cache(maxsize=64)
def _columns_from(encoded: bytes) -> pa.Schema:
    """The columns of a file from its key ARROW_KEY."""
    return pa.ipc.read_schema(pa.py_buffer(b64decode(encoded)))


def _footer_from(metadata: Mapping[bytes, bytes], columns: pa.Schema, rows: int | None) -> Footer:
    """A footer from what was read of it: its keys, the columns and the number of rows, or else as
    many as its load says.
    """
    encoded = metadata.get(LOAD_KEY)
    load = None if encoded is None else from_values(Load, json.loads(encoded))
    history = json.loads(metadata.get(RESTATEMENTS_KEY, b"[]"))
    return Footer(
        load,
        tuple(from_values(Restatement, change) for change in history),
        columns,
        rows if rows is not None else load.rows if load else 0,
        metadata.get(KEY_KEY, b"").decode(),
        listed_at=_instant(metadata.get(LISTED_KEY)),
        listed_since=_instant(metadata.get(SINCE_KEY)),
    )


def _instant(text: bytes | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.decode())


def records(footers: Iterable[Footer]) -> tuple[pa.Table, pa.Table]:
    """The tables `loads` and `restatements`, from the footers of files."""
    collected = list(footers)
    loads = [_row(footer.load) for footer in collected if footer.load]
    changes = [_row(change) for footer in collected for change in footer.history]
    return (
        arrow.records(LOADS.arrow_schema, loads),
        arrow.records(RESTATEMENTS.arrow_schema, changes),
    )


def _row(record: Load | Restatement) -> dict[str, object]:
    """A record with the names of its table's columns."""
    values = to_values(record)
    return {"table_name": values.pop("table"), **values}
