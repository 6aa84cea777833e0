"""What we need from Dagster and Dagster does not export. Nothing else imports its private modules;
`tests/pipelines/test_dagster_private.py` fails when one of these moves.

- A step of a job records materializations of assets that are not its own. Only an event that
announces this makes their cells "in progress", and red if the run fails; Dagster creates that event
for an asset's own step alone.

- A run launcher returns these two to say whether the worker of a run exists; `RunLauncher` is
exported, its return types are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CheckRunHealthResult", "WorkerStatus", "planned_events"]


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
