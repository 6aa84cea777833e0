"""How much of its limits a call has used, as told by the headers of every answer, failed ones too.

Sources: Graph API, Rate limits; Marketing API, Rate limiting; Insights API, Best practices.
All figures are percent of the limit and may pass 100. A missing header means little use.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Usage", "usage_of"]

#: Figures in the headers that are a share of a limit.
_SHARES: Final = frozenset({
    *("call_count", "total_time", "total_cputime"),
    *("acc_id_util_pct", "app_id_util_pct"),
})  # fmt: skip

#: Hints of how long to wait → the seconds in one of their unit.
_WAIT_UNITS: Final[Mapping[str, float]] = {
    "estimated_time_to_regain_access": 60.0,  # minutes
    "reset_time_duration": 1.0,
}

_HEADERS: Final[Sequence[str]] = (
    "x-app-usage",
    "x-ad-account-usage",
    "x-business-use-case-usage",
    "x-fb-ads-insights-throttle",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """The view that one answer gives: the busiest share by header, and Meta's own wait, if any."""

    percent_by_header: Mapping[str, float] = field(default_factory=dict)
    regain_seconds: float | None = None
    access_tier: str = ""

    @property
    def percent(self) -> float:
        """The busiest of all shares; 0 when no header came."""
        return max(self.percent_by_header.values(), default=0.0)


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read the usage headers. One that cannot be read is passed over: it must not fail a call."""
    percents: dict[str, float] = {}
    waits: list[float] = []
    tier = ""
    for name in _HEADERS:
        for entry in _entries(headers.get(name)):
            shares = [v for k, v in entry.items() if k in _SHARES and _is_number(v)]
            if shares:
                percents[name] = max(percents.get(name, 0.0), *shares)
            waits.extend(_waits(entry))
            tier = str(entry.get("ads_api_access_tier") or tier)
    return Usage(percents, max(waits, default=None), tier)


def _waits(entry: Mapping[str, Any]) -> Iterator[float]:
    """Meta's own hints, in seconds."""
    for key, unit_seconds in _WAIT_UNITS.items():
        value = entry.get(key)
        if _is_number(value) and value > 0:
            yield value * unit_seconds


def _entries(text: str | None) -> Iterator[Mapping[str, Any]]:
    """The flat objects in a header: itself, or one per object id and use case."""
    try:
        found = json.loads(text or "null", parse_int=float)  # an int may be too long for a float
    except (ValueError, RecursionError):
        return
    if isinstance(found, Mapping):
        yield found
        for entries in found.values():
            if isinstance(entries, list):
                yield from (entry for entry in entries if isinstance(entry, Mapping))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, float) and math.isfinite(value)
