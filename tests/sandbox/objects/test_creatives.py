"""What stands beside campaigns: creatives and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph


def test_every_ad_has_a_creative_that_is_read_by_its_id(graph: Graph) -> None:
    account = graph.account()
    ad = graph.rows(f"{account}/ads", fields="name,creative")[0]

    by_edge = graph.rows(f"{ad['id']}/adcreatives", fields="name,status,object_type")
    by_id = graph.get(ad["creative"]["id"], fields="name,status,object_type").json()

    assert by_edge == [by_id]
    assert by_id["name"].startswith(ad["name"])
    assert ad["creative"]["id"] in {row["id"] for row in graph.rows(f"{account}/adcreatives")}


def test_creatives_of_hidden_ads_are_listed_too(graph: Graph) -> None:
    total = graph.get(f"{graph.account()}/adcreatives", summary="true").json()["summary"]

    counts = graph.sandbox.world()["accounts"][0]["objects"]["ad"]
    assert total == {"total_count": sum(counts.values())}


def test_a_creative_is_known_before_it_was_ever_listed(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    ad = graph.rows(f"{graph.account()}/ads")[0]["id"]

    found = graph.get(f"9{ad[1:]}", fields="account_id").json()

    assert found["account_id"] == graph.account()[4:]


def test_a_creative_is_renamed_and_deleted(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    path = f"{graph.account()}/adcreatives"
    creative = graph.rows(path)[0]["id"]

    graph.post(creative, name="neu")
    named = graph.get(creative, fields="name").json()["name"]
    graph.delete(creative)

    assert named == "neu"
    assert creative not in {row["id"] for row in graph.rows(path)}
    assert graph.get(creative, fields="status").json()["status"] == "DELETED"


def test_creatives_have_no_insights(graph: Graph) -> None:
    creative = graph.rows(f"{graph.account()}/adcreatives")[0]["id"]

    assert graph.error(f"{creative}/insights")["code"] == 2500


def test_labels_have_no_total_count(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    path = f"{graph.account()}/adlabels"
    label = graph.made("adlabels", name="neu")

    page = graph.get(path, fields="name,account", summary="1").json()

    assert "summary" not in page
    assert page["data"][-1]["id"] == label
    assert page["data"][-1]["account"]["account_id"] == graph.account()[4:]
    graph.delete(label)
    assert len(graph.rows(path)) == len(page["data"]) - 1
