"""Ends the runs of a code server that is gone: `python -m pipelines.project.orphans`.

Runs are processes of the code server and end with it: a container takes them along, and so does
systemd. Dagster does not notice: such a run stays "started" for a day
(`run_monitoring.max_runtime_seconds`), and no refresh starts meanwhile. So a deployment runs this
when it starts. Dagster then starts the runs again (`run_retries`), and they resume the report runs
in flight.

Only for deployments with one code server and Dagster's default launcher. Others have their runs
elsewhere, and know of them; and after `kill -9` of `fbinsights dev` alone, runs go on.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.state.homes import home_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["WHY", "fail", "main", "orphans_of"]

#: What the default launcher tags a run with that it has given to a code server.
LAUNCHED_TAG: Final = ".dagster/grpc_info"

WHY: Final = "The code server that executed this run was stopped or restarted."

_ALIVE: Final = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def orphans_of(instance: dg.DagsterInstance) -> Sequence[str]:
    """The ids of runs in progress that a code server executes. Before one is started, none of those
    servers lives any more.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=_ALIVE))
    return [run.run_id for run in runs if LAUNCHED_TAG in run.tags]


def fail(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> None:
    """Mark runs as failed, unless they have ended. One that somebody terminated is canceled, so
    that it is not started again.
    """
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id)
        if run is None or run.status not in _ALIVE:
            continue
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, WHY)
        else:
            instance.report_run_failed(run, WHY)
        print(f"Run {run_id} ended. {WHY}", file=sys.stderr)  # noqa: T201  # the service's log


def main(environ: Mapping[str, str]) -> None:
    """End all of them, in the home of this folder or of DAGSTER_HOME. A new one has none."""
    home = home_of(environ)
    if (home / "dagster.yaml").exists():
        with dg.DagsterInstance.from_config(str(home)) as instance:
            fail(instance, orphans_of(instance))


if __name__ == "__main__":
    main(os.environ)
