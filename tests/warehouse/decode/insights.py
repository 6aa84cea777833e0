"""Rows of insights as Meta sends them, and pages of them."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.decode.pages import Account, Decoded, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.schema.columns import HOURLY
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping


TABLE = TABLES["insights_hourly"]
DAY = date(2026, 11, 21)

ACCOUNT = Account("111122223333444", "Europe/Berlin", "EUR")


def row(**changes: Any) -> dict[str, Any]:
    """One good row off the wire; a change to None leaves the key out."""
    values = {
        "account_id": ACCOUNT.account_id,
        "campaign_id": "12021000000000001",
        "adset_id": "12022000000000001",
        "ad_id": "12023000000000001",
        "campaign_name": "DE | Sales | 東京 🚲",
        "account_currency": "EUR",
        "impressions": "318",
        "clicks": "4",
        "spend": "2.17",
        "actions": [{"action_type": "link_click", "value": "3"}],
        "date_start": str(DAY),
        "date_stop": str(DAY),
        HOURLY: HOUR_LABELS[7],
    } | changes
    return {key: value for key, value in values.items() if value is not None}


def page(*rows: Mapping[str, Any]) -> bytes:
    return json.dumps({"data": rows, "paging": {"cursors": {"before": "a", "after": "b"}}}).encode()


def load(*bodies: bytes) -> Decoded:
    return decode(TABLE, bodies, ACCOUNT, [DAY])
