"""What campaigns are made of and aimed with: images, videos, conversions, audiences.

Sources: Marketing API v26.0, reference of each object; recorded bodies.
"""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import ACCOUNT_ID, UTC
from warehouse.schema.objects.object_table import ObjectTable
from warehouse.schema.table import Column

__all__ = ["IMAGES"]

_PIXELS: Final = "pixels"

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
        ACCOUNT_ID,
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
    listed_every_days=7,
)
