"""Assets of dynamic creatives: what a breakdown by asset shows, as the object that Meta sends.

An address is signed: it is another one in each row. Sources: Insights API reference, Breakdowns;
shapes as Airbyte and Keboola recorded them in 2025 and 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ASSETS", "ids", "shown"]

_HOST: Final = "https://scontent.example.com/v"

#: breakdown → what each of its assets is, besides its id. A text is sent as it is.
ASSETS: Final[Mapping[str, Sequence[Mapping[str, str] | str]]] = {
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


def shown(breakdown: str, value: str, *row: object) -> Mapping[str, str] | str:
    """How a breakdown's value is written in a row, which `row` identifies."""
    if breakdown not in ASSETS:
        return value
    asset = ASSETS[breakdown][ids(breakdown).index(value)]
    if isinstance(asset, str):
        return asset
    signed = {
        key: f"{text}?oh=00_{dice(value, key, *row):08x}&oe=67E33323"
        if text.startswith(_HOST)
        else text
        for key, text in asset.items()
    }
    return {**signed, "id": value}
