"""Lists of objects: the campaigns, ads and others of an account. First the requests to Graph, then
how the rows are stored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fbgraph.catalog.edges import NO_TOTAL_COUNT
from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.errors import (
    CursorError,
    FieldError,
    TotalCountError,
)
from fbgraph.http.filtering import refused_fields
from fbgraph.objects.isolating import Isolation, spoils
from warehouse.decode.objects import id_of
from warehouse.decode.packed import PackedObjects
from warehouse.lake.history import merge_objects
from warehouse.schema.objects.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fbgraph import Edge, GraphClient
    from fbgraph.http.paging import Row
    from warehouse.decode.pages import Account
    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["Listing", "list_objects", "marked", "read_by_id", "refused_by", "store_objects"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of one edge, each once, and its `total_count`.

    `rows` are as Graph sent them, including nulls and rows without an id. `total_count` is None if
    the edge does not return it; it counts what the same filter matches. `is_counted`: the
    edge should.
    """

    rows: Sequence[object]
    total_count: int | None
    is_counted: bool = True

    @property
    def complete(self) -> bool:
        """Whether as many were received as counted. Of an edge that need not count, nobody knows,
        and no count is not a fault.
        """
        uncounted = self.total_count is None and not self.is_counted
        return uncounted or self.total_count == len(self.rows)

    def __str__(self) -> str:
        counted = "not counted" if self.total_count is None else f"counted {self.total_count}"
        return f"listed {len(self.rows)}, {counted}"


def list_objects(client: GraphClient, account_id: str, row: ObjectTable) -> Listing:
    """All objects of an account except deleted ones, which no edge lists
    (docs/graph-api.md#objects).

    The listing is repeated once if it has fewer or more objects than the edge counts, because
    objects that change during paging are skipped or repeated; and also if its cursor is refused
    halfway.
    """

    def once(refused: Mapping[str, str]) -> Listing:
        edge = client.account(account_id).edge(
            row.edge,
            fields=row.without(refused),
            effective_status=_statuses(row) or None,
            total_count=row.edge not in NO_TOTAL_COUNT,
            **dict(row.parameters),
        )
        try:
            listing = _read(edge, row, refused)
        except CursorError:
            return _read(edge, row, refused)
        is_whole = listing.complete or listing.total_count is None
        return listing if is_whole else _read(edge, row, refused)

    refused: dict[str, str] = {}
    while True:
        try:
            return once(refused)
        except FieldError as error:
            refused |= refused_by(row, error, refused)


def refused_by(row: ObjectTable, error: FieldError, known: Mapping[str, str]) -> dict[str, str]:
    """The fields of an object that Meta has refused, with its reason: gone in this version, or not
    for this account. Raises the error if it is about none, or about the key.
    """
    found = refused_fields(error, row.without(known), row.kind)
    if not found or row.columns[0].source in found:
        raise error
    _log.warning("%s: left out %s: %s", row.name, ", ".join(found), error)
    return dict.fromkeys(found, str(error))


def _statuses(row: ObjectTable) -> Sequence[str]:
    """What must be named so that archived objects are listed too."""
    return [status for status in EFFECTIVE_STATUSES.get(row.kind, ()) if status != "DELETED"]


def _read(edge: Edge, of: ObjectTable, refused: Mapping[str, str]) -> Listing:
    rows = PackedObjects(partial(id_of, of))
    total_count = None
    isolation = Isolation(of.fragile)
    for page in edge.pages(isolation=isolation if of.fragile else None):
        rows.add(_with_refusals(of, page.data, isolation, refused))
        with suppress(TotalCountError):
            total_count = page.total_count
    rows.add(_unread_rows(of, isolation))
    return Listing(rows, total_count, of.is_counted)


# -- objects that Graph refuses, in part or as a whole ---------------------------------------------


def read_by_id(
    client: GraphClient, row: ObjectTable, account: Account, ids: Sequence[str]
) -> Sequence[object]:
    """What Graph returns for each id, up to 50 in one request: its JSON, or the error."""
    found, refused = _read_batch(client, row, account, ids)
    spoiled = {key: error for key, error in found.items() if row.fragile and spoils(error)}
    if spoiled:
        left = row.without({*row.fragile, *refused})
        again = _batch(client, row, account, [*spoiled], left)
        for (key, error), response in zip(spoiled.items(), again, strict=True):
            if isinstance(response, Mapping):
                found[key] = _without(row, response, str(error))
            elif spoils(response):
                found[key] = _unread(row, key, str(response))
            else:
                found[key] = response
    return marked([*found.values()], refused)


def marked(rows: Sequence[object], refused: Mapping[str, str]) -> Sequence[object]:
    """Rows, with fields that Meta refuses of all objects."""
    of_all = {name: Refused(why) for name, why in refused.items()}
    return [{**one, **of_all} if isinstance(one, Mapping) else one for one in rows]


def _read_batch(
    client: GraphClient, row: ObjectTable, account: Account, ids: Sequence[str]
) -> tuple[dict[str, object], Mapping[str, str]]:
    """What Graph returns for each id, and the fields that it refuses of all, with why."""
    refused: dict[str, str] = {}
    while True:
        answers = _batch(client, row, account, ids, row.without(refused))
        found = dict(zip(ids, answers, strict=True))
        errors = (one for one in found.values() if isinstance(one, FieldError))
        if (error := next(errors, None)) is None:
            return found, refused
        refused |= refused_by(row, error, refused)


def _with_refusals(
    row: ObjectTable, rows: Sequence[object], isolation: Isolation, refused: Mapping[str, str]
) -> Sequence[object]:
    """Rows of a listing, with what was refused of all and of some."""
    if not (isolation.without or refused):
        return rows
    return [
        _with_refusal(row, one, isolation) if isinstance(one, Mapping) else one
        for one in marked(rows, refused)
    ]


def _with_refusal(row: ObjectTable, one: Row, isolation: Isolation) -> Row:
    why = isolation.without.get(str(one.get("id")))
    return one if why is None else _without(row, one, why)


def _unread_rows(row: ObjectTable, isolation: Isolation) -> Sequence[object]:
    """Objects of a listing of which only the id could be read."""
    return [_unread(row, key, why) for key, why in isolation.unread.items()]


def _batch(
    client: GraphClient,
    row: ObjectTable,
    account: Account,
    ids: Sequence[str],
    fields: Sequence[str],
) -> Sequence[object]:
    nodes = [client.node(one, kind=row.kind, account_id=account.account_id) for one in ids]
    return client.batch([node.request(fields=fields, **dict(row.parameters)) for node in nodes])


def _without(row: ObjectTable, found: Mapping[str, Any], why: str) -> Mapping[str, Any]:
    return {**found, **dict.fromkeys(row.fragile, Refused(why))}


def _unread(row: ObjectTable, key: str, why: str) -> Mapping[str, Any]:
    """An object of which only the id is known: it keeps the row that it has."""
    return {row.columns[0].source: key, "account_id": Refused(why)}


# -- rows into the lake ----------------------------------------------------------------------------


def store_objects(
    lake: Lake, table: str, account: Account, listing: Listing, fetched_at: datetime
) -> Merged:
    """Store an account's objects in the lake; those that are no longer listed stay, and are `gone`
    unless they are known to be deleted.
    """
    return merge_objects(lake, table, listing.rows, account, fetched_at, complete=True)
