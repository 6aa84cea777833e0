"""Parameters of an insights call → one checked `Query`. What Meta refuses is refused here.

Sources: Insights API reference and Breakdowns; docs/graph-api.md#insights, #days-and-hours,
#history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import (
    DATE_PRESETS,
    HOURLY,
    LEVELS,
)
from fbgraph.sandbox.insights.breakdowns import (
    check_fields,
    read_action_breakdowns,
    read_breakdowns,
)
from fbgraph.sandbox.insights.columns import COLUMNS, METRICS, WINDOWS
from fbgraph.sandbox.objects.filters import read_filtering
from fbgraph.sandbox.protocol.params import (
    check_names,
    flag,
    json_value,
    one_of,
    some_of,
    when,
    words,
)
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.days import PRESETS, Range, local_date, months_before

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fbgraph.sandbox.objects.filters import Condition
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["MONTHS", "Query", "Sort", "read_query"]

#: How far back insights reach, and hours and unique people. Sources: reference; out-of-cycle
#: changes of 2025.
MONTHS: Final = 37
HOURLY_MONTHS: Final = 13

LONGEST_INCREMENT: Final = 90

#: Parameters of insights in addition to the common ones. Some have no effect any more.
INSIGHTS_PARAMETERS: Final = frozenset(
    """
    action_attribution_windows action_breakdowns action_report_time after before breakdowns
    cpas_only date_preset default_summary export_columns export_format export_name filtering
    graph_cache level limit product_id_limit sort summary summary_action_breakdowns time_increment
    time_range time_ranges use_account_attribution_setting use_unified_attribution_setting
    """.split()
)

#: Accepted by Meta, refused plainly here.
NOT_IMITATED: Final = frozenset({"time_ranges", "export_format", "summary_action_breakdowns"})

#: Without ``fields`` every level returns its ids and these.
DEFAULT_METRICS: Final = ("impressions", "spend")


@dataclass(frozen=True, slots=True)
class Sort:
    """``field`` or ``field:action_type``, then the direction."""

    field: str
    action_type: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What an insights call asks, checked. Equal queries give equal rows."""

    node_id: str
    level: str
    fields: tuple[str, ...]
    since: date
    until: date
    increment: str
    #: The first day with hourly rows, or None without the hourly breakdown.
    hourly_from: date | None
    #: Breakdowns other than the hour, sorted by name.
    splits: tuple[str, ...]
    #: Whether actions are split by their type, and by what else.
    by_type: bool
    partners: tuple[str, ...]
    windows: tuple[str, ...]
    conditions: tuple[Condition, ...]
    sort: Sort | None
    summary: tuple[str, ...]
    #: The first day that Meta keeps in full, 13 months ago.
    kept_from: date = date.min

    @property
    def hourly(self) -> bool:
        return self.hourly_from is not None

    @property
    def identity(self) -> Query:
        """The question itself: equal for the same parameters, whatever day it is today."""
        hourly_from = date.min if self.hourly else None
        return replace(self, hourly_from=hourly_from, kept_from=date.min)


def read_query(params: Mapping[str, str], node: WorldNode, now: datetime) -> Query:
    """Check the parameters of ``{node}/insights``."""
    _check_names(params)
    level = one_of(params, "level", LEVELS, default=node.level)
    today = local_date(node.zone, now)
    since, until = _range(params, today, now)
    breakdowns = read_breakdowns(params, level)
    actions = read_action_breakdowns(params, breakdowns)
    kept_from = months_before(today, HOURLY_MONTHS)
    fields = words(params, "fields") or _default_fields(level)
    check_fields(fields, level, breakdowns, actions)
    summary = _summary(params, fields)
    check_fields(summary, level, breakdowns, actions)
    return Query(
        node_id=node.id,
        level=level,
        fields=fields,
        since=since,
        until=until,
        increment=_increment(params),
        hourly_from=kept_from if HOURLY in breakdowns else None,
        splits=tuple(sorted(b for b in breakdowns if b != HOURLY)),
        by_type="action_type" in actions,
        partners=tuple(p for p in actions if p != "action_type"),
        windows=some_of(params, "action_attribution_windows", WINDOWS),
        conditions=read_filtering(params, METRICS.keys() | {"spend"}),
        sort=_sort(params),
        summary=summary,
        kept_from=kept_from,
    )


def _check_names(params: Mapping[str, str]) -> None:
    check_names(params, INSIGHTS_PARAMETERS)
    for name in NOT_IMITATED & params.keys():
        raise refused("not_imitated", what=f"the parameter {name}")


def _default_fields(level: str) -> tuple[str, ...]:
    ids = [f"{name}_id" for name in LEVELS[: LEVELS.index(level) + 1]]
    return (*ids, *DEFAULT_METRICS)


def _range(params: Mapping[str, str], today: date, now: datetime) -> Range:
    """``time_range`` or else ``date_preset``. What lies ahead of the account's today is cut off."""
    # Meta counts the months on its own clock, not on the account's.
    earliest = months_before(now.astimezone(UTC).date(), MONTHS)
    if params.get("time_range"):
        since, until = _time_range(params)
    else:
        preset = one_of(params, "date_preset", DATE_PRESETS, default="last_30d")
        # ``maximum`` and ``data_maximum`` are not in the table: they depend on `earliest`.
        since, until = PRESETS[preset](today) if preset in PRESETS else (earliest, today)
    if since < earliest:
        raise refused("too_long_ago")
    return since, max(since, min(until, today))


def _time_range(params: Mapping[str, str]) -> Range:
    given = json_value(params, "time_range", dict)
    if set(given) != {"since", "until"}:
        raise refused("bad_dates", name="time_range", why="Must have since and until.")
    since, until = (when(given[end], "time_range") for end in ("since", "until"))
    if since > until:
        raise refused("bad_dates", name="time_range", why="since must not be after until.")
    return since, until


def _increment(params: Mapping[str, str]) -> str:
    text = params.get("time_increment") or "all_days"
    if text in ("monthly", "all_days"):
        return text
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_INCREMENT:
        wanted = f"an integer from 1 to {LONGEST_INCREMENT}, monthly or all_days"
        raise refused("bad_type", name="time_increment", wanted=wanted)
    return text


def _sort(params: Mapping[str, str]) -> Sort | None:
    given = words(params, "sort")
    if not given:
        return None
    name, _, direction = given[0].rpartition("_")
    if direction not in ("ascending", "descending"):
        name, direction = given[0], "ascending"
    field, _, action_type = name.partition(":")
    if len(given) > 1 or field not in COLUMNS:
        raise refused("bad_type", name="sort", wanted="a list with one sortable field")
    return Sort(field, action_type, descending=direction == "descending")


def _summary(params: Mapping[str, str], fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields to total: ``summary`` names them, ``default_summary`` takes those of the rows."""
    wanted = words(params, "summary")
    return wanted or (fields if flag(params, "default_summary") else ())
