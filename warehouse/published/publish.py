"""The published file, `warehouse.duckdb`: built from the lake, swapped for a new snapshot.

It is always on this machine, and next to a lake in a bucket there is a copy of it under the same
name. It is a link to a read-only snapshot next to it; publishing brings a private master up to
date, copies it and moves the link by one rename. Anyone who has the old one open keeps reading it,
anyone who opens it again sees the new one.

    <root>/warehouse.duckdb -> .snapshots/000042/warehouse.duckdb
    <root>/.snapshots/.master/warehouse.duckdb

The folder has the number, not the file: DuckDB names a database after its file, and for analysts it
should always be `warehouse`.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from warehouse.errors import DamagedFileError, WarehouseError
from warehouse.lake.changes import (
    Lag,
    keep_publishing,
    lag_of,
    last_change,
    last_publishing,
)
from warehouse.lake.definitions import keep_definitions, lake_tables
from warehouse.lake.partitions import Lake
from warehouse.published.ducklake.mirror import OvertakenError, mirror, number_at
from warehouse.published.master import DATABASE, Conditions, refresh
from warehouse.published.verify import damage_of
from warehouse.schema.catalog import OWN
from warehouse.storage.atomic import copy, locked, remove, sync_folder
from warehouse.storage.local import make_way, stamp_of
from warehouse.storage.retry import publishing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from warehouse.published.ducklake.destination import Destination
    from warehouse.schema.catalog import Catalog

__all__ = [
    "LINK",
    "Published",
    "damage",
    "ensure_published",
    "lag",
    "publish",
    "require_carried",
]

_log = logging.getLogger(__name__)

#: What analysts open.
LINK: Final = "warehouse.duckdb"

SNAPSHOTS: Final = ".snapshots"

#: Snapshots that stay: the newest, the one before, and one more for anyone who opened that one
#: late. An open file outlives its name anyway, but not on every network file system.
KEPT_SNAPSHOTS: Final = 3

#: The copy next to a lake in a bucket is this old before a publish that changed nothing but open
#: days replaces it: every quarter of an hour would send the whole file, 160 MB where there are 5
#: million rows, 15 GB a day. A little less than the hour between two ticks of its schedule. A day
#: that is closed is sent at once, so the copy is never left behind for good.
OPEN_COPY: Final = timedelta(minutes=50)

#: The database that snapshots are copied from.
MASTER: Final = ".master"

#: An unfinished snapshot and link. What is there is from a publisher that was killed, because the
#: others wait for the lock.
_BUILDING: Final = ".building"
_POINTING: Final = ".pointing"

#: The copy next to the lake, while a new machine builds its first file from it.
_FETCHED: Final = ".fetched"


@dataclass(frozen=True, slots=True)
class Published:
    """A finished publish: the link, the snapshot it points to, rows by table, seconds it took.

    `version` is the snapshot's: another one only where something changed. `change` is the last
    change of the lake that it surely shows, by the note's id ("" if none was noted). `left_out`:
    each table of the lake, and each file or folder by its path, that could not be published → why,
    and what to do. What an earlier publish took from such a file is still shown. `commands` load
    again what is damaged. `not_carried`: the other destination, and why it does not show this; ""
    if it does or there is none. Whoever publishes passes it to `require_carried` at the end.
    """

    path: Path
    snapshot: Path
    rows: Mapping[str, int]
    seconds: float
    version: int
    change: str
    left_out: Mapping[str, str]
    commands: Sequence[str] = ()
    not_carried: str = ""


def publish(
    url: str | Path,
    *,
    catalog: Catalog = OWN,
    afresh: bool = False,
    destination: Destination | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """Publish the lake as it is now: the tables whose definitions the lake has kept, and those of
    the catalog, whose definitions it keeps from now on. Blocks no reader and no load.
    `afresh`: rebuild all of it, and keep no earlier snapshot and no byte of removed data.

    Only account-days that changed since are copied. Publishers wait for each other. One that is
    killed leaves the old file as it was, and the next one completes the work. `destination`: the
    tables go there too, after the file; others may publish there at the same time. That they could
    not is in `Published.not_carried`. Raises WarehouseError.
    """
    again = publishing(lambda attempt: bool(attempt[1]), sleep)
    published: Published
    published, _ = again(_publish, url, catalog, destination, afresh=afresh)
    return published


def require_carried(not_carried: str) -> None:
    """Raise WarehouseError if a publish did not get to its other destination; call it once all is
    done that takes only the published file.
    """
    if not_carried:
        raise WarehouseError(
            f"warehouse.duckdb is published, but not to {not_carried}. There everything is as"
            " before. Fix the cause, then run `fbinsights publish`"
        )


def _publish(
    url: str | Path, catalog: Catalog, destination: Destination | None, *, afresh: bool
) -> tuple[Published, bool]:
    """Publish once; also whether another publisher was faster at the destination."""
    lake = Lake(url, catalog=catalog)
    folder = lake.root / SNAPSHOTS
    # DuckDB has an allocator of its own: what a load of this process has freed (50 MB of one of
    # 200,000 rows) is of use to it only once it is the machine's again.
    pa.default_memory_pool().release_unused()
    with locked(folder):
        started, at = time.monotonic(), lake.now()
        numbers = [int(path.name) for path in _snapshots(folder)]
        # Before the files are listed: whoever publishes there later may have seen later changes.
        seen, why_not = _number(destination)
        with _explained():
            # Before the files are listed: later changes have another note.
            change = last_change(lake.store)
            keep_definitions(lake.store, catalog)
            known = lake_tables(lake.store, catalog)
            lake = Lake(url, catalog=known.catalog)
            if afresh:
                shutil.rmtree(folder / MASTER, ignore_errors=True)
            link = lake.root / LINK
            given = _conditions(lake, link, folder, afresh=afresh)
            master = refresh(lake, folder / MASTER, max(numbers, default=0), given)
            snapshot = _snapshot(folder, master.version)
        _show(lake, snapshot, is_open=master.is_open, kept=1 if afresh else KEPT_SNAPSHOTS)
        files = {lake.store.name(key): str(why) for key, why in master.left_out.items()}
        left = tuple(files.values())
        before = last_publishing(folder)
        record = replace(before, at=at, seconds=0.0, left_out=left, file=stamp_of(snapshot))
        if destination:
            # Whoever is killed in here leaves a file that is known, and behind as it was before.
            keep_publishing(folder, record)
        if destination and not why_not:
            try:
                mirror(snapshot, destination, lake.catalog, seen=seen, now=at, afresh=afresh)
            except WarehouseError as error:
                why_not = error
        not_carried = f"{destination}: {why_not}" if why_not else ""
        seconds = time.monotonic() - started
        keep_publishing(
            folder, replace(record, change=change.id, seconds=seconds, not_carried=not_carried)
        )
    _warn_of(known.left_out, files)
    left_out = {**known.left_out, **files}
    shown = (link, snapshot, master.rows, seconds, master.version, change.id)
    done = Published(*shown, left_out, _commands(master.left_out.values()), not_carried)
    return done, isinstance(why_not, OvertakenError)


@contextmanager
def _explained() -> Iterator[None]:
    """Raise what DuckDB and the disk raise as a WarehouseError that says what to do."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(
            f"Publishing failed: {error}. The previously published file is unchanged. Fix the "
            "cause, then run `fbinsights publish`"
        ) from error


def _commands(errors: Iterable[WarehouseError]) -> Sequence[str]:
    """What loads again what is damaged."""
    return tuple(dict.fromkeys(one.command for one in errors if isinstance(one, DamagedFileError)))


def _warn_of(tables: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Log what is not published, and why."""
    for table, why in tables.items():
        _log.warning("The table %s is not published: %s", table, why)
    for why in files.values():
        _log.warning("Not published: %s", why)


def _number(destination: Destination | None) -> tuple[int, WarehouseError | None]:
    """The number of the last publish at a destination, or why there is none: the file on this
    machine is published all the same.
    """
    try:
        return (number_at(destination) if destination else 0), None
    except WarehouseError as error:
        return 0, error


def _show(lake: Lake, snapshot: Path, *, is_open: bool, kept: int) -> None:
    """Move the link to a snapshot, put the copy next to a lake in a bucket, and remove all but the
    newest snapshots. `is_open`: nothing but open days was replaced.
    """
    folder = lake.root / SNAPSHOTS
    _point(lake.root / LINK, snapshot)
    remove(folder / _FETCHED)
    lake.store.share(LINK, snapshot, OPEN_COPY if is_open else timedelta())
    for old in _snapshots(folder)[:-kept]:
        shutil.rmtree(old, ignore_errors=True)


def _conditions(lake: Lake, link: Path, folder: Path, *, afresh: bool) -> Conditions:
    earlier, is_damaged = _earlier(lake, link, folder), _is_other(link, folder)
    return Conditions(earlier, is_damaged=is_damaged, carries=not afresh)


def _earlier(lake: Lake, link: Path, folder: Path) -> Path | None:
    """What was published before: the file on this machine, or else the copy next to the lake, which
    spares a new machine the reading of all files.
    """
    if link.exists():
        return link.resolve()
    copy = folder / _FETCHED
    remove(copy)
    return copy if not (folder / MASTER).exists() and lake.store.shared(LINK, copy) else None


def _is_other(link: Path, folder: Path) -> bool:
    """Whether the published file is not known to be the one that a publish put there, or may not be
    read.
    """
    if not link.exists():
        return False
    return last_publishing(folder).file != stamp_of(link) or not os.access(link, os.R_OK)


def damage(lake: Lake) -> str:
    """What is wrong with the published file, with what to do; "" if nothing is or there is none."""
    link = lake.root / LINK
    return damage_of(link, lake.root / SNAPSHOTS) if link.exists() else ""


def lag(lake: Lake) -> Lag:
    """How far the published file of this machine is behind the lake. Reads two small files."""
    return lag_of(lake.store, lake.root / SNAPSHOTS, lake.root / LINK)


def ensure_published(url: str | Path, *, catalog: Catalog) -> Path:
    """Publish the lake if it has not been published yet, so that analysts can open it."""
    link = Lake(url).root / LINK
    if not link.exists():
        publish(url, catalog=catalog)
    return link


def _snapshot(folder: Path, version: int) -> Path:
    """Copy the master, unless that has been done: whole, on disk and read-only."""
    numbered = folder / f"{version:06}"
    if not (numbered / LINK).exists():
        building = folder / _BUILDING
        remove(building)
        building.mkdir()
        copy(folder / MASTER / DATABASE, building / LINK)
        (building / LINK).chmod(0o444)
        building.rename(numbered)
        sync_folder(folder)
    return numbered / LINK


def _point(link: Path, snapshot: Path) -> Path:
    """Move the link by one rename. It is relative, so that the whole lake can be moved."""
    # If somebody wrote to an older snapshot in spite of its mode, its log must not apply to this.
    remove(link.with_name(f"{link.name}.wal"))
    target = snapshot.relative_to(link.parent)
    if not link.is_symlink() or link.readlink() != target:
        aside = snapshot.parent.parent / _POINTING
        remove(aside)
        aside.symlink_to(target)
        make_way(link, link.parent)
        aside.replace(link)
        sync_folder(link.parent)
    return link


def _snapshots(folder: Path) -> Sequence[Path]:
    """Finished snapshots, oldest first."""
    return sorted(path for path in folder.iterdir() if path.name.isdigit())
