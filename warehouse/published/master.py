"""The master: the private database that snapshots are copied from. It is brought up to date; nobody
reads it.

Publishing compares the files of the lake with the master's own records and replaces the
account-days whose files changed, in one transaction. Rows that are inserted later come after all
others, so a master of which many rows are such is rebuilt, in order. An open day that is replaced
every quarter of an hour counts once: what its earlier rows took, DuckDB uses again.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.errors import WarehouseError
from warehouse.lake.defects.failures import find_failures
from warehouse.published import build
from warehouse.published.carrying import attach, carry_all, carry_over
from warehouse.published.connections import COMMITTING, opened_master
from warehouse.published.copying import (
    BATCH_FILES,
    DamagedRowsError,
    Into,
    copy_changes,
    execute,
)
from warehouse.published.defects import refill_failures, refill_rejects, reject_keys
from warehouse.published.manifest import column_sets_in
from warehouse.published.verify import (
    differences,
    files_of,
    is_as_left,
    is_copied,
    row_counts,
    structure_of,
    wrong_in,
)
from warehouse.storage.atomic import remove
from warehouse.storage.local import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.partitions import Lake
    from warehouse.published.copying import Copied
    from warehouse.published.manifest import LeftOut
    from warehouse.published.verify import Mismatch
    from warehouse.schema.catalog import Catalog

__all__ = ["DATABASE", "Conditions", "Refreshed", "refresh"]

DATABASE: Final = "warehouse.duckdb"

STAMP: Final = "stamp"  # next to it, as the last publish left it

#: A master is rebuilt when it has this many rows, and this share of all, that were inserted later.
LATER_ROWS: Final = 1_000_000
LATER_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a refresh depends on besides the lake: the file that was `published` last, whether that
    `is_damaged`, whether a new master may take from it what has not changed, and how many rows may
    be out of order.
    """

    published: Path | None = None
    is_damaged: bool = False
    carries: bool = True
    later_rows: int = LATER_ROWS
    batch_files: int = BATCH_FILES


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A master that is up to date: which version of it, rows by table, and what it could not take
    from the lake. `is_open`: nothing changed but days that are not over, and are loaded again.
    """

    version: int
    rows: Mapping[str, int]
    left_out: LeftOut
    is_open: bool = False


def made_by(catalog: Catalog) -> str:
    """The digest of this code and these tables, which a master that they built has."""
    return _hash(build.create(catalog))


@dataclass(frozen=True, slots=True)
class _State:
    """The one row that a master has about itself."""

    made_by: str
    version: int = 0
    lake_views: str = ""
    rejects: str = ""
    failures: str = ""
    structure: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it has all of what it was copied from: not while it is rebuilt, and not in the
        middle of a change of many files.
        """
        return bool(self.structure)

    @property
    def is_new(self) -> bool:
        """Whether it was never whole."""
        return self.version == 0


class _OutdatedError(Exception):
    """This master must be rebuilt."""


class _CarriedError(Exception):
    """This master must be rebuilt from the lake alone: what was published is not what it says."""


def refresh(lake: Lake, folder: Path, after: int, given: Conditions | None = None) -> Refreshed:
    """Bring the master in `folder` up to date. If it changes, its new version is above `after` too,
    and so it is if the file that was published last is damaged or has a higher one.

    The caller must hold the lock. A process that is killed leaves it as it was. Raises
    duckdb.Error, OSError and ChangedKindError.
    """
    damaged: LeftOut = {}
    given = given or Conditions()
    is_old = True
    while True:
        try:
            return _refresh(lake, folder, after, dict(damaged), given)
        except DamagedRowsError as found:
            if found.files.keys() <= damaged.keys():  # what was published of them is wrong too
                given = replace(given, published=None)
            damaged |= found.files
        except _CarriedError:
            given = replace(given, carries=False)
            shutil.rmtree(folder)
        except (_OutdatedError, duckdb.Error):
            # Of other tables, of another DuckDB, damaged or out of order: the lake has everything.
            if not is_old:
                raise
            is_old = False
            shutil.rmtree(folder)


def _refresh(
    lake: Lake, folder: Path, after: int, left_out: LeftOut, given: Conditions
) -> Refreshed:
    frozen, is_known = folder / "frozen", is_as_left(folder / DATABASE, folder / STAMP)
    remove(frozen if folder.is_dir() else folder)
    frozen.mkdir(parents=True)
    with opened_master(folder / DATABASE) as connection:
        before = _state(connection, lake.catalog, given.later_rows)
        if before is None:
            before = _create(connection, lake.catalog)
        connection.execute("BEGIN")
        if before.is_whole and not is_known and wrong_in(connection):
            raise _OutdatedError  # a publisher that was killed leaves it right
        state, is_open = _merge(connection, lake, frozen, before, after, left_out, given)
        connection.execute(f"{COMMITTING}; COMMIT; CHECKPOINT")
        rows = row_counts(connection, lake.catalog.tables)
    remove(folder / STAMP)
    (folder / STAMP).write_text(stamp_of(folder / DATABASE), encoding="utf-8")
    shutil.rmtree(frozen)
    return Refreshed(state.version, rows, left_out, is_open)


def _create(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> _State:
    """Create all that is empty. A master without a state, of a process that was killed, is rebuilt.

    Each table and each view in a transaction of its own: a comment on a column of a view copies the
    view, and a transaction keeps its copies to its end, 30 MB of all of them. By one thread: waking
    another for each of 1,200 statements is a quarter of their CPU.
    """
    connection.execute("SET threads = 1")
    execute(connection, (f"BEGIN; {statements}; COMMIT" for statements in build.create(catalog)))
    connection.execute("RESET threads")
    state = _State(made_by(catalog))
    _keep_state(connection, state)
    return state


def _state(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, later_rows: int
) -> _State | None:
    """What a master says of itself; None if there is nothing in it. Raises _OutdatedError."""
    if not connection.execute("FROM duckdb_tables()").fetchall():
        return None
    maker = connection.execute(f"FROM {build.SCHEMA}.state SELECT made_by").fetchall()
    if maker != [(made_by(catalog),)]:
        raise _OutdatedError
    columns = ", ".join(one.name for one in fields(_State))
    [row] = connection.execute(f"FROM {build.SCHEMA}.state SELECT {columns}").fetchall()
    if _is_out_of_order(connection, f"{build.SCHEMA}.files", later_rows):
        raise _OutdatedError
    return _State(*row)


def _is_out_of_order(connection: duckdb.DuckDBPyConnection, files: str, later_rows: int) -> bool:
    """Whether many rows of a database were inserted later; `files` is its list of them."""
    [(later, rows)] = connection.execute(
        f"FROM {files} SELECT sum(rows * later)::BIGINT, sum(rows)::BIGINT"
    ).fetchall()
    return bool(rows) and later > max(later_rows, LATER_SHARE * rows)


def _keep_state(connection: duckdb.DuckDBPyConnection, state: _State) -> None:
    values = asdict(state)
    marks = ", ".join("?" for _ in values)
    where = f"{build.SCHEMA}.state ({', '.join(values)})"
    connection.execute(f"DELETE FROM {build.SCHEMA}.state")  # noqa: S608  ours
    connection.execute(f"INSERT INTO {where} VALUES ({marks})", list(values.values()))  # noqa: S608  ours


def _merge(  # noqa: PLR0913, PLR0917  # what it compares, and where it writes
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    frozen: Path,
    before: _State,
    after: int,
    left_out: LeftOut,
    given: Conditions,
) -> tuple[_State, bool]:
    """Replace what changed in the lake; the state afterwards, that of `before` if nothing did, and
    whether only open days were replaced.
    """

    copied = _copy_files(connection, lake, frozen, before, left_out, given)
    rejects = reject_keys(lake, left_out)
    failures = find_failures(lake.store, but=lake.catalog.kept)
    views = list(build.lake_views(lake, column_sets_in(connection, lake.catalog), left_out))
    now = replace(
        before,
        lake_views=_hash(views),
        rejects=_hash(rejects),
        failures=_hash(f"{found.key} {found.stamp}" for found in failures),
    )
    is_same = not (copied or given.is_damaged) and before.is_whole and now == before
    # Of a master from a backup, later snapshots would be kept instead of its own.
    if is_same and before.version >= after:
        return now, False
    refill_rejects(connection, lake, frozen, rejects, left_out)
    refill_failures(connection, lake, frozen, failures)
    if now.lake_views != before.lake_views:
        execute(connection, views)
    version = max(after, before.version) + 1
    now = replace(now, version=version, structure=structure_of(connection))
    _keep_state(connection, now)
    return now, bool(copied.changed) and copied.is_open


def _copy_files(  # noqa: PLR0913, PLR0917  # as `_merge`
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    frozen: Path,
    before: _State,
    left_out: LeftOut,
    given: Conditions,
) -> Copied:
    """Copy the files that changed; a new master begins with what is published, if that is in order.
    Raises as `_require_right` does.
    """

    def commit() -> None:
        _keep_state(connection, replace(before, structure=""))
        execute(connection, (COMMITTING, "COMMIT", "BEGIN"))

    is_carried = before.is_new and _carry(connection, lake.catalog, given, commit)
    into = Into(
        connection,
        frozen / "batch",
        is_new=before.is_new,
        later=is_carried or not before.is_new,
        batch_files=given.batch_files,
    )
    copied = copy_changes(lake, into, left_out, commit)
    if before.is_new and left_out and given.published:
        carry_over(connection, lake, frozen, given.published, left_out)
    _require_right(connection, lake, before, copied, given)
    return copied


def _require_right(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    before: _State,
    copied: Copied,
    given: Conditions,
) -> None:
    """Look at what was copied. Raises what makes `refresh` begin again, or a WarehouseError if a
    new master differs from its files.
    """
    if before.is_new:
        found = differences(connection, _stored(lake))
        # Whoever was killed may have carried what is wrong.
        if found and given.published and given.carries:
            raise _CarriedError
        _require_none(connection, lake, found)
    elif copied.batches > 1 or not before.is_whole:
        if differences(connection, _stored(lake)):
            raise _OutdatedError
    elif not is_copied(connection, lake.catalog.tables, copied.stale, copied.changed):
        raise _OutdatedError


def _carry(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    given: Conditions,
    commit: Callable[[], None],
) -> bool:
    """Fill a new master with what is published, if that can be used and is in order; whether it
    was.
    """
    if given.published is None or given.is_damaged or not given.carries:
        return False
    try:
        attach(connection, given.published)
        if _is_out_of_order(connection, f"old.{build.SCHEMA}.files", given.later_rows):
            return False
        return carry_all(connection, catalog, commit)
    except duckdb.Error as error:
        raise _CarriedError from error


def _stored(lake: Lake) -> Collection[str]:
    return {table.name for table in lake.catalog.stored}


def _require_none(
    connection: duckdb.DuckDBPyConnection, lake: Lake, found: Sequence[Mismatch]
) -> None:
    """Raise if a new master is not what files and loads say. It is made of the files as they are:
    some have rows that are not what their footers say.
    """
    by_day = differences(connection, {one.table for one in found}, by_day=True)
    if broken := files_of(lake, by_day):
        raise DamagedRowsError(broken)
    if found:
        raise WarehouseError(
            f"Nothing was published: in the new file, {found[0]}. The previous file is unchanged."
            " Run `fbinsights publish` again; if it persists, please report it"
        )


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
