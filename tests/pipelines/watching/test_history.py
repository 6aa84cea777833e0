"""What the rules are given, from a published file that the sandbox filled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb

import warehouse
from pipelines.loading.objects import load_objects
from pipelines.watching.history import open_days
from tests.clock import NOW
from tests.reports import KNOWN
from warehouse.published.publish import LINK, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from pipelines.watching.open_day import OpenDay
    from warehouse.lake.partitions import Lake


def test_a_budget_counts_as_the_largest_that_is_known_of_the_day(
    sandbox: Sandbox, client: GraphClient, lake: Lake, load: Callable[..., object]
) -> None:
    """It was raised the day before yesterday, lowered yesterday, and again today."""
    account_id = sandbox.account_ids[0]
    load([NOW.date()], [account_id])

    def listed(hours_ago: int) -> OpenDay:
        now = NOW - timedelta(hours=hours_ago)
        load_objects(client, lake, ["campaigns", "adsets"], [account_id], lambda: now)
        publish(lake.root, catalog=KNOWN.catalog)
        with warehouse.open(lake.root) as opened:
            [day] = open_days(opened, NOW, {})
        return day

    before = listed(72)
    campaign = next(one for one in before.budgets if one.level == "campaign" and one.daily)
    for hours_ago, daily in ((50, 900_000), (30, 300_000), (8, 100_000)):
        sandbox.change(campaign.object_id, daily_budget=str(daily))
        after = listed(hours_ago)
    [found] = [one for one in after.budgets if one.object_id == campaign.object_id]

    def least(others: int | None) -> float:
        with duckdb.connect(str((lake.root / LINK).resolve())) as published:
            sql = (
                "UPDATE accounts SET account_currency = 'EUR', min_daily_budget ="
                " CASE WHEN account_id <> ? THEN ? ELSE 0 END"
            )
            published.execute(sql, [account_id, others])
        with warehouse.open(lake.root) as opened:
            [day] = open_days(opened, NOW, {})
        return day.least_budget

    assert (before.currency, before.least_budget) == ("EUR", 1.0)
    assert (found.daily, found.spent) == (3_000.0, campaign.spent)
    assert {one.object_id for one in after.budgets} == {one.object_id for one in before.budgets}
    # Of an account that has none: as others in its currency, or a hundred cents.
    assert [least(5), least(None)] == [5.0, 1.0]
