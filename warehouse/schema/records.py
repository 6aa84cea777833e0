"""Tables about loads: records, restatements, rejects, failures."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from warehouse.schema.columns import (
    MONEY,
    UTC,
)
from warehouse.schema.table import Column, Table

__all__ = ["FAILURES", "LOADS", "REJECTS", "RESTATEMENTS", "RUN_ID"]

#: Which account-day of which table. `table` alone is a reserved word in SQL.
ACCOUNT_DAY: Final = (
    Column("table_name", "text", "Table that was loaded", field=""),
    Column("account_id", "id", "Ad account, digits without act_", field=""),
    Column("date", "date", "Day of the account's own calendar", field=""),
)

LOADED_AT: Final = Column("loaded_at", "instant", "When the account-day was loaded", UTC, field="")
RUN_ID: Final = Column("run_id", "text", "Dagster run or command that loaded it", field="")

LOADS: Final = Table(
    "loads",
    ("table_name", "account_id", "date"),
    "One row per loaded account-day: its rows, the totals they were checked against, the verdict.",
    (
        *ACCOUNT_DAY,
        Column(
            *("verdict", "text"),
            "proven: rows add up to the account's own impressions, clicks and spend; provisional: "
            "the day was not over; unproven; unprovable. Not covered: hour labels that are all "
            "shifted, rows without impressions, swapped ids",
            field="",
        ),
        Column("reason", "text", "Why it is not proven, or what proved it", field=""),
        Column(
            *("conversions", "text"),
            "Whether actions add up to the account's own, per type and window: proven, provisional "
            "(the day was not over, or only just, which explains the difference), unproven or "
            "unprovable; NULL if they were not compared",
            field="",
        ),
        Column("conversions_reason", "text", "What proved them, or what differs", field=""),
        Column(
            *("is_over", "bool"),
            "Whether the day had been over for three hours when it was requested",
            field="",
        ),
        Column("asked_at", "instant", "When its rows were requested", UTC, field=""),
        Column(
            *("last_whole_hour", "hour"),
            "Last hour of the account's clock, of a day that is not over, that had ended long "
            "enough before asked_at for Meta to have counted it: FB_INTRADAY_DELAY_MINUTES, 180 by "
            "default. What is later still grows. NULL: none yet, or the day is over",
            field="",
        ),
        Column(
            *("day_gone", "elapsed"),
            "Share of the day, of 1 and by its real seconds, up to the end of that hour; NULL if "
            "the day is over, or for a week or month",
            field="",
        ),
        Column("rows", "count", "Rows of this account-day", field=""),
        Column("impressions", "count", "Sum over the rows", field=""),
        Column("clicks", "count", "Sum over the rows", field=""),
        Column("spend", "money_sum", "Sum over the rows", MONEY, field=""),
        Column("control_impressions", "count", "The account's total", field=""),
        Column("control_clicks", "count", "The account's total", field=""),
        Column("control_spend", "money_sum", "The account's total", MONEY, field=""),
        Column("rejected", "count", "Rows that could not be read; see rejects", field=""),
        Column(
            *("rejected_cells", "count"),
            "Values of loaded rows that could not be read: NULL or left out of a list; see rejects",
            field="",
        ),
        Column("repeated", "count", "Rows that came more than once and count once", field=""),
        Column("missing_fields", "texts", "Fields that Meta did not deliver", field=""),
        Column("report_run_ids", "texts", "Meta's report runs that the rows came from", field=""),
        Column("calls", "count", "Requests to the API", field=""),
        Column("seconds", "elapsed", "How long the load took", "seconds", field=""),
        Column("api_version", "text", "API version that Meta served", field=""),
        RUN_ID,
        LOADED_AT,
        Column("schema_version", "number", "Version of the columns in the file", field=""),
    ),
)

RESTATEMENTS: Final = Table(
    "restatements",
    ("table_name", "account_id", "date", "loaded_at"),
    "What changed when an account-day was loaded again.",
    (
        *ACCOUNT_DAY,
        LOADED_AT,
        Column("previous_loaded_at", "instant", "When it was loaded before", UTC, field=""),
        Column("rows_before", "count", "Rows before", field=""),
        Column("rows_after", "count", "Rows after", field=""),
        Column("impressions_before", "count", "Impressions before", field=""),
        Column("impressions_after", "count", "Impressions after", field=""),
        Column("clicks_before", "count", "Clicks before", field=""),
        Column("clicks_after", "count", "Clicks after", field=""),
        Column("spend_before", "money_sum", "Spend before", MONEY, field=""),
        Column("spend_after", "money_sum", "Spend after", MONEY, field=""),
    ),
)

REJECTS: Final = Table(
    "rejects",
    ("table_name", "account_id", "date", "loaded_at", "n"),
    "Values that could not be read exactly, and what that cost: a row, or a part of it. The first "
    "1,000 per load and column; `loads` counts all of them. Later tries that failed are included. "
    "Rejects of an account, a campaign, an ad set or an ad stay until it is read again.",
    (
        *ACCOUNT_DAY[:2],
        replace(ACCOUNT_DAY[2], meaning="Day of the account's own calendar; NULL for objects"),
        Column("n", "count", "Number of the reject within its load, from 1", field=""),
        Column("page", "count", "Page of the report, from 1; NULL for objects", field=""),
        Column("row", "count", "Row of that page, or of the listing, from 1", field=""),
        Column("column_name", "text", "Column that could not be read", field=""),
        Column(
            "value", "text", "What came in its place, as JSON; cut after 500 characters", field=""
        ),
        Column("reason", "text", "Why it could not be read", field=""),
        Column(
            *("lost", "text"),
            "What it cost: the row; the cell, which is NULL; an entry of a list; a value of an "
            "entry; or nothing, if U+FFFD replaces an invalid character. NULL, written by an "
            "earlier version: the row",
            field="",
        ),
        Column("raw", "text", "The whole row as it came, JSON", field=""),
        RUN_ID,
        replace(LOADED_AT, meaning="When the account-day was loaded, or the object read"),
    ),
)

FAILURES: Final = Table(
    "failures",
    ("table_name", "account_id", "date"),
    "Loads that failed at the last try and have not succeeded since. Rows of an earlier load stay "
    "in their table.",
    (
        *ACCOUNT_DAY[:2],
        Column("date", "date", "Day of the account's own calendar; NULL for objects", field=""),
        Column("failed_at", "instant", "When it was last tried", UTC, field=""),
        Column(
            "failing_since", "instant", "When it first failed since it last loaded", UTC, field=""
        ),
        Column("reason", "text", "Why it failed, in Meta's words where they are known", field=""),
        Column("command", "text", "The command that reloads it", field=""),
        Column("run_id", "text", "Dagster run or command that tried it", field=""),
    ),
)
