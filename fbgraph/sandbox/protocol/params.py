"""Parameters of requests, read one by one. Each function takes the text and returns a value or
refuses.

Lists and objects are JSON text; a list of plain words may be comma text as well. Meta's own parser
also takes unquoted keys and single quotes; this one wants strict JSON. Source:
docs/graph-api.md#requests.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "COMMON",
    "check_names",
    "flag",
    "json_value",
    "limit",
    "moment",
    "one_of",
    "some_of",
    "when",
    "words",
]

DEFAULT_LIMIT: Final = 25

#: Parameters that every endpoint accepts. ``pretty`` and ``debug`` do nothing any more.
COMMON: Final = frozenset(
    """
    access_token appsecret_proof appsecret_time debug fields include_headers locale method pretty
    suppress_http_code
    """.split()
)

#: Removed from the platform in 2026: parameter → refusal. Source: docs/graph-api.md#retirements.
REMOVED: Final[Mapping[str, str]] = {"ids": "ids_removed", "date_format": "date_format_removed"}


def check_names(params: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse the first parameter that is neither common nor `known`."""
    for name in params:
        if name in REMOVED:
            raise refused(REMOVED[name])
        if name not in COMMON and name not in known:
            raise refused("unknown_parameter", name=name)


def json_value(params: Mapping[str, str], name: str, kind: type[list[Any] | dict[str, Any]]) -> Any:
    """A parameter that must be JSON of one kind; an empty one of it when absent."""
    text = params.get(name)
    if not text:
        return kind()
    wanted = "an array" if kind is list else "a valid JSON object"
    try:
        value = json.loads(text)
    except ValueError:
        raise refused("bad_type", name=name, wanted=wanted) from None
    if not isinstance(value, kind):
        raise refused("bad_type", name=name, wanted=wanted)
    return value


def words(params: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list of words: comma text or a JSON list of strings. Repeated ones count once."""
    text = params.get(name, "").strip()
    if text.startswith(("[", "{")):
        found = json_value(params, name, list)
        if not all(isinstance(word, str) for word in found):
            raise refused("bad_type", name=name, wanted="an array of strings")
    else:
        found = [word.strip() for word in text.split(",") if word.strip()]
    return tuple(dict.fromkeys(found))


def some_of(params: Mapping[str, str], name: str, known: Collection[str]) -> tuple[str, ...]:
    """`words`; each must be `known`."""
    found = words(params, name)
    for at, word in enumerate(found):
        _check(f"{name}[{at}]", word, known)
    return found


def one_of(params: Mapping[str, str], name: str, known: Collection[str], default: str) -> str:
    word = params.get(name) or default
    _check(name, word, known)
    return word


def _check(name: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        raise refused("not_one_of", name=name, values=", ".join(sorted(known)), got=word)


def limit(params: Mapping[str, str]) -> int:
    """``limit``, 25 when absent."""
    text = params.get("limit") or str(DEFAULT_LIMIT)
    if not text.isdecimal() or int(text) < 1:
        raise refused("bad_type", name="limit", wanted="an integer greater than zero")
    return int(text)


def flag(params: Mapping[str, str], name: str) -> bool:
    """``true`` and ``1`` are yes."""
    return params.get(name, "").lower() in {"true", "1"}


def moment(params: Mapping[str, str], name: str) -> datetime:
    """Epoch seconds, or a date or time, in UTC where it has no zone."""
    text = params[name]
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise refused("bad_type", name=name, wanted="a valid date or time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def when(text: object, name: str) -> date:
    """A calendar date, ``YYYY-MM-DD`` and nothing more."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise refused("bad_dates", name=name, why=f"Must be a date like 2026-11-21: {text}")
    return day
