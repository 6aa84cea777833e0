"""A destination kept small: few files instead of many, and nothing that is older than it has to be.

Each publish adds a file to each table that it changes, and readers open all of them. So after
each 20th publish neighbours are merged, which leaves what was shown before as it was.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.published.ducklake.attaching import plain
from warehouse.schema.sql import literal
from warehouse.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from warehouse.published.ducklake.destination import Destination

__all__ = ["tidy"]

_log = logging.getLogger(__name__)

#: Publishes from one merge to the next.
EVERY: Final = 20

#: A file that nothing names any more is removed after this time: somebody may be reading it, and
#: what a publisher writes is named only once it commits.
UNUSED: Final = timedelta(days=2)


def tidy(
    connection: duckdb.DuckDBPyConnection,
    destination: Destination,
    number: int,
    now: datetime,
    *,
    afresh: bool,
) -> None:
    """Merge files after each 20th publish, and remove those that nothing needs. `afresh`: all
    that is not shown now, at once. If that fails, whoever asked for it has to know; else the
    next time does it.

    Only files that this catalogue has named are removed: the folder may hold those of others.
    """
    if not afresh and number % EVERY:
        return
    older = now if afresh else now - UNUSED
    keep = None if destination.keep_days is None else timedelta(days=destination.keep_days)
    calls = [
        "ducklake_flush_inlined_data('target')",  # small changes, which the catalogue itself holds
        "ducklake_rewrite_data_files('target', delete_threshold => 0.5)",
        "ducklake_merge_adjacent_files('target')",
    ]
    if afresh or keep:
        expired = now if afresh or keep is None else now - keep
        calls.append(f"ducklake_expire_snapshots('target', older_than => {_instant(expired)})")
    calls.append(f"ducklake_cleanup_old_files('target', older_than => {_instant(older)})")
    for call in calls:
        try:
            connection.execute(f"CALL {call}")
        except duckdb.Error as error:
            if afresh:
                raise
            _log.warning(
                "%s was published, but not tidied up: %s", destination, plain(error, destination)
            )
            return
    if afresh:
        _warn_of_unnamed(connection, destination)


def _warn_of_unnamed(connection: duckdb.DuckDBPyConnection, destination: Destination) -> None:
    """Say if there are files that the catalogue does not name: one of a publisher that was killed
    may have rows of what was removed.
    """
    [(number,)] = connection.execute(
        "FROM ducklake_delete_orphaned_files('target', dry_run => true, cleanup_all => true)"
        " SELECT count(*)"
    ).fetchall()
    if number:
        _log.warning(
            "%s has %s in its folder that its catalogue does not name, of a publisher that was"
            " killed or of somebody else. They may still have what was removed: see"
            " docs/ducklake.md, How long it remembers.",
            destination,
            counted(number, "file"),
        )


def _instant(at: datetime) -> str:
    return f"TIMESTAMPTZ {literal(at.isoformat())}"
