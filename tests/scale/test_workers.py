"""A backfill by two workers that share a lake in a bucket, Postgres and quota, one of which is
killed midway.

Against the sandbox's truth, and against the same backfill by one command on one machine.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.limits.quota import QUOTAS
from pipelines.defs.partitions import WHOLE, account_days_of
from pipelines.loading.partitions import AccountDay, key_of
from tests.pace import PATIENCE_SECONDS
from tests.runs import run_job
from tests.scale.farm import PLACES, ROOT, WORKERS, environ_of, farm, yaml_of_a_farm
from tests.scale.services import running, wait_until
from tests.scale.truth import TABLE, rows_of, true_rows
from warehouse.lake.partitions import Lake
from warehouse.lake.records import to_values
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.s3 import S3
    from tests.scale.farm import Farm

ACCOUNTS: Final = 10
DAYS: Final = [date(2026, 11, 13) + timedelta(days=n) for n in range(10)]
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)

#: Limited access, with a score of which all workers together use two thirds, so that none has to
#: rest. (tests/pipelines/loading/test_quota.py is about machines that have too little of it.)
QUOTA: Final = replace(QUOTAS["limited"], score=120)

#: What tells when, by whom and at what cost an account-day was loaded.
PROVENANCE: Final = frozenset(
    {"asked_at", "loaded_at", "run_id", "report_run_ids", "calls", "seconds"}
)

FAILED, STARTED, DONE = (getattr(dg.DagsterRunStatus, n) for n in ("FAILURE", "STARTED", "SUCCESS"))


@dataclass
class Ended:
    """What is left when all is done."""

    sandbox: Sandbox
    instance: dg.DagsterInstance
    lake: Lake  # that the workers loaded
    alone: Lake  # that one command loaded
    calls: Mapping[str, Any]  # that the workers made
    killed: Sequence[str]  # runs of the worker that was killed
    runs: Sequence[dg.DagsterRun]
    loaded_before: int  # account-days that were there when it was killed

    @property
    def account_days(self) -> Sequence[AccountDay]:
        return account_days(self.sandbox)


def account_days(sandbox: Sandbox) -> Sequence[AccountDay]:
    return [AccountDay(account, day) for account in sandbox.account_ids for day in DAYS]


@pytest.fixture(scope="module")
def ended(
    new_database: Callable[[], str],
    redis_url: str,
    s3_server: S3,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ended]:
    """The whole story, once; one machine does its part beside it, from a sandbox of its own."""
    home, alone = (tmp_path_factory.mktemp(name) for name in ("farm", "alone"))
    servers = {
        "DAGSTER_POSTGRES_URL": new_database(),
        "CELERY_BROKER_URL": redis_url,
        "CELERY_RESULT_BACKEND": redis_url,
        **s3_server.environ,
    }
    # A listing that moto makes while something is put may answer 500, and then it is asked again.
    del servers["AWS_MAX_ATTEMPTS"]
    url = f"s3://{s3_server.new_bucket()}/company/lake"
    began = time.monotonic()

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(world="hostile", now=now, accounts=ACCOUNTS) as other,
        Sandbox(world="hostile", now=now, accounts=ACCOUNTS, quota=QUOTA) as sandbox,
        by_one_command(alone, other) as command,
    ):
        (home / "dagster.yaml").write_text(yaml_of_a_farm())
        environ = environ_of(home, sandbox, url, **servers)
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setenv("WAREHOUSE_LOCAL", str(home / "here"))
        patch.chdir(home)  # dagster.yaml names its folder relative to where one is
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert run_job(instance, "accounts_job").success
            with farm(home, environ, instance) as running_farm:
                backfill_id = running_farm.backfill(TABLE, account_days(sandbox))
                loaded, killed = kill_one_midway(running_farm, sandbox, backfill_id)
                wait_until(lambda: len(running_farm.runs_of(backfill_id, DONE)) == len(DAYS))
                runs = running_farm.runs_of(backfill_id)
            assert command.wait(PATIENCE_SECONDS) == 0, (alone / "log").read_text()
            yield Ended(
                *(sandbox, instance, Lake(url), Lake(alone / "lake")),
                calls=sandbox.calls(),
                killed=killed,
                runs=runs,
                loaded_before=loaded,
            )


def by_one_command(home: Path, sandbox: Sandbox) -> Any:
    """``fbinsights backfill`` with Dagster's storage in files."""
    shutil.copy(ROOT / "dagster.yaml", home)
    days = ("--since", str(DAYS[0]), "--until", str(DAYS[-1]))
    return running(
        [str(Path(sys.executable).with_name("fbinsights")), "backfill", *days, "--report", TABLE],
        home / "log",
        environ=environ_of(home, sandbox, home / "lake"),
        cwd=home,
    )


def kill_one_midway(farm: Farm, sandbox: Sandbox, backfill_id: str) -> tuple[int, Sequence[str]]:
    """Kill a worker while both have runs, and these wait for report runs that are remembered;
    account-days that were loaded by then, and the runs that were the worker's.

    From the first account-day on Meta ends no report run, and so there is nothing that a kill could
    cut in half without anybody knowing. (tests/kills is about moments that are worse.)
    """
    wait_until(lambda: farm.lake.partitions(TABLE))
    sandbox.use("run_hangs")
    wait_until(
        lambda: Midway.of(farm, sandbox, backfill_id).is_standing_still,
        lambda: Midway.of(farm, sandbox, backfill_id),
    )
    loaded = len(farm.lake.partitions(TABLE))
    lost = [run.run_id for run in farm.runs_of(backfill_id, STARTED) if farm.worker_of(run) == 0]
    farm.kill(0)
    sandbox.use()
    return loaded, lost


@dataclass(frozen=True)
class Midway:
    """What a backfill has and waits for. No number of files alone says that it waits: when Meta
    begins to hang, a run may have loaded none of its account-days, some or all.
    """

    runs_started: int
    runs_done: int
    loaded: int  # account-days
    created: frozenset[str]  # report runs
    ended: frozenset[str]  # those of them that Meta has ended
    remembered: Mapping[str, str]  # report run → its day

    @classmethod
    def of(cls, farm: Farm, sandbox: Sandbox, backfill_id: str) -> Self:
        served = sandbox.calls()["runs"]
        ended = frozenset(run["id"] for run in served if run["async_status"] == "Job Completed")
        return cls(
            runs_started=len(farm.runs_of(backfill_id, STARTED)),
            runs_done=len(farm.runs_of(backfill_id, DONE)),
            loaded=len(farm.lake.partitions(TABLE)),
            created=frozenset(run["id"] for run in served),
            ended=ended,
            remembered=dict(checkpoints(farm.lake)),
        )

    @property
    def is_standing_still(self) -> bool:
        """Every place has a run that has created all of its report runs, and waits for at least one
        of them; everything that Meta has ended is loaded.
        """
        places = PLACES * WORKERS
        hanging = self.created - self.ended
        return (
            self.runs_started == places
            and len(self.created) == ACCOUNTS * (self.runs_done + places)
            and len(self.ended) == self.loaded
            and hanging <= self.remembered.keys()
            and len({self.remembered[one] for one in hanging}) == places  # a run has one day
        )


def checkpoints(lake: Lake) -> Iterator[tuple[str, str]]:
    """Report runs that are remembered, and their days."""
    for file in lake.store.find(".runs/*/*/*.json"):
        with suppress(FileNotFoundError):  # its load has ended
            entry = json.loads(lake.store.read(file.key))
            yield entry["report_run_id"], entry["params"]["time_range"]["since"]


def test_every_account_day_ends_with_the_truth_row_by_row(ended: Ended) -> None:
    for one in ended.account_days:
        load = ended.lake.load_of(TABLE, one.account_id, one.day)
        assert load
        assert load.proven
        assert rows_of(ended.lake, one) == true_rows(ended.sandbox, one)
    keys = [key_of(one) for one in ended.account_days]
    told = ended.instance.get_status_by_partition(dg.AssetKey(TABLE), keys, account_days_of(WHOLE))
    assert told
    assert {str(status) for status in told.values()} == {"AssetPartitionStatus.MATERIALIZED"}


def test_the_worker_that_was_killed_left_runs_that_the_other_did_again(ended: Ended) -> None:
    again = [run for run in ended.runs if run.parent_run_id in ended.killed]

    assert 0 < ended.loaded_before < len(ended.account_days)
    assert len(ended.killed) == PLACES
    assert {run.run_id for run in ended.runs if run.status is FAILED} == set(ended.killed)
    assert [run.status for run in again] == [DONE] * PLACES


def test_no_report_run_is_created_twice(ended: Ended) -> None:
    asked = Counter(run["query"] for run in ended.calls["runs"])

    assert len(asked) == len(ended.account_days)
    assert set(asked.values()) == {1}


def test_all_workers_together_keep_to_the_quota(ended: Ended) -> None:
    assert ended.calls["blocked"] == {}


def test_the_files_are_those_of_one_machine_byte_for_byte_up_to_their_footers(ended: Ended) -> None:
    for one in ended.account_days:
        files = [lake.store.read(lake.key(TABLE, *one)) for lake in (ended.lake, ended.alone)]
        assert len(set(map(data_of, files))) == 1, one
        assert record_of(ended.lake, one) == record_of(ended.alone, one)


@pytest.mark.parametrize("name", ["insights_hourly", "insights_hourly_actions", "account_hourly"])
def test_what_is_published_from_them_is_what_the_one_machine_published(
    ended: Ended, name: str
) -> None:
    publish(ended.lake.store.name())

    with warehouse.open(ended.lake.store.name()) as many, warehouse.open(ended.alone.root) as one:
        ours, theirs = (door.arrow(f"FROM {name} ORDER BY ALL") for door in (many, one))  # ours

    assert ours.num_rows > 0
    assert ours.equals(theirs)


def data_of(parquet: bytes) -> bytes:
    """All of a Parquet file that stands before its footer: every page of every column."""
    (footer_bytes,) = struct.unpack("<I", parquet[-8:-4])
    return parquet[: -8 - footer_bytes]


def record_of(lake: Lake, one: AccountDay) -> Mapping[str, object]:
    """The record of a load without its provenance: rows, sums, control sums, verdict, version."""
    load = lake.load_of(TABLE, *one)
    assert load
    return {name: value for name, value in to_values(load).items() if name not in PROVENANCE}
