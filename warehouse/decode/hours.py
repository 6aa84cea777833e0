"""Hours to instants: the 24 hours of a wall clock, on any day in any time zone.

A wall clock that jumps has hours that do not exist and hours that occur twice. One rule covers
all of it: hour h starts at the first instant at which the account's clock shows its date and
h:00, or later. It ends where the next one starts, so the 24 hours tile the day. An hour that is
skipped has 0 seconds, one that occurs twice has both of them: 7200. Lord Howe moves by half an
hour: 1800 and 5400.

Zones come from the `tzdata` wheel, not from the machine: the databases of the system, of pyarrow
and of DuckDB disagree about some zones, and results must not depend on where they are computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from warehouse.errors import UnknownZoneError
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import JUST_OVER, NOT_OVER

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "HOURS_A_DAY",
    "INTRADAY_DELAY",
    "DayHours",
    "Progress",
    "hours_of",
    "instant_of",
    "minute_of",
    "over_at",
    "progress_of",
    "since_over",
    "today_in",
    "why_not_over",
    "zone_named",
]

HOURS_A_DAY: Final = 24

#: How long after the end of a day Meta still counts what was delivered in it: at midnight about a
#: tenth of the day is missing. Elapsed time, whatever the clock does meanwhile. Our choice.
OVER_AFTER: Final = timedelta(hours=3)

#: How long after the end of an hour Meta still counts what was delivered in it, unless
#: FB_INTRADAY_DELAY_MINUTES says otherwise. Measured by a user of Meta's: 90 % of a day is there at
#: its end, 97 % two hours later, 99 % after three.
INTRADAY_DELAY: Final = timedelta(hours=3)

_ZONE_NAME: Final = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of one day: epoch seconds of 24 starts and ends, and how long each lasts."""

    starts: Sequence[int]
    ends: Sequence[int]

    @property
    def seconds(self) -> Sequence[int]:
        return tuple(end - start for start, end in zip(self.starts, self.ends, strict=True))


class Progress(NamedTuple):
    """How much of an open day can be called whole: the last hour that can (None if none can yet),
    and the share of the day's seconds that are gone by its end, from 0 to 1.
    """

    last_whole_hour: int | None
    day_gone: float


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """Load a zone from the `tzdata` wheel. Raises UnknownZoneError."""
    if not _ZONE_NAME.fullmatch(name):
        raise UnknownZoneError(name)
    try:
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError) as error:  # a folder, no such file, or a file of another kind
        raise UnknownZoneError(name) from error


def today_in(timezone_name: str, now: datetime) -> date:
    """The calendar day that `now`, an aware instant, is in for an account of this zone.

    Raises UnknownZoneError.
    """
    return now.astimezone(zone_named(timezone_name)).date()


@lru_cache(maxsize=4096)
def hours_of(zone: str, day: date) -> DayHours:
    """The hours of `day` in `zone`. Raises UnknownZoneError."""
    info = zone_named(zone)
    midnight = datetime.combine(day, time())
    walls = [midnight + timedelta(hours=hour) for hour in range(HOURS_A_DAY + 1)]
    edges = [_first_instant(wall, info) for wall in walls]
    pairs = list(pairwise(edges))
    return DayHours(tuple(start for start, _ in pairs), tuple(end for _, end in pairs))


def over_at(zone: str, day: date) -> datetime:
    """When a day counts as over: `OVER_AFTER` its end by the clock of `zone`, in UTC.

    Raises UnknownZoneError.
    """
    return datetime.fromtimestamp(hours_of(zone, day).ends[-1], UTC) + OVER_AFTER


def since_over(zone: str, last: date, at: datetime, until: date | None = None) -> timedelta:
    """How long a day, or the period whose `last` day it is, had been over at an instant; negative
    if it was not. `until`: the last day that was requested, if it may be an earlier one: numbers
    that end there know no more, whenever they came. Raises UnknownZoneError.
    """
    if until is not None and until < last:
        at = min(at, over_at(zone, until) - OVER_AFTER)
    return at - over_at(zone, last)


def why_not_over(since: timedelta, period: Period = Period.DAY) -> str:
    """That a day, week or month was not over, in words; "" if it was. `since` as `since_over`."""
    if since >= timedelta():
        return ""
    words = JUST_OVER if since >= -OVER_AFTER else NOT_OVER
    return words.replace(Period.DAY, period)


def progress_of(zone: str, day: date, asked_at: datetime, delay: timedelta) -> Progress:
    """What was whole of a day when Meta was asked: the hours that had ended `delay` before.

    An hour that occurs twice is whole after its second time. One that the clock skips ends when it
    starts, so the clock shows its end when the hour before it ends. Raises UnknownZoneError.
    """
    hours = hours_of(zone, day)
    first, last = hours.starts[0], hours.ends[-1]
    until = (asked_at - delay).timestamp()
    ended = [hour for hour, end in enumerate(hours.ends) if first < end <= until]
    if not ended:
        return Progress(None, 0.0)
    return Progress(ended[-1], (hours.ends[ended[-1]] - first) / (last - first))


def minute_of(zone: str, day: date, at: datetime) -> float:
    """The minute of a day's wall clock; beyond its ends by elapsed time. An hour that occurs twice
    passes at half the speed. Raises UnknownZoneError.
    """
    hours, epoch = hours_of(zone, day), at.timestamp()
    if epoch < hours.starts[0]:
        return (epoch - hours.starts[0]) / 60
    if epoch >= hours.ends[-1]:
        return 60 * HOURS_A_DAY + (epoch - hours.ends[-1]) / 60
    for hour, (start, end) in enumerate(zip(hours.starts, hours.ends, strict=True)):
        if start <= epoch < end:
            return 60 * (hour + (epoch - start) / (end - start))
    raise AssertionError("the hours of a day have no gaps")


def instant_of(zone: str, day: date, minute: float) -> datetime:
    """The opposite of `minute_of`, in UTC. All minutes of an hour that is skipped are one instant,
    that of the jump. Raises UnknownZoneError.
    """
    hours = hours_of(zone, day)
    hour, of_hour = divmod(minute, 60)
    if minute < 0:
        epoch = hours.starts[0] + 60 * minute
    elif hour >= HOURS_A_DAY:
        epoch = hours.ends[-1] + 60 * (minute - 60 * HOURS_A_DAY)
    else:
        start, end = hours.starts[int(hour)], hours.ends[int(hour)]
        epoch = start + (end - start) * of_hour / 60
    return datetime.fromtimestamp(epoch, UTC)


def _first_instant(wall: datetime, zone: ZoneInfo) -> int:
    """Epoch second at which the clock of `zone` first shows `wall` or later."""
    first = _epoch(wall.replace(tzinfo=zone, fold=0))
    if _wall(first, zone) == wall:
        return first  # it exists; where it occurs twice, fold 0 is the first time
    # It is skipped. Read with the offset after the jump it is before the jump, and with the one
    # before the jump at or after it; in between the wall clock only ever grows.
    before, after = _epoch(wall.replace(tzinfo=zone, fold=1)), first
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(middle, zone) >= wall:
            after = middle
        else:
            before = middle
    return after


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _wall(epoch: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).astimezone(zone).replace(tzinfo=None, fold=0)
