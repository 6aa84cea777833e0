"""How late insights know what was delivered, where a scenario asks for Meta's delay.

Money moves first: the counter `amount_spent` shows at once what reports learn within hours. At an
account's midnight reports have about 90 % of its day, an hour later 92 %, then 97 % and 99 %, and
all of it 18 hours after the day's end. Source: PowerMyAnalytics' help pages, of busy accounts;
production logs of facebook-ads-stop-bot.
"""

from __future__ import annotations

from datetime import datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.days import ONE_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

__all__ = ["SETTLED_HOURS", "settling"]

#: So long after a day's end nothing of it is missing.
SETTLED_HOURS: Final = 18

#: Hours since something was delivered → the share of it that is known; straight lines between.
KNOWN: Final[Sequence[tuple[float, float]]] = (
    *((0, 0.0), (0.5, 0.1), (1, 0.34), (2, 0.66), (3, 0.87), (4, 0.985), (SETTLED_HOURS, 1.0)),
)

#: Hours since an account's midnight → how far reports have come by then. They fall behind at first,
#: when all accounts of a zone end a day, and have caught up after some hours.
PROCESSED: Final[Sequence[tuple[float, float]]] = (
    *((0, 0.0), (1, 0.35), (2, 1.8), (3, 3.2), (4, 4.0), (48, 48.0)),
)


def settling(now: datetime, zone: ZoneInfo) -> Callable[[datetime], float]:
    """The share of each hour that is known; it never falls while `now` goes on."""
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    # Two instants in one zone subtract by the wall clock; hours are real ones here.
    since = (now - midnight.astimezone(now.tzinfo)) / ONE_HOUR
    behind = since - _between(PROCESSED, since)

    def share_of(start: datetime) -> float:
        age = (now - start) / ONE_HOUR - behind
        return min(1.0, _known_until(age) - _known_until(age - 1))

    return share_of


def _between(table: Sequence[tuple[float, float]], at: float) -> float:
    """A table's value between two of its rows."""
    for (a, low), (b, high) in pairwise(table):
        if at < b:
            return low + (high - low) * (at - a) / (b - a)
    return table[-1][1]


def _known_until(age: float) -> float:
    """How many hours' worth is known of what came evenly since `age` hours ago."""
    total = 0.0
    for (a, low), (b, high) in pairwise(KNOWN):
        if age <= a:
            return total
        end = min(age, b)
        total += (low + low + (high - low) * (end - a) / (b - a)) / 2 * (end - a)
    return total + max(0.0, age - KNOWN[-1][0])
