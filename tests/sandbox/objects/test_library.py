"""What an account has besides its ads, with Meta's manners."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.catalog.fields import EDGE_KINDS, NO_TOTAL_COUNT, readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

EDGES = (
    *("adcreatives", "adimages", "advideos", "customconversions", "customaudiences"),
    *("saved_audiences", "adspixels", "adlabels", "adrules_library"),
)


@pytest.fixture(scope="module")
def rows(graph: Graph) -> dict[str, list[dict[str, Any]]]:
    """Every edge of the first account, with everything that may be requested."""
    return {
        edge: graph.rows(
            f"{graph.account()}/{edge}", fields=",".join(readable(EDGE_KINDS[edge])), limit=50
        )
        for edge in EDGES
    }


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_lists_what_is_read_by_its_id_and_counts_it_or_not(
    graph: Graph, rows: dict[str, list[dict[str, Any]]], edge: str
) -> None:
    path = f"{graph.account()}/{edge}"
    fields = "id,name" if edge != "advideos" else "id,title"

    first = graph.get(path, fields=fields, limit=2, summary="total_count").json()

    for row in first["data"]:
        assert graph.get(row["id"], fields=fields).json() == row
    assert ("summary" in first) == (edge not in NO_TOTAL_COUNT)
    assert all(value is not None for row in rows[edge] for value in row.values())


def test_values_have_the_shapes_that_meta_documents_or_that_were_recorded(
    graph: Graph, rows: dict[str, list[dict[str, Any]]]
) -> None:
    account = graph.account()[4:]
    image, video = rows["adimages"][0], rows["advideos"][0]
    visitors, customers, lookalike, flagged = rows["customaudiences"]
    fired, quiet, archived = rows["customconversions"]
    values = [one["value"] for one in rows["adrules_library"][0]["evaluation_spec"]["filters"]]

    assert image["id"] == f"{account}:{image['hash']}"
    assert image["hash"] in {row.get("image_hash") for row in rows["adcreatives"]} | {
        card["image_hash"]
        for row in rows["adcreatives"]
        for card in row["object_story_spec"].get("link_data", {}).get("child_attachments", [])
    }
    assert isinstance(video["length"], float)
    assert video["status"]["video_status"] == "ready"
    assert "account_id" not in readable("advideo")
    assert isinstance(visitors["time_updated"], int)
    assert json.loads(visitors["rule"])["inclusions"]["rules"]
    assert customers["approximate_count_lower_bound"] == -1
    assert lookalike["lookalike_spec"]["ratio"] == 0.01
    assert flagged["operation_status"]["code"] == 471
    assert (fired["default_conversion_value"], quiet["default_conversion_value"]) == ("0", 25)
    assert ("last_fired_time" in fired, "last_fired_time" in quiet) == (True, False)
    assert archived["is_archived"] is True
    assert [type(value) for value in values] == [int, str, str, list, bool]
    assert "T" in rows["saved_audiences"][0]["time_created"]


def test_one_pixel_is_in_two_accounts(graph: Graph) -> None:
    first, second = (
        graph.rows(f"{graph.account(at)}/adspixels", fields="owner_ad_account") for at in (0, 1)
    )

    assert [row["id"] for row in first] == [second[0]["id"]]
    assert second[0]["owner_ad_account"]["id"] == graph.account(0)
    assert second[1]["owner_ad_account"]["id"] == graph.account(1)


def test_addresses_of_pictures_differ_at_each_read_and_end(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph()
    path = f"{graph.account()}/adcreatives"

    first, second = (graph.rows(path, fields="thumbnail_url")[0]["thumbnail_url"] for _ in "ab")
    nested = graph.rows(
        f"{graph.account()}/ads",
        fields="creative.thumbnail_width(300).thumbnail_height(200){thumbnail_url}",
    )[0]["creative"]["thumbnail_url"]
    small, large = httpx.get(first), httpx.get(nested)
    graph.clock.now += timedelta(days=5)

    assert first != second
    assert small.content.startswith(b"\x89PNG")
    assert small.content[16:24] == bytes([0, 0, 0, 64, 0, 0, 0, 64])
    assert large.content[16:24] == bytes([0, 0, 1, 44, 0, 0, 0, 200])
    assert [httpx.get(one).status_code for one in (first, first.partition("?")[0])] == [403, 403]
    assert graph.sandbox.calls()["media"] == 4
    assert [
        row["picture"][:22] for row in graph.rows(f"{graph.account()}/advideos", fields="picture")
    ]


@pytest.mark.parametrize(
    ("edge", "fields", "code", "words"),
    [
        ("adcreatives", "instagram_actor_id", 100, "nonexisting field (instagram_actor_id)"),
        ("adcreatives", "updated_time", 100, "nonexisting field (updated_time)"),
        ("advideos", "account_id", 100, "nonexisting field (account_id)"),
        ("activities", "id", 100, "nonexisting field (id) on node type (AdActivity)"),
        ("customaudiences", "rev_share_policy_id", 100, "Policy ID is not available"),
        ("customaudiences", "external_event_source", 10, "permission"),
        ("", "funding_source", 10, "permission"),
        ("", "agency_client_declaration", 200, "business_management"),
    ],
)
def test_what_breaks_a_request_breaks_it(
    graph: Graph, edge: str, fields: str, code: int, words: str
) -> None:
    error = graph.error(f"{graph.account()}/{edge}".rstrip("/"), fields=fields)

    assert error["code"] == code
    assert words in error["message"]


def test_pages_with_costly_fields_are_short(graph: Graph) -> None:
    path, fields = f"{graph.account()}/adcreatives", "object_story_spec,asset_feed_spec"

    refused = graph.get(path, fields=fields, limit=500)

    assert (refused.status_code, refused.json()["error"]["code"]) == (500, 1)
    assert graph.get(path, fields=fields, limit=50).status_code == 200
    assert graph.get(path, fields="name,url_tags", limit=500).status_code == 200
