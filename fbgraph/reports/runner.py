"""The calls of a report engine: each carries out one step of one shard.

They run in threads; what follows from them is decided elsewhere (`fetch`).
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.errors import (
    CursorError,
    CursorStuckError,
    NotFoundError,
    RetryableError,
    RunFailedError,
    TooMuchDataError,
)
from fbgraph.http.paging import PAGE_ROWS, PageSize
from fbgraph.limits.retry import READING, RUN
from fbgraph.objects.report_run import ReportRun
from fbgraph.reports.handler import Checkpoint
from fbgraph.reports.recovery import bad_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fbgraph.client import GraphClient
    from fbgraph.errors import GraphError
    from fbgraph.http.response import Response
    from fbgraph.reports.handler import PendingRuns, ReportHandler
    from fbgraph.reports.poller import Watch
    from fbgraph.reports.query import ReportQuery
    from fbgraph.reports.task import ReportTask, Shard

__all__ = ["REPORT_PAGE_ROWS", "RESUME_SECONDS", "Runner"]

#: Rows requested per page. Meta does not publish the maximum; 5,000 is the highest that is reported
#: to work.
REPORT_PAGE_ROWS: Final = 5000

#: Pages that are handed over together: by number, or by bytes.
PAGES_HELD: Final = 8
BYTES_HELD: Final = 4_000_000

#: Seconds for which a run of another process is resumed. After that its numbers are old.
RESUME_SECONDS: Final = 3600.0

_log = logging.getLogger(__name__)


class Runner:
    """Makes the calls of an engine, and counts them for the task that they are made for."""

    def __init__(
        self, client: GraphClient, handler: ReportHandler[Any], pending: PendingRuns
    ) -> None:
        self._client = client
        self._handler = handler
        self._pending = pending
        self._page_size = PageSize(REPORT_PAGE_ROWS)
        self._small_pages = PageSize(PAGE_ROWS)
        self._lock = threading.Lock()

    def create(self, shard: Shard) -> tuple[str, float]:
        """The run of a shard, and its age in seconds: an existing one, or a new one. Raises
        TooMuchDataError for a query that an earlier process had to split.
        """
        task, params = shard.task, self._handler.params(shard.query)
        is_first = shard.query.attempt == 1 and not task.is_fresh
        known = self._pending.saved(task.account_id, params) if is_first else None
        if known and known.age_seconds < RESUME_SECONDS:
            if known.was_split:
                raise TooMuchDataError("This query had to be split before.")
            return known.report_run_id, known.age_seconds
        client = self._client.counted()
        try:
            report_run_id = client.account(task.account_id).create_report(**params)
            # Immediately: a process that is killed before this leaves a run that nobody knows
            # about.
            self._pending.save(task.account_id, params, Checkpoint(report_run_id))
        finally:
            self._count(task, client)
        return report_run_id, 0.0

    def poll(self, watches: Sequence[Watch]) -> Sequence[tuple[Watch, ReportRun | GraphError]]:
        """The states of many runs, by one call."""
        polls = [watch.poll for watch in watches]
        responses = self._client.counted().batch_once(polls, _read_poll)
        with self._lock:
            for watch in watches:
                watch.task.calls += 1
        return list(zip(watches, responses, strict=True))

    def read(self, shard: Shard) -> None:
        """Read a run to its end, or what is small while Meta computes it; from its first page again
        if a cursor or a page is bad.
        """
        with self._lock:
            shard.task.sink = shard.task.sink or self._handler.open(shard.task)
        for left in reversed(range(READING.attempts)):
            try:
                return self._read_once(shard)
            except (CursorError, _BadPageError) as error:
                if not left or isinstance(error, CursorStuckError):
                    raise error.error if isinstance(error, _BadPageError) else error from None
                shard.drop()
                _log.info("%s: reading from the first page again: %s", shard.task, error)
        return None

    def _read_once(self, shard: Shard) -> None:
        task, client = shard.task, self._client.counted()
        if shard.report_run_id:
            size = self._page_size
            edge = client.node(shard.report_run_id, account_id=task.account_id).insights()
        else:
            size = self._small_pages
            edge = client.account(task.account_id).insights(**self._handler.params(shard.query))
        bodies: list[bytes] = []
        try:
            for page in edge.pages(unread=True, size=size):
                bodies.append(page.body)
                if len(bodies) >= PAGES_HELD or sum(map(len, bodies)) >= BYTES_HELD:
                    _hand_over(shard, bodies)
                    bodies = []
            _hand_over(shard, bodies)
        finally:
            self._count(task, client)

    def objects(self, shard: Shard, level: str) -> tuple[str, ...]:
        """The objects of a level that have rows in the query of a shard, deleted ones included."""
        query, client = shard.query, self._client.counted()
        filters = {f"{level}.effective_status": EFFECTIVE_STATUSES[level]}
        if query.level:
            filters[f"{query.level}.id"] = query.ids
        edge = client.account(shard.task.account_id).insights(
            level=level,
            fields=[f"{level}_id"],
            time_range=dict(zip(("since", "until"), map(str, query.bounds), strict=True)),
            filtering=[
                {"field": field, "operator": "IN", "value": list(values)}
                for field, values in filters.items()
            ],
        )
        try:
            return tuple(dict.fromkeys(str(row[f"{level}_id"]) for row in edge))
        finally:
            self._count(shard.task, client)

    def search(self, shard: Shard, required: Collection[str], error: GraphError) -> frozenset[str]:
        """The fields that make the runs of a shard fail. Raises `error` if no field is to blame."""
        optional = [field for field in shard.query.fields if field not in required]
        if not self._works(shard, required, []):
            raise error
        return bad_fields(optional, lambda fields: self._works(shard, required, fields))

    def _works(self, shard: Shard, required: Collection[str], fields: Sequence[str]) -> bool:
        """Whether a run with the required fields and these succeeds; its rows are not read. As
        elsewhere, a single failed run proves nothing.
        """
        kept = [name for name in shard.query.fields if name in required or name in fields]
        query = replace(shard.query, days=shard.query.days[-1:], fields=tuple(kept))
        client = self._client.counted()
        try:
            return any(self._succeeds(client, shard, query) for _ in range(RUN.attempts))
        finally:
            self._count(shard.task, client)

    def _succeeds(self, client: GraphClient, shard: Shard, query: ReportQuery) -> bool:
        account = client.account(shard.task.account_id)
        try:
            account.run_report(self._handler.params(query))
        except (RunFailedError, RetryableError, TooMuchDataError, NotFoundError) as error:
            if isinstance(error, NotFoundError) and error.detail.path.startswith("act_"):
                raise
            return False
        return True

    def _count(self, task: ReportTask, client: GraphClient) -> None:
        with self._lock:
            task.calls += client.tally.calls
            task.api_version = client.tally.api_version or task.api_version


class _BadPageError(Exception):
    """A page that could not be used; `error` says why."""

    def __init__(self, error: RetryableError) -> None:
        super().__init__(str(error))
        self.error = error


def _hand_over(shard: Shard, bodies: Sequence[bytes]) -> None:
    if shard.task.sink is None or not bodies:
        return
    try:
        shard.task.sink.add(bodies, shard=shard.number)
    except RetryableError as error:
        raise _BadPageError(error) from None


def _read_poll(response: Response) -> ReportRun:
    return ReportRun.from_body(response.json(), response.call.rpartition(" ")[2], response.hide)
