"""Nodes and edges by name: what a caller holds instead of a class per kind of object."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.errors import (
    RequestError,
    RetryableError,
    RunFailedError,
    TooMuchDataError,
    TotalCountError,
)
from fbgraph.paging import Page, walk
from fbgraph.reports import ReportRun, run_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fbgraph.client import GraphClient
    from fbgraph.paging import Params, Row

__all__ = ["Edge", "Node", "act_id"]

#: Rows a page is asked for; halved when Meta finds that too much. The true maximum is unpublished.
PAGE_ROWS: Final = 500

#: Edges that never give `summary.total_count` → why. Source: Insights API reference; SDK issue 103.
NO_TOTAL_COUNT: Final[Mapping[str, str]] = {
    "insights": "on insights, `summary` means totals of metrics",
    "adlabels": "this edge ignores `summary`",
}

_log = logging.getLogger(__name__)


def act_id(account_id: str) -> str:
    """``act_123`` for ``123`` and ``act_123``. Raises RequestError for what is no account id."""
    if not re.fullmatch(r"(act_)?[0-9]+", account_id, re.ASCII):
        raise RequestError(f"{account_id!r} is no ad account id: digits, with or without act_.")
    return "act_" + account_id.removeprefix("act_")


@dataclass(frozen=True, slots=True)
class Node:
    """One object of the graph. Nothing is asked until a method is called."""

    client: GraphClient
    id: str

    def get(self, fields: Sequence[str] = ()) -> Row:
        """Read the node: a mapping of the fields that have a value."""
        return self.client.get(self.id, {"fields": fields}, _row)

    def edge(
        self,
        name: str,
        *,
        fields: Sequence[str] = (),
        filtering: Sequence[Mapping[str, Any]] = (),
        limit: int = PAGE_ROWS,
        total_count: bool = False,
        **params: Any,
    ) -> Edge:
        """An edge of this node. Raises TotalCountError if `total_count` is asked of one without."""
        if total_count:
            _refuse_without_total_count(name)
        asked = {
            **params,
            "fields": fields,
            "filtering": filtering or None,
            "limit": limit,
            "summary": "total_count" if total_count else params.get("summary"),
        }
        return Edge(self.client, f"{self.id}/{name}", asked)

    def insights(self, **params: Any) -> Edge:
        """Insights read page by page while Meta computes them: for small questions."""
        return self.edge("insights", **params)

    def create_report(self, **params: Any) -> str:
        """Start a report run on this node; returns its `report_run_id`."""
        return self.client.post(f"{self.id}/insights", params, lambda body, _: run_id_of(body))

    def report(
        self,
        params: Params,
        *,
        on_created: Callable[[str], None] = lambda _: None,
        on_poll: Callable[[ReportRun], None] = lambda _: None,
    ) -> str:
        """Create a report run and wait for it, once more if the first fails; returns its id.

        Raises RunFailedError, TooMuchDataError, ... if the second one fails as well.
        """
        for last in (False, True):
            report_run_id = self.create_report(**params)
            on_created(report_run_id)
            try:
                self.client.wait_for(report_run_id, on_poll)
            except (RunFailedError, RetryableError) as error:
                if last:
                    raise
                _log.warning("%s: asking again for a report run that failed: %s", self.id, error)
            else:
                break
        return report_run_id


@dataclass(frozen=True, slots=True)
class Edge:
    """The rows behind a node, read lazily. Each call of `pages` starts from the first page."""

    client: GraphClient
    path: str
    params: Params

    def pages(self, *, max_pages: int | None = None) -> Iterator[Page]:
        """Page by page to the end, or at most `max_pages`. Halves `limit` where Meta asks."""
        return walk(_shrinking(self._fetch), self.params, max_pages=max_pages)

    def __iter__(self) -> Iterator[Row]:
        for page in self.pages():
            yield from page.data

    def count(self) -> int:
        """`total_count` by a one-row call. Raises TotalCountError if the edge has none."""
        _refuse_without_total_count(self.path.rpartition("/")[2])
        return self._fetch({**self.params, "limit": 1, "summary": "total_count"}).total_count

    def _fetch(self, params: Params) -> Page:
        return self.client.get(self.path, params, Page.from_answer)


def _row(answer: object, _: bytes) -> Row:
    if not isinstance(answer, Mapping):
        raise RetryableError("The answer is no object of the graph.")
    return answer


def _refuse_without_total_count(name: str) -> None:
    if name in NO_TOTAL_COUNT:
        raise TotalCountError(f"{name} has no total_count: {NO_TOTAL_COUNT[name]}.")


def _shrinking(fetch: Callable[[Params], Page]) -> Callable[[Params], Page]:
    """`fetch` with a page size that halves when an answer would be too big, and stays there."""
    limit: int | None = None

    def shrinking(params: Params) -> Page:
        nonlocal limit
        while True:
            asked = params if limit is None else {**params, "limit": limit}
            try:
                return fetch(asked)
            except TooMuchDataError:
                refused = asked.get("limit") or PAGE_ROWS
                if refused <= 1:
                    raise
                limit = refused // 2

    return shrinking
