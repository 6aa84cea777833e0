"""The schedules of refreshes: each account daily, early in its own morning, and the whole lookback
on Sundays.

They tick at every full hour and take the accounts for which it is the right hour by their own
clocks: in Auckland yesterday is over 21 hours before it is in Los Angeles, and so it is loaded
earlier. Many of them become several runs, a slice of the accounts each (FB_ACCOUNTS_PER_RUN).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of schedules as objects.
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import dagster as dg

from pipelines.defs.slices import REFRESH_JOB, slice_requests
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.refreshing.refresh import REFRESH_HOUR
from pipelines.resources import GraphResource
from warehouse.decode.hours import zone_named
from warehouse.lake.partitions import Lake

__all__ = ["FULL_HOUR", "SCHEDULES", "due"]

#: When the whole lookback is reloaded, whether its totals changed or not: Sunday, after the daily
#: one.
FULL_HOUR: Final = 8
FULL_WEEKDAY: Final = 6

#: Dagster's pages show the cron line, "every hour", above it.
_TICKS: Final = (
    "It ticks every hour, because every hour is somebody's morning, and skips where no account is "
    "due."
)

_NOBODY: Final = "No account is due this hour."
_NONE_KNOWN: Final = "No account is known yet: materialize `accounts`, or turn on `new_accounts`."


def due(
    zones: Mapping[str, str], tick: datetime, hour: int, weekday: int | None = None
) -> Sequence[str]:
    """Accounts (digits) in whose zone it is `hour` o'clock, and `weekday` (Monday 0), at `tick`.

    Anything from ``hour:00`` to ``hour:59``: at full hours of UTC, India's clocks show half past.
    """
    local = {account_id: tick.astimezone(zone_named(zone)) for account_id, zone in zones.items()}
    return [
        account_id
        for account_id, time in local.items()
        if time.hour == hour and weekday in {None, time.weekday()}
    ]


def _schedule(
    name: str, description: str, hour: int, weekday: int | None, *, full: bool
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        description=description,
        job_name=REFRESH_JOB,
        cron_schedule="0 * * * *",
        execution_timezone="UTC",
    )
    def ticking(
        context: dg.ScheduleEvaluationContext, graph: GraphResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        settings = graph.settings()
        accounts = accounts_in(Lake(settings.warehouse_url))
        zones = {account_id: account.timezone_name for account_id, account in accounts.items()}
        tick = context.scheduled_execution_time
        chosen = [f"act_{account_id}" for account_id in due(zones, tick, hour, weekday)]
        if not chosen:
            return dg.SkipReason(_NOBODY if zones else _NONE_KNOWN)
        key = tick.isoformat()
        return slice_requests(
            *(REFRESH_JOB, {"full": full, "as_of": key}, chosen, settings.accounts_per_run),
            of=f"{name} {key}",
            run_key=key,
            tags={"fbinsights/refresh": name},
        )

    return ticking


SCHEDULES: Final = (
    _schedule(
        "daily_refresh",
        f"Each account at {REFRESH_HOUR}:00 of its own morning: yesterday, the two days before, "
        f"and those of the last 28 days whose totals Meta has changed. {_TICKS}",
        REFRESH_HOUR,
        None,
        full=False,
    ),
    _schedule(
        "weekly_refresh",
        f"Each account on Sunday at {FULL_HOUR}:00 of its own morning: all of the last 28 days, to "
        f"catch changes that do not show in the totals. {_TICKS}",
        FULL_HOUR,
        FULL_WEEKDAY,
        full=True,
    ),
)
