"""How much Meta takes on one page: fewer rows where a request has costly fields.

Meta publishes no figures; these are of the size at which open connectors were refused (airbyte
#38025, rfacebookstat #26).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.protocol.expansion import RequestedField

__all__ = ["check_weight"]

#: field → how often it counts.
WEIGHTS: Final[Mapping[str, int]] = {
    "object_story_spec": 4,
    "asset_feed_spec": 4,
    "degrees_of_freedom_spec": 2,
    "rule": 5,
    "code": 2,
    "config": 1,
    "embed_html": 1,
    "format": 5,
}

#: Rows times weight that one page may have. Without costly fields there is no limit.
MOST_WEIGHT: Final = 600


def check_weight(rows: int, fields: Sequence[RequestedField]) -> None:
    """Refuse a page of too many rows for its fields, nested ones included."""
    weight = _weight(fields)
    if weight and rows > 1 and rows * weight > MOST_WEIGHT:
        raise refused("reduce_data")


def _weight(fields: Sequence[RequestedField]) -> int:
    return sum(WEIGHTS.get(field.name, 0) + _weight(field.inner) for field in fields)
