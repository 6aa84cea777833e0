"""Removes old ticks of today from Dagster's home: each has a run, and in SQLite a file of 110 kB.

Deleting a run deletes its events too, and with an event of an account-day its cell in the grid. So
only runs are removed that recorded nothing of the grid: most ticks close no day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.dagster_private import delete_run_files
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KEPT", "mark_removable", "remove_old_ticks"]

#: How long a run is kept, as `retention` in dagster.yaml keeps ticks of schedules.
KEPT: Final = timedelta(days=30)

#: Runs that one tick removes: as many as a day has, so that it catches up, and few enough to take
#: less than a minute.
MOST: Final = 100

_REMOVABLE: Final = {"fbinsights/removed_after": counted(KEPT.days, "day")}


def mark_removable(instance: dg.DagsterInstance, run_id: str) -> None:
    """Mark a run that may be removed: nothing of the grid is lost with it."""
    instance.add_run_tags(run_id, _REMOVABLE)


def remove_old_ticks(
    instance: dg.DagsterInstance, run_id: str, assets: Sequence[dg.AssetKey], kept: timedelta = KEPT
) -> int:
    """Remove marked runs that began more than `kept` before the run `run_id`; returns how many. A
    run that has the newest event of one of the `assets` stays.
    """
    own = instance.get_run_record_by_id(run_id)
    if own is None:
        return 0
    events = map(instance.get_latest_materialization_event, assets)
    newest = {event.run_id for event in events if event}
    old = instance.get_runs(
        dg.RunsFilter(tags=_REMOVABLE, created_before=own.create_timestamp - kept),
        limit=MOST,
        ascending=True,
    )
    removed = [run.run_id for run in old if run.is_finished and run.run_id not in newest]
    for one in removed:
        instance.delete_run(one)
        delete_run_files(instance, one)
    return len(removed)
