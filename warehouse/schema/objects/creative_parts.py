"""What a creative says and where it leads, from wherever Meta keeps it in one.

The same thing has many places: a creative made from a post has it in `object_story_spec`, one with
several texts and pictures in `asset_feed_spec`, an old one in a field of its own. `PLACES` has them
in order: what the advertiser wrote for the ad comes first, Graph's own field last. With an asset
feed, Graph's own is absent or any one of the feed's (docs/graph-api.md#creatives).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from warehouse.schema.objects.links import UTM, landing_page, utm_of
from warehouse.schema.objects.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PLACES", "derive_creative"]

_SPEC: Final = "object_story_spec."
_FEED: Final = "asset_feed_spec."

#: column → where its value may be, the first that has one counts. ``[]`` is any entry of a list.
PLACES: Final[Mapping[str, Sequence[str]]] = {
    "link": (
        f"{_SPEC}link_data.link",
        f"{_SPEC}link_data.child_attachments[].link",
        f"{_SPEC}link_data.call_to_action.value.link",
        f"{_SPEC}video_data.call_to_action.value.link",
        f"{_SPEC}template_data.link",
        f"{_SPEC}template_data.call_to_action.value.link",
        f"{_FEED}link_urls[].website_url",
        "link_url",
        "object_url",
    ),
    "call_to_action": (
        f"{_SPEC}link_data.call_to_action.type",
        f"{_SPEC}video_data.call_to_action.type",
        f"{_SPEC}template_data.call_to_action.type",
        f"{_SPEC}link_data.child_attachments[].call_to_action.type",
        f"{_FEED}call_to_action_types[]",
        f"{_FEED}call_to_actions[].type",
        "call_to_action_type",
    ),
    "title": (
        f"{_SPEC}link_data.name",
        f"{_SPEC}video_data.title",
        f"{_SPEC}template_data.name",
        f"{_FEED}titles[].text",
        "title",
    ),
    "body": (
        f"{_SPEC}link_data.message",
        f"{_SPEC}video_data.message",
        f"{_SPEC}template_data.message",
        f"{_SPEC}text_data.message",
        f"{_SPEC}photo_data.caption",
        f"{_FEED}bodies[].text",
        "body",
    ),
    "description": (
        f"{_SPEC}link_data.description",
        f"{_SPEC}video_data.link_description",
        f"{_SPEC}template_data.description",
        f"{_FEED}descriptions[].text",
    ),
    "image_hash": (
        f"{_SPEC}link_data.image_hash",
        f"{_SPEC}photo_data.image_hash",
        f"{_SPEC}video_data.image_hash",
        f"{_SPEC}link_data.child_attachments[].image_hash",
        f"{_FEED}images[].hash",
        "image_hash",
    ),
    "video_id": (
        f"{_SPEC}video_data.video_id",
        f"{_SPEC}link_data.child_attachments[].video_id",
        f"{_FEED}videos[].video_id",
        "video_id",
    ),
}

#: The places of ``{page}_{post}``, and a text of that form.
_STORIES: Final = ("effective_object_story_id", "object_story_id")
_STORY: Final = re.compile(r"([0-9]+)_([0-9]+)", re.ASCII)


def derive_creative(creative: Mapping[str, Any]) -> Mapping[str, Any]:
    """The columns of a creative that are made of several fields: those of `PLACES`, the landing
    page, UTM parameters, page and post. What it does not have is left out; what may be in a field
    that Meta refused is `Refused` too.
    """
    found = {column: _first(creative, places) for column, places in PLACES.items()}
    derived = {**found, **_clicked(found["link"], creative.get("url_tags"))}
    derived |= {"page_id": _page(creative), "post_id": _story(creative)[1]}
    return {name: value for name, value in derived.items() if value is not None}


def _clicked(link: object, url_tags: object) -> Mapping[str, object]:
    """What follows from the link and the tags."""
    tags = url_tags if isinstance(url_tags, str) else ""
    if isinstance(link, Refused):
        return {**dict.fromkeys(("landing_page", *UTM), link), **utm_of("", tags)}
    text = "" if link is None else str(link)
    return {"landing_page": landing_page(text), **utm_of(text, tags)}


def _first(creative: Mapping[str, Any], places: Sequence[str]) -> object:
    """The first value that is a text with something in it, or a number; None if there is none.
    `Refused` if a place before it could not be looked at.
    """
    for place in places:
        steps = _steps(place)
        if creative.get(steps[0][0]) is None:  # most places are in specs that it does not have
            continue
        for value in _at(creative, steps):
            if isinstance(value, Refused) or _has_text(value):
                return value
    return None


#: What is a text, or a number, which an id may be.
_WRITTEN: Final = (str, int)


def _has_text(value: object) -> bool:
    is_written = isinstance(value, _WRITTEN) and not isinstance(value, bool)
    return is_written and bool(str(value).strip())


@cache
def _steps(place: str) -> Sequence[tuple[str, bool]]:
    """The keys of a place, each with whether it has a list; then any entry of it is meant."""
    return [(key.removesuffix("[]"), key.endswith("[]")) for key in place.split(".")]


def _at(within: object, steps: Sequence[tuple[str, bool]]) -> Sequence[object]:
    """The values at a place. What does not have the expected shape has none."""
    for n, (key, is_list) in enumerate(steps, start=1):
        if not isinstance(within, dict):
            return (within,) if isinstance(within, Refused) else ()
        within = within.get(key)
        if is_list and not isinstance(within, Refused):
            entries = within if isinstance(within, list) else ()
            return [value for entry in entries for value in _at(entry, steps[n:])]
    return (within,)


def _page(creative: Mapping[str, Any]) -> object:
    """The page that the ad speaks for: of its spec, of its post, or the actor, which is a page."""
    return _story(creative)[0] or _first(creative, (f"{_SPEC}page_id", "actor_id"))


def _story(creative: Mapping[str, Any]) -> tuple[str | None, str | None]:
    for name in _STORIES:
        if found := _STORY.fullmatch(str(creative.get(name) or "")):
            return found[1], found[2]
    return None, None
