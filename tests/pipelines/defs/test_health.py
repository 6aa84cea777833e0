"""What Dagster's pages say beyond single cells: the health of the lake, what a command did, why a
cell is red or was skipped, and the totals that reports store.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.definitions import defs
from pipelines.defs.health import command_event, health_events
from pipelines.loading.load_result import Outcome, Target
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Command
from pipelines.loading.session import Loads
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import NOW
from tests.runs import run_job
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

REPORTS = ("insights_hourly", "insights_daily")


def shown(event: dg.AssetMaterialization | dg.AssetObservation) -> dict[str, Any]:
    return {name: value.value for name, value in event.metadata.items()}


def test_the_health_of_a_lake_is_that_of_its_days(
    sandbox: Sandbox, lake: Lake, client: GraphClient, days: Sequence[date],
    load: Callable[..., Sequence[Outcome]],
) -> None:  # fmt: skip
    load(days)
    publish(lake.root)

    [event] = health_events(lake, REPORTS, client, AssetKeys(), NOW)

    truths = {i: sandbox.truth(i, days[-1]) for i in sandbox.account_ids}
    spend: defaultdict[str, Decimal] = defaultdict(Decimal)
    currencies = {row["account_id"]: row["account_currency"] for row in
                  lake.read("accounts").to_pylist()}  # fmt: skip
    for account_id, truth in truths.items():
        spend[f"spend_{currencies[account_id]}"] += Decimal(truth["sums"]["spend"])
    told = shown(event)
    assert {key: told[key] for key in told if key.startswith("spend_")} == {
        key: float(value) for key, value in spend.items()
    }
    assert told["rows_newest_day"] == sum(truth["count"] for truth in truths.values())
    assert told["rows"] == sum(
        sandbox.truth(i, day)["count"] for i in sandbox.account_ids for day in days
    )
    assert (told["proven_percent"], told["failed"]) == (100.0, 0)
    assert 0 < told["lag_hours_typical"] <= told["lag_hours_worst"] == 30.0
    assert 0 < told["quota_percent"] < 100


def test_a_day_that_fails_or_is_missing_is_seen_in_the_health(
    sandbox: Sandbox, lake: Lake, days: Sequence[date], load: Callable[..., Sequence[Outcome]]
) -> None:
    load(days[:1])
    sandbox.use("forbidden_account")
    load(days[1:])
    publish(lake.root)

    [event] = health_events(lake, REPORTS, None, AssetKeys(), NOW + timedelta(days=1))

    told = shown(event)
    assert told["failed"] == 2  # both days of the one account
    assert told["lag_hours_worst"] > told["lag_hours_typical"] + 24
    assert "quota_percent" not in told


def test_a_lake_that_was_never_loaded_has_a_health_too(lake: Lake) -> None:
    [event] = health_events(lake, REPORTS, None, AssetKeys(), NOW)

    assert shown(event) == {"failed": 0, "rows_newest_day": 0, "rows": 0}


def test_a_command_says_what_it_did_and_what_failed_with_the_name_of_the_account() -> None:
    day, began = date(2026, 11, 20), datetime.fromisoformat("2026-11-29T10:00:00+00:00")
    cell = AccountDay("1", day)
    failed = {Target.of("insights_hourly", cell): "(#200) No | <b>"}
    words = "fbinsights backfill --since 2026-11-20 --until 2026-11-20"
    command = Command(words, began, "machine", failed, {}, "the token died")
    loads = Loads(HOURLY_REPORT, [Outcome(cell, error="(#200) No")])

    names, ended = {"1": "Sakura 東京"}, began + timedelta(seconds=90)
    event = command_event(command, [loads], names, AssetKeys(), ended)

    said = (
        "0 account-days loaded (0 of insights_hourly), 1 failed. Stopped: the token died"
    )  # fmt: skip
    assert event.description == f"{words}: {said}"
    told = shown(event)
    assert (told["loaded"], told["failed"], told["seconds"]) == (0, 1, 90.0)
    assert told["failures"].splitlines()[-1] == (
        "| Sakura 東京 (act\\_1) | insights\\_hourly | 2026-11-20 | (\\#200) No \\| \\<b\\> |"
    )


def cell_events(
    instance: dg.DagsterInstance, asset: str, cell: str
) -> Sequence[dg.AssetObservation]:
    found = instance.fetch_observations(
        dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[cell]), limit=10
    )
    return [record.asset_observation for record in found.records if record.asset_observation]


def test_a_cell_that_failed_says_why_on_its_page(
    instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("forbidden_account")
    cell = f"act_{sandbox.account_ids[1]}|{days[0]}"

    result = run_job(instance, "insights_hourly_job", cell, cell)

    assert not result.success
    [observed] = cell_events(instance, "insights_hourly", cell)
    assert observed.description
    assert observed.description.startswith("Failed: (#200) Ad account owner has NOT grant")
    assert shown(observed)["account_name"] == "Sunset Outfitters"


def test_a_day_that_has_not_begun_is_skipped_and_says_so(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    run_job(instance, "accounts_job")
    today = datetime.now(NOW.tzinfo).date()
    cell = f"act_{sandbox.account_ids[1]}|{today + timedelta(days=1)}"  # in Los Angeles
    definitions = _with_tomorrow()

    result = run_job(instance, "insights_hourly_job", cell, cell, of=definitions)

    assert result.success
    [observed] = cell_events(instance, "insights_hourly", cell)
    assert str(observed.description).startswith("Skipped: this day has not begun: it is ")
    assert instance.get_materialized_partitions(dg.AssetKey("insights_hourly")) == set()
    assert not list(lake.root.glob(".failed/**/*.json"))


def _with_tomorrow() -> dg.Definitions:
    """Grids as where an account is far ahead."""
    from pipelines.assembly import definitions_of  # noqa: PLC0415  # next to its use
    from pipelines.defs.partitions import Grid  # noqa: PLC0415
    from tests.reports import KNOWN  # noqa: PLC0415

    return definitions_of(KNOWN, Grid(zone="Etc/GMT-14"))


def test_the_totals_that_prove_a_report_are_in_their_own_grid(
    instance: dg.DagsterInstance, sandbox: Sandbox, days: Sequence[date]
) -> None:
    run_job(instance, "accounts_job")
    cells = [f"act_{sandbox.account_ids[0]}|{day}" for day in days]

    assert run_job(instance, "insights_hourly_job", cells[0], cells[-1]).success

    assert instance.get_materialized_partitions(dg.AssetKey("control_daily")) == set(cells)


def test_everything_that_can_be_started_says_what_it_does() -> None:
    repository = defs.get_repository_def()
    said = {
        **{job.name: job.description for job in repository.get_all_jobs()},
        **{one.name: one.description for one in repository.schedule_defs},
        **{one.name: one.description for one in repository.sensor_defs},
    }

    short = {name for name, text in said.items() if len(text or "") < 40}
    assert short <= {"__ASSET_JOB"}
    assets = [node for node in defs.resolve_asset_graph().asset_nodes if not node.description]
    assert [node.key for node in assets] == []
