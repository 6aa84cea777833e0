"""The rules of a report: what it may request from Meta. Tables of what works together, and
functions that look things up in them.

Sources: Marketing API v26.0, Insights reference and Breakdowns; Out-of-cycle changes of 2025 and
2026; where Meta is silent, what other connectors have observed (`care` in the catalogue).
Breakdowns have their own tables (`fbgraph.catalog.breakdowns`) and rules (`breakdown_rules`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import (
    ACTION_BREAKDOWNS,
    ALWAYS_RETURNED,
    ATTRIBUTION_WINDOWS,
    BREAKDOWNS,
    DEAD_WINDOWS,
    HOURLY,
    HOURLY_AUDIENCE,
    LEVELS,
    insights_fields,
)
from pipelines.reports.breakdown_rules import BREAKDOWN_RULES, allows_lone_metrics
from pipelines.reports.hints import unknown
from pipelines.reports.names import reserved
from pipelines.reports.spec import FIRST_DAY, META, WARNING, Fault
from pipelines.settings import OWNER
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipelines.reports.object_spec import ObjectSpec
    from pipelines.reports.spec import Placed, ReportSpec

    Owned = ReportSpec | ObjectSpec

__all__ = [
    "COLUMN",
    "OWNED_RULES",
    "RETENTION",
    "as_warning",
    "faults",
    "findings",
    "no_sums",
    "places",
]

#: `care` of a field → what becomes of a request with it.
CARE: Final[Mapping[str, str]] = {
    "refused": "Meta refuses every request with it since v19 (airbyte's connector, 2024-02)",
    "fails": "requests with it fail (airbyte's connector)",
    "kills_runs": "report runs with it fail with 2/1504044 (nekt's connector, 2026-09-11)",
    "unreadable": "a finished report run with it cannot be read (nekt's connector, 2026-09)",
    "splits_rows": "it splits rows, so sums go wrong (seen in asynchronous reports)",
    "renamed": "Meta returns it as `results`: request that instead (airbyte's connector)",
    "alone": "Meta returns it only without other metrics: under skan_campaign_id and similar"
    " breakdowns (Insights API > Breakdowns, 2026-09)",
    "needs_product": "it needs action_breakdowns: [action_converted_product_id]"
    " (Insights API reference, 2026-09)",
    "not_of_accounts": "requests with it fail at level account with 2/1504041: use level campaign"
    " or a finer one (live requests, 2026-08)",
    "needs_filter": "it needs a filter on a customization, which reports do not support",
}

_BREAKDOWNS_PAGE: Final = "(Insights API > Breakdowns, 2026-09)"

#: How a field behaves by the hour, where requesting it is pointless.
BY_HOUR: Final[Mapping[str, str]] = {
    "error": f"Meta refuses it in hourly reports {_BREAKDOWNS_PAGE}",
    "zero": f'in hourly reports Meta sends "0" whatever the number is {_BREAKDOWNS_PAGE}',
    "absent": f"it does not exist in hourly reports {_BREAKDOWNS_PAGE}",
    "omitted": f"Meta leaves it out of hourly reports {_BREAKDOWNS_PAGE}",
}

#: Keys of a spec that list what to request.
LISTS: Final = ("fields", "breakdowns", "action_breakdowns", "action_attribution_windows")

HOURLIES: Final = frozenset({HOURLY, HOURLY_AUDIENCE})

#: Fields that exist from this level down; for ids and names it follows from the name.
FIELD_LEVELS: Final[Mapping[str, str]] = {
    **{f"{level}_{what}": level for level in LEVELS for what in ("id", "name")},
    "adset_end": "adset",
    "adset_start": "adset",
    **dict.fromkeys(
        ("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking"), "ad"
    ),
}

#: (what is requested, whether a spec requests it, months that Meta keeps, the first day that had
#: numbers when that rule took effect). A fixed day: a report that loads today must load next year.
RETENTION: Final[Sequence[tuple[str, Callable[[ReportSpec], bool], int, date]]] = (
    ("hourly breakdowns", lambda d: not HOURLIES.isdisjoint(d.breakdowns), 13, date(2024, 12, 12)),
    ("unique_* fields", lambda d: any("unique" in f for f in d.fields), 13, date(2024, 12, 12)),
    (
        "reach under breakdowns",
        lambda d: bool(d.breakdowns) and not {"reach", "frequency", "cpp"}.isdisjoint(d.fields),
        13,
        date(2024, 5, 10),
    ),
    ("frequency_value", lambda d: "frequency_value" in d.breakdowns, 6, date(2025, 7, 12)),
)

#: Grids of days end somewhere: Dagster cannot count beyond the year 9999.
_LAST_DAY: Final = date(2099, 12, 31)

COLUMN: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,119}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LOOKBACK: Final = range(1, 91)

#: As Dagster takes them.
_KEY_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_GROUP: Final = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")


def findings(spec: ReportSpec) -> Sequence[Fault]:
    """All faults of a spec: those that prevent it from loading, and warnings.

    With `allow_unknown`, what Meta would refuse as far as we know becomes a warning: it is
    requested anyway.
    """
    found = [fault for rule in RULES for fault in rule(spec)]
    if not spec.allow_unknown:
        return found
    return [as_warning(fault) if fault.weight == META else fault for fault in found]


def faults(spec: ReportSpec) -> Sequence[Fault]:
    """The faults that prevent a spec from loading; empty if it can be loaded."""
    return [fault for fault in findings(spec) if not fault.is_warning]


def as_warning(fault: Fault) -> Fault:
    """What Meta may refuse, for those who request it all the same."""
    rule = f"{fault.rule}; requested anyway because of allow_unknown"
    return replace(fault, rule=rule, weight=WARNING)


def _name(spec: Owned) -> Iterator[Fault]:
    if _NAME.fullmatch(spec.name.lower()) and spec.name != spec.name.lower():
        rule = f"use lower case, {spec.name.lower()}: DuckDB does not tell the two apart"
        yield Fault("name", spec.name, rule)
    elif not _NAME.fullmatch(spec.name):
        rule = (
            "use only a-z, 0-9 and _, starting with a letter, at most 60: it becomes a table's name"
        )
        yield Fault("name", spec.name, rule)
    elif what := reserved(spec.name):
        rule = f"this name is reserved: {what}; give the {spec.noun[2:]} another name"
        yield Fault("name", spec.name, rule)


def _level(spec: ReportSpec) -> Iterator[Fault]:
    if spec.level not in LEVELS:
        yield Fault("level", spec.level, unknown(spec.level, LEVELS))


def _twice(spec: ReportSpec) -> Iterator[Fault]:
    for key in LISTS:
        values = getattr(spec, key) or ()
        for value in dict.fromkeys(v for v in values if values.count(v) > 1):
            yield Fault(key, value, "is listed twice")


def _columns(spec: ReportSpec) -> Iterator[Fault]:
    """Unknown names become names of columns as they are written."""
    for key in LISTS if spec.allow_unknown else ():
        for value in getattr(spec, key) or ():
            if not COLUMN.fullmatch(value):
                yield Fault(key, value, "use only a-z, 0-9 and _: it becomes a column's name")


def _fields(spec: ReportSpec) -> Iterator[Fault]:
    known = insights_fields()
    if not spec.fields:
        yield Fault("fields", "", "list at least one field")
    for name in spec.fields:
        care = known[name].care if name in known else ""
        if care and not _is_met(spec, name, care):
            yield Fault("fields", name, CARE[care], META)
        elif name in ALWAYS_RETURNED:
            yield Fault("fields", name, "remove it: every row already has it, as the column date")
        elif name in known:
            continue
        elif name in BREAKDOWNS or name in ACTION_BREAKDOWNS:
            key = "breakdowns" if name in BREAKDOWNS else "action_breakdowns"
            yield Fault("fields", name, f"is not a field; put it under {key}")
        else:
            yield Fault("fields", name, unknown(name, known), META)


def _is_met(spec: ReportSpec, name: str, care: str) -> bool:
    """Whether a spec has what a field with this `care` needs."""
    if care == "alone":
        return allows_lone_metrics(spec, name)
    if care == "not_of_accounts":
        return spec.level != LEVELS[0]
    product = "action_converted_product_id"
    return care == "needs_product" and product in (spec.action_breakdowns or ())


def _fields_of_the_level(spec: ReportSpec) -> Iterator[Fault]:
    if spec.level not in LEVELS:
        return
    for name in spec.fields:
        if _is_finer(FIELD_LEVELS.get(name), spec.level):
            rule = f"rows of level {spec.level} do not have it; use level {FIELD_LEVELS[name]}"
            yield Fault("fields", name, rule)


def _is_finer(level: str | None, than: str) -> bool:
    return level is not None and LEVELS.index(level) > LEVELS.index(than)


def _fields_by_the_hour(spec: ReportSpec) -> Iterator[Fault]:
    if HOURLIES.isdisjoint(spec.breakdowns):
        return
    for name in spec.fields:
        field = insights_fields().get(name)
        if field and field.hourly in BY_HOUR:
            yield Fault("fields", name, BY_HOUR[field.hourly], META)


def _windows(spec: ReportSpec) -> Iterator[Fault]:
    key, known = "action_attribution_windows", insights_fields()
    requested = spec.action_attribution_windows
    lists = [f for f in spec.fields if f not in known or known[f].kind == "actions"]
    if requested and not lists:
        rule = "no field has windows: add `actions` or another list of actions"
        yield Fault(key, "", rule)
    for name in requested:
        if gone := DEAD_WINDOWS.get(name):
            rule = f"{gone.effect} since {gone.since} ({gone.source})"
            yield Fault(key, name, rule, META)
        elif name == "default":
            yield Fault(key, name, "is already what `value` holds; remove it", META)
        elif name not in ATTRIBUTION_WINDOWS:
            yield Fault(key, name, unknown(name, ATTRIBUTION_WINDOWS - DEAD_WINDOWS.keys()), META)


def _period(spec: ReportSpec) -> Iterator[Fault]:
    if spec.period not in {*Period}:
        yield Fault("period", spec.period, unknown(spec.period, [*Period]))
    elif spec.period != Period.DAY and (hours := HOURLIES.intersection(spec.breakdowns)):
        rule = f"Meta would add up the same hour of all days; remove {min(hours)}, or use day"
        yield Fault("period", spec.period, rule)


def _days(spec: ReportSpec) -> Iterator[Fault]:
    if spec.lookback_days not in _LOOKBACK:
        rule = f"expected a number of days from {_LOOKBACK[0]} to {_LOOKBACK[-1]}"
        yield Fault("lookback_days", str(spec.lookback_days), rule)
    start = spec.start_date
    if start < FIRST_DAY:
        rule = f"Meta keeps 37 months; {FIRST_DAY} is the first day that can be loaded"
        yield Fault("start_date", str(start), rule)
    if start > _LAST_DAY:
        yield Fault("start_date", str(start), f"expected a day no later than {_LAST_DAY}")
    for what, is_requested, months, first in RETENTION:
        if is_requested(spec) and FIRST_DAY < start < first:
            rule = f"Meta keeps {months} months of {what}: nothing before {first} can be loaded"
            yield Fault("start_date", str(start), f"{rule} (Out-of-cycle changes 2025)", META)


def _owners(spec: Owned) -> Iterator[Fault]:
    for owner in spec.owners:
        if not OWNER.fullmatch(owner):
            rule = "expected an e-mail address, such as ada@example.com, or a team: team:growth"
            yield Fault("owners", owner, rule)


def places(spec: Placed) -> Iterator[Fault]:
    """What Dagster would not take as a part of a key, or as a group."""
    for part in spec.key_prefix or ():
        if not _KEY_PART.fullmatch(part):
            rule = "use letters, digits, _ and - only; several parts are a list like [a, b]"
            yield Fault("key_prefix", part, rule)
    if spec.group_name is not None and not _GROUP.fullmatch(spec.group_name):
        rule = "use letters, digits and _ only; / separates a group in a group"
        yield Fault("group_name", spec.group_name, rule)


#: Those of everything that makes a table: its name, who owns it, and where it is.
OWNED_RULES: Final[Sequence[Callable[[Owned], Iterator[Fault]]]] = (_name, _owners, places)

RULES: Final[Sequence[Callable[[ReportSpec], Iterator[Fault]]]] = (
    *(_name, _level, _twice, _columns, _fields, _fields_of_the_level, _fields_by_the_hour),
    *(*BREAKDOWN_RULES, _windows, _period, _days, _owners, places),
)


#: Breakdowns whose rows add up to the whole.
ADDS_UP: Final = frozenset(
    {
        *(HOURLY, "age", "gender", "country", "region"),
        *("publisher_platform", "platform_position", "impression_device", "device_platform"),
    }
)

#: (how a breakdown starts or ends, why its rows do not add up). The first match counts.
NO_SUMS: Final[Sequence[tuple[str, str]]] = (
    ("frequency_value", "counts only people, and people do not add up"),
    (HOURLY_AUDIENCE, "uses the viewers' clocks, whose days differ from the account's"),
    ("product_", "counts what showed several products once per product"),
    ("_asset", "counts what showed several assets once per asset"),
    ("dma", "covers the United States only"),
    ("comscore_market", "covers the United States only"),
    ("skan_", "covers only what Apple's SKAdNetwork reports"),
    ("media_", "covers only ads with such media"),
    ("", "is not known to add up to the whole"),
)


def no_sums(breakdowns: Sequence[str]) -> str:
    """Why rows under these breakdowns cannot be compared with control totals; empty if they can."""
    for name in breakdowns:
        if name not in ADDS_UP:
            why = next(w for part, w in NO_SUMS if name.startswith(part) or name.endswith(part))
            return f"no totals to compare it with: the breakdown {name} {why}"
    return ""
