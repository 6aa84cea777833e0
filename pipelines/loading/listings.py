"""Lists of objects: the campaigns, ads and others of an account. First the requests to Graph, then
how the rows are stored.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fbgraph.catalog.edges import NO_TOTAL_COUNT
from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.errors import (
    ENDS_EVERYTHING,
    CursorError,
    FieldError,
    GraphError,
    StoppedError,
    TotalCountError,
)
from fbgraph.objects.isolating import spoils
from pipelines.loading.refusals import isolation_of, unread_rows, with_refusals
from warehouse.decode.objects import id_of, identity_of
from warehouse.decode.packed import PackedObjects
from warehouse.lake.history import merge_objects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fbgraph import Edge, GraphClient
    from warehouse.decode.pages import Account
    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["Listing", "list_objects", "store_objects"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of one edge, each once, and its `total_count`.

    `rows` are as Graph sent them, including nulls and rows without an id. `total_count` is None if
    the edge does not return it; it counts what the same filter matches. `is_counted`: the
    edge should. `cut`: why the listing ends too early, and where. `has_moved`: pages had other
    counts than the first, so that an object may be missing though there are as many as counted.
    """

    rows: Sequence[object]
    total_count: int | None
    is_counted: bool = True
    cut: str = ""
    has_moved: bool = False

    @property
    def complete(self) -> bool:
        """Whether as many were received as counted. Of an edge that need not count, nobody knows,
        and no count is not a fault.
        """
        uncounted = self.total_count is None and not self.is_counted
        return not self.cut and (uncounted or self.total_count == len(self.rows))

    def __str__(self) -> str:
        counted = "not counted" if self.total_count is None else f"counted {self.total_count}"
        cut = f", and not to the end: {self.cut}" if self.cut else ""
        return f"listed {len(self.rows)}, {counted}{cut}"


def list_objects(client: GraphClient, account_id: str, row: ObjectTable) -> Listing:
    """All objects of an account except deleted ones, which no edge lists
    (docs/graph-api.md#objects).

    The listing is repeated once if it has fewer or more objects than the edge counts, or if that
    count changes from page to page, because objects that change during paging are skipped or
    repeated; and also if its cursor is refused halfway. One that fails halfway for good is `cut`:
    what was read is the listing. Raises the error if that is nothing, and what ends everything.
    """

    edge = client.account(account_id).edge(
        row.edge,
        fields=row.fields,
        effective_status=_statuses(row) or None,
        total_count=row.edge not in NO_TOTAL_COUNT,
        drop_refused=True,
        **dict(row.parameters),
    )
    refused: dict[str, str] = {}
    try:
        listing = _read(edge, row, refused)
    except CursorError:
        return _read(edge, row, refused, is_last=True)
    is_whole = (listing.complete and not listing.has_moved) or listing.total_count is None
    return listing if is_whole or listing.cut else _read(edge, row, refused)


def _statuses(row: ObjectTable) -> Sequence[str]:
    """What must be named so that archived objects are listed too."""
    return [status for status in EFFECTIVE_STATUSES.get(row.kind, ()) if status != "DELETED"]


def _read(
    edge: Edge, of: ObjectTable, refused: dict[str, str], *, is_last: bool = False
) -> Listing:
    """One listing; `is_last`: it is not repeated, whatever happens to its cursor. `refused`: fields
    that Meta refuses, with why; they are left out.
    """
    rows = PackedObjects(partial(identity_of, of))
    counts, last, cut = [], "", ""
    isolation, key = isolation_of(of), of.columns[0].source
    try:
        for page in edge.pages(isolation=isolation, required=(key,), left_out=refused):
            rows.add(with_refusals(of, page.data, isolation, refused))
            last = next((id_ for one in reversed(page.data) if (id_ := id_of(of, one))), last)
            with suppress(TotalCountError):
                counts.append(page.total_count)
    except (*ENDS_EVERYTHING, StoppedError, FieldError):
        raise
    except GraphError as error:
        # Of the first object too: what other objects mention can still be read by id.
        is_worth_it = len(rows) or (spoils(error) and of.mentioned_by)
        if not is_worth_it or (isinstance(error, CursorError) and not is_last):
            raise
        place = f"after {last} " if last else ""
        cut = f"the object {place}(number {len(rows) + 1:,} of the list) fails: {error}"
    rows.add(unread_rows(isolation))
    total_count = counts[-1] if counts else None
    return Listing(rows, total_count, of.is_counted, cut, has_moved=len({*counts}) > 1)


# -- rows into the lake ----------------------------------------------------------------------------


def store_objects(
    lake: Lake, table: str, account: Account, listing: Listing, fetched_at: datetime
) -> Merged:
    """Store an account's objects in the lake; those that are no longer listed stay, and are `gone`
    unless they are known to be deleted. Of a listing that is `cut` nothing is gone.
    """
    whole = not listing.cut
    return merge_objects(lake, table, listing.rows, account, fetched_at, complete=whole)
