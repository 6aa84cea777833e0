"""The parts of creatives in long form: every text, picture, video, link and card of each.

A view over the JSON that `creatives` keeps, and not a table of its own: nothing is stored or
changes twice, a list that Meta adds is in the lake before this file knows it, and DuckDB's JSON
functions, which are built in, return nothing for a shape that they do not expect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME
from warehouse.schema.table import Column, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CREATIVE_ASSETS"]


class _Source(NamedTuple):
    """A list in the JSON of a creative: its column, its place there, and where each entry has what;
    "$" is the entry itself.
    """

    source: str
    kind: str
    column: str
    place: str
    values: Mapping[str, str]


#: What each entry of a feed is about: kind, list, and the column and key of its value.
_OF_FEED: Final[Sequence[tuple[str, str, str, str]]] = (
    ("body", "bodies", "text", "$.text"),
    ("title", "titles", "text", "$.text"),
    ("description", "descriptions", "text", "$.text"),
    ("call_to_action", "call_to_action_types", "text", "$"),
    ("image", "images", "image_hash", "$.hash"),
    ("video", "videos", "video_id", "$.video_id"),
    ("link", "link_urls", "link", "$.website_url"),
)

_CARD: Final = {
    "text": "$.name",
    "description": "$.description",
    "image_hash": "$.image_hash",
    "video_id": "$.video_id",
    "link": "$.link",
}

_LISTS: Final[Sequence[_Source]] = (
    *(
        _Source("asset_feed", kind, "asset_feed_spec", f"$.{name}[*]", {column: key})
        for kind, name, column, key in _OF_FEED
    ),
    *(
        _Source("carousel", "card", "object_story_spec", f"$.{part}.child_attachments[*]", _CARD)
        for part in ("link_data", "template_data")
    ),
)

#: Kinds of what a creative has one of, in a column of its own; the list of a feed with all of them.
_OWN: Final[Mapping[str, tuple[str, str, str]]] = {
    "body": ("body", "text", "bodies"),
    "title": ("title", "text", "titles"),
    "description": ("description", "text", "descriptions"),
    "call_to_action": ("call_to_action", "text", "call_to_action_types"),
    "image": ("image_hash", "image_hash", "images"),
    "video": ("video_id", "video_id", "videos"),
    "link": ("link", "link", "link_urls"),
}

_VALUES: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column("text", "text", "The text; of a card its title"),
        Column("description", "text", "Of a card: the text below its title"),
        Column("image_hash", "text", "Image: hash of its content, as in images"),
        Column("video_id", "text", "Video, as in videos"),
        Column("link", "text", "Where it leads, as the advertiser wrote it"),
    )
}

_COLUMNS: Final = (
    ACCOUNT_ID,
    Column("creative_id", "id", "Creative"),
    Column("kind", "text", "body, title, description, call_to_action, image, video, link or card"),
    Column("position", "count", "1 for the first of its kind and source"),
    *_VALUES.values(),
    Column("labels", "texts", "Ad labels, by which rules choose among the parts"),
    Column(
        *("source", "text"),
        "asset_feed: one of several that Meta chooses from; carousel: a card, all are shown; "
        "creative: the only one, from the column of creatives",
    ),
)


def _selects() -> Iterator[str]:
    for one in _LISTS:
        values = (
            f"json_extract_string(entry, '{one.values[name]}')" if name in one.values else "NULL"
            for name in _VALUES
        )
        yield (
            f"FROM (FROM (FROM creatives SELECT account_id, creative_id, "
            f"json_extract({one.column}, '{one.place}') AS found) "
            "SELECT account_id, creative_id, unnest(found) AS entry, "
            "generate_subscripts(found, 1) AS position) "
            f"SELECT account_id, creative_id, '{one.kind}', position, {', '.join(values)}, "
            f"json_extract_string(entry, '$.adlabels[*].name'), '{one.source}'"
        )
    for kind, (own, column, of_feed) in _OWN.items():
        values = (own if name == column else "NULL" for name in _VALUES)
        yield (
            f"FROM creatives SELECT account_id, creative_id, '{kind}', 1, {', '.join(values)}, "
            f"NULL, 'creative' WHERE {own} IS NOT NULL AND "
            f"coalesce(json_array_length(asset_feed_spec, '$.{of_feed}'), 0) = 0"
        )


CREATIVE_ASSETS: Final = View(
    "creative_assets",
    ("account_id", "creative_id", "source", "kind", "position"),
    "The parts of creatives in long form: every text, picture, video, link and card of each.",
    (*_COLUMNS, ACCOUNT_NAME),
    f"FROM ({' UNION ALL '.join(_selects())}) AS parts({', '.join(c.name for c in _COLUMNS)}) "
    "LEFT JOIN (FROM accounts SELECT account_id, account_name) USING (account_id) "
    f"SELECT {', '.join(c.name for c in (*_COLUMNS, ACCOUNT_NAME))}",
)
