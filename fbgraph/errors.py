"""What goes wrong between us and the Graph API, named by what the caller does about it.

GraphError
├── RetryableError           the same call may succeed later: try again, a few times
│   ├── ThrottledError       ... after a cooldown, on a budget of its own
│   └── NotReadyError        ... a finished report run that cannot be loaded yet
├── TokenError               a person renews the token; nothing else will work until then
├── BlockedError             Meta blocked the app or user for a policy reason: stop, do not retry
├── VersionError             the pinned API version has expired: pin a newer one
├── PermissionDeniedError    this token may not see this account or field; the others may be fine
├── NotFoundError            no such object for this token
├── TooMuchDataError         ask for less: smaller pages, fewer days, fewer ids, fewer fields
├── CursorError              this listing cannot go on from here: start it again
│   └── CursorStuckError     ... because the API repeats a cursor, or sends nothing but empty pages
├── TotalCountError          the edge does not say how many rows it has
├── RunFailedError           a report run ended without a result
│   └── RunHungError         ... or does not end
├── UncertainWriteError      a write that may have happened: look before doing it again
├── StoppedError             the caller stopped this client while the call waited
└── RequestError             our request is wrong; the same call will fail again
    ├── FieldError           ... because of a field: leave it out
    └── TooOldError          ... because it starts beyond what Meta keeps: begin later

Sources: Graph API, Handling errors; Marketing API, error reference, rate limits and insights error
codes; each line of `RULES` was documented there or seen in a live answer. Meta gives the same error
with different HTTP statuses, so nothing here decides by status alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.versions import READ_ON, supported

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

__all__ = [
    "ANY_MISTAKE",
    "ENDS_EVERYTHING",
    "RULES",
    "BlockedError",
    "CursorError",
    "CursorStuckError",
    "Detail",
    "FieldError",
    "GraphError",
    "NotFoundError",
    "NotReadyError",
    "PermissionDeniedError",
    "RequestError",
    "RetryableError",
    "Rule",
    "RunFailedError",
    "RunHungError",
    "StoppedError",
    "ThrottledError",
    "TokenError",
    "TooMuchDataError",
    "TooOldError",
    "TotalCountError",
    "UncertainWriteError",
    "VersionError",
    "rule_for",
]


@dataclass(frozen=True, slots=True)
class Detail:
    """What is known of one refusal. Text that Meta may localize is for people, never for code."""

    message: str
    code: int | None = None
    subcode: int | None = None
    title: str = ""
    user_message: str = ""
    type: str = ""
    fbtrace_id: str = ""
    is_transient: bool | None = None
    blamed_fields: Sequence[str] = ()
    status: int | None = None  # of HTTP; None when no answer came or the error is a report run's
    call: str = ""  # method and path, without parameters
    advice: str = ""
    cooldown_seconds: float | None = None  # how long Meta says to wait, when it says
    limit: str = ""  # of a throttle: whose limit, a word of `Rule.limit`
    sent: bool = True  # False: the call never left, so that even a write may be made again

    @property
    def method(self) -> str:
        """Of HTTP; empty where no call is to blame."""
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        """What stood after the version, without parameters."""
        return self.call.partition(" ")[2]


class GraphError(Exception):
    """Base of all. `detail` holds the parts; the text holds what a person needs to act."""

    def __init__(self, detail: Detail | str) -> None:
        self.detail: Final = detail if isinstance(detail, Detail) else Detail(detail)
        super().__init__(_sentence(self.detail))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.detail,)


class RetryableError(GraphError):
    """The same call may succeed later."""


class ThrottledError(RetryableError):
    """A limit is used up. `detail.cooldown_seconds` is how long Meta says to wait, if it does."""


class NotReadyError(RetryableError):
    """A report run says it is complete, and its rows cannot be loaded yet (2601)."""


class TokenError(GraphError):
    """The token is missing, malformed, expired or revoked."""


class BlockedError(GraphError):
    """Blocked for a policy reason (368). Retrying makes it worse."""


class VersionError(GraphError):
    """The pinned version of the API no longer lives (2635)."""


class PermissionDeniedError(GraphError):
    """The token lacks a right on this account or field."""


class NotFoundError(GraphError):
    """No such object, or none that this token may see; Meta does not tell the two apart."""


class TooMuchDataError(GraphError):
    """The answer would be too big or took too long."""


class CursorError(GraphError):
    """The cursor is no longer good (2642)."""


class CursorStuckError(CursorError):
    """Paging does not advance."""


class TotalCountError(GraphError):
    """`summary.total_count` was asked of an edge that does not give one."""


class RunFailedError(GraphError):
    """A report run failed, was skipped or expired. `detail` has Meta's reason, if any."""


class RunHungError(RunFailedError):
    """A report run was given up that Meta itself does not call failed."""


class UncertainWriteError(GraphError):
    """A write was sent and no answer says what became of it. It was not made again."""


class StoppedError(GraphError):
    """`GraphClient.stop` was called while this call waited."""


class RequestError(GraphError):
    """Meta will never accept this request."""


class FieldError(RequestError):
    """A field of the request is not known, or not allowed here."""


class TooOldError(RequestError):
    """The range starts beyond the months that Meta keeps (3018)."""


#: What no other call with this token would fare better with: stop, and tell a person.
ENDS_EVERYTHING: Final = (TokenError, BlockedError, VersionError)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: which refusals it means, their class and what to tell a person.

    `subcode` None matches any. `text`, in lower case, must stand in the message; empty matches any.
    """

    codes: Container[int | None]
    subcode: int | None
    text: str
    kind: type[GraphError]
    advice: str = ""
    limit: str = ""  # of a throttle: app, account, or one of them with _use_case


_RENEW = "Make a new access token and put it in FB_ACCESS_TOKEN."
_ASK_ACCESS = "Give the token's user or system user access to this ad account, with ads_read."
_LESS = "Ask for fewer rows: smaller pages, a shorter time range, fewer ids or fields."
_LEAVE_OUT = "Leave out the fields that need more rights than ads_read."
_SUPPORTED = f"Set FB_API_VERSION to a supported version: {supported(READ_ON)}."
_WAIT = "Wait; the limit frees itself."
_TRY_LATER = "Try again; if it goes on, look at https://metastatus.com."
_FIX = "The request itself is wrong; trying again will not help."

#: Codes that only say that something is wrong. Where Meta adds `is_transient`, that is the better
#: word (docs/graph-api.md#errors); every other line knows more than `is_transient` does.
ANY_MISTAKE: Final = Rule(
    (3, 100, 105, 500, 506, 1150, 2500, 3001, 1609005), None, "", RequestError, _FIX
)

#: First match wins, so the specific stands before the general.
RULES: Final[Sequence[Rule]] = (
    # Throttles. `is_transient` is false in some of these: it is not asked.
    Rule((17,), 1885172, "", RequestError, "A spend cap can be changed ten times a day."),
    Rule((613,), 1487632, "", RequestError, "A budget can be changed four times an hour."),
    Rule((613,), 1487225, "", RequestError, "Create fewer ads an hour."),
    Rule((4,), 1504022, "", ThrottledError, _WAIT, "app_use_case"),
    Rule((4,), 1504039, "", ThrottledError, _WAIT, "app_use_case"),
    Rule((4, 32, 341), None, "", ThrottledError, _WAIT, "app"),
    Rule((17, 613), None, "", ThrottledError, _WAIT, "account"),
    Rule(range(80000, 80015), None, "", ThrottledError, _WAIT, "account_use_case"),
    # Too much data.
    Rule((1,), None, "reduce the amount of data", TooMuchDataError, _LESS),
    Rule((100,), 1487534, "", TooMuchDataError, _LESS),
    Rule((100,), 1487535, "", TooMuchDataError, _LESS),
    Rule((100, 2), 1504018, "", TooMuchDataError, _LESS),
    Rule((2,), 1504038, "", TooMuchDataError, _LESS),
    Rule((-3,), 1504045, "", TooMuchDataError, _LESS),
    # Code 2 means "try again", but for these.
    Rule((2,), 1504041, "", RequestError, "These fields have no data with these breakdowns."),
    Rule((2,), 1504042, "", RequestError, "A custom metric of the request is not valid."),
    Rule((1,), 2853001, "", RequestError, "Link the profile to its delegate page."),
    # Reports and listings.
    Rule((2601,), None, "", NotReadyError, "The report is not loadable yet; read it again."),
    Rule((100,), None, "in summary param because", RetryableError, "A passing fault of reading."),
    Rule((100,), None, "creating the report run", FieldError, "Ask for it when creating the run."),
    Rule((100,), None, "the after cursor specified exceeds", CursorError, "List in smaller parts."),
    Rule((2642,), None, "", CursorError, "Start the listing again."),
    # Passing faults.
    Rule((-1, -2, 1, 2, 960), None, "", RetryableError, _TRY_LATER),
    Rule((1705,), None, "", RetryableError, _TRY_LATER),
    # The token.
    Rule((102, 190), 458, "", TokenError, "Authorize the app again, then make a new token."),
    Rule((102, 190), 459, "", TokenError, "Log in at facebook.com, then make a new token."),
    Rule((102, 190), 464, "", TokenError, "Confirm the user's account, then make a new token."),
    Rule((102, 190), 492, "", TokenError, "The token's user needs a role on the page."),
    Rule((102, 190), None, "", TokenError, _RENEW),
    Rule((104,), None, "", TokenError, "Send an access token: put it in FB_ACCESS_TOKEN."),
    Rule((2500,), None, "access token", TokenError, _RENEW),
    Rule((100,), None, "appsecret_proof", TokenError, "Set FB_APP_SECRET to the app's secret."),
    Rule((294,), None, "", TokenError, "The token needs ads_read or ads_management."),
    # What the token may not see. The text of 100/33 speaks of missing permissions as well.
    Rule((100,), 33, "", NotFoundError, "Check the id, and that the token may see the object."),
    Rule((803,), None, "", NotFoundError, "Check the id."),
    Rule((10,), None, "", PermissionDeniedError, _ASK_ACCESS),
    Rule((270,), None, "", PermissionDeniedError, "The app's tier allows only your own accounts."),
    Rule(range(200, 300), None, "requires business_management", PermissionDeniedError, _LEAVE_OUT),
    Rule(range(200, 300), None, "", PermissionDeniedError, _ASK_ACCESS),
    Rule((100,), 3191001, "", PermissionDeniedError, _ASK_ACCESS),
    Rule((100,), None, "missing permissions", PermissionDeniedError, _ASK_ACCESS),
    Rule((100,), None, "unsupported request - method type", PermissionDeniedError, _LEAVE_OUT),
    # Configuration.
    Rule((368,), None, "", BlockedError, "Stop and look at the app's alerts at Meta."),
    Rule((2635,), None, "", VersionError, _SUPPORTED),
    Rule((3018,), None, "", TooOldError, "Meta keeps 37 months: begin later."),
    # Our own mistakes.
    Rule((100,), None, "nonexisting", FieldError, "Leave this field out."),
    Rule((100,), None, "not valid for fields param", FieldError, "Leave this field out."),
    Rule((100,), 1815001, "", RequestError, "Take DELETED out of effective_status on this edge."),
    ANY_MISTAKE,
)  # fmt: skip


def rule_for(code: int | None, subcode: int | None, message: str) -> Rule | None:
    """The first line of `RULES` that fits, or None for what Meta has not told us of."""
    text = message.lower()
    return next(
        (
            rule
            for rule in RULES
            if code in rule.codes
            and rule.subcode in (None, subcode)
            and rule.text in text
        ),
        None,
    )  # fmt: skip


def _sentence(detail: Detail) -> str:
    """One line: what Meta said, of which call, and what to do."""
    code = "" if detail.code is None else f"code {detail.code}"
    number = code if detail.subcode is None else f"{code}/{detail.subcode}"
    facts = [
        number,
        "" if detail.status is None else f"HTTP {detail.status}",
        detail.call,
        f"fields {', '.join(detail.blamed_fields)}" if detail.blamed_fields else "",
        f"fbtrace_id {detail.fbtrace_id}" if detail.fbtrace_id else "",
    ]
    known = "; ".join(fact for fact in facts if fact)
    said = " ".join(dict.fromkeys(filter(None, (detail.message, detail.user_message))))
    text = " ".join(filter(None, (said, f"[{known}]" if known else "", detail.advice)))
    return " ".join(text.split())
