"""What delivers: accounts, campaigns, ad sets and ads."""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME, MONEY, UTC
from warehouse.schema.objects.details import (
    ATTRIBUTION,
    ISSUES,
    LEARNING,
    OBJECT_LABELS,
    PROMOTED,
    TARGETING,
)
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

_RIGHT: Final = "NULL if the token lacks business_management"

_PACING: Final = Column("pacing_type", "set", "How money is paced, such as standard")

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
        Column("business_id", "id", f"Business that it belongs to; {_RIGHT}", field="business.id"),
        Column("business_name", "text", f"Its name; {_RIGHT}", field="business.name"),
        Column(
            *("business_country", "text"), "Country in its address", field="business_country_code"
        ),
        Column("owner_id", "id", f"Business or person that owns it; {_RIGHT}", field="owner"),
        Column(
            *("funding_source_id", "id"),
            "Way in which it pays; NULL if the token may not manage the account",
            field="funding_source",
        ),
        Column(
            *("min_campaign_group_spend_cap", "money_minor"),
            *("Least spend cap of a campaign that Meta accepts", MONEY),
        ),
        Column("is_personal", "flag", "Whether it belongs to a person and not to a business"),
        Column("timezone_id", "number", "Meta's number of its time zone"),
        Column(
            *("timezone_offset_hours_utc", "decimal"),
            "Its clock ahead of UTC when it was read; summer time changes it",
            "hours",
            moves=True,
        ),
        Column("age", "ratio", "Time since it was created, when it was read", "days", moves=True),
    ),
    # funding_source takes the task MANAGE, the others business_management: (#10), (#100), (#200).
    restricted=("business", "owner", "funding_source"),
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
        Column("budget_rebalance_flag", "bool", "Whether its budget is moved between ad sets"),
        Column(
            *("last_budget_toggling_time", "timestamp"),
            *("When its budget was last moved here from the ad sets, or back", UTC),
        ),
        _PACING,
        Column("is_skadnetwork_attribution", "bool", "Whether Apple's SKAdNetwork attributes it"),
        Column("primary_attribution", "text", "What its results are attributed by"),
        Column("smart_promotion_type", "text", "Advantage+ or guided creation, such as SMART_APP"),
        Column("source_campaign_id", "origin", "Campaign that it is a copy of"),
        *PROMOTED,
        *OBJECT_LABELS,
        *ISSUES,
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
        *TARGETING,
        *PROMOTED,
        Column("destination_type", "text", "Where a click leads, such as WEBSITE"),
        *ATTRIBUTION,
        *LEARNING,
        Column("is_dynamic_creative", "bool", "Whether Meta combines its texts and pictures"),
        Column("lifetime_imps", "number", "Impressions that were booked; 0: none", "count"),
        _PACING,
        Column("bid_info", "spec", "Bids by what is paid for, in the smallest coin, as JSON"),
        Column(
            *("bid_constraints", "spec"),
            "Limits of the bid as JSON; roas_average_floor is in ten-thousandths",
        ),
        Column(
            *("recurring_budget_semantics", "bool"),
            "Whether a day may spend more than the daily budget, made up for within its week",
        ),
        Column("dsa_beneficiary", "text", "Who is advertised, as shown in the EU"),
        Column("dsa_payor", "text", "Who pays for it, as shown in the EU"),
        Column("source_adset_id", "origin", "Ad set that it is a copy of"),
        *OBJECT_LABELS,
        *ISSUES,
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
        Column("creative_id", "id", "Creative that it shows", field="creative.id"),
        *STATUS,
        *TIMES,
        Column("bid_amount", "money_minor", "Bid of its own, if it has one", MONEY),
        Column("conversion_domain", "text", "Site on which conversions happen"),
        Column("tracking_specs", "spec", "What is tracked after it was seen, as JSON"),
        Column("conversion_specs", "spec", "What counts as its result, as JSON"),
        Column("source_ad_id", "origin", "Ad that it is a copy of"),
        Column(*("last_updated_by_app_id", "id"), "App that changed it last", moves=True),
        Column("preview_shareable_link", "text", "Address of a preview, for a while", moves=True),
        Column("ad_review_feedback", "spec", "Why Meta refused it, in words, as JSON", moves=True),
        Column("recommendations", "spec", "What Meta advises, in words, as JSON", moves=True),
        *OBJECT_LABELS,
        *ISSUES,
    ),
)
