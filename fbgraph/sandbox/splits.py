"""How an ad's day falls into breakdowns: shares that are seeded, parts that add up to the whole.

Breakdowns of one family are cut together, so that ages summed over genders are the ages alone.
Values of breakdowns: Insights API, Breakdowns.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.assets import ASSETS, ids
from fbgraph.sandbox.delivery import Numbers, add

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SPLITS", "cells", "split"]


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

FAMILIES: Final[Sequence[Family]] = (
    Family(
        ("age", "gender"),
        {(a, g): _AGES[a] * _GENDERS[g] for a, g in product(_AGES, _GENDERS)},
    ),
    Family(
        ("country",),
        {("DE",): 40, ("US",): 25, ("JP",): 14, ("BR",): 10, ("AU",): 8, ("unknown",): 3},
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
    *(Family((name,), {(one,): 30 - 9 * n for n, one in enumerate(ids(name))}) for name in ASSETS),
)

#: breakdown → the family that it is cut in. All others are not imitated.
SPLITS: Final[Mapping[str, Family]] = {
    name: family for family in FAMILIES for name in family.breakdowns
}


def cells(breakdowns: Sequence[str]) -> int:
    """How many rows a day falls into at most; 1 without a breakdown."""
    return len(_slots(tuple(breakdowns))[1]) if breakdowns else 1


@lru_cache
def _slots(breakdowns: tuple[str, ...]) -> tuple[Family, Mapping[tuple[str, ...], list[int]]]:
    """The family of breakdowns, and by their values: which of its cells are summed."""
    family = SPLITS[breakdowns[0]]
    at = [family.breakdowns.index(name) for name in breakdowns]
    slots: dict[tuple[str, ...], list[int]] = {}
    for number, cell in enumerate(family.weights):
        slots.setdefault(tuple(cell[n] for n in at), []).append(number)
    return family, slots


def split(
    ad_id: str, whole: Numbers, breakdowns: tuple[str, ...]
) -> dict[tuple[str, ...], Numbers]:
    """Parts of an ad's numbers by the values of `breakdowns`; a value without any has no part."""
    family, slots = _slots(breakdowns)
    parts = _parts(whole, _bounds(ad_id, family.breakdowns[0]))
    found = {
        values: add([parts[n] for n in numbers]) if len(numbers) > 1 else parts[numbers[0]]
        for values, numbers in slots.items()
    }
    return {values: numbers for values, numbers in found.items() if any(numbers)}


@lru_cache(maxsize=8192)
def _bounds(ad_id: str, breakdown: str) -> tuple[int, ...]:
    """Where the shares of an ad's cells begin and end, in the same order; the last is the sum."""
    dice = random.Random(f"{ad_id}/{breakdown}")  # noqa: S311  seeded numbers, no secret
    weights = [int(w * dice.uniform(50, 150)) + 1 for w in SPLITS[breakdown].weights.values()]
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
