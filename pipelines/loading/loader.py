"""The loader: account-days from Graph into the lake. Request, run, read, decode, prove, publish.

The report engine of `fbgraph` has the runs of all accounts in flight; `InsightsHandler` says where
pages go, and what happens when a task is complete. One account-day succeeds or fails by itself, and
if it fails, the lake keeps what it had.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final

from fbgraph.errors import ENDS_EVERYTHING, GraphError
from fbgraph.reports.ages import SHORTEST_MEMORY
from fbgraph.reports.engine import Engine, wait_for_any
from fbgraph.reports.handler import Wanted
from fbgraph.reports.runner import RESUME_SECONDS
from fbgraph.reports.task import ReportTask
from pipelines.loading.accounts.features import FeatureSettings
from pipelines.loading.control_totals import Controls
from pipelines.loading.emptiness import EMPTY, refusal
from pipelines.loading.estimate import ROWS_PER_RUN, cut, expected_rows
from pipelines.loading.failures import Failures
from pipelines.loading.handler import InsightsHandler
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay, chunks
from pipelines.reports.catalog import CONTROL
from pipelines.state.pending_runs import StoredRuns
from warehouse.decode.hours import INTRADAY_DELAY, today_in
from warehouse.errors import WarehouseError
from warehouse.lake.definitions import require_same_key
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, timedelta

    from fbgraph import GraphClient
    from fbgraph.reports.engine import Wait
    from pipelines.reports.catalog import Report
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load

__all__ = ["Loader", "threads"]

#: Calls in flight when no report run is needed.
THREADS: Final = 8

#: Days of control totals per call.
CONTROL_DAYS: Final = 31

_log = logging.getLogger(__name__)


class Loader:
    """Loads account-days with one client into one lake, many at a time.

    `accounts` by their digits. `run_id` is the Dagster run's: it goes into every record. Control
    totals that the same run has already requested are not requested again. `accept_empty`: a day
    that had rows becomes empty at once if Meta returns none (`emptiness`). `features`:
    what accounts have enabled, as far as this run has read it. `controls`: other totals than those
    that are requested day by day. Up to `at_once_rows` expected rows are read without a report run;
    None: all have one.
    `log_level`: of account-days that were loaded; Dagster keeps lines from INFO on.
    `now` gives the time, `wait` is the engine's. `delay`: how long after the end of an hour Meta
    still counts (`with_progress`).
    """

    def __init__(  # noqa: PLR0913  # what it works with
        self,
        client: GraphClient,
        lake: Lake,
        accounts: Mapping[str, Account],
        run_id: str,
        *,
        accept_empty: bool = False,
        features: FeatureSettings | None = None,
        controls: Controls | None = None,
        at_once_rows: int | None = None,
        log_level: int = logging.INFO,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait = wait_for_any,
        delay: timedelta = INTRADAY_DELAY,
    ) -> None:
        self._client = client
        self._lake = lake
        self._accounts = accounts
        self._now = now
        self._wait = wait
        self._controls = controls or Controls(client, lake, run_id, now, delay=delay)
        self._at_once_rows = at_once_rows
        self._log_level = log_level
        self._accept_empty = accept_empty
        self._delay = delay
        self._features = features or FeatureSettings(client, now)
        self._run_id = run_id

    @property
    def stored_totals(self) -> Sequence[Load]:
        """Records of the control totals that were stored to prove reports."""
        return self._controls.stored

    def load(self, report: Report, account_days: Iterable[AccountDay]) -> Iterator[Outcome]:
        """Load account-days of a report, yielding each as it is done; the newest are requested
        first.

        Raises what ends everything, FullDiskError, and ChangedKeyError if the lake has the table
        with another key; any other failure is an outcome.
        """
        require_same_key(self._lake.store, report.table)
        for warning in report.warnings:
            _log.warning("%s", warning)
        days_of, refused = _work(self._accounts, account_days, self._now(), report.period)
        load = self._load_controls if report is CONTROL else self._load_report
        failures = Failures(self._lake.store, report.name)
        for outcome in chain(refused, load(report, days_of)):
            if not outcome.skipped:
                failures.note(outcome, self._now(), self._run_id)
            yield _logged(outcome, self._log_level)

    def _load_report(
        self, report: Report, days_of: Mapping[str, Sequence[date]]
    ) -> Iterator[Outcome]:
        pending = StoredRuns(self._lake.store, report.name, self._now, report.period)
        with ExitStack() as staging_areas:
            handler = InsightsHandler(
                report,
                self._lake,
                self._accounts,
                self._controls_of(report),
                self._run_id,
                self._now,
                staging_areas,
                features=self._features,
                delay=self._delay,
                accept_empty=self._accept_empty,
            )
            engine = Engine(
                self._client,
                handler,
                pending,
                Wanted(
                    report.statuses,
                    report.table.fields,
                    report.required,
                    tolerated=(WarehouseError,),
                    old_before=self._now().date() - SHORTEST_MEMORY,
                    rows_of=report.level,
                ),
                wait=self._wait,
                now=self._now,
            )
            yield from engine.run(
                ReportTask(
                    account_id,
                    tuple(run),
                    until=self._until(report, account_id, run),
                    is_small=self._is_small(rows),
                )
                for account_id, days in days_of.items()
                for run, rows in self._runs(report, pending, account_id, days)
            )

    def _is_small(self, rows: float) -> bool:
        return self._at_once_rows is not None and rows <= self._at_once_rows

    def _until(self, report: Report, account_id: str, days: Sequence[date]) -> date | None:
        """The last day to request of a week or month; None for days. If it goes on that is today,
        whatever Meta makes of days to come: rows end where they were asked to.
        """
        if report.period is Period.DAY:
            return None
        today = today_in(self._accounts[account_id].timezone_name, self._now())
        return max(days[-1], min(report.period.last(days[-1]), today))

    def _controls_of(self, report: Report) -> Controls:
        """The controls for its period: what proves weeks is not stored, nor shared with days."""
        if report.period is Period.DAY:
            return self._controls
        return Controls(self._client, self._lake, self._run_id, self._now, report.period)

    def _runs(
        self, report: Report, pending: StoredRuns, account_id: str, days: Sequence[date]
    ) -> Iterator[tuple[Sequence[date], int]]:
        """Days cut into report runs, and the rows that each will have; those that an earlier
        process has in flight stay together.
        """
        left = set(days)
        for stretch in pending.stretches(account_id, report.params, RESUME_SECONDS):
            if left.issuperset(stretch):
                left.difference_update(stretch)
                yield stretch, ROWS_PER_RUN
        if left:
            remaining = sorted(left)
            rows = expected_rows(self._lake, report.name, account_id, remaining)
            for run in cut(remaining, rows):
                yield run, sum(rows[day] for day in run)

    def _load_controls(self, _: Report, days_of: Mapping[str, Sequence[date]]) -> Iterator[Outcome]:
        with threads(self._client) as pool:
            futures = [
                pool.submit(self._control_chunk, self._accounts[account_id], chunk)
                for account_id, days in days_of.items()
                for chunk in chunks(days, CONTROL_DAYS)
            ]
            for future in as_completed(futures):
                yield from future.result()

    def _control_chunk(self, account: Account, days: Sequence[date]) -> Sequence[Outcome]:
        try:
            received = self._controls.request(account, days)
        except ENDS_EVERYTHING:
            raise
        except (GraphError, WarehouseError, OSError) as error:
            return [Outcome(AccountDay(account.account_id, day), error=str(error)) for day in days]
        return [
            *(Outcome(AccountDay(account.account_id, load.date), load) for load in received.loads),
            *(
                Outcome(AccountDay(account.account_id, day), error=why)
                for day, why in received.errors.items()
            ),
            *(self._emptied(account, *emptied) for emptied in received.emptied.values()),
        ]

    def _emptied(self, account: Account, old: Load, new: Load) -> Outcome:
        """The outcome of a day whose control totals are gone."""
        account_day = AccountDay(account.account_id, new.date)
        if not self._accept_empty:
            failed = Failures(self._lake.store, CONTROL.name).of_day(*account_day)
            if why := refusal(old, new, failed):
                return Outcome(account_day, error=why, kind=EMPTY)
        try:
            self._controls.empty(new)
        except (WarehouseError, OSError) as error:
            return Outcome(account_day, error=str(error))
        return Outcome(account_day, new)


@contextmanager
def threads(client: GraphClient) -> Iterator[ThreadPoolExecutor]:
    """Threads that make calls with `client`.

    If the block ends with an exception (Ctrl-C, an invalid token), what has not begun never begins,
    and nobody waits for a limit or a report run any more.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="graph") as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            client.stop()
            raise


def _work(
    accounts: Mapping[str, Account],
    account_days: Iterable[AccountDay],
    now: datetime,
    period: Period,
) -> tuple[Mapping[str, Sequence[date]], Sequence[Outcome]]:
    """Days by account, and the account-days that cannot be requested."""
    days_of: dict[str, list[date]] = {}
    refused = []
    for account_day in account_days:
        account = accounts.get(account_day.account_id)
        if account is None:
            error = "the token does not see this account; `fbinsights doctor` says more"
            refused.append(Outcome(account_day, error=error))
        elif account_day.day > (today := today_in(account.timezone_name, now)):
            why = f"this {period} has not begun: it is {today} in {account.timezone_name}"
            refused.append(Outcome(account_day, skipped=why))
        elif account_day.day != (first := period.first(account_day.day)):
            error = f"no {period} begins on {account_day.day}: load the one that begins on {first}"
            refused.append(Outcome(account_day, error=error))
        else:
            days_of.setdefault(account.account_id, []).append(account_day.day)
    return days_of, refused


def _logged(outcome: Outcome, level: int) -> Outcome:
    level = logging.ERROR if outcome.error else level
    _log.log(level, "%s", outcome, extra={"outcome": outcome})
    return outcome
