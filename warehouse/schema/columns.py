"""Columns that many tables share."""

from __future__ import annotations

from typing import Final

from warehouse.schema.table import Column

__all__ = [
    "ACCOUNT_ID",
    "ACCOUNT_NAME",
    "CURRENCY",
    "DATE",
    "FETCHED_AT",
    "HOURLY",
    "MONEY",
    "TIMEZONE",
    "UTC",
]

#: The breakdown by hour of the ad account's own wall clock.
HOURLY: Final = "hourly_stats_aggregated_by_advertiser_time_zone"

MONEY: Final = "account currency, major units"
UTC: Final = "UTC"

ACCOUNT_ID: Final = Column("account_id", "id", "Ad account, digits without act_")
ACCOUNT_NAME: Final = Column("account_name", "text", "Name of the account", field="name")
FETCHED_AT: Final = Column("fetched_at", "instant", "When we read this object", UTC, field="")
DATE: Final = Column("date", "date", "Day of the account's own calendar", field="date_start")
CURRENCY: Final = Column("account_currency", "text", "Currency of the money here, ISO code")
TIMEZONE: Final = Column(
    "account_timezone", "text", "Zone of the account's days and hours", field=""
)
