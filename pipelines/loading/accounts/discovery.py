"""Which accounts there are: all that the token sees, or those that are named. Requests to Graph."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from fbgraph.errors import (
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    ThrottledError,
)
from pipelines.loading.refusals import marked
from warehouse.decode.hours import zone_named
from warehouse.errors import UnknownZoneError
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row

__all__ = ["Discovery", "account_id_of", "discover", "text_of"]

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


def discover(client: GraphClient, account_ids: Sequence[str] = ()) -> Discovery:
    """Accounts with everything that the table `accounts` needs: `account_ids`, or all the token
    sees.

    Accounts named by id are read one by one, which works for tokens that may not list any; one that
    cannot be read is refused by name. Raises TokenError and other GraphErrors that concern more
    than one account.
    """
    fields, gone = OBJECT_TABLES["accounts"].fields, dict[str, str]()
    by_id = _read_each(client, account_ids, fields, gone) if account_ids else None
    rows, refused = by_id or (_listed(client, fields, gone), {})
    rows = marked(rows, gone)
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
    client: GraphClient, account_ids: Sequence[str], fields: Sequence[str], gone: dict[str, str]
) -> tuple[Sequence[object], dict[str, str]]:
    """Accounts by id, and those that cannot be read, with why. `gone`: fields that Meta refuses."""
    rows: list[object] = []
    refused: dict[str, str] = {}
    in_a_row = 0
    for requested in account_ids:
        try:
            node = client.account(requested)
            rows.append(node.get(fields, drop_refused=True, left_out=gone))
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


def _listed(client: GraphClient, fields: Sequence[str], gone: dict[str, str]) -> Sequence[object]:
    edge = client.node("me").edge("adaccounts", fields=fields, drop_refused=True)
    try:
        return [row for page in edge.pages(left_out=gone) for row in page.data]
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
    """A text from Graph, as it can be shown and stored everywhere; "" for what is not a text."""
    value = row.get(key)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _unfit(row: Row) -> str:
    """Why an account cannot be loaded: its days are days of its own time zone."""
    try:
        zone_named(text_of(row, "timezone_name"))
    except UnknownZoneError as error:
        return str(error)
    return ""
