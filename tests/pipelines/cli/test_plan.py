from __future__ import annotations

from datetime import date
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

import pytest

from fbgraph.reports.allowance import ACCOUNT_RUNS
from pipelines.cli.commands.plan import RUN_SECONDS, foresee, minutes_of
from pipelines.cli.selection import plan_of
from pipelines.loading.estimate import HOURLY_GUESS, Cost
from pipelines.loading.listings import discover
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import NOW
from tests.reports import KNOWN, only

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from pipelines.loading.load_result import Outcome
    from warehouse.lake.partitions import Lake

SINCE, UNTIL = date(2026, 11, 9), date(2026, 11, 22)


def test_a_plan_foresees_what_is_then_spent(
    client: GraphClient, lake: Lake, load: Callable[..., Sequence[Outcome]]
) -> None:
    plan = plan_of(discover(client), only(HOURLY_REPORT), (SINCE, UNTIL), NOW)
    load(plan.days[:3])  # what it learns from

    foreseen = sum((one.cost for one in foresee(lake, plan).values()), Cost())
    outcomes = load(plan.days)

    loads = [outcome.load for outcome in outcomes if outcome.load]
    runs = {run_id for one in loads for run_id in one.report_run_ids}
    spent = sum(one.calls for one in loads)
    rows = sum(one.rows for one in loads)
    assert len(loads) == len(plan.account_days)
    assert foreseen.runs == len(runs)
    assert foreseen.calls == pytest.approx(spent, rel=0.2)
    assert foreseen.rows == pytest.approx(rows, rel=0.5)


def test_rows_are_learned_from_loaded_days_or_from_other_accounts_and_else_they_are_a_guess(
    client: GraphClient, lake: Lake, load: Callable[..., Sequence[Outcome]]
) -> None:
    plan = plan_of(discover(client), only(HOURLY_REPORT), (SINCE, UNTIL), NOW)
    first, second, third, other = plan.account_ids[:4]
    before = foresee(lake, plan)["insights_hourly", first]
    loads = [outcome.load for outcome in load(plan.days[-5:], [first, second, third])]
    rows = {
        account_id: {one.date: one.rows for one in loads if one and one.account_id == account_id}
        for account_id in (first, second, third)
    }

    forecasts = {account_id: one for (_, account_id), one in foresee(lake, plan).items()}

    usual = {account_id: ceil(median(sizes.values())) for account_id, sizes in rows.items()}
    assert (before.basis, before.rows[SINCE]) == ("guess", HOURLY_GUESS)
    assert forecasts[first].basis == "from 5 loaded days"
    assert forecasts[first].rows[SINCE] == usual[first]
    assert {day: forecasts[first].rows[day] for day in plan.days[-5:]} == rows[first]
    assert forecasts[other].basis == "from 3 other accounts"
    assert set(forecasts[other].rows.values()) == {ceil(median(usual.values()))}


def test_planning_calls_nobody(client: GraphClient, lake: Lake) -> None:
    plan = plan_of(discover(client), KNOWN, (SINCE, UNTIL), NOW)
    before = client.tally.calls

    foresee(lake, plan)

    assert client.tally.calls == before


def costs(*of_accounts: Cost) -> dict[tuple[str, str], Cost]:
    return {("insights_hourly", str(n)): cost for n, cost in enumerate(of_accounts)}


@pytest.mark.parametrize(
    ("each", "tier", "percent", "minutes"),
    [
        ((), "standard_access", 0, 0.0),
        ((Cost(1, 5),), "standard_access", 0, RUN_SECONDS / 60),
        ((Cost(ACCOUNT_RUNS + 1, 50),), "standard_access", 0, 2 * RUN_SECONDS / 60),
        ((Cost(1, 60),), "development_access", 0, RUN_SECONDS / 60),
        ((Cost(1, 120),), "development_access", 0, (RUN_SECONDS + 300) / 60),
        ((Cost(1, 60),), "development_access", 50, (RUN_SECONDS + 150) / 60),
        ((Cost(1, 60),), "development_access", 140, (RUN_SECONDS + 300) / 60),
        ((Cost(1, 120), Cost(1, 120)), "development_access", 0, (RUN_SECONDS + 300) / 60),
        ((Cost(1, 9000),), "a tier of tomorrow", 0, RUN_SECONDS / 60),
    ],
)
def test_minutes_go_by_the_runs_in_flight_and_by_what_the_limits_allow(
    each: tuple[Cost, ...], tier: str, percent: float, minutes: float
) -> None:
    assert minutes_of(costs(*each), tier, percent) == pytest.approx(minutes)
