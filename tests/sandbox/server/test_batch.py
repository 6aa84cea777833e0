from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from fbgraph.sandbox.faults.hooks import Fault, Scenario
from fbgraph.sandbox.scenarios import active
from fbgraph.sandbox.scenarios.catalog import SCENARIOS
from fbgraph.sandbox.server.batch import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse
    from tests.sandbox.conftest import Graph


def batch(graph: Graph, *items: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = graph.post("", batch=list(items), **params).json()
    return answers


def body(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer["body"])
    return found


CAMPAIGN = {
    "name": "Größe & 50 % =東京",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": "[]",
    "is_adset_budget_sharing_enabled": "false",
}


def test_items_answer_in_their_order_each_for_itself(graph: Graph) -> None:
    good, bad, created = batch(
        graph,
        {"method": "GET", "relative_url": "me?fields=id"},
        {"method": "GET", "relative_url": f"v26.0/{graph.account()}/nothing"},
        {
            "method": "POST",
            "relative_url": f"{graph.account()}/insights",
            "body": "fields=%5B%22spend%22%5D&time_increment=1",
        },
    )

    assert [item["code"] for item in (good, bad, created)] == [200, 400, 200]
    assert json.loads(good["body"]) == graph.get("me", fields="id").json()
    assert json.loads(bad["body"])["error"]["code"] == 2500
    assert json.loads(created["body"])["report_run_id"].isdecimal()


def test_an_item_has_headers_of_its_own_unless_not_wanted(graph: Graph) -> None:
    item = {"method": "GET", "relative_url": f"{graph.account()}/insights?limit=1"}

    with_headers = batch(graph, item)[0]
    without = batch(graph, item, include_headers="false")[0]

    names = {header["name"] for header in with_headers["headers"]}
    assert "x-fb-ads-insights-throttle" in names
    assert without.keys() == {"code", "body"}


def test_report_runs_are_polled_together(graph: Graph) -> None:
    runs = [graph.create(f"{graph.account(i)}/insights") for i in range(3)]
    items = [{"method": "GET", "relative_url": f"{run}?fields=async_status"} for run in runs]

    batch(graph, *items)
    answers = batch(graph, *items)

    statuses = {json.loads(answer["body"])["async_status"] for answer in answers}
    assert statuses == {"Job Completed"}


def test_the_bare_host_takes_a_batch_too(graph: Graph) -> None:
    response = graph.bare.post(
        "/",
        data={
            "access_token": graph.sandbox.token,
            "batch": '[{"method":"GET","relative_url":"me"}]',
        },
    )

    assert response.json()[0]["code"] == 200


def test_a_batch_as_a_whole_may_be_refused(graph: Graph) -> None:
    item = {"method": "GET", "relative_url": "me"}

    too_long = graph.post("", batch=[item] * 51).json()["error"]
    no_list = graph.post("", batch="{").json()["error"]
    no_item = graph.post("", batch=["me"]).json()["error"]
    linked = graph.post("", batch=[{**item, "depends_on": "x"}]).json()["error"]
    twice = graph.post("", batch=[{**item, "name": "x"}] * 2).json()["error"]
    no_file = graph.post("", batch=[{**item, "attached_files": "x"}]).json()["error"]
    step = {**item, "relative_url": "{result=x:$.data..id}"}
    strange = graph.post("", batch=[{**item, "name": "x"}, step]).json()["error"]
    dead = graph.by(graph.sandbox.expired_token).post("", batch=[item]).json()["error"]
    no_token = graph.bare.post("v26.0/", data={"batch": "[]"}).json()["error"]

    assert too_long["type"] == "GraphBatchException"
    assert no_list["code"] == no_item["code"] == 100
    assert linked["message"] == "Batch item 0: no item before it is called x"
    assert twice["message"] == "Batch item 1: there is another x"
    assert no_file["message"] == "Batch item 0: no part of the body is called x"
    assert "free of the path $.data..id" in strange["message"]
    assert (dead["code"], dead["error_subcode"]) == (190, 463)
    assert no_token["code"] == 104


def test_items_write_and_delete(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    campaigns = [row["id"] for row in graph.rows(f"{graph.account()}/campaigns")]

    made, renamed, deleted = batch(
        graph,
        {
            "method": "POST",
            "relative_url": f"{graph.account()}/campaigns",
            "body": urlencode(CAMPAIGN),
        },
        {"method": "POST", "relative_url": campaigns[0], "body": "name=neu%26"},
        {"method": "DELETE", "relative_url": campaigns[1]},
    )

    assert graph.get(body(made)["id"], fields="name").json()["name"] == CAMPAIGN["name"]
    assert body(renamed) == body(deleted) == {"success": True}
    assert graph.get(campaigns[0], fields="name").json()["name"] == "neu&"
    assert graph.get(campaigns[1], fields="status").json()["status"] == "DELETED"


@pytest.mark.parametrize("encoded", [False, True])
def test_an_item_takes_ids_from_an_earlier_one(graph: Graph, *, encoded: bool) -> None:
    reference = "{result=list:$.data.*.id}"
    value = urlencode({"hashes": reference}) if encoded else f"hashes={reference}"
    first = {
        "method": "GET",
        "name": "list",
        "relative_url": f"{graph.account()}/campaigns?limit=2",
    }

    hidden, answer = batch(
        graph, first, {"method": "GET", "relative_url": f"{graph.account()}/adimages?{value}"}
    )
    shown, child = batch(
        graph,
        {**first, "omit_response_on_success": False},
        {"method": "GET", "relative_url": "{result=list:$.data[1].id}?fields=name"},
    )

    assert hidden is None
    assert answer["code"] == 200
    assert body(child)["id"] == body(shown)["data"][1]["id"]


def test_an_object_is_made_under_one_made_in_the_same_batch(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph()
    adset = {
        "name": "s",
        "campaign_id": "{result=parent:$.id}",
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "REACH",
        "daily_budget": "1000",
        "targeting": '{"geo_locations":{"countries":["DE"]}}',
    }

    parent, child = batch(
        graph,
        {
            "method": "POST",
            "name": "parent",
            "omit_response_on_success": False,
            "relative_url": f"{graph.account()}/campaigns",
            "body": urlencode(CAMPAIGN),
        },
        {
            "method": "POST",
            "relative_url": f"{graph.account()}/adsets",
            "body": urlencode(adset),
        },
    )

    found = graph.get(body(child)["id"], fields="campaign_id").json()
    assert found["campaign_id"] == body(parent)["id"]


def test_what_depends_on_a_failure_fails_with_it(graph: Graph) -> None:
    failed, dependent, third, other = batch(
        graph,
        {"method": "GET", "name": "a", "relative_url": "12345"},
        {"method": "GET", "name": "b", "depends_on": "a", "relative_url": "me"},
        {"method": "GET", "relative_url": "{result=b:$.id}"},
        {"method": "GET", "relative_url": "me"},
    )

    assert [item["code"] for item in (failed, dependent, third, other)] == [400, 400, 400, 200]
    assert body(failed)["error"]["error_subcode"] == 33
    assert body(dependent)["error"]["code"] == body(third)["error"]["code"] == 960


def test_success_may_be_left_out_and_failure_never(graph: Graph) -> None:
    silent = {"method": "GET", "omit_response_on_success": True}

    answers = batch(graph, {**silent, "relative_url": "me"}, {**silent, "relative_url": "12345"})

    assert answers[0] is None
    assert answers[1]["code"] == 400


def test_an_item_may_have_a_token_of_its_own(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    other = graph.sandbox.make_token(accounts=[])
    me = {"method": "GET", "relative_url": "me"}

    usual, in_url, in_body, in_header, dead = batch(
        graph,
        me,
        {**me, "relative_url": f"me?access_token={other}"},
        {**me, "body": f"access_token={other}"},
        {**me, "headers": [{"name": "Authorization", "value": f"Bearer {other}"}]},
        {**me, "relative_url": f"me?access_token={graph.sandbox.expired_token}"},
    )

    assert body(in_url) == body(in_body) == body(in_header) != body(usual)
    assert (dead["code"], body(dead)["error"]["code"]) == (400, 190)


def test_files_are_attached_by_the_names_of_their_parts(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    upload = {"method": "POST", "relative_url": f"{graph.account()}/adimages"}
    items = [
        {**upload, "attached_files": "one"},
        {**upload, "attached_files": "two, three"},
        upload,
    ]
    files = {name: (f"{name}.png", name.encode()) for name in ("one", "two", "three")}

    answers = graph.bare.post(
        "v26.0/", data={"batch": json.dumps(items)}, files=files, headers=graph.bearer
    ).json()

    assert body(answers[0])["images"].keys() == {"one.png"}
    assert body(answers[1])["images"].keys() == {"two.png", "three.png"}
    assert body(answers[2])["error"]["message"] == "(#100) The parameter bytes is required"


def test_a_scenario_can_leave_an_item_unfinished(
    open_graph: Callable[..., Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfinished(
        _: Fault, response: ServerResponse, call: ServerRequest
    ) -> ServerResponse | None:
        return None if call.path == "me" else response

    table = {**SCENARIOS, "slow_items": Scenario("me is null", "here", item=unfinished)}
    monkeypatch.setattr(active, "SCENARIOS", table)
    graph = open_graph("slow_items")

    first, second, third = batch(
        graph,
        {"method": "GET", "name": "me", "relative_url": "me"},
        {"method": "GET", "relative_url": "me/adaccounts"},
        {"method": "GET", "depends_on": ["me"], "relative_url": "me/adaccounts"},
    )

    assert first is None
    assert second["code"] == 200
    assert body(third)["error"]["code"] == 960


VALUE = {"data": [{"id": "1", "x": {"y": [5, 6]}}, {"id": "2"}], "n": 3}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.data.*.id", ["1", "2"]),
        ("$.data[*].id", ["1", "2"]),
        ("$.data[1].id", ["2"]),
        ("$.data[0].x.y", [[5, 6]]),
        ("$.data[0].x.y[1]", [6]),
        ("$.data[1].*", ["2"]),
        ("$.n", [3]),
        ("$", [VALUE]),
        ("$.missing.*.id", []),
        ("$.data[9].id", []),
        ("$.n.*", []),
        ("$.n[0]", []),
    ],
)
def test_paths_lead_to_values(path: str, found: list[object]) -> None:
    assert find(VALUE, path) == found


def test_the_proof_goes_with_the_token_to_the_items(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(app_secret="s3cret")  # noqa: S106  of an app that does not exist
    proof = hmac.new(b"s3cret", graph.token.encode(), hashlib.sha256).hexdigest()
    other = graph.sandbox.make_token()

    usual, foreign = batch(
        graph,
        {"method": "GET", "relative_url": "me"},
        {"method": "GET", "relative_url": f"me?access_token={other}"},
        appsecret_proof=proof,
    )

    assert usual["code"] == 200
    assert body(foreign)["error"]["message"].endswith("require an appsecret_proof argument")


def test_an_answer_that_a_fault_has_broken_counts_as_a_failure(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("flaky")
    first = {"method": "GET", "name": "a", "relative_url": "me"}

    codes = set()
    for _ in range(25):
        answer = graph.post("", batch=[first, {"method": "GET", "relative_url": "{result=a:$.id}"}])
        if answer.status_code == 200 and answer.text.startswith("[") and answer.text.endswith("]"):
            broken, second = answer.json()
            codes.add((broken is None, second["code"]))

    # What was left out went well, and only then was the other tried.
    assert {code for left_out, code in codes if not left_out} == {400}
