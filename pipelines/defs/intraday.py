"""Today by the hour as a schedule and a job of one step: a tick, published in the same run.

`loading.intraday` does the work. A tick is one event, on the asset `intraday`, with numbers that
Dagster plots; an account-day has one when it is closed. More would fill Dagster's database, by
12 kB for each account-day of each tick.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import dagster as dg

from fbgraph import act_id
from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.old_ticks import mark_removable, remove_old_ticks
from pipelines.defs.event_log.run_events import RunRecorder, failure_of, log_published
from pipelines.defs.following import PUBLISH_JOB
from pipelines.defs.slices import AT_WORK, held_accounts
from pipelines.defs.watches import watch_after_tick
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.intraday.tick import Tick, run_tick
from pipelines.loading.session import Session, published_if_stopped
from pipelines.reports.catalog import Reports
from pipelines.resources import GraphResource, stopping
from pipelines.settings import Settings
from warehouse.lake.partitions import Lake
from warehouse.published.publish import lag, publish, require_carried
from warehouse.wording import counted

__all__ = ["crons", "held_by", "intraday_of", "intraday_schedule", "intraday_spec"]

INTRADAY_JOB: Final = "intraday_job"

#: Minutes of the day at which the first tick is due. At full hours daily refreshes begin, which go
#: before.
FIRST_MINUTE: Final = 10

_HOURS: Final = 24
_DAY_MINUTES: Final = 24 * 60

#: Ticks are short: they go before loads that wait, and after publishes.
_BEFORE_LOADS: Final = {"dagster/priority": "5"}


def intraday_spec(keys: AssetKeys) -> dg.AssetSpec:
    """An asset that nothing loads: each tick records on it what it did and what that cost."""
    return dg.AssetSpec(
        keys("intraday"),
        description="What each tick of today did: accounts that had spent something, open days "
        "that were loaded by the hour, days that were closed, and the requests for it. The "
        "schedule `intraday` runs it, every FB_INTRADAY_MINUTES.",
        group_name=keys.group_of("intraday", "daily"),
    )


def crons(minutes: int) -> Sequence[str]:
    """Cron lines that are due at this interval on each day of UTC, from `FIRST_MINUTE`."""
    at: dict[int, list[int]] = {}
    for due in range(FIRST_MINUTE, _DAY_MINUTES, minutes):
        at.setdefault(due % 60, []).append(due // 60)
    by_hours: dict[tuple[int, ...], list[int]] = {}
    for minute, hours in at.items():
        by_hours.setdefault(tuple(hours), []).append(minute)
    return [
        f"{','.join(map(str, sorted(of)))}"
        f" {'*' if len(hours) == _HOURS else ','.join(map(str, hours))} * * *"
        for hours, of in by_hours.items()
    ]


def held_by(instance: dg.DagsterInstance, own_run_id: str = "") -> Mapping[str, str]:
    """Accounts (digits) that a run other than a tick is loading, and which run: it goes first."""
    return held_accounts(instance, own_run_id, {INTRADAY_JOB, PUBLISH_JOB})


# -- a tick ----------------------------------------------------------------------------------------


def tick_metadata(tick: Tick) -> Mapping[str, Any]:
    """What a tick did: numbers for a plot; which accounts were left out, and what failed."""
    opened = [one for one in tick.opened if one.load]
    spend = {currency: float(amount) for currency, amount in tick.spend.items()}
    return {
        "accounts": tick.accounts,
        "accounts_asked": len(tick.looks),
        "open_days_loaded": len(opened),
        "days_closed": sum(one.load is not None for one in tick.closed),
        "failed": len(tick.failed),
        "left_out": len(tick.left_out),
        "calls": tick.calls,
        "seconds": round(tick.seconds, 3),
        # Money of several currencies does not add up.
        **({"spend_so_far": next(iter(spend.values()))} if len(spend) == 1 else {}),
        "why_failed": {str(target): why for target, why in tick.failed.items()},
        "why_left_out": {act_id(account_id): why for account_id, why in tick.left_out.items()},
    }


def _publish(
    context: dg.OpExecutionContext, settings: Settings, reports: Reports, keys: AssetKeys
) -> str:
    """Publish what the tick has changed, if anything. Returns what `require_carried` takes."""
    if not lag(Lake(settings.warehouse_url)).is_behind:
        return ""
    published = publish(
        settings.warehouse_url, catalog=reports.catalog, destination=settings.destination
    )
    log_published(context, published, keys)
    return published.not_carried


def _keep_home_small(
    context: dg.OpExecutionContext, recorder: RunRecorder, keys: AssetKeys
) -> None:
    """Remove old ticks from Dagster's home. Raises nothing: a later tick does it too."""
    try:
        if not recorder.has_logged:
            mark_removable(context.instance, context.run_id)
        shown = [keys("intraday"), keys("warehouse_duckdb")]
        if number := remove_old_ticks(context.instance, context.run_id, shown):
            context.log.info("Removed %s of old ticks.", counted(number, "run"))
    except Exception:  # of whatever storage it is
        context.log.warning("Old ticks were not removed.", exc_info=True)


def _tick(reports: Reports, keys: AssetKeys) -> dg.OpDefinition:
    @dg.op(name="intraday")
    def intraday(context: dg.OpExecutionContext, graph: GraphResource) -> None:
        """Run one tick, and publish what it loaded, even if it stops halfway."""
        settings = graph.settings()
        lake = Lake(settings.warehouse_url, catalog=reports.catalog)
        with stopping():
            publish_now = partial(_publish, context, settings, reports, keys)
            with published_if_stopped(publish_now), settings.open_graph() as client:
                recorder = RunRecorder(context, lake, client, keys)
                session = Session(
                    *(client, lake, context.run_id, graph.now),
                    recorder,
                    delay=settings.intraday_delay,
                )
                held = held_by(context.instance, context.run_id)
                tick = run_tick(session, settings.account_ids, held=held)
            not_carried = publish_now()
        _keep_home_small(context, recorder, keys)
        if tick.skipped:
            require_carried(not_carried)
            return
        context.log_event(dg.AssetMaterialization(keys("intraday"), metadata=tick_metadata(tick)))
        watch_after_tick(context, graph, reports, keys)
        # What goes on failing is in `failures` and in the numbers above; once a day it is told.
        if tick.news:
            bad: dict[str, dict[str, str]] = defaultdict(dict)
            for target, why in tick.news.items():
                bad[target.table][target.key] = why
            tried = len(tick.looks) + len(tick.closed) + len(bad.get("accounts", ()))
            raise failure_of(bad, tried)
        require_carried(not_carried)

    return intraday


def intraday_of(reports: Reports, keys: AssetKeys) -> dg.JobDefinition:
    """The job."""
    tick = _tick(reports, keys)

    @dg.job(
        name=INTRADAY_JOB,
        description="One tick of today: lists what accounts have spent, asks those that moved for "
        "their totals, loads the open day of those whose totals moved by the hour, closes days "
        "three hours after their end, and publishes. The schedule `intraday` runs it.",
        tags=_BEFORE_LOADS,
        executor_def=dg.in_process_executor,
    )
    def intraday_job() -> None:
        tick()

    return intraday_job


def intraday_schedule(minutes: int) -> dg.ScheduleDefinition:
    """The schedule, off until somebody turns it on."""

    @dg.schedule(
        name="intraday",
        description=f"Every {minutes} min (FB_INTRADAY_MINUTES): the open day of every account "
        "that has spent something, by the hour. It skips while its last tick is in progress, and "
        "leaves out accounts that a refresh or a run of yours is loading.",
        job_name=INTRADAY_JOB,
        cron_schedule=crons(minutes),
        execution_timezone="UTC",
    )
    def intraday(
        context: dg.ScheduleEvaluationContext, graph: GraphResource
    ) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        waiting = [*AT_WORK, dg.DagsterRunStatus.QUEUED]
        if instance.get_runs(dg.RunsFilter(job_name=INTRADAY_JOB, statuses=waiting), limit=1):
            return dg.SkipReason("The last tick is still in progress.")
        known = accounts_in(Lake(graph.settings().warehouse_url))
        held = held_by(instance)
        if known and known.keys() <= held.keys():
            return dg.SkipReason(
                "Every account is being loaded by somebody else, whose requests have priority:"
                f" {next(iter(held.values()))}."
            )
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return intraday
