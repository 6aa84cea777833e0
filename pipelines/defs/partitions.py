"""The partitions of Dagster's grid: one per ad account, or one per account and day, week or month.

Accounts are added when the token sees them and never removed: a key that is deleted takes its
history out of the UI. What a key means is in `loading.partitions`.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.errors import ConfigError
from pipelines.loading.accounts.stored import accounts_in
from pipelines.settings import FIRST_DAY, settings_of
from pipelines.state.history import default_since, history_since
from warehouse.decode.hours import zone_named
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["ACCOUNTS", "AD_ACCOUNTS", "WHOLE", "Grid", "account_days_of", "grid_of", "zone_ahead"]

_log = logging.getLogger(__name__)

#: Keys are ``act_123``. Filled by the asset `accounts`.
AD_ACCOUNTS: Final = "ad_accounts"
ACCOUNTS: Final = dg.DynamicPartitionsDefinition(name=AD_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Grid:
    """The days of all grids: the first one, and a time zone in which the newest has begun."""

    since: date = FIRST_DAY
    zone: str = "UTC"


#: Every day that Meta has, as far as UTC has begun it.
WHOLE: Final = Grid()


def account_days_of(
    grid: Grid, start: date = FIRST_DAY, period: Period = Period.DAY
) -> dg.MultiPartitionsDefinition:
    """The grid of a report that begins on a day, of days, weeks or months.

    Days have no zone of their own here: each account reads them in its own. The last one is today
    in the zone that is furthest ahead; for other accounts it is skipped until it has begun there. A
    week or month is there from its first day on, and none that begins before the grid does.
    """
    first = max(start, grid.since).isoformat()
    more = {"timezone": grid.zone, "end_offset": 1}
    return dg.MultiPartitionsDefinition(
        {"account": ACCOUNTS, "date": _WINDOWS[period](start_date=first, **more)}
    )


#: Dagster's days, weeks from Monday, months; keys are their first days.
_WINDOWS: Final[Mapping[Period, Callable[..., dg.PartitionsDefinition[str]]]] = {
    Period.DAY: dg.DailyPartitionsDefinition,
    Period.WEEK: partial(dg.WeeklyPartitionsDefinition, day_offset=1),
    Period.MONTH: dg.MonthlyPartitionsDefinition,
}


def grid_of(environ: Mapping[str, str], now: datetime) -> Grid:
    """The grid of a lake: of its history and of the clocks of its accounts, as far as settings and
    lake can be read. What cannot be must not take all of Dagster's pages with it.
    """
    since = default_since(now.date())
    zones: Sequence[str] = ()
    try:
        settings = settings_of(environ)
        lake = Lake(settings.warehouse_url)
        since = settings.history_since or since
        since = history_since(lake, settings.history_since, now.date())
        zones = [account.timezone_name for account in accounts_in(lake).values()]
    except (ConfigError, WarehouseError, OSError) as error:
        _log.warning("The grids begin and end as in a new lake: %s", error)
    return Grid(since, zone_ahead(zones, now.year))


def zone_ahead(zones: Iterable[str], year: int) -> str:
    """A time zone without summer time that is as far ahead as the first of some, rounded up to an
    hour: in some of them midnight does not exist once a year.
    """
    ahead = [_hours_ahead(zone, datetime(year, month, 1, tzinfo=UTC)) for zone in zones
             for month in (1, 7)]  # fmt: skip
    hours = max(ahead, default=0)
    # As POSIX has it: west is positive.
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def _hours_ahead(zone: str, at: datetime) -> int:
    offset = at.astimezone(zone_named(zone)).utcoffset() or timedelta()
    return math.ceil(offset / timedelta(hours=1))
