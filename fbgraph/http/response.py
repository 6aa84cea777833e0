"""Responses: from their bytes to JSON, or to the exception that they mean.

Meta's error bodies are odder than documented: `error` has been a string, `error_data` an object,
JSON text or the word null; HTML, nothing at all and "Service Unavailable" with status 200 are real
responses. Reading them must never fail by itself, so nothing here assumes a type.
Sources: Graph API, Handling errors; facebook-python-business-sdk issues 145, 272, 414, 563, 573.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from fbgraph.errors import (
    ANY_MISTAKE,
    Detail,
    GraphError,
    RequestError,
    RetryableError,
    RunFailedError,
    ThrottledError,
    rule_for,
)
from fbgraph.http.parsing import DEEPEST, loads, too_deep

__all__ = [
    "NOT_METAS",
    "Response",
    "error_of_run",
    "integer",
    "item_headers",
    "parse",
    "scrub",
    "text_ids",
    "token_data",
]

#: Secrets by the name before them, in a URL or in JSON: other tokens than ours come in bodies too.
_NAMED_SECRET: Final = re.compile(
    r"(access_token|appsecret_proof|client_secret|fb_exchange_token|input_token)"
    r"(=|%3[Dd]|\\?[\"']\s*:\s*\\?[\"'])[^&\"'\\\s]+"
)

#: A shorter text is not treated as a secret: replacing it would eat common words.
_SECRET_CHARACTERS: Final = 8

#: What `paging` names its links.
_LINKS: Final = ("next", "previous")

_NESTED: Final = (dict, list)

_NOT_LISTED: Final = (
    "fbinsights does not know this code: check Meta's error reference, and please report it."
)
_SHOWN_CHARACTERS: Final = 200
_SERVER_FAULT: Final = 500
_BAD_REQUEST: Final = 400
_REDIRECT: Final = 300
_NOT_MODIFIED: Final = 304
_TOO_MANY: Final = 429
_ELSEWHERE: Final = "Check FB_GRAPH_URL and any proxy between you and Meta."
#: What to do about a response that Meta would not send.
NOT_METAS: Final = f"If it persists, check https://metastatus.com. {_ELSEWHERE}"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret, and each token by its name, with a placeholder.

    For texts that people read: Meta prints tokens in messages ("Malformed access token EAA...").
    Never for rows: a token that is short enough would be found inside of real values.
    """
    for secret in secrets:
        if len(secret) >= _SECRET_CHARACTERS:
            text = text.replace(secret, "<hidden>")
    return _NAMED_SECRET.sub(r"\1\2<hidden>", text)


def parse(  # noqa: PLR0913  # the parts of one response, by name
    status: int,
    body: bytes,
    *,
    call: str = "",
    cooldown_seconds: float | None = None,
    retry_after_seconds: float | None = None,
    hide: Callable[[str], str] = str,
) -> Mapping[str, Any] | list[Any]:
    """The JSON object or list of a response.

    Raises the GraphError that the response means: by `errors.RULES` for an `error`, RetryableError
    for one that is not JSON, is empty or has a status of 5xx, RequestError for other bad statuses
    and for redirects: the token is sent to no other address. Without an `error`, HTTP 429 or a
    ``Retry-After`` is a ThrottledError that holds up everything.
    `hide` takes secrets out of Meta's texts before they become part of an error.
    """
    if _REDIRECT <= status < _BAD_REQUEST and status != _NOT_MODIFIED:
        text = "The response is a redirect, which the client does not follow."
        raise RequestError(Detail(text, status=status, call=call, advice=_ELSEWHERE))
    unclear = _throttled if status == _TOO_MANY or retry_after_seconds else RetryableError
    known = Detail("", status=status, call=call, cooldown_seconds=retry_after_seconds)
    other = replace(known, advice=NOT_METAS)
    if not body.strip():
        raise unclear(replace(other, message="The response is empty."))
    try:
        parsed = loads(body)
    except ValueError:  # HTML, "Service Unavailable", a body cut short
        shown = hide(body.decode("utf-8", "replace"))[:_SHOWN_CHARACTERS]
        raise unclear(replace(other, message=f"The response is not JSON: {shown!r}")) from None
    if isinstance(parsed, dict) and "error" in parsed:
        raise _error(parsed["error"], known, cooldown_seconds, hide)
    if status >= _BAD_REQUEST or not isinstance(parsed, dict | list):
        is_mistake = unclear is RetryableError and _BAD_REQUEST <= status < _SERVER_FAULT
        shown = hide(str(parsed))[:_SHOWN_CHARACTERS]
        kind = RequestError if is_mistake else unclear
        raise kind(replace(other, message=f"Unexpected response: {shown}"))
    return parsed


def _throttled(detail: Detail) -> ThrottledError:
    """Too many requests, and Meta does not say whose limit it is: everybody waits."""
    return ThrottledError(replace(detail, limit="app"))


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it came, to a request or to an item of a batch. `call`: method and path.

    `cooldown_seconds`: how long its usage headers say to wait; `retry_after_seconds`: and its
    ``Retry-After``. `hide` takes secrets out of texts.
    """

    status: int
    body: bytes
    call: str = ""
    cooldown_seconds: float | None = None
    hide: Callable[[str], str] = str
    retry_after_seconds: float | None = None

    @classmethod
    def of_item(
        cls, item: object, call: str, cooldown_seconds: float | None, hide: Callable[[str], str]
    ) -> Self:
        """The response inside one item of a batch. Raises RetryableError for null.

        Source: Graph API, Batch requests: an item that did not finish in time is null.
        """
        if not isinstance(item, Mapping):
            raise RetryableError(Detail("The item of the batch has no response.", call=call))
        content = item.get("body")
        body = json.dumps(content) if isinstance(content, dict | list) else _text(content)
        return cls(integer(item.get("code")) or 0, body.encode(), call, cooldown_seconds, hide)

    def json(self) -> Mapping[str, Any] | list[Any]:
        """Its JSON. Raises as `parse` does."""
        return parse(
            self.status,
            self.body,
            call=self.call,
            cooldown_seconds=self.cooldown_seconds,
            retry_after_seconds=self.retry_after_seconds,
            hide=self.hide,
        )


def item_headers(item: object) -> Mapping[str, str]:
    """Headers of an item of a batch, by name in lower case; none where they are left out."""
    found = item.get("headers") if isinstance(item, Mapping) else None
    pairs = [pair for pair in found if isinstance(pair, Mapping)] if isinstance(found, list) else []
    return {_text(pair.get("name")).lower(): _text(pair.get("value")) for pair in pairs}


def token_data(response: Response) -> Mapping[str, Any]:
    """What `debug_token` says. Raises RetryableError for a response without it."""
    found = response.json()
    data = found.get("data") if isinstance(found, Mapping) else None
    if not isinstance(data, Mapping):
        raise RetryableError("Meta's response says nothing about the token.")
    return data


def text_ids(value: Any) -> Any:
    """JSON with every id as text: a reader that takes an id for a float loses its last digits.

    Most ids come as text, some as numbers, ``report_run_id`` among them. Links to other pages
    contain the token; here it is hidden. What nests deeper than `DEEPEST` is NaN.
    """
    return _text_ids(value, 1)


def _text_ids(value: Any, depth: int) -> Any:
    if depth > DEEPEST and isinstance(value, _NESTED):
        return too_deep()
    if isinstance(value, dict):
        return {
            key: inner if type(inner) is str and key not in _LINKS else _tidy(key, inner, depth)
            for key, inner in value.items()
        }
    return [_text_ids(one, depth + 1) for one in value] if isinstance(value, list) else value


def _tidy(key: str, value: Any, depth: int) -> Any:
    if isinstance(value, _NESTED):
        return _text_ids(value, depth + 1)
    if type(value) is int and (key == "id" or key.endswith("_id")):
        return str(value)
    return scrub(value, ()) if key in _LINKS and isinstance(value, str) else value


def error_of_run(
    body: Mapping[str, Any], status: str, hide: Callable[[str], str] = str
) -> GraphError:
    """The exception that a failed report run means, from the error fields of its poll (v25+).

    Source: Insights API, error codes. Without error fields, as before v25: RunFailedError.
    """
    code, subcode = integer(body.get("error_code")), integer(body.get("error_subcode"))
    message = hide(_text(body.get("error_message"))) or f"The report run ended as {status!r}."
    rule = rule_for(code, subcode, message)
    kind = RunFailedError if rule is None or rule.kind is RetryableError else rule.kind
    return kind(
        Detail(
            message,
            code=code,
            subcode=subcode,
            title=hide(_text(body.get("error_user_title"))),
            user_message=hide(_text(body.get("error_user_msg"))),
            call=f"report run {_text(body.get('id'))}",
            advice="" if rule is None else rule.advice,
        )
    )


def _error(
    error: object, known: Detail, cooldown_seconds: float | None, hide: Callable[[str], str]
) -> GraphError:
    values = error if isinstance(error, Mapping) else {"message": error}
    code, subcode = integer(values.get("code")), integer(values.get("error_subcode"))
    message = hide(_text(values.get("message"))) or "Meta returned an error without a message."
    transient = values.get("is_transient")
    rule = rule_for(code, subcode, message)
    kind, advice = (GraphError, _NOT_LISTED) if rule is None else (rule.kind, rule.advice)
    if code is None or (transient is True and rule in (None, ANY_MISTAKE)):
        kind, advice = RetryableError, ""
    if issubclass(kind, ThrottledError) and cooldown_seconds:
        cooldown_seconds = max(cooldown_seconds, known.cooldown_seconds or 0.0)
    else:
        cooldown_seconds = known.cooldown_seconds
    return kind(
        replace(
            known,
            message=message,
            code=code,
            subcode=subcode,
            title=hide(_text(values.get("error_user_title"))),
            user_message=hide(_text(values.get("error_user_msg"))),
            type=hide(_text(values.get("type"))),
            fbtrace_id=hide(_text(values.get("fbtrace_id"))),
            is_transient=transient if isinstance(transient, bool) else None,
            blamed_fields=tuple(map(hide, _blamed(values.get("error_data")))),
            advice=advice,
            cooldown_seconds=cooldown_seconds,
            limit="" if rule is None else rule.limit,
        )
    )


def _blamed(error_data: object) -> tuple[str, ...]:
    """Fields that `error_data` blames: `blame_field`, or `blame_field_specs` as lists of paths."""
    if isinstance(error_data, str):
        try:
            error_data = json.loads(error_data)
        except (ValueError, RecursionError):
            return ()
    if not isinstance(error_data, Mapping):
        return ()
    specs = error_data.get("blame_field_specs")
    named = [
        ".".join(map(_text, spec)) if isinstance(spec, list) else _text(spec)
        for spec in (specs if isinstance(specs, list) else ())
    ]
    single = error_data.get("blame_field")
    return tuple(named if single is None else [_text(single), *named])


def integer(value: object) -> int | None:
    """The whole number that JSON holds, or None. Codes come as numbers and, at times, as text."""
    try:
        return None if isinstance(value, bool) else int(value)  # type: ignore[call-overload]  # whatever JSON holds
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    """`value` as text that can be written anywhere: JSON can hold half a surrogate pair."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
