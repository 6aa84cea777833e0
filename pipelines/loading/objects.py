"""Loads accounts and their objects from Graph into the lake: by listings and, for what those hide,
by id.

Edges never list what is deleted (docs/graph-api.md#objects); insights mention it all the same, and
by its id it can still be read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from fbgraph.errors import (
    ENDS_EVERYTHING,
    GraphError,
    PermissionDeniedError,
    RetryableError,
    ThrottledError,
)
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.events.activities import load_activities
from pipelines.loading.failures import Failures
from pipelines.loading.listings import Listing, list_objects, store_objects
from pipelines.loading.loader import threads
from pipelines.loading.media.bounds import PICTURES_SECONDS, RunBounds
from pipelines.loading.media.keeping import Pictures, keep_thumbnails
from pipelines.loading.refusals import read_by_id
from warehouse.decode.objects import Unreadable
from warehouse.errors import WarehouseError
from warehouse.lake.history import (
    mentioned_ids,
    merge_objects,
    missing_ids,
    missing_objects,
)
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from fbgraph import GraphClient
    from fbgraph.http.request import Request
    from pipelines.loading.partitions import AccountDay
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = [
    "Listed",
    "MentionedObjects",
    "is_due",
    "keep_pictures",
    "load_mentioned",
    "load_new",
    "load_objects",
]

Of = TypeVar("Of")

_log = logging.getLogger(__name__)

_NOT_SEEN: Final = "the token does not see this account"


@dataclass(frozen=True, slots=True)
class Listed:
    """The result of listing one table of one account: its `listing`, or the `error` that kept the
    old one or, with a listing too, ended that halfway, or why it was `skipped`: the token lacks a
    right that nothing else needs.

    `by_id`: objects that a former listing had and this one has not, or that are new between two
    listings, and that were read by id. `unreadable`: what of them could not be read.
    """

    table: str
    account_id: str
    listing: Listing | None = None
    by_id: int = 0
    unreadable: Unreadable = field(default_factory=Unreadable)
    error: str = ""
    skipped: str = ""


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
    what ends everything.
    """
    rows = [lake.catalog.objects_named(table) for table in tables]
    return _each(client, lake, rows, account_ids, now, _list)


def load_new(
    client: GraphClient,
    lake: Lake,
    row: ObjectTable,
    account_ids: Iterable[str],
    now: Callable[[], datetime],
) -> Sequence[Listed]:
    """Read by id what other objects mention and no listing had. Returns the accounts that had
    such objects. Raises what ends everything.
    """
    found = {
        account_id: ids for account_id in account_ids if (ids := _mentioned(lake, row, account_id))
    }

    def read(
        client: GraphClient,
        lake: Lake,
        row: ObjectTable,
        account: Account,
        now: Callable[[], datetime],
    ) -> Listed:
        by_id = _fetch(client, lake, row, account, found[account.account_id], now)
        return Listed(row.name, account.account_id, by_id=by_id.found, unreadable=by_id.unreadable)

    return _each(client, lake, [row], found, now, read)


def keep_pictures(  # noqa: PLR0913  # what, whose, from where, to where, for how long
    client: GraphClient,
    lake: Lake,
    account_ids: Sequence[str],
    now: Callable[[], datetime],
    tables: Collection[str] = (),
    *,
    seconds: float = PICTURES_SECONDS,
) -> Mapping[str, Pictures]:
    """Download the pictures of accounts (digits) that the lake lacks, of all `tables` of objects
    unless some are named; what was done, by account. It comes last in a run, and takes `seconds`
    at most: what is left comes with the next run. Raises what ends everything.
    """
    bounds = RunBounds(client.clock, client.stopped.is_set, seconds)
    done: dict[str, Pictures] = {}
    accounts = accounts_in(lake)
    for row in lake.catalog.listed:
        if row.thumbnail and (not tables or row.name in tables):

            def read(
                account_id: str, ids: Sequence[str], seconds: float, row: ObjectTable = row
            ) -> str:
                account = accounts.get(account_id)
                return _read_again(client, lake, row, account, ids, now, seconds)

            done |= keep_thumbnails(
                *(client.base_url, lake, row, account_ids, now), read_again=read, bounds=bounds
            )
    return done


def _read_again(  # noqa: PLR0913, PLR0917  # what, whose, from where, to where, for how long
    client: GraphClient,
    lake: Lake,
    row: ObjectTable,
    account: Account | None,
    ids: Sequence[str],
    now: Callable[[], datetime],
    seconds: float,
) -> str:
    """Read objects that the lake has by id once more, for an address that has expired. "", or why
    it could not be done. Raises what ends everything.

    Nothing is tried twice and no limit is waited for: it may as well be done by the next run.
    """
    if account is None:
        return _NOT_SEEN
    until = client.clock() + seconds

    def send(requests: Sequence[Request]) -> Sequence[object]:
        left = until - client.clock()
        if left <= 0:
            return [RetryableError("There was no time left.") for _ in requests]
        if any(client.cooldown_of(one) for one in requests):
            return [ThrottledError("A limit is used up.") for _ in requests]
        return client.batch_once(requests, seconds=left)

    def read() -> str:
        responses = read_by_id(client, row, account, ids, send)
        _store_by_id(lake, row, account, dict(zip(ids, responses, strict=True)), now)
        failed = [one for one in responses if isinstance(one, GraphError)]
        return str(failed[0]) if len(failed) == len(responses) else ""

    return str(_tried(read))


def _tried(load: Callable[[], Of]) -> Of | Exception:
    """What a load returns, or the error that costs it alone. Raises what ends everything."""
    try:
        return load()
    except ENDS_EVERYTHING:
        raise
    except (GraphError, WarehouseError, OSError) as error:
        return error


def _mentioned(lake: Lake, row: ObjectTable, account_id: str) -> Sequence[str]:
    try:
        return missing_objects(lake, row, account_id)
    except (WarehouseError, OSError):  # a file that cannot be read: its own listing reports that
        return ()


def _each(  # noqa: PLR0913, PLR0917  # what, whose, from where and to where
    client: GraphClient,
    lake: Lake,
    rows: Sequence[ObjectTable],
    account_ids: Iterable[str],
    now: Callable[[], datetime],
    load: Callable[[GraphClient, Lake, ObjectTable, Account, Callable[[], datetime]], Listed],
) -> Sequence[Listed]:
    """Load each table of each account by itself, and record what failed."""
    accounts = accounts_in(lake)

    def one(row: ObjectTable, account_id: str) -> Listed:
        account = accounts.get(account_id)
        if account is None:
            return Listed(row.name, account_id, error=_NOT_SEEN)
        found = _tried(lambda: load(client, lake, row, account, now))
        if not isinstance(found, Exception):
            return found
        if row.is_optional and isinstance(found, PermissionDeniedError):
            return Listed(row.name, account_id, skipped=str(found))
        return Listed(row.name, account_id, error=str(found))

    wanted = [(row, account_id) for account_id in account_ids for row in rows]
    with threads(client) as pool:
        found = list(pool.map(lambda pair: one(*pair), wanted))
    for row in rows:
        _note(lake, row, [one for one in found if one.table == row.name], now())
    return found


def _note(lake: Lake, row: ObjectTable, found: Sequence[Listed], now: datetime) -> None:
    """Record what failed of a table, and warn of what the token may not list."""
    why = {one.account_id: one.error or one.skipped for one in found}
    skipped = [one for one in found if one.skipped]
    Failures(lake.store, row.name).note_whole(why, now, {one.account_id for one in skipped})
    if skipped:
        _log.warning(
            "%s: the token may not list them for %s; everything else is loaded. First: act_%s: %s",
            *(row.name, counted(len(skipped), "account"), skipped[0].account_id),
            skipped[0].skipped,
        )


def is_due(row: ObjectTable, account_id: str, listed_at: datetime | None, now: datetime) -> bool:
    """Whether a refresh lists a table of an account that was last listed at an instant. No I/O.

    Of seven days each account has its own, so that not all of them are listed on the same one.
    """
    if listed_at is None or row.listed_every_days <= 1:
        return True
    today = now.astimezone(UTC).date()
    since = (today.toordinal() + int(account_id)) % row.listed_every_days
    return listed_at.astimezone(UTC).date() < today - timedelta(days=since)


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

        def load() -> MentionedObjects:
            nonlocal by_id
            for row in lake.catalog.listed:
                if row.is_needed and not lake.partitions(row.name, account_id):
                    listed = _list(client, lake, row, account, now)
                    Failures(lake.store, row.name).note_whole({account_id: listed.error}, now())
            mentioned = mentioned_ids(lake, account_id, days)
            for table, ids in missing_ids(lake, account_id, mentioned).items():
                row = lake.catalog.objects_named(table)
                by_id += _fetch(client, lake, row, account, ids, now).found
            left = missing_ids(lake, account_id, mentioned)
            return MentionedObjects(by_id, {k: ids for k, ids in left.items() if ids})

        found = _tried(load)
        return MentionedObjects(by_id, error=str(found)) if isinstance(found, Exception) else found

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
    """Objects that were read by id: how many are stored, and what of them could not be read."""

    found: int
    unreadable: Unreadable


def _list(
    client: GraphClient, lake: Lake, row: ObjectTable, account: Account, now: Callable[[], datetime]
) -> Listed:
    if row.are_events:
        return _read_events(client, lake, row, account, now())
    listing = list_objects(client, account.account_id, row)
    merged = store_objects(lake, row.name, account, listing, now())
    ids = missing_objects(lake, row, account.account_id) if listing.cut else merged.gone
    by_id = _fetch(client, lake, row, account, ids if row.is_read_by_id else (), now)
    if not listing.complete:
        _log.warning("%s of act_%s: %s", row.name, account.account_id, listing)
    unreadable = merged.unreadable + by_id.unreadable
    if unreadable:
        _log.warning("%s of act_%s: %s", row.name, account.account_id, unreadable)
    error = _broken_off(listing.cut, by_id.found) if listing.cut else ""
    return Listed(row.name, account.account_id, listing, by_id.found, unreadable, error)


def _broken_off(cut: str, by_id: int) -> str:
    more = f", and {by_id:,} more that other objects mention" if by_id else ""
    return f"Not listed to the end: {cut.rstrip('. ')}. What was listed is stored{more}."


def _read_events(
    client: GraphClient, lake: Lake, row: ObjectTable, account: Account, now: datetime
) -> Listed:
    found = load_activities(client, lake, row, account, now)
    if found.unreadable:
        _log.warning("%s of act_%s: %s", row.name, account.account_id, found.unreadable)
    listing = Listing([None] * found.rows, None, is_counted=False)
    return Listed(
        row.name, account.account_id, listing, unreadable=found.unreadable, error=found.error
    )


def _fetch(  # noqa: PLR0913, PLR0917  # what, whose, from where and to where
    client: GraphClient,
    lake: Lake,
    row: ObjectTable,
    account: Account,
    ids: Sequence[str],
    now: Callable[[], datetime],
) -> _ById:
    """Read objects by id, up to 50 in one call, into the lake."""
    responses = dict(zip(ids, read_by_id(client, row, account, ids), strict=True))
    return _store_by_id(lake, row, account, responses, now)


def _store_by_id(
    lake: Lake,
    row: ObjectTable,
    account: Account,
    responses: Mapping[str, object],
    now: Callable[[], datetime],
) -> _ById:
    rows = [response for response in responses.values() if isinstance(response, Mapping)]
    unreadable = Unreadable()
    if rows:
        merged = merge_objects(lake, row.name, rows, account, now(), complete=False)
        unreadable = merged.unreadable
    for node_id, response in responses.items():
        if not isinstance(response, Mapping):
            _log.info("%s %s of act_%s: %s", row.one, node_id, account.account_id, response)
    # One that Graph refuses as a whole is a row too: of it only the id is known.
    return _ById(len(rows) - unreadable.objects, unreadable)
