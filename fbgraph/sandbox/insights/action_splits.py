"""Action breakdowns: into which entries an action falls, and which of them overlap.

Sources: Insights API, Breakdowns (actions off Meta come without the value of most action
breakdowns); shapes of entries as keboola's connector recorded them in 2026: reactions with and
without their kind are side by side, and ``total`` contains the other types of video plays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

_SPLIT: Final = frozenset(name for name, _ in PARTS)


def entries(
    action_type: str, action_breakdowns: Sequence[str], account_id: str, *, on_meta: bool
) -> Sequence[Entry]:
    """The entries of an action. Of several action breakdowns that split it, the first says how."""
    same = {
        name: SAME.get(name, account_id)
        for name in action_breakdowns
        if on_meta and name not in _SPLIT
    }
    split = [name for name in action_breakdowns if (name, action_type) in PARTS]
    if not split:
        return [Entry(same)]
    found = []
    for at, (_, start, stop) in enumerate(PARTS[split[0], action_type]):
        parts = {name: PARTS[name, action_type] for name in split}
        values = {name: of[at % len(of)].value for name, of in parts.items()}
        keys = {name: value for name, value in values.items() if value is not None}
        found.append(Entry({**same, **keys}, start, stop))
    return found
