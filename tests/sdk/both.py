"""The SDK and our client, side by side at one sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from fbgraph import GraphClient
from tests.clock import Clock

if TYPE_CHECKING:
    from fbgraph import Node
    from fbgraph.sandbox import Sandbox


HTML = b'<!DOCTYPE html><html lang="en" id="facebook"><head><title>Error</title></head></html>'
NEW: dict[str, Any] = {
    "name": "new",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
}


class Both:
    """The first account of a sandbox, as the SDK's object and as our node, at one address."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        FacebookSession.GRAPH = url
        self.api = FacebookAdsApi.init(access_token=sandbox.token, crash_log=False)
        self.clock = Clock()
        self.client = GraphClient(
            sandbox.token,
            base_url=url,
            sleep=self.clock.sleep,
            jitter=lambda: 0.0,
            clock=self.clock.seconds,
        )
        self.sdk = AdAccount(f"act_{sandbox.account_ids[0]}", api=self.api)
        self.ours: Node = self.client.account(sandbox.account_ids[0])
