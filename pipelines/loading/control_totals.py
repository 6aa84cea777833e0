"""Control totals: Meta's own sums for an account and day, requested separately to prove the rows.

One call returns the three metrics that prove a day and, for several days, the account's lists of
actions. Lists take more computing: if Meta refuses the call with them, it is repeated without.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from fbgraph.errors import (
    CursorError,
    GraphError,
    RequestError,
    RetryableError,
    ThrottledError,
    TooMuchDataError,
    TooOldError,
)
from fbgraph.reports.ages import EVERYTHING, SHORTEST_MEMORY, TooOld, may_be_too_old, refused_day
from fbgraph.reports.splitting import split_days
from pipelines.loading.emptiness import is_nothing
from pipelines.loading.failures import Failures
from pipelines.loading.totals_record import record_of_totals, row_of
from pipelines.reports.catalog import CONTROL, CONTROLS
from warehouse.decode import arrow
from warehouse.decode.actions import LISTS, sums_of
from warehouse.decode.hours import INTRADAY_DELAY
from warehouse.decode.pages import decode
from warehouse.decode.rows import ROW
from warehouse.errors import WarehouseError
from warehouse.lake.records import Load, with_progress
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime, timedelta

    import pyarrow as pa

    from fbgraph import GraphClient
    from pipelines.reports.catalog import Report
    from warehouse.decode.actions import Sums
    from warehouse.decode.pages import Account, Decoded
    from warehouse.decode.rows import Reject
    from warehouse.lake.partitions import Lake
    from warehouse.lake.proof.reconcile import Totals

__all__ = ["ControlTotals", "Controls", "Emptied", "share"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Control totals by day, None if Meta returned no row.

    `errors`: days whose totals cannot be read, and why; they have none. `asked_at`: when they were
    requested. `emptied`: records of days that had totals and have none now; these are not in the
    lake until that is confirmed (`Controls.empty`). `rows`: those of days that were loaded just
    now. `no_lists`: days without lists of actions, and why.
    """

    totals: Mapping[date, Totals | None]
    loads: Sequence[Load] = ()
    errors: Mapping[date, str] = field(default_factory=dict)
    asked_at: Mapping[date, datetime] = field(default_factory=dict)
    emptied: Mapping[date, Emptied] = field(default_factory=dict)
    rows: Mapping[date, pa.Table] = field(default_factory=dict)
    no_lists: Mapping[date, str] = field(default_factory=dict)

    @classmethod
    def of(cls, load: Load, rows: pa.Table | None = None) -> Self:
        """The totals in the record of one day; `rows` if they are at hand."""
        return cls(
            {load.date: load.totals if load.rows else None},
            [load],
            asked_at={load.date: load.asked_at or load.loaded_at},
            rows={} if rows is None else {load.date: rows},
            no_lists={load.date: load.conversions_reason} if load.conversions else {},
        )

    def with_(self, more: ControlTotals) -> Self:
        """Both together."""
        return replace(
            self,
            totals={**self.totals, **more.totals},
            loads=[*self.loads, *more.loads],
            errors={**self.errors, **more.errors},
            asked_at={**self.asked_at, **more.asked_at},
            emptied={**self.emptied, **more.emptied},
            rows={**self.rows, **more.rows},
            no_lists={**self.no_lists, **more.no_lists},
        )


@dataclass(frozen=True, slots=True)
class _TotalsQuery:
    """Neighbouring days, and why they are requested without lists of actions, if they are. `until`:
    the last day of a range that has one total; `days` has its first day.
    """

    days: tuple[date, ...]
    without: str = ""
    until: date | None = None


def _halves(query: _TotalsQuery, without: str = "") -> Sequence[_TotalsQuery]:
    halves = reversed(split_days(query.days))
    return [replace(query, days=half, without=without) for half in halves]


def _blames_lists(error: GraphError, days: Sequence[date]) -> bool:
    """Whether to request the same days without lists of actions: a field may not be allowed, or
    computing takes too long, which Meta calls temporary. What is too much is first requested for
    fewer days.
    """
    if isinstance(error, TooMuchDataError):
        return len(days) == 1
    is_lists = isinstance(error, (RequestError, RetryableError))
    return is_lists and not isinstance(error, (ThrottledError, TooOldError))


class Emptied(NamedTuple):
    """The record of a day's totals in the lake, and the one without any that arrived now."""

    old: Load
    new: Load


class Controls:
    """Requests control totals, and keeps those of days in the lake as the table `control_daily`;
    those of a week or month, a `period`, are only compared.
    """

    def __init__(  # noqa: PLR0913  # what it works with
        self,
        client: GraphClient,
        lake: Lake,
        run_id: str,
        now: Callable[[], datetime],
        period: Period = Period.DAY,
        *,
        delay: timedelta = INTRADAY_DELAY,
    ) -> None:
        self._control = CONTROLS[period]
        self._delay = delay
        self._client = client
        self._lake = lake
        self._run_id = run_id
        self._now = now
        self._failures = Failures(lake.store, CONTROL.name)
        self._too_old: defaultdict[str, TooOld] = defaultdict(TooOld)
        self.stored: list[Load] = []  # records of all that came into the lake
        self._no_lists: dict[str, str] = {}  # account → why they are no longer requested

    def counted(self) -> GraphClient:
        """A client whose tally shows what the requests cost, however they ended."""
        return self._client.counted()

    def of(
        self,
        account: Account,
        days: Sequence[date],
        client: GraphClient | None = None,
        until: date | None = None,
    ) -> ControlTotals:
        """Totals of neighbouring days, from the lake if this very run stored them."""
        if until is not None:
            return self.request(account, days, client, until)
        stored = self._lake.loads_of(CONTROL.name, [(account.account_id, day) for day in days])
        if any(load is None or load.run_id != self._run_id for load in stored):
            return self.request(account, days, client)
        received = ControlTotals({})
        for load in stored:
            received = received.with_(ControlTotals.of(load)) if load else received
        return replace(received, loads=())

    def empty(self, record: Load) -> None:
        """Store that a day has no totals any more. Raises WarehouseError."""
        rows = arrow.empty(CONTROL.table.arrow_schema)
        account_id, day = _cell(record)
        self._lake.replace(CONTROL.name, rows, account_id=account_id, date=day, load=record)
        self.stored.append(record)
        self._failures.loaded(account_id, [day], self._now())

    def request(
        self,
        account: Account,
        days: Sequence[date],
        client: GraphClient | None = None,
        until: date | None = None,
    ) -> ControlTotals:
        """Request totals of neighbouring days by one call, and store them; those of a whole range,
        from a day `until` another, are not stored.

        They are requested in halves if they are too much, if a row cannot be read (nothing could be
        proven by it), and if some days may be older than Meta keeps. Lists of actions are given up
        before the totals are.
        """
        client = client or self.counted()
        too_old = self._too_old[account.account_id]
        received, waiting = ControlTotals({}), [_TotalsQuery(tuple(days), until=until)]
        while waiting:
            query = waiting.pop()
            for some, refused in too_old.cut(query.days):
                if EVERYTHING in refused:
                    why = dict.fromkeys(some, too_old.why[EVERYTHING])
                    received = received.with_(ControlTotals({}, errors=why))
                else:
                    found, more = self._try(account, replace(query, days=some), client)
                    received = received.with_(found)
                    waiting += more
        return received

    def _try(
        self, account: Account, query: _TotalsQuery, client: GraphClient
    ) -> tuple[ControlTotals, Sequence[_TotalsQuery]]:
        """The result of a query, and the queries to try instead, the newest days last."""
        query = replace(query, without=query.without or self._no_lists.get(account.account_id, ""))
        try:
            return self._request(account, query, client), ()
        except WarehouseError as error:
            return _after_unreadable(query, error)
        except GraphError as error:
            return ControlTotals({}), self._instead(account, query, error)

    def _instead(
        self, account: Account, query: _TotalsQuery, error: GraphError
    ) -> Sequence[_TotalsQuery]:
        """The queries to try after Meta's `error`. Raises it if there is nothing left to try."""
        days, old_before = query.days, self._now().date() - SHORTEST_MEMORY
        if not query.without and _blames_lists(error, days):
            # What is too much for one day is so for others too, and so is a refused field; what
            # failed by chance or may be too old is about these days.
            if not isinstance(error, RetryableError) and days[0] >= old_before:
                self._no_lists[account.account_id] = str(error)
            return [replace(query, without=str(error))]
        if isinstance(error, RequestError) and may_be_too_old(error, days[0], old_before):
            if day := refused_day(error, days):
                self._too_old[account.account_id].note([EVERYTHING], day, error)
            return _halves(query)  # lists were not to blame
        if isinstance(error, TooMuchDataError) and len(days) > 1:
            return _halves(query, query.without)
        raise error

    def actions(self, account: Account, day: date, received: ControlTotals) -> Sums | str:
        """The account's actions on a requested day, or else why they are unknown."""
        if day in received.no_lists:
            return received.no_lists[day]
        rows = received.rows.get(day)
        if rows is None:  # this run stored them, maybe in another process
            try:
                rows = self._lake.read(CONTROL.name, account_id=account.account_id, date=day)
            except (WarehouseError, OSError) as error:
                return str(error)
        return sums_of(self._control.table, rows)

    def _request(self, account: Account, query: _TotalsQuery, client: GraphClient) -> ControlTotals:
        """Request once, and store the totals of each day. Raises WarehouseError for what cannot be
        read, and GraphError.
        """
        before, asked_at = client.tally.calls, self._now()
        decoded = _decoded(client, self._control, account, query)
        calls = client.tally.calls - before
        received = ControlTotals({})
        for at, day in enumerate(query.days):
            rows = row_of(decoded.of_day(day), account, day)
            unread = [reject for reject in decoded.rejects if reject.date == day]
            record = replace(
                record_of_totals(
                    account, day, rows, unread, without=query.without, asked_at=asked_at
                ),
                api_version=client.tally.api_version,
                run_id=self._run_id,
                loaded_at=self._now(),
                calls=share(calls, len(query.days), at),
            )
            record = with_progress(record, account.timezone_name, delay=self._delay)
            received = received.with_(self._store(record, rows, unread))
        # Whatever they were requested for, an earlier failure of theirs is over.
        loaded = [load.date for load in received.loads]
        self._failures.loaded(account.account_id, loaded, self._now())
        return received

    def _store(self, record: Load, rows: pa.Table, unread: Sequence[Reject]) -> ControlTotals:
        """Replace a day's totals in the lake, unless none arrived where there were some."""
        account_id, day = _cell(record)
        totals = ControlTotals.of(record, rows)
        if self._control is not CONTROL:
            return replace(totals, loads=())
        old = None if rows.num_rows else self._lake.load_of(CONTROL.name, account_id, day)
        if old is not None and not is_nothing(old):
            return replace(totals, loads=(), emptied={day: Emptied(old, record)})
        self._lake.write_rejects(record, unread)
        self._lake.replace(CONTROL.name, rows, account_id=account_id, date=day, load=record)
        self.stored.append(record)
        return totals


def _after_unreadable(
    query: _TotalsQuery, error: WarehouseError
) -> tuple[ControlTotals, Sequence[_TotalsQuery]]:
    """What cannot be read is first requested for fewer days, then without lists; if that does not
    help, the day has no totals.
    """
    if len(query.days) > 1:
        return ControlTotals({}), _halves(query, query.without)
    if not query.without:
        return ControlTotals({}), [replace(query, without=str(error))]
    return ControlTotals({}, errors={query.days[0]: str(error)}), ()


def _cell(load: Load) -> tuple[str, date]:
    return load.account_id, load.date


def _decoded(
    client: GraphClient, control: Report, account: Account, query: _TotalsQuery
) -> Decoded:
    """Read them to their end; from the first page again, once, if the cursor is refused. Raises
    WarehouseError for a row that cannot be read: nothing could be proven by it.
    """
    params = control.params(query.days[0], query.until or query.days[-1])
    if query.without:
        fields = [name for name in params["fields"] if name not in LISTS]
        params = {**params, "fields": fields, "action_attribution_windows": None}
    edge = client.account(account.account_id).insights(**params)
    try:
        bodies = [page.body for page in edge.pages()]
    except CursorError as error:
        _log.info("act_%s: reading from the first page again: %s", account.account_id, error)
        bodies = [page.body for page in edge.pages()]
    decoded = decode(control.table, bodies, account, query.days, until=query.until)
    for reject in (one for one in decoded.rejects if one.lost == ROW):
        raise WarehouseError(f"control totals of act_{account.account_id}: {reject}")
    return decoded


def share(calls: int, days: int, at: int) -> int:
    """The share of `calls` of day number `at`: whole calls, which add up to all."""
    each, remainder = divmod(calls, days)
    return each + (at < remainder)
