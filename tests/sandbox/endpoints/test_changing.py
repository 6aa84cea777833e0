from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.endpoints.made import CAMPAIGN, listed, make_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph


def test_a_change_moves_the_time_of_the_update(fresh: Graph) -> None:
    campaign = fresh.rows(f"{fresh.account()}/campaigns")[0]["id"]

    answer = fresh.post(campaign, name="neu", bid_strategy="COST_CAP")

    assert answer.json() == {"success": True}
    assert fresh.get(campaign, fields="name,bid_strategy,updated_time").json() == {
        "name": "neu",
        "bid_strategy": "COST_CAP",
        "updated_time": "2026-11-23T12:07:00+0100",
        "id": campaign,
    }


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"daily_budget": 5000}, False),
        ({"lifetime_budget": 50000}, False),
        ({"spend_cap": 70000}, False),
        ({"daily_budget": 5000, "spend_cap": 70000}, False),
        ({"daily_budget": 5000, "name": "n"}, True),
    ],
)
def test_a_campaigns_budget_changes_unnoticed(
    fresh: Graph, change: dict[str, Any], *, moves: bool
) -> None:
    campaign = fresh.rows(f"{fresh.account()}/campaigns")[0]["id"]
    before = fresh.get(campaign, fields="updated_time").json()["updated_time"]

    fresh.post(campaign, **change)

    after = fresh.get(campaign, fields=f"updated_time,{','.join(change)}").json()
    assert (after["updated_time"] != before) == moves
    assert {name: after[name] for name in change} == {k: str(v) for k, v in change.items()}


@pytest.mark.parametrize(
    ("level", "status", "expected"),
    [
        ("campaign", "PAUSED", ["PAUSED", "CAMPAIGN_PAUSED", "CAMPAIGN_PAUSED"]),
        ("adset", "PAUSED", ["ACTIVE", "PAUSED", "ADSET_PAUSED"]),
        ("campaign", "ARCHIVED", ["ARCHIVED"] * 3),
        ("campaign", "DELETED", ["DELETED"] * 3),
        ("adset", "ARCHIVED", ["ACTIVE", "ARCHIVED", "ARCHIVED"]),
    ],
)
def test_a_status_reaches_down(fresh: Graph, level: str, status: str, expected: list[str]) -> None:
    made = make_objects(fresh)

    fresh.post(getattr(made, level), status=status)

    found = [
        fresh.get(one, fields="effective_status").json()["effective_status"]
        for one in (made.campaign, made.adset, made.ad)
    ]
    assert found == expected
    assert fresh.get(made.ad, fields="status").json()["status"] == "ACTIVE"


@pytest.mark.parametrize("how", ["delete", "status"])
def test_a_deleted_object_is_gone_from_edges_but_not_by_its_id(fresh: Graph, how: str) -> None:
    made = make_objects(fresh)

    answer = (
        fresh.delete(made.campaign)
        if how == "delete"
        else fresh.post(made.campaign, status="DELETED")
    )

    assert answer.json() == {"success": True}
    assert made.campaign not in listed(fresh, "campaigns", effective_status=["ACTIVE", "ARCHIVED"])
    assert made.ad not in listed(fresh, "ads")
    assert fresh.get(made.campaign, fields="status").json()["status"] == "DELETED"
    for path, params in ((made.campaign, {"name": "x"}), (made.ad, {"status": "PAUSED"})):
        assert fresh.refusal(path, **params)["code"] == 100
    assert fresh.delete(made.campaign).status_code == 400


def test_an_archived_object_can_be_renamed_and_deleted_and_no_more(fresh: Graph) -> None:
    campaign = fresh.made("campaigns", **CAMPAIGN)
    fresh.post(campaign, status="ARCHIVED")

    revived = fresh.refusal(campaign, status="ACTIVE")
    paid = fresh.refusal(campaign, daily_budget=1000)
    renamed = fresh.post(campaign, name="alt")

    assert campaign not in listed(fresh, "campaigns")
    assert campaign in listed(fresh, "campaigns", effective_status=["ARCHIVED"])
    assert revived["error_user_title"] == paid["error_user_title"]
    assert renamed.json() == {"success": True}
    assert fresh.delete(campaign).json() == {"success": True}


def test_no_write_changes_a_number(fresh: Graph, everything: dict[str, Any]) -> None:
    account = fresh.account()
    day = {"time_range": {"since": "2026-11-01", "until": "2026-11-21"}}
    before = fresh.rows(f"{account}/insights", **everything, **day)
    ads = [ad["id"] for ad in fresh.rows(f"{account}/ads")]

    fresh.delete(ads[0])
    fresh.post(ads[1], status="ARCHIVED")
    fresh.post(ads[2], status="PAUSED")
    make_objects(fresh)

    assert fresh.rows(f"{account}/insights", **everything, **day) == before
    assert len({row["ad_id"] for row in before} & set(ads[:3])) == 3


def test_a_new_name_is_in_insights_at_once(fresh: Graph) -> None:
    path = f"{fresh.account()}/insights"
    query = {"level": "campaign", "fields": "campaign_id,campaign_name"}
    first = fresh.rows(path, **query)[0]["campaign_id"]

    fresh.post(first, name="umbenannt")

    assert fresh.rows(path, **query)[0]["campaign_name"] == "umbenannt"


def test_a_new_ad_delivers_from_the_next_day_on(fresh: Graph) -> None:
    ads = [make_objects(fresh).ad for _ in range(3)]
    paused = make_objects(fresh, "PAUSED").ad
    fresh.clock.now = fresh.clock.now.replace(day=26)

    def delivering(day: str) -> set[str]:
        return {row["ad_id"] for row in fresh.sandbox.truth(fresh.account(), day)["rows"]}

    later = delivering("2026-11-24") | delivering("2026-11-25")
    assert delivering("2026-11-23").isdisjoint(ads)
    assert set(ads) <= later
    assert paused not in later


def test_an_account_takes_a_new_name_but_is_never_deleted(fresh: Graph) -> None:
    account = fresh.account()

    fresh.post(account, name="Neuer Name")

    assert fresh.get(account, fields="name").json()["name"] == "Neuer Name"
    assert fresh.delete(account).json()["error"]["error_subcode"] == 33


def test_an_object_changes_by_the_tests_own_hand(fresh: Graph) -> None:
    account = fresh.account()
    other, campaign, *_ = sorted(listed(fresh, "campaigns"))

    fresh.sandbox.change(campaign, status="ARCHIVED", name="alt")
    fresh.sandbox.change(account, account_status=2, disable_reason=1, spend_cap=50000)
    answer = fresh.bare.post("_sandbox/change", json={"id": other, "review": "WITH_ISSUES"})

    assert answer.json() == {"success": True}
    found = fresh.get(campaign, fields="name,effective_status").json()
    assert (found["name"], found["effective_status"]) == ("alt", "ARCHIVED")
    state = fresh.get(account, fields="account_status,disable_reason,spend_cap").json()
    assert (state["account_status"], state["disable_reason"], state["spend_cap"]) == (2, 1, "50000")
    assert fresh.get(other, fields="effective_status").json()["effective_status"] == "WITH_ISSUES"


def test_a_wrong_change_by_hand_says_why(fresh: Graph) -> None:
    campaign = fresh.made("campaigns", **CAMPAIGN)
    fresh.sandbox.change(campaign, status="DELETED")

    with pytest.raises(KeyError, match="12345"):
        fresh.sandbox.change("12345", status="PAUSED")
    with pytest.raises(ValueError, match="can only be renamed or deleted"):
        fresh.sandbox.change(campaign, status="ACTIVE")
    with pytest.raises(ValueError, match="must be one of"):
        fresh.sandbox.change(fresh.rows(f"{fresh.account()}/ads")[0]["id"], review="SUPER")
    wrong = fresh.bare.post("_sandbox/change", json={"id": "12345"})
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"error": "Missing parameter or unknown object: 12345."},
    )


def test_writes_from_many_threads_are_all_there(fresh: Graph) -> None:
    campaign = fresh.rows(f"{fresh.account()}/campaigns")[0]["id"]

    def write(turn: int) -> str:
        fresh.sandbox.change(campaign, name=f"n{turn}")
        fresh.sandbox.truth(fresh.account(), "2026-11-21")
        return fresh.made("campaigns", **CAMPAIGN)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(write, range(16)))

    assert len(set(made)) == 16
    assert set(made) <= listed(fresh, "campaigns")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-12-01T08:00:00-0800", "2026-12-01T17:00:00+0100"),
        ("2026-07-01T00:00:00+02:00", "2026-07-01T00:00:00+0200"),
        ("1796083200", "2026-12-01T01:00:00+0100"),
        ("2026-12-01T00:00:00", "2026-12-01T01:00:00+0100"),
    ],
)
def test_times_are_read_in_the_accounts_zone(fresh: Graph, written: str, read: str) -> None:
    campaign = fresh.made("campaigns", **CAMPAIGN, stop_time=written)

    assert fresh.get(campaign, fields="stop_time").json()["stop_time"] == read


def test_a_changed_object_may_be_read_with_the_call_that_changes_it(fresh: Graph) -> None:
    campaign = fresh.made("campaigns", **CAMPAIGN)

    answer = fresh.post(campaign, name="neu", objective="OUTCOME_SALES", fields="name,objective")

    assert answer.json() == {
        "success": True,
        "name": "neu",
        "objective": "OUTCOME_SALES",
        "id": campaign,
    }


def test_parameters_that_are_no_fields_are_taken_and_not_shown(fresh: Graph) -> None:
    campaign = fresh.made("campaigns", **CAMPAIGN, adset_budgets=[{}], pacing_type="x")

    found = fresh.get(campaign, fields="pacing_type").json()

    assert found == {"id": campaign, "pacing_type": "x"}
    assert "nonexisting field" in fresh.error(campaign, fields="adset_budgets")["message"]


def test_what_is_no_ad_object_is_not_written(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    rich = graph.by(graph.sandbox.make_token(["ads_management", "business_management"]))
    business = rich.rows("me/businesses")[0]["id"]

    assert rich.refusal(business, name="x")["error_subcode"] == 33
    assert rich.delete(business).json()["error"]["error_subcode"] == 33
    with pytest.raises(ValueError, match="Unsupported post request"):
        graph.sandbox.change(business, name="x")


def test_a_review_ends_by_hand(fresh: Graph) -> None:
    made = make_objects(fresh)

    seen = []
    for review in ("DISAPPROVED", "NONE"):
        fresh.sandbox.change(made.ad, review=review)
        seen.append(fresh.get(made.ad, fields="effective_status").json()["effective_status"])

    assert seen == ["DISAPPROVED", "ACTIVE"]


def test_a_broken_json_body_lacks_what_it_should_say(graph: Graph) -> None:
    answer = graph.bare.post(
        f"v26.0/{graph.account()}/campaigns",
        content='{"name": "n',
        headers={**graph.bearer, "Content-Type": "application/json"},
    )

    assert answer.json()["error"]["message"] == "(#100) The parameter name is required"
