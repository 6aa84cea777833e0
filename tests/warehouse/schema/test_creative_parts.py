"""Where a creative leads and what it says: decisions about bodies as Graph sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warehouse.schema.objects.creative_parts import derive_creative
from warehouse.schema.objects.links import expires_at, is_signed, landing_page, lasting, utm_of
from warehouse.schema.objects.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOP: Final = "https://shop.example/a"
CDN: Final = "https://scontent.xx.fbcdn.net/v/t45/1_n.jpg?stp=dst-emg0&oh=00_A&oe=6B120280"

#: What a creative made from a link has; recorded, ids invented.
LINK: Final[Mapping[str, Any]] = {
    "id": "120240000000000011",
    "object_type": "SHARE",
    "object_story_spec": {
        "page_id": "990001",
        "link_data": {
            "link": f"{SHOP}?utm_source=link&x=1",
            "message": "New",
            "name": "Shoes",
            "description": "Light",
            "image_hash": "0a1b",
            "call_to_action": {"type": "SHOP_NOW", "value": {"link": "https://other.example/"}},
        },
    },
    "effective_object_story_id": "990001_771",
    "url_tags": "utm_source=tags&utm_campaign={{campaign.name}}",
}

VIDEO: Final[Mapping[str, Any]] = {
    "object_story_spec": {
        "page_id": "990001",
        "video_data": {
            "video_id": "55",
            "title": "Watch",
            "message": "Now",
            "link_description": "Short",
            "image_url": CDN,
            "call_to_action": {"type": "LEARN_MORE", "value": {"link": SHOP}},
        },
    },
    "video_id": "99",
}

CARDS: Final[Mapping[str, Any]] = {
    "object_story_spec": {
        "link_data": {
            "child_attachments": [
                {"name": "no link"},
                {"link": f"{SHOP}/1", "image_hash": "c1", "call_to_action": {"type": "BUY_NOW"}},
                {"link": f"{SHOP}/2", "video_id": "7"},
            ]
        }
    }
}

FEED: Final[Mapping[str, Any]] = {
    "object_story_spec": {"page_id": "990001", "instagram_user_id": "1784"},
    "asset_feed_spec": {
        "bodies": [{"text": "B1", "adlabels": [{"id": "1", "name": "l"}]}, {"text": "B2"}],
        "titles": [{"text": "T1"}],
        "descriptions": [{"text": "D1"}],
        "images": [{"hash": "i1", "url": CDN}, {"hash": "i2"}],
        "videos": [{"video_id": "5", "thumbnail_url": CDN}],
        "link_urls": [{"website_url": f"{SHOP}?utm_id=9"}],
        "call_to_action_types": ["SIGN_UP"],
    },
    "title": "any of them",
    "body": "any of them",
}

CATALOG: Final[Mapping[str, Any]] = {
    "object_story_spec": {
        "template_data": {
            "link": "https://shop.example/{{product.retailer_id}}?v={{product.id}}",
            "message": "{{product.name}}",
            "name": "{{product.price}}",
            "call_to_action": {"type": "SHOP_NOW"},
        }
    }
}


def derived(creative: Mapping[str, Any], *columns: str) -> tuple[Any, ...]:
    found = derive_creative(creative)
    return tuple(found.get(column) for column in columns)


def test_link_and_texts_are_found_where_the_kind_of_creative_has_them() -> None:
    columns = ("link", "call_to_action", "title", "body", "description", "image_hash", "video_id")
    product = "https://shop.example/{{product.retailer_id}}?v={{product.id}}"
    cases: list[tuple[Mapping[str, Any], tuple[Any, ...]]] = [
        (LINK, (f"{SHOP}?utm_source=link&x=1", "SHOP_NOW", "Shoes", "New", "Light", "0a1b", None)),
        (VIDEO, (SHOP, "LEARN_MORE", "Watch", "Now", "Short", None, "55")),
        (CARDS, (f"{SHOP}/1", "BUY_NOW", None, None, None, "c1", "7")),
        (FEED, (f"{SHOP}?utm_id=9", "SIGN_UP", "T1", "B1", "D1", "i1", "5")),
        (CATALOG, (product, "SHOP_NOW", "{{product.price}}", "{{product.name}}", None, None, None)),
        (
            {"link_url": SHOP, "call_to_action_type": "CALL_NOW", "title": "T", "body": "B"},
            (SHOP, "CALL_NOW", "T", "B", None, None, None),
        ),
        (
            {"object_story_spec": {"photo_data": {"caption": "P", "image_hash": "h"}}},
            (None, None, None, "P", None, "h", None),
        ),
        (
            {"object_story_spec": {"link_data": {"link": " "}}, "object_url": SHOP},
            (SHOP, None, None, None, None, None, None),
        ),
        ({"id": "1"}, (None,) * 7),
    ]

    assert [derived(creative, *columns) for creative, _ in cases] == [want for _, want in cases]


def test_another_shape_than_expected_has_no_value_and_costs_nothing_else() -> None:
    odd: list[Mapping[str, Any]] = [
        {"object_story_spec": "text", "link_url": SHOP},
        {
            "object_story_spec": [],
            "asset_feed_spec": {"link_urls": {"website_url": "x"}},
            "link_url": SHOP,
        },
        {"object_story_spec": {"link_data": [{"link": "x"}]}, "link_url": SHOP},
        {
            "object_story_spec": {"link_data": {"link": {"a": 1}, "child_attachments": [None, 3]}},
            "link_url": SHOP,
            "url_tags": ["utm_source=x"],
            "effective_object_story_id": 5,
        },
        {"object_story_spec": {"link_data": {"link": True}}, "link_url": SHOP},
    ]

    assert [derived(one, "link", "landing_page", "utm_source", "post_id") for one in odd] == [
        (SHOP, SHOP, None, None)
    ] * len(odd)


def test_utm_parameters_come_from_tags_then_link_as_they_are_written() -> None:
    cases = [
        # Meta: url_tags "will replace or be appended to" the link's parameters.
        (f"{SHOP}?utm_source=a&utm_term=t", "utm_source=b", {"utm_source": "b", "utm_term": "t"}),
        (f"{SHOP}?x=1", "utm_campaign={{campaign.name}}", {"utm_campaign": "{{campaign.name}}"}),
        (SHOP, "utm_campaign=%7B%7Bad.id%7D%7D", {"utm_campaign": "{{ad.id}}"}),
        (
            SHOP,
            "?utm_source=fb&utm_medium=paid+social%26more",
            {"utm_source": "fb", "utm_medium": "paid social&more"},
        ),
        (SHOP, "utm_content=gr%C3%BC%C3%9Fe%20%F0%9F%91%8B", {"utm_content": "grüße 👋"}),
        (SHOP, "utm_source=a&utm_source=b", {"utm_source": "a"}),
        (f"{SHOP}?utm_source=a", "utm_source=", {"utm_source": "a"}),
        (f"{SHOP}?UTM_SOURCE=a&amp;utm_medium=b&utm_sourcex=c", "", {}),
        (f"{SHOP}#top?utm_source=a", "", {}),
        (f"{SHOP}?a=b?utm_source=c&utm_id=7#x", "", {"utm_id": "7"}),
        (
            "http://[broken?utm_source=a",
            "%&%zz=&=&&;utm_id=1&utm_id=%ff",
            {"utm_source": "a", "utm_id": "\ufffd"},
        ),
        ("utm_source=not-a-query", "", {}),
        ("", "", {}),
    ]

    assert [utm_of(link, tags) for link, tags, _ in cases] == [want for *_, want in cases]


def test_a_landing_page_is_the_link_without_query_and_fragment() -> None:
    cases = {
        f"{SHOP}?a=b#c": SHOP,
        f"{SHOP}/#/route?a": f"{SHOP}/",
        "https://shop.example": "https://shop.example",
        "http://[broken?x": "http://[broken",
        "fb.me/xyz": "fb.me/xyz",
        "?a=b": None,
        "": None,
    }

    assert {link: landing_page(link) for link in cases} == cases


def test_page_and_post_come_from_the_story_or_else_the_spec_or_the_actor() -> None:
    cases: list[tuple[Mapping[str, Any], tuple[str | None, str | None]]] = [
        (LINK, ("990001", "771")),
        ({"object_story_id": "5_6"}, ("5", "6")),
        ({"effective_object_story_id": "x_6", "object_story_id": "5_6"}, ("5", "6")),
        (VIDEO, ("990001", None)),
        ({"actor_id": "44"}, ("44", None)),
        ({"effective_object_story_id": "12"}, (None, None)),
    ]

    assert [derived(one, "page_id", "post_id") for one, _ in cases] == [want for _, want in cases]


def test_addresses_that_expire_are_not_kept_and_nothing_else_is_lost() -> None:
    picture = {"picture": "https://own.example/p.png?oe=", "link": CDN, "name": "n"}
    kept = lasting(
        {
            **FEED,
            "object_story_spec": {
                "video_data": {**VIDEO["object_story_spec"]["video_data"]},
                "link_data": {"child_attachments": [picture, {"picture": CDN}]},
            },
            "deep": [[{"any_name": [CDN, SHOP]}]],
        }
    )

    assert kept["asset_feed_spec"]["images"] == [{"hash": "i1"}, {"hash": "i2"}]
    assert kept["asset_feed_spec"]["videos"] == [{"video_id": "5"}]
    assert kept["asset_feed_spec"]["bodies"] == FEED["asset_feed_spec"]["bodies"]
    assert "image_url" not in kept["object_story_spec"]["video_data"]
    # A link is an advertiser's own, whatever parameters it has; so is a picture without expiry.
    assert kept["object_story_spec"]["link_data"]["child_attachments"] == [picture, {}]
    assert kept["deep"] == [[{"any_name": [SHOP]}]]


def test_what_may_be_in_a_field_that_meta_refuses_is_unknown() -> None:
    why = Refused("(#100) Invalid parameter")
    found = derive_creative(
        {
            "object_story_spec": why,
            "title": "T",
            "url_tags": "utm_source=fb",
            "effective_object_story_id": "1_2",
        }
    )

    assert {key: found.get(key) for key in ("page_id", "post_id", "utm_source")} == {
        "page_id": "1",
        "post_id": "2",
        "utm_source": "fb",
    }
    assert {key for key, value in found.items() if value is why} == {
        "link",
        "landing_page",
        "call_to_action",
        "title",
        "body",
        "description",
        "image_hash",
        "video_id",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_term",
        "utm_id",
    }


def test_an_address_that_expires_says_when() -> None:
    cases = {
        CDN: 0x6B120280,
        f"{SHOP}?oex=1": None,
        f"{SHOP}?oe=": None,
        "data:,?oe=6B120280": None,
    }

    assert {address: expires_at(address) for address in cases} == cases
    assert [one for one in (*cases, f"{SHOP}?oe=6B120280", 7, None) if is_signed(one)] == [CDN]
