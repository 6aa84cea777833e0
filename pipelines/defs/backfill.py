"""A backfill as a Dagster job of one step, for many accounts and many workers: it becomes runs of
a slice of the accounts each, with all of their days, so that neighbouring days of an account are
one report run at Meta. (A backfill from the grid has a run for each day, or for each account.)
"""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Final

import dagster as dg
from pydantic import Field

from fbgraph import act_id
from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.run_events import RunRecorder, failure_of
from pipelines.defs.refresh import close_load, publish_if_last, session_of
from pipelines.defs.slices import (
    BACKFILL_JOB,
    LONGEST_SECONDS,
    SLICES_OF,
    ask_for_slices,
    config_of,
    runs_to_slice,
    slice_requests,
    wait_for_turn,
)
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.emptiness import ACCEPT_EMPTY
from pipelines.loading.partitions import AccountDay, key_of
from pipelines.loading.refreshing.changes import ChangedDays
from pipelines.loading.session import Session, published_if_stopped
from pipelines.reports.catalog import Report, Reports
from pipelines.resources import GraphResource, stopping
from pipelines.settings import Settings
from warehouse.lake.partitions import Lake
from warehouse.published.publish import require_carried
from warehouse.wording import counted

__all__ = ["Backfill", "backfill_of", "backfill_slices"]

#: Seconds between two runs of the sensor.
SLICING_SECONDS: Final = 5

#: It looks at the runs of these seconds again: clocks of machines differ, and one may tell the
#: database late that a run has ended.
_LOOKED_AT_AGAIN_SECONDS: Final = 600.0

#: Runs are started by this priority: a refresh goes before slices that wait.
_LAST: Final = {"dagster/priority": "-1", "fbinsights/refresh": "backfill"}


class Backfill(dg.Config):
    """The configuration of one backfill.

    `since` and `until`: the first and the last day, like 2026-11-01. `accounts`: keys like act_123;
    none means all that the token sees. `reports`: by name; none means all.
    """

    since: str
    until: str
    accounts: list[str] = Field(default_factory=list)
    reports: list[str] = Field(default_factory=list)

    def days(self) -> tuple[date, date]:
        """Both ends. Raises ConfigError."""
        try:
            days = date.fromisoformat(self.since), date.fromisoformat(self.until)
        except ValueError:
            days = date.max, date.min
        if days[0] > days[1]:
            raise ConfigError(
                "since and until must be days like 2026-11-01, and since must not be after until"
                f" (got {self.since!r} and {self.until!r})."
            )
        return days

    def chosen(self, reports: Reports) -> Sequence[Report]:
        """The reports to load. Raises ConfigError, with why one that is broken cannot be."""
        reports.require(self.reports)
        return [one for name, one in reports.by_name.items() if name in (self.reports or [name])]


def _account_ids(config: Backfill, seen: Sequence[str], *, is_slice: bool) -> Sequence[str]:
    """Those of the accounts that the token sees (digits) that are to be loaded. Raises ConfigError
    if a person has named others.
    """
    named = {act_id(one).removeprefix("act_") for one in config.accounts}
    if (unseen := sorted(named - {*seen})) and not is_slice:
        raise ConfigError(
            f"The token does not see {', '.join(map(act_id, unseen))}; `fbinsights doctor` lists"
            " the accounts that it sees."
        )
    return [one for one in seen if one in named or not named]


def _load(
    session: Session, reports: Sequence[Report], account_ids: Sequence[str], days: tuple[date, date]
) -> ChangedDays:
    """Load objects of accounts (digits), the days of each report, newest first, and pictures; what
    failed. Raises what ends everything.
    """
    loaded = ChangedDays(account_ids=account_ids)
    every = [days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1)]
    cells = {report.name: _cells(report, account_ids, every) for report in reports}
    for name, some in cells.items():
        session.recorder.begins(name, [key_of(cell) for cell in some])
    loaded.note_listed(session.list_objects(account_ids, needed=True))
    for report in reports:
        loaded.note_outcomes(report.name, session.load(report, cells[report.name]).outcomes)
    session.keep_pictures(account_ids)
    return loaded


def _cells(
    report: Report, account_ids: Sequence[str], days: Sequence[date]
) -> Sequence[AccountDay]:
    starts = [one for one in report.starts(days) if one >= report.spec.start_date]
    return [AccountDay(i, day) for day in reversed(starts) for i in account_ids]


def _load_slice(reports: Reports, keys: AssetKeys) -> dg.OpDefinition:
    @dg.op(name="backfill")
    def load_slice(context: dg.OpExecutionContext, config: Backfill, graph: GraphResource) -> None:
        """Load the days of the accounts, report by report, publish, and say what failed. If there
        are too many accounts for one run, the sensor `backfill_slices` starts theirs.
        """
        settings, is_slice = graph.settings(), SLICES_OF in context.run.tags
        lake = Lake(settings.warehouse_url, catalog=reports.catalog)
        with stopping():
            days, chosen = config.days(), config.chosen(reports)
            with settings.open_graph() as client:
                found = discover(client, settings.account_ids)
                recorder = RunRecorder(context, lake, client, keys)
                session = session_of(context, client, lake, graph, recorder)
                seen = [row["account_id"] for row in found.rows]
                account_ids = _account_ids(config, seen, is_slice=is_slice)
                if not is_slice:
                    session.load_accounts(found)
                if len(account_ids) > settings.accounts_per_run and not is_slice:
                    many = counted(len(account_ids), "account")
                    context.log.info("%s: the sensor `backfill_slices` starts their runs.", many)
                    ask_for_slices(context)
                    return
                if account_ids:  # else the token no longer sees those of this slice
                    wait_for_turn(context, [*map(act_id, account_ids)])
                publish_now = partial(publish_if_last, context, settings, reports, keys)
                with published_if_stopped(publish_now):
                    try:
                        loaded = _load(session, chosen, account_ids, days)
                    except BaseException:  # also when somebody terminates the run
                        recorder.stopped()
                        raise
                if published := publish_now():
                    close_load(context, client, reports, keys, graph)
                    require_carried(published.not_carried)
        if loaded.failed:
            raise failure_of(loaded.failed_keys, loaded.parts)

    return load_slice


def backfill_of(reports: Reports, keys: AssetKeys) -> dg.JobDefinition:
    """The job, over all reports."""
    load_slice = _load_slice(reports, keys)

    @dg.job(
        name=BACKFILL_JOB,
        description="Loads the days from `since` to `until` of many accounts, all reports unless "
        "some are named. More accounts than FB_ACCOUNTS_PER_RUN become runs of that many each: the "
        "sensor `backfill_slices` starts them, and the last one publishes. `fbinsights backfill` "
        "does the same in one process.",
        tags=_LAST,
        executor_def=dg.in_process_executor,
    )
    def backfill_job() -> None:
        load_slice()

    return backfill_job


@dg.sensor(
    name="backfill_slices",
    job_name=BACKFILL_JOB,
    minimum_interval_seconds=SLICING_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the runs of a backfill of more accounts than FB_ACCOUNTS_PER_RUN, a "
    "slice of the accounts each. Makes no request to Meta.",
)
def backfill_slices(context: dg.SensorEvaluationContext, graph: GraphResource) -> dg.SensorResult:
    """Start the slices of backfills that asked for them.

    It looks at runs itself: a sensor of Dagster's for the status of runs never learns of those that
    ended before its first tick, as a backfill may that is launched while the daemon starts.
    """
    now, settings = time.time(), graph.settings()
    try:
        seen_until = float(context.cursor or "")
    except ValueError:  # its first tick, or the cursor of an earlier version
        seen_until = now - LONGEST_SECONDS
    requests = [
        request
        for run in runs_to_slice(context.instance, seen_until - _LOOKED_AT_AGAIN_SECONDS)
        for request in _slices_of(run, settings)
    ]
    nothing = None if requests else "No backfill is waiting for its runs."
    return dg.SensorResult(run_requests=requests, skip_reason=nothing, cursor=str(now))


def _slices_of(run: dg.DagsterRun, settings: Settings) -> Sequence[dg.RunRequest]:
    config = config_of(run)
    named = dict.fromkeys(map(act_id, config.get("accounts") or settings.account_ids))
    accounts = [*named] or [*map(act_id, accounts_in(Lake(settings.warehouse_url)))]
    return slice_requests(
        *(BACKFILL_JOB, config, accounts, settings.accounts_per_run),
        of=run.run_id,
        run_key=run.run_id,
        # A single one too, where FB_ACCOUNTS_PER_RUN is more here than for the worker that asked:
        # without the tag it would ask again.
        tags={SLICES_OF: run.run_id}
        | {tag: run.tags[tag] for tag in (ACCEPT_EMPTY,) if tag in run.tags},
    )
