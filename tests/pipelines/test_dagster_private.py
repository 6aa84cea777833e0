"""What Dagster does not export is in one file, and moves with a red test."""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines.dagster_private import (
    CheckRunHealthResult,
    WorkerStatus,
    store_planned,
    store_together,
)

ROOT = Path(__file__).resolve().parents[2]


def test_one_file_imports_private_modules_of_dagster() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("fbgraph", "warehouse", "pipelines")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"dagster\w*\._", path.read_text(encoding="utf-8"))
    }

    assert found == {"pipelines/dagster_private.py"}


@pytest.fixture(params=["sqlite", "in memory"])
def storing(request: pytest.FixtureRequest) -> Iterator[dg.DagsterInstance]:
    """Instances of two storages: SQLite's events are written by us."""
    made = dg.DagsterInstance
    with made.local_temp() if request.param == "sqlite" else made.ephemeral() as instance:
        yield instance


def test_a_planned_cell_is_in_progress_and_fails_with_its_run(storing: dg.DagsterInstance) -> None:
    @dg.op
    def plans(context: dg.OpExecutionContext) -> None:
        store_planned(context, key, ["a"])
        status = context.instance.get_status_by_partition(key, ["a", "b"], cells) or {}
        seen.update({cell: one and one.name for cell, one in status.items()})
        raise dg.Failure

    @dg.job
    def plan_job() -> None:
        plans()

    key, cells = dg.AssetKey("grid"), dg.StaticPartitionsDefinition(["a", "b"])
    seen: dict[str, str | None] = {}
    plan_job.execute_in_process(instance=storing, raise_on_error=False)
    after = storing.get_status_by_partition(key, ["a"], cells) or {}

    assert seen == {"a": "IN_PROGRESS", "b": None}
    assert after["a"]
    assert after["a"].name == "FAILED"


def test_the_health_of_a_worker_can_be_said() -> None:
    assert {WorkerStatus.RUNNING, WorkerStatus.FAILED} <= set(WorkerStatus)
    assert CheckRunHealthResult(WorkerStatus.FAILED, "gone").msg == "gone"


def events_of(key: dg.AssetKey) -> list[dg.AssetMaterialization]:
    return [
        dg.AssetMaterialization(
            key, partition=cell, metadata={"rows": 3}, tags={"dagster/data_version": cell}
        )
        for cell in ("a", "b")
    ]


def stored(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[tuple[object, ...]]:
    """What is stored of each materialization, but for its time and number, and of the asset."""
    last = instance.get_latest_materialization_event(key)
    assert last
    assert last.asset_materialization
    tags = [sorted(found.items()) for found in instance.get_event_tags_for_asset(key)]
    return [
        (
            event.partition,
            event.metadata,
            event.tags,
            *(record.run_id, record.event_log_entry.job_name, record.event_log_entry.step_key),
            record.event_log_entry.level,
        )
        for record in instance.fetch_materializations(key, limit=9).records
        if (event := record.asset_materialization)
    ] + [(last.asset_materialization.partition, *tags)]


def test_events_that_a_step_stores_together_are_those_that_it_would_log(
    storing: dg.DagsterInstance,
) -> None:
    @dg.op
    def load(context: dg.OpExecutionContext) -> None:
        store_together(context.instance, events_of(ours), context)
        store_together(context.instance, [dg.AssetObservation(ours, partition="c")], context)
        for event in events_of(dagsters):
            context.log_event(event)

    @dg.job
    def load_job() -> None:
        load()

    ours, dagsters = dg.AssetKey("ours"), dg.AssetKey("dagsters")
    run_id = load_job.execute_in_process(instance=storing).run_id

    assert stored(storing, ours) == stored(storing, dagsters)
    assert len(storing.fetch_observations(ours, limit=9).records) == 1
    kinds = Counter(one.dagster_event_type for one in storing.all_logs(run_id))
    assert kinds[dg.DagsterEventType.ASSET_MATERIALIZATION] == 4


def test_events_that_are_stored_together_without_a_run_are_those_that_dagster_would_report(
    storing: dg.DagsterInstance,
) -> None:
    ours, dagsters = dg.AssetKey("ours"), dg.AssetKey("dagsters")
    store_together(storing, events_of(ours))
    for event in events_of(dagsters):
        storing.report_runless_asset_event(event)

    assert stored(storing, ours) == stored(storing, dagsters)
    assert storing.get_materialized_partitions(ours) == {"a", "b"}
