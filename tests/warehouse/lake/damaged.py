"""Ways in which a file of the lake goes bad, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["IN_ITS_FOOTER", "WAYS"]


def _truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _broken_footer(path: Path) -> None:
    """The magic at both ends is right."""
    content = bytearray(path.read_bytes())
    content[-200:-8] = b"\xff" * 192
    path.write_bytes(content)


def _broken_pages(path: Path) -> None:
    """The footer is right."""
    content = bytearray(path.read_bytes())
    content[60:260] = b"\xff" * 200
    path.write_bytes(content)


def _without_last_row(path: Path) -> None:
    """As a person writes it who has edited the rows; the record of the load is copied along."""
    file = pq.ParquetFile(path)
    rows = file.read().slice(0, file.metadata.num_rows - 1)
    pq.write_table(rows.replace_schema_metadata(file.metadata.metadata), path)


#: What is wrong with the footer, or is said by it.
IN_ITS_FOOTER: Final[Mapping[str, Callable[[Path], object]]] = {
    "truncated": _truncated,
    "garbage": lambda path: path.write_bytes(b"garbage" * 100),
    "empty": lambda path: path.write_bytes(b""),
    "a broken footer": _broken_footer,
    "another schema": lambda path: pq.write_table(pa.table({"x": [1, 2]}), path),
    "rows without a record": lambda path: pq.write_table(
        pq.ParquetFile(path).read().replace_schema_metadata(None), path
    ),
    "a row less": _without_last_row,
}

WAYS: Final[Mapping[str, Callable[[Path], object]]] = {
    **IN_ITS_FOOTER,
    "broken pages": _broken_pages,
}
