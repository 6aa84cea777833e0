"""What we need from Dagster and Dagster does not export. Nothing else imports its private modules;
`tests/pipelines/test_dagster_private.py` fails when one of these moves.

- A step of a job records materializations of assets that are not its own. Only an event that
announces this makes their cells "in progress", and red if the run fails; Dagster creates that event
for an asset's own step alone.

- `DagsterInstance.delete_run` leaves the file that SQLite has for each run, as large as it was, and
what the run printed.

- A run launcher returns these two to say whether the worker of a run exists; `RunLauncher` is
exported, its return types are not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CheckRunHealthResult", "WorkerStatus", "delete_run_files", "planned_events"]


def planned_events(
    context: dg.OpExecutionContext, asset: dg.AssetKey, keys: Sequence[str]
) -> Iterator[dg.DagsterEvent]:
    """That a step is to materialize partitions of an asset."""
    step_key = context.get_step_execution_context().step.key
    for key in keys:
        yield dg.DagsterEvent.build_asset_materialization_planned_event(
            context.job_name,
            step_key,
            AssetMaterializationPlannedData(asset, partition=key),
        )


def delete_run_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete what a run that was deleted has left on disk. Raises OSError."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        path = storage.path_for_shard(run_id)
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
