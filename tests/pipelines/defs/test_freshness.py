from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.definitions import defs
from pipelines.defs.checks import fresh_result
from pipelines.defs.freshness import yesterdays
from pipelines.loading.accounts.stored import accounts_in
from pipelines.resources import GraphResource
from tests.clock import NOW
from tests.reports import KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=defs.get_repository_def(),
        resources={"graph": GraphResource()},
    )
    sensor = defs.get_repository_def().get_sensor_def("freshness")
    return sensor.evaluate_tick(context)  # type: ignore[return-value]  # it has the same fields


def test_yesterday_itself_is_looked_for_and_not_the_newest_day(
    sandbox: Sandbox, lake: Lake, load: Callable[..., object], days: Sequence[date]
) -> None:
    first, second, third, *_ = sandbox.account_ids
    today = days[-1] + timedelta(days=1)
    load([today], [first])  # provisional, and newer than yesterday
    load(days, [second])
    sandbox.use("wrong_rows")
    load(days, [third])
    accounts = {i: replace(one, timezone_name="UTC") for i, one in accounts_in(lake).items()}

    found = yesterdays(lake, "insights_hourly", accounts, NOW)
    result = fresh_result(dg.AssetKey("insights_hourly"), accounts, found, NOW)

    said = result.metadata["named"].value
    assert {i: one and one.verdict for i, one in found.items()} == {
        first: None,
        second: "proven",
        third: "unproven",
    }
    assert not result.passed
    assert isinstance(said, dict)
    assert said[f"act_{first}"] == "2026-11-22 is not loaded"
    assert said[f"act_{third}"].startswith("2026-11-22 is unproven: impressions ")
    assert (
        result.description
        == "Accounts without their yesterday 4 hours after their refresh: 2 of 3."
    )


def test_the_sensor_records_the_check_once_and_then_only_when_it_changes(
    instance: dg.DagsterInstance, load: Callable[..., object]
) -> None:
    load([])

    first = tick(instance)
    again = tick(instance, first.cursor)

    found = {(e.asset_key.to_user_string(), e.check_name, e.passed) for e in first.asset_events}  # type: ignore[union-attr]
    assert found == {(report, "fresh", True) for report in KNOWN.by_name}
    assert not again.asset_events


def test_a_person_can_run_the_check_by_a_click(instance: dg.DagsterInstance) -> None:
    job = dg.define_asset_job(
        "look",
        dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("insights_hourly"), "fresh")),
    )
    bound = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))

    result = bound.resolve_job_def("look").execute_in_process(instance=instance)

    assert [one.passed for one in result.get_asset_check_evaluations()] == [True]
