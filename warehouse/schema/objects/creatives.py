"""Creatives: what an ad shows and where it leads; and the thumbnails of them that are kept."""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import ACCOUNT_ID, UTC
from warehouse.schema.objects.creative_parts import PLACES, derive_creative
from warehouse.schema.objects.links import UTM
from warehouse.schema.objects.object_table import ObjectTable
from warehouse.schema.table import Column, Table

__all__ = ["CREATIVES", "THUMBNAILS", "THUMBNAIL_PIXELS"]

#: Width and height of thumbnails: enough to recognize an ad in a table, at about 30 kB.
THUMBNAIL_PIXELS: Final = 400

_DERIVED: Final = ""  # the field of a column that is made of several

CREATIVES: Final = ObjectTable(
    name="creatives",
    meaning="Creatives, latest state: what ads show and where they lead. Join ads.creative_id.",
    one="a creative",
    edge="adcreatives",
    kind="adcreative",
    columns=(
        Column("creative_id", "id", "Creative", field="id"),
        ACCOUNT_ID,
        Column("creative_name", "text", "Name in the library", field="name"),
        Column("status", "text", "ACTIVE, IN_PROCESS, WITH_ISSUES or DELETED"),
        Column("object_type", "text", "What is advertised: SHARE, VIDEO, PHOTO, …"),
        Column("title", "text", "Title; the first of several", field=_DERIVED),
        Column("body", "text", "Text above or below the picture; the first", field=_DERIVED),
        Column("description", "text", "Text below the title; the first", field=_DERIVED),
        Column("call_to_action", "text", "Button: SHOP_NOW, LEARN_MORE, …", field=_DERIVED),
        Column(
            *("link", "text"),
            "Where a click leads, as the advertiser wrote it, without url_tags; the first",
            field=_DERIVED,
        ),
        Column("landing_page", "text", "link without query and fragment", field=_DERIVED),
        Column("url_tags", "text", "What Meta adds to the link at a click; macros as written"),
        *(
            Column(
                *(name, "text"),
                f"{name} of a click: from url_tags, else from link; decoded, macros as written",
                field=_DERIVED,
            )
            for name in UTM
        ),
        Column("page_id", "id", "Facebook page that the ad speaks for", field=_DERIVED),
        Column("post_id", "id", "Post on that page that is shown as the ad", field=_DERIVED),
        Column("effective_object_story_id", "text", "Both: page and post, page_post"),
        Column("instagram_user_id", "id", "Instagram account that the ad speaks for"),
        Column("effective_instagram_media_id", "id", "Instagram post that is shown as the ad"),
        Column("instagram_permalink_url", "text", "Address of that Instagram post"),
        Column("image_hash", "text", "Image, as in images; the first", field=_DERIVED),
        Column("video_id", "id", "Video, as in videos; the first", field=_DERIVED),
        Column("product_set_id", "id", "Set of products that a catalogue ad shows"),
        Column(
            *("object_story_spec", "json"),
            "The post that the creative is made of, without addresses that expire",
        ),
        Column(
            *("asset_feed_spec", "json"),
            "Texts, pictures and links that Meta chooses from, without addresses that expire; in "
            "long form in creative_assets",
        ),
        Column("degrees_of_freedom_spec", "json", "What Meta may change by itself"),
        Column(
            *("thumbnail_url", "text"),
            f"Picture of {THUMBNAIL_PIXELS} pixels; expires after some days: see thumbnails",
            moves=True,
        ),
        Column("image_url", "text", "Picture in full; expires after some days", moves=True),
    ),
    requested=(
        *(place for places in PLACES.values() for place in places if "." not in place),
        *("object_story_id", "actor_id"),
    ),
    derived=derive_creative,
    thumbnail="thumbnail_url",
    deleted="status",
    is_counted=False,
    parameters=(("thumbnail_width", THUMBNAIL_PIXELS), ("thumbnail_height", THUMBNAIL_PIXELS)),
    mentioned_by=(("ads", "creative_id"),),
    is_optional=True,
    listed_every_days=7,
)

THUMBNAILS: Final = Table(
    "thumbnails",
    ("creative_id",),
    "Thumbnails of creatives that were downloaded, and why others were not.",
    (
        ACCOUNT_ID,
        Column("creative_id", "id", "Creative"),
        Column("path", "text", "File in the lake; the same picture has the same one", field=""),
        Column("sha256", "text", "Hash of its content", "hex", field=""),
        Column("mime", "text", "image/jpeg, image/png, image/gif or image/webp", field=""),
        Column("bytes", "count", "Its size", "bytes", field=""),
        Column("width", "number", "Its width", "pixels", field=""),
        Column("height", "number", "Its height", "pixels", field=""),
        Column("error", "text", "Why it was not downloaded; it is tried again", field=""),
        Column(
            *("attempts", "number"),
            "Attempts in a row that failed; from the third on it is tried once a week",
            field="",
        ),
        Column("fetched_at", "instant", "When it was downloaded or last tried", UTC, field=""),
    ),
    partitions=("account_id",),
)
