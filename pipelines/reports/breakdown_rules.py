"""The rules for breakdowns of a report: which may be requested, alone and together. They look
things up in `fbgraph.catalog.breakdowns`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.breakdowns import (
    ACTION_BREAKDOWNS,
    ACTIONS_TOGETHER,
    BREAKDOWNS,
    COMBINATIONS,
    FEATURE_SETTINGS,
    HOURLY_PARTNERS,
    ONLY_NONE,
    Combination,
    action_breakdowns,
    breakdowns,
    combination,
    combinations,
)
from fbgraph.catalog.fields import LEVELS, insights_fields
from pipelines.reports.hints import unknown
from pipelines.reports.spec import META, WARNING, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fbgraph.catalog.breakdowns import Breakdown
    from pipelines.reports.spec import ReportSpec

__all__ = ["BREAKDOWN_RULES", "allows_lone_metrics"]

#: Kinds of fields that exist under every breakdown.
ABOUT: Final = frozenset({"id", "text", "date"})

#: `status` of a breakdown → the weight of the fault, and the rule.
OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "documented": (
        WARNING,
        "Meta documents it, but we have not seen a response with it: check its first rows",
    ),
    "undocumented": (
        WARNING,
        "Meta lists it and does not say what it returns; we have seen no response with it",
    ),
    "export": (META, "Meta returns it only as a file, which fbinsights does not read: {note}"),
    "refused": (META, "Meta refuses it: {note}"),
    "retired": (META, "Meta removed it on {seen}; {note}"),
}

#: The same for breakdowns together, and for one without others.
TOGETHER: Final[Mapping[str, tuple[str, str]]] = {
    "documented": (
        WARNING,
        "Meta documents {what}, but we have not seen a response with it: check its first rows",
    ),
    "seen": (WARNING, "Meta does not document {what} but has been seen to return it"),
    "refused": (META, "Meta refuses {what}"),
}

#: Statuses for which it does not matter what a breakdown is combined with.
GONE: Final = frozenset({"export", "refused", "retired"})

OPT_IN: Final = (
    "each account must enable the feature {feature} first, or its days may be empty without an"
    f" error; GET {FEATURE_SETTINGS} lists what is enabled"
)


def _breakdowns(spec: ReportSpec) -> Iterator[Fault]:
    key, known = "breakdowns", breakdowns()
    for name in spec.breakdowns:
        if name in ACTION_BREAKDOWNS - BREAKDOWNS:
            yield Fault(key, name, "is not a breakdown of rows; put it under action_breakdowns")
        elif name not in known:
            yield Fault(key, name, unknown(name, BREAKDOWNS), META)
        else:
            yield from _status(key, known[name])
            yield from _opt_in(key, known[name])
            yield from _level(spec, known[name])


def _status(key: str, known: Breakdown) -> Iterator[Fault]:
    if known.status in OUTCOMES:
        weight, rule = OUTCOMES[known.status]
        rule = _cited(rule.format(note=known.note, seen=known.seen), known)
        yield Fault(key, known.name, rule, weight)


def _opt_in(key: str, known: Breakdown) -> Iterator[Fault]:
    if known.feature:
        yield Fault(key, known.name, _cited(OPT_IN.format(feature=known.feature), known), WARNING)


def _level(spec: ReportSpec, known: Breakdown) -> Iterator[Fault]:
    level = spec.level
    if known.status in GONE or not known.from_level or level not in LEVELS:
        return
    if LEVELS.index(level) < LEVELS.index(known.from_level):
        rule = f"Meta refuses it at level {level}; use level {known.from_level} or a finer one"
        yield Fault("breakdowns", known.name, _cited(rule, known), META)


def _together(spec: ReportSpec) -> Iterator[Fault]:
    requested = frozenset(spec.breakdowns)
    if not _are_usable(requested):
        return
    shown, known = "+".join(sorted(requested)), combination(requested)
    if known is None and len(requested) > 1:
        near = {combinations()[c].pattern.replace(" ", "+") for c in COMBINATIONS if c & requested}
        hint = f"; supported: {', '.join(sorted(near))}" if near else ""
        rule = f"Meta is not known to support this combination{hint}"
        yield Fault("breakdowns", shown, _with_source(rule), META)
    elif known is not None and known.status in TOGETHER:
        weight, rule = TOGETHER[known.status]
        rule = rule.format(what="this combination" if len(requested) > 1 else "it alone")
        rule = f"{rule}; {known.note}" if known.note else rule
        yield Fault("breakdowns", shown, _cited(rule, known), weight)


def is_metric(name: str) -> bool:
    """Whether a field is in the catalogue and is a number that breakdowns may take away."""
    field = insights_fields().get(name)
    return field is not None and field.kind not in ABOUT


def _fields(spec: ReportSpec) -> Iterator[Fault]:
    known, metrics = breakdowns(), [f for f in spec.fields if is_metric(f)]
    for breakdown in spec.breakdowns:
        if breakdown not in known or known[breakdown].status in GONE:
            continue
        row = known[breakdown]
        for name in metrics:
            if not row.gives(name):
                yield Fault("fields", name, _cited(_gives(row), row), META)


def _gives(row: Breakdown) -> str:
    if row.is_limited:
        return f"under {row.name} Meta returns only {', '.join(sorted(row.fields.split()))}"
    return f"Meta does not return it under {row.name}"


def allows_lone_metrics(spec: ReportSpec, name: str) -> bool:
    """Whether one of the breakdowns bars every other metric that a report would request, so that a
    field which Meta returns only without other metrics can be requested.
    """
    known = breakdowns()
    rows = [known[b] for b in spec.breakdowns if b in known]
    return any(row.is_limited and row.gives(name) for row in rows)


def _actions(spec: ReportSpec) -> Iterator[Fault]:
    key, known, requested = "action_breakdowns", action_breakdowns(), spec.action_breakdowns or ()
    lists = [f for f in spec.fields if _may_be_a_list(f)]
    if requested and not lists:
        rule = "has no effect: it splits lists of actions, and none of the fields is one"
        yield Fault(key, "", rule, WARNING)
    for name in requested:
        if name in BREAKDOWNS - ACTION_BREAKDOWNS:
            yield Fault(key, name, "is not an action breakdown; put it under breakdowns")
        elif name not in known:
            yield Fault(key, name, unknown(name, ACTION_BREAKDOWNS), META)
        else:
            yield from _status(key, known[name])
    split = frozenset(requested) - {"action_type"}
    if len(split) > 1 and not spec.breakdowns and split not in ACTIONS_TOGETHER:
        rule = "Meta does not document these together"
        yield Fault(key, "+".join(sorted(split)), _with_source(rule), WARNING)


def _may_be_a_list(name: str) -> bool:
    field = insights_fields().get(name)
    return field is None or field.kind == "actions"


def _actions_next_to_breakdowns(spec: ReportSpec) -> Iterator[Fault]:
    key, requested = "action_breakdowns", frozenset(spec.breakdowns)
    row = _row(requested) if _are_usable(requested) else None
    if row is None:
        return
    shown = "+".join(sorted(requested))
    if ONLY_NONE in row.partners:
        if spec.action_breakdowns != ():
            rule = f"Meta accepts {shown} only with an empty list; write action_breakdowns: []"
            yield Fault(key, "", _cited(rule, row), META)
        return
    known = [a for a in spec.action_breakdowns or () if a in ACTION_BREAKDOWNS]
    doubt = row.note if isinstance(row, Combination) and row.status == "works" else ""
    if doubt and {*known} - {"action_type"}:
        yield Fault(key, "", _cited(f"next to {shown}, {doubt}", row), WARNING)
    for name in known:
        if name in row.partners | {"action_type"}:
            continue
        if name in HOURLY_PARTNERS:
            rule = f"Meta does not document it next to {shown}"
            yield Fault(key, name, _cited(rule, row), WARNING)
        else:
            given = ", ".join(sorted(row.partners | {"action_type"}))
            rule = f"next to {shown} Meta returns only {given}"
            yield Fault(key, name, _cited(rule, row), META)


def _row(requested: frozenset[str]) -> Breakdown | Combination | None:
    """The row that lists which action breakdowns work with these breakdowns."""
    if not requested:
        return None
    known = combination(requested) or (
        breakdowns()[min(requested)] if len(requested) == 1 else None
    )
    return None if known is None or known.status in GONE else known


def _are_usable(requested: frozenset[str]) -> bool:
    """Whether all are known, and none is already reported by itself."""
    return all(name in BREAKDOWNS and breakdowns()[name].status not in GONE for name in requested)


def _cited(rule: str, row: Breakdown | Combination) -> str:
    return f"{rule} ({row.evidence})"


def _with_source(rule: str) -> str:
    return f"{rule} (Insights API > Breakdowns, 2026-09)"


BREAKDOWN_RULES: Final[Sequence[Callable[[ReportSpec], Iterator[Fault]]]] = (
    *(_breakdowns, _together, _fields, _actions, _actions_next_to_breakdowns),
)
