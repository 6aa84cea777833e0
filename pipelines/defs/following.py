"""Keeps the published file up to date: a sensor that requests a publish when the lake has changed.

Every change of the lake leaves a note in it (`lake.changes`), and every publish records which note
it shows. Comparing the two takes two small files, so the sensor runs every few seconds. While loads
go on, publishes are rationed: each copies the published file and starts a process.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of sensors as objects.
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.data_versions import shown_change
from pipelines.defs.event_log.events import evaluation_of, published_by_others, seen_change
from pipelines.resources import GraphResource
from warehouse.lake.changes import Lag
from warehouse.lake.partitions import Lake
from warehouse.published.publish import lag
from warehouse.wording import counted

__all__ = ["PUBLISH_JOB", "Runs", "Watched", "follow_sensor", "reason_to_wait", "up_to_date_check"]

PUBLISH_JOB: Final = "publish_job"
PUBLISHED: Final = "warehouse_duckdb"

#: Seconds between two runs of the sensor.
POLL_SECONDS: Final = 15

#: Pause between two publishes while loads go on and one of them has ended since: a backfill of many
#: runs has a few publishes, and each of its runs is published within a minute.
ENDED_SECONDS: Final = 25

#: The same while loads go on and none has ended, and no sooner after their first change was seen:
#: for what a long load has stored so far. A short one, as that of today every quarter of an hour,
#: has ended by then and is published once.
LOADING_SECONDS: Final = 300

#: A run that ended this long before the published file was first seen to be behind may have changed
#: the lake: two polls. Earlier ones have not.
UNSEEN: Final = timedelta(seconds=2 * POLL_SECONDS)

#: While the last change of a lake is younger than this, somebody is loading, maybe without a run,
#: as the command line does. Well under FOLLOWS_WITHIN, because a change that was the last is
#: published this much later.
CHANGING: Final = timedelta(seconds=20)

#: Pauses after one failed publish, two in a row, ...; the last one for all that follow.
AFTER_FAILURES: Final = (60, 120, 300, 600, 1800, 3600)

#: How long the published file may be behind before the check `up_to_date` warns.
LATE: Final = timedelta(minutes=5)

IN_PROGRESS: Final = (
    *(dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING),
    *(dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING),
)
ENDED: Final = (
    *(dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED),
)

#: Runs are started by this priority: a publish goes before queued loads.
_FIRST: Final = {"dagster/priority": "10"}


@dataclass(frozen=True, slots=True)
class Runs:
    """The state of Dagster's runs: whether a publish is in progress, whether loads are, whether one
    has ended since the last publish, and how many publishes in a row failed, the last `at`.
    """

    is_publishing: bool = False
    is_loading: bool = False
    has_ended: bool = False
    failures: int = 0
    failed_at: datetime | None = None
    last_publish: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the sensor remembers: since when the published file has been behind the lake ("" if it
    is not), and the last recorded result of the check `up_to_date`.
    """

    behind_since: str = ""
    recorded: str = ""

    @classmethod
    def of(cls, cursor: str | None) -> "Watched":
        return cls(**json.loads(cursor)) if cursor else cls()

    @property
    def cursor(self) -> str:
        return json.dumps({"behind_since": self.behind_since, "recorded": self.recorded})


def reason_to_wait(behind: Lag, runs: Runs, now: datetime, since: datetime | None = None) -> str:
    """Why nothing is to be published now; "" when it is time to. `since`: when the published file
    was first seen to be behind.
    """
    if behind.is_empty:
        return "Nothing has been loaded yet."
    if not behind.is_behind:
        return "The published file is up to date."
    if runs.is_publishing:
        return "A publish is in progress."
    if runs.failures and runs.failed_at:
        pause = AFTER_FAILURES[min(runs.failures, len(AFTER_FAILURES)) - 1]
        if now < (until := runs.failed_at + timedelta(seconds=pause)):
            failed = counted(runs.failures, "publish has", "publishes in a row have")
            return f"{failed} failed; the next is at {until:%H:%M}."
    changed_at = behind.change.at
    is_changing = changed_at is not None and abs(now - changed_at) < CHANGING
    is_loading = runs.is_loading or (is_changing and not runs.has_ended)
    if behind.published is not None and is_loading:
        last = behind.published.ended_at
        until = (
            last + timedelta(seconds=ENDED_SECONDS)
            if runs.has_ended
            else max(last, since or last) + timedelta(seconds=LOADING_SECONDS)
        )
        if now < until:
            return "Loads are in progress; their data is published when one of them ends."
    return ""


def _runs(instance: dg.DagsterInstance, behind: Lag, since: datetime) -> Runs:
    """Query the instance, for as much as the decision needs. `since`: when the published file was
    first seen to be behind.
    """
    published_at = behind.published.at if behind.published else since
    in_progress = instance.get_runs_count(dg.RunsFilter(statuses=list(IN_PROGRESS)))
    publishing = instance.get_runs_count(
        dg.RunsFilter(job_name=PUBLISH_JOB, statuses=list(IN_PROGRESS))
    )
    tried = instance.get_run_records(dg.RunsFilter(job_name=PUBLISH_JOB), limit=10)
    failed = list(takewhile(lambda one: one.dagster_run.is_failure, tried))
    ended_at = failed[0].end_time if failed else None
    return Runs(
        is_publishing=publishing > 0,
        is_loading=in_progress > publishing,
        has_ended=_has_ended(instance, max(published_at, since - UNSEEN)),
        failures=len(failed),
        failed_at=None if ended_at is None else datetime.fromtimestamp(ended_at, UTC),
        last_publish=tried[0].dagster_run.run_id if tried else "",
    )


def _is_recorded(instance: dg.DagsterInstance, change: str, keys: AssetKeys) -> bool:
    """Whether Dagster has a record that the published file shows this change: scripts leave
    none.
    """
    event = instance.get_latest_materialization_event(keys(PUBLISHED))
    recorded = event.asset_materialization if event else None
    return recorded is not None and shown_change(recorded, keys("lake")) == (change or "none")


def _has_ended(instance: dg.DagsterInstance, since: datetime) -> bool:
    """Whether a run other than a publish has ended since."""
    ended = dg.RunsFilter(statuses=list(ENDED), updated_after=since)
    found = instance.get_run_records(ended, limit=10, order_by="update_timestamp")
    return any(one.dagster_run.job_name != PUBLISH_JOB for one in found)


def _result(
    behind: Lag, since: datetime | None, now: datetime, keys: AssetKeys
) -> dg.AssetCheckResult:
    """`since`: when it was first seen to be behind."""
    is_late = behind.is_behind and not behind.is_empty and (since is None or now - since > LATE)
    return dg.AssetCheckResult(
        check_name="up_to_date",
        asset_key=keys(PUBLISHED),
        passed=not is_late,
        severity=dg.AssetCheckSeverity.WARN,
        description=str(behind),
    )


def up_to_date_check(keys: AssetKeys) -> dg.AssetChecksDefinition:
    """The check of the published file, which a person can run by a click."""

    @dg.asset_check(
        name="up_to_date",
        asset=keys(PUBLISHED),
        description="The published file shows what is in the lake; it may be a few minutes behind.",
    )
    def up_to_date(graph: GraphResource) -> dg.AssetCheckResult:
        behind = lag(Lake(graph.settings().warehouse_url))
        return _result(behind, behind.change.at, graph.now(), keys)

    return up_to_date


def follow_sensor(keys: AssetKeys) -> dg.SensorDefinition:
    """The sensor `follow_lake`."""

    @dg.sensor(
        name="follow_lake",
        job_name=PUBLISH_JOB,
        minimum_interval_seconds=POLL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Publishes warehouse.duckdb when a run or a command has changed the lake, and "
        "records the check `up_to_date` when the published file stays behind. Makes no request to "
        "Meta.",
    )
    def follow_lake(
        context: dg.SensorEvaluationContext, graph: GraphResource
    ) -> dg.SensorResult | dg.SkipReason:
        return _tick(context, graph, keys)

    return follow_lake


def _tick(
    context: dg.SensorEvaluationContext, graph: GraphResource, keys: AssetKeys
) -> dg.SensorResult | dg.SkipReason:
    now = graph.now()
    behind = lag(Lake(graph.settings().warehouse_url))
    before = Watched.of(context.cursor)
    if not behind.is_behind or behind.is_empty:
        since = ""
    else:
        since = before.behind_since or now.isoformat()
    first_seen = datetime.fromisoformat(since) if since else None
    result = _result(behind, first_seen, now, keys)
    verdict = "passed" if result.passed else "late"
    after = Watched(since, verdict)
    events: list[dg.AssetCheckEvaluation | dg.AssetMaterialization] = []
    if since and not before.behind_since:
        events.append(seen_change(behind.change.id, keys))
    is_new = before.behind_since and not since
    if is_new and not _is_recorded(context.instance, behind.change.id, keys):
        events += published_by_others(behind.change.id, keys)
    if verdict != before.recorded:
        events.append(evaluation_of(result))
    runs = _runs(context.instance, behind, first_seen) if first_seen else Runs()
    wait = reason_to_wait(behind, runs, now, first_seen)
    if wait:
        return dg.SensorResult(skip_reason=wait, asset_events=events, cursor=after.cursor)
    request = dg.RunRequest(run_key=f"{behind.change.id} {runs.last_publish}", tags=_FIRST)
    return dg.SensorResult(run_requests=[request], asset_events=events, cursor=after.cursor)
