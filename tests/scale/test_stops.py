"""What the buttons "Terminate" and "Cancel backfill" do to runs that workers of Celery execute."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus  # no public way

from fbgraph.sandbox import Sandbox
from pipelines.loading.partitions import AccountDay, key_of
from tests.e2e.dev import Dagster, answers, remembered
from tests.runs import run_job
from tests.scale.farm import PLACES, WORKERS, environ_of, farm, yaml_of_a_farm
from tests.scale.services import free_port, running, wait_until
from tests.scale.truth import TABLE, rows_of, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.scale.farm import Farm
    from warehouse.lake.partitions import Lake

NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
ACCOUNTS: Final = 6
DAYS: Final = [date(2026, 11, 18) + timedelta(days=n) for n in range(5)]

CANCELED: Final = dg.DagsterRunStatus.CANCELED


@dataclass
class Stopped:
    """What was there after each click."""

    sandbox: Sandbox
    lake: Lake
    terminated: Sequence[dg.DagsterRunStatus]  # of the two clicks on one account
    waited: dg.DagsterRunStatus  # the second click's, before the first was terminated
    canceled: BulkActionStatus
    runs: Sequence[dg.DagsterRun]  # of the backfill, when it was canceled
    left: Sequence[str]  # files of unfinished and finished account-days, by then
    again: BulkActionStatus
    workers: Sequence[int | None]  # how each ended, by the end
    answers: Sequence[bool]  # of the launcher, about runs that no worker has


@pytest.fixture(scope="module")
def stopped(
    new_database: Callable[[], str], redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stopped]:
    """The whole story, once. Meta ends no report run until all that was begun is stopped."""
    home = tmp_path_factory.mktemp("stops")
    servers = {
        "DAGSTER_POSTGRES_URL": new_database(),
        "CELERY_BROKER_URL": redis_url,
        "CELERY_RESULT_BACKEND": redis_url,
    }
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(world="hostile", now=lambda: NOW, accounts=6) as sandbox,
    ):
        (home / "dagster.yaml").write_text(yaml_of_a_farm())
        environ = environ_of(home, sandbox, home / "lake", **servers)
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.chdir(home)  # dagster.yaml names its folder relative to where one is
        with dg.DagsterInstance.from_config(str(home)) as instance:
            listed = run_job(instance, "accounts_job")
            with farm(home, environ, instance) as busy, webserver(home, environ) as url:
                page = Dagster(sandbox, busy.lake, instance, url)
                sandbox.use("run_hangs")
                waited, terminated = two_clicks(page)
                canceled, runs, left = one_backfill(page, busy)
                sandbox.use()
                again = page.backfill([key_of(one) for one in cells(sandbox)])
                workers = [worker.poll() for worker in busy.workers]
                ids = [listed.run_id, runs[0].run_id, "no-such-run"]
                answers = [instance.run_launcher.terminate(run_id) for run_id in ids]
            yield Stopped(
                *(sandbox, busy.lake, terminated, waited, canceled, runs, left),
                *(page.backfill_status(again), workers, answers),
            )


@contextmanager
def webserver(home: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Dagster's pages; their address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster_webserver", "-m", "pipelines.definitions"]
    command += ["-h", "127.0.0.1", "-p", str(port)]
    with running(command, home / "webserver.log", environ=environ, cwd=home):
        wait_until(lambda: answers(url))
        yield url


def cells(sandbox: Sandbox) -> Sequence[AccountDay]:
    return [AccountDay(account, day) for account in sandbox.account_ids for day in DAYS]


def two_clicks(page: Dagster) -> tuple[dg.DagsterRunStatus, Sequence[dg.DagsterRunStatus]]:
    """Click on two cells of an account, which load one after the other; terminate each."""
    first, second = (page.click(key_of(one)) for one in cells(page.sandbox)[:2])
    wait_until(lambda: len(remembered(page.lake)) == 1)
    waited = page.status(second)
    page.terminate(first)
    wait_until(lambda: len(remembered(page.lake)) == 2)
    page.terminate(second)
    return waited, [page.finish(first), page.finish(second)]


def one_backfill(
    page: Dagster, busy: Farm
) -> tuple[BulkActionStatus, Sequence[dg.DagsterRun], Sequence[str]]:
    """Begin a backfill of more runs than there are places, and cancel it."""
    backfill_id = busy.backfill(TABLE, cells(page.sandbox))
    # Each run has a day of all accounts; two report runs are there already.
    begun = PLACES * WORKERS * ACCOUNTS
    wait_until(lambda: len(remembered(page.lake)) >= begun)
    page.cancel(backfill_id)
    runs = busy.runs_of(backfill_id)
    root = page.lake.root
    left = [str(path) for path in (*root.glob(".staging/*"), *root.glob(f"{TABLE}/*/*/*"))]
    return page.backfill_status(backfill_id), runs, left


def test_a_run_that_is_terminated_is_canceled_and_its_account_free_for_the_next(
    stopped: Stopped,
) -> None:
    assert stopped.waited is dg.DagsterRunStatus.QUEUED
    assert stopped.terminated == [CANCELED, CANCELED]


def test_of_a_backfill_that_is_canceled_nothing_goes_on_or_is_begun_again(stopped: Stopped) -> None:
    assert stopped.canceled is BulkActionStatus.CANCELED
    assert [run.status for run in stopped.runs] == [CANCELED] * len(DAYS)
    assert [run.parent_run_id for run in stopped.runs] == [None] * len(DAYS)


def test_what_is_stopped_leaves_nothing_half_written_and_the_workers_at_work(
    stopped: Stopped,
) -> None:
    assert stopped.left == []
    assert stopped.workers == [None] * WORKERS


def test_what_was_stopped_is_loaded_the_next_time_by_the_same_report_runs(stopped: Stopped) -> None:
    asked = Counter(run["query"] for run in stopped.sandbox.calls()["runs"])

    assert stopped.again is BulkActionStatus.COMPLETED_SUCCESS
    for one in cells(stopped.sandbox):
        assert rows_of(stopped.lake, one) == true_rows(stopped.sandbox, one)
    assert len(asked) == len(cells(stopped.sandbox))
    assert set(asked.values()) == {1}


def test_a_run_that_no_worker_has_cannot_be_terminated(stopped: Stopped) -> None:
    """One of the command line, one that has ended, one that never was."""
    assert stopped.answers == [False, False, False]
