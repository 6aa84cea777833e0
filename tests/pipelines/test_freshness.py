from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.definitions import defs
from pipelines.freshness import newest_proven
from pipelines.reports import REPORTS
from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from fbgraph.sandbox import Sandbox
    from warehouse.lake import Lake


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=defs.get_repository_def(),
        resources={"graph": GraphResource()},
    )
    sensor = defs.get_repository_def().get_sensor_def("freshness")
    return sensor.evaluate_tick(context)  # type: ignore[return-value]  # it has the same fields


def test_the_newest_proven_day_of_each_account_is_found(
    sandbox: Sandbox, lake: Lake, load: Callable[..., object], days: Sequence[date]
) -> None:
    account_id = sandbox.account_ids[0]
    load(days[:2], [account_id])
    sandbox.use("wrong_rows")
    load(days[2:], [account_id])

    newest = newest_proven(lake, "insights_hourly")

    assert {i: one.date for i, one in newest.items()} == {account_id: days[1]}


def test_the_sensor_records_the_check_once_and_then_only_when_it_changes(
    instance: dg.DagsterInstance, load: Callable[..., object]
) -> None:
    load([])

    first = tick(instance)
    again = tick(instance, first.cursor)

    found = {(e.asset_key.to_user_string(), e.check_name, e.passed) for e in first.asset_events}  # type: ignore[union-attr]
    assert found == {(report, "fresh", True) for report in REPORTS}
    assert not again.asset_events


def test_a_person_can_run_the_check_by_a_click(instance: dg.DagsterInstance) -> None:
    job = dg.define_asset_job(
        "look",
        dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("insights_hourly"), "fresh")),
    )
    bound = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))

    result = bound.resolve_job_def("look").execute_in_process(instance=instance)

    assert [one.passed for one in result.get_asset_check_evaluations()] == [True]
