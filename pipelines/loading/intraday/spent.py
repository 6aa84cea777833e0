"""The lifetime spend of all accounts, by one request for a hundred of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.errors import PermissionDeniedError
from pipelines.loading.accounts.discovery import account_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph import GraphClient

__all__ = ["Spending", "list_spending"]

ACCOUNTS_PER_PAGE: Final = 100

#: Minor units of the account's currency.
_AMOUNT: Final = re.compile(r"-?\d+", re.ASCII)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spending:
    """Accounts (digits) that were listed, each with its lifetime spend as Meta wrote it; None where
    that is missing or unreadable. `unreadable`: how many entries are not accounts.
    """

    of: Mapping[str, str | None]
    unreadable: int = 0


def list_spending(client: GraphClient, named: Sequence[str]) -> Spending:
    """List what accounts have spent: all that the token sees, or those that are `named` (digits).

    Named ones are looked for in no more pages than there are of them: to ask each for its totals
    costs no more. Of those that are not found, and with a token that may not list accounts,
    nobody knows what they spend, and that is not an error. Raises other GraphErrors.
    """
    wanted = set(named)
    found: dict[str, str | None] = {}
    unreadable = 0
    edge = client.node("me").edge(
        "adaccounts", fields=["account_id", "amount_spent"], limit=ACCOUNTS_PER_PAGE
    )
    try:
        for page in edge.pages(max_pages=len(wanted) or None):
            for row in page.data:
                if account_id := account_id_of(row):
                    found[account_id] = _amount(row)
                else:
                    unreadable += 1
            if wanted and wanted <= found.keys():
                break
    except PermissionDeniedError as error:
        if not wanted:
            raise
        _log.info("Accounts cannot be listed; each is asked for its totals: %s", error)
    if unreadable:
        _log.warning("%d entries of the list of accounts are not accounts.", unreadable)
    if wanted:
        found = {account_id: found.get(account_id) for account_id in named}
    return Spending(found, unreadable)


def _amount(row: object) -> str | None:
    value = row.get("amount_spent") if isinstance(row, Mapping) else None
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _AMOUNT.fullmatch(text) else None
