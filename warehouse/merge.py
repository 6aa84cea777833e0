"""Sorting more rows than should be in memory: sorted pieces, merged from their smallest key up.

Rows of one key may come more than once, in one part of a report or in several. What is one row
and what are two is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse import arrow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

__all__ = [
    "PART",
    "Piece",
    "by_day",
    "in_order",
    "in_pieces",
    "put_aside",
    "sort",
    "without_repeats",
]

#: The column that says which part of a report a row came with. It is in no file of the lake.
PART: Final = "__part"

#: Rows of a piece. A merge holds about half a piece of every run that it merges.
PIECE_ROWS: Final = 2048

#: New rows that a merge takes before it sorts again; so large are row groups, about.
MERGED_ROWS: Final = 61_440


@dataclass(frozen=True, slots=True)
class Piece:
    """Sorted rows, in memory or on disk. `first` is the smallest value of their first key."""

    first: pa.Scalar
    read: Callable[[], pa.Table]


def sort(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Sort by keys; nulls come last, and rows of one key keep their order."""
    whole = rows.combine_chunks()
    if not keys or whole.num_rows < 2:  # noqa: PLR2004  one row is sorted
        return whole
    order = pc.sort_indices(whole, sort_keys=[(key, "ascending") for key in keys])
    return whole.take(order)


def by_day(ordered: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """Cut rows that are sorted by date first into those of each day."""
    start = 0
    for entry in pc.value_counts(ordered["date"]).to_pylist():
        yield entry["values"], ordered.slice(start, entry["counts"])
        start += entry["counts"]


def in_pieces(ordered: pa.Table) -> Iterator[pa.Table]:
    """Cut sorted rows into pieces."""
    for start in range(0, ordered.num_rows, PIECE_ROWS):
        yield ordered.slice(start, PIECE_ROWS)


def put_aside(parts: Sequence[pa.Table], path: Path) -> Sequence[Callable[[], pa.Table]]:
    """Write tables to a file of this process's own; how to read each again. Raises OSError."""
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(
            sink, parts[0].schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as file,
    ):
        for part in parts:
            file.write_table(part.combine_chunks())
    return [_reader(path, number) for number in range(len(parts))]


def _reader(path: Path, number: int) -> Callable[[], pa.Table]:
    def read() -> pa.Table:
        with pa.OSFile(str(path)) as source:
            return pa.Table.from_batches([pa.ipc.open_file(source).get_batch(number)])

    return read


def in_order(pieces: Sequence[Piece], keys: Sequence[str]) -> Iterator[pa.Table]:
    """Yield all rows of all pieces, sorted by keys and part; those of one first key together."""
    waiting = sorted(pieces, key=lambda piece: _rank(piece.first))
    taken: list[pa.Table] = []
    fresh = 0
    for piece, following in pairwise([*waiting, None]):
        taken.append(piece.read())  # type: ignore[union-attr]  # only the last is None
        fresh += taken[-1].num_rows
        if following is None:
            yield sort(pa.concat_tables(taken), [*keys, PART])
        elif keys and fresh >= MERGED_ROWS:
            ordered = sort(pa.concat_tables(taken), [*keys, PART])
            done = _before(ordered[keys[0]], following.first)
            if done:
                yield ordered.slice(0, done)
            taken, fresh = [_copy(ordered.slice(done))], 0


def _rank(first: pa.Scalar) -> tuple[bool, Any]:
    value = first.as_py()
    return value is None, value


def _before(keys: pa.ChunkedArray, bound: pa.Scalar) -> int:
    """How many of sorted keys come before `bound`; a null comes last."""
    if not bound.is_valid:
        return len(keys) - int(keys.null_count)
    return pc.sum(pc.less(keys, bound)).as_py() or 0


def _copy(rows: pa.Table) -> pa.Table:
    """The rows alone: a slice keeps all of what it was cut from in memory."""
    return rows.take(arrow.int64s(range(rows.num_rows)))


def without_repeats(ordered: pa.Table, keys: Sequence[str]) -> tuple[pa.Table, int, int]:
    """Rows that count, how many were dropped, and keys that rows which differ still share.

    `ordered` is sorted by `keys`, then by part. Rows that are the same count once. Of those that
    differ the ones of the highest part stay: it was asked for last.
    """
    again = _same_as_before(ordered, keys)
    if again is None:
        return ordered, 0, 0
    shared = _shared(again.to_pylist())
    dropped, duplicates = set[int](), 0
    rows = ordered.take(arrow.int64s(at for group in shared for at in group)).to_pylist()
    for group in shared:
        kept = _kept(group, rows[: len(group)])
        rows = rows[len(group) :]
        dropped |= set(group) - set(kept)
        duplicates += len(kept) > 1
    stay = arrow.int64s(at for at in range(ordered.num_rows) if at not in dropped)
    return ordered.take(stay), len(dropped), duplicates


def _same_as_before(ordered: pa.Table, keys: Sequence[str]) -> pa.Array | None:
    """Whether each row but the first has the keys of the one before it; None if none has."""
    if ordered.num_rows < 2:  # noqa: PLR2004  one row has nobody before it
        return None
    same = None
    for key in keys:
        values = ordered[key].combine_chunks()
        above, below = values.slice(0, len(values) - 1), values.slice(1)
        equal = pc.fill_null(pc.equal(above, below), False)  # noqa: FBT003  Arrow's own order
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


def _kept(group: Sequence[int], rows: Sequence[dict[str, Any]]) -> list[int]:
    latest = max(row[PART] for row in rows)
    kept: dict[int, dict[str, Any]] = {}
    for at, row in zip(group, rows, strict=True):
        if row[PART] == latest and row not in kept.values():
            kept[at] = row
    return list(kept)
