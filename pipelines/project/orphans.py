"""Ends the runs of a code server that is gone: `python -m pipelines.project.orphans`.

Runs are processes of the code server and end with it: a container takes them along, and so does
systemd. Dagster does not notice: such a run stays "started" for a day
(`run_monitoring.max_runtime_seconds`), and no refresh starts meanwhile. So a deployment runs this
before its code server starts. Dagster then starts the runs again (`run_retries`), and they resume
the report runs in flight.

Only for deployments with one code server and Dagster's default launcher. Others have their runs
elsewhere, and know of them; and after `kill -9` of `fbinsights dev` alone, runs go on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WHY", "fail_orphaned_runs", "main"]

#: What the default launcher tags a run with that it has given to a code server.
LAUNCHED_TAG: Final = ".dagster/grpc_info"

WHY: Final = "The code server that executed this run was stopped or restarted."

_ALIVE: Final = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def fail_orphaned_runs(instance: dg.DagsterInstance) -> Sequence[str]:
    """Mark the runs of a code server that is gone as failed; their ids. One that somebody
    terminated is canceled, so that it is not started again.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=_ALIVE))
    orphans = [run for run in runs if LAUNCHED_TAG in run.tags]
    for run in orphans:
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, WHY)
        else:
            instance.report_run_failed(run, WHY)
    return [run.run_id for run in orphans]


def main() -> None:
    """Do it for the instance of DAGSTER_HOME, and log each."""
    with dg.DagsterInstance.get() as instance:
        for run_id in fail_orphaned_runs(instance):
            print(f"Run {run_id} ended. {WHY}", file=sys.stderr)  # noqa: T201  # the service's log


if __name__ == "__main__":
    main()
