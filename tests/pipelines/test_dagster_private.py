"""What Dagster does not export is in one file, and moves with a red test."""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
import re
from pathlib import Path

import dagster as dg

from pipelines.dagster_private import CheckRunHealthResult, WorkerStatus, planned_events

ROOT = Path(__file__).resolve().parents[2]


def test_one_file_imports_private_modules_of_dagster() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("fbgraph", "warehouse", "pipelines")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"dagster\w*\._", path.read_text(encoding="utf-8"))
    }

    assert found == {"pipelines/dagster_private.py"}


def test_a_planned_cell_is_in_progress_and_fails_with_its_run() -> None:
    @dg.op
    def plans(context: dg.OpExecutionContext) -> None:
        for event in planned_events(context, key, ["a"]):
            context.instance.report_dagster_event(event, context.run_id)
        status = context.instance.get_status_by_partition(key, ["a", "b"], cells) or {}
        seen.update({cell: one and one.name for cell, one in status.items()})
        raise dg.Failure

    @dg.job
    def plan_job() -> None:
        plans()

    key, cells = dg.AssetKey("grid"), dg.StaticPartitionsDefinition(["a", "b"])
    seen: dict[str, str | None] = {}
    with dg.DagsterInstance.ephemeral() as instance:
        plan_job.execute_in_process(instance=instance, raise_on_error=False)
        after = instance.get_status_by_partition(key, ["a"], cells) or {}

    assert seen == {"a": "IN_PROGRESS", "b": None}
    assert after["a"]
    assert after["a"].name == "FAILED"


def test_the_health_of_a_worker_can_be_said() -> None:
    assert {WorkerStatus.RUNNING, WorkerStatus.FAILED} <= set(WorkerStatus)
    assert CheckRunHealthResult(WorkerStatus.FAILED, "gone").msg == "gone"
