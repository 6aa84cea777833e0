"""Sorts and merges more rows than should be in memory, and drops rows that arrived twice.

Rows of one key may come more than once, in one part of a report or in several. This module decides
which of them are the same row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date
    from pathlib import Path

__all__ = [
    "PART",
    "PIECE_ROWS",
    "Piece",
    "by_day",
    "in_order",
    "in_pieces",
    "sort",
    "spill",
    "without_repeats",
]

#: The column that says which part of a report a row came with. It is in no file of the lake.
PART: Final = "__part"

#: Rows of a piece. A merge holds about half a piece of every run that it merges.
PIECE_ROWS: Final = 2048

#: New rows that a merge takes before it sorts again, and so about the rows of a row group.
MERGED_ROWS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Piece:
    """Sorted rows, in memory or on disk. `first` is the smallest value of their first key."""

    first: pa.Scalar
    read: Callable[[], pa.Table]


def sort(tables: list[pa.Table], keys: Sequence[str]) -> pa.Table:
    """Sort all of `tables` by keys and part; nulls come last.

    `tables` is emptied, so that there are two copies for a while, not three.
    """
    whole = pa.concat_tables(tables).combine_chunks()
    tables.clear()
    by = [(key, "ascending") for key in (*keys, PART)]
    order = pc.sort_indices(whole, sort_keys=by)
    return whole if _is_ascending(order) else whole.take(order)


def _is_ascending(order: pa.Array) -> bool:
    """Pages may come in order, and then no row has to be moved."""
    return arrow.all_true(pc.less(order[:-1], order[1:]))


def by_day(ordered: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """Split rows that are sorted by date first."""
    start = 0
    for entry in pc.value_counts(ordered["date"]).to_pylist():
        yield entry["values"], ordered.slice(start, entry["counts"])
        start += entry["counts"]


def in_pieces(ordered: pa.Table, first: str, size: int = PIECE_ROWS) -> Iterator[Piece]:
    """Cut sorted rows that stay in memory."""
    for start in range(0, ordered.num_rows, size):
        rows = ordered.slice(start, size)
        yield Piece(rows[first][0], lambda rows=rows: rows)  # type: ignore[misc]  # a default binds it


def spill(ordered: pa.Table, path: Path, first: str) -> Iterator[Piece]:
    """Write sorted rows to a private file of this process. Raises OSError."""
    at = 0
    with path.open("xb") as file:
        for piece in in_pieces(ordered, first):
            [rows] = piece.read().to_batches()
            size = file.write(rows.serialize())
            yield Piece(piece.first, partial(_read, path, at, size, rows.schema))
            at += size


def _read(path: Path, at: int, size: int, schema: pa.Schema) -> pa.Table:
    with path.open("rb", buffering=0) as file:
        file.seek(at)
        piece = pa.ipc.read_record_batch(pa.py_buffer(file.read(size)), schema)
    return pa.Table.from_batches([piece])


def in_order(pieces: Sequence[Piece], keys: Sequence[str]) -> Iterator[pa.Table]:
    """Yield all rows of all pieces, sorted by keys and part; those of one first key together."""
    if len(pieces) == 1:
        yield pieces[0].read()
        return
    waiting = sorted(pieces, key=lambda piece: _rank(piece.first))
    tables: list[pa.Table] = []
    fresh = 0
    for piece, following in pairwise([*waiting, None]):
        tables.append(piece.read())  # type: ignore[union-attr]  # only the last is None
        fresh += tables[-1].num_rows
        if following is None:
            yield sort(tables, keys)
        elif keys and fresh >= MERGED_ROWS:
            ordered = sort(tables, keys)
            done = _before(ordered[keys[0]], following.first)
            if done:
                yield ordered.slice(0, done)
            tables, fresh = [_copy(ordered.slice(done))], 0
            del ordered


def _rank(first: pa.Scalar) -> tuple[bool, Any]:
    value = first.as_py()
    return value is None, value


def _before(keys: pa.ChunkedArray, bound: pa.Scalar) -> int:
    """How many of sorted keys come before `bound`; a null comes last."""
    if not bound.is_valid:
        return len(keys) - int(keys.null_count)
    return pc.sum(pc.less(keys, bound)).as_py() or 0


def _copy(rows: pa.Table) -> pa.Table:
    """A copy of the rows: a slice keeps the whole table it was cut from in memory."""
    return rows.take(arrow.int64s(range(rows.num_rows)))


def without_repeats(
    ordered: pa.Table, keys: Sequence[str], moving: Collection[str]
) -> tuple[pa.Table, int, int]:
    """The rows to keep, how many were dropped, and how many keys different rows still share.

    `ordered` is sorted by `keys`, then by part. Equal rows count once, and so do rows that only
    differ in `moving` columns. Of different rows those of the highest part stay: it was requested
    last.
    """
    again = _same_as_before(ordered, keys)
    if again is None:
        return ordered, 0, 0
    shared = _shared(again.to_pylist())
    dropped, duplicates = set[int](), 0
    rows = iter(ordered.take(arrow.int64s(at for group in shared for at in group)).to_pylist())
    for group in shared:
        kept = _kept(group, list(islice(rows, len(group))), moving)
        dropped |= set(group) - set(kept)
        duplicates += len(kept) > 1
    stay = arrow.int64s(at for at in range(ordered.num_rows) if at not in dropped)
    return ordered.take(stay), len(dropped), duplicates


def _same_as_before(ordered: pa.Table, keys: Sequence[str]) -> pa.Array | None:
    """Whether each row but the first has the keys of the one before it; None if none has."""
    if ordered.num_rows < 2:  # noqa: PLR2004  one row has none before it
        return None
    same = None
    for key in keys:
        values = ordered[key].combine_chunks()
        above, below = values.slice(0, len(values) - 1), values.slice(1)
        equal = arrow.null_is_false(pc.equal(above, below))
        if values.null_count:
            equal = pc.or_(equal, pc.and_(above.is_null(), below.is_null()))
        same = equal if same is None else pc.and_(same, equal)
    if same is None:  # a grain of nothing but account and day: all rows share it
        return pa.repeat(arrow.constant("true", 1, pa.bool_())[0], ordered.num_rows - 1)
    return same if pc.any(same).as_py() else None


def _shared(again: Sequence[bool]) -> list[list[int]]:
    """Positions of rows that share a key, group by group."""
    groups: list[list[int]] = []
    for at, same in enumerate(again, start=1):
        if same and groups and groups[-1][-1] == at - 1:
            groups[-1].append(at)
        elif same:
            groups.append([at - 1, at])
    return groups


def _kept(
    group: Sequence[int], rows: Sequence[dict[str, Any]], moving: Collection[str]
) -> list[int]:
    latest = max(row[PART] for row in rows)
    kept: dict[int, dict[str, Any]] = {}
    for at, row in zip(group, rows, strict=True):
        stable = {name: value for name, value in row.items() if name not in moving}
        if row[PART] == latest and stable not in kept.values():
            kept[at] = stable
    return list(kept)
