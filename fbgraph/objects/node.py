"""Nodes by id: what a caller holds instead of a class per kind of object."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

from fbgraph.catalog.edges import EDGE_KINDS, EDGE_ROWS
from fbgraph.errors import (
    GraphError,
    NotReadyError,
    RequestError,
    RetryableError,
    RunFailedError,
)
from fbgraph.http.filtering import check_filtering, check_statuses, expand, leaving_out
from fbgraph.http.paging import PAGE_ROWS, Page
from fbgraph.http.request import Request, read_files
from fbgraph.http.response import text_ids
from fbgraph.limits.retry import RUN
from fbgraph.objects.edge import Edge, require_total_count
from fbgraph.objects.report_run import TOTAL_SECONDS, ReportRun, RunOptions, run_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fbgraph.http.paging import Params, Row
    from fbgraph.http.request import Files
    from fbgraph.http.response import Response
    from fbgraph.objects.caller import Caller

__all__ = ["Node", "act_id"]

_log = logging.getLogger(__name__)


def act_id(account_id: str | int) -> str:
    """``act_123`` for ``123`` and ``act_123``. Raises RequestError for anything else."""
    if not re.fullmatch(r"(act_)?[0-9]+", text := str(account_id), re.ASCII):
        raise RequestError(
            f"Invalid ad account id {account_id!r}: expected digits, optionally prefixed with act_."
        )
    return "act_" + text.removeprefix("act_")


@dataclass(frozen=True, slots=True)
class Node:
    """One object of the graph. No request is sent until a method is called.

    `kind`: adaccount, campaign, adset, ad or adcreative, where it is known; ``fields="*"`` needs
    it. `account_id` (digits): whose limits its requests count against, where its id does not say.
    """

    client: Caller
    id: str
    kind: str = ""
    account_id: str = ""

    def request(
        self, method: str = "GET", edge: str | None = None, *, files: Files = (), **params: Any
    ) -> Request:
        """A request for this node, or for an `edge` of it, for `GraphClient.batch` and `as_curl`.

        Fields, filters and statuses are checked, and ``fields="*"`` is expanded. Raises
        RequestError for what Meta would refuse or ignore, OSError for a missing file.
        """
        kind = self.kind if edge is None else EDGE_KINDS.get(edge, "")
        if "fields" in params:
            breakdowns = params.get("breakdowns") or ()
            params["fields"] = expand(params["fields"], kind, breakdowns) or None
        if not isinstance(params.get("filtering"), str):
            check_filtering(params.get("filtering") or (), kind)
        if not isinstance(params.get("effective_status"), str):
            check_statuses(params.get("effective_status") or (), kind)
        path = self.id if edge is None else f"{self.id}/{edge}"
        is_report = (method, edge) == ("POST", "insights")
        return Request(
            method, path, params, read_files(files), self.account_id, repeatable=is_report
        )

    # -- reading -------------------------------------------------------------------------------

    def get(
        self,
        fields: Sequence[str] | str = (),
        *,
        drop_refused: bool = False,
        left_out: dict[str, str] | None = None,
        **params: Any,
    ) -> Row:
        """Read the node: a mapping of the fields that have a value, ids as text.

        `drop_refused`: leave out, with a warning, a field that this token may not read, and note it
        in `left_out` with Meta's reason.
        """
        request = self.request(fields=fields, **params)
        return leaving_out(
            lambda requested: self.client.call(replace(request, params=requested), _row),
            self.kind,
            self.id,
            may_drop=drop_refused,
            left_out=left_out,
        )(request.params)

    def edge(  # noqa: PLR0913  # each is a parameter of Graph that is checked or has a default
        self,
        name: str,
        *,
        fields: Sequence[str] | str = (),
        filtering: Sequence[Mapping[str, Any]] = (),
        limit: int | None = None,
        total_count: bool = False,
        drop_refused: bool = False,
        **params: Any,
    ) -> Edge:
        """An edge of this node. Raises TotalCountError if `total_count` is requested from an edge
        without one, RequestError for a filter or status that Meta would refuse or ignore.
        """
        if total_count:
            require_total_count(name)
        request = self.request(
            "GET",
            name,
            **params,
            fields=fields,
            filtering=filtering or None,
            limit=limit or EDGE_ROWS.get(name, PAGE_ROWS),
        )
        if total_count:
            request = replace(request, params={**request.params, "summary": "total_count"})
        return Edge(self.client, request, drop_refused=drop_refused)

    def insights(self, **params: Any) -> Edge:
        """Insights read page by page while Meta computes them: for small amounts of data."""
        return self.edge("insights", **params)

    # -- writing -------------------------------------------------------------------------------

    def create(
        self, edge: str, *, files: Files = (), validate_only: bool = False, **params: Any
    ) -> Row:
        """Create an object on `edge`, or upload `files` (by the name of their part, or paths).

        Returns Meta's response: ``{"id": …}``, ``{"images": …}``. `validate_only` writes nothing.
        Raises UncertainWriteError if the response was lost: a write is never blindly sent twice.
        Raises GraphError if Meta reports that it did not succeed.
        """
        options = _validating(params) if validate_only else params
        return self.client.call(self.request("POST", edge, files=files, **options), _done)

    def update(self, *, validate_only: bool = False, **params: Any) -> Row:
        """Change the given fields; None leaves a field as it is. Raises as `create` does."""
        options = _validating(params) if validate_only else params
        return self.client.call(self.request("POST", **options), _done)

    def delete(self) -> Row:
        """Delete the object; it stays readable by id. Raises as `create` does."""
        return self.client.call(self.request("DELETE"), _done)

    # -- reports -------------------------------------------------------------------------------

    def create_report(self, **params: Any) -> str:
        """Start a report run on this node; returns its `report_run_id`."""
        request = self.request("POST", "insights", **params)
        return self.client.call(request, lambda response: run_id_of(response.json()))

    def run_report(
        self,
        params: Params,
        *,
        timeout_seconds: float = TOTAL_SECONDS,
        attempts: int = RUN.attempts,
        on_created: Callable[[str], None] = lambda _: None,
        on_poll: Callable[[ReportRun], None] = lambda _: None,
    ) -> str:
        """Create a report run and wait for it, up to `attempts` times if it fails; returns its id.

        Raises RunFailedError, TooMuchDataError, ... if the last one fails as well.
        """
        if attempts < 1:
            raise RequestError(f"attempts must be at least 1 (got {attempts}).")
        for attempt in range(1, attempts + 1):
            report_run_id = self.create_report(**params)
            on_created(report_run_id)
            try:
                self.client.wait_for(
                    report_run_id,
                    on_poll,
                    timeout_seconds=timeout_seconds,
                    account_id=_digits(self),
                )
            except (RunFailedError, RetryableError) as error:
                if attempt == attempts:
                    raise
                _log.warning("%s: the report run failed; creating a new one: %s", self.id, error)
            else:
                break
        return report_run_id

    def report(self, params: Params, **how: Unpack[RunOptions]) -> Iterator[Page]:
        """A report as its pages: create a run, wait for it, read it. The run is created when the
        first page is requested. `how` as in `run_report`.

        A run that is complete but cannot be read counts as failed. Raises as `run_report` does,
        and NotReadyError for a report that never becomes readable.
        """
        attempts, on_created = how.get("attempts", RUN.attempts), how.get("on_created")
        created: list[str] = []

        def note(report_run_id: str) -> None:
            created.append(report_run_id)
            if on_created:
                on_created(report_run_id)

        while True:
            left: RunOptions = {**how, "attempts": attempts - len(created), "on_created": note}
            report_run_id = self.run_report(params, **left)
            run = Node(self.client, report_run_id, account_id=_digits(self))
            pages = run.insights().pages()
            try:
                first = next(pages)
            except NotReadyError as error:
                if len(created) >= attempts:
                    raise
                _log.warning(
                    "%s: the report run cannot be read; creating a new one: %s", self.id, error
                )
            else:
                yield first
                yield from pages
                return


def _digits(node: Node) -> str:
    """The account of a node, as far as is known."""
    return node.account_id or (node.id.removeprefix("act_") if node.id.startswith("act_") else "")


def _row(response: Response) -> Row:
    body = response.json()
    if not isinstance(body, Mapping):
        raise RetryableError("The response is not an object of the graph.")
    row: Row = text_ids(body)
    return row


def _done(response: Response) -> Row:
    """The response to a write. Raises GraphError if it says that the write did not succeed."""
    row = _row(response)
    if row.get("success") is False:
        raise GraphError("Meta returned success=false without a reason.")
    return row


def _validating(params: Params) -> dict[str, Any]:
    """Source: Marketing API, execution_options."""
    others = params.get("execution_options") or ()
    return {**params, "execution_options": [*others, "validate_only"]}
