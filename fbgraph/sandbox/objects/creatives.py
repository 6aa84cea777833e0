"""The fields of a creative: its content, in the shapes that its form has at Meta.

Source: Ad creative reference; facebook-business 26.0.3; bodies that open connectors recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.library import media, picture_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from fbgraph.sandbox.world.creatives.content import Card, Content
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["CREATIVE_FIELDS", "thumbnail"]

#: form → `object_type`.
OBJECT_TYPES: Final[Mapping[str, str]] = {"video": "VIDEO", "photo": "PHOTO"}


def thumbnail(node: WorldNode, _: datetime) -> str:
    """64 by 64, unless the request names a size."""
    return media("thumbnail", node.id)


def _button(content: Content) -> dict[str, Any]:
    return {"type": content.call_to_action, "value": {"link": content.link}}


def _page(content: Content) -> dict[str, Any]:
    return {"page_id": content.page_id, "instagram_user_id": content.instagram_user_id}


def _link_data(content: Content) -> dict[str, Any]:
    return {
        "link": content.link,
        "message": content.body,
        "name": content.title,
        "description": content.description,
        "call_to_action": _button(content),
    }


def _with_picture(content: Content) -> dict[str, Any]:
    return {"link_data": {**_link_data(content), "image_hash": content.pictures[0].hash}}


def _carousel(content: Content) -> dict[str, Any]:
    cards = [_card(card, content) for card in content.cards]
    return {"link_data": {**_link_data(content), "child_attachments": cards}}


def _card(card: Card, content: Content) -> dict[str, Any]:
    return {
        "link": card.link,
        "name": card.title,
        "description": card.description,
        "image_hash": card.picture.hash,
        "call_to_action": {"type": content.call_to_action, "value": {"link": card.link}},
    }


def _photo(content: Content) -> dict[str, Any]:
    return {"photo_data": {"caption": content.body, "image_hash": content.pictures[0].hash}}


def _video(content: Content) -> dict[str, Any]:
    video = content.video
    if video is None:
        return {}
    return {
        "video_data": {
            "video_id": video.id,
            "title": content.title,
            "message": content.body,
            "link_description": content.description,
            "image_hash": video.picture.hash,
            "image_url": picture_link(video.picture),
            "call_to_action": _button(content),
        }
    }


def _template(content: Content) -> dict[str, Any]:
    """Texts hold the placeholders of a catalogue."""
    return {
        "template_data": {
            **_link_data(content),
            "name": "{{product.name}}",
            "description": "{{product.price}}",
        }
    }


#: form → what `object_story_spec` has next to the page; a feed has the page alone.
STORIES: Final[Mapping[str, Callable[[Content], dict[str, Any]]]] = {
    "link": _with_picture,
    "photo": _photo,
    "video": _video,
    "carousel": _carousel,
    "template": _template,
    "feed": lambda _: {},
}


def _story_spec(content: Content) -> Any:
    return {**_page(content), **STORIES[content.form](content)}


def _feed(content: Content) -> Any:
    """`asset_feed_spec`: several texts and pictures, for Meta to choose from."""
    if content.form != "feed":
        return None
    videos = [
        {"video_id": one.id, "thumbnail_url": picture_link(one.picture)} for one in content.videos
    ]
    return {
        "bodies": [{"text": text} for text in content.bodies],
        "titles": [{"text": text} for text in content.titles],
        "descriptions": [{"text": content.description}],
        "images": [{"hash": one.hash, "url": picture_link(one)} for one in content.pictures],
        **({"videos": videos} if videos else {}),
        "link_urls": [{"website_url": content.link}],
        "call_to_action_types": [content.call_to_action],
        "ad_formats": ["SINGLE_IMAGE", *(["SINGLE_VIDEO"] if videos else [])],
        "optimization_type": "DEGREES_OF_FREEDOM",
    }


def _image_hash(content: Content) -> str | None:
    return content.pictures[0].hash if content.form in ("link", "photo") else None


def _image_url(content: Content) -> str | None:
    return picture_link(content.pictures[0]) if content.form in ("link", "photo") else None


def _of_content(read: Callable[[Content], Any]) -> Callable[[WorldNode, datetime], Any]:
    """A field of what the seed made; what is empty is absent."""
    return lambda node, _: read(content_of(node)) or None


def _freedom(node: WorldNode, _: datetime) -> Any:
    if dice(node.id, "freedom") % 3:
        return None
    features = ("image_touchups", "text_optimizations", "standard_enhancements_catalog")
    chosen = {
        name: {"enroll_status": "OPT_IN" if at else "OPT_OUT"} for at, name in enumerate(features)
    }
    return {"creative_features_spec": chosen}


#: field → its value, for a creative that the seed made. Without `object_story_spec` the top-level
#: title and body of a feed are absent at Meta; here as well.
CREATIVE_FIELDS: Final[Mapping[str, Callable[[WorldNode, datetime], Any]]] = {
    "object_type": _of_content(lambda content: OBJECT_TYPES.get(content.form, "SHARE")),
    "title": _of_content(lambda content: "" if content.form == "feed" else content.title),
    "body": _of_content(lambda content: "" if content.form == "feed" else content.body),
    "call_to_action_type": _of_content(lambda content: content.call_to_action),
    "url_tags": _of_content(lambda content: content.url_tags),
    "actor_id": _of_content(lambda content: content.page_id),
    "instagram_user_id": _of_content(lambda content: content.instagram_user_id),
    "effective_object_story_id": lambda node, _: (
        f"{content_of(node).page_id}_{dice(node.id, 'post'):012}"
    ),
    "image_hash": _of_content(_image_hash),
    "image_url": _of_content(_image_url),
    "video_id": _of_content(lambda content: content.video.id if content.video else ""),
    "product_set_id": _of_content(lambda content: content.product_set_id),
    "object_story_spec": _of_content(_story_spec),
    "asset_feed_spec": _of_content(_feed),
    "degrees_of_freedom_spec": _freedom,
    "enable_direct_install": lambda _node, _now: False,
}
