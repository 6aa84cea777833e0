"""Lists of objects: the accounts a token sees, and the campaigns, ads and others of one. First the
requests to Graph, then how the rows are stored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fbgraph import act_id
from fbgraph.catalog.edges import NO_TOTAL_COUNT
from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.errors import (
    CursorError,
    FieldError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    ThrottledError,
    TotalCountError,
)
from fbgraph.http.filtering import refused_fields
from fbgraph.objects.isolating import Isolation, spoils
from warehouse.decode.hours import zone_named
from warehouse.decode.objects import id_of
from warehouse.decode.packed import PackedObjects
from warehouse.decode.pages import Account
from warehouse.errors import UnknownZoneError
from warehouse.lake.history import merge_objects
from warehouse.schema.objects.refused import Refused
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fbgraph import Edge, GraphClient
    from fbgraph.http.paging import Row
    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = [
    "Discovery",
    "Listing",
    "account_id_of",
    "account_names",
    "accounts_in",
    "discover",
    "list_objects",
    "read_by_id",
    "spenders_in",
    "store_accounts",
    "store_objects",
    "text_of",
]

_log = logging.getLogger(__name__)

#: After this many accounts in a row whose responses make no sense, each after all attempts, the
#: accounts are not to blame.
_NOT_ONE_ACCOUNTS: Final = 3


@dataclass(frozen=True, slots=True)
class Discovery:
    """The accounts found at `graph_url`. `refused`: those that cannot be loaded, or that were
    requested by id and the token may not read, with why. `unreadable`: what the list has that is
    not an account. `by_id`: they were named. `has_restricted`: the fields that take more rights
    were asked for, and `withheld` says which of them Meta refused, and why.
    """

    graph_url: str
    rows: Sequence[Row]
    refused: Mapping[str, str] = field(default_factory=dict)
    unreadable: Sequence[object] = ()
    by_id: bool = False
    has_restricted: bool = False
    withheld: str = ""


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


def discover(client: GraphClient, account_ids: Sequence[str] = ()) -> Discovery:
    """Accounts with everything that the table `accounts` needs: `account_ids`, or all the token
    sees.

    Accounts named by id are read one by one, which works for tokens that may not list any; one that
    cannot be read is refused by name. Raises TokenError and other GraphErrors that concern more
    than one account.
    """
    row, gone = OBJECT_TABLES["accounts"], dict[str, str]()
    while True:
        try:
            fields = row.without(gone)
            by_id = _read_each(client, account_ids, fields) if account_ids else None
            rows, refused = by_id or (_listed(client, fields), {})
            break
        except FieldError as error:
            gone |= _refused_by(row, error, gone)
    rows = _marked(rows, gone)
    accounts = [(account_id_of(row), row) for row in rows]
    found = {key: row for key, row in accounts if key and isinstance(row, Mapping)}
    refused |= {key: why for key, row in found.items() if (why := _unfit(row))}
    return Discovery(
        client.base_url,
        [{**row, "account_id": key} for key, row in found.items() if key not in refused],
        refused,
        [row for key, row in accounts if not key],
        by_id=bool(account_ids),
    )


def _read_each(
    client: GraphClient, account_ids: Sequence[str], fields: Sequence[str]
) -> tuple[Sequence[object], dict[str, str]]:
    """Accounts by id, and those that cannot be read, with why."""
    rows: list[object] = []
    refused: dict[str, str] = {}
    in_a_row = 0
    for requested in account_ids:
        try:
            rows.append(client.account(requested).get(fields))
        except (PermissionDeniedError, NotFoundError) as error:
            refused[requested] = str(error)
        except ThrottledError:
            raise
        except RetryableError as error:
            in_a_row += 1
            if in_a_row == _NOT_ONE_ACCOUNTS:
                raise
            refused[requested] = str(error)
            continue
        in_a_row = 0
    return rows, refused


def _listed(client: GraphClient, fields: Sequence[str]) -> Sequence[object]:
    try:
        return list(client.node("me").edge("adaccounts", fields=fields))
    except PermissionDeniedError as error:
        known = f"{error.detail.advice} " if error.detail.advice else ""
        advice = f"{known}If the token may not list accounts, name them in FB_ACCOUNT_IDS."
        raise PermissionDeniedError(replace(error.detail, advice=advice)) from None


def account_id_of(row: object) -> str:
    """The digits of an account's id; "" if there is none."""
    found = row if isinstance(row, Mapping) else {}
    for key in ("account_id", "id"):
        with suppress(RequestError):
            return act_id(found.get(key, "")).removeprefix("act_")
    return ""


def text_of(row: Row, key: str) -> str:
    """A text of Graph's as it can be shown and stored everywhere; "" for what is not a text."""
    value = row.get(key)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _unfit(row: Row) -> str:
    """Why an account cannot be loaded: its days are days of its own time zone."""
    try:
        zone_named(text_of(row, "timezone_name"))
    except UnknownZoneError as error:
        return str(error)
    return ""


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
            refused |= _refused_by(row, error, refused)


def _refused_by(row: ObjectTable, error: FieldError, known: Mapping[str, str]) -> dict[str, str]:
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
    return _marked([*found.values()], refused)


def _marked(rows: Sequence[object], refused: Mapping[str, str]) -> Sequence[object]:
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
        refused |= _refused_by(row, error, refused)


def _with_refusals(
    row: ObjectTable, rows: Sequence[object], isolation: Isolation, refused: Mapping[str, str]
) -> Sequence[object]:
    """Rows of a listing, with what was refused of all and of some."""
    if not (isolation.without or refused):
        return rows
    return [
        _with_refusal(row, one, isolation) if isinstance(one, Mapping) else one
        for one in _marked(rows, refused)
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


def store_accounts(
    lake: Lake, rows: Sequence[object], fetched_at: datetime, *, has_restricted: bool = False
) -> Merged:
    """Store the accounts in the lake; earlier ones that are not in `rows` stay. Returns the whole
    table, and how many accounts and values could not be read.

    `has_restricted`: the fields that take more rights were asked for; otherwise their columns keep
    what they have.
    """
    asked_at = fetched_at if has_restricted else None
    return merge_objects(
        lake, "accounts", rows, None, fetched_at, complete=False, listed_at=asked_at
    )


def store_objects(
    lake: Lake, table: str, account: Account, listing: Listing, fetched_at: datetime
) -> Merged:
    """Store an account's objects in the lake; those that are no longer listed stay, and are `gone`
    unless they are known to be deleted.
    """
    return merge_objects(lake, table, listing.rows, account, fetched_at, complete=True)


def accounts_in(lake: Lake) -> Mapping[str, Account]:
    """The accounts that can be loaded, by their digits: those whose days have a time zone. An
    unknown currency is "".
    """
    rows = lake.read("accounts").select(["account_id", "account_timezone", "account_currency"])
    return {
        key: Account(key, zone, currency or "")
        for key, zone, currency in (row.values() for row in rows.to_pylist())
        if zone is not None
    }


def account_names(lake: Lake) -> Mapping[str, str | None]:
    """The names of all accounts, by their digits, as Meta told them: None where it told none."""
    rows = lake.read("accounts").select(["account_id", "account_name"])
    return {row["account_id"]: row["account_name"] for row in rows.to_pylist()}


def spenders_in(lake: Lake) -> Mapping[str, str]:
    """The names of the accounts that have ever spent anything, by their digits; "" for no name."""
    rows = lake.read("accounts").select(["account_id", "account_name", "amount_spent"])
    return {
        row["account_id"]: row["account_name"] or ""
        for row in rows.to_pylist()
        if row["amount_spent"]
    }
