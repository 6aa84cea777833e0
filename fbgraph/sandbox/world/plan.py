"""What the seeded world is made of: accounts, campaigns, statuses, names.

Every table is walked in order and starts again at its end, so that a bigger world has more of the
same. Names are chosen to hurt: scripts of several directions, quotes, control characters, words
that mean something to JSON, to SQL or to a pager.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.brands import ODDITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.world.brands import Brand

__all__ = [
    "ACCOUNTS",
    "ADS",
    "ADSETS",
    "AD_NAMES",
    "BUSINESSES",
    "CAMPAIGNS",
    "CLIENT_EVERY",
    "DAYS_DELIVERED",
    "LABELS",
    "MINOR_UNITS",
    "AccountPlan",
    "CampaignPlan",
]


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One ad account. `cpm` is its usual price of 1,000 impressions, in the currency's minor unit.

    `shape`: campaigns, ad sets in each, ads in each of those. `activity` scales how many days an
    ad delivers on. `shop` is where its products are on the brand's site: "" or a path.
    """

    name: str
    currency: str
    zone: str
    cpm: int
    shape: tuple[int, int, int]
    activity: float = 1.0
    brand: Brand = ODDITIES
    shop: str = ""


ACCOUNTS: Final[Sequence[AccountPlan]] = (
    AccountPlan("Nordlicht Shop DE", "EUR", "Europe/Berlin", 650, (7, 2, 2)),
    AccountPlan("Sunset Outfitters", "USD", "America/Los_Angeles", 1100, (7, 2, 2)),
    AccountPlan("Sakura 東京", "JPY", "Asia/Tokyo", 780, (7, 2, 2)),
    AccountPlan("Chai & Co. चाय", "INR", "Asia/Kolkata", 9000, (7, 1, 2)),
    AccountPlan("Barossa Cellar Door", "AUD", "Australia/Adelaide", 1300, (7, 1, 2)),
    AccountPlan("Padaria São João", "BRL", "America/Sao_Paulo", 1900, (6, 1, 1)),
    AccountPlan("Kea Kayaks", "NZD", "Pacific/Auckland", 1200, (6, 1, 1), activity=0.08),
)

#: currency → minor units in a major one, as Meta counts them: 1 for these, 100 for all others.
#: Source: Marketing API, Currencies.
MINOR_UNITS: Final[Mapping[str, int]] = dict.fromkeys(
    ("CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"), 1
)


#: The business behind the token, and one whose accounts it works for.
BUSINESSES: Final = ("Sandbox Holding", "A Client of the Sandbox")

#: One in this number of accounts, the last, is a client's.
CLIENT_EVERY: Final = 3

#: Labels of each account.
LABELS: Final = ("Herbst", "évergreen")


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

#: effective_status → share of days on which such an ad delivers. What never left review has none.
DAYS_DELIVERED: Final[Mapping[str, float]] = {
    "ACTIVE": 0.96,
    "IN_PROCESS": 0.9,
    "WITH_ISSUES": 0.7,
    "PAUSED": 0.6,
    "ADSET_PAUSED": 0.6,
    "CAMPAIGN_PAUSED": 0.6,
    "ARCHIVED": 0.5,
    "DELETED": 0.45,
    "DISAPPROVED": 0.1,
}

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
