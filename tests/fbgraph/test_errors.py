"""Meta's refusals: each code has the class of what the caller does about it, and advice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fbgraph import errors
from fbgraph.errors import (
    BlockedError,
    CursorError,
    FieldError,
    GraphError,
    NotFoundError,
    NotReadyError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    SpoiledPageError,
    ThrottledError,
    TokenError,
    TooMuchDataError,
    TooOldError,
    VersionError,
    rule_for,
)
from fbgraph.http.response import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    Refusal = tuple[int, int | None, str, type[GraphError]]

REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
UNSUPPORTED_GET = (
    "Unsupported get request. Object with ID '120210000' does not exist, cannot be loaded due to"
    " missing permissions, or does not support this operation."
)
NOT_IN_SUMMARY = (
    "(#100) Cannot include spend in summary param because they weren't there while creating the"
    " report run. All available values are: "
)
NOT_IN_FIELDS = (  # no retry will bring a field that the run was created without
    "(#100) Cannot include reach in fields param because it wasn't there while creating the"
    " report run. All available values are: spend"
)

#: docs/graph-api.md#errors: tokens and permissions.
TOKENS: Sequence[Refusal] = (
    (190, 458, "The user has not authorized application 12345.", TokenError),
    (190, 459, "The user is checkpointed.", TokenError),
    (190, 460, "The session has been invalidated because the user changed it.", TokenError),
    (190, 463, "Error validating access token: Session has expired on Friday.", TokenError),
    (190, 464, "Sessions for the user are not allowed because of confirmation.", TokenError),
    (190, 467, "The access token is invalid.", TokenError),
    (190, 492, "Invalid session.", TokenError),
    (190, None, "Malformed access token", TokenError),
    (190, None, "Invalid OAuth access token - Cannot parse access token", TokenError),
    (102, None, "Session key invalid or no longer valid", TokenError),
    (102, 463, "Session has expired", TokenError),
    (102, 459, "The user is checkpointed.", TokenError),
    (104, None, "An access token is required to request this resource.", TokenError),
    (2500, None, "An active access token must be used to query information.", TokenError),
    (100, None, "API calls from the server require an appsecret_proof argument", TokenError),
    (100, None, "Invalid appsecret_proof provided in the API argument", TokenError),
    (10, None, "(#10) Application does not have permission for this action", PermissionDeniedError),
    (200, None, "(#200) Ad account owner has NOT grant ads_read", PermissionDeniedError),
    (200, None, "API access blocked.", BlockedError),
    (190, None, "API access deactivated. To reactivate, go to the app dashboard.", BlockedError),
    (5, None, "Requests from this IP are not allowed", BlockedError),
    (
        *(3, None, "(#3) Application does not have the capability to make this API call."),
        PermissionDeniedError,
    ),
    (415, 1404120, "Two factor authentication required", PermissionDeniedError),
    (200, None, "(#200) Requires business_management permission", PermissionDeniedError),
    (299, None, "(#299) Permission denied", PermissionDeniedError),
    (270, None, "(#270) Development access cannot act on this account", PermissionDeniedError),
    (294, None, "Managing advertisements requires ads_management", TokenError),
    (100, 3191001, "Permission Error", PermissionDeniedError),
    (100, None, "(#100) Missing permissions", PermissionDeniedError),
    (100, None, "Unsupported request - method type: get", PermissionDeniedError),
    (100, 33, UNSUPPORTED_GET, NotFoundError),
    (100, None, UNSUPPORTED_GET, NotFoundError),
)

#: docs/graph-api.md#limits: throttles, and the limits of writes that waiting does not lift in time.
THROTTLES: Sequence[Refusal] = (
    (4, None, "(#4) Application request limit reached", ThrottledError),
    (4, 1504022, "(#4) There have been too many calls from this app.", ThrottledError),
    (4, 1504039, "(#4) There have been too many calls from this app.", ThrottledError),
    (17, 2446079, "(#17) User request limit reached", ThrottledError),
    (17, None, "(#17) User request limit reached", ThrottledError),
    (17, 1885172, "The spend cap was changed too often", RequestError),
    (32, None, "(#32) Page request limit reached", ThrottledError),
    (341, None, "(#341) Application limit reached", ThrottledError),
    (368, None, "The action attempted has been deemed abusive", BlockedError),
    (613, None, "(#613) Calls to this api have exceeded the rate limit.", ThrottledError),
    (613, None, "(#613) Custom Analytics metrics exceeded the rate limit of 5", ThrottledError),
    (613, 1487742, "There have been too many calls from this ad-account.", ThrottledError),
    (613, 1996, "Inconsistent request volume", ThrottledError),
    (613, 5044001, "Mutations too fast", ThrottledError),
    (613, 1487632, "The budget was changed too often", RequestError),
    (613, 1487225, "Too many ads created", RequestError),
    *((code, 2446079, "(#80000) Too many calls", ThrottledError) for code in range(80000, 80007)),
    *((code, None, "(#80000) Too many calls", ThrottledError) for code in range(80008, 80015)),
)

#: Whose limit each throttle means, in the words of `errors.Rule`.
LIMITS = {
    (4, None): "app",
    (4, 1504022): "app_use_case",
    (4, 1504039): "app_use_case",
    (17, 2446079): "account",
    (17, None): "account",
    (32, None): "app",
    (341, None): "app",
    (613, None): "account",
    (613, 1487742): "account",
    (613, 1996): "account",
    (613, 5044001): "account",
    **{(code, subcode): "account_use_case" for code, subcode, *_ in THROTTLES if code > 1000},
}

#: docs/graph-api.md#errors, without the rows that stand above.
OTHERS: Sequence[Refusal] = (
    (-1, None, "Internal error", RetryableError),
    (-1, 4711, "Internal error", RetryableError),
    (-2, 2490547, "Report Failed", RetryableError),
    (-3, 1504045, "Report Too Large", TooMuchDataError),
    (1, None, REDUCE, TooMuchDataError),
    (100, None, REDUCE, TooMuchDataError),
    (1, 99, "An unknown error occurred", RetryableError),
    (1, 2853001, "An unknown error occurred", RequestError),
    (1, None, "API Unknown", RetryableError),
    (2, None, "(#2) Service temporarily unavailable", RetryableError),
    (2, 1504018, "Request Timed Out", TooMuchDataError),
    (2, 1504038, "Request Timed Out", TooMuchDataError),
    (2, 1504041, "Invalid Breakdowns", RequestError),
    (2, 1504042, "Invalid Custom Metrics", RequestError),
    (2, 1504043, "Intermittent Error", RetryableError),
    (2, 1504044, "Unknown Error", RetryableError),
    (2, 1504033, "Temporary", RetryableError),
    (2, 1487172, "Could not fetch", RetryableError),
    (3, None, "(#3) Unknown method", RequestError),
    (100, None, "Invalid parameter", RequestError),
    (100, 1487534, REDUCE, TooMuchDataError),
    (100, 1487535, REDUCE, TooMuchDataError),
    (100, 1504018, "Request Timed Out", TooMuchDataError),
    (100, 1815001, "Invalid parameter", RequestError),
    (100, 2446289, "Invalid parameter", RequestError),
    (100, 2446211, "Invalid parameter", SpoiledPageError),
    (100, 1443048, "Invalid parameter", SpoiledPageError),
    (100, None, "The ids query parameter is deprecated in v26.0+.", RequestError),
    (
        100,
        None,
        "(#100) Current combination of data breakdown columns (x) is invalid",
        RequestError,
    ),
    (100, None, "(#100) Tried accessing nonexisting field (foo) on node type (Ad)", FieldError),
    (100, None, "(#100) Tried accessing nonexisting summary field (adset_end)", FieldError),
    (100, None, "(#100) foo is not valid for fields param. please check https://", FieldError),
    (100, None, NOT_IN_SUMMARY, RetryableError),
    (100, None, NOT_IN_FIELDS, FieldError),
    (
        *(100, None),
        "(#100) The After Cursor specified exceeds the max limit supported by this endpoint",
        CursorError,
    ),
    (105, None, "Too many parameters", RequestError),
    (500, None, "Message contains banned content", RequestError),
    (506, None, "Duplicate status message", RequestError),
    (33, None, "This object does not exist or does not support this action", NotFoundError),
    (12, None, "(#12) place field is deprecated for versions v26.0 and higher", FieldError),
    (12, None, "(#12) singular statuses API is deprecated for versions v2.4", RequestError),
    (803, None, "(#803) Some of the aliases you requested do not exist: x", NotFoundError),
    (960, None, "Request aborted.", RetryableError),
    (1150, None, "Unknown user", RequestError),
    (1705, None, "There was an error", RetryableError),
    (2500, None, "Unknown path components: /foo", RequestError),
    (2500, None, 'Syntax error "Expected end of string" at character 3: a{b', RequestError),
    (2601, 1815107, "Error accessing adreport job.", NotReadyError),
    (2635, None, "(#2635) You are calling a deprecated version of the Ads API.", VersionError),
    (2642, None, "(#2642) Invalid cursors values", CursorError),
    (3001, None, "Invalid query", RequestError),
    (3018, None, "(#3018) The start date of the time range cannot be beyond 37", TooOldError),
    (1609005, None, "Link post error", RequestError),
)

REFUSALS = (*TOKENS, *THROTTLES, *OTHERS)


def raised(status: int, code: object, subcode: object, message: str, **more: object) -> GraphError:
    error = {"message": message, "type": "OAuthException", "code": code, **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    with pytest.raises(GraphError) as caught:
        parse(status, json.dumps({"error": error}).encode())
    return caught.value


@pytest.mark.parametrize(("code", "subcode", "message", "kind"), REFUSALS)
def test_a_refusal_has_the_class_of_what_the_caller_does(
    code: int, subcode: int | None, message: str, kind: type[GraphError]
) -> None:
    assert type(raised(400, code, subcode, message)) is kind


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 502, 503])
def test_the_http_status_does_not_change_the_class(status: int) -> None:
    classes = [type(raised(status, *refusal[:3])) for refusal in REFUSALS]

    assert classes == [refusal[3] for refusal in REFUSALS]


def test_codes_as_text_have_the_same_class() -> None:
    classes = [
        type(raised(400, str(code), None if subcode is None else str(subcode), message))
        for code, subcode, message, _ in REFUSALS
    ]

    assert classes == [refusal[3] for refusal in REFUSALS]


def test_every_rule_has_an_example() -> None:
    exercised = [rule_for(code, subcode, message) for code, subcode, message, _ in REFUSALS]

    assert [rule for rule in errors.RULES if rule not in exercised] == []


def test_no_rule_stands_twice() -> None:
    assert len({(str(r.codes), r.subcode, r.text) for r in errors.RULES}) == len(errors.RULES)


def test_the_text_of_a_rule_is_lower_case_as_its_docstring_says() -> None:
    assert [rule.text for rule in errors.RULES if rule.text != rule.text.lower()] == []


def test_the_text_of_a_message_is_found_in_any_case() -> None:
    assert type(raised(400, 1, None, REDUCE.upper())) is TooMuchDataError


def test_a_throttle_says_whose_limit_it_is_about() -> None:
    limits = {
        throttle[:2]: raised(400, *throttle[:3]).detail.limit
        for throttle in THROTTLES
        if throttle[3] is ThrottledError
    }

    assert limits == LIMITS


def test_only_a_throttle_is_about_a_limit() -> None:
    others = [refusal for refusal in REFUSALS if refusal[3] is not ThrottledError]

    assert {raised(400, *refusal[:3]).detail.limit for refusal in others} == {""}
    assert {bool(rule.limit) for rule in errors.RULES if rule.kind is ThrottledError} == {True}


@pytest.mark.parametrize("transient", [True, False, None, "true"])
def test_is_transient_is_not_asked_of_a_throttle(transient: object) -> None:
    classes = [type(raised(400, *throttle[:3], is_transient=transient)) for throttle in THROTTLES]

    assert classes == [throttle[3] for throttle in THROTTLES]


@pytest.mark.parametrize(
    ("code", "subcode", "message", "kind"),
    [
        (100, None, "Invalid parameter", RetryableError),
        (3, None, "Unknown method", RetryableError),
        (424242, None, "Something new", RetryableError),
        (2, 1504041, "Invalid Breakdowns", RequestError),  # known to fail again
        (100, 1815001, "Invalid parameter", RequestError),
        (100, None, "nonexisting field (x)", FieldError),
        (190, 463, "Session has expired", TokenError),
        (368, None, "Blocked", BlockedError),
        (1, None, REDUCE, TooMuchDataError),
    ],
)
def test_is_transient_counts_where_the_code_says_nothing_by_itself(
    code: int, subcode: int | None, message: str, kind: type[GraphError]
) -> None:
    assert type(raised(400, code, subcode, message, is_transient=True)) is kind


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
def test_a_code_not_in_the_table_fails_and_asks_to_be_reported(status: int) -> None:
    error = raised(status, 424242, None, "Something new")

    assert (type(error), "please report it" in str(error)) == (GraphError, True)


def test_advice_follows_the_subcode_of_a_session_as_of_a_token() -> None:
    assert raised(400, 102, 458, "x").detail.advice == raised(400, 190, 458, "x").detail.advice


def test_a_right_that_is_missing_is_no_missing_access_to_the_account() -> None:
    right, access = (
        raised(403, 200, None, message).detail.advice
        for message in (
            "(#200) Requires business_management permission to manage the object",
            "(#200) Ad account owner has NOT grant ads_read",
        )
    )

    assert ("Leave out the fields" in right, "access to this ad account" in access) == (True, True)


def test_every_rule_advises() -> None:
    assert [rule for rule in errors.RULES if not rule.advice] == []


def test_a_message_that_meta_repeats_for_the_user_is_said_once() -> None:
    error = raised(400, 100, None, "Invalid parameter", error_user_msg="Invalid parameter")

    assert str(error).count("Invalid parameter") == 1


def test_line_ends_in_a_message_do_not_break_a_log() -> None:
    assert "\n" not in str(raised(400, 100, None, "Invalid\r\nparameter\n\nERROR all is lost"))
