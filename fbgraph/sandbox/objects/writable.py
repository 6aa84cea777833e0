"""What can be written on each object: which parameters, of what kind, and which are required.

A value is checked as Meta checks it and kept as the object's field of the same name will show it:
money as text in minor units, lists and objects as JSON, times as moments. Parameters that only
Meta could judge are taken as they come.

Sources: reference pages of the objects; facebook-business 26.0.3, parameters of create and update;
docs/graph-api.md#objects, #writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.params import check_names, json_value, moment, one_of, some_of
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    Params = Mapping[str, str]
    Check = Callable[[Params, str], Any]

__all__ = ["BY_HAND", "OPTIMIZATION_GOALS", "WRITABLE", "Writable", "is_validation", "read_written"]

#: Statuses that an owner sets; a new object takes the first two. Source: Object status guide.
STATUSES: Final = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
BORN: Final = STATUSES[:2]

#: Source: facebook-business 26.0.3, Campaign.
OBJECTIVES: Final = tuple(
    """
    OUTCOME_APP_PROMOTION OUTCOME_AWARENESS OUTCOME_ENGAGEMENT OUTCOME_LEADS OUTCOME_SALES
    OUTCOME_TRAFFIC APP_INSTALLS BRAND_AWARENESS CONVERSIONS EVENT_RESPONSES LEAD_GENERATION
    LINK_CLICKS LOCAL_AWARENESS MESSAGES OFFER_CLAIMS PAGE_LIKES POST_ENGAGEMENT
    PRODUCT_CATALOG_SALES REACH STORE_VISITS VIDEO_VIEWS
    """.split()
)
BID_STRATEGIES: Final = (
    *("COST_CAP", "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP"),
    "LOWEST_COST_WITH_MIN_ROAS",
)
SPECIAL_CATEGORIES: Final = (
    *("CREDIT", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "HOUSING"),
    *("ISSUES_ELECTIONS_POLITICS", "NONE", "ONLINE_GAMBLING_AND_GAMING"),
)

#: Source: facebook-business 26.0.3, AdSet.
BILLING_EVENTS: Final = tuple(
    """
    APP_INSTALLS CLICKS IMPRESSIONS LINK_CLICKS LISTING_INTERACTION NONE OFFER_CLAIMS PAGE_LIKES
    POST_ENGAGEMENT PURCHASE THRUPLAY
    """.split()
)
OPTIMIZATION_GOALS: Final = tuple(
    """
    AD_RECALL_LIFT APP_INSTALLS APP_INSTALLS_AND_OFFSITE_CONVERSIONS CONVERSATIONS DERIVED_EVENTS
    ENGAGED_USERS EVENT_RESPONSES IMPRESSIONS IN_APP_VALUE LANDING_PAGE_VIEWS LEAD_GENERATION
    LINK_CLICKS MEANINGFUL_CALL_ATTEMPT MESSAGING_APPOINTMENT_CONVERSION
    MESSAGING_PURCHASE_CONVERSION NONE OFFSITE_CONVERSIONS PAGE_LIKES POST_ENGAGEMENT
    PROFILE_AND_PAGE_ENGAGEMENT PROFILE_VISIT QUALITY_CALL QUALITY_LEAD REACH REMINDERS_SET
    SUBSCRIBERS THRUPLAY VALUE VISIT_INSTAGRAM_PROFILE
    """.split()
)
EXECUTION_OPTIONS: Final = (*("validate_only", "synchronous_ad_review", "include_recommendations"),)

#: What Meta's review may make of an object; only the test's own hand sets it.
REVIEWS: Final = (
    *("DISAPPROVED", "IN_PROCESS", "PENDING_BILLING_INFO", "PENDING_REVIEW", "PREAPPROVED"),
    *("WITH_ISSUES", "NONE"),
)


def _text(params: Params, name: str) -> str:
    if not params[name].strip():
        raise refused("bad_type", name=name, wanted="a non-empty string")
    return params[name]


def _money(params: Params, name: str) -> str:
    """Minor units. "10.5" is a common mistake for 10.50 in major ones."""
    if not params[name].isascii() or not params[name].isdecimal():
        raise refused("bad_type", name=name, wanted="an integer")
    return str(int(params[name]))


def _whole(params: Params, name: str) -> int:
    return int(_money(params, name))


def _flag(params: Params, name: str) -> bool:
    if params[name].lower() not in {"true", "false", "1", "0"}:
        raise refused("bad_type", name=name, wanted="a boolean")
    return params[name].lower() in {"true", "1"}


def _list(params: Params, name: str) -> Any:
    return json_value(params, name, list)


def _object(params: Params, name: str) -> Any:
    return json_value(params, name, dict)


def _anything(params: Params, name: str) -> Any:
    try:
        return json.loads(params[name])
    except ValueError:
        return params[name]


def _one(known: Collection[str]) -> Check:
    return lambda params, name: one_of(params, name, known, default="")


def _some(known: Collection[str]) -> Check:
    def check(params: Params, name: str) -> Any:
        _list(params, name)  # comma text will not do
        return list(some_of(params, name, known))

    return check


@dataclass(frozen=True, slots=True)
class Writable:
    """One kind of object: parameter → its check, and those for which nothing takes the place.

    `birth` holds what can be said only when it is made.
    """

    checks: Mapping[str, Check]
    birth: Mapping[str, Check] = field(default_factory=dict)
    required: Sequence[str] = ()


def _as_they_come(names: str) -> Mapping[str, Check]:
    return dict.fromkeys(names.split(), _anything)


SHARED_PARAMETERS: Final[Mapping[str, Check]] = {
    "name": _text,
    "status": _one(STATUSES),
    "adlabels": _list,
}
BIRTH: Final[Mapping[str, Check]] = {"status": _one(BORN)}

#: level → what can be written.
WRITABLE: Final[Mapping[str, Writable]] = {
    "account": Writable({"name": _text}),
    "campaign": Writable(
        {
            **SHARED_PARAMETERS,
            **dict.fromkeys(("daily_budget", "lifetime_budget", "spend_cap"), _money),
            **dict.fromkeys(("start_time", "stop_time"), moment),
            "objective": _one(OBJECTIVES),
            "bid_strategy": _one(BID_STRATEGIES),
            "special_ad_categories": _some(SPECIAL_CATEGORIES),
            "is_adset_budget_sharing_enabled": _flag,
            "promoted_object": _object,
            **_as_they_come(
                """
                adset_bid_amounts adset_budgets budget_rebalance_flag budget_schedule_specs
                frequency_control_specs is_budget_schedule_enabled is_direct_send_campaign
                is_message_campaign is_meta_moment_maker_enabled is_pca_unified
                is_reels_trending_ads_enabled is_skadnetwork_attribution
                iterative_split_test_configs migrate_to_advantage_plus pacing_type
                smart_promotion_type special_ad_category special_ad_category_country
                """
            ),
        },
        birth={
            **BIRTH,
            "buying_type": _one(("AUCTION", "RESERVED")),
            **_as_they_come("source_campaign_id topline_id"),
        },
        required=("name", "objective", "status", "special_ad_categories"),
    ),
    "adset": Writable(
        {
            **SHARED_PARAMETERS,
            **dict.fromkeys(
                (
                    *("daily_budget", "lifetime_budget", "daily_spend_cap", "lifetime_spend_cap"),
                    *("daily_min_spend_target", "lifetime_min_spend_target"),
                ),
                _money,
            ),
            **dict.fromkeys(("start_time", "end_time"), moment),
            **dict.fromkeys(("bid_amount", "lifetime_imps"), _whole),
            "bid_strategy": _one(BID_STRATEGIES),
            "billing_event": _one(BILLING_EVENTS),
            "optimization_goal": _one(OPTIMIZATION_GOALS),
            "is_dynamic_creative": _flag,
            **dict.fromkeys(("targeting", "promoted_object"), _object),
            **dict.fromkeys(("attribution_spec", "adset_schedule"), _list),
            **_as_they_come(
                """
                ad_set_goal automatic_manual_state bid_adjustments bid_constraints
                budget_schedule_specs campaign_attribution creative_sequence daily_imps
                destination_type dsa_beneficiary dsa_payor existing_customer_budget_percentage
                frequency_control_specs full_funnel_exploration_mode is_budget_schedule_enabled
                is_incremental_attribution_enabled is_sac_cfca_terms_certified
                max_budget_spend_percentage min_budget_spend_percentage
                multi_optimization_goal_weight optimization_sub_event pacing_type
                placement_soft_opt_out rb_prediction_id regional_regulated_categories
                regional_regulation_identities rf_prediction_id time_start time_stop
                tune_for_category value_rule_set_id value_rules_applied
                """
            ),
        },
        birth={**BIRTH, "campaign_id": _text, **_as_they_come("source_adset_id topline_id")},
        required=("name", "campaign_id", "billing_event", "optimization_goal", "targeting"),
    ),
    "ad": Writable(
        {
            **SHARED_PARAMETERS,
            "creative": _object,
            "bid_amount": _whole,
            "tracking_specs": _list,
            **dict.fromkeys(("ad_schedule_start_time", "ad_schedule_end_time"), moment),
            **_as_they_come(
                """
                audience_id conversion_domain creative_asset_groups_spec display_sequence
                draft_adgroup_id engagement_audience include_demolink_hashes priority
                """
            ),
        },
        birth={**BIRTH, "adset_id": _text, "source_ad_id": _text},
        required=("name", "adset_id", "creative"),
    ),
    "creative": Writable(
        {"name": _text, "status": _one(("ACTIVE", "DELETED")), "adlabels": _list},
        birth={
            **dict.fromkeys(
                """
                ad_disclaimer_spec asset_feed_spec branded_content call_to_action
                contextual_multi_ads creative_sourcing_spec degrees_of_freedom_spec image_crops
                object_story_spec platform_customizations portrait_customizations
                """.split(),
                _object,
            ),
            **dict.fromkeys(
                """
                actor_id body image_hash image_url instagram_permalink_url instagram_user_id
                link_url object_id object_story_id object_type object_url product_set_id
                source_instagram_media_id template_url thumbnail_url title url_tags video_id
                """.split(),
                _text,
            ),
            **_as_they_come(
                """
                applink_treatment authorization_category categorization_criteria
                destination_set_id dynamic_ad_voice place_page_set_id use_page_actor_override
                """
            ),
        },
    ),
    "label": Writable({"name": _text}, required=("name",)),
    **dict.fromkeys(
        ("audience", "conversion", "pixel", "rule", "saved_audience"), Writable({"name": _text})
    ),
}

#: What `Sandbox.change` can set in addition: what happens to objects without their owners' doing.
BY_HAND: Final[Mapping[str, Mapping[str, Check]]] = {
    "account": {
        **dict.fromkeys(("account_status", "disable_reason"), _whole),
        **dict.fromkeys(("amount_spent", "balance", "spend_cap"), _money),
    },
    **{level: {"review": _one(REVIEWS)} for level in ("campaign", "adset", "ad")},
    "creative": _as_they_come("body link_url object_story_spec title url_tags"),
    "audience": _as_they_come(
        """
        approximate_count_lower_bound approximate_count_upper_bound description operation_status
        """
    ),
}


def read_written(
    params: Params, checks: Mapping[str, Check], required: Sequence[str] = ()
) -> dict[str, Any]:
    """Every given parameter, checked. Refuses an unknown one first, then a missing one."""
    check_names(params, checks.keys() | {"execution_options"})
    for name in required:
        if not params.get(name):
            raise refused("missing", name=name)
    return {name: check(params, name) for name, check in checks.items() if name in params}


def is_validation(params: Params) -> bool:
    """Whether the call only asks if it would work. Source: docs/graph-api.md#writes."""
    return "validate_only" in some_of(params, "execution_options", EXECUTION_OPTIONS)
