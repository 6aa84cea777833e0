"""The calls of a report engine: each makes one step of one part of an order, and waits for it.

They run in threads; what is decided from them is decided in `engine`.
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
from fbgraph.http.paging import PageSize
from fbgraph.http.request import Request
from fbgraph.objects.report_run import POLL_FIELDS, ReportRun
from fbgraph.reports.query import ATTEMPTS, bad_fields
from fbgraph.reports.task import Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph.client import GraphClient
    from fbgraph.errors import GraphError
    from fbgraph.http.response import Reply
    from fbgraph.reports.query import Ask
    from fbgraph.reports.task import Journal, Order, Part, Work

__all__ = ["Runner", "poll_of"]

#: Rows a page is asked for. What Meta takes is not published; 5,000 is the most that was claimed.
PAGE_ROWS: Final = 5000

#: Pages that are handed over together: by number, or by bytes.
PAGES_HELD: Final = 8
BYTES_HELD: Final = 4_000_000

#: Times that one run is read from its first page again, because its cursor or a page was bad.
REREADS: Final = 3

#: A run that another process created is picked up for so long. Later its numbers are old.
RESUME_SECONDS: Final = 3600.0

_log = logging.getLogger(__name__)


class Runner:
    """Makes the calls of an engine, and counts them for the order that they are made for."""

    def __init__(self, client: GraphClient, work: Work[Any], journal: Journal) -> None:
        self._client = client
        self._work = work
        self._journal = journal
        self._page_size = PageSize(PAGE_ROWS)
        self._lock = threading.Lock()

    def create(self, part: Part) -> tuple[str, float]:
        """The run that answers a part, and its age in seconds: one that is there, or a new one.

        Raises TooMuchDataError for a question that an earlier process had to split.
        """
        order, params = part.order, self._work.params(part.ask)
        is_first = part.ask.attempt == 1 and not order.is_fresh
        known = self._journal.saved(order.account_id, params) if is_first else None
        if known and known.age_seconds < RESUME_SECONDS:
            if known.was_split:
                raise TooMuchDataError("This question had to be split before.")
            return known.report_run_id, known.age_seconds
        client = self._client.counted()
        try:
            report_run_id = client.account(order.account_id).create_report(**params)
            # At once: a process that is killed before leaves a run that nobody knows of.
            self._journal.save(order.account_id, params, Saved(report_run_id))
        finally:
            self._count(order, client)
        return report_run_id, 0.0

    def poll(self, polls: Sequence[tuple[Part, Request]]) -> Sequence[tuple[Part, Any]]:
        """Where runs stand, by one call for many: a ReportRun or a GraphError for each."""
        client = self._client.counted()
        answers = client.batch_once([poll for _, poll in polls], _read_poll)
        with self._lock:
            for part, _ in polls:
                part.order.calls += 1
        return list(zip([part for part, _ in polls], answers, strict=True))

    def read(self, part: Part) -> None:
        """Read a run to its end, from its first page again where a cursor or a page is bad."""
        with self._lock:
            part.order.sink = part.order.sink or self._work.open(part.order)
        for rereads in range(REREADS + 1):
            try:
                return self._read_once(part)
            except (CursorError, _BadPageError) as error:
                if rereads == REREADS or isinstance(error, CursorStuckError):
                    raise error.error if isinstance(error, _BadPageError) else error from None
                part.drop()
                _log.info("%s: reading from the first page again: %s", part.order, error)
        return None

    def _read_once(self, part: Part) -> None:
        order, client = part.order, self._client.counted()
        node = client.node(part.report_run_id, account_id=order.account_id)
        bodies: list[bytes] = []
        try:
            for page in node.insights().pages(unread=True, size=self._page_size):
                bodies.append(page.body)
                if len(bodies) >= PAGES_HELD or sum(map(len, bodies)) >= BYTES_HELD:
                    _hand_over(part, bodies)
                    bodies = []
            _hand_over(part, bodies)
        finally:
            self._count(order, client)

    def objects(self, part: Part, level: str) -> tuple[str, ...]:
        """The objects of a level that have rows in the question of a part, the deleted too."""
        ask, client = part.ask, self._client.counted()
        filters = {f"{level}.effective_status": EFFECTIVE_STATUSES[level]}
        if ask.level:
            filters[f"{ask.level}.id"] = ask.ids
        edge = client.account(part.order.account_id).insights(
            level=level,
            fields=[f"{level}_id"],
            time_range={"since": str(ask.days[0]), "until": str(ask.days[-1])},
            filtering=[
                {"field": field, "operator": "IN", "value": list(values)}
                for field, values in filters.items()
            ],
        )
        try:
            return tuple(dict.fromkeys(str(row[f"{level}_id"]) for row in edge))
        finally:
            self._count(part.order, client)

    def search(self, part: Part, required: frozenset[str], error: GraphError) -> frozenset[str]:
        """The fields that kill the runs of a part. Raises `error` if it is not the fields."""
        optional = [field for field in part.ask.fields if field not in required]
        if not self._works(part, required, []):
            raise error
        return bad_fields(optional, lambda fields: self._works(part, required, fields))

    def _works(self, part: Part, required: frozenset[str], fields: Sequence[str]) -> bool:
        """Whether a run with the required fields and these succeeds; its rows are not read. As
        elsewhere one run alone that fails proves nothing.
        """
        kept = [name for name in part.ask.fields if name in required or name in fields]
        ask = replace(part.ask, days=part.ask.days[-1:], fields=tuple(kept))
        client = self._client.counted()
        try:
            return any(self._succeeds(client, part, ask) for _ in range(ATTEMPTS))
        finally:
            self._count(part.order, client)

    def _succeeds(self, client: GraphClient, part: Part, ask: Ask) -> bool:
        account = client.account(part.order.account_id)
        try:
            account.run_report(self._work.params(ask))
        except (RunFailedError, RetryableError, TooMuchDataError, NotFoundError) as error:
            if isinstance(error, NotFoundError) and error.detail.path.startswith("act_"):
                raise
            return False
        return True

    def _count(self, order: Order, client: GraphClient) -> None:
        with self._lock:
            order.calls += client.tally.calls
            order.api_version = client.tally.api_version or order.api_version


class _BadPageError(Exception):
    """A page that came could not be taken in; `error` says why."""

    def __init__(self, error: RetryableError) -> None:
        super().__init__(str(error))
        self.error = error


def _hand_over(part: Part, bodies: Sequence[bytes]) -> None:
    if part.order.sink is None or not bodies:
        return
    try:
        part.order.sink.add(bodies, part=part.number)
    except RetryableError as error:
        raise _BadPageError(error) from None


def poll_of(part: Part) -> Request:
    """The call that asks where the run of a part stands."""
    params = {"fields": POLL_FIELDS}
    return Request("GET", part.report_run_id, params, account_id=part.order.account_id)


def _read_poll(reply: Reply) -> ReportRun:
    return ReportRun.from_body(reply.json(), reply.call.rpartition(" ")[2], reply.hide)
