"""What an account has besides its ads: pictures, videos, pixels, conversions, audiences, rules.

Made when it is first looked at, and from then on the same nodes, so that writes stay. Shapes are
those of facebook-business 26.0.3 and of bodies that open connectors recorded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.advertisers.plan import Part
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.nodes import WorldNode, new_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fbgraph.sandbox.world.creatives.content import Content, Video
    from fbgraph.sandbox.world.creatives.pictures import Picture

__all__ = ["LIBRARY_PREFIXES", "UNSIGNED", "Library", "library_of", "media", "picture_link"]

#: level → how its ids begin. Behind it come the seed, the account's place and a number.
LIBRARY_PREFIXES: Final[Mapping[str, str]] = {
    "audience": "23",
    "saved_audience": "24",
    "rule": "31",
    "conversion": "41",
    "pixel": "51",
}

#: Begins what an address on the sandbox will be, once it is known who asks: see `endpoints.media`.
UNSIGNED: Final = "sandbox-media:"

#: Meta's rules want no personal data; this is what it puts in a description of a status.
NORMAL: Final = {"code": 200, "description": "Normal"}
FLAGGED: Final = {"code": 471, "description": "Use of this audience is restricted"}


@dataclass(frozen=True, slots=True)
class Library:
    """The nodes of one account by level; `pictures` by the id of their image or video."""

    nodes: Mapping[str, Sequence[WorldNode]]
    pictures: Mapping[str, Picture]


def media(kind: str, name: str) -> str:
    """An address that is signed when it is sent: see `UNSIGNED`."""
    return f"{UNSIGNED}{kind}/{name}"


def picture_link(picture: Picture) -> str:
    return media("image", f"{picture.owner}/{picture.hash}")


def library_of(
    account: WorldNode, seed: int, index: int, creatives: Iterable[WorldNode]
) -> Library:
    """`index`: the account's place in the listing; `creatives`: those that the seed made."""
    contents = {one.id: content_of(one) for one in creatives if one.is_seeded}

    def make(
        level: str, number: int, name: str, status: str = "ACTIVE", **values: Any
    ) -> WorldNode:
        node_id = f"{LIBRARY_PREFIXES[level]}{seed % 1000:03}{index:04}{number:09}"
        return _node(account, level, node_id, name, status, values)

    pixel = make("pixel", 1, f"{account.name} web", **_pixel(account))
    audiences = [
        make("audience", at, name, **values)
        for at, (name, values) in enumerate(_audiences(account, pixel), start=1)
    ]
    images, videos, pictures = _media(account, contents)
    return Library(
        {
            "image": images,
            "video": videos,
            "pixel": [pixel],
            "conversion": [
                make("conversion", at, name, **values)
                for at, (name, values) in enumerate(_conversions(account, pixel), start=1)
            ],
            "audience": audiences,
            "saved_audience": [
                make("saved_audience", at, name, **values)
                for at, (name, values) in enumerate(_saved_audiences(audiences), start=1)
            ],
            "rule": [
                make("rule", at, name, status, **values)
                for at, (name, status, values) in enumerate(_rules(), start=1)
            ],
        },
        pictures,
    )


def _node(  # noqa: PLR0913, PLR0917  the facts of one object
    account: WorldNode, level: str, node_id: str, name: str, status: str, values: dict[str, Any]
) -> WorldNode:
    created = account.created + timedelta(seconds=dice(node_id, "created") % 40_000_000)
    updated = created + timedelta(seconds=dice(node_id, "updated") % 90_000_000)
    node = new_node(account, account.about, node_id, Part(level, name, status), (created, updated))
    node.values = values
    return node


# --- pictures and videos ---------------------------------------------------------------------


def _shown(content: Content) -> Iterator[Picture]:
    yield from content.pictures
    yield from (card.picture for card in content.cards)
    yield from (video.picture for video in _videos(content))


def _videos(content: Content) -> Sequence[Video]:
    return [*([content.video] if content.video else []), *content.videos]


def _media(
    account: WorldNode, contents: Mapping[str, Content]
) -> tuple[Sequence[WorldNode], Sequence[WorldNode], Mapping[str, Picture]]:
    pictures: dict[str, Picture] = {}
    used: dict[str, list[str]] = {}
    videos: dict[str, WorldNode] = {}
    covers: dict[str, Picture] = {}
    for creative_id, content in contents.items():
        for picture in dict.fromkeys(_shown(content)):
            pictures[picture.hash] = picture
            used.setdefault(picture.hash, []).append(creative_id)
        for video in _videos(content):
            if video.id in videos:
                continue
            covers[video.id] = video.picture
            videos[video.id] = _node(
                account,
                "video",
                video.id,
                video.title,
                "ACTIVE",
                {
                    "title": video.title,
                    "length": round(video.seconds + dice(video.id) % 1000 / 1000, 3),
                    "status": _video_status(),
                    "published": True,
                    "embeddable": True,
                    "permalink_url": f"/reel/{video.id}/",
                    "picture": media("video", video.id),
                    # Nullable at Meta: some videos have counted nothing.
                    **({"views": dice(video.id, "views") % 90_000} if dice(video.id) % 3 else {}),
                },
            )
    images = [
        _node(
            account,
            "image",
            f"{account.id}:{picture.hash}",
            picture.name,
            "ACTIVE",
            {
                "hash": picture.hash,
                **dict.fromkeys(("width", "original_width"), picture.width),
                **dict.fromkeys(("height", "original_height"), picture.height),
                "creatives": used[picture.hash],
                "is_associated_creatives_in_adgroups": True,
                "permalink_url": f"https://www.facebook.com/ads/image/?d={picture.hash}",
                "url": picture_link(picture),
                "url_128": f"{picture_link(picture)}?size=128x128",
            },
        )
        for picture in pictures.values()
    ]
    by_id = {f"{account.id}:{key}": picture for key, picture in pictures.items()}
    return images, list(videos.values()), {**by_id, **covers}


def _video_status() -> dict[str, Any]:
    done = {"status": "complete"}
    phases = {f"{phase}_phase": done for phase in ("uploading", "processing", "publishing")}
    return {"video_status": "ready", "processing_progress": 100, **phases}


# --- pixels, conversions ---------------------------------------------------------------------


def _pixel(account: WorldNode) -> dict[str, Any]:
    return {
        "owner_ad_account": {"id": f"act_{account.id}", "account_id": account.id},
        "code": "<!-- Meta Pixel Code -->" + "<script>!function(f,b,e,v,n,t,s){}</script>" * 40,
        "config": json.dumps({"automatic_events": True}),
        "data_use_setting": "ADVERTISING_AND_ANALYTICS",
        "first_party_cookie_status": "FIRST_PARTY_COOKIE_ENABLED",
        "enable_automatic_matching": True,
        "automatic_matching_fields": ["em", "ph"],
        "can_proxy": False,
        "is_created_by_business": True,
        "is_unavailable": False,
    }


#: (name, event, page of the rule, other fields). The second has never fired.
CUSTOM_CONVERSIONS: Final[Sequence[tuple[str, str, str, Mapping[str, Any]]]] = (
    (
        *("Order over 100", "PURCHASE", "/thank-you"),
        # Recorded as text, a number in Meta's SDK.
        {"default_conversion_value": "0", "is_archived": False, "fires": True},
    ),
    (
        *("Newsletter", "LEAD", "/newsletter/done"),
        {"default_conversion_value": 25, "is_archived": False, "fires": False},
    ),
    (
        *("Old checkout", "OTHER", "/checkout-2019"),
        {"default_conversion_value": "0", "is_archived": True, "fires": False},
    ),
)


def _conversions(account: WorldNode, pixel: WorldNode) -> Iterator[tuple[str, Mapping[str, Any]]]:
    source = {"id": pixel.id, "name": pixel.name, "source_type": "PIXEL"}
    for name, event, page, more in CUSTOM_CONVERSIONS:
        rule = {"and": [{"event": {"eq": "PageView"}}, {"or": [{"URL": {"i_contains": page}}]}]}
        yield (
            name,
            {
                "custom_event_type": event,
                "rule": json.dumps(rule),
                "pixel": {"id": pixel.id},
                "data_sources": [source],
                "event_source_type": "pixel",
                "retention_days": 0,
                "business": account.values.get("business"),
                "is_unavailable": False,
                **more,
            },
        )


# --- audiences -------------------------------------------------------------------------------


def _bounds(low: int, high: int) -> dict[str, Any]:
    """-1 is unknown: too small, or not counted yet."""
    return {"approximate_count_lower_bound": low, "approximate_count_upper_bound": high}


def _visited(pixel: WorldNode, days: int) -> str:
    sources = [{"type": "pixel", "id": pixel.id}]
    filters = [{"field": "url", "operator": "i_contains", "value": ""}]
    rule = {"event_sources": sources, "retention_seconds": days * 86_400, "filter": filters}
    return json.dumps({"inclusions": {"operator": "or", "rules": [rule] * 6}})


def _audiences(account: WorldNode, pixel: WorldNode) -> Iterator[tuple[str, Mapping[str, Any]]]:
    usual = {"operation_status": NORMAL, "delivery_status": {**NORMAL, "description": "Ready"}}
    visitors = {"subtype": "WEBSITE", "pixel_id": pixel.id, **usual}
    # More people than the ad sets that aim at them reach in a month.
    size = 1000 * (60 + dice(account.id, "audience") % 180)
    yield (
        "Visitors 30d",
        {
            **visitors,
            **_bounds(size - 100, size + 100),
            "rule": _visited(pixel, 30),
            "retention_days": 30,
        },
    )
    yield (
        "Customers",
        {
            **usual,
            **_bounds(-1, -1),
            "subtype": "CUSTOM",
            "customer_file_source": "USER_PROVIDED_ONLY",
            "description": "From the shop, monthly",
            "data_source": {"type": "FILE_IMPORTED", "sub_type": "HASH", "creation_params": "[]"},
            "retention_days": 0,
        },
    )
    yield (
        "Lookalike 1% | Customers",
        {
            **usual,
            **_bounds(size * 9, size * 11),
            "subtype": "LOOKALIKE",
            "lookalike_spec": {
                "type": "custom_ratio",
                "ratio": 0.01,
                "country": (account.about.countries or ("DE",))[0],
                "origin": [{"id": f"{pixel.id}", "name": "Customers", "type": "custom_audience"}],
            },
        },
    )
    yield (
        "Sleep better | 7d",
        {
            **visitors,
            **_bounds(900, 1100),
            "operation_status": FLAGGED,
            "fields_violating_integrity_policy": ["name"],
            "rule": _visited(pixel, 7),
            "retention_days": 7,
            "delete_time": 1_830_000_000,
        },
    )


def _saved_audiences(audiences: Sequence[WorldNode]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    known = [{"id": one.id, "name": one.name} for one in audiences[:1]]
    places = {"geo_locations": {"countries": ["DE", "AT"]}, "age_min": 25, "age_max": 54}
    yield (
        "Outdoor 25-54",
        {
            **_bounds(1_200_000, 1_400_000),
            "targeting": {**places, "interests": [{"id": "6003397496347", "name": "Hiking"}]},
            "operation_status": NORMAL,
            "run_status": "ACTIVE",
        },
    )
    yield (
        "Visitors, no buyers",
        {
            **_bounds(-1, -1),
            "targeting": {**places, "custom_audiences": known},
            "operation_status": NORMAL,
            "run_status": "ACTIVE",
        },
    )


def _rules() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """A filter's value may be a number, a text, a flag or a list."""
    filters = [
        {"field": "spent", "operator": "GREATER_THAN", "value": 10_000},
        {"field": "entity_type", "operator": "EQUAL", "value": "AD"},
        {"field": "time_preset", "operator": "EQUAL", "value": "LAST_3_DAYS"},
        {"field": "effective_status", "operator": "IN", "value": ["ACTIVE", "PENDING_REVIEW"]},
        {"field": "is_advantage", "operator": "EQUAL", "value": False},
    ]
    yield (
        "Pause what costs too much",
        "ENABLED",
        {
            "evaluation_spec": {"evaluation_type": "SCHEDULE", "filters": filters},
            "execution_spec": {"execution_type": "PAUSE"},
            "schedule_spec": {"schedule_type": "SEMI_HOURLY"},
        },
    )
    hours = [{"start_minute": 480, "end_minute": 1080, "days": [1, 2, 3, 4, 5]}]
    yield (
        "Weekdays only",
        "DISABLED",
        {
            "evaluation_spec": {"evaluation_type": "SCHEDULE", "filters": filters[1:2]},
            "execution_spec": {"execution_type": "UNPAUSE"},
            "schedule_spec": {"schedule_type": "CUSTOM", "schedule": hours},
        },
    )
