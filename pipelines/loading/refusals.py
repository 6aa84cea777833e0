"""What Graph refuses of objects, in a listing or by id: fields of all of them, fields of one, or
one as a whole. What is refused is marked, so that nobody takes it for a value that is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fbgraph.catalog.edges import FRAGILE
from fbgraph.errors import FieldError
from fbgraph.http.filtering import refused_fields
from fbgraph.limits.retry import ALONE, OF_A_REQUEST
from fbgraph.objects.isolating import Isolation, spoils
from warehouse.schema.objects.refused import WHOLE, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row
    from fbgraph.http.request import Request
    from warehouse.decode.pages import Account
    from warehouse.schema.objects.object_table import ObjectTable

    #: Sends requests, and returns a value or a GraphError for each.
    Send = Callable[[Sequence[Request]], Sequence[object]]

__all__ = ["isolation_of", "marked", "read_by_id", "unread_rows", "with_refusals"]

_log = logging.getLogger(__name__)


def isolation_of(row: ObjectTable) -> Isolation:
    """What a listing does about objects that make a page fail."""
    return Isolation(_fragile(row), "id" if "id" in row.fields else row.columns[0].source)


def _fragile(row: ObjectTable) -> Sequence[str]:
    """Fields that can fail a whole page because of one object."""
    return [name for name in FRAGILE.get(row.edge, ()) if name in row.fields]


def read_by_id(
    client: GraphClient,
    row: ObjectTable,
    account: Account,
    ids: Sequence[str],
    send: Send | None = None,
) -> Sequence[object]:
    """What Graph returns for each id, up to 50 in one request: its JSON, or the error. `send`: how
    requests are sent, if not by `GraphClient.batch`.
    """
    found, refused = _read_batch(client, row, account, ids, send)
    fragile = _fragile(row)
    spoiled = {key: error for key, error in found.items() if fragile and spoils(error)}
    if spoiled:
        left = row.without({*fragile, *refused})
        again = _batch(client, row, account, [*spoiled], left, send)
        for (key, error), response in zip(spoiled.items(), again, strict=True):
            if isinstance(response, Mapping):
                found[key] = _without(row, response, str(error))
            elif spoils(response):
                found[key] = _unread("id", key, str(response))
            else:
                found[key] = response
    return marked([*found.values()], refused)


def marked(rows: Sequence[object], refused: Mapping[str, str]) -> Sequence[object]:
    """Rows, with fields that Meta refuses of all objects."""
    of_all = {name: Refused(why) for name, why in refused.items()}
    return [{**one, **of_all} if isinstance(one, Mapping) else one for one in rows]


def _read_batch(
    client: GraphClient,
    row: ObjectTable,
    account: Account,
    ids: Sequence[str],
    send: Send | None,
) -> tuple[dict[str, object], Mapping[str, str]]:
    """What Graph returns for each id, and the fields that it refuses of all, with why."""
    refused: dict[str, str] = {}
    while True:
        answers = _batch(client, row, account, ids, row.without(refused), send)
        found = dict(zip(ids, answers, strict=True))
        errors = (one for one in found.values() if isinstance(one, FieldError))
        if (error := next(errors, None)) is None:
            return found, refused
        gone = refused_fields(error, row.without(refused), row.kind)
        if not gone or row.columns[0].source in gone:
            raise error
        _log.warning("%s: left out %s: %s", row.name, ", ".join(gone), error)
        refused |= dict.fromkeys(gone, str(error))


def with_refusals(
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
    why = isolation.without.get(str(one.get(isolation.key)))
    return one if why is None else _without(row, one, why)


def unread_rows(isolation: Isolation) -> Sequence[object]:
    """Objects of a listing whose id alone could be read."""
    return [_unread(isolation.key, key, why) for key, why in isolation.unread.items()]


def _batch(  # noqa: PLR0913, PLR0917  # what of whom, and how
    client: GraphClient,
    row: ObjectTable,
    account: Account,
    ids: Sequence[str],
    fields: Sequence[str],
    send: Send | None,
) -> Sequence[object]:
    nodes = [client.node(one, kind=row.kind, account_id=account.account_id) for one in ids]
    requests = [node.request(fields=fields, **dict(row.parameters)) for node in nodes]
    if send:
        return send(requests)
    # One that fails while others are served, and is known to: it is not waited for.
    return client.batch(requests, policies=ALONE if _fragile(row) else OF_A_REQUEST)


def _without(row: ObjectTable, found: Mapping[str, Any], why: str) -> Mapping[str, Any]:
    return {**found, **dict.fromkeys(_fragile(row), Refused(why))}


def _unread(name: str, key: str, why: str) -> Mapping[str, Any]:
    """An object whose id alone is known: it keeps the row that it has."""
    return {name: key, WHOLE: Refused(why)}
