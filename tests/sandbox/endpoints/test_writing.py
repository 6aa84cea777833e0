from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph


#: What a campaign, an ad set and an ad take at the least, parents aside.
CAMPAIGN = {
    "name": "Größe & 東京 🚀",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
}
ADSET = {
    "name": "s",
    "billing_event": "IMPRESSIONS",
    "optimization_goal": "LINK_CLICKS",
    "daily_budget": 1000,
    "targeting": {"geo_locations": {"countries": ["DE"]}},
}


class Objects(NamedTuple):
    """One new object of each level, by id."""

    campaign: str
    adset: str
    creative: str
    ad: str


def make_objects(graph: Graph, status: str = "ACTIVE") -> Objects:
    campaign = graph.made("campaigns", **{**CAMPAIGN, "status": status})
    adset = graph.made("adsets", **ADSET, campaign_id=campaign, status=status)
    creative = graph.made("adcreatives", name="c", object_story_spec={"page_id": "1"})
    ad = graph.made(
        "ads", name="a", adset_id=adset, creative={"creative_id": creative}, status=status
    )
    return Objects(campaign, adset, creative, ad)


@pytest.fixture
def fresh(open_graph: Callable[..., Graph]) -> Graph:
    """A sandbox that this test alone may change."""
    return open_graph()


def count(graph: Graph, edge: str) -> int:
    found: int = graph.get(f"{graph.account()}/{edge}", summary="1").json()["summary"][
        "total_count"
    ]
    return found


def listed(graph: Graph, edge: str, **params: Any) -> set[str]:
    return {row["id"] for row in graph.rows(f"{graph.account()}/{edge}", **params)}


def test_what_was_made_is_listed_counted_and_readable(fresh: Graph) -> None:
    before = {edge: count(fresh, edge) for edge in ("campaigns", "adsets", "ads", "adcreatives")}

    made = make_objects(fresh)

    assert {edge: count(fresh, edge) - n for edge, n in before.items()} == dict.fromkeys(before, 1)
    assert made.ad in {row["id"] for row in fresh.rows(f"{made.campaign}/ads")}
    fields = "name,objective,special_ad_categories,effective_status,created_time,budget_remaining"
    assert fresh.get(made.campaign, fields=fields).json() == {
        "name": "Größe & 東京 🚀",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
        "effective_status": "ACTIVE",
        "created_time": "2026-11-23T12:07:00+0100",
        "budget_remaining": "0",
        "id": made.campaign,
    }
    assert fresh.get(made.ad, fields="adset_id,campaign{id},creative{name}").json() == {
        "adset_id": made.adset,
        "campaign": {"id": made.campaign},
        "creative": {"name": "c", "id": made.creative},
        "id": made.ad,
    }


def test_money_is_written_and_read_in_minor_units(fresh: Graph) -> None:
    budget = {**CAMPAIGN, "daily_budget": 1050, "spend_cap": "99900"}
    campaign = fresh.made("campaigns", **budget)

    found = fresh.get(campaign, fields="daily_budget,spend_cap,budget_remaining").json()

    assert (found["daily_budget"], found["spend_cap"]) == ("1050", "99900")
    assert found["budget_remaining"] == "1050"


@pytest.mark.parametrize("kind", ["data", "json", "multipart"])
def test_a_body_may_be_written_in_three_ways(fresh: Graph, kind: str) -> None:
    url = f"v26.0/{fresh.account()}/adsets"
    campaign = fresh.made("campaigns", **CAMPAIGN)
    texts = {
        **{k: v for k, v in ADSET.items() if isinstance(v, str)},
        "campaign_id": campaign,
        "daily_budget": "1000",
        "targeting": '{"geo_locations":{"countries":["DE"]}}',
    }
    bodies: dict[str, Any] = {
        "data": {"data": texts},
        "json": {"json": {**ADSET, "campaign_id": campaign, "bid_amount": None}},
        "multipart": {"files": {name: (None, text) for name, text in texts.items()}},
    }

    answer = fresh.bare.post(url, headers=fresh.bearer, **bodies[kind])

    found = fresh.get(answer.json()["id"], fields="targeting,daily_budget").json()
    assert found["targeting"] == {"geo_locations": {"countries": ["DE"]}}
    assert found["daily_budget"] == "1000"


def test_a_new_object_may_be_read_with_the_call_that_makes_it(fresh: Graph) -> None:
    path = f"{fresh.account()}/campaigns"

    answer = fresh.post(path, **CAMPAIGN, fields="name,status")
    refused = fresh.refusal(path, **CAMPAIGN, fields="foo")

    assert answer.json()["name"] == CAMPAIGN["name"]
    assert "nonexisting field (foo)" in refused["message"]
    assert count(fresh, "campaigns") == 6


def without(name: str, given: dict[str, Any] = CAMPAIGN) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        *(
            (without(name), (100, None), f"(#100) The parameter {name} is required")
            for name in ("name", "objective", "status", "special_ad_categories")
        ),
        (without("is_adset_budget_sharing_enabled"), (100, 4834011), "Invalid parameter"),
        ({**CAMPAIGN, "colour": "red"}, (100, None), "Invalid parameter"),
        ({**CAMPAIGN, "objective": "MONEY"}, (100, None), "objective must be one of"),
        ({**CAMPAIGN, "status": "ARCHIVED"}, (100, None), "status must be one of"),
        ({**CAMPAIGN, "special_ad_categories": "NONE"}, (100, None), "must be an array"),
        ({**CAMPAIGN, "special_ad_categories": ["PETS"]}, (100, None), "categories[0] must be one"),
        ({**CAMPAIGN, "daily_budget": "10.50"}, (100, None), "daily_budget must be an integer"),
        ({**CAMPAIGN, "daily_budget": "-5"}, (100, None), "daily_budget must be an integer"),
        ({**CAMPAIGN, "daily_budget": "99"}, (100, 1885272), "Invalid parameter"),
        ({**CAMPAIGN, "daily_budget": 500, "lifetime_budget": 900}, (100, None), "Invalid param"),
        ({**CAMPAIGN, "stop_time": "soon"}, (100, None), "stop_time must be a valid date"),
        ({**CAMPAIGN, "promoted_object": "[]"}, (100, None), "must be a valid JSON object"),
        ({**CAMPAIGN, "name": "  "}, (100, None), "name must be a non-empty string"),
        ({**CAMPAIGN, "is_pca_unified": "1", "execution_options": ["x"]}, (100, None), "must be o"),
        (
            {**CAMPAIGN, "is_adset_budget_sharing_enabled": "maybe"},
            (100, None),
            "must be a boolean",
        ),
    ],
)
def test_a_wrong_campaign_is_refused_and_nothing_is_written(
    graph: Graph, params: dict[str, Any], code: tuple[int, int | None], words: str
) -> None:
    before = count(graph, "campaigns")

    error = graph.refusal(f"{graph.account()}/campaigns", **params)

    assert (error["code"], error.get("error_subcode")) == code
    assert words in error["message"]
    assert count(graph, "campaigns") == before


def test_a_wrong_parent_is_refused(fresh: Graph) -> None:
    made = make_objects(fresh)
    path = f"{fresh.account()}/adsets"
    elsewhere = fresh.rows(f"{fresh.account(1)}/campaigns")[0]["id"]
    gone = fresh.made("campaigns", **CAMPAIGN)
    fresh.delete(gone)

    errors = [
        fresh.refusal(path, **ADSET, campaign_id=parent)
        for parent in ("1", made.adset, elsewhere, gone)
    ]

    assert [(e["code"], e["error_data"]) for e in errors] == [
        (100, '{"blame_field_specs":[["campaign_id"]]}')
    ] * 4


def test_only_one_level_holds_the_budget(fresh: Graph) -> None:
    path = f"{fresh.account()}/adsets"
    with_budget = fresh.made("campaigns", **CAMPAIGN, daily_budget=900)
    without_budget = fresh.made("campaigns", **CAMPAIGN)
    bare = without("daily_budget", ADSET)

    both = fresh.refusal(path, **ADSET, campaign_id=with_budget)
    none = fresh.refusal(path, **bare, campaign_id=without_budget)
    above = fresh.post(path, **bare, campaign_id=with_budget)

    assert (both["code"], both["error_subcode"]) == (100, 1885621)
    assert none["message"] == "(#100) The parameter daily_budget is required"
    assert above.status_code == 200


def test_an_ad_takes_a_creative_of_its_own_account(fresh: Graph) -> None:
    adset = fresh.rows(f"{fresh.account()}/adsets")[0]["id"]
    mine = fresh.rows(f"{fresh.account()}/adcreatives")[0]["id"]
    other = fresh.rows(f"{fresh.account(1)}/adcreatives")[0]["id"]
    ad = {"name": "a", "adset_id": adset}
    path = f"{fresh.account()}/ads"

    made = fresh.post(path, **ad, creative={"id": mine}).json()["id"]
    wrong = [fresh.refusal(path, **ad, creative={"id": one}) for one in (other, "1", adset)]
    inline = fresh.refusal(path, **ad, creative={"object_story_spec": {}})

    assert fresh.get(made, fields="creative").json()["creative"] == {"id": mine}
    assert {e["error_data"] for e in wrong} == {'{"blame_field_specs":[["creative"]]}'}
    assert "does not imitate" in inline["message"]


def test_validation_writes_nothing(fresh: Graph) -> None:
    path = f"{fresh.account()}/campaigns"
    only = {"execution_options": ["validate_only"]}
    campaign = fresh.rows(path)[0]["id"]
    before = fresh.get(campaign, fields="name,updated_time").json()

    good = fresh.post(path, **CAMPAIGN, **only).json()
    bad = fresh.refusal(path, **without("name"), **only)
    changed = fresh.post(campaign, name="x", **only).json()

    assert good == changed == {"success": True}
    assert bad["code"] == 100
    assert count(fresh, "campaigns") == 5
    assert fresh.get(campaign, fields="name,updated_time").json() == before


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
