"""The second look, at the sandbox: what Graph says now decides whether anybody is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.watching.confirming import confirmed
from pipelines.watching.open_day import OpenDay, SpentBudget
from pipelines.watching.rules import Concern, Kind, Overspent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW: Final = datetime(2026, 9, 15, 20, tzinfo=UTC)  # 22:00 in Berlin


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=lambda: NOW) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[GraphClient]:
    with GraphClient(sandbox.token, base_url=sandbox.url) as opened:
        yield opened


def day_of(sandbox: Sandbox) -> OpenDay:
    account_id = sandbox.account_ids[0]
    return OpenDay(account_id, "DE", "EUR", "Europe/Berlin", date(2026, 9, 15), NOW)


def stopped(sandbox: Sandbox) -> Concern:
    return Concern(Kind.STOPPED, day_of(sandbox), 0.0, 50.0, 1320.0, 1200.0)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({}, ""),
        ({"account_status": 2}, "Meta has disabled the account"),
        ({"account_status": 3}, "the account is unsettled: a payment failed"),
        ({"spend_cap": "100", "amount_spent": "100"}, "the account's spend cap is reached"),
    ],
)
def test_what_stopped_is_told_with_its_cause(
    sandbox: Sandbox, client: GraphClient, change: Mapping[str, Any], cause: str
) -> None:
    if change:
        sandbox.change(f"act_{sandbox.account_ids[0]}", **change)

    found = confirmed(client, stopped(sandbox))

    assert found is not None
    assert found.cause == cause


def test_what_was_paused_is_not_told(sandbox: Sandbox, client: GraphClient) -> None:
    for campaign in client.account(sandbox.account_ids[0]).edge("campaigns", fields=["id"]):
        sandbox.change(campaign["id"], status="PAUSED")

    assert confirmed(client, stopped(sandbox)) is None


def test_a_budget_that_was_moved_away_is_not_told(sandbox: Sandbox, client: GraphClient) -> None:
    campaigns = client.account(sandbox.account_ids[0]).edge(
        "campaigns", fields=["id", "name", "daily_budget", "lifetime_budget"]
    )
    held_by_ad_sets = next(
        one for one in campaigns if not one.get("daily_budget") and not one.get("lifetime_budget")
    )
    budget = SpentBudget("campaign", held_by_ad_sets["id"], "Sale", 900.0, daily=100.0)
    concern = Concern(
        *(Kind.OVER_BUDGET, day_of(sandbox), 900.0, 100.0, 1200.0), over=[Overspent(budget, 100.0)]
    )

    assert confirmed(client, concern) is None


@pytest.mark.parametrize(
    ("edits", "scenarios", "is_told"),
    [
        ((), (), True),  # as it is
        (("900000",), (), False),  # it was raised, of which the lake knows nothing yet
        (("100",), (), True),  # it was lowered, after the money was spent
        (("900000", "100"), (), False),  # it was raised, and lowered again
        ((), ("budget_scheduled:0",), False),  # twice as much was allowed today
    ],
)
def test_budgets_are_told_as_they_are_now(
    sandbox: Sandbox,
    client: GraphClient,
    edits: tuple[str, ...],
    scenarios: tuple[str, ...],
    *,
    is_told: bool,
) -> None:
    campaigns = client.account(sandbox.account_ids[0]).edge(
        "campaigns", fields=["id", "name", "daily_budget"], effective_status=["ACTIVE"]
    )
    campaign = next(one for one in campaigns if one.get("daily_budget"))
    known = int(campaign["daily_budget"]) / 100
    spent = SpentBudget("campaign", campaign["id"], campaign["name"], 2 * known, daily=known)
    for daily_budget in edits:
        sandbox.change(campaign["id"], daily_budget=daily_budget)
    if scenarios:
        sandbox.use(*scenarios)
    over = [Overspent(spent, known)]

    found = confirmed(
        client, Concern(Kind.OVER_BUDGET, day_of(sandbox), 2 * known, known, 1200.0, over=over)
    )

    assert (found is not None) is is_told
