"""What delivers: accounts, campaigns, ad sets and ads."""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME, MONEY, UTC
from warehouse.schema.objects.object_table import ObjectTable
from warehouse.schema.table import Column

__all__ = ["ACCOUNTS", "ADS", "ADSETS", "BUDGETS", "CAMPAIGNS", "STATUS", "TIMES"]

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

ACCOUNTS: Final = ObjectTable(
    name="accounts",
    meaning="Ad accounts as the token sees them, latest state.",
    one="an ad account",
    edge="",
    kind="adaccount",
    partitions=(),
    deleted="",
    is_counted=False,
    is_needed=True,
    columns=(
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
    ),
)

CAMPAIGNS: Final = ObjectTable(
    name="campaigns",
    meaning="Campaigns, latest state, archived ones included; deleted ones if insights mention "
    "them.",
    one="a campaign",
    edge="campaigns",
    kind="campaign",
    insights_column="campaign_id",
    is_needed=True,
    columns=(
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
    ),
)

ADSETS: Final = ObjectTable(
    name="adsets",
    meaning="Ad sets, latest state, archived ones included; deleted ones if insights mention them.",
    one="an ad set",
    edge="adsets",
    kind="adset",
    insights_column="adset_id",
    is_needed=True,
    columns=(
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
    ),
)

ADS: Final = ObjectTable(
    name="ads",
    meaning="Ads, latest state, archived ones included; deleted ones if insights mention them.",
    one="an ad",
    edge="ads",
    kind="ad",
    insights_column="ad_id",
    is_needed=True,
    columns=(
        Column("ad_id", "id", "Ad", field="id"),
        ACCOUNT_ID,
        Column("campaign_id", "id", "Campaign it belongs to"),
        Column("adset_id", "id", "Ad set it belongs to"),
        Column("ad_name", "text", "Name of the ad now", field="name"),
        *STATUS,
        *TIMES,
    ),
)
