"""Handlers of insights: a synchronous page, and a report run created, polled and read.

Sources: Insights API reference; Asynchronous jobs; docs/graph-api.md#insights, #report-runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults.hooks import View
from fbgraph.sandbox.insights.columns import CATALOGUE
from fbgraph.sandbox.insights.extent import InsightsRequest, extent
from fbgraph.sandbox.insights.query import read_query
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.paging import INSIGHTS_CURSORS, cut, page, page_request
from fbgraph.sandbox.protocol.params import check_names, flag, limit, words
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.insights.rows import Report
    from fbgraph.sandbox.insights.runs import Run
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["create_run", "insights", "poll_run", "read_run"]

READ_PARAMETERS: Final = frozenset({"limit", "after", "before", "summary", "default_summary"})

#: field of a report run → its value; None is left out. Source: SDK, AdReportRun;
#: docs/graph-api.md#report-runs.
RUN_FIELDS: Final[Mapping[str, Callable[[Run], object]]] = {
    "id": lambda run: run.id,
    "account_id": lambda run: run.account_id,
    "time_ref": lambda run: int(run.created.timestamp()),
    "time_completed": lambda run: int(run.completed.timestamp()) if run.completed else None,
    "async_status": lambda run: run.state.status,
    "async_percent_completion": lambda run: run.state.percent,
    "date_start": lambda run: str(run.query.since),
    "date_stop": lambda run: str(run.query.until),
    "is_running": lambda run: not run.state.is_final,
    "is_bookmarked": lambda _: False,
    "is_async_export": lambda _: 0,
    **dict.fromkeys(("friendly_name", "schedule_id", "async_report_url", "emails"), lambda _: None),
}

ERROR_FIELDS: Final = (
    *("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg"),
)

#: What comes back with no ``fields``; a failed run adds what is wrong, since v25.
RUN_DEFAULTS: Final = (
    *("id", "account_id", "time_ref", "time_completed", "async_status"),
    *("async_percent_completion", "date_start", "date_stop"),
)


def insights(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """``GET {node}/insights``: a page right away."""
    query = read_query(request.params, node, platform.now())
    platform.active.insights(lambda: InsightsRequest(query, extent(query, node), is_run=False))
    reading = platform.reading(query, is_first=_is_first(request))
    view = View(platform.stamp(), query.level, by_hour=query.hourly)
    return _page(platform, request, platform.report(query, view, platform.active.names, reading))


def create_run(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """``POST {node}/insights``: checks everything a GET would, returns an id."""
    query = read_query(request.params, node, platform.now())
    insights_request = InsightsRequest(query, extent(query, node), is_run=True)
    platform.active.insights(lambda: insights_request)
    times = (platform.now(), platform.stamp())
    run = platform.runs.create(insights_request, node.account.id, times, platform.active.names)
    return compact({"report_run_id": run.id})


def poll_run(platform: Platform, request: ServerRequest, run: Run) -> bytes:
    check_names(request.params, ())
    fields = words(request.params, "fields")
    for name in fields:
        if name not in RUN_FIELDS and name not in ERROR_FIELDS:
            raise refused("node_field", name=name, type="AdReportRun")
    platform.runs.poll(run, platform.now(), platform.active.poll)
    return compact(_describe(run, fields or (*RUN_DEFAULTS, *ERROR_FIELDS)))


def _describe(run: Run, fields: Sequence[str]) -> Mapping[str, object]:
    """The id comes whether asked for or not."""
    errors = run.state.error or {}
    values = {
        name: RUN_FIELDS[name](run) if name in RUN_FIELDS else errors.get(name)
        for name in dict.fromkeys(("id", *fields))
    }
    return {name: value for name, value in values.items() if value is not None}


def read_run(platform: Platform, request: ServerRequest, run: Run) -> bytes:
    """``GET {run}/insights``: rows of a finished run, with at most the fields it was made with."""
    check_names(request.params, READ_PARAMETERS)
    if not platform.runs.refresh(run, platform.now(), platform.active.poll).is_readable:
        raise refused("run_not_ready")
    platform.active.read(run)
    query = replace(run.query, fields=_fields(request, run), summary=_summary(request, run))
    reading = platform.reading(run.id, is_first=_is_first(request))
    view = View(run.stamp, query.level, run.times_shown, by_hour=query.hourly)
    return _page(platform, request, platform.report(query, view, run.scenarios, reading))


def _is_first(request: ServerRequest) -> bool:
    """Whether a report is read from its beginning."""
    return not (request.params.get("after") or request.params.get("before"))


def _fields(request: ServerRequest, run: Run) -> tuple[str, ...]:
    wanted = words(request.params, "fields")
    known = run.query.fields
    missing = [name for name in wanted if name not in known]
    if missing:
        they = "it wasn't" if len(missing) == 1 else "they weren't"
        available = ",".join(known)
        names = ",".join(missing)
        raise refused("not_in_run", names=names, param="fields", they=they, available=available)
    for name in known if not wanted else ():
        # Such a run can only be read by naming other fields (docs/graph-api.md#values).
        if CATALOGUE[name].care == "unreadable":
            raise refused("unreadable_summary", name=name)
    return wanted or known


def _summary(request: ServerRequest, run: Run) -> tuple[str, ...]:
    wanted = words(request.params, "summary")
    missing = ",".join(name for name in wanted if name not in run.query.fields)
    if missing:
        raise refused(
            "not_in_run", names=missing, param="summary", they="they weren't", available=""
        )
    requested = wanted or run.query.summary
    return requested or (run.query.fields if flag(request.params, "default_summary") else ())


def _page(platform: Platform, request: ServerRequest, report: Report) -> bytes:
    requested = page_request(request.params, limit(request.params), INSIGHTS_CURSORS)
    # One row more than the page holds shows whether there is a next one.
    rows = report.upto(requested.end + 1)
    if requested.after and requested.after.index + 1 >= len(rows):
        raise refused("cursor")
    where = platform.active.cut(cut(requested, len(rows)), requested)
    shown = rows[where.start : where.stop]
    return page(shown, where, INSIGHTS_CURSORS, request.pager(requested.limit), report.summary)
