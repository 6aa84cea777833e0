"""Assets of dynamic creatives: what a breakdown by asset shows, as the object that Meta sends.

The company's ads show what their creatives hold: those with a feed have rows by asset, and no
others. Where a world has no brand of its own, each ad shows the same assets.

An address is signed: it is another one in each row. Sources: Insights API reference, Breakdowns;
shapes as Airbyte and Keboola recorded them in 2025 and 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.advertisers.brands import ODDITIES
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.dice import dice, digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.world.creatives.content import Content
    from fbgraph.sandbox.world.nodes import WorldNode

    Asset = Mapping[str, str] | str

__all__ = ["ASSETS", "assets_of", "ids", "shown"]

_HOST: Final = "https://scontent.example.com/v"

#: breakdown → what each of its assets is, besides its id. A text is sent as it is.
ASSETS: Final[Mapping[str, Sequence[Asset]]] = {
    "image_asset": [
        {"hash": f"{n:032x}", "name": f"{name}.png", "url": f"{_HOST}/{name}.png"}
        for n, name in enumerate(("bike", "helmet", "rider"), start=0xB1CE)
    ],
    "video_asset": [
        {
            "video_id": f"70{n}",
            "video_name": name,
            "url": f"{_HOST}/{n}.mp4",
            "thumbnail_url": f"{_HOST}/{n}.jpg",
        }
        for n, name in enumerate(("Unboxing", "First ride"), start=1)
    ],
    "body_asset": [{"text": "Ride {further}"}, {"text": "東京 🚲"}, {"text": 'So "light"'}],
    "title_asset": [{"text": "New [2026]"}, {"text": "Spring sale"}],
    "description_asset": [{"text": "Free delivery"}, {}],
    "call_to_action_asset": [{"name": "SHOP_NOW"}, {"name": "LEARN_MORE"}],
    "link_url_asset": [{"website_url": f"https://shop.example.com/{n}"} for n in ("a", "b")],
    "ad_format_asset": ["single_image", "carousel"],
}


def ids(breakdown: str) -> Sequence[str]:
    """What distinguishes the assets of a breakdown; where they are texts, the texts."""
    of_kind = list(ASSETS).index(breakdown) + 1
    return [
        one if isinstance(one, str) else f"12021{of_kind:02}{n:010}"
        for n, one in enumerate(ASSETS[breakdown], start=1)
    ]


def assets_of(ad: WorldNode, breakdown: str) -> Mapping[str, Asset]:
    """The assets that an ad shows, by what distinguishes them."""
    if ad.about.brand is ODDITIES:
        return dict(zip(ids(breakdown), ASSETS[breakdown], strict=True))
    if ad.concept is None or ad.concept.form != "feed":
        return {}
    of_kind = list(ASSETS).index(breakdown) + 1
    return {
        one if isinstance(one, str) else f"12021{of_kind:02}{digits(10, ad.account.id, key)}": one
        for key, one in _of_feed(content_of(ad), breakdown).items()
    }


def _of_feed(content: Content, breakdown: str) -> Mapping[str, Asset]:
    """Its assets by what they are."""
    found: Mapping[str, Sequence[Asset]] = {
        "image_asset": [
            {"hash": one.hash, "name": one.name, "url": f"{_HOST}/{one.hash}.png"}
            for one in content.pictures
        ],
        "body_asset": [{"text": text} for text in content.bodies],
        "title_asset": [{"text": text} for text in content.titles],
        "description_asset": [{"text": content.description}],
        "call_to_action_asset": [{"name": content.call_to_action}],
        "link_url_asset": [{"website_url": content.link}],
        "video_asset": [
            {
                "video_id": one.id,
                "video_name": one.title,
                "url": f"{_HOST}/{one.id}.mp4",
                "thumbnail_url": f"{_HOST}/{one.id}.jpg",
            }
            for one in content.videos
        ],
        "ad_format_asset": ["single_image", "single_video"],
    }
    return {str(one): one for one in found.get(breakdown, ())}


def shown(breakdown: str, value: str, subject: WorldNode, *row: object) -> Asset:
    """How a breakdown's value is written in a row of `subject`, which `row` tells from others."""
    if breakdown not in ASSETS:
        return value
    of_ads = (assets_of(ad, breakdown) for ad in subject.under("ad"))
    asset = next(of_ad[value] for of_ad in of_ads if value in of_ad)
    if isinstance(asset, str):
        return asset
    signed = {
        key: f"{text}?oh=00_{dice(value, key, subject.id, *row):08x}&oe=67E33323"
        if text.startswith(_HOST)
        else text
        for key, text in asset.items()
    }
    return {**signed, "id": value}
