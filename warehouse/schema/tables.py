"""The tables, column by column: each line feeds `fields=`, Arrow, DuckDB's comments and the docs.

Field meanings: Marketing API v26.0, Ads Insights and the reference of each object. An enum of
Meta's is kept as text, because Meta adds values between versions.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warehouse.schema.table import KINDS, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACCOUNT_NAME",
    "BY_DAY",
    "BY_HOUR",
    "HOURLY",
    "HOURS",
    "KINDS",
    "LIVE_WINDOWS",
    "MONEY",
    "OBJECTS",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Table",
]

#: In every file's footer; grows by one when a column is added or changes its kind.
SCHEMA_VERSION: Final = 2

#: The breakdown by hour of the ad account's own wall clock.
HOURLY: Final = "hourly_stats_aggregated_by_advertiser_time_zone"

MONEY: Final = "account currency, major units"
UTC: Final = "UTC"

ACCOUNT_ID: Final = Column("account_id", "id", "Ad account, digits without act_")
ACCOUNT_NAME: Final = Column("account_name", "text", "Name of the account", field="name")
FETCHED_AT: Final = Column("fetched_at", "instant", "When we read this object", UTC, field="")

#: Whether an object is running.
STATUS: Final = (
    Column("status", "text", "What the advertiser set: ACTIVE, PAUSED, ARCHIVED or DELETED"),
    Column("configured_status", "text", "The same as status; Graph has both"),
    Column(
        *("effective_status", "text"),
        "The effect of it with parents and review: ACTIVE, CAMPAIGN_PAUSED, WITH_ISSUES, …",
    ),
)

#: When an object was created and changed.
TIMES: Final = (
    Column("created_time", "timestamp", "When it was created", UTC),
    Column(
        *("updated_time", "timestamp"),
        "When it was last changed; Meta does not update it when only a budget changes",
        UTC,
    ),
)

BUDGETS: Final = (
    Column("daily_budget", "money_limit", "Budget per day, if set here", MONEY),
    Column("lifetime_budget", "money_limit", "Budget over the whole run, if set here", MONEY),
    Column("budget_remaining", "money_limit", "What is left of the budget", MONEY),
)

ACCOUNTS: Final = Table(
    "accounts",
    ("account_id",),
    "Ad accounts as the token sees them, latest state.",
    (
        ACCOUNT_ID,
        ACCOUNT_NAME,
        Column(
            *("account_status", "number"),
            "1 active, 2 disabled, 3 unsettled, 7 pending risk review, 8 pending settlement, "
            "9 in grace period, 100 pending closure, 101 closed",
        ),
        Column("disable_reason", "number", "Why it is disabled; 0 when it is not"),
        Column("account_currency", "text", "Currency of all its money, ISO code", field="currency"),
        Column("account_timezone", "text", "Zone of its days and hours", field="timezone_name"),
        Column("amount_spent", "money_minor", "Spent over the account's life", MONEY),
        Column("balance", "money_minor", "Owed to Meta", MONEY),
        Column("spend_cap", "money_limit", "Most it may ever spend; 0 or NULL: no cap", MONEY),
        Column("min_daily_budget", "money_minor", "Least daily budget that Meta accepts", MONEY),
        Column("created_time", "timestamp", "When it was created", UTC),
        FETCHED_AT,
    ),
    partitions=(),
)

CAMPAIGNS: Final = Table(
    "campaigns",
    ("campaign_id",),
    "Campaigns, latest state, archived ones included; deleted ones if insights mention them.",
    (
        Column("campaign_id", "id", "Campaign", field="id"),
        ACCOUNT_ID,
        Column("campaign_name", "text", "Name of the campaign now", field="name"),
        Column("objective", "text", "Goal that it is optimised for, such as OUTCOME_SALES"),
        *STATUS,
        Column("buying_type", "text", "AUCTION or RESERVED"),
        Column("bid_strategy", "text", "How bids are made, such as LOWEST_COST_WITHOUT_CAP"),
        *BUDGETS,
        Column("spend_cap", "money_limit", "Most the campaign may spend; NULL: no cap", MONEY),
        Column("special_ad_categories", "texts", "Regulated categories, such as HOUSING"),
        *TIMES,
        Column("start_time", "timestamp", "When it may start", UTC),
        Column("stop_time", "timestamp", "When it must stop; NULL if never", UTC),
        FETCHED_AT,
    ),
    partitions=("account_id",),
)

ADSETS: Final = Table(
    "adsets",
    ("adset_id",),
    "Ad sets, latest state, archived ones included; deleted ones if insights mention them.",
    (
        Column("adset_id", "id", "Ad set", field="id"),
        ACCOUNT_ID,
        Column("campaign_id", "id", "Campaign it belongs to"),
        Column("adset_name", "text", "Name of the ad set now", field="name"),
        *STATUS,
        Column("optimization_goal", "text", "What delivery is optimised for, such as LINK_CLICKS"),
        Column("billing_event", "text", "What is paid for, such as IMPRESSIONS"),
        Column("bid_strategy", "text", "How bids are made, such as LOWEST_COST_WITHOUT_CAP"),
        Column("bid_amount", "money_minor", "Bid or cost cap", MONEY),
        *BUDGETS,
        *TIMES,
        Column("start_time", "timestamp", "When it may start", UTC),
        Column("end_time", "timestamp", "When it must stop; NULL if never", UTC),
        FETCHED_AT,
    ),
    partitions=("account_id",),
)

ADS: Final = Table(
    "ads",
    ("ad_id",),
    "Ads, latest state, archived ones included; deleted ones if insights mention them.",
    (
        Column("ad_id", "id", "Ad", field="id"),
        ACCOUNT_ID,
        Column("campaign_id", "id", "Campaign it belongs to"),
        Column("adset_id", "id", "Ad set it belongs to"),
        Column("ad_name", "text", "Name of the ad now", field="name"),
        *STATUS,
        *TIMES,
        FETCHED_AT,
    ),
    partitions=("account_id",),
)

#: Columns that change by themselves, or with every other change: a new value is not a new state.
MOVING: Final = frozenset({"amount_spent", "balance", "budget_remaining", "updated_time"})


def _history(table: Table, what: str) -> Table:
    """Every state of a table's objects that was seen, and when."""
    states = [c for c in table.columns if c.name not in MOVING and c is not FETCHED_AT]
    return Table(
        f"{table.name}_history",
        (*table.grain, "valid_from"),
        f"Every state of {what} that was seen: one row per change. Columns that change by "
        "themselves, such as the remaining budget, are only in the table without history.",
        (
            *states,
            Column(
                *("valid_from", "instant"),
                "When this state was first seen; a microsecond after the previous one if a clock "
                "that was ahead had given that a later time",
                UTC,
                field="",
            ),
            Column(
                *("valid_to", "instant"),
                "When the next state was first seen; NULL for the state it has now",
                UTC,
                field="",
            ),
        ),
        partitions=table.partitions,
    )


ACCOUNTS_HISTORY: Final = _history(ACCOUNTS, "an ad account")
CAMPAIGNS_HISTORY: Final = _history(CAMPAIGNS, "a campaign")
ADSETS_HISTORY: Final = _history(ADSETS, "an ad set")
ADS_HISTORY: Final = _history(ADS, "an ad")

DATE: Final = Column("date", "date", "Day of the account's own calendar", field="date_start")
CURRENCY: Final = Column("account_currency", "text", "Currency of the money here, ISO code")
TIMEZONE: Final = Column(
    "account_timezone", "text", "Zone of the account's days and hours", field=""
)

#: Columns that may be added up over hours, days and objects.
TRAFFIC: Final = (
    Column("impressions", "count", "Times an ad was on screen"),
    Column("clicks", "count", "All clicks on an ad, wherever they led"),
    Column("spend", "money", "Estimated money spent", MONEY),
)

HOURS: Final = (
    Column(
        *("hour", "hour"),
        "Hour of the account's wall clock, 0 to 23; NULL if Meta sent the row without its hour",
        field=HOURLY,
        breakdown=True,
    ),
    Column("hour_start_utc", "instant", "When that hour starts", UTC, field=""),
    Column(
        *("hour_end_utc", "instant"),
        "When the next hour of the wall clock starts, so that the 24 hours tile the day",
        UTC,
        field="",
    ),
    Column(
        *("hour_seconds", "seconds"),
        "Length of the hour: 3600; 7200 if the clock is put back, 0 if it skips the hour",
        "seconds",
        field="",
    ),
)

#: Lists with one entry per action type. Action types overlap: never add them up.
ACTION_LISTS: Final = (
    Column("actions", "actions", "Actions by type, those on Meta only; types overlap", "count"),
    Column("action_values", "actions", "Value of those actions; types overlap", MONEY),
    Column("conversions", "actions", "Conversions by type, those on Meta only", "count"),
    Column("conversion_values", "actions", "Value of those conversions", MONEY),
    Column("outbound_clicks", "actions", "Clicks that left Meta", "count"),
)

#: The objects of a row, with the names that they had when the day was loaded.
OBJECTS: Final = (
    ACCOUNT_ID,
    Column("campaign_id", "id", "Campaign"),
    Column("adset_id", "id", "Ad set"),
    Column("ad_id", "id", "Ad"),
    Column("campaign_name", "text", "Name of the campaign when the day was loaded"),
    Column("adset_name", "text", "Name of the ad set when the day was loaded"),
    Column("ad_name", "text", "Name of the ad when the day was loaded"),
    Column("objective", "text", "Objective of the campaign, such as OUTCOME_SALES"),
    Column("optimization_goal", "text", "What delivery is optimised for, such as LINK_CLICKS"),
    CURRENCY,
    TIMEZONE,
    DATE,
)

#: More columns that may be added up; not in every report.
MORE_TRAFFIC: Final = (
    Column("social_spend", "money", "Spent on ads shown with social information", MONEY),
    Column("inline_link_clicks", "count", "Clicks on links, in a 1-day click window"),
    Column("inline_post_engagement", "count", "Engagements with the post, in a 1-day click window"),
    Column("full_view_impressions", "count", "Times an ad was seen in full"),
)

INSIGHTS_HOURLY: Final = Table(
    "insights_hourly",
    ("account_id", "ad_id", "date", "hour"),
    "What each ad did in each hour of the account's day. An hour without delivery has no row. "
    "Reach, frequency and actions off Meta do not exist by the hour.",
    (*OBJECTS, *HOURS, *TRAFFIC, *MORE_TRAFFIC, *ACTION_LISTS),
    partitions=("account_id", "date"),
)

#: Attribution windows that are kept next to `value`, which follows each ad set's own setting.
WINDOWS: Final = ("1d_click", "7d_click", "1d_view")

#: People are estimated, and a person who was reached twice counts once: never add them up.
PEOPLE: Final = (
    Column("reach", "count", "People who saw the ad, estimated; do not add up"),
    Column("frequency", "ratio", "Impressions per person reached", "impressions"),
    Column("full_view_reach", "count", "People who saw the ad in full; do not add up"),
    Column("unique_clicks", "count", "People who clicked; do not add up"),
    Column("unique_inline_link_clicks", "count", "People who clicked a link; do not add up"),
)

RANKINGS: Final = (
    Column("quality_ranking", "text", "Perceived quality, among ads for the same audience"),
    Column("engagement_rate_ranking", "text", "Expected engagement, among ads for that audience"),
    Column("conversion_rate_ranking", "text", "Expected conversions, among ads with that goal"),
)


#: Its values are those of recorded bodies: clicks within 7 days, views and engaged views of a day.
ATTRIBUTION_SETTING: Final = Column(
    *("attribution_setting", "text"),
    "Attribution setting of the ad set, which `value` of an action follows: 7d_click, "
    "1d_view_7d_click, 1d_view_7d_click_1d_ev, …; multiple if a row has several ad sets",
)

#: Lists by the day: with what happens off Meta, with people and with video.
DAILY_LISTS: Final = (
    Column("actions", "actions", "Actions by type, on Meta and off; types overlap", "count"),
    Column("action_values", "actions", "Value of those actions; types overlap", MONEY),
    Column("conversions", "actions", "Conversions by type, on Meta and off", "count"),
    Column("conversion_values", "actions", "Value of those conversions", MONEY),
    Column("purchase_roas", "actions", "Value of purchases per unit of spend", "ratio"),
    Column("outbound_clicks", "actions", "Clicks that left Meta", "count"),
    Column("unique_outbound_clicks", "actions", "People who left Meta; do not add up", "count"),
    Column("unique_actions", "actions", "People who acted, by type; do not add up", "count"),
    Column("video_play_actions", "actions", "Videos that began to play", "count"),
    Column("video_thruplay_watched_actions", "actions", "Watched to the end or 15 s", "count"),
    Column("video_30_sec_watched_actions", "actions", "Watched to the end or 30 s", "count"),
    *(
        Column(f"video_p{part}_watched_actions", "actions", f"Watched {part} % of it", "count")
        for part in (25, 50, 75, 95, 100)
    ),
    Column("video_avg_time_watched_actions", "actions", "Time watched per play", "seconds"),
)

INSIGHTS_DAILY: Final = Table(
    "insights_daily",
    ("account_id", "ad_id", "date"),
    "What each ad did on each of the account's days, including what does not exist by the hour: "
    "people, actions off Meta, attribution windows, video. A day without delivery has no row.",
    (
        *OBJECTS,
        ATTRIBUTION_SETTING,
        *TRAFFIC,
        *MORE_TRAFFIC,
        *PEOPLE,
        *RANKINGS,
        *(replace(column, windows=WINDOWS) for column in DAILY_LISTS),
    ),
    partitions=("account_id", "date"),
)

#: Attribution windows that still have values: those of the totals, so that reports with any of them
#: can be compared. Source: Meta's post of 2025-10-16; the view windows of 7 and 28 days ended.
LIVE_WINDOWS: Final = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")

CONTROL_DAILY: Final = Table(
    "control_daily",
    ("account_id", "date"),
    "Totals of an account's day, requested separately: they prove the other tables.",
    (
        ACCOUNT_ID,
        DATE,
        CURRENCY,
        *TRAFFIC,
        Column("inline_link_clicks", "count", "Clicks on links, in a 1-day click window"),
        # NULL in files written before they were requested, and where Meta refuses them
        *(replace(column, windows=LIVE_WINDOWS) for column in DAILY_LISTS[:4]),
    ),
    partitions=("account_id", "date"),
)

#: Columns by the field of insights, for reports that have no table here. Lists have no windows.
BY_DAY: Final[Mapping[str, Column]] = {
    column.source: column
    for column in (
        *(*OBJECTS, ATTRIBUTION_SETTING, *TRAFFIC, *MORE_TRAFFIC, *PEOPLE, *RANKINGS),
        *DAILY_LISTS,
    )
    if column.source
}

#: The same by the hour, without actions off Meta.
BY_HOUR: Final[Mapping[str, Column]] = {**BY_DAY, **{c.source: c for c in ACTION_LISTS}}

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
        Column("value", "text", "What came in its place, as JSON", field=""),
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

#: The warehouse's own tables and no others: those of reports are in a `catalog.Catalog`.
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            *(ACCOUNTS, CAMPAIGNS, ADSETS, ADS),
            *(ACCOUNTS_HISTORY, CAMPAIGNS_HISTORY, ADSETS_HISTORY, ADS_HISTORY),
            *(INSIGHTS_HOURLY, INSIGHTS_DAILY, CONTROL_DAILY),
            *(LOADS, RESTATEMENTS, REJECTS, FAILURES),
        )
    }
)
