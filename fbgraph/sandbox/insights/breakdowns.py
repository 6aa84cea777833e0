"""Breakdowns and action breakdowns that Meta returns together: looked up in tables of
`catalog.fields`.

What Meta refuses is refused in the words that were seen; where only a refusal was seen, in those of
its kind. What nobody has seen or described is not imitated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import (
    ACTION_BREAKDOWNS,
    BREAKDOWNS,
    HOURLY,
    HOURLY_AUDIENCE,
    HOURLY_PARTNERS,
    LEVELS,
    ONLY_NONE,
    action_breakdowns,
    breakdowns,
    combination,
)
from fbgraph.sandbox.insights.columns import CATALOGUE
from fbgraph.sandbox.insights.splits import NEW_BREAKDOWNS, SPLITS
from fbgraph.sandbox.protocol.params import some_of
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.catalog.fields import Breakdown, Combination

__all__ = ["check_fields", "read_action_breakdowns", "read_breakdowns"]

#: `care` of a field (see `fbgraph.catalog.fields`) with which the whole request fails.
REFUSED_CARE: Final = frozenset({"refused", "fails", "alone", "needs_filter", "needs_product"})

#: Kinds of fields that no breakdown takes away.
ABOUT: Final = frozenset({"id", "text", "date"})

#: What fields of converted products need among the action breakdowns.
CONVERTED_PRODUCT: Final = "action_converted_product_id"


def read_breakdowns(params: Mapping[str, str], level: str) -> Sequence[str]:
    """The requested breakdowns. Refused unless each exists at this level and all go together."""
    known = breakdowns()
    retired = {name for name in BREAKDOWNS if known[name].status == "retired"}
    requested = some_of(params, "breakdowns", BREAKDOWNS - retired | NEW_BREAKDOWNS)
    for name in requested:
        if name in NEW_BREAKDOWNS:
            continue
        if known[name].status == "refused":
            raise refused("nonexisting_field", name=name)
        from_level = known[name].from_level or LEVELS[0]
        if known[name].status == "export" or LEVELS.index(level) < LEVELS.index(from_level):
            raise _combination([name, "action_type"])
    if not _go_together(frozenset(requested)):
        raise _combination([*requested, "action_type"])
    for name in requested:
        if name not in {HOURLY, *SPLITS}:
            raise refused("not_imitated", what=f"the breakdown {name}")
    return requested


def _go_together(requested: frozenset[str]) -> bool:
    """Whether Meta gives these in one query. Source: docs/graph-api.md#breakdowns."""
    known = combination(requested)
    if known is not None:
        return known.status != "refused"
    return len(requested) < 2 or not requested.isdisjoint(NEW_BREAKDOWNS)  # noqa: PLR2004  alone


def read_action_breakdowns(params: Mapping[str, str], requested: Sequence[str]) -> Sequence[str]:
    """What splits actions next to breakdowns. Without the parameter it is their type; an empty list
    splits them by nothing.
    """
    given = some_of(params, "action_breakdowns", ACTION_BREAKDOWNS)
    found = given if params.get("action_breakdowns") else ("action_type",)
    row = _row(frozenset(requested))
    if row is not None and not _allows(row, found):
        raise _combination([*requested, *found])
    for name in found:
        if action_breakdowns()[name].status in {"refused", "undocumented"}:
            raise refused("not_imitated", what=f"the action breakdown {name}")
    return found


def _row(requested: frozenset[str]) -> Breakdown | Combination | None:
    if not requested or not requested.isdisjoint(NEW_BREAKDOWNS):
        return None
    return combination(requested) or breakdowns()[min(requested)]


def _allows(row: Breakdown | Combination, found: Sequence[str]) -> bool:
    if ONLY_NONE in row.partners:
        return not found
    return row.partners | HOURLY_PARTNERS >= set(found)


def _combination(columns: Sequence[str]) -> Exception:
    shown = ", ".join(sorted(dict.fromkeys(columns)))
    return refused("breakdown_combination", columns=shown)


def check_fields(
    fields: Sequence[str], level: str, requested: Sequence[str] = (), actions: Sequence[str] = ()
) -> None:
    """Refuse what is not a field of insights, what Meta took away, and what it does not give at a
    level or under the breakdowns.
    """
    rows = [breakdowns()[name] for name in requested if name in BREAKDOWNS]
    by_hour = not {HOURLY, HOURLY_AUDIENCE}.isdisjoint(requested)
    met = {"needs_product": CONVERTED_PRODUCT in actions}
    for name in fields:
        field = CATALOGUE.get(name)
        met["alone"] = any(row.is_limited and row.gives(name) for row in rows)
        if field is None or (field.care in REFUSED_CARE and not met.get(field.care)):
            raise refused("insights_field", name=name)
        if field.care == "not_of_accounts" and level == LEVELS[0]:
            raise refused("unavailable_at_level")
        is_given = field.kind in ABOUT or all(row.gives(name) for row in rows)
        if not is_given or (by_hour and field.hourly == "error"):
            raise refused("breakdown_without_data")
