"""What changed in the lake, copied into the master: batch by batch, so that memory does not grow
with the number of files.

If there are several batches, each is committed alone. The books of the master say which files it
has, so the publisher after one that was killed goes on with the next batch.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.published import build
from warehouse.published.connections import ALL_THREADS, ONE_THREAD
from warehouse.published.frozen import read_footers
from warehouse.published.manifest import (
    FILES,
    FilesToCopy,
    by_table,
    differences_from,
    file_of,
    freeze,
    is_below,
    unreadable_rows,
    write_records,
)
from warehouse.schema.insights import INTRADAY_TOTALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from warehouse.lake.footers import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import Key, LakeFile, LeftOut

__all__ = ["BATCH_FILES", "Copied", "DamagedRowsError", "Into", "copy_changes", "execute"]

#: Files that are copied at once. Fewer would be committed more often, which costs DuckDB 50 ms;
#: each takes 33 kB of memory until all of them are read.
BATCH_FILES: Final = 2_000

#: Fewer rows than this are inserted by one thread. Several are as fast, but write the rows of small
#: files twice and so take 40 % more CPU, which loads need.
ALONE_ROWS: Final = 500_000


class DamagedRowsError(Exception):
    """DuckDB stopped at rows that cannot be read: `files` are those that have some."""

    def __init__(self, files: LeftOut) -> None:
        super().__init__()
        self.files = files


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied in a number of batches. `stale` and `changed`: of the last one. `is_open`:
    nothing was removed, and all that changed are days that will be loaded again, and the totals
    that ticks asked for.
    """

    batches: int = 0
    stale: Sequence[Key] = ()
    changed: Sequence[tuple[LakeFile, Footer]] = field(default=(), repr=False)
    is_open: bool = True

    def __bool__(self) -> bool:
        return self.batches > 1 or bool(self.stale or self.changed)


@dataclass(frozen=True, slots=True)
class Into:
    """Where it is copied to: a master that `is_new`, until all of the lake is in it; `later` if its
    rows are in order already, and those that come are not.
    """

    connection: duckdb.DuckDBPyConnection
    frozen: Path
    is_new: bool
    later: bool
    batch_files: int = BATCH_FILES


def copy_changes(lake: Lake, into: Into, left_out: LeftOut, commit: Callable[[], None]) -> Copied:
    """Replace what changed in the lake since a master was copied from it. `commit` is called
    between two batches.
    """
    copied = Copied()
    found = differences_from(into.connection, lake, left_out, is_new=into.is_new)
    for n, batch in enumerate(_batches(found, into.batch_files), start=1):
        if n > 1:
            commit()
        stale, changed = _copy(lake, into, batch, left_out)
        is_open = copied.is_open and _is_open(stale, changed)
        copied = Copied(n, stale, changed, is_open)
    return copied


def _batches(found: Iterable[FilesToCopy], files: int) -> Iterator[FilesToCopy]:
    """Of whole accounts, as many as have so few `files`."""
    batch = FilesToCopy()
    for one in found:
        if len(batch.files) + len(one.files) > files and (batch.files or batch.stale):
            yield batch
            batch = FilesToCopy()
        batch = batch.and_also(one)
    if batch.files or batch.stale:
        yield batch


def _copy(
    lake: Lake, into: Into, batch: FilesToCopy, left_out: LeftOut
) -> tuple[Sequence[Key], Sequence[tuple[LakeFile, Footer]]]:
    """Delete the rows of stale files, insert those of new ones."""
    connection = into.connection
    into.frozen.mkdir(exist_ok=True)
    frozen = freeze(lake, batch.files, into.frozen, left_out)
    changed = list(read_footers(lake, frozen, left_out))
    # What cannot be used now stays as it was published.
    stale = [
        key for key in batch.stale if into.is_new or not is_below(file_of(lake, key), left_out)
    ]
    if stale:
        keys = [dict(zip(FILES.grain, key, strict=True)) for key in stale]
        path = into.frozen / "stale.parquet"
        pq.write_table(arrow.records(FILES.arrow_schema, keys), path)
        tables = {key[0] for key in stale}
        execute(connection, build.delete_stale(path, map(lake.catalog.table_named, tables)))
    files, footers = [file for file, _ in changed], [footer for _, footer in changed]
    write_records(files, footers, into.frozen, later=into.later)
    execute(connection, build.insert_records(into.frozen))
    is_small = sum(footer.load.rows for footer in footers if footer.load) < ALONE_ROWS
    connection.execute(ONE_THREAD if is_small else ALL_THREADS)
    try:
        for name, of_table in by_table(files, footers).items():
            table = lake.catalog.tables[name]
            execute(connection, build.insert_files(table, into.frozen, of_table))
    except duckdb.Error:
        if broken := unreadable_rows(lake, files):
            raise DamagedRowsError(broken) from None
        raise
    shutil.rmtree(into.frozen)
    return stale, changed


def _is_open(stale: Sequence[Key], changed: Sequence[tuple[LakeFile, Footer]]) -> bool:
    return {*stale} <= {file.key for file, _ in changed} and all(
        file.table == INTRADAY_TOTALS.name or (footer.load and footer.load.is_provisional)
        for file, footer in changed
    )


def execute(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)
