"""What can go wrong between us and the Graph API, named by what the caller does about it.

GraphError
├── RetryableError           the same request may succeed later: retry it a few times
│   ├── ThrottledError       ... after a cooldown, on a budget of its own
│   └── NotReadyError        ... a finished report run that cannot be loaded yet
├── LimitStuckError          a limit does not reset: fail what needs it, and run it again later
├── TokenError               a person renews the token; nothing else will work until then
├── BlockedError             Meta blocked the app, the user or this machine: stop, do not retry
├── VersionError             the pinned API version has expired: pin a newer one
├── PermissionDeniedError    this token may not see this account or field; the others may be fine
├── NotFoundError            this token sees no such object
├── TooMuchDataError         ask for less: smaller pages, fewer days, fewer ids, fewer fields
├── CursorError              this listing cannot continue from here: start it again
│   └── CursorStuckError     ... because the API repeats a cursor, or only sends empty pages
├── TotalCountError          the edge does not say how many rows it has
├── RunFailedError           a report run ended without a result
│   └── RunHungError         ... or does not end
├── UncertainWriteError      a write that may have succeeded: check before retrying
├── StoppedError             the caller stopped this client while the request waited
└── RequestError             our request is wrong; the same request will fail again
    ├── FieldError           ... because of a field: leave it out
    ├── SpoiledPageError     ... because of one object of the page: find it, ask for less of it
    └── TooOldError          ... because it starts beyond what Meta keeps: begin later

Sources: Graph API, Handling errors; Marketing API, error reference, rate limits and insights error
codes; each line of `RULES` was documented there or seen in a real response. Meta gives the same
error with different HTTP statuses, so nothing here decides by status alone.
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
    "LimitStuckError",
    "NotFoundError",
    "NotReadyError",
    "PermissionDeniedError",
    "RequestError",
    "RetryableError",
    "Rule",
    "RunFailedError",
    "RunHungError",
    "SpoiledPageError",
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
    """What is known about one error. Text that Meta may localize is for people, never for code."""

    message: str
    code: int | None = None
    subcode: int | None = None
    title: str = ""
    user_message: str = ""
    type: str = ""
    fbtrace_id: str = ""
    is_transient: bool | None = None
    blamed_fields: Sequence[str] = ()
    status: int | None = None  # of HTTP; None if no response came or a report run failed
    call: str = ""  # method and path, without parameters
    advice: str = ""
    cooldown_seconds: float | None = None  # how long Meta says to wait, when it says
    limit: str = ""  # of a throttle: whose limit, a word of `Rule.limit`
    sent: bool = True  # False: the request never left, so that even a write may be retried

    @property
    def method(self) -> str:
        """The HTTP method; empty where no request is to blame."""
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path after the version, without parameters."""
        return self.call.partition(" ")[2]


class GraphError(Exception):
    """Base of all errors. `detail` holds the parts; the text holds what a person needs to act."""

    def __init__(self, detail: Detail | str) -> None:
        self.detail: Final = detail if isinstance(detail, Detail) else Detail(detail)
        super().__init__(_sentence(self.detail))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.detail,)


class RetryableError(GraphError):
    """The same request may succeed later."""


class ThrottledError(RetryableError):
    """A limit is used up. `detail.cooldown_seconds` is how long Meta says to wait, if it does."""


class LimitStuckError(GraphError):
    """A limit has refused everything for hours, or a request has waited for one as long as it may.
    `detail` has what Meta said last, if it did.
    """


class NotReadyError(RetryableError):
    """A report run says it is complete, but its rows cannot be read yet (2601)."""


class TokenError(GraphError):
    """The token is missing, malformed, expired or revoked."""


class BlockedError(GraphError):
    """The app, its user or this machine is blocked altogether. Retrying makes it worse."""


class VersionError(GraphError):
    """The pinned version of the API is no longer supported (2635)."""


class PermissionDeniedError(GraphError):
    """The token lacks a right on this account or field."""


class NotFoundError(GraphError):
    """No such object, or none that this token may see; Meta does not distinguish the two."""


class TooMuchDataError(GraphError):
    """The response would be too big or took too long."""


class CursorError(GraphError):
    """The cursor is no longer valid (2642)."""


class CursorStuckError(CursorError):
    """Paging does not advance."""


class TotalCountError(GraphError):
    """`summary.total_count` was requested from an edge that does not give one."""


class RunFailedError(GraphError):
    """A report run failed, was skipped or expired. `detail` has Meta's reason, if any."""


class RunHungError(RunFailedError):
    """We gave up a report run that Meta itself does not call failed."""


class UncertainWriteError(GraphError):
    """A write was sent and no response says whether it succeeded. It was not retried."""


class StoppedError(GraphError):
    """`GraphClient.stop` was called while this request waited."""


class RequestError(GraphError):
    """Meta will never accept this request."""


class FieldError(RequestError):
    """A field of the request is unknown, or not allowed here."""


class SpoiledPageError(RequestError):
    """One object of a page makes all of it fail, and Meta does not say which."""


class TooOldError(RequestError):
    """The range starts beyond the months that Meta keeps (3018)."""


#: Errors that every other request with this token would meet too: stop, and alert a person.
ENDS_EVERYTHING: Final = (TokenError, BlockedError, VersionError)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: which errors it matches, their class and the advice for a person.

    `subcode` None matches any. `text`, in lower case, must be in the message; empty matches any.
    """

    codes: Container[int | None]
    subcode: int | None
    text: str
    kind: type[GraphError]
    advice: str = ""
    limit: str = ""  # of a throttle: app, account, or one of them with _use_case


_RENEW = "Create a new access token and put it in FB_ACCESS_TOKEN."
_GRANT_ACCESS = "Give the token's user or system user access to this ad account, with ads_read."
_LESS = "Request fewer rows: smaller pages, a shorter time range, fewer ids or fields."
_CAPABILITY = "Give the app this capability in the app dashboard."
_TWO_FACTORS = "Turn on two-factor authentication for the token's user, or use a system user."
_LEAVE_OUT = "Leave out the fields that need more rights than ads_read."
_SUPPORTED = f"Set FB_API_VERSION to a supported version: {supported(READ_ON)}."
_WAIT = "Rate limit reached; it resets by itself."
_DASHBOARD = (
    "Check the app dashboard (https://developers.facebook.com/apps) for what Meta requires."
)
_TRY_LATER = "Retry; if it persists, check https://metastatus.com."
_CHECK_ID = "Check the id, and that the token may see the object."
#: The text of 100/33, which now and then comes without its subcode.
_UNSEEN = "does not exist, cannot be loaded due to missing permissions"
_FIX = "The request itself is wrong; retrying will not help."
_SPOILED = "Request fewer rows; read the object that fails without object_story_spec."
_LIST_AGAIN = "Run the same command again: it lists from the beginning."
_DEEP = (
    "The listing is longer than Meta lets anybody page: request parts of it, such as fewer days."
)

#: Codes that only say that something is wrong. Where Meta adds `is_transient`, that is the better
#: word (docs/graph-api.md#errors); every other line knows more than `is_transient` does.
ANY_MISTAKE: Final = Rule(
    (3, 12, 100, 105, 500, 506, 1150, 2500, 3001, 1609005), None, "", RequestError, _FIX
)

#: First match wins, so the specific comes before the general.
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
    Rule((100,), 1487534, "", TooMuchDataError, _LESS),
    Rule((100,), 1487535, "", TooMuchDataError, _LESS),
    # An error can come without its subcode: this text is enough.
    Rule((1, 100), None, "reduce the amount of data", TooMuchDataError, _LESS),
    Rule((100, 2), 1504018, "", TooMuchDataError, _LESS),
    Rule((2,), 1504038, "", TooMuchDataError, _LESS),
    Rule((-3,), 1504045, "", TooMuchDataError, _LESS),
    # Code 2 means "try again", but for these.
    Rule((2,), 1504041, "", RequestError, "These fields have no data with these breakdowns."),
    Rule((2,), 1504042, "", RequestError, "A custom metric of the request is not valid."),
    Rule((1,), 2853001, "", RequestError, "Link the profile to its delegate page."),
    # Reports and listings.
    Rule((2601,), None, "", NotReadyError, "The report cannot be read yet; read it again later."),
    Rule((100,), None, "in summary param because", RetryableError, "A temporary error; retry."),
    Rule((100,), None, "creating the report run", FieldError, "Request it when creating the run."),
    Rule((100,), None, "the after cursor specified exceeds", CursorError, _DEEP),
    Rule((2642,), None, "", CursorError, _LIST_AGAIN),
    Rule((100,), 2446211, "", SpoiledPageError, _SPOILED),
    Rule((100,), 1443048, "", SpoiledPageError, _SPOILED),
    # Temporary errors.
    Rule((-1, -2, 1, 2, 960), None, "", RetryableError, _TRY_LATER),
    Rule((1705,), None, "", RetryableError, _TRY_LATER),
    # The app, for all accounts at once. It comes with codes that otherwise mean one account.
    Rule(range(300), None, "api access blocked", BlockedError, _DASHBOARD),
    Rule(range(300), None, "api access deactivated", BlockedError, _DASHBOARD),
    Rule((5,), None, "", BlockedError, "Add this machine's address to the app's IP allowlist."),
    # The token.
    Rule((102, 190), 458, "", TokenError, "Authorize the app again, then create a new token."),
    Rule((102, 190), 459, "", TokenError, "Log in at facebook.com, then create a new token."),
    Rule((102, 190), 464, "", TokenError, "Confirm the user's account, then create a new token."),
    Rule((102, 190), 492, "", TokenError, "Give the token's user a role on the page."),
    Rule((102, 190), None, "", TokenError, _RENEW),
    Rule((104,), None, "", TokenError, "Put an access token in FB_ACCESS_TOKEN."),
    Rule((2500,), None, "access token", TokenError, _RENEW),
    Rule((100,), None, "appsecret_proof", TokenError, "Set FB_APP_SECRET to the app's secret."),
    Rule((294,), None, "", TokenError, "Create a token with ads_read or ads_management."),
    # What the token may not see. The text of 100/33 speaks of missing permissions as well.
    Rule((100,), 33, "", NotFoundError, _CHECK_ID),
    Rule((100,), None, _UNSEEN, NotFoundError, _CHECK_ID),
    Rule((33,), None, "", NotFoundError, _CHECK_ID),
    Rule((803,), None, "", NotFoundError, "Check the id."),
    Rule((3,), None, "capability", PermissionDeniedError, _CAPABILITY),
    Rule((415,), None, "", PermissionDeniedError, _TWO_FACTORS),
    Rule((10,), None, "", PermissionDeniedError, _GRANT_ACCESS),
    Rule((270,), None, "", PermissionDeniedError, "The app's tier allows only your own accounts."),
    Rule(range(200, 300), None, "requires business_management", PermissionDeniedError, _LEAVE_OUT),
    Rule(range(200, 300), None, "", PermissionDeniedError, _GRANT_ACCESS),
    Rule((100,), 3191001, "", PermissionDeniedError, _GRANT_ACCESS),
    Rule((100,), None, "missing permissions", PermissionDeniedError, _GRANT_ACCESS),
    Rule((100,), None, "unsupported request - method type", PermissionDeniedError, _LEAVE_OUT),
    # Configuration.
    Rule((368,), None, "", BlockedError, "Stop, and check the app's alerts at Meta."),
    Rule((2635,), None, "", VersionError, _SUPPORTED),
    Rule((3018,), None, "", TooOldError, "Meta keeps 37 months: choose a later start."),
    # Our own mistakes.
    Rule((12,), None, "field is deprecated", FieldError, "Leave this field out."),
    Rule((100,), None, "nonexisting", FieldError, "Leave this field out."),
    Rule((100,), None, "not valid for fields param", FieldError, "Leave this field out."),
    Rule((100,), 1815001, "", RequestError, "Take DELETED out of effective_status on this edge."),
    ANY_MISTAKE,
)  # fmt: skip


def rule_for(code: int | None, subcode: int | None, message: str) -> Rule | None:
    """The first line of `RULES` that matches, or None for an error that is not in the table."""
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
    """One line: what Meta said, about which request, and what to do."""
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
    text = " ".join(dict.fromkeys(filter(None, (detail.message, detail.user_message))))
    text = " ".join(filter(None, (text, f"[{known}]" if known else "", detail.advice)))
    return " ".join(text.split())
