"""The agency: as many clients as a test wants, in twelve zones, four of which are not at a full
hour. Each has a few campaigns, with budgets of every kind, and days that differ as real ones do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.advertisers.brands import KEA, KETTLE, NORDLICHT
from fbgraph.sandbox.world.advertisers.company import FUNNEL, SELLS, funnel
from fbgraph.sandbox.world.advertisers.plan import (
    AccountPlan,
    AdIdea,
    AdSetIdea,
    CampaignIdea,
    WorldPlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fbgraph.sandbox.world.advertisers.brands import Brand
    from fbgraph.sandbox.world.advertisers.plan import Part

__all__ = ["AGENCY"]

#: By how much a day differs from another, all ads of an account together.
NOISE: Final = 0.2

EVENING: Final = CampaignIdea(
    "{country} | Prospecting | Sales | {product} | Evenings",
    *SELLS,
    "Prospecting",
    0.25,
    "adset lifetime",
    (
        AdSetIdea(
            "Broad | 18-65+ | Advantage+ Placements",
            (AdIdea(0, "Benefit", "photo", 3), AdIdea(1, "UGC", "video", 4)),
        ),
    ),
    season="year",
    hours=(17, 23),
)

#: One with a budget of the campaign, one with budgets of ad sets, and one with a budget for a
#: lifetime, which is spent in the evening.
CAMPAIGNS_OF_CLIENTS: Final = (FUNNEL["hero"], FUNNEL["loyal"], EVENING)


def _client(  # noqa: PLR0913, PLR0917  a row of the table below
    name: str, currency: str, zone: str, cpm: int, daily: int, rate: int, country: str, brand: Brand
) -> AccountPlan:
    return AccountPlan(
        *(name, currency, zone, cpm),
        brand=brand,
        shop=f"/{country.lower()}",
        daily=daily,
        rate=rate,
        countries=(country,),
        overlap=0.11,
        noise=NOISE,
    )


CLIENTS: Final[Sequence[AccountPlan]] = (
    _client("Berlin Outdoor", "EUR", "Europe/Berlin", 880, 42_000, 100, "DE", NORDLICHT),
    _client("Pacific Trails", "USD", "America/Los_Angeles", 1350, 96_000, 112, "US", NORDLICHT),
    _client("Kolkata Tea House", "INR", "Asia/Kolkata", 9200, 980_000, 5200, "IN", KETTLE),
    _client("Tokyo Camp", "JPY", "Asia/Tokyo", 760, 51_000, 165, "JP", NORDLICHT),
    _client("Barossa Leaf", "AUD", "Australia/Adelaide", 1450, 31_000, 170, "AU", KETTLE),
    _client("Hudson Kayaks", "USD", "America/New_York", 1500, 74_000, 112, "US", KEA),
    _client("London Leaf", "GBP", "Europe/London", 1010, 38_000, 85, "GB", KETTLE),
    _client("Sao Paulo Chaleira", "BRL", "America/Sao_Paulo", 2100, 47_000, 480, "BR", KETTLE),
    _client("Avalon Kayaks", "CAD", "America/St_Johns", 1400, 29_000, 150, "CA", KEA),
    _client("Everest Gear", "USD", "Asia/Kathmandu", 420, 22_000, 112, "NP", NORDLICHT),
    _client("Dubai Desert Camp", "AED", "Asia/Dubai", 3300, 110_000, 400, "AE", NORDLICHT),
    _client("Kea Rentals", "NZD", "Pacific/Auckland", 1250, 36_000, 190, "NZ", KEA),
)


def _campaigns(about: AccountPlan, index: int, scale: int) -> Iterator[Part]:
    return funnel(CAMPAIGNS_OF_CLIENTS, about, index, scale)


AGENCY: Final = WorldPlan(
    name="agency",
    accounts=CLIENTS,
    businesses=("Sandbox Agency", "Clients of the Agency"),
    labels=("Always-on", "Seasonal"),
    campaigns=_campaigns,
    is_orderly=True,
)
