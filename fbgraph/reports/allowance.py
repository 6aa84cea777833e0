"""How many report runs may be in flight and how many calls under way, and how patiently runs are
polled, by the shares of the limits. Meta publishes no number of report runs
(docs/graph-api.md#report-runs): the numbers are our choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from fbgraph.limits.usage import Limit

__all__ = ["ACCOUNT_CALLS", "ACCOUNT_RUNS", "APP_CALLS", "APP_RUNS", "allowed", "patience"]

#: Report runs in flight, and calls under way, at most; `allowed` reduces them.
ACCOUNT_RUNS: Final = 5
APP_RUNS: Final = 30
ACCOUNT_CALLS: Final = 3
APP_CALLS: Final = 12

#: (busiest share in percent, the part of the maximum that it allows), highest first.
_ALLOWED_AT: Final[Sequence[tuple[float, float]]] = ((95.0, 0.1), (85.0, 0.25), (70.0, 0.5))


def allowed(usage: Mapping[Limit, float], account_id: str, most: int) -> int:
    """How many of `most` report runs may be in flight, or calls under way, for one account or,
    without one, for the app. It follows the shares of the limits, so nothing that could have waited
    uses them up.
    """
    return max(1, int(most * _part_allowed(usage, {account_id})))


def patience(usage: Mapping[Limit, float], account_id: str) -> float:
    """How many times longer than usual to wait before the next poll of a run: the less is left of a
    limit, the more it is needed for requests that return rows.
    """
    return 1 / _part_allowed(usage, {"", account_id})


def _part_allowed(usage: Mapping[Limit, float], account_ids: Collection[str]) -> float:
    shares = (percent for limit, percent in usage.items() if limit.account_id in account_ids)
    busiest = max(shares, default=0.0)
    return next((part for level, part in _ALLOWED_AT if busiest >= level), 1.0)
