"""Breakdowns of an ad's day: seeded shares that add up to the whole.

Breakdowns of one family are cut together, so that ages summed over genders are the ages alone.
Values of breakdowns: Insights API, Breakdowns.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, pairwise, product
from math import prod
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import HOUR_LABELS, HOURLY_AUDIENCE
from fbgraph.sandbox.insights.assets import ASSETS, assets_of, ids
from fbgraph.sandbox.world.delivery import Numbers, add
from fbgraph.sandbox.world.settings import EVERYBODY, viewers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.world.nodes import WorldNode
    from fbgraph.sandbox.world.settings import Viewers

__all__ = ["NEW_BREAKDOWNS", "SPLITS", "cells", "split", "split_ad"]


@dataclass(frozen=True, slots=True)
class Family:
    """Breakdowns that are cut together. A cell has one value of each; `weights` are its usual
    shares, which dice bend for every ad.
    """

    breakdowns: tuple[str, ...]
    weights: Mapping[tuple[str, ...], int]


_AGES: Final[Mapping[str, int]] = {
    "18-24": 14,
    "25-34": 26,
    "35-44": 22,
    "45-54": 16,
    "55-64": 12,
    "65+": 8,
    "Unknown": 1,
}
_GENDERS: Final[Mapping[str, int]] = {"female": 52, "male": 45, "unknown": 3}

#: Like `columns.NEW_FIELDS`: breakdowns that the catalogue does not know.
NEW_BREAKDOWNS: Final = frozenset({"sandbox_mood"})

#: Breakdowns that are cut each for itself, with their values, the most frequent first.
_VALUES: Final[Mapping[str, Sequence[str]]] = {
    "sandbox_mood": ("calm", "in a hurry", "unknown"),
    "comscore_market": ("New York", "Los Angeles", "unknown"),
    "comscore_market_code": ("501", "803", "unknown"),
    "frequency_value": ("1", "2", "3", "4", "5", "6-10", "11+"),
    "product_id": ("4711, Shoe", "4712", "4713, Hat, red"),
    "user_segment_key": ("prospecting", "engaged", "existing", "unknown"),
    "place_page_id": ("150000000000001", "150000000000002"),
    "app_id": ("123456789012345",),
    "skan_conversion_id": ("1", "2", "3"),
    "skan_campaign_id": ("10", "11"),
    "skan_version": ("4.0", "3.0"),
    "is_conversion_id_modeled": ("0", "1"),
    "coarse_conversion_value": ("low", "medium", "high"),
    "fidelity_type": ("1", "0"),
    "hsid": ("1001", "1002"),
    "postback_sequence_index": ("0", "1", "2"),
    "redownload": ("0", "1"),
    "media_type": ("image", "video"),
    "flexible_format_asset_type": ("unknown",),
    "gen_ai_asset_type": ("image", "unknown"),
    "creative_relaxation_asset_type": ("image", "unknown"),
}


def _halved(values: Sequence[str]) -> Mapping[str, int]:
    """Each value with half the weight of the one before it."""
    return {value: max(1, 64 >> at) for at, value in enumerate(values)}


def _by_asset(assets: Sequence[str]) -> dict[tuple[str, ...], int]:
    return {(one,): 30 - 9 * n for n, one in enumerate(assets)}


FAMILIES: Final[Sequence[Family]] = (
    Family(
        ("age", "gender"),
        {(a, g): _AGES[a] * _GENDERS[g] for a, g in product(_AGES, _GENDERS)},
    ),
    Family(
        ("country", "region"),
        {
            ("DE", "Bayern"): 15,
            ("DE", "Berlin"): 25,
            ("US", "California"): 15,
            ("US", "unknown"): 10,
            ("JP", "Tokyo"): 14,
            ("BR", "São Paulo (state)"): 10,
            ("AU", "New South Wales"): 8,
            ("unknown", "unknown"): 3,
        },
    ),
    Family(
        ("publisher_platform", "platform_position", "impression_device", "device_platform"),
        {
            ("facebook", "feed", "iphone", "mobile_app"): 16,
            ("facebook", "feed", "android_smartphone", "mobile_app"): 18,
            ("facebook", "feed", "android_smartphone", "mobile_web"): 3,
            ("facebook", "feed", "desktop", "desktop"): 8,
            ("facebook", "facebook_reels", "iphone", "mobile_app"): 6,
            ("facebook", "facebook_reels", "android_smartphone", "mobile_app"): 7,
            ("facebook", "marketplace", "android_smartphone", "mobile_app"): 3,
            ("instagram", "feed", "iphone", "mobile_app"): 10,
            ("instagram", "feed", "ipad", "mobile_app"): 1,
            ("instagram", "instagram_stories", "iphone", "mobile_app"): 9,
            ("instagram", "instagram_stories", "android_smartphone", "mobile_app"): 8,
            ("instagram", "instagram_reels", "iphone", "mobile_app"): 6,
            ("audience_network", "an_classic", "android_smartphone", "mobile_app"): 3,
            ("messenger", "messenger_stories", "iphone", "mobile_app"): 1,
            ("unknown", "unknown", "other", "mobile_app"): 1,
        },
    ),
    # Parts of an ad, each with an asset of its own.
    *(Family((name,), _by_asset(ids(name))) for name in ASSETS),
    Family((HOURLY_AUDIENCE,), {(label,): 1 + hour for hour, label in enumerate(HOUR_LABELS)}),
    *(
        Family((name,), {(value,): weight for value, weight in _halved(values).items()})
        for name, values in _VALUES.items()
    ),
)

#: breakdown → the family that it is cut in. All others are not imitated.
SPLITS: Final[Mapping[str, Family]] = {
    name: family for family in FAMILIES for name in family.breakdowns
}


#: country → its regions, the one with most people first.
REGIONS: Final[Mapping[str, Sequence[str]]] = {
    "DE": ("Nordrhein-Westfalen", "Bayern", "Berlin", "Hamburg"),
    "AT": ("Wien", "Tirol"),
    "US": ("California", "Texas", "New York", "Washington"),
    "JP": ("Tokyo", "Osaka", "Hokkaido"),
    "IN": ("Maharashtra", "Karnataka", "Delhi", "Tamil Nadu"),
    "AU": ("New South Wales", "Victoria", "South Australia"),
    "BR": ("São Paulo (state)", "Rio de Janeiro (state)", "Minas Gerais"),
    "NZ": ("Auckland", "Otago"),
}


@lru_cache
def _family(name: str, viewers: Viewers) -> Family:
    """The family that a breakdown is cut in, with the cells that some people may be in."""
    family = SPLITS[name]
    found = dict(family.weights)
    if "country" in family.breakdowns and viewers.places:
        found = {
            (country, region): (40 >> rank) // (1 + 4 * (country != viewers.places[0])) + 1
            for country in viewers.places
            for rank, region in enumerate(REGIONS[country])
        }
        found["unknown", "unknown"] = 1
    elif "age" in family.breakdowns:
        found = {cell: n for cell, n in found.items() if _is_seen_by(viewers, *cell)}
    elif "publisher_platform" in family.breakdowns and viewers.positions:
        found = {cell: n for cell, n in found.items() if cell[:2] in viewers.positions}
    elif name in ASSETS and viewers.assets:
        found = _by_asset(viewers.assets)
    return Family(family.breakdowns, found)


def _is_seen_by(viewers: Viewers, ages: str, gender: str) -> bool:
    """Whether people of these ages and this gender may be among them; unknown ones may."""
    oldest, youngest = viewers.ages[1], viewers.ages[0]
    first, _, last = ages.removesuffix("+").partition("-")
    fits = ages == "Unknown" or (int(first) <= oldest and int(last or 99) >= youngest)
    return fits and (not viewers.genders or gender in {*viewers.genders, "unknown"})


def cells(breakdowns: Sequence[str]) -> int:
    """How many rows a day falls into at most; 1 without a breakdown."""
    families = _families(tuple(breakdowns))
    return prod(len(_slots(of_family, EVERYBODY)) for of_family in families)


@lru_cache
def _families(breakdowns: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    """Breakdowns by the family that they are cut in."""
    found: dict[str, list[str]] = {}
    for name in breakdowns:
        found.setdefault(SPLITS[name].breakdowns[0], []).append(name)
    return [tuple(names) for names in found.values()]


@lru_cache
def _slots(breakdowns: tuple[str, ...], viewers: Viewers) -> Mapping[tuple[str, ...], list[int]]:
    """By the values of breakdowns of one family: which of its cells are summed."""
    family = _family(breakdowns[0], viewers)
    at = [family.breakdowns.index(name) for name in breakdowns]
    slots: dict[tuple[str, ...], list[int]] = {}
    for number, cell in enumerate(family.weights):
        slots.setdefault(tuple(cell[n] for n in at), []).append(number)
    return slots


def split_ad(
    ad: WorldNode, whole: Numbers, breakdowns: tuple[str, ...]
) -> dict[tuple[str, ...], Numbers]:
    """Parts of an ad's numbers, as `split`, by who sees it and what it shows. Meta refuses two
    kinds of assets together; an ad that has none of one has no parts by it.
    """
    viewers = viewers_of(ad)
    for name in ASSETS.keys() & {*breakdowns}:
        assets = tuple(assets_of(ad, name))
        if not assets:
            return {}
        viewers = replace(viewers, assets=assets)
    return split(ad.id, whole, breakdowns, viewers)


def split(
    ad_id: str, whole: Numbers, breakdowns: tuple[str, ...], viewers: Viewers = EVERYBODY
) -> dict[tuple[str, ...], Numbers]:
    """Parts of an ad's numbers by the values of `breakdowns`; a value without any has no part.
    Breakdowns of several families are cut one after the other.
    """
    first, *others = _families(breakdowns)
    found = _split(ad_id, whole, first, viewers)
    for names in others:
        found = {
            (*values, *more): numbers
            for values, part in found.items()
            for more, numbers in _split(ad_id, part, names, viewers).items()
        }
    if not others:
        return found
    order = [name for names in (first, *others) for name in names]
    at = [order.index(name) for name in breakdowns]
    return {tuple(values[n] for n in at): numbers for values, numbers in found.items()}


def _split(
    ad_id: str, whole: Numbers, breakdowns: tuple[str, ...], viewers: Viewers
) -> dict[tuple[str, ...], Numbers]:
    """The same for breakdowns of one family."""
    parts = _parts(whole, _bounds(ad_id, SPLITS[breakdowns[0]].breakdowns[0], viewers))
    found = {
        values: add([parts[n] for n in numbers]) if len(numbers) > 1 else parts[numbers[0]]
        for values, numbers in _slots(breakdowns, viewers).items()
    }
    return {values: numbers for values, numbers in found.items() if any(numbers)}


@lru_cache(maxsize=8192)
def _bounds(ad_id: str, breakdown: str, viewers: Viewers) -> tuple[int, ...]:
    """Where the shares of an ad's cells begin and end, in the same order; the last is the sum."""
    dice = random.Random(f"{ad_id}/{breakdown}")  # noqa: S311  seeded numbers, no secret
    weights = [
        int(w * dice.uniform(50, 150)) + 1 for w in _family(breakdown, viewers).weights.values()
    ]
    return tuple(accumulate(weights, initial=0))


def _parts(whole: Numbers, bounds: Sequence[int]) -> list[Numbers]:
    """The whole cut at `bounds`. Impressions go by the shares and all else by the impressions, so
    that nobody clicks where nothing was shown; without impressions all of it is in the last cell.
    """
    shown = [whole.impressions * bound // bounds[-1] for bound in bounds]
    if not whole.impressions:
        shown = [0] * (len(bounds) - 1) + [1]
    return [
        Numbers._make([n * end // shown[-1] - n * start // shown[-1] for n in whole])
        for start, end in pairwise(shown)
    ]
