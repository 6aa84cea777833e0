from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

SHOWN = ["ACTIVE", "PAUSED", "IN_PROCESS", "WITH_ISSUES", "CAMPAIGN_PAUSED", "ADSET_PAUSED"]


def statuses(graph: Graph, edge: str, **params: object) -> Counter[str]:
    rows = graph.rows(f"{graph.account()}/{edge}", fields="effective_status", **params)
    return Counter(row["effective_status"] for row in rows)


def truth_of(graph: Graph, level: str) -> dict[str, int]:
    counts: dict[str, int] = graph.sandbox.world()["accounts"][0]["objects"][level]
    return counts


@pytest.mark.parametrize(
    ("edge", "level"), [("campaigns", "campaign"), ("adsets", "adset"), ("ads", "ad")]
)
def test_an_edge_hides_archived_and_deleted_objects(graph: Graph, edge: str, level: str) -> None:
    expected = {
        status: count
        for status, count in truth_of(graph, level).items()
        if status not in ("ARCHIVED", "DELETED")
    }

    assert statuses(graph, edge) == expected


def test_archived_objects_come_when_asked_for(graph: Graph) -> None:
    asked = ["ACTIVE", "ARCHIVED"]
    found = statuses(graph, "campaigns", effective_status=asked)
    filtering = [{"field": "campaign.effective_status", "operator": "IN", "value": asked}]

    assert found == {"ACTIVE": 2, "ARCHIVED": 1}
    assert statuses(graph, "campaigns", filtering=filtering) == found


@pytest.mark.parametrize(
    "params",
    [
        {"effective_status": ["ACTIVE", "DELETED"]},
        {"filtering": [{"field": "effective_status", "operator": "IN", "value": ["DELETED"]}]},
    ],
)
def test_deleted_objects_cannot_be_listed(graph: Graph, params: dict[str, object]) -> None:
    error = graph.error(f"{graph.account()}/ads", **params)

    assert (error["code"], error["error_subcode"]) == (100, 1815001)
    assert error["error_user_title"] == "Cannot Request for Deleted Objects"


def test_a_deleted_object_is_read_by_its_id(graph: Graph) -> None:
    day = graph.sandbox.truth(graph.account(), "2026-11-21")
    listed = {row["id"] for row in graph.rows(f"{graph.account()}/ads", effective_status=SHOWN)}
    hidden = [row["ad_id"] for row in day["rows"] if row["ad_id"] not in listed]

    found = {
        graph.get(ad, fields="effective_status,campaign{id,name}").json()["effective_status"]
        for ad in hidden
    }

    assert {"ARCHIVED", "DELETED"} <= found


def test_children_are_listed_under_their_parents(graph: Graph) -> None:
    campaigns = graph.rows(f"{graph.account()}/campaigns")
    adsets = [s for c in campaigns for s in graph.rows(f"{c['id']}/adsets", fields="campaign_id")]
    ads = [a for s in adsets for a in graph.rows(f"{s['id']}/ads")]

    assert len(adsets) == sum(statuses(graph, "adsets").values())
    assert {a["id"] for a in ads} == {a["id"] for a in graph.rows(f"{graph.account()}/ads")}


def test_without_fields_there_is_little_more_than_an_id(graph: Graph) -> None:
    account = graph.account()
    campaign = graph.rows(f"{account}/campaigns")[0]

    assert graph.get(account).json() == {"id": account, "account_id": account[4:]}
    assert campaign.keys() == {"id"}


def test_values_have_the_types_that_meta_documents(graph: Graph) -> None:
    fields = "account_status,amount_spent,currency,timezone_name,timezone_offset_hours_utc,age"

    found = graph.get(graph.account(3), fields=fields).json()
    campaign = graph.rows(
        f"{graph.account()}/campaigns", fields="daily_budget,created_time,special_ad_categories"
    )[0]

    assert found["timezone_offset_hours_utc"] == 5.5
    assert isinstance(found["amount_spent"], str)
    assert isinstance(found["account_status"], int)
    assert campaign["daily_budget"].isdecimal()
    assert campaign["created_time"][-5:] in ("+0100", "+0200")
    assert campaign["special_ad_categories"] == []


def test_sub_objects_are_read_with_braces(graph: Graph) -> None:
    fields = "name,campaign{id,name},adset{name,campaign{objective}},creative"

    ad = graph.rows(f"{graph.account()}/ads", fields=fields)[0]

    assert ad["campaign"].keys() == {"id", "name"}
    assert ad["adset"]["campaign"]["objective"] == "OUTCOME_SALES"
    assert ad["creative"]["id"].isdecimal()


def test_fields_may_be_a_json_list(graph: Graph) -> None:
    fields = ["name", "campaign{name}"]

    ad = graph.rows(f"{graph.account()}/ads", fields=fields)[0]

    assert ad.keys() == {"name", "campaign", "id"}


@pytest.mark.parametrize("how", ["true", "1", "total_count", '["total_count"]'])
def test_total_count_covers_what_the_same_filter_shows(graph: Graph, how: str) -> None:
    pages = list(graph.pages(f"{graph.account()}/ads", summary=how, limit=4))

    rows = sum(len(page["data"]) for page in pages)
    assert {json.dumps(page["summary"]) for page in pages} == {json.dumps({"total_count": rows})}


def test_without_asking_there_is_no_summary(graph: Graph) -> None:
    assert "summary" not in graph.get(f"{graph.account()}/ads").json()


def test_a_page_has_25_rows_by_default(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(scale=3)

    page = graph.get(f"{graph.account()}/ads").json()

    assert len(page["data"]) == 25


def test_next_repeats_every_parameter_and_the_token(graph: Graph) -> None:
    body = graph.get(f"{graph.account()}/ads", fields="id,name", limit=2, summary="1").json()

    url = urlsplit(body["paging"]["next"])
    params = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == f"/v26.0/{graph.account()}/ads"
    assert params == {
        "access_token": graph.sandbox.token,
        "fields": "id,name",
        "summary": "1",
        "limit": "2",
        "after": body["paging"]["cursors"]["after"],
    }


def test_the_last_page_has_cursors_but_no_next(graph: Graph) -> None:
    *_, last = graph.pages(f"{graph.account()}/campaigns", limit=2)

    assert last["paging"]["cursors"]["after"]
    assert "next" not in last["paging"]
    assert "before=" in last["paging"]["previous"]


def test_with_a_limit_of_one_both_cursors_are_the_same(graph: Graph) -> None:
    for page in graph.pages(f"{graph.account()}/campaigns", limit=1):
        assert page["paging"]["cursors"]["before"] == page["paging"]["cursors"]["after"]


def test_after_the_last_row_of_an_edge_there_is_nothing(graph: Graph) -> None:
    *_, last = graph.pages(f"{graph.account()}/campaigns", limit=2)

    beyond = graph.get(f"{graph.account()}/campaigns", after=last["paging"]["cursors"]["after"])

    assert beyond.json() == {"data": []}


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("EQUAL", "PAUSED", {"PAUSED"}),
        ("IN", ["PAUSED", "WITH_ISSUES"], {"PAUSED", "WITH_ISSUES"}),
        ("CONTAIN", "issues", {"WITH_ISSUES"}),
        ("STARTS_WITH", "IN_", {"IN_PROCESS"}),
    ],
)
def test_campaigns_are_filtered_by_status(
    graph: Graph, operator: str, value: object, expected: set[str]
) -> None:
    filtering = [{"field": "effective_status", "operator": operator, "value": value}]

    assert set(statuses(graph, "campaigns", filtering=filtering)) == expected


def test_objects_are_filtered_by_the_time_of_their_last_change(graph: Graph) -> None:
    path = f"{graph.account()}/ads"
    times = sorted(row["updated_time"] for row in graph.rows(path, fields="updated_time"))
    since = 1_700_000_000
    filtering = [{"field": "ad.updated_time", "operator": "GREATER_THAN", "value": since}]

    found = graph.rows(path, fields="updated_time", filtering=filtering)

    assert 0 < len(found) < len(times)
    assert found == graph.rows(path, fields="updated_time", updated_since=since)
    assert all(row["updated_time"] > "2023-11-14" for row in found)


def test_all_accounts_are_listed_with_their_prefix(graph: Graph) -> None:
    rows = graph.rows("me/adaccounts", fields="account_id,currency", limit=3)

    assert [row["id"] for row in rows] == [f"act_{i}" for i in graph.sandbox.account_ids]
    assert [row["id"][4:] for row in rows] == [row["account_id"] for row in rows]


def test_every_answer_carries_metas_headers(graph: Graph) -> None:
    good = graph.get(f"{graph.account()}/campaigns")
    bad = graph.get(f"{graph.account()}/nothing")

    for response in (good, bad):
        usage = json.loads(response.headers["x-business-use-case-usage"])
        assert usage[graph.account()[4:]][0]["type"] == "ads_management"
        assert json.loads(response.headers["x-app-usage"]).keys() >= {"call_count", "total_time"}
        assert response.headers["facebook-api-version"] == "v26.0"
        assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert '"invalid_request" "Unknown path' in bad.headers["www-authenticate"]
