"""Action breakdowns: into which entries an action falls, and which of them overlap.

Sources: Insights API, Breakdowns (actions off Meta come without the value of most action
breakdowns); shapes of entries as keboola's connector recorded them in 2026: reactions with and
without their kind are side by side, and ``total`` contains the other types of video plays.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph.sandbox.world.advertisers.brands import ODDITIES
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.dice import digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Entry", "entries"]


class Entry(NamedTuple):
    """One entry of an action: what it has besides type and value, and which part of the whole it
    counts, from `start` to `stop` percent.
    """

    keys: Mapping[str, str]
    start: int = 0
    stop: int = 100

    def part(self, whole: int) -> int:
        """What it has of a number; entries that follow on one another add up."""
        return whole * self.stop // 100 - whole * self.start // 100


class _Part(NamedTuple):
    value: str | None  # None: an entry without the key
    start: int
    stop: int


_CARDS: Final = ((0, 55), (55, 85), (85, 100))

#: (action breakdown, action type) → the entries that the action falls into.
PARTS: Final[Mapping[tuple[str, str], Sequence[_Part]]] = {
    ("action_reaction", "post_reaction"): (
        _Part(None, 0, 100),
        _Part("like", 0, 70),
        _Part("love", 70, 88),
        _Part("haha", 88, 96),
        _Part("wow", 96, 100),
    ),
    ("action_video_type", "video_view"): (
        _Part("total", 0, 100),
        _Part("auto_play", 0, 75),
        _Part("click_to_play", 75, 100),
    ),
    ("action_video_sound", "video_view"): (_Part("off", 0, 80), _Part("on", 80, 100)),
    ("action_carousel_card_id", "link_click"): tuple(
        _Part(str(23860000000000001 + n), *part) for n, part in enumerate(_CARDS)
    ),
    ("action_carousel_card_name", "link_click"): tuple(
        _Part(name, *part)
        for name, part in zip(("Bikes", "Helmets", "Ride further"), _CARDS, strict=True)
    ),
}

#: action breakdown → its value in every entry of an action on Meta; one that is not here, and not
#: in `PARTS` either, has the account's id. An action off Meta has none.
SAME: Final[Mapping[str, str]] = {
    "action_destination": "feed",
    "action_device": "iphone",
    "action_canvas_component_name": "Button",
}

#: What people click on, card by card.
_BY_CARD: Final = ("action_carousel_card_id", "action_carousel_card_name")

_SPLIT: Final = frozenset(name for name, _ in PARTS)


def entries(
    action_type: str, action_breakdowns: Sequence[str], node: WorldNode, *, on_meta: bool
) -> Sequence[Entry]:
    """The entries of an action. Of several action breakdowns that split it, the first says how."""
    account_id = node.account.id
    same = {
        name: SAME.get(name, account_id)
        for name in action_breakdowns
        if on_meta and name not in _SPLIT
    }
    split = [name for name in action_breakdowns if (name, action_type) in PARTS]
    if not split:
        return [Entry(same)]
    found = []
    parts = {name: _parts(name, action_type, node) for name in split}
    for at, (_, start, stop) in enumerate(parts[split[0]]):
        values = {name: of[at % len(of)].value for name, of in parts.items()}
        keys = {name: value for name, value in values.items() if value is not None}
        found.append(Entry({**same, **keys}, start, stop))
    return found


def _parts(name: str, action_type: str, node: WorldNode) -> Sequence[_Part]:
    """Into what an action breakdown splits an action. An ad of the company has its own cards; what
    was clicked on another ad has none, nor has what is summed over ads.
    """
    if name not in _BY_CARD or node.about.brand is ODDITIES:
        return PARTS[name, action_type]
    cards = content_of(node).cards if node.level == "ad" and node.concept else ()
    if not cards:
        return (_Part(None, 0, 100),)
    values = [
        card.title
        if name == "action_carousel_card_name"
        else f"2386{digits(13, node.account.id, card.picture.hash)}"
        for card in cards
    ]
    ends = [100 - (100 >> at) for at in range(len(values))] + [100]
    return [_Part(value, *part) for value, part in zip(values, pairwise(ends), strict=True)]
