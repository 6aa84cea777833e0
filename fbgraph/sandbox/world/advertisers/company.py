"""The company: two brands with their regional shops and a small third one, with campaigns as people
who buy advertising set them up and name them.

A campaign here is a table row; each account has some of the rows. What an ad delivers follows from
its `Conduct` by `rhythm`, and what its objects say of themselves from `settings`.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.advertisers.brands import KEA, KETTLE, NORDLICHT, Concept, title_of
from fbgraph.sandbox.world.advertisers.plan import (
    AccountPlan,
    AdIdea,
    AdSetIdea,
    CampaignIdea,
    Conduct,
    Part,
    WorldPlan,
)
from fbgraph.sandbox.world.settings import adset_values, campaign_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fbgraph.sandbox.world.advertisers.brands import Brand

__all__ = ["COMPANY", "FUNNEL", "SELLS", "funnel"]


SELLS: Final = ("OUTCOME_SALES", "OFFSITE_CONVERSIONS")

FUNNEL: Final[Mapping[str, CampaignIdea]] = {
    "hero": CampaignIdea(
        "{country} | Prospecting | Sales | {product} | Always-on",
        *SELLS,
        "Prospecting",
        0.30,
        "campaign daily",
        (
            AdSetIdea(
                "LAL 1% Customers | 25-54",
                (
                    AdIdea(0, "UGC", "video", 2),
                    AdIdea(0, "Benefit", "photo"),
                    AdIdea(0, "UGC", "video", status="ARCHIVED"),
                ),
                0.55,
            ),
            AdSetIdea(
                "Broad | 18-65+ | Advantage+ Placements",
                (
                    AdIdea(0, "Benefit", "photo"),
                    AdIdea(0, "Founder", "video"),
                    AdIdea(0, "Bestseller", "feed", review="DISAPPROVED"),
                ),
                0.45,
            ),
        ),
    ),
    "second": CampaignIdea(
        "{country} | Prospecting | Sales | {product} | Interests",
        *SELLS,
        "Prospecting",
        0.17,
        "adset daily",
        (
            AdSetIdea(
                "INT Category Fans | 25-44",
                (AdIdea(1, "Benefit", "carousel"), AdIdea(1, "UGC", "video")),
                0.6,
                learning="LEARNING",
            ),
            AdSetIdea(
                "INT Category Fans | Women 25-54 | Instagram",
                (
                    AdIdea(1, "Bestseller", "photo", review="WITH_ISSUES"),
                    AdIdea(1, "UGC", "video", 2, status="DELETED"),
                ),
                0.4,
                learning="FAIL",
            ),
        ),
    ),
    "catalog": CampaignIdea(
        "{country} | Retargeting | Sales | Catalog | Always-on",
        *SELLS,
        "Retargeting",
        0.15,
        "campaign daily",
        (
            AdSetIdea(
                "RT Visitors 30d, no Customers",
                (AdIdea(0, "Catalog", "template"), AdIdea(1, "Reminder", "carousel")),
                0.65,
            ),
            AdSetIdea(
                "RT Visitors 30d | Instagram",
                (AdIdea(0, "UGC", "video", 2), AdIdea(0, "Reminder", "photo", status="ARCHIVED")),
                0.35,
            ),
        ),
    ),
    "loyal": CampaignIdea(
        "{country} | Retention | Sales | {product} | Customers",
        *SELLS,
        "Retention",
        0.06,
        "adset daily",
        (
            AdSetIdea(
                "CRM Customers",
                (
                    AdIdea(2, "Loyalty", "carousel"),
                    AdIdea(2, "Loyalty", "photo", status="PAUSED"),
                    AdIdea(0, "Loyalty", "photo", review="PENDING_REVIEW"),
                ),
            ),
        ),
    ),
    "leads": CampaignIdea(
        "{country} | Prospecting | Leads | Guide {product}",
        "OUTCOME_LEADS",
        "LEAD_GENERATION",
        "Leads",
        0.09,
        "adset daily",
        (
            AdSetIdea(
                "LAL 1% Customers | 25-65+",
                (AdIdea(2, "Guide", "link"), AdIdea(2, "Guide", "photo")),
            ),
        ),
    ),
    "journal": CampaignIdea(
        "{country} | Prospecting | Traffic | Journal | Autumn",
        "OUTCOME_TRAFFIC",
        "LANDING_PAGE_VIEWS",
        "Traffic",
        0.05,
        "campaign daily",
        (
            AdSetIdea(
                "Broad | 25-65+ | Feeds",
                (AdIdea(1, "Founder", "link"),),
            ),
        ),
        status="PAUSED",
    ),
    "film": CampaignIdea(
        "{country} | Awareness | Reach | Brand Film | Q4",
        "OUTCOME_AWARENESS",
        "REACH",
        "Awareness",
        0.06,
        "adset lifetime",
        (
            AdSetIdea(
                "Broad | 18-44 | Reels + Stories",
                (AdIdea(0, "Founder", "video"), AdIdea(1, "Founder", "video", 2)),
            ),
        ),
        season="autumn",
    ),
    "black_week": CampaignIdea(
        "{country} | Prospecting + Retargeting | Sales | Black Week",
        *SELLS,
        "Sale",
        0.95,
        "campaign lifetime",
        (
            AdSetIdea(
                "Broad | 18-65+ | Advantage+ Placements",
                (AdIdea(0, "Offer", "photo"), AdIdea(1, "Offer", "video")),
                0.55,
            ),
            AdSetIdea(
                "RT Visitors 30d + LAL 1%",
                (AdIdea(0, "Offer", "carousel"),),
                0.45,
                learning="LEARNING",
            ),
        ),
        season="black_week",
    ),
    "spring": CampaignIdea(
        "{country} | Prospecting | Sales | Spring Sale",
        *SELLS,
        "Sale",
        0.45,
        "campaign lifetime",
        (
            AdSetIdea(
                "LAL 1% Customers | 25-54",
                (AdIdea(1, "Offer", "photo", 2), AdIdea(2, "Offer", "photo")),
            ),
        ),
        status="ARCHIVED",
        season="spring",
    ),
    "test": CampaignIdea(
        "{country} | TEST | Sales | Creative Test {product}",
        *SELLS,
        "Prospecting",
        0.08,
        "adset daily",
        (
            AdSetIdea(
                "Broad | 18-65+ | Advantage+ Placements",
                (AdIdea(1, "Bestseller", "feed"), AdIdea(1, "UGC", "video", 3)),
                learning="FAIL",
            ),
        ),
        status="DELETED",
    ),
    "weekend": CampaignIdea(
        "{country} | Prospecting | Sales | {product} | Weekend",
        *SELLS,
        "Boost",
        0.7,
        "adset daily",
        (
            AdSetIdea(
                "Broad | 25-54 | 60 km",
                (
                    AdIdea(0, "Benefit", "photo"),
                    AdIdea(0, "UGC", "video"),
                    AdIdea(1, "Offer", "photo", status="ARCHIVED"),
                ),
                learning="FAIL",
            ),
        ),
        season="summer_weekends",
    ),
    "post": CampaignIdea(
        "{country} | Boosted Post | Engagement",
        "OUTCOME_ENGAGEMENT",
        "POST_ENGAGEMENT",
        "Awareness",
        0.3,
        "campaign daily",
        (
            AdSetIdea(
                "Broad | 18-44 | Reels + Stories",
                (AdIdea(0, "UGC", "video"), AdIdea(1, "Benefit", "photo", status="PAUSED")),
            ),
        ),
        season="summer_weekends",
    ),
}

#: Which campaigns an account has.
LARGE: Final = tuple(name for name in FUNNEL if name not in {"weekend", "post"})
MIDDLE: Final = ("hero", "second", "catalog", "leads", "black_week", "test")
SMALL: Final = ("hero", "catalog", "black_week", "spring")

#: How much the people of one day are those of another.
OVERLAP: Final = 0.11

#: Currency, zone, price of 1,000 impressions; money of a day and what a euro is, in minor units.
Money = tuple[str, str, int, int, int]


def _shop(  # noqa: PLR0913, PLR0917  a row of the table below
    name: str, money: Money, brand: Brand, path: str, countries: tuple[str, ...], late: int = 0
) -> AccountPlan:
    currency, zone, cpm, daily, rate = money
    return AccountPlan(
        *(name, currency, zone, cpm),
        brand=brand,
        shop=path,
        daily=daily,
        rate=rate,
        countries=countries,
        late_evenings=late,
        overlap=OVERLAP,
    )


_EUR: Final = ("EUR", "Europe/Berlin", 880, 64_000, 100)
_USD: Final = ("USD", "America/Los_Angeles", 1350, 118_000, 112)
_JPY: Final = ("JPY", "Asia/Tokyo", 760, 72_000, 165)
_INR: Final = ("INR", "Asia/Kolkata", 9200, 1_450_000, 5200)
_AUD: Final = ("AUD", "Australia/Adelaide", 1450, 31_000, 170)
_BRL: Final = ("BRL", "America/Sao_Paulo", 2100, 42_000, 480)
_NZD: Final = ("NZD", "Pacific/Auckland", 1250, 3_200, 190)

SHOPS: Final[Sequence[tuple[AccountPlan, Sequence[str]]]] = (
    (_shop("Nordlicht DE", _EUR, NORDLICHT, "/de", ("DE", "AT")), LARGE),
    (_shop("Nordlicht US", _USD, NORDLICHT, "/us", ("US",)), LARGE),
    (_shop("Nordlicht Japan", _JPY, NORDLICHT, "/jp", ("JP",), 1), MIDDLE),
    (_shop("Kettle & Leaf India", _INR, KETTLE, "/in", ("IN",), 1), MIDDLE),
    (_shop("Kettle & Leaf Australia", _AUD, KETTLE, "/au", ("AU",)), SMALL),
    (_shop("Kettle & Leaf Brasil", _BRL, KETTLE, "/br", ("BR",), 1), SMALL),
    (_shop("Kea Kayaks", _NZD, KEA, "", ("NZ",)), ("weekend", "post")),
)

#: Statuses in which an ad never ran.
NEVER_SHOWN: Final = frozenset({"DISAPPROVED", "PENDING_REVIEW"})


def _campaigns(about: AccountPlan, index: int, scale: int) -> Iterator[Part]:
    _, names = SHOPS[index % len(SHOPS)]
    return funnel([FUNNEL[name] for name in names], about, index, scale)


def funnel(
    ideas: Sequence[CampaignIdea], about: AccountPlan, index: int, scale: int
) -> Iterator[Part]:
    """Campaigns of the account with this place in the listing."""
    products = about.brand.products
    numbers = count(7 * index)
    for idea in ideas:
        money = about.daily * idea.share
        adsets = [
            _adset(about, idea, adset, money * adset.share * scale, next(numbers), scale)
            for adset in idea.adsets
        ]
        first = products[idea.adsets[0].ads[0].product % len(products)]
        yield Part(
            "campaign",
            idea.name.format(country="/".join(about.countries), product=first.name),
            idea.status,
            purpose=idea.objective,
            children=adsets,
            values=campaign_values(idea.budget, money, idea.season, idea.hours),
        )


def _adset(  # noqa: PLR0913, PLR0917  one table row for each level, and where it is
    about: AccountPlan,
    idea: CampaignIdea,
    adset: AdSetIdea,
    money: float,
    number: int,
    scale: int,
) -> Part:
    ads = [(ad, copy) for copy in range(scale) for ad in adset.ads]
    shown = [one for one in ads if one[0].review not in NEVER_SHOWN]
    cycle = 70 + 7 * (number * 5 % 8)
    children = []
    for one in ads:
        ad, copy = one
        product = about.brand.products[ad.product % len(about.brand.products)]
        concept = Concept(product, ad.angle, ad.form, ad.version + 10 * copy)
        conduct = None
        if one in shown:
            facts = (
                money,
                adset.audience,
                shown.index(one),
                len(shown),
                cycle,
                concept,
                idea.hours,
            )
            conduct = Conduct(idea.stage, idea.season, *facts)
        name = title_of(concept)
        children.append(Part("ad", name, ad.status, ad.review, concept=concept, conduct=conduct))
    return Part(
        "adset",
        adset.audience,
        adset.status,
        purpose=idea.goal,
        children=children,
        values=adset_values(
            idea.budget, money, idea.season, idea.hours, adset.audience, adset.learning, idea.goal
        ),
    )


COMPANY: Final = WorldPlan(
    name="company",
    accounts=[about for about, _ in SHOPS],
    businesses=("Nordlicht Group", "Nordlicht Partner Shops"),
    labels=("Always-on", "Seasonal"),
    campaigns=_campaigns,
    updated_within=timedelta(days=1700),
    is_orderly=True,
)
