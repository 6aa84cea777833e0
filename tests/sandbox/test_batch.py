from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph


def batch(graph: Graph, *items: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = graph.post("", batch=list(items), **params).json()
    return answers


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
    linked = graph.post("", batch=[{**item, "depends_on": "x"}]).json()["error"]
    no_token = graph.bare.post("v26.0/", data={"batch": "[]"}).json()["error"]

    assert too_long["type"] == "GraphBatchException"
    assert no_list["code"] == 100
    assert "does not imitate" in linked["message"]
    assert no_token["code"] == 104
