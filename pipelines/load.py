"""Account-days from Graph into the lake: ask, run, read, decode, prove, publish.

`Loader` is the one class here that does I/O. One account-day succeeds or fails by itself, and one
that fails keeps what the lake had.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from fbgraph.errors import (
    ENDS_EVERYTHING,
    CursorError,
    GraphError,
    RunFailedError,
    TooMuchDataError,
)
from pipelines.partitions import AccountDay, chunks, today_in
from pipelines.reports import CONTROL
from warehouse.checks import Found, Totals, prove, too_many_rejects
from warehouse.decode import decode
from warehouse.errors import WarehouseError
from warehouse.loads import PROVEN, UNPROVEN, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from fbgraph import Edge, GraphClient
    from pipelines.reports import Report
    from warehouse.checks import Verdict
    from warehouse.decode import Account, Decoded, Reject
    from warehouse.lake import Lake

__all__ = ["Loader", "Outcome", "threads"]

#: Days of one account that share a report run.
DAYS_PER_RUN: Final = 7

#: Calls and report runs in flight. They spend their time waiting for Meta.
THREADS: Final = 8

#: Pages that are decoded, and so held as bytes, together.
PAGES_PER_BATCH: Final = 8

#: What may be the fault of one day alone: too much data for a run, a page that cannot be read.
SPLITTING: Final = (TooMuchDataError, RunFailedError, WarehouseError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account-day: its new `load`, or the `error` that kept the old one."""

    account_day: AccountDay
    load: Load | None = None
    error: str = ""

    def __str__(self) -> str:
        if self.load is None:
            return f"{self.account_day} failed: {self.error}"
        return f"{self.account_day} {self.load.verdict}: {self.load.reason}"


@dataclass(frozen=True, slots=True)
class _Day:
    """What Meta sent for one account-day of one table."""

    rows: pa.Table
    rejects: Sequence[Reject] = ()
    report_run_ids: Sequence[str] = ()

    @property
    def totals(self) -> Totals | None:
        """None when there is no row: Meta sends none where nothing was delivered."""
        return Totals.of(self.rows) if self.rows.num_rows else None


class Loader:
    """Loads account-days with one client into one lake, many at a time.

    `accounts` by their digits. `run_id` is the Dagster run's: it goes into every record. Control
    totals that the same run has asked for already are not asked for again. `now` gives the time.
    """

    def __init__(
        self,
        client: GraphClient,
        lake: Lake,
        accounts: Mapping[str, Account],
        run_id: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._lake = lake
        self._accounts = accounts
        self._run_id = run_id
        self._now = now

    def load(self, report: Report, account_days: Iterable[AccountDay]) -> Iterator[Outcome]:
        """Load account-days of a report, yielding each as it is done; the newest are asked first.

        Raises TokenError and BlockedError, which stop everything; all else is told per outcome.
        """
        work, refused = _work(self._accounts, account_days, self._now())
        for outcome in refused:
            yield _logged(outcome)
        with threads(self._client) as pool:
            futures = [pool.submit(self._chunk, report, account, days) for account, days in work]
            for future in as_completed(futures):
                for outcome in future.result():
                    yield _logged(outcome)

    def _chunk(self, report: Report, account: Account, days: Sequence[date]) -> Sequence[Outcome]:
        """Load neighbouring days of one account together; if that fails for some of them, in
        halves.
        """
        try:
            if report is CONTROL:
                return self._load_controls(account, days)
            return self._load_report(report, account, days)
        except ENDS_EVERYTHING:
            raise
        except (GraphError, WarehouseError, OSError) as error:
            if len(days) == 1 or not isinstance(error, SPLITTING):
                return [_failed(account, day, error) for day in days]
        half = len(days) // 2
        later = self._chunk(report, account, days[half:])
        return [*later, *self._chunk(report, account, days[:half])]

    def _load_report(
        self, report: Report, account: Account, days: Sequence[date]
    ) -> Sequence[Outcome]:
        client, started = self._client.counted(), time.monotonic()
        found = self._pull(client, report, account, days)
        controls = self._controls(client, account, days)
        verdicts = {day: _verdict(report, found[day], controls[day]) for day in days}
        doubtful = [day for day in days if not verdicts[day].proven]
        for again in chunks(doubtful, DAYS_PER_RUN):  # Meta's numbers move: look once more
            _log.info("act_%s does not add up yet; asking again.", account.account_id)
            found |= self._pull(client, report, account, again)
            controls |= self._ask_controls(client, account, again)
            for day in again:
                verdicts[day] = _verdict(report, found[day], controls[day])
        spent = _shares(client.tally.calls, len(days))
        seconds = (time.monotonic() - started) / len(days)
        return [
            self._store(
                report,
                found[day],
                replace(
                    _judged(
                        self._record(report, account, day, found[day], client.tally.api_version),
                        verdicts[day],
                        controls[day].totals or Totals(),
                    ),
                    calls=spent[day_number],
                    seconds=seconds,
                ),
            )
            for day_number, day in reversed(list(enumerate(days)))
        ]

    def _pull(
        self, client: GraphClient, report: Report, account: Account, days: Sequence[date]
    ) -> dict[date, _Day]:
        """One report run over neighbouring days, read to its end."""
        report_run_ids: list[str] = []
        report_run_id = client.account(account.account_id).run_report(
            report.params(days[0], days[-1]), on_created=report_run_ids.append
        )
        decoded = _decoded(client.node(report_run_id).insights(), report, account, days)
        return _by_day(decoded, days, report_run_ids)

    def _controls(
        self, client: GraphClient, account: Account, days: Sequence[date]
    ) -> dict[date, _Day]:
        """Control totals of neighbouring days, from the lake if this very run stored them."""
        stored = [self._lake.load_of(CONTROL.name, account.account_id, day) for day in days]
        if any(load is None or load.run_id != self._run_id for load in stored):
            return self._ask_controls(client, account, days)
        return {
            day: _Day(self._lake.read(CONTROL.name, account_id=account.account_id, date=day))
            for day in days
        }

    def _ask_controls(
        self, client: GraphClient, account: Account, days: Sequence[date]
    ) -> dict[date, _Day]:
        """Ask for control totals by one call, and keep them. Raises WarehouseError for a row that
        cannot be read: nothing could be proven by it.
        """
        calls = client.tally.calls
        edge = client.account(account.account_id).insights(**CONTROL.params(days[0], days[-1]))
        decoded = _decoded(edge, CONTROL, account, days)
        for reject in decoded.rejects:
            raise WarehouseError(
                f"control totals of act_{account.account_id}: {reject.column or 'row'}"
                f" {reject.value}: {reject.reason}"
            )
        found = _by_day(decoded, days, ())
        for day, spent in zip(days, _shares(client.tally.calls - calls, len(days)), strict=True):
            record = self._record(CONTROL, account, day, found[day], client.tally.api_version)
            self._lake.replace(
                CONTROL.name,
                found[day].rows,
                account_id=account.account_id,
                date=day,
                load=replace(record, calls=spent),
            )
        return found

    def _load_controls(self, account: Account, days: Sequence[date]) -> Sequence[Outcome]:
        self._ask_controls(self._client.counted(), account, days)
        loads = [self._lake.load_of(CONTROL.name, account.account_id, day) for day in days]
        return [
            Outcome(AccountDay(account.account_id, day), load)
            for day, load in zip(days, loads, strict=True)
        ]

    def _record(
        self, report: Report, account: Account, day: date, found: _Day, api_version: str
    ) -> Load:
        totals = found.totals or Totals()
        return Load(
            table=report.name,
            account_id=account.account_id,
            date=day,
            rows=found.rows.num_rows,
            impressions=totals.impressions,
            clicks=totals.clicks,
            spend=totals.spend,
            rejected=len(found.rejects),
            report_run_ids=tuple(found.report_run_ids),
            verdict=PROVEN,
            reason="Meta's own totals",
            api_version=api_version,
            run_id=self._run_id,
            loaded_at=self._now(),
        )

    def _store(self, report: Report, found: _Day, load: Load) -> Outcome:
        """Replace the account-day, unless it is too unreadable or would lose what is proven."""
        account_day = AccountDay(load.account_id, load.date)
        try:
            self._lake.write_rejects(load, found.rejects)
            if too_many_rejects(load.rejected, load.rows):
                first = found.rejects[0]
                return Outcome(
                    account_day,
                    error=f"{load.rejected} of {load.rejected + load.rows} rows cannot be read;"
                    f" the first, page {first.page} row {first.row}: {first.column or 'row'}"
                    f" {first.value}: {first.reason}",
                )
            self._lake.replace(
                report.name, found.rows, account_id=load.account_id, date=load.date, load=load
            )
        except (WarehouseError, OSError) as error:
            return Outcome(account_day, error=str(error))
        return Outcome(account_day, load)


@contextmanager
def threads(client: GraphClient) -> Iterator[ThreadPoolExecutor]:
    """Threads that call with `client`. When the block ends by an exception (Ctrl-C, a dead token)
    what has not begun never begins, and nobody waits for a limit or a report run any more.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="graph") as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            client.stop()
            raise


def _work(
    accounts: Mapping[str, Account], account_days: Iterable[AccountDay], now: datetime
) -> tuple[Sequence[tuple[Account, Sequence[date]]], Sequence[Outcome]]:
    """Chunks of days by account, newest first; and account-days that cannot be asked for."""
    days_of: dict[str, list[date]] = {}
    refused = []
    for account_day in account_days:
        account = accounts.get(account_day.account_id)
        if account is None:
            error = "the token does not see this account; `fbinsights doctor` says more"
            refused.append(Outcome(account_day, error=error))
        elif account_day.day > (today := today_in(account.timezone_name, now)):
            error = f"this day has not begun: it is {today} in {account.timezone_name}"
            refused.append(Outcome(account_day, error=error))
        else:
            days_of.setdefault(account.account_id, []).append(account_day.day)
    work = [
        (accounts[account_id], chunk)
        for account_id, days in days_of.items()
        for chunk in chunks(days, DAYS_PER_RUN)
    ]
    return sorted(work, key=lambda item: item[1][-1], reverse=True), refused


def _decoded(edge: Edge, report: Report, account: Account, days: Sequence[date]) -> Decoded:
    """Read an edge to its end; from its first page again, once, if its cursor is refused."""
    try:
        return _read(edge, report, account, days)
    except CursorError as error:
        _log.info("act_%s: reading from the first page again: %s", account.account_id, error)
        return _read(edge, report, account, days)


def _read(edge: Edge, report: Report, account: Account, days: Sequence[date]) -> Decoded:
    """Read an edge to its end, decoding some pages at a time."""
    pages = edge.pages(unread=True)
    parts: list[Decoded] = []
    first_page = 1
    while bodies := [page.body for page in islice(pages, PAGES_PER_BATCH)]:
        parts.append(decode(report.table, bodies, account, days, first_page=first_page))
        first_page += len(bodies)
    unknown = sorted({name for part in parts for name in part.unknown_fields})
    if unknown:
        _log.warning("act_%s: left out fields not asked for: %s", account.account_id, unknown)
    return replace(
        parts[0],
        rows=pa.concat_tables(part.rows for part in parts),
        rejects=[reject for part in parts for reject in part.rejects],
        unknown_fields=unknown,
    )


def _by_day(
    decoded: Decoded, days: Sequence[date], report_run_ids: Sequence[str]
) -> dict[date, _Day]:
    """Rows and rejects by their day; a reject whose day cannot be read stands with the first."""
    return {
        day: _Day(
            decoded.of_day(day),
            [r for r in decoded.rejects if (r.date if r.date in days else days[0]) == day],
            report_run_ids,
        )
        for day in days
    }


def _verdict(report: Report, found: _Day, control: _Day) -> Verdict:
    return prove(Found.of(report.table, found.rows, rejected=len(found.rejects)), control.totals)


def _judged(record: Load, verdict: Verdict, control: Totals) -> Load:
    return replace(
        record,
        verdict=PROVEN if verdict.proven else UNPROVEN,
        reason=verdict.reason,
        control_impressions=control.impressions,
        control_clicks=control.clicks,
        control_spend=control.spend,
    )


def _shares(calls: int, days: int) -> Sequence[int]:
    """`calls` in whole parts, one a day, that add up to it."""
    each, rest = divmod(calls, days)
    return [each + (n < rest) for n in range(days)]


def _failed(account: Account, day: date, error: Exception) -> Outcome:
    return Outcome(AccountDay(account.account_id, day), error=str(error))


def _logged(outcome: Outcome) -> Outcome:
    level = logging.INFO if outcome.load is not None else logging.ERROR
    _log.log(level, "%s", outcome, extra={"outcome": outcome})
    return outcome
