"""Objects that insights mention and listings hide, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import warehouse
from fbgraph.errors import TokenError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.failures import Failures
from pipelines.loading.objects import load_mentioned, load_objects
from pipelines.loading.partitions import AccountDay
from tests.objects import NEEDED
from warehouse.lake.defects.failures import find_failures
from warehouse.lake.history import mentioned_ids, missing_ids
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


def now() -> datetime:
    return datetime(2026, 11, 23, 20, tzinfo=UTC)


def at_all_times(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@pytest.fixture
def loaded(load: Callable[..., object], sandbox: Sandbox, days: Sequence[date]) -> str:
    """An account whose insights are loaded and whose objects are not."""
    account_id = sandbox.account_ids[0]
    load(days, [account_id])
    return account_id


def cells(account_id: str, days: Sequence[date]) -> list[AccountDay]:
    return [AccountDay(account_id, day) for day in days]


def test_deleted_objects_that_insights_mention_are_read_by_id_and_all_ids_are_known(
    loaded: str, client: GraphClient, lake: Lake, days: Sequence[date]
) -> None:
    load_objects(client, lake, NEEDED, [loaded], now)
    mentioned = mentioned_ids(lake, loaded, days)
    missing = missing_ids(lake, loaded, mentioned)

    known = load_mentioned(client, lake, cells(loaded, days), now)

    assert sum(map(len, missing.values())) == known[loaded].by_id > 0
    assert not known[loaded].unknown
    assert not any(missing_ids(lake, loaded, mentioned).values())
    ads = lake.read("ads", account_id=loaded).select(["ad_id", "effective_status"]).to_pylist()
    status = {row["ad_id"]: row["effective_status"] for row in ads}
    assert {status[ad_id] for ad_id in missing["ads"]} == {"DELETED"}


def test_they_are_asked_for_by_few_calls_and_not_again(
    loaded: str, client: GraphClient, lake: Lake, sandbox: Sandbox, days: Sequence[date]
) -> None:
    load_objects(client, lake, NEEDED, [loaded], now)
    sandbox.reset_calls()

    load_mentioned(client, lake, cells(loaded, days), now)
    first = {(c["method"], c["path"]): c["count"] for c in sandbox.calls()["calls"]}
    sandbox.reset_calls()
    load_mentioned(client, lake, cells(loaded, days), now)

    assert first["POST", "/"] <= len(NEEDED)
    assert sandbox.calls()["total"] == 0


def test_objects_that_were_never_listed_are_listed_and_not_asked_for_one_by_one(
    loaded: str, client: GraphClient, lake: Lake, sandbox: Sandbox, days: Sequence[date]
) -> None:
    sandbox.reset_calls()

    known = load_mentioned(client, lake, cells(loaded, days), now)

    paths = {c["path"] for c in sandbox.calls()["calls"]}
    assert {"/{id}/campaigns", "/{id}/adsets", "/{id}/ads"} <= paths
    assert not known[loaded].unknown


def test_a_first_listing_that_failed_has_failed_no_more_when_a_load_has_made_it(
    loaded: str, client: GraphClient, lake: Lake, days: Sequence[date]
) -> None:
    Failures(lake.store, "ads").note_whole({loaded: "(#2) Down", "999": "(#200) No"}, now())

    load_mentioned(client, lake, cells(loaded, days), now)

    assert [one.key for one in find_failures(lake.store)] == [".failed/ads/999/all.json"]


def test_an_object_that_vanishes_from_the_listing_is_read_by_id(
    loaded: str, client: GraphClient, lake: Lake, sandbox: Sandbox
) -> None:
    load_objects(client, lake, ["campaigns"], [loaded], now)
    rows = lake.read("campaigns", account_id=loaded).to_pylist()
    campaign = next(r["campaign_id"] for r in rows if r["effective_status"] == "ACTIVE")
    sandbox.change(campaign, status="DELETED")

    [listed] = load_objects(client, lake, ["campaigns"], [loaded], lambda: now().replace(hour=21))

    after = lake.read("campaigns", account_id=loaded).to_pylist()
    status = {r["campaign_id"]: r["effective_status"] for r in after}
    assert (listed.by_id, status[campaign]) == (1, "DELETED")


def test_renames_are_in_the_history_though_the_clock_was_ahead_when_they_were_listed_before(
    loaded: str, client: GraphClient, lake: Lake, sandbox: Sandbox
) -> None:
    """Twice, and of the account too."""
    clock = [
        now(),
        now() + timedelta(days=9),
        now() + timedelta(hours=1),
        now() + timedelta(days=5),
    ]
    ads = client.account(loaded).edge("campaigns", fields=["id"])
    campaign = next(iter(ads))["id"]
    for n, at in enumerate([*clock, clock[-1] + timedelta(days=1)]):
        sandbox.change(campaign, name=f"Name {n}")
        sandbox.change(f"act_{loaded}", name=f"Shop {n}")
        store_accounts(lake, discover(client).rows, at)
        load_objects(client, lake, ["campaigns"], [loaded], at_all_times(at))

    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        names, shops = (
            opened.sql(query).filter(f"id = '{key}'").order("valid_from").fetchall()
            for query, key in (
                ("select campaign_id as id, campaign_name, * from campaigns_history", campaign),
                ("select account_id as id, account_name, * from accounts_history", loaded),
            )
        )
    assert [name for _, name, *_ in names] == [f"Name {n}" for n in range(5)]
    assert [name for _, name, *_ in shops][-5:] == [f"Shop {n}" for n in range(5)]
    assert [row[-1] is None for row in names] == [False] * 4 + [True]


def test_an_account_that_refuses_its_objects_fails_alone(
    load: Callable[..., object], client: GraphClient, lake: Lake, sandbox: Sandbox
) -> None:
    load([])
    sandbox.use("forbidden_account")

    found = load_objects(client, lake, ["ads"], sandbox.account_ids[:3], now)

    assert [bool(one.error) for one in found] == [False, True, False]
    assert "#200" in found[1].error


def test_a_dead_token_ends_everything(
    loaded: str, client: GraphClient, lake: Lake, sandbox: Sandbox
) -> None:
    sandbox.use("expired_token")

    with pytest.raises(TokenError):
        load_objects(client, lake, NEEDED, [loaded], now)
