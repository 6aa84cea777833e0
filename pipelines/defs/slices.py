"""Refreshes and backfills of many accounts in several runs, a slice of the accounts each, so that a
launcher spreads them over workers. No account is in two of them at once, and the last one
publishes.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from fbgraph import act_id
from pipelines.defs.partitions import AD_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

__all__ = [
    "AT_WORK",
    "BACKFILL_JOB",
    "LONGEST_SECONDS",
    "REFRESH_JOB",
    "SLICES_OF",
    "Holder",
    "ask_for_slices",
    "config_of",
    "held_accounts",
    "is_last",
    "runs_to_slice",
    "slice_requests",
    "slice_tags",
    "sliced",
    "wait_for_turn",
    "who_goes_before",
]

#: Job → the op whose config has its accounts.
REFRESH_JOB: Final = "refresh_job"
BACKFILL_JOB: Final = "backfill_job"
_OPS: Final[Mapping[str, str]] = {REFRESH_JOB: "look", BACKFILL_JOB: "backfill"}

#: Tags of a run: what it is a slice of, and which one.
SLICES_OF: Final = "fbinsights/slices_of"
_SLICE: Final = "fbinsights/slice"

#: Tags whose value is the run's own id, because a run that is started again has the tags of the
#: one before: its loads have ended; it waits for another run; slices are to be started for it.
_LOADED: Final = "fbinsights/loaded"
_WAITS: Final = "fbinsights/waits"
_TO_SLICE: Final = "fbinsights/to_slice"

#: Runs that are making requests; those in a queue are not.
AT_WORK: Final = (
    *(dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING),
    *(dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING),
)
_BEGUN: Final = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)

#: Between two looks at who is loading the same accounts.
TURN_SECONDS: Final = 5.0

#: No run is longer (`max_runtime_seconds` in dagster.yaml): one that seems to be has died.
LONGEST_SECONDS: Final = 86_400.0


def sliced(accounts: Sequence[str], most: int) -> Sequence[Sequence[str]]:
    """Accounts cut into as few slices of at most `most` as there can be, all of about one size."""
    count = math.ceil(len(accounts) / most)
    return [accounts[number::count] for number in range(count)]


def slice_tags(of: str, number: int, count: int) -> Mapping[str, str]:
    """The tags of slice `number`, from 1, of `count`; a single one has none."""
    return {} if count == 1 else {SLICES_OF: of, _SLICE: f"{number} of {count}"}


def slice_requests(  # noqa: PLR0913  # what a run is launched with
    job: str,
    config: Mapping[str, Any],
    accounts: Sequence[str],
    most: int,
    *,
    of: str,
    run_key: str,
    tags: Mapping[str, str],
) -> list[dg.RunRequest]:
    """A run of a refresh or backfill for each slice of the accounts (keys like act_123), at most
    `most` in each. `config`: of its op, but for the accounts; `of`: what they are slices of.
    """
    slices = sliced(accounts, most)
    count = len(slices)
    return [
        dg.RunRequest(
            run_key=run_key if count == 1 else f"{run_key} {number} of {count}",
            run_config={"ops": {_OPS[job]: {"config": {**config, "accounts": some}}}},
            tags={**tags, **slice_tags(of, number, count)},
        )
        for number, some in enumerate(slices, 1)
    ]


def ask_for_slices(context: dg.OpExecutionContext) -> None:
    """Have the sensor start slices for this run, which loads nothing itself."""
    context.instance.add_run_tags(context.run_id, {_TO_SLICE: context.run_id})


def runs_to_slice(instance: dg.DagsterInstance, since: float) -> Sequence[dg.DagsterRun]:
    """Backfills that ended after `since` (seconds since the epoch), asked for slices and have none
    yet.
    """
    ended = dg.RunsFilter(
        job_name=BACKFILL_JOB,
        statuses=[dg.DagsterRunStatus.SUCCESS],
        updated_after=datetime.fromtimestamp(since, UTC),
    )
    return [
        run
        for run in instance.get_runs(ended)
        if run.tags.get(_TO_SLICE) == run.run_id
        and not instance.get_runs(dg.RunsFilter(tags={SLICES_OF: run.run_id}), limit=1)
    ]


def is_last(context: dg.OpExecutionContext) -> bool:
    """Whether all other slices of the refresh or backfill of this run have loaded; True for a run
    that is not a slice. If two ask at once, both may be the last.
    """
    instance, run = context.instance, context.run
    if SLICES_OF not in run.tags:
        return True
    # Before it looks, so that of two at once at least one sees the other's.
    instance.add_run_tags(run.run_id, {_LOADED: run.run_id})
    waiting = [dg.DagsterRunStatus.QUEUED, *AT_WORK]
    of = dg.RunsFilter(tags={SLICES_OF: run.tags[SLICES_OF]}, statuses=waiting)
    others = [one for one in instance.get_runs(of) if one.run_id != run.run_id]
    return all(one.tags.get(_LOADED) == one.run_id for one in others)


# -- who is loading which accounts -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """A run that is loading `accounts` (keys like act_123; none for all) since `began_at` (seconds
    since the epoch).
    """

    run_id: str
    began_at: float
    accounts: Collection[str] = ()

    def shares(self, other: Holder) -> bool:
        """Whether both load an account."""
        if not self.accounts or not other.accounts:
            return True
        return not set(self.accounts).isdisjoint(other.accounts)


def who_goes_before(own: Holder, others: Iterable[Holder], now: float) -> Sequence[Holder]:
    """Those that a run has to wait for `now` (seconds since the epoch): they load one of its
    accounts and began before it did. So no two wait for each other.
    """
    return [
        other
        for other in others
        if (other.began_at, other.run_id) < (own.began_at, own.run_id)
        and now - other.began_at < LONGEST_SECONDS
        and own.shares(other)
    ]


def wait_for_turn(
    context: dg.OpExecutionContext,
    accounts: Collection[str],
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Wait until no refresh or backfill that began earlier is loading one of these accounts (keys
    like act_123; none for all): two would request the same days. Meanwhile it holds none of them.
    """
    instance, run_id, named = context.instance, context.run_id, ""
    record = instance.get_run_record_by_id(run_id)
    own = Holder(run_id, (record and record.start_time) or clock(), accounts)
    while before := who_goes_before(own, _holders(instance), clock()):
        if before[0].run_id != named:
            instance.add_run_tags(run_id, {_WAITS: run_id})
            named = before[0].run_id
            context.log.info("Waits for the run %s, which loads some of its accounts.", named[:8])
        sleep(TURN_SECONDS)
    if named:
        instance.add_run_tags(run_id, {_WAITS: "no longer"})


def _holders(instance: dg.DagsterInstance) -> Iterable[Holder]:
    for job in _OPS:
        for record in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=[*_BEGUN])):
            run = record.dagster_run
            if record.start_time is not None:
                yield Holder(run.run_id, record.start_time, _named(run))


def held_accounts(
    instance: dg.DagsterInstance, own_run_id: str, others_than: Collection[str]
) -> Mapping[str, str]:
    """Accounts (digits) that another run is loading, and which: refreshes, and what people have
    launched, of jobs `others_than` these. Meta counts an account's requests together. A run that
    waits for its turn loads none.
    """
    held: dict[str, str] = {}
    every = [str(key) for key in instance.get_dynamic_partitions(AD_ACCOUNTS)]
    for run in instance.get_runs(dg.RunsFilter(statuses=list(AT_WORK))):
        is_waiting = run.tags.get(_WAITS) == run.run_id
        if run.run_id != own_run_id and run.job_name not in others_than and not is_waiting:
            why = f"the run {run.run_id[:8]} is loading it"
            held |= dict.fromkeys((key.removeprefix("act_") for key in _accounts(run, every)), why)
    return held


def _accounts(run: dg.DagsterRun, every: Sequence[str]) -> Iterable[str]:
    """The accounts of a run, by keys like act_123."""
    tags = run.tags
    if "dagster/partition/account" in tags:
        return [tags["dagster/partition/account"]]
    if "dagster/asset_partition_range_start" in tags:
        ends = (tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
        first, last = (key.partition("|")[0] for key in ends)
        are_known = first in every and last in every
        return every[every.index(first) : every.index(last) + 1] if are_known else every
    if "dagster/partition" in tags:
        return [tags["dagster/partition"].partition("|")[0]]
    return _named(run) or every if run.job_name in _OPS else []


def config_of(run: dg.DagsterRun) -> Mapping[str, Any]:
    """The config of a refresh or backfill; empty where it has none."""
    config: Any = run.run_config
    try:
        return {**config["ops"][_OPS[run.job_name]]["config"]}
    except (KeyError, TypeError):
        return {}


def _named(run: dg.DagsterRun) -> Sequence[str]:
    """The accounts that a schedule or a person named in the config of a refresh or backfill; none
    for all.
    """
    return [act_id(one) for one in config_of(run).get("accounts") or ()]
