"""The hostile world: names chosen to hurt, in scripts of several directions, with quotes, control
characters, and words that mean something to JSON, to SQL or to a pager; and statuses of every kind
in every account, whatever a company would do.

Its tables are walked in order and start again at their end. Tests hold its ids, names and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from fbgraph.sandbox.world.advertisers.plan import AccountPlan, Part, WorldPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HOSTILE"]

T = TypeVar("T")

ACCOUNTS: Final[Sequence[AccountPlan]] = (
    AccountPlan("Nordlicht Shop DE", "EUR", "Europe/Berlin", 650, (7, 2, 2)),
    AccountPlan("Sunset Outfitters", "USD", "America/Los_Angeles", 1100, (7, 2, 2)),
    AccountPlan("Sakura 東京", "JPY", "Asia/Tokyo", 780, (7, 2, 2)),
    AccountPlan("Chai & Co. चाय", "INR", "Asia/Kolkata", 9000, (7, 1, 2)),
    AccountPlan("Barossa Cellar Door", "AUD", "Australia/Adelaide", 1300, (7, 1, 2)),
    AccountPlan("Padaria São João", "BRL", "America/Sao_Paulo", 1900, (6, 1, 1)),
    AccountPlan("Kea Kayaks", "NZD", "Pacific/Auckland", 1200, (6, 1, 1), activity=0.08),
)


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """One campaign. `status` is what its owner set; `review` is what Meta made of it, if it did."""

    name: str
    objective: str
    goal: str  # optimization_goal of its ad sets
    status: str
    review: str | None = None


CAMPAIGNS: Final[Sequence[CampaignPlan]] = (
    CampaignPlan("Sales | Prospecting", "OUTCOME_SALES", "OFFSITE_CONVERSIONS", "ACTIVE"),
    CampaignPlan("Frühjahr „Größe“ & Übermut", "OUTCOME_LEADS", "LEAD_GENERATION", "ARCHIVED"),
    CampaignPlan("東京 さくら 🌸", "OUTCOME_ENGAGEMENT", "POST_ENGAGEMENT", "DELETED"),
    CampaignPlan('Traffic "old"\\2024', "LINK_CLICKS", "LINK_CLICKS", "PAUSED"),
    CampaignPlan("عرض خاص", "OUTCOME_AWARENESS", "REACH", "ACTIVE", "WITH_ISSUES"),
    CampaignPlan("paging", "OUTCOME_APP_PROMOTION", "APP_INSTALLS", "ACTIVE", "IN_PROCESS"),
    CampaignPlan("Retargeting\tQ4\n2nd line", "OUTCOME_TRAFFIC", "LINK_CLICKS", "ACTIVE"),
)

#: Statuses that the owners of ad sets set, in turn.
ADSETS: Final[Sequence[str]] = ("ACTIVE", "ACTIVE", "ACTIVE", "PAUSED", "ARCHIVED")

#: The same for ads, with what Meta's review made of them.
ADS: Final[Sequence[tuple[str, str | None]]] = (
    ("ACTIVE", None),
    ("ACTIVE", None),
    ("PAUSED", None),
    ("ACTIVE", "DISAPPROVED"),
    ("ACTIVE", None),
    ("ACTIVE", "PENDING_REVIEW"),
    ("DELETED", None),
    ("ACTIVE", None),
    ("ARCHIVED", None),
)

AD_NAMES: Final[Sequence[str]] = (
    "Carousel 1",
    "Käse & Brötchen",
    "限定セール",
    "🚀 Launch 🎉",
    "שלום עולם",
    'He said "buy"',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "paging",
    "null",
    "O'Neil; DROP TABLE ads",
    "  padded  ",
    "=SUM(A1:A9)",
    "50 % off {now} [today]",
    "</script>",
)


def _campaigns(about: AccountPlan, index: int, scale: int) -> Iterator[Part]:
    campaigns, adsets, ads = about.shape
    numbers = count(index)
    for at in range(campaigns):
        made = _cycle(CAMPAIGNS, at)
        name = f"{about.currency} | {made.name}" if at % 2 == 0 else made.name
        below = [
            Part(
                "adset",
                f"{made.name} / {i + 1}",
                _cycle(ADSETS, at + 2 * i),
                purpose=made.goal,
                children=[_ad(next(numbers)) for _ in range(ads * scale)],
            )
            for i in range(adsets)
        ]
        yield Part("campaign", name, made.status, made.review, made.objective, children=below)


def _ad(number: int) -> Part:
    status, review = _cycle(ADS, number)
    return Part("ad", _cycle(AD_NAMES, number), status, review)


def _cycle(table: Sequence[T], at: int) -> T:
    return table[at % len(table)]


HOSTILE: Final = WorldPlan(
    name="hostile",
    accounts=ACCOUNTS,
    businesses=("Sandbox Holding", "A Client of the Sandbox"),
    labels=("Herbst", "évergreen"),
    campaigns=_campaigns,
)
