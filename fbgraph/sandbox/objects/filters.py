"""``filtering``: one condition a line, on an object's attribute or on a metric of a row.

Attributes are dotted by level (``campaign.effective_status``), metrics may be (``ad.impressions``).
Source: Insights API reference; docs/graph-api.md#filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import LEVELS, OPERATORS
from fbgraph.sandbox.protocol.params import json_value
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["STATUS_FIELDS", "Condition", "matches", "read_filtering", "row_matches", "shows_hidden"]

#: effective_status → how ``delivery_info`` words it, where that is not the same in lower case.
DELIVERY_INFO: Final[Mapping[str, str]] = {
    "PAUSED": "inactive",
    "CAMPAIGN_PAUSED": "inactive",
    "ADSET_PAUSED": "inactive",
    "DISAPPROVED": "rejected",
    "IN_PROCESS": "pending",
    "WITH_ISSUES": "not_delivering",
}

#: attribute of an object → its value. Times are epoch seconds.
ATTRIBUTES: Final[Mapping[str, Callable[[WorldNode], str | int]]] = {
    "id": lambda node: node.id,
    "name": lambda node: node.name,
    "status": lambda node: node.status,
    "configured_status": lambda node: node.status,
    "effective_status": lambda node: node.effective_status,
    "delivery_info": lambda node: DELIVERY_INFO.get(
        node.effective_status, node.effective_status.lower()
    ),
    "objective": lambda node: node.line["campaign"].purpose,
    "created_time": lambda node: int(node.created.timestamp()),
    "updated_time": lambda node: int(node.updated.timestamp()),
}

#: Those that are text; all others, and metrics, are numbers.
WORDS: Final = frozenset(ATTRIBUTES) - {"created_time", "updated_time"}

#: A condition on one of these replaces the default that hides archived and deleted objects.
STATUS_FIELDS: Final = frozenset({"effective_status", "delivery_info"})


def _text(value: Any) -> str:
    return str(value).casefold()


def _same(have: str | float, wanted: Any) -> bool:
    return have == float(wanted) if isinstance(have, float | int) else have == str(wanted)


def _among(have: str | float, wanted: Any) -> bool:
    return any(_same(have, one) for one in wanted)


#: operator → does what an object has meet what is wanted?
TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQUAL": _same,
    "NOT_EQUAL": lambda have, wanted: not _same(have, wanted),
    "IN": _among,
    "NOT_IN": lambda have, wanted: not _among(have, wanted),
    "GREATER_THAN": lambda have, wanted: float(have) > float(wanted),
    "GREATER_THAN_OR_EQUAL": lambda have, wanted: float(have) >= float(wanted),
    "LESS_THAN": lambda have, wanted: float(have) < float(wanted),
    "LESS_THAN_OR_EQUAL": lambda have, wanted: float(have) <= float(wanted),
    "IN_RANGE": lambda have, wanted: float(wanted[0]) <= float(have) <= float(wanted[1]),
    "NOT_IN_RANGE": lambda have, wanted: not float(wanted[0]) <= float(have) <= float(wanted[1]),
    "CONTAIN": lambda have, wanted: _text(wanted) in _text(have),
    "NOT_CONTAIN": lambda have, wanted: _text(wanted) not in _text(have),
    "STARTS_WITH": lambda have, wanted: _text(have).startswith(_text(wanted)),
    "ENDS_WITH": lambda have, wanted: _text(have).endswith(_text(wanted)),
}

#: Operators whose value is a list.
LIST_OPERATORS: Final = frozenset({"IN", "NOT_IN", "IN_RANGE", "NOT_IN_RANGE"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``filtering``. `level` is empty where the field had no prefix."""

    level: str
    name: str
    operator: str
    value: Any

    def holds(self, have: str | float) -> bool:
        try:
            return TESTS[self.operator](have, self.value)
        except (TypeError, ValueError, IndexError):
            raise refused("bad_type", name="filtering", wanted="of matching types") from None


def read_filtering(params: Mapping[str, str], metrics: Collection[str]) -> tuple[Condition, ...]:
    """Every condition, checked. `metrics` are the fields of rows that may be filtered on."""
    return tuple(
        _condition(entry, f"filtering[{at}]", metrics)
        for at, entry in enumerate(json_value(params, "filtering", list))
    )


def _condition(entry: object, name: str, metrics: Collection[str]) -> Condition:
    if not isinstance(entry, dict) or not {"field", "operator", "value"} <= set(entry):
        raise refused("bad_type", name=name, wanted="an object with field, operator and value")
    field, operator, value = (entry[key] for key in ("field", "operator", "value"))
    if operator not in OPERATORS:
        values = ", ".join(sorted(OPERATORS))
        raise refused("not_one_of", name=f"{name}[operator]", values=values, got=str(operator))
    if operator not in TESTS:
        raise refused("not_imitated", what=f"the operator {operator}")
    if (operator in LIST_OPERATORS) != isinstance(value, list):
        raise refused("bad_type", name=f"{name}[value]", wanted="a list for IN, else a scalar")
    level, _, attribute = str(field).rpartition(".")
    if level not in ("", *LEVELS) or attribute not in {*ATTRIBUTES, *metrics}:
        raise refused("filter_field", name=str(field))
    wanted = tuple(value) if isinstance(value, list) else (value,)
    if not all(isinstance(one, str | int | float) for one in wanted):
        raise refused("bad_type", name=f"{name}[value]", wanted="made of strings and numbers")
    condition = Condition(
        level, attribute, operator, wanted if operator in LIST_OPERATORS else wanted[0]
    )
    condition.holds("" if attribute in WORDS else 0)  # refuses a value of the wrong type now
    return condition


def matches(node: WorldNode, conditions: Sequence[Condition]) -> bool:
    """Whether the object, or the parent that a condition names, has the attributes asked for."""
    for condition in conditions:
        one = node.line.get(condition.level) if condition.level else node
        if condition.name not in ATTRIBUTES or one is None:
            continue
        if not condition.holds(ATTRIBUTES[condition.name](one)):
            return False
    return True


def row_matches(row: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    """Whether a finished row has the metrics asked for. One it lacks counts as 0."""
    return all(
        condition.holds(float(row.get(condition.name, 0)))
        for condition in conditions
        if condition.name not in ATTRIBUTES
    )


def shows_hidden(conditions: Sequence[Condition], level: str) -> bool:
    """Whether archived and deleted objects of `level` are asked for on their own."""
    return any(c.name in STATUS_FIELDS and c.level in ("", level) for c in conditions)
