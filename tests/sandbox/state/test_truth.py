"""What the sandbox says of itself agrees with what it serves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import HOUR_LABELS, HOURLY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph


def as_told(row: dict[str, Any]) -> dict[str, Any]:
    """A row of insights in the shape of the truth."""
    label = row.pop(HOURLY, None)
    row["date"] = row.pop("date_start")
    del row["date_stop"]
    return {**row, "hour": HOUR_LABELS.index(label) if label else None}


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("day", ["2026-11-22", "2026-11-23", "2026-10-25", "2026-03-29"])
def test_a_full_read_gives_exactly_the_truth(
    either: Graph, everything: dict[str, Any], index: int, day: str
) -> None:
    truth = either.sandbox.truth(either.account(index), day)

    rows = either.rows(
        f"{either.account(index)}/insights", time_range={"since": day, "until": day}, **everything
    )

    assert [as_told(row) for row in rows] == truth["rows"]
    assert truth["count"] == len(rows)
    assert truth["sums"]["impressions"] == str(sum(int(r["impressions"]) for r in rows))
    assert Decimal(truth["sums"]["spend"]) == sum((Decimal(r["spend"]) for r in rows), Decimal())


def test_the_truth_is_the_same_over_http(graph: Graph) -> None:
    account = graph.account()

    response = graph.bare.get(
        "_sandbox/truth",
        params={"account_id": account, "date": "2026-11-21"},
    )

    assert response.json() == graph.sandbox.truth(account[4:], "2026-11-21")


@pytest.mark.parametrize(
    "params", [{}, {"account_id": "1", "date": "2026-11-21"}, {"account_id": "1", "date": "x"}]
)
def test_an_unanswerable_question_is_a_plain_400(graph: Graph, params: dict[str, str]) -> None:
    response = graph.bare.get("_sandbox/truth", params=params)

    assert response.status_code == 400
    assert response.json()["error"]


def test_two_sandboxes_of_a_seed_tell_the_same(open_graph: Callable[..., Graph]) -> None:
    one, two, other = open_graph(), open_graph(), open_graph(seed=2)

    told = [g.sandbox.truth(g.account(), "2026-11-21") for g in (one, two, other)]

    assert told[0] == told[1] != told[2]


def test_calls_are_counted_by_method_and_pattern(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    account = graph.account()

    graph.get(f"{account}/campaigns")
    graph.get(f"{account}/nothing")
    graph.poll(graph.create(f"{account}/insights"))

    counted = graph.bare.get("_sandbox/calls").json()
    assert counted["total"] == 5
    assert counted["errors"] == 1
    assert {(c["method"], c["path"]): c["count"] for c in counted["calls"]} == {
        ("GET", "/{id}/campaigns"): 1,
        ("GET", "/{id}/nothing"): 1,
        ("GET", "/{id}"): 2,
        ("POST", "/{id}/insights"): 1,
    }
    assert graph.bare.delete("_sandbox/calls").json()["total"] == 0


def test_the_world_is_listed_with_what_it_hides(graph: Graph) -> None:
    world = graph.bare.get("_sandbox/world").json()

    berlin = world["accounts"][0]
    assert world["seed"] == 1
    assert [a["account_id"] for a in world["accounts"]] == list(graph.sandbox.account_ids)
    assert (berlin["currency"], berlin["timezone_name"]) == ("EUR", "Europe/Berlin")
    assert berlin["objects"]["campaign"]["DELETED"] == 1
    assert berlin["objects"]["ad"]["ARCHIVED"] > 1
