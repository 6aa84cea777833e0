"""Loads accounts and their objects from Graph into the lake: by listings and, for what those hide,
by id.

Edges never list what is deleted (docs/graph-api.md#objects); insights mention it all the same, and
by its id it can still be read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from fbgraph.errors import ENDS_EVERYTHING, GraphError
from pipelines.loading.failures import Failures
from pipelines.loading.listings import LEVEL_OF, accounts_in, list_objects, store_objects
from pipelines.loading.loader import threads
from warehouse.decode.objects import Unreadable
from warehouse.errors import WarehouseError
from warehouse.lake.history import merge_objects, missing_ids
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from fbgraph import GraphClient
    from pipelines.loading.listings import Listing
    from pipelines.loading.partitions import AccountDay
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake

__all__ = ["Listed", "MentionedObjects", "load_mentioned", "load_objects"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """The result of listing one table of one account: its `listing`, or the `error` that kept the
    old one.

    `by_id`: objects that a former listing had and this one has not, and that were read by id.
    `unreadable`: what of them could not be read.
    """

    table: str
    account_id: str
    listing: Listing | None = None
    by_id: int = 0
    unreadable: Unreadable = field(default_factory=Unreadable)
    error: str = ""


@dataclass(frozen=True, slots=True)
class MentionedObjects:
    """Objects that insights mention: how many were read by id, and table → ids that do not
    exist.
    """

    by_id: int = 0
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    error: str = ""


def load_objects(
    client: GraphClient,
    lake: Lake,
    tables: Iterable[str],
    account_ids: Iterable[str],
    now: Callable[[], datetime],
) -> Sequence[Listed]:
    """List the objects of accounts (digits), several at a time, each succeeding by itself. Raises
    what ends everything: TokenError, BlockedError.
    """
    accounts = accounts_in(lake)

    def one(table: str, account_id: str) -> Listed:
        account = accounts.get(account_id)
        if account is None:
            return Listed(table, account_id, error="the token does not see this account")
        try:
            return _list(client, lake, table, account, now)
        except ENDS_EVERYTHING:
            raise
        except (GraphError, WarehouseError, OSError) as error:
            return Listed(table, account_id, error=str(error))

    wanted = [(table, account_id) for account_id in account_ids for table in tables]
    with threads(client) as pool:
        found = list(pool.map(lambda pair: one(*pair), wanted))
    for table in {table for table, _ in wanted}:
        errors = {one.account_id: one.error for one in found if one.table == table}
        Failures(lake.store, table).note_whole(errors, now())
    return found


def load_mentioned(
    client: GraphClient,
    lake: Lake,
    account_days: Iterable[AccountDay],
    now: Callable[[], datetime],
) -> Mapping[str, MentionedObjects]:
    """Load the objects that insights of these account-days mention and the lake does not have.

    An account whose objects were never listed is listed first; what is missing then is deleted, and
    read by id. Returns what was found by account (digits). Raises what ends everything.
    """
    accounts = accounts_in(lake)

    def one(account_id: str, cells: Sequence[AccountDay]) -> MentionedObjects:
        account, days = accounts[account_id], [cell.day for cell in cells]
        by_id = 0
        try:
            for table in LEVEL_OF:
                if not lake.partitions(table, account_id):
                    _list(client, lake, table, account, now)
                    Failures(lake.store, table).note_whole({account_id: ""}, now())
            for table, ids in missing_ids(lake, account_id, days).items():
                by_id += _fetch(client, lake, table, account, ids, now).found
            left = {k: ids for k, ids in missing_ids(lake, account_id, days).items() if ids}
            return MentionedObjects(by_id, left)
        except ENDS_EVERYTHING:
            raise
        except (GraphError, WarehouseError, OSError) as error:
            return MentionedObjects(by_id, error=str(error))

    ordered = sorted(cell for cell in account_days if cell.account_id in accounts)
    of_account = {
        account_id: list(cells)
        for account_id, cells in groupby(ordered, key=lambda cell: cell.account_id)
    }
    with threads(client) as pool:
        return dict(
            zip(of_account, pool.map(lambda item: one(*item), of_account.items()), strict=True)
        )


class _ById(NamedTuple):
    """Objects that were read by id: how many were found, and what of them could not be read."""

    found: int
    unreadable: Unreadable


def _list(
    client: GraphClient, lake: Lake, table: str, account: Account, now: Callable[[], datetime]
) -> Listed:
    listing = list_objects(client, account.account_id, table)
    merged = store_objects(lake, table, account, listing, now())
    by_id = _fetch(client, lake, table, account, merged.gone, now)
    if not listing.complete:
        _log.warning("%s of act_%s: %s", table, account.account_id, listing)
    unreadable = merged.unreadable + by_id.unreadable
    if unreadable:
        _log.warning("%s of act_%s: %s", table, account.account_id, unreadable)
    return Listed(table, account.account_id, listing, by_id.found, unreadable)


def _fetch(  # noqa: PLR0913, PLR0917  # what, whose, from where and to where
    client: GraphClient,
    lake: Lake,
    table: str,
    account: Account,
    ids: Sequence[str],
    now: Callable[[], datetime],
) -> _ById:
    """Read objects by id, up to 50 in one call, into the lake."""
    kind, fields = LEVEL_OF[table], TABLES[table].fields
    nodes = [client.node(i, kind=kind, account_id=account.account_id) for i in ids]
    responses = client.batch([node.request(fields=fields) for node in nodes])
    rows = [response for response in responses if isinstance(response, Mapping)]
    unreadable = Unreadable()
    if rows:
        merged = merge_objects(lake, table, rows, account, now(), complete=False)
        unreadable = merged.unreadable
    for node_id, response in zip(ids, responses, strict=True):
        if not isinstance(response, Mapping):
            _log.info("%s %s of act_%s: %s", kind, node_id, account.account_id, response)
    return _ById(len(rows), unreadable)
