"""Listings of campaigns on some days, and what the lake makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warehouse.decode.pages import Account
from warehouse.lake.history import merge_objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake

ACCOUNT = Account("11", "Europe/Berlin", "EUR")
MONDAY = datetime(2026, 11, 16, 5, tzinfo=UTC)


def campaign(number: int = 20, **changes: Any) -> dict[str, Any]:
    values = {"id": str(number), "account_id": "11", "name": "Spring", "daily_budget": "1500"}
    return (
        values
        | {"effective_status": "ACTIVE", "updated_time": "2026-11-01T08:00:12+0100"}
        | changes
    )


def seen(
    lake: Lake, *campaigns: Mapping[str, Any], after: int = 0, complete: bool = True
) -> Merged:
    """Take in a snapshot of some days after the first Monday."""
    at = MONDAY + timedelta(days=after)
    return merge_objects(lake, "campaigns", campaigns, ACCOUNT, at, complete=complete)


def names(lake: Lake, table: str = "campaigns") -> list[str]:
    return list(lake.read(table)["campaign_name"].to_pylist())


def states(lake: Lake) -> list[tuple[str, int, int | None]]:
    """Name, first and last day of each state, counted from the first Monday."""
    return [
        (
            row["campaign_name"],
            (row["valid_from"] - MONDAY).days,
            None if row["valid_to"] is None else (row["valid_to"] - MONDAY).days,
        )
        for row in lake.read("campaigns_history").to_pylist()
    ]


def account(number: int, **changes: Any) -> dict[str, Any]:
    values = {"account_id": str(number), "name": "Shop", "currency": "EUR", "balance": "100"}
    return values | {"timezone_name": "Europe/Berlin"} | changes
