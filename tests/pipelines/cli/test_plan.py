from __future__ import annotations

from datetime import date
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

import pytest

from fbgraph.catalog.fields import HOURLY
from fbgraph.reports.allowance import ACCOUNT_RUNS
from pipelines.cli.forecasts import RUN_SECONDS, Listings, foresee, minutes_of
from pipelines.cli.selection import plan_of
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.estimate import Cost, guessed_rows, listing_calls, size_of
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import NOW
from tests.objects import NEEDED
from tests.reports import KNOWN, only
from warehouse.schema.tables import OBJECT_TABLES

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
    assert len(loads) == len(plan.wanted["insights_hourly"])
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

    guess = guessed_rows("ad", HOURLY_REPORT.breakdowns)
    usual = {account_id: ceil(median(sizes.values())) for account_id, sizes in rows.items()}
    assert (before.basis, before.rows[SINCE]) == ("guess", guess)
    assert forecasts[first].basis == "from 5 loaded days"
    assert forecasts[first].rows[SINCE] == usual[first]
    assert {day: forecasts[first].rows[day] for day in plan.days[-5:]} == rows[first]
    assert forecasts[other].basis == "from 3 other accounts"
    assert set(forecasts[other].rows.values()) == {ceil(median(usual.values()))}


def test_a_report_that_is_new_is_estimated_by_what_the_account_has_of_another(
    client: GraphClient, lake: Lake, load: Callable[..., Sequence[Outcome]]
) -> None:
    """And a listing that nobody has made counts as a page."""
    new = only(report := KNOWN.by_name["insights_age_gender"])
    plan = plan_of(discover(client), new, (SINCE, UNTIL), NOW)
    first, other = plan.account_ids[:2]
    [one] = [outcome.load for outcome in load(plan.days[-1:], [first])]

    forecasts = foresee(lake, plan, KNOWN.by_name)
    listings = Listings.of(lake, [first, other])

    known, unknown = forecasts[report.name, first], forecasts[report.name, other]
    size = size_of("ad", HOURLY_REPORT.breakdowns, one.rows if one else 0)
    rows, guess = (guessed_rows(report.level, ["age", "gender"], n) for n in (size, 1.0))
    assert (known.basis, set(known.rows.values())) == ("from insights_hourly", {rows})
    assert (unknown.basis, set(unknown.rows.values())) == ("guess", {guess})
    assert listings.calls == 2 + 2 * len(NEEDED)
    assert listings.uncounted == 2 * len(lake.catalog.listed)


def test_rows_of_breakdowns_and_pages_of_listings_are_foreseen_by_tables() -> None:
    def rows(level: str, breakdowns: str, size: float = 1.0) -> int:
        return guessed_rows(level, breakdowns.split(), size)

    assert rows("ad", "") == 20
    assert rows("ad", HOURLY) == 300
    assert rows("account", "", 50.0) == 1
    assert rows("campaign", "gender age", 2.5) == 100
    assert rows("ad", "publisher_platform platform_position") == 180
    assert rows("campaign", "image_asset publisher_platform") == ceil(4 * 2 * 2.2)
    assert size_of("ad", [HOURLY], rows("ad", HOURLY, 7.0)) == 7.0
    assert [listing_calls(OBJECT_TABLES["ads"], n) for n in (None, 0, 500, 501)] == [1, 1, 1, 2]


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
