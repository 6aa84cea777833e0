"""What a report may ask for. Tables of what goes with what, and rules that look things up in them.

Sources: Marketing API v26.0, Insights reference and Breakdowns; Out-of-cycle changes of 2025 and
2026; what each field does was seen by connectors where Meta is silent (`care` in the catalogue).
"""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from fbgraph.fields import (
    ACTION_BREAKDOWNS,
    ALWAYS_RETURNED,
    ATTRIBUTION_WINDOWS,
    BREAKDOWNS,
    COMBINATIONS,
    DEAD_WINDOWS,
    HOURLY,
    HOURLY_AUDIENCE,
    HOURLY_PARTNERS,
    LEVELS,
    NEVER_ALONE,
    ONLY_FIELDS,
    insights_fields,
)
from pipelines.definition import FIRST_DAY, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pipelines.definition import Definition

__all__ = ["faults", "no_sums"]

#: `care` of a field → what becomes of a request with it.
CARE: Final[Mapping[str, str]] = {
    "refused": "Meta refuses every request with it since v19",
    "fails": "requests with it fail",
    "kills_runs": "report runs with it fail (2/1504044)",
    "unreadable": "a finished report run with it cannot be read",
    "splits_rows": "it splits rows, and sums go wrong",
    "renamed": "it comes back as `results`: ask for that",
    "alone": "it cannot be asked for together with other metrics",
    "needs_filter": "it needs a filter on a customization, which reports have not",
}

#: How a field behaves by the hour, where it is not worth asking for.
BY_HOUR: Final[Mapping[str, str]] = {
    "error": "Meta refuses it by the hour",
    "zero": 'by the hour Meta sends "0" whatever it was',
    "absent": "by the hour it does not exist",
    "omitted": "by the hour Meta leaves it out",
}

HOURLIES: Final = frozenset({HOURLY, HOURLY_AUDIENCE})

#: Fields that exist from this level down; those of ids and names are told by their names.
FROM_LEVEL: Final[Mapping[str, str]] = {
    **{f"{level}_{what}": level for level in LEVELS for what in ("id", "name")},
    "adset_end": "adset",
    "adset_start": "adset",
    **dict.fromkeys(
        ("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking"), "ad"
    ),
}

#: Fields of a kind that no breakdown takes away.
ABOUT: Final = frozenset({"id", "text", "date"})

PRODUCT: Final = "product_id"

#: (what is asked for, does a definition ask for it?, months that Meta keeps, the first day of which
#: it had numbers when that rule came). A fixed day: a report that loads today must load next year.
KEPT: Final[Sequence[tuple[str, Callable[[Definition], bool], int, date]]] = (
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

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_OWNER: Final = re.compile(r"team:\S+|[^\s@]+@[^\s@]+\.[^\s@]+")
_LOOKBACK: Final = range(1, 91)


def faults(definition: Definition) -> Sequence[Fault]:
    """Everything that is wrong with a definition; nothing when it can be loaded."""
    return [fault for rule in RULES for fault in rule(definition)]


def _name(definition: Definition) -> Iterator[Fault]:
    if not _NAME.fullmatch(definition.name):
        rule = "write a-z, 0-9 and _, a letter first, at most 60: it names a table"
        yield Fault("name", definition.name, rule)


def _level(definition: Definition) -> Iterator[Fault]:
    if definition.level not in LEVELS:
        yield Fault("level", definition.level, _unknown(definition.level, LEVELS))


def _twice(definition: Definition) -> Iterator[Fault]:
    for key in ("fields", "breakdowns", "action_breakdowns", "action_attribution_windows"):
        values = getattr(definition, key)
        for value in dict.fromkeys(v for v in values if values.count(v) > 1):
            yield Fault(key, value, "stands there twice")


def _fields(definition: Definition) -> Iterator[Fault]:
    known = insights_fields()
    if not definition.fields:
        yield Fault("fields", "", "name at least one field")
    for name in definition.fields:
        if name in known and known[name].care:
            yield Fault("fields", name, CARE[known[name].care])
        elif name in ALWAYS_RETURNED:
            yield Fault("fields", name, "leave it out: every row has it, as the column date")
        elif name in known:
            continue
        elif name in BREAKDOWNS or name in ACTION_BREAKDOWNS:
            key = "breakdowns" if name in BREAKDOWNS else "action_breakdowns"
            yield Fault("fields", name, f"is no field; put it under {key}")
        else:
            yield Fault("fields", name, _unknown(name, known))


def _fields_of_the_level(definition: Definition) -> Iterator[Fault]:
    if definition.level not in LEVELS:
        return
    for name in definition.fields:
        level = FROM_LEVEL.get(name, LEVELS[0])
        if LEVELS.index(level) > LEVELS.index(definition.level):
            yield Fault("fields", name, f"rows of level {definition.level} have none; use {level}")


def _fields_by_the_hour(definition: Definition) -> Iterator[Fault]:
    if HOURLIES.isdisjoint(definition.breakdowns):
        return
    for name in definition.fields:
        field = insights_fields().get(name)
        if field and field.hourly in BY_HOUR:
            yield Fault("fields", name, f"{BY_HOUR[field.hourly]} (Insights API, Breakdowns)")


def _fields_of_the_breakdowns(definition: Definition) -> Iterator[Fault]:
    known = insights_fields()
    metrics = [f for f in definition.fields if f in known and known[f].kind not in ABOUT]
    for breakdown in definition.breakdowns:
        only = ONLY_FIELDS.get(breakdown, known.keys())
        for name in metrics:
            if name not in only:
                rule = f"under {breakdown} Meta gives {', '.join(sorted(only))} alone"
                yield Fault("fields", name, rule)
            elif breakdown == "region" and _is_watched_share(name):
                yield Fault("fields", name, "under region Meta gives no video_p* and no avg_time")
    if PRODUCT not in definition.breakdowns:
        for name in metrics:
            if name.startswith("converted_pro"):
                yield Fault("fields", name, f"needs the breakdown {PRODUCT}")


def _is_watched_share(name: str) -> bool:
    return re.fullmatch(r"video_(p[0-9]+|avg_time)_watched_actions", name) is not None


def _breakdowns(definition: Definition) -> Iterator[Fault]:
    for name in definition.breakdowns:
        if name in ACTION_BREAKDOWNS - BREAKDOWNS:
            yield Fault("breakdowns", name, "put it under action_breakdowns")
        elif name not in BREAKDOWNS:
            yield Fault("breakdowns", name, _unknown(name, BREAKDOWNS))
        elif needed := {NEVER_ALONE.get(name, name)} - {*definition.breakdowns}:
            yield Fault("breakdowns", name, f"Meta gives it with {min(needed)} only; add that")


def _breakdowns_together(definition: Definition) -> Iterator[Fault]:
    asked = frozenset(definition.breakdowns)
    if len(asked) < 2 or not asked <= BREAKDOWNS or asked in COMBINATIONS:  # noqa: PLR2004  alone
        return
    if hours := asked & HOURLIES:
        partners = ", ".join(sorted(HOURLY_PARTNERS))
        rule = f"by the hour Meta gives no other breakdown, and of action breakdowns {partners}"
        yield Fault("breakdowns", min(hours), rule)
        return
    near = sorted("+".join(sorted(c)) for c in COMBINATIONS if c & asked)
    possible = f"; with one of them go {', '.join(near)}" if near else ""
    yield Fault("breakdowns", "+".join(sorted(asked)), f"Meta gives no such combination{possible}")


def _action_breakdowns(definition: Definition) -> Iterator[Fault]:
    asked = definition.action_breakdowns
    if asked and "actions" not in definition.fields:
        yield Fault("action_breakdowns", "", "they split actions: add `actions` to the fields")
    for name in asked:
        if name not in ACTION_BREAKDOWNS:
            yield Fault("action_breakdowns", name, _unknown(name, ACTION_BREAKDOWNS))
        elif definition.breakdowns and name not in HOURLY_PARTNERS:
            partners = ", ".join(sorted(HOURLY_PARTNERS))
            rule = f"beside a breakdown Meta gives only {partners}"
            yield Fault("action_breakdowns", name, rule)


def _windows(definition: Definition) -> Iterator[Fault]:
    key, known = "action_attribution_windows", insights_fields()
    asked = definition.action_attribution_windows
    lists = [f for f in definition.fields if f in known and known[f].kind == "actions"]
    if asked and not lists:
        yield Fault(key, "", "no field has windows: add `actions` or another list of actions")
    for name in asked:
        if gone := DEAD_WINDOWS.get(name):
            yield Fault(key, name, f"{gone.effect} since {gone.since}")
        elif name == "default":
            yield Fault(key, name, "is what `value` holds anyway; leave it out")
        elif name not in ATTRIBUTION_WINDOWS:
            yield Fault(key, name, _unknown(name, ATTRIBUTION_WINDOWS - DEAD_WINDOWS.keys()))


def _days(definition: Definition) -> Iterator[Fault]:
    if definition.lookback_days not in _LOOKBACK:
        rule = f"write a number of days from {_LOOKBACK[0]} to {_LOOKBACK[-1]}"
        yield Fault("lookback_days", str(definition.lookback_days), rule)
    start = definition.start_date
    if start < FIRST_DAY:
        rule = f"Meta keeps 37 months; {FIRST_DAY} is the first day that there is"
        yield Fault("start_date", str(start), rule)
    for what, asks, months, first in KEPT:
        if asks(definition) and FIRST_DAY < start < first:
            rule = f"Meta keeps {months} months of {what}: nothing before {first} can be had"
            yield Fault("start_date", str(start), rule)


def _owners(definition: Definition) -> Iterator[Fault]:
    for owner in definition.owners:
        if not _OWNER.fullmatch(owner):
            yield Fault("owners", owner, "write an e-mail address, or team: and a name")


RULES: Final[Sequence[Callable[[Definition], Iterator[Fault]]]] = (
    *(_name, _level, _twice, _fields, _fields_of_the_level, _fields_by_the_hour),
    *(_fields_of_the_breakdowns, _breakdowns, _breakdowns_together, _action_breakdowns),
    *(_windows, _days, _owners),
)


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.7)
    if near:
        return f"is not known; do you mean {' or '.join(near)}?"
    few = f"; there are {', '.join(known)}" if len(known) < len(BREAKDOWNS) // 3 else ""
    return f"is not known{few}"


#: Breakdowns whose rows add up to the whole.
ADDS_UP: Final = frozenset(
    {
        *(HOURLY, "age", "gender", "country", "region"),
        *("publisher_platform", "platform_position", "impression_device", "device_platform"),
    }
)

#: (a breakdown that starts or ends so, why its rows do not). The first that fits tells.
NO_SUMS: Final[Sequence[tuple[str, str]]] = (
    ("frequency_value", "has numbers of people only, and people do not add up"),
    (HOURLY_AUDIENCE, "goes by the viewers' clocks, whose days are not the account's"),
    ("product_", "counts what several products were shown in once for each"),
    ("_asset", "counts what several assets were shown in once for each"),
    ("dma", "knows the United States only"),
    ("comscore_market", "knows the United States only"),
    ("skan_", "knows what Apple's SKAdNetwork reports only"),
    ("media_", "knows ads with such media only"),
    ("", "is not known to add up to the whole"),
)


def no_sums(breakdowns: Sequence[str]) -> str:
    """Why rows under these breakdowns cannot be held against control totals; empty if they can."""
    for name in breakdowns:
        if name not in ADDS_UP:
            why = next(w for part, w in NO_SUMS if name.startswith(part) or name.endswith(part))
            return f"no totals to hold it against: the breakdown {name} {why}"
    return ""
