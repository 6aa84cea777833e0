"""What campaigns are made of and aimed with: images, videos, conversions, audiences.

Sources: Marketing API v26.0, reference of each object; recorded bodies.
"""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import UTC
from warehouse.schema.objects.object_table import LISTED_BY, MOVING, ObjectTable
from warehouse.schema.table import Column

__all__ = ["CUSTOM_AUDIENCES", "CUSTOM_CONVERSIONS", "IMAGES", "VIDEOS"]

_PIXELS: Final = "pixels"

#: All of these change slowly, and there may be many: refreshes list them once a week.
_WEEKLY: Final = 7

_OWNER: Final = Column(
    "owner_account_id", "id", "Ad account that it belongs to, if Meta says so", field="account_id"
)
_ARCHIVED: Final = Column("is_archived", "bool", "Whether it is archived")
_UNAVAILABLE: Final = Column("is_unavailable", "bool", "Whether Meta has restricted its use")
_DESCRIPTION: Final = Column("description", "text", "Description, for people")

IMAGES: Final = ObjectTable(
    name="images",
    meaning="Images in the library of an account, latest state.",
    one="an image",
    edge="adimages",
    kind="adimage",
    # An image is known by its hash within its account; its id at Graph is "account:hash".
    grain=("account_id", "image_hash"),
    columns=(
        Column("image_hash", "text", "Image: hash of its content", field="hash"),
        LISTED_BY,
        Column("image_name", "text", "Name in the library", field="name"),
        Column("status", "text", "ACTIVE, INTERNAL or DELETED"),
        Column("width", "number", "Width", _PIXELS),
        Column("height", "number", "Height", _PIXELS),
        Column("original_width", "number", "Width as uploaded", _PIXELS),
        Column("original_height", "number", "Height as uploaded", _PIXELS),
        Column("permalink_url", "text", "Permanent address of the image, for those who may see it"),
        Column("created_time", "timestamp", "When it was uploaded", UTC),
        Column("updated_time", "timestamp", "When it was last changed", UTC),
    ),
    deleted="status",
    is_read_by_id=False,
    is_optional=True,
    listed_every_days=_WEEKLY,
)

VIDEOS: Final = ObjectTable(
    name="videos",
    meaning="Videos in the library of an account, latest state.",
    one="a video",
    edge="advideos",
    kind="advideo",
    grain=("account_id", "video_id"),
    columns=(
        Column("video_id", "id", "Video", field="id"),
        LISTED_BY,
        Column("video_title", "text", "Title", field="title"),
        _DESCRIPTION,
        Column(
            *("status", "text", "ready, processing, expired or error"), field="status.video_status"
        ),
        Column("length", "decimal", "Length", "seconds"),
        Column("published", "bool", "Whether it is published"),
        Column("embeddable", "bool", "Whether it may be embedded elsewhere"),
        Column("permalink_url", "text", "Permanent address, without the host"),
        Column("picture", "text", "Address of a thumbnail; it expires in some days", moves=True),
        Column("views", "count", "Views of the video, everywhere; NULL if Meta does not say"),
        Column("post_id", "id", "Post that it is in"),
        Column("created_time", "timestamp", "When it was uploaded", UTC),
        Column("updated_time", "timestamp", "When it was last changed", UTC),
    ),
    moving=MOVING | {"views"},
    deleted="",
    is_optional=True,
    listed_every_days=_WEEKLY,
)

CUSTOM_CONVERSIONS: Final = ObjectTable(
    name="custom_conversions",
    meaning="Custom conversions of an account, latest state. Their actions in insights are called "
    "offsite_conversion.custom.<custom_conversion_id>.",
    one="a custom conversion",
    edge="customconversions",
    kind="customconversion",
    grain=("account_id", "custom_conversion_id"),
    columns=(
        Column("custom_conversion_id", "id", "Custom conversion", field="id"),
        LISTED_BY,
        _OWNER,
        Column("custom_conversion_name", "text", "Name of it now", field="name"),
        _DESCRIPTION,
        Column("custom_event_type", "text", "Standard event that it counts as, such as PURCHASE"),
        Column("rule", "text", "Which events count, as JSON"),
        Column("aggregation_rule", "text", "How several events count as one, as JSON"),
        Column(
            *("default_conversion_value", "decimal"),
            "Value of one, as Meta sends it; its unit is not documented",
        ),
        Column("event_source_type", "text", "Where events come from, such as pixel"),
        Column("pixel_id", "id", "Pixel that sends the events", field="pixel.id"),
        Column("data_sources", "json", "All sources of events: id, name, source_type"),
        Column("retention_days", "number", "Days that a person counts for; 0: not limited", "days"),
        _ARCHIVED,
        _UNAVAILABLE,
        Column("creation_time", "timestamp", "When it was created", UTC),
        Column("first_fired_time", "timestamp", "When it first happened; NULL if never", UTC),
        Column("last_fired_time", "timestamp", "When it last happened; NULL if never", UTC),
    ),
    moving=MOVING | {"last_fired_time"},
    deleted="",
    is_counted=False,
    is_optional=True,
    listed_every_days=_WEEKLY,
)

CUSTOM_AUDIENCES: Final = ObjectTable(
    name="custom_audiences",
    meaning="Custom and lookalike audiences of an account, latest state. Meta never tells who is "
    "in one.",
    one="a custom audience",
    edge="customaudiences",
    kind="customaudience",
    grain=("account_id", "custom_audience_id"),
    columns=(
        Column("custom_audience_id", "id", "Custom audience", field="id"),
        LISTED_BY,
        _OWNER,
        Column("custom_audience_name", "text", "Name of it now", field="name"),
        _DESCRIPTION,
        Column("subtype", "text", "Kind of audience: WEBSITE, CUSTOM, LOOKALIKE, ENGAGEMENT, …"),
        Column(
            *("approximate_count_lower_bound", "size"),
            "People in it at least, rounded; NULL if Meta does not know",
            "people",
        ),
        Column(
            *("approximate_count_upper_bound", "size"),
            "People in it at most, rounded; NULL if Meta does not know",
            "people",
        ),
        Column(
            *("operation_status", "number"),
            "Code of its state: 200 normal, 471 restricted by Meta, …",
            field="operation_status.code",
        ),
        Column(
            *("delivery_status", "number"),
            "Code of whether ads can use it: 200 ready, 300 too small, …",
            field="delivery_status.code",
        ),
        Column("pixel_id", "id", "Pixel whose visitors are in it"),
        Column(
            "retention_days", "number", "Days that a person stays in it; 0: not limited", "days"
        ),
        Column("rule", "text", "Who is in it, as JSON"),
        Column("lookalike_spec", "json", "What a lookalike is like: origin, ratio, country"),
        Column("lookalike_audience_ids", "texts", "Lookalikes that are made from it"),
        Column("data_source", "json", "Where a list of people came from"),
        Column("customer_file_source", "text", "Who collected the people of a list"),
        Column("is_value_based", "bool", "Whether people in it have values"),
        Column("time_created", "epoch", "When it was created", UTC),
        Column("time_updated", "epoch", "When it was last changed", UTC),
        Column("time_content_updated", "epoch", "When people were last added or removed", UTC),
        Column("delete_time", "epoch", "When Meta will delete it, if that is planned", UTC),
    ),
    moving=MOVING
    | {
        *("approximate_count_lower_bound", "approximate_count_upper_bound"),
        *("time_updated", "time_content_updated"),
    },
    deleted="",
    is_counted=False,
    is_optional=True,
    listed_every_days=_WEEKLY,
)
