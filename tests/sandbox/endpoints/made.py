"""Objects that a test makes, and what is listed then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
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


def count(graph: Graph, edge: str) -> int:
    found: int = graph.get(f"{graph.account()}/{edge}", summary="1").json()["summary"][
        "total_count"
    ]
    return found


def listed(graph: Graph, edge: str, **params: Any) -> set[str]:
    return {row["id"] for row in graph.rows(f"{graph.account()}/{edge}", **params)}
