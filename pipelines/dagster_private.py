"""What we need from Dagster and Dagster does not export. Nothing else imports its private modules;
`tests/pipelines/test_dagster_private.py` fails when one of these moves.

- A step of a job records materializations of assets that are not its own. Only an event that
announces this makes their cells "in progress", and red if the run fails; Dagster creates that event
for an asset's own step alone.

- Many events of one asset can be written in a few statements. Dagster does so for the outputs of an
asset's own step, and not in SQLite. Each event by itself takes a new connection to Postgres, or
four to SQLite, and statements that are compiled for it.

- A storage keeps its SQLAlchemy engine to itself. Connections to Postgres that are used again have
to be tried first, or a restart or failover of the server costs a run.

- The processes that `dagster dev` starts do not end with it if it is killed; the module of the
daemon's is private.

- `DagsterInstance.delete_run` leaves the file that SQLite has for each run, as large as it was, and
what the run printed.

- A run launcher returns these two to say whether the worker of a run exists; `RunLauncher` is
exported, its return types are not.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    StepMaterializationData,
)
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "DEV_MODULES",
    "CheckRunHealthResult",
    "WorkerStatus",
    "delete_run_files",
    "store_planned",
    "store_together",
    "try_connections",
]

#: Modules of those processes of `dagster dev`, as their command lines have them.
DEV_MODULES: Final = frozenset({b"dagster_webserver", b"dagster._daemon"})


def store_planned(context: dg.OpExecutionContext, asset: dg.AssetKey, keys: Iterable[str]) -> None:
    """Store that a step is to materialize partitions of an asset."""
    step_key = context.get_step_execution_context().step.key
    planned = [
        dg.DagsterEvent.build_asset_materialization_planned_event(
            context.job_name, step_key, AssetMaterializationPlannedData(asset, partition=key)
        )
        for key in keys
    ]
    _store(context.instance, [_entry(event, context.run_id, logging.DEBUG) for event in planned])


def store_together(
    instance: dg.DagsterInstance,
    events: Iterable[dg.AssetMaterialization] | Iterable[dg.AssetObservation],
    context: dg.OpExecutionContext | None = None,
) -> None:
    """Store events of one asset, as `context.log_event` does for the step of a run, or as
    `report_runless_asset_event` does without a run.
    """
    made = [_dagster_event(event, context) for event in events]
    run_id, level = (context.run_id, logging.DEBUG) if context else (RUNLESS_RUN_ID, logging.INFO)
    _store(instance, [_entry(event, run_id, level) for event in made])


def _dagster_event(
    event: dg.AssetMaterialization | dg.AssetObservation, context: dg.OpExecutionContext | None
) -> dg.DagsterEvent:
    data: StepMaterializationData | AssetObservationData
    if isinstance(event, dg.AssetMaterialization):
        kind, data = dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event)
    else:
        kind, data = dg.DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event)
    job_name = context.job_name if context else RUNLESS_JOB_NAME
    step = context.get_step_execution_context().step if context else None
    return dg.DagsterEvent(
        kind.value, job_name, step_handle=step and step.handle, event_specific_data=data
    )


def _entry(event: dg.DagsterEvent, run_id: str, level: int) -> dg.EventLogEntry:
    return dg.EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None,
        level=level,
        user_message="",
        run_id=run_id,
        timestamp=time.time(),
        step_key=event.step_key,
        job_name=event.job_name,
        dagster_event=event,
    )


def _store(instance: dg.DagsterInstance, entries: Sequence[dg.EventLogEntry]) -> None:
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        _store_in_sqlite(storage, entries)
    else:
        storage.store_event_batch(entries)


def _store_in_sqlite(storage: SqliteEventLogStorage, entries: Sequence[dg.EventLogEntry]) -> None:
    """As its `store_event`, in the file of the run and in the index of all runs, and as Postgres's
    `store_event_batch`: the last event is the asset's.
    """
    insert = storage.prepare_insert_event_batch(entries)
    with storage.run_connection(entries[0].run_id) as shard:
        shard.execute(insert)
    with storage.index_transaction() as index:
        made = index.execute(insert.returning(SqlEventLogStorageTable.c.id))
        ids = sorted(number for (number,) in made)  # SQLite promises no order
        storage._store_asset_event_tags(index, entries, ids)  # noqa: SLF001  # in this transaction
        storage._store_asset_event(index, entries[-1], ids[-1])  # noqa: SLF001  # the same


def try_connections(instance: dg.DagsterInstance) -> None:
    """Have a connection tried before it is used again, and replaced if the server has ended it.

    That is SQLAlchemy's `pool_pre_ping`, for which Dagster's storages have no setting.
    """
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        engine = getattr(storage, "_engine", None)
        if engine is not None:
            engine.pool._pre_ping = True  # noqa: SLF001  # see the top


def delete_run_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete what a run that was deleted has left on disk. Raises OSError."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        path = storage.path_for_shard(run_id)
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
