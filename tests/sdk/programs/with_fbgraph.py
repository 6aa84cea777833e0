"""A day with an ad account, written with fbgraph. `with_the_sdk` is its twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fbgraph import GraphClient, Node
from fbgraph.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT: dict[str, Any] = {
    "fields": ["campaign_id", "impressions", "spend", "actions"],
    "level": "campaign",
    "time_range": {"since": "2026-11-20", "until": "2026-11-21"},
    "time_increment": 1,
}


def run(
    url: str, token: str, app_secret: str, picture: Path, sleep: Callable[[float], object]
) -> dict[str, Any]:
    with GraphClient(token, app_secret=app_secret, base_url=url, sleep=sleep) as client:
        accounts = list(client.node("me").edge("adaccounts", fields=["name", "currency"]))
        account = client.account(accounts[0]["id"])
        return {
            "accounts": accounts,
            "campaigns": campaigns(account),
            "life of a campaign": life_of_a_campaign(client, account),
            "picture": upload(account, picture),
            "batch": sixty_calls(client, account),
            "insights": list(account.insights(**REPORT)),
            "report": [row for page in account.report(REPORT) for row in page.data],
            "errors": [
                error_of(client.node("123").get),
                error_of(lambda: list(account.insights(time_range={}))),
            ],
        }


def campaigns(account: Node) -> tuple[int, list[Any]]:
    edge = account.edge("campaigns", fields=["name", "effective_status"])
    return edge.count(), list(edge)


def life_of_a_campaign(client: GraphClient, account: Node) -> list[str]:
    made = account.create(
        "campaigns",
        name="Frühling „東“ 🚀",
        objective="OUTCOME_TRAFFIC",
        status="PAUSED",
        special_ad_categories=[],
        is_adset_budget_sharing_enabled=False,
    )
    campaign = client.node(made["id"])
    seen = [campaign.get(["name"])["name"]]
    campaign.update(name="Sommer & more")
    seen.append(campaign.get(["name"])["name"])
    campaign.delete()
    return [*seen, campaign.get(["effective_status"])["effective_status"]]


def upload(account: Node, picture: Path) -> Any:
    image = account.create("adimages", files=[picture])["images"][picture.name]
    images = account.edge("adimages", fields=["name", "width", "height"], hashes=[image["hash"]])
    return next(iter(images))


def sixty_calls(client: GraphClient, account: Node) -> list[Any]:
    """Ten times six calls: what each brought, in order."""
    campaign = client.node(next(iter(account.edge("campaigns")))["id"])
    ad_set = client.node(next(iter(campaign.edge("adsets")))["id"])
    results = client.batch(
        call
        for turn in range(10)
        for call in (
            account.request(fields=["name"]),
            account.request("GET", "campaigns", fields=["name"]),
            account.request("GET", "insights", **{**REPORT, "fields": None}),
            campaign.request("POST", name=f"turn {turn} ü&="),
            ad_set.request(fields=["targeting"]),
            client.node("123").request(fields=["name"]),
        )
    )
    return [rows_of(result) for result in results]


def rows_of(result: Any) -> Any:
    if isinstance(result, GraphError):
        return result.detail.code, result.detail.subcode
    return result.get("data", result)


def error_of(call: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        call()
    except GraphError as error:
        said = error.detail
        return said.code, said.subcode, said.message, list(said.blamed_fields)
    raise AssertionError("It was to fail.")
