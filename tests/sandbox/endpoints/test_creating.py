from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.endpoints.made import ADSET, CAMPAIGN, count, make_objects

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph


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
