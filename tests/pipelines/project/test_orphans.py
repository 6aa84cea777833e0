"""Runs of a code server that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.project.orphans import LAUNCHED_TAG, WHY, fail, main, orphans_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = dg.DagsterRunStatus
LAUNCHED = {LAUNCHED_TAG: '{"host": "code", "port": 4000}'}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that starts runs again, as ours."""
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "run_retries: {enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def add(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str] | None = None
) -> str:
    """A run of some job in a status; its id."""
    run = instance.add_run(
        dg.DagsterRun(job_name="refresh_job", status=status, tags=tags or LAUNCHED)
    )
    return run.run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (STATUS.STARTING, STATUS.FAILURE),
        (STATUS.STARTED, STATUS.FAILURE),
        (STATUS.CANCELING, STATUS.CANCELED),
        (STATUS.NOT_STARTED, STATUS.NOT_STARTED),
        (STATUS.SUCCESS, STATUS.SUCCESS),
        (STATUS.CANCELED, STATUS.CANCELED),
    ],
    ids=lambda status: status.name,
)
def test_runs_that_nothing_executes_end(
    instance: dg.DagsterInstance, before: dg.DagsterRunStatus, after: dg.DagsterRunStatus
) -> None:
    run_id = add(instance, before)

    fail(instance, orphans_of(instance))

    assert status_of(instance, run_id) is after


def test_a_run_that_no_code_server_was_given_is_left_alone(instance: dg.DagsterInstance) -> None:
    add(instance, STATUS.STARTED, {"dagster-celery/task_id": "1"})

    assert orphans_of(instance) == []


def test_a_run_that_has_ended_meanwhile_stays_as_it_is(instance: dg.DagsterInstance) -> None:
    run_id = add(instance, STATUS.SUCCESS)

    fail(instance, [run_id, "a-run-that-was-deleted"])

    assert status_of(instance, run_id) is STATUS.SUCCESS


def test_a_home_that_is_new_has_none(tmp_path: Path) -> None:
    main({"DAGSTER_HOME": str(tmp_path)})

    assert list(tmp_path.iterdir()) == []


def test_the_service_ends_those_of_its_home(instance: dg.DagsterInstance) -> None:
    run_id = add(instance, STATUS.STARTED)

    main({"DAGSTER_HOME": instance.root_directory})

    assert status_of(instance, run_id) is STATUS.FAILURE


def test_the_run_says_why_and_that_it_is_started_again(instance: dg.DagsterInstance) -> None:
    run_id = add(instance, STATUS.STARTED)

    fail(instance, orphans_of(instance))

    [event] = [entry for entry in instance.all_logs(run_id) if entry.is_dagster_event]
    run = instance.get_run_by_id(run_id)
    assert run
    assert WHY in event.message or WHY in str(event.dagster_event)
    assert run.tags["dagster/will_retry"] == "true"
