"""Usage headers: how much of its limits a token has used, as every response reports it.

Four headers report it, on failed responses and items of a batch too, and a fifth for reach.
Sources: Graph API, Rate limits; Marketing API, Rate limiting; Insights API, Best practices. All
shares are percent of the limit and may pass 100. A missing header means little use.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Limit", "Metered", "Reading", "Usage", "retry_after_seconds", "usage_of"]

#: Figures in the headers that are a share of a limit.
_SHARES: Final = frozenset({
    *("call_count", "total_time", "total_cputime"),
    *("acc_id_util_pct", "app_id_util_pct"),
})  # fmt: skip


#: What the use cases of limits are called.
_USE_CASES: Final[Mapping[str, str]] = {"ads_insights": "insights", "ads_management": "objects"}


class Metered(Protocol):
    """A request that counts against limits: its account (digits, "" if unknown) and use case."""

    @property
    def account_id(self) -> str: ...
    @property
    def use_case(self) -> str: ...


class Limit(NamedTuple):
    """Whose limit: of one account or, without, of the app; of one use case or, without, of all."""

    account_id: str = ""
    use_case: str = ""

    def named(self, whose: str) -> str:
        """As people read it: ``the app's limit for insights`` if it is `whose` ``the app's``."""
        case = _USE_CASES.get(self.use_case, self.use_case)
        return f"{whose} limit for {case}" if case else f"{whose} limit"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one header says of one limit: the busiest share, and Meta's own wait in seconds."""

    limit: Limit
    header: str
    percent: float = 0.0
    regain_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one response reports."""

    readings: Sequence[Reading] = ()
    access_tier: str = ""

    @property
    def percent(self) -> float:
        """The busiest of all shares; 0 when no header came."""
        return max((reading.percent for reading in self.readings), default=0.0)

    def regain_seconds(self, account_id: str = "") -> float | None:
        """The longest wait that Meta names for an account and the app, or None. In a refusal it is
        how long to wait. Without `account_id` it is not known whose request it was, and all count.
        """
        owners = {"", account_id} if account_id else {one.limit.account_id for one in self.readings}
        waits = (one.regain_seconds for one in self.readings if one.limit.account_id in owners)
        return max(waits, default=0.0) or None


#: Keys that hint at a wait → the seconds in one of their unit.
_WAIT_UNITS: Final[Mapping[str, float]] = {
    "estimated_time_to_regain_access": 60.0,  # minutes
    "reset_time_duration": 1.0,
}

#: header → (key of a share, the use case whose limit it is a share of); for the app and, where the
#: key speaks of an account, for the account of the call.
_FLAT: Final[Mapping[str, str]] = {
    "x-app-usage": "",
    "x-ad-account-usage": "",
    "x-fb-ads-insights-throttle": "ads_insights",
    "x-fb-ads-insights-reach-throttle": "reach",
}
_BY_OBJECT: Final = "x-business-use-case-usage"


def usage_of(headers: Mapping[str, str], account_id: str = "") -> Usage:
    """Read the usage headers of a response about `account_id`, where that is known.

    A header that cannot be read is skipped: it must not fail a request.
    """
    return _usage(headers.get(_BY_OBJECT), tuple(map(headers.get, _FLAT)), account_id)


@lru_cache(maxsize=256)  # the 50 items of a batch mostly say the same
def _usage(text: str | None, flat: Sequence[str | None], account_id: str) -> Usage:
    tier = ""
    readings: list[Reading] = []
    by_object = list(_by_object(text))
    owners = {owner for owner, _ in by_object}
    if not account_id and len(owners) == 1:
        account_id = owners.pop()  # the header names whose call it was
    for owner, entry in by_object:
        case = entry.get("type")
        limit = Limit(owner, case if isinstance(case, str) else "")
        readings += _readings(_BY_OBJECT, entry, limit, limit)
        tier = _tier(entry) or tier
    for (header, use_case), of_header in zip(_FLAT.items(), flat, strict=True):
        entry = _object(of_header)
        readings += _readings(header, entry, Limit("", use_case), Limit(account_id, use_case))
        tier = _tier(entry) or tier
    return Usage(tuple(readings), tier)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long ``Retry-After`` says to wait, by seconds or by a date, or None. Proxies and Meta's
    own gateways send it. A date is compared with the server's own clock, where it tells the time.

    Source: RFC 9110, section 10.2.3.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+", value, re.ASCII):
        return float(value) or None
    until = _http_date(value)
    if until is None:
        return None
    return max((until - (_http_date(headers.get("date", "")) or now)).total_seconds(), 0.0) or None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _readings(
    header: str, entry: Mapping[str, Any], of_app: Limit, of_account: Limit
) -> Iterator[Reading]:
    """The shares in one flat object; those whose key begins with ``acc`` are the account's."""
    wait = max(_waits(entry), default=0.0)
    of_both = {of_app: 0.0, of_account: 0.0}
    named = [(key, value) for key, value in entry.items() if key in _SHARES and _is_share(value)]
    for key, value in named:
        limit = of_account if key.startswith("acc") else of_app
        of_both[limit] = max(of_both[limit], float(value))
    waits_for = of_account if "reset_time_duration" in entry else of_app
    for limit, percent in of_both.items():
        regain = wait if limit == waits_for else 0.0
        if percent or regain:
            yield Reading(limit, header, percent, regain)


def _waits(entry: Mapping[str, Any]) -> Iterator[float]:
    """Meta's own hints, in seconds."""
    for key, unit_seconds in _WAIT_UNITS.items():
        if _is_share(value := entry.get(key)) and math.isfinite(value * unit_seconds):
            yield value * unit_seconds


def _by_object(text: str | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(object id, one entry) of the header that has a list of use cases for each object."""
    for owner, entries in _object(text).items():
        if isinstance(entries, list):
            yield from ((owner, entry) for entry in entries if isinstance(entry, Mapping))


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "null", parse_int=float)  # an int may be too long for a float
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _tier(entry: Mapping[str, Any]) -> str:
    tier = entry.get("ads_api_access_tier")
    return tier if isinstance(tier, str) else ""


def _is_share(value: object) -> TypeGuard[float]:
    return isinstance(value, float) and math.isfinite(value) and value > 0
