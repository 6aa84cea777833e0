from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph

GERMANY = {"geo_locations": {"countries": ["DE"]}}


def test_the_data_of_a_reach_estimate_is_an_object(graph: Graph) -> None:
    path = f"{graph.account()}/reachestimate"

    data = graph.get(path, targeting_spec=GERMANY).json()["data"]
    same = graph.get(path, targeting_spec=GERMANY, summary="true").json()["data"]
    other = graph.get(path, targeting_spec={"geo_locations": {"countries": ["FR"]}}).json()["data"]

    assert data.keys() == {"users_lower_bound", "users_upper_bound", "estimate_ready"}
    assert data["users_lower_bound"] < data["users_upper_bound"]
    assert data == same != other


def test_a_delivery_estimate_is_a_list_for_an_account_and_an_object_for_an_ad_set(
    graph: Graph,
) -> None:
    adset = graph.rows(f"{graph.account()}/adsets")[0]["id"]

    of_account = graph.get(
        f"{graph.account()}/delivery_estimate", targeting_spec=GERMANY, optimization_goal="REACH"
    ).json()["data"]
    of_adset = graph.get(f"{adset}/delivery_estimate").json()["data"]

    assert isinstance(of_account, list)
    assert of_account[0].keys() == of_adset.keys()


@pytest.mark.parametrize(
    ("edge", "params", "words"),
    [
        ("reachestimate", {}, "The parameter targeting_spec is required"),
        ("reachestimate", {"targeting_spec": "[]"}, "must be a valid JSON object"),
        ("delivery_estimate", {"targeting_spec": "{}"}, "optimization_goal is required"),
        ("delivery_estimate", {"optimization_goal": "X"}, "optimization_goal must be one of"),
        ("delivery_estimate", {"optimization_goal": "REACH"}, "targeting_spec is required"),
    ],
)
def test_an_estimate_wants_its_parameters(
    graph: Graph, edge: str, params: dict[str, Any], words: str
) -> None:
    assert words in graph.error(f"{graph.account()}/{edge}", **params)["message"]
