"""Tables of accounts, campaigns, ad sets and ads, and of every state in which they were seen."""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    FETCHED_AT,
    MONEY,
    UTC,
)
from warehouse.schema.table import Column, Table

__all__ = [
    "ACCOUNTS",
    "ACCOUNTS_HISTORY",
    "ADS",
    "ADSETS",
    "ADSETS_HISTORY",
    "ADS_HISTORY",
    "BUDGETS",
    "CAMPAIGNS",
    "CAMPAIGNS_HISTORY",
    "MOVING",
    "STATUS",
    "TIMES",
]

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
