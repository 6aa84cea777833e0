"""The extent of a query: the objects that get rows, and the number of rows, before any of them
is computed.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, LEVELS
from fbgraph.sandbox.insights.splits import cells
from fbgraph.sandbox.objects.filters import matches, shows_hidden
from fbgraph.sandbox.world.days import periods
from fbgraph.sandbox.world.nodes import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fbgraph.sandbox.insights.query import Query
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Extent", "InsightsRequest", "extent", "subjects"]


class Extent(NamedTuple):
    """How much a query asks for, before anything is computed. `rows` are as many as there can be.

    `statuses` are those of its own level; at the level of accounts there are none.
    """

    days: int
    objects: int
    statuses: int
    rows: int


class InsightsRequest(NamedTuple):
    """An insights call that was read: synchronous, or the creation of a run."""

    query: Query
    extent: Extent
    is_run: bool


def extent(query: Query, node: WorldNode) -> Extent:
    objects = sum(1 for _ in subjects(query, node))
    rows = objects * len(periods(query.since, query.until, query.increment))
    days = (query.until - query.since).days + 1
    parts = 24 if query.hourly else cells(query.splits)
    return Extent(days, objects, _statuses(query), rows * parts)


def _statuses(query: Query) -> int:
    """How many statuses of its own level a query asks for."""
    known = EFFECTIVE_STATUSES.get(query.level, ())
    requested = [
        len(c.value) if c.operator == "IN" else 1
        for c in query.conditions
        if c.name == "effective_status" and c.level in ("", query.level)
    ]
    return min([*requested, len(known)])


def subjects(query: Query, node: WorldNode) -> Iterator[tuple[WorldNode, list[WorldNode]]]:
    """Each object that gets rows, with the ads that count for it.

    A list leaves out archived and deleted objects unless it filters on their status; what they
    delivered still counts for their parents. Source: Object status guide;
    docs/graph-api.md#filters.
    """
    ads = (ad for ad in node.under("ad") if matches(ad, _on_parents(query)))
    below = LEVELS.index(query.level) > LEVELS.index(node.level)
    show = not below or shows_hidden(query.conditions, query.level)
    for subject, of_subject in groupby(ads, key=lambda ad: ad.line[query.level]):
        if (show or subject.effective_status not in HIDDEN) and matches(subject, query.conditions):
            yield subject, list(of_subject)


def _on_parents(query: Query) -> Sequence[Any]:
    """Conditions that name a level; those without one are about the rows' own objects."""
    return [c for c in query.conditions if c.level]
