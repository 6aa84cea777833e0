"""Every body that has been seen in public is a shape that the sandbox can produce.

`samples.json` holds, for each, its HTTP status, its keys with the types of their values, and the
codes of errors. `recipes` says how to get it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.samples.recipes import RECIPES, Seen
from tests.sandbox.samples.shapes import described, fields_of, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.conftest import Graph

SAMPLES: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("samples.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "batch_request"])
def test_the_sandbox_produces_what_has_been_seen(
    open_graph: Callable[..., Graph], name: str
) -> None:
    sample, recipe = SAMPLES[name], RECIPES[name]
    graph = open_graph(*filter(None, [recipe.scenario]), **recipe.options)

    answer = recipe.make(graph, fields_of(sample.get("shape")))

    status = answer.status if isinstance(answer, Seen) else answer.status_code
    body = answer.body if isinstance(answer, Seen) else answer.content
    assert status == sample["status"]
    if "text" in sample:
        assert described(body) == sample["text"]
    else:
        assert problem(json.loads(body), sample["shape"]) == ""


def test_a_batch_is_asked_for_as_has_been_seen(graph: Graph) -> None:
    items = [
        {"method": "GET", "relative_url": "me?fields=id%2Cname"},
        {
            "method": "POST",
            "relative_url": f"{graph.account()}/insights",
            "body": "level=campaign&fields=%5B%22impressions%22%5D&time_increment=1",
        },
        {
            "method": "GET",
            "relative_url": f"{graph.account()}/campaigns?limit=5",
            "name": "get-campaigns",
            "omit_response_on_success": False,
        },
    ]

    answers = graph.post("", batch=items).json()

    assert problem(items, SAMPLES["batch_request"]["shape"]) == ""
    assert [answer["code"] for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"a": 1}, {"a": "text"}),
        ({"a": True}, {"a": "int"}),
        ({"a": 1.5}, {"a": "int"}),
        ({"a": 1, "b": 1}, {"a": "int"}),
        ({}, {"a": "int"}),
        ({"data": [{"a": "x"}]}, {"data": [{"a": "text", "b": "text"}]}),
        ({"data": []}, {"data": [{"a": "text"}]}),
        ({"data": [{"a": "x"}]}, {"data": []}),
        ([{"code": 1}], [{"code": "int"}, "null"]),
        ({"code": 4}, {"code": 17}),
    ],
)
def test_another_shape_is_told_from_the_one_wanted(value: Any, shape: Any) -> None:
    assert problem(value, shape)
