"""Today's checks: what `pipelines.watching` finds after a tick, as checks of the asset `intraday`.

They warn, and fail no tick: an error of theirs is a line in the run's log. Each check has an event
when its result has changed, not one for each tick.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of checks as objects.
from collections.abc import Iterator
from typing import Final

import dagster as dg

from fbgraph.errors import GraphError
from pipelines.asset_keys import AssetKeys
from pipelines.defs.alerts import link_to, page_line, send_alert
from pipelines.defs.event_log.events import evaluation_of
from pipelines.errors import ConfigError
from pipelines.reports.catalog import Reports
from pipelines.resources import GraphResource
from pipelines.settings import Settings
from pipelines.watching.look import WatchResult, watch
from pipelines.watching.rules import MEANS, Kind
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.wording import counted

__all__ = ["today_checks", "watch_after_tick"]

#: The asset that ticks record on.
INTRADAY: Final = "intraday"

#: Accounts that the result of a check names.
_SHOWN_ACCOUNTS: Final = 20


def today_checks(reports: Reports, keys: AssetKeys) -> dg.AssetChecksDefinition:
    """The checks, which a person can run by a click: then nobody is told."""

    @dg.multi_asset_check(
        name="today",
        specs=[
            dg.AssetCheckSpec(kind.value, asset=keys(INTRADAY), description=means)
            for kind, means in MEANS.items()
        ],
    )
    def today(graph: GraphResource) -> Iterator[dg.AssetCheckResult]:
        settings = graph.settings()
        lake = Lake(settings.warehouse_url, catalog=reports.catalog)
        minutes = float(settings.intraday_minutes)
        with settings.open_graph() as client:
            found = watch(
                *(lake, settings, client, graph.now()), send=None, interval_minutes=minutes
            )
        yield from _results(found, settings, keys)

    return today


def watch_after_tick(
    context: dg.OpExecutionContext, graph: GraphResource, reports: Reports, keys: AssetKeys
) -> None:
    """Look at today after a tick, tell what is new, record checks that have changed. Raises
    nothing.
    """
    settings = graph.settings()
    if not settings.watched and settings.digest is None:
        return
    lake = Lake(settings.warehouse_url, catalog=reports.catalog)
    link = link_to(settings, "assets", *keys(INTRADAY).path)
    try:
        with settings.open_graph() as client:
            found = watch(
                *(lake, settings, client, graph.now()),
                send=lambda text: send_alert(settings, text),
                link=f"{link}\n{page_line(settings, keys)}",
                interval_minutes=float(settings.intraday_minutes),
            )
    except (GraphError, ConfigError, WarehouseError, OSError) as error:
        context.log.warning("Today is not watched: %s", error)
        return
    except Exception:  # a tick must not fail for what looks at it
        context.log.exception("Today is not watched.")
        return
    for result in _results(found, settings, keys):
        if _has_changed(context.instance, result):
            context.log_event(evaluation_of(result))  # type: ignore[arg-type]  # it takes checks


def _results(
    found: WatchResult, settings: Settings, keys: AssetKeys
) -> Iterator[dg.AssetCheckResult]:
    for kind, lines in found.lines.items():
        named = dict(list(lines.items())[:_SHOWN_ACCOUNTS])
        yield dg.AssetCheckResult(
            check_name=kind.value,
            asset_key=keys(INTRADAY),
            passed=not lines,
            severity=dg.AssetCheckSeverity.WARN,
            description=_sentence_of(kind, found, settings),
            metadata={"wrong": len(lines), "named": dg.MetadataValue.json(named)},
        )


def _sentence_of(kind: Kind, found: WatchResult, settings: Settings) -> str:
    if kind not in settings.watched:
        return "Not watched: FB_WATCH does not name it."
    lines = found.lines[kind]
    what = f"{_WHAT[kind]}: {len(lines) or 'none'} of {counted(found.accounts, 'account')}."
    return " ".join([what, *list(lines.values())[:1]])


_WHAT: Final = {
    Kind.FAR_AHEAD: "Far ahead of what is usual",
    Kind.STOPPED: "Stopped",
    Kind.OVER_BUDGET: "Over budget",
    Kind.LATE_DATA: "Late data",
}


def _has_changed(instance: dg.DagsterInstance, result: dg.AssetCheckResult) -> bool:
    """Whether the result of a check differs from the one that was recorded last."""
    assert result.asset_key, result  # noqa: S101  # all of ours name theirs
    check = dg.AssetCheckKey(result.asset_key, str(result.check_name))
    last = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    if not last or last[0].event is None or last[0].event.dagster_event is None:
        return True
    known = last[0].event.dagster_event.event_specific_data
    if not isinstance(known, dg.AssetCheckEvaluation):
        return True
    named = known.metadata.get("named")
    return known.passed != result.passed or named != result.metadata["named"]
