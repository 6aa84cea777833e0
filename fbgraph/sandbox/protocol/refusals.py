"""The table of Meta's errors, one per line. `refused` makes the exception of a line.

Sources: Graph API, Handling errors; Insights API, Error codes; bodies seen in public issues
(docs/graph-api.md#errors, #limits). A client classifies by code and subcode; the HTTP status
varies, and the one here is the one seen most often.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.protocol.errors import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXPIRED_ON", "REFUSALS", "refused"]

#: When the sandbox's expired token expired, as Meta words it.
EXPIRED_ON: Final = "Friday, 20-Nov-26 09:00:00 PST"

INVALID = "Invalid parameter"
VALID_FIELDS = "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/"
RATE_LIMITING = "https://developers.facebook.com/docs/graph-api/overview/rate-limiting"
AUTHORIZATION = "https://developers.facebook.com/docs/marketing-api/get-started/authorization"
REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
TOO_MANY_CALLS = "There have been too many calls from this ad-account. Wait a bit and try again."


#: Our name → Meta's response.
REFUSALS: Final[Mapping[str, Refusal]] = {
    # Tokens and permissions
    "no_token": Refusal(104, "An access token is required to request this resource."),
    "no_token_for_me": Refusal(
        2500,
        "An active access token must be used to query information about the current user.",
    ),
    "token_malformed": Refusal(190, "Malformed access token {token}"),
    "token_invalid": Refusal(190, "Invalid OAuth access token - Cannot parse access token"),
    "token_expired": Refusal(
        190,
        "Error validating access token: Session has expired on {expired}. "
        "The current time is {current}.",
        463,
    ),
    "token_revoked": Refusal(
        190,
        "Error validating access token: The session has been invalidated because the user changed "
        "their password or Facebook has changed the session for security reasons.",
        460,
    ),
    "app_not_installed": Refusal(
        190,
        "Error validating access token: The user has not authorized application 123456789012345.",
        458,
    ),
    "session_invalid": Refusal(102, "Session key invalid or no longer valid"),
    "not_your_app": Refusal(
        100,
        "(#100) You must provide an app access token, or a user access token that is an owner or "
        "developer of the app",
    ),
    "proof_missing": Refusal(
        100,
        "API calls from the server require an appsecret_proof argument",
        type="GraphMethodException",
    ),
    "proof_invalid": Refusal(
        100,
        "Invalid appsecret_proof provided in the API argument",
        type="GraphMethodException",
    ),
    "account_forbidden": Refusal(
        200,
        "(#200) Ad account owner has NOT grant ads_management or ads_read permission, "
        f"refer to {AUTHORIZATION} for more info",
        status=403,
    ),
    "no_policy": Refusal(100, "(#100) Policy ID is not available for Ad Account."),
    "no_permission": Refusal(10, "(#10) Application does not have permission for this action"),
    "insights_forbidden": Refusal(
        100,
        "Permission Error",
        3191001,
        title="Permission Error",
        text="The Ads Insights API denied your request due to insufficient permissions.",
    ),
    "not_linked": Refusal(
        1,
        "An unknown error occurred",
        2853001,
        transient=False,
        title="profile is not linked to delegate page",
        text="profile should always be linked to delegate page",
    ),
    "blocked": Refusal(
        368,
        "The action attempted has been deemed abusive or is otherwise disallowed",
        transient=False,
    ),
    "app_blocked": Refusal(200, "API access blocked."),
    "app_deactivated": Refusal(
        190, "API access deactivated. To reactivate, go to the app dashboard."
    ),
    "address_not_allowed": Refusal(5, "Requests from this IP are not allowed", status=403),
    "no_capability": Refusal(
        3, "(#3) Application does not have the capability to make this API call.", status=403
    ),
    # Meta's words for it are not known; the text is ours.
    "two_factors": Refusal(415, "Two factor authentication is required", 1404120, status=403),
    "no_such_object": Refusal(33, "This object does not exist or does not support this action"),
    "deprecated_field": Refusal(
        12, "(#12) {name} field is deprecated for versions v26.0 and higher"
    ),
    "deprecated": Refusal(12, "(#12) This API is deprecated for versions v26.0 and higher"),
    "needs_right": Refusal(
        200,
        "(#200) Requires {right} permission to manage the object",
        status=403,
    ),
    "needs_ads_scope": Refusal(
        294,
        "Managing advertisements requires an access token with the extended permission "
        "ads_management or ads_read",
    ),
    # Paths and versions
    "unknown_object": Refusal(
        100,
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due "
        "to missing permissions, or does not support this operation. Please read the Graph API "
        "documentation at https://developers.facebook.com/docs/graph-api",
        33,
        type="GraphMethodException",
    ),
    "unknown_alias": Refusal(
        803,
        "(#803) Some of the aliases you requested do not exist: {id}",
        status=404,
    ),
    "unknown_path": Refusal(2500, "Unknown path components: /{path}"),
    "version": Refusal(
        2635,
        "(#2635) You are calling a deprecated version of the Ads API. "
        "Please update to the latest version: {latest}.",
    ),
    "ids_removed": Refusal(
        100,
        "The ids query parameter is deprecated in v26.0+.",
        status=500,
    ),
    "date_format_removed": Refusal(
        100,
        "The date_format query parameter is deprecated in v26.0+.",
    ),
    # Parameters
    "unknown_parameter": Refusal(
        100,
        INVALID,
        transient=False,
        title="Unknown parameter",
        text="The parameter {name} is not supported here.",
        blames="name",
    ),
    "bad_type": Refusal(100, "(#100) Param {name} must be {wanted}."),
    "not_one_of": Refusal(100, "(#100) Param {name} must be one of {{{values}}} - got {got}"),
    "bad_dates": Refusal(
        100,
        INVALID,
        transient=False,
        title="Invalid Date Range",
        text="{why}",
        blames="name",
    ),
    "too_long_ago": Refusal(
        3018,
        "(#3018) The start date of the time range cannot be beyond 37 months from the current date",
    ),
    "node_field": Refusal(
        100,
        "(#100) Tried accessing nonexisting field ({name}) on node type ({type})",
    ),
    "insights_field": Refusal(
        100,
        "(#100) {name} is not valid for fields param. "
        f"please check {VALID_FIELDS} for all valid values",
    ),
    "old_field": Refusal(100, "(#100) {name} is not available before the last 13 months"),
    "filter_field": Refusal(100, "(#100) {name} is not a valid field to filter on"),
    # Seen: airbyte #66027. Which creative it is, Meta does not say.
    "spoiled_page": Refusal(
        100,
        INVALID,
        2446211,
        transient=False,
        title="First Dof Value Should Match Object Story Spec Field",
        text="The first value of an asset feed must be the one in the object story spec.",
    ),
    "deleted_objects": Refusal(
        100,
        INVALID,
        1815001,
        transient=False,
        title="Cannot Request for Deleted Objects",
        text="Requesting for deleted objects is not supported in this endpoint.",
    ),
    "breakdown_combination": Refusal(
        100,
        "(#100) Current combination of data breakdown columns ({columns}) is invalid",
    ),
    "nonexisting_field": Refusal(100, "(#100) Tried accessing nonexisting field ({name})"),
    # Seen with interactive_component_tap at level account; the code says what the words hide.
    "unavailable_at_level": Refusal(
        2,
        "Service temporarily unavailable",
        1504041,
        status=500,
        title="Service temporarily unavailable",
        text="Service temporarily unavailable",
    ),
    "breakdown_without_data": Refusal(
        2,
        "Invalid Breakdowns",
        1504041,
        title="Invalid Breakdowns",
        text="No data is available for the requested metrics and breakdowns. "
        "Try different metrics or breakdowns.",
    ),
    "not_imitated": Refusal(100, "(#100) This sandbox does not imitate {what}"),
    # Meta's response to this is not documented; the text is ours.
    "hourly_too_old": Refusal(
        100,
        INVALID,
        transient=False,
        title="Invalid Date Range",
        text="Hourly breakdowns begin on {first}.",
    ),
    # Too much at once
    "reduce_data": Refusal(1, REDUCE, type=None, status=500, traced=False),
    "too_much_data": Refusal(100, REDUCE, 1487534),
    **{
        name: Refusal(
            code,
            "Request Timed Out",
            subcode,
            title="Request Timed Out",
            text="Your request timed out. Try a smaller date range, fetch less data, or use async "
            "jobs.",
        )
        for name, code, subcode in (
            ("timed_out", 100, 1504018),
            ("timed_out_2", 2, 1504038),
            ("timed_out_2_1504018", 2, 1504018),
        )
    },
    # Writes. Titles and texts are ours where no body has been seen.
    "missing": Refusal(100, "(#100) The parameter {name} is required"),
    "budget_sharing": Refusal(
        100,
        INVALID,
        4834011,
        transient=False,
        title="Must specify True or False in is_adset_budget_sharing_enabled field",
        text="This field is required from v24.0 on if the campaign holds no budget.",
        blames="name",
    ),
    "two_budgets": Refusal(
        100,
        INVALID,
        1885621,
        transient=False,
        title="Only one level can hold the budget",
        text="The campaign has a budget of its own, so its ad sets cannot have one.",
        blames="name",
    ),
    "low_budget": Refusal(
        100,
        INVALID,
        1885272,
        transient=False,
        title="Budget Is Too Low",
        text="The budget must be at least {least} in the currency's smallest unit.",
        blames="name",
    ),
    "bad_value": Refusal(
        100, INVALID, transient=False, title="Invalid value", text="{why}", blames="name"
    ),
    "frozen": Refusal(
        100,
        INVALID,
        transient=False,
        title="Cannot edit an archived or deleted object",
        text="An archived object can only be renamed or deleted, a deleted one not at all.",
        blames="name",
    ),
    # Paging and report runs
    "cursor": Refusal(2642, "(#2642) Invalid cursors values"),
    "cursor_too_deep": Refusal(
        100,
        "(#100) The After Cursor specified exceeds the max limit supported by this endpoint",
    ),
    "run_not_ready": Refusal(
        2601,
        "Error accessing adreport job.",
        1815107,
        transient=True,
        title="Loading Async Ads Report Failed",
        text="Sorry, the report cannot be loaded successfully. Please check if your job status is "
        "completed instead of failed or running before fetching the data.",
    ),
    "not_in_run": Refusal(
        100,
        "(#100) Cannot include {names} in {param} param because {they} there while creating the "
        "report run. All available values are: {available}",
    ),
    "unreadable_summary": Refusal(
        100,
        "(#100) Tried accessing nonexisting summary field ({name})",
    ),
    # Load and luck
    "unavailable": Refusal(
        2,
        "(#2) Service temporarily unavailable",
        status=503,
        transient=True,
    ),
    "throttled": Refusal(
        80000,
        f"(#80000) {TOO_MANY_CALLS} For more info, please refer to {RATE_LIMITING}#ads-insights.",
        2446079,
        transient=False,
    ),
    "intermittent": Refusal(2, "Intermittent Error", 1504043, transient=True),
    "unknown": Refusal(1, "An unknown error occurred", 99, status=500),
    "throttled_management": Refusal(
        80004,
        "(#80004) There have been too many calls to this ad-account. Wait a bit and try again. "
        f"For more info, please refer to {RATE_LIMITING}#ads-management.",
        2446079,
        transient=False,
    ),
    "throttled_account": Refusal(
        17,
        "(#17) User request limit reached",
        2446079,
        transient=False,
        title="Ad Account Has Too Many API Calls",
        text="There have been too many calls from this ad account. Wait a bit and try again.",
    ),
    "throttled_account_613": Refusal(
        613,
        "There have been too many calls from this ad-account. Please wait a bit and try again.",
        1487742,
        transient=False,
    ),
    "throttled_app": Refusal(4, "(#4) Application request limit reached", transient=True),
    "throttled_insights": Refusal(
        4,
        "(#4) There have been too many calls from this app. Wait a bit and try again.",
        1504022,
        transient=True,
        title="Too many API requests",
    ),
    "throttled_page": Refusal(32, "(#32) Page request limit reached", status=403),
    "throttled_application": Refusal(341, "(#341) Application limit reached"),
    "throttled_custom": Refusal(613, "(#613) Calls to this api have exceeded the rate limit."),
    "throttled_metrics": Refusal(
        613,
        "(#613) Custom Analytics metrics exceeded the rate limit of 5 calls per 6 hours for this "
        "ad account.",
    ),
    # Batch
    "batch_too_long": Refusal(
        100,
        "Too many requests in batch message. Maximum batch size is 50",
        type="GraphBatchException",
    ),
    "batch_item": Refusal(100, "Batch item {at}: {why}", type="GraphBatchException"),
    "batch_aborted": Refusal(
        960,
        "Request aborted. This could happen if a dependent request failed or the entire request "
        "timed out.",
        type="FacebookApiException",
    ),
}


def refused(name: str, /, **facts: str) -> RefusedError:
    """The error for one line of `REFUSALS`, its braces filled with `facts`."""
    known = REFUSALS[name]
    filled = {
        part: text.format_map(facts)
        for part in ("message", "title", "text")
        if (text := getattr(known, part)) is not None
    }
    return RefusedError(replace(known, **filled), facts.get(known.blames or ""))
