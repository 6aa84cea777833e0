"""The launcher of runs on Celery workers: dagster-celery's, extended to notice that a worker is
gone and to record who ended a run.

A worker that is killed writes nothing any more: Celery's records say STARTED for ever, and
Dagster's run monitoring takes that for a running run. So the worker itself is queried too.
"""

from __future__ import annotations

from typing import Final

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from pipelines.dagster_private import CheckRunHealthResult, WorkerStatus

__all__ = ["WatchedCeleryRunLauncher"]

#: A worker responds within milliseconds whatever it runs, because its main process runs nothing
#: itself. With ``--pool=solo`` there is no other process, and it would not respond.
RESPONSE_SECONDS: Final = 5.0

_RUNNING: Final = CheckRunHealthResult(WorkerStatus.RUNNING)
_LOST: Final = CheckRunHealthResult(WorkerStatus.FAILED, "The worker that had this run is gone.")


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """A run whose worker is gone fails, so Dagster starts it again (`run_retries`). One that
    somebody terminates is canceled, and stays so.
    """

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """The state in Celery's records; where they say RUNNING, whether the worker confirms it."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:  # it never was with a worker, as the command line's of earlier versions
            return _RUNNING
        state = super().check_run_worker_health(run)
        if state.status is not WorkerStatus.RUNNING or self._has_worker(task_id):
            return state
        state = super().check_run_worker_health(run)  # it may have ended meanwhile
        return _LOST if state.status is WorkerStatus.RUNNING else state

    def terminate(self, run_id: str) -> bool:
        """Stop a run; False for one that has ended, or never had a worker.

        dagster-celery stops it without informing Dagster, which then takes it for a lost run: it
        would fail, and be started again.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        if run.status is not dg.DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def _has_worker(self, task_id: str) -> bool:
        """Whether the worker that began a task is running it. True for one that has ended."""
        began = self.celery.AsyncResult(task_id).info
        if not isinstance(began, dict) or "hostname" not in began:
            return True
        worker = self.celery.control.inspect([began["hostname"]], timeout=RESPONSE_SECONDS, limit=1)
        workers = worker.query_task([task_id]) or {}
        return any(task_id in tasks for tasks in workers.values())
