"""docs/from-the-sdk.md: its code runs, on both sides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from fbgraph import GraphClient, fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fbgraph.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/from-the-sdk.md").read_text(encoding="utf-8")
SIDE_BY_SIDE = GUIDE.partition("## Side by side")[2].partition("\n## ")[0]

#: Every block of Python, in order: later ones may use names of earlier ones.
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)

#: The cells of each line of a table but its head.
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in SIDE_BY_SIDE.splitlines()
    if line.startswith("| ") and "facebook-business" not in line
]

COMMON: dict[str, Any] = {
    "secret": "invented",
    "proxy": "http://127.0.0.1:9",
    "spec": {"geo_locations": {"countries": ["DE"]}},
    "new": {
        "name": "new",
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": False,
    },
}


@pytest.fixture(autouse=True)
def at_home(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the code runs holds banner.png."""
    monkeypatch.chdir(picture.parent)


@pytest.fixture
def client(calm: Sandbox) -> Iterator[GraphClient]:
    with GraphClient(calm.token, base_url=calm.url, sleep=lambda _: None) as client:
        yield client


def test_the_blocks_of_the_guide_run(client: GraphClient) -> None:
    names: dict[str, Any] = {}

    for block in BLOCKS:
        names["client"] = client  # the first block opens and closes one of its own
        exec(block, names)  # noqa: S102  # our own guide

    assert len(BLOCKS) == 6
    assert len(names["rows"]) > 0


@pytest.mark.filterwarnings("ignore:.*does not allow field:UserWarning")  # nested, to the SDK
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_guide_runs_on_both_sides(
    client: GraphClient, calm_twin: Sandbox, row: list[str]
) -> None:
    account = next(iter(client.node("me").edge("adaccounts")))["id"]
    campaign = next(iter(client.account(account).edge("campaigns")))["id"]
    FacebookSession.GRAPH = calm_twin.url
    sdk = {
        **COMMON,
        "FacebookAdsApi": FacebookAdsApi,
        "Campaign": Campaign,
        "User": User,
        "token": calm_twin.token,
        "api": FacebookAdsApi.init(access_token=calm_twin.token, crash_log=False),
        "account": AdAccount(account),
        "campaign": Campaign(campaign),
    }
    ours = {
        **COMMON,
        "GraphClient": GraphClient,
        "fields": fields,
        "token": calm_twin.token,
        "client": client,
        "account": client.account(account),
        "campaign": client.node(campaign, kind="campaign"),
    }

    run = [code_of(row[1], sdk), code_of(row[2], ours)]

    assert run[1] > 0


def code_of(cell: str, names: dict[str, Any]) -> int:
    """Run the code of a cell; how many pieces there were."""
    pieces = re.findall(r"`([^`]+)`", cell)
    for code in pieces:
        exec(code, names)  # noqa: S102  # our own guide
    return len(pieces)


def test_the_guide_has_every_row() -> None:
    assert len(ROWS) == 27
    assert [row for row in ROWS if len(row) != 4] == []
