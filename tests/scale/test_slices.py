"""A backfill of many accounts by workers: it becomes runs of some of the accounts each, and the
worker of one is killed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.defs.slices import BACKFILL_JOB, SLICES_OF, config_of
from pipelines.loading.partitions import AccountDay
from tests.e2e.dev import remembered
from tests.scale.farm import PLACES, WORKERS, environ_of, farm, launch, yaml_of_a_farm
from tests.scale.services import wait_until
from tests.scale.truth import TABLE, rows_of, true_rows
from warehouse.published.publish import lag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.scale.farm import Farm
    from warehouse.lake.partitions import Lake

ACCOUNTS: Final = 12
DAYS: Final = [date(2026, 11, 21), date(2026, 11, 22)]
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
SLICES: Final = WORKERS * PLACES

FAILED, STARTED, DONE = (getattr(dg.DagsterRunStatus, n) for n in ("FAILURE", "STARTED", "SUCCESS"))


@dataclass
class Ended:
    """What is left when all is done."""

    sandbox: Sandbox
    lake: Lake
    runs: Sequence[dg.DagsterRun]  # slices, those that were started again included
    killed: Sequence[str]  # runs of the worker that was killed


@pytest.fixture(scope="module")
def ended(
    new_database: Callable[[], str], redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ended]:
    """The whole story, once. Meta ends no report run until the worker is killed."""
    home = tmp_path_factory.mktemp("slices")
    more = {
        "DAGSTER_POSTGRES_URL": new_database(),
        "CELERY_BROKER_URL": redis_url,
        "CELERY_RESULT_BACKEND": redis_url,
        "FB_ACCOUNTS_PER_RUN": str(ACCOUNTS // SLICES),
    }
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(world="hostile", now=lambda: NOW, accounts=ACCOUNTS) as sandbox,
    ):
        (home / "dagster.yaml").write_text(yaml_of_a_farm())
        environ = environ_of(home, sandbox, home / "lake", **more)
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.chdir(home)  # dagster.yaml names its folder relative to where one is
        config = {"since": str(DAYS[0]), "until": str(DAYS[-1]), "reports": [TABLE]}
        with (
            dg.DagsterInstance.from_config(str(home)) as instance,
            farm(home, environ, instance) as busy,
        ):
            sandbox.use("run_hangs")
            launch(home, environ, BACKFILL_JOB, {"backfill": config})
            wait_until(lambda: len(remembered(busy.lake)) == ACCOUNTS, lambda: statuses(busy))
            lost = [one.run_id for one in slices(busy, STARTED) if busy.worker_of(one) == 0]
            busy.kill(0)
            sandbox.use()
            wait_until(lambda: len(slices(busy, DONE)) == SLICES, lambda: statuses(busy))
            yield Ended(sandbox, busy.lake, slices(busy), lost)


def slices(farm: Farm, *statuses: dg.DagsterRunStatus) -> Sequence[dg.DagsterRun]:
    of = dg.RunsFilter(job_name=BACKFILL_JOB, statuses=list(statuses))
    return [run for run in farm.instance.get_runs(of) if SLICES_OF in run.tags]


def statuses(farm: Farm) -> Sequence[tuple[str, dg.DagsterRunStatus]]:
    """What became of each run, for whoever reads that a test waited for nothing."""
    return [(run.job_name, run.status) for run in farm.instance.get_runs()]


def test_each_account_is_in_one_run_and_in_the_one_that_is_started_for_it_again(
    ended: Ended,
) -> None:
    accounts = {run.run_id: config_of(run)["accounts"] for run in ended.runs}
    again = [run for run in ended.runs if run.parent_run_id in ended.killed]

    assert {run.run_id for run in ended.runs if run.status is FAILED} == set(ended.killed)
    assert len(ended.killed) == len(again) == PLACES
    for run in again:
        assert accounts[run.run_id] == accounts[str(run.parent_run_id)]
    done = Counter(one for run in ended.runs if run.status is DONE for one in accounts[run.run_id])
    assert done == Counter(f"act_{one}" for one in ended.sandbox.account_ids)


def test_no_report_run_is_created_twice_and_neighbouring_days_are_one(ended: Ended) -> None:
    asked = Counter(run["query"] for run in ended.sandbox.calls()["runs"])

    assert len(asked) == ACCOUNTS
    assert set(asked.values()) == {1}


def test_everything_is_the_truth_and_the_last_slice_has_published_it(ended: Ended) -> None:
    days = [AccountDay(i, day) for i in ended.sandbox.account_ids for day in DAYS]
    truth = {one: true_rows(ended.sandbox, one) for one in days}
    with warehouse.open(ended.lake.root) as opened:
        [(rows,)] = opened.sql(f"from {TABLE} select count(*)").fetchall()

    assert {one: rows_of(ended.lake, one) for one in days} == truth
    assert not lag(ended.lake).is_behind
    assert rows == sum(map(len, truth.values())) > 0
