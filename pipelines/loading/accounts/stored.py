"""The accounts that the lake has: how they are stored, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.decode.pages import Account
from warehouse.lake.history import merge_objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake

__all__ = ["account_names", "accounts_in", "spenders_in", "store_accounts"]


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


def accounts_in(lake: Lake) -> Mapping[str, Account]:
    """The accounts that can be loaded, by their digits: those whose days have a time zone. An
    unknown currency is "".
    """
    rows = lake.read("accounts", columns=("account_id", "account_timezone", "account_currency"))
    return {
        key: Account(key, zone, currency or "")
        for key, zone, currency in (row.values() for row in rows.to_pylist())
        if zone is not None
    }


def account_names(lake: Lake) -> Mapping[str, str | None]:
    """The names of all accounts, by their digits, as Meta told them: None where it told none."""
    rows = lake.read("accounts", columns=("account_id", "account_name"))
    return {row["account_id"]: row["account_name"] for row in rows.to_pylist()}


def spenders_in(lake: Lake) -> Mapping[str, str]:
    """The names of the accounts that have ever spent anything, by their digits; "" for no name."""
    rows = lake.read("accounts", columns=("account_id", "account_name", "amount_spent"))
    return {
        row["account_id"]: row["account_name"] or ""
        for row in rows.to_pylist()
        if row["amount_spent"]
    }
