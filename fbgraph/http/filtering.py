"""Conditions, statuses and fields, checked before a request: Meta ignores some that are misspelt.

A filter that does nothing returns the wrong rows silently. What this module refuses can still be
sent as text by `GraphClient.get`. Sources: Insights API reference (filtering); ad account edges.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fbgraph.catalog.fields import (
    ACTION_BREAKDOWNS,
    BREAKDOWNS,
    EDGE_KINDS,
    EFFECTIVE_STATUSES,
    HOURLY,
    LEVELS,
    OPERATORS,
    of,
    readable,
)
from fbgraph.errors import FieldError, PermissionDeniedError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fbgraph.errors import GraphError
    from fbgraph.http.paging import Params

__all__ = [
    "check_filtering",
    "check_kind",
    "check_statuses",
    "expand",
    "leaving_out",
    "refused_fields",
]

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: Operators whose value is a list, and those whose value is one. Others take either.
_LISTS: Final = frozenset({
    *("IN", "NOT_IN", "IN_RANGE", "NOT_IN_RANGE"),
    *("CONTAINS_ANY", "CONTAINS_ALL", "NOT_CONTAINS_ANY"),
})  # fmt: skip
_SCALARS: Final = frozenset({
    *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN"),
    *("LESS_THAN_OR_EQUAL", "CONTAIN", "NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH"),
    *("AFTER", "BEFORE", "ON_OR_AFTER", "ON_OR_BEFORE"),
})  # fmt: skip

#: Filtered on though no object has it as a field. Source: connectors (docs/graph-api.md#filters).
_ONLY_FILTERED: Final = frozenset({"delivery_info"})

#: How Meta names a field that it refuses, and a right that is missing. Seen in live bodies.
_NAMED_FIELD: Final = re.compile(
    r"nonexisting (?:summary )?field \((\w+)\)|(?:^|\) )(\w+) is not valid for fields param"
)
_NAMED_RIGHT: Final = re.compile(r"requires (\w+) permission", re.IGNORECASE)


def check_kind(kind: str) -> str:
    """`kind`, if it is empty or in the catalogue. Raises RequestError for another."""
    if kind:
        _require_known("The kind", kind, frozenset(EDGE_KINDS.values()))
    return kind


def check_filtering(filtering: Sequence[Mapping[str, Any]], kind: str) -> None:
    """Raises RequestError for a condition that Meta would refuse or ignore.

    `kind` is that of the filtered rows; empty where the catalogue does not know their fields.
    """
    for at, condition in enumerate(filtering):
        where = f"filtering[{at}]"
        if not isinstance(condition, Mapping) or set(condition) != {"field", "operator", "value"}:
            raise RequestError(
                f"{where} must have exactly field, operator and value (got {condition!r})."
            )
        field, operator, value = (condition[key] for key in ("field", "operator", "value"))
        _require_known(f"{where}: the operator", operator, OPERATORS)
        _check_shape(where, operator, value)
        if kind:
            _check_field(where, str(field), kind)
            _check_values(where, str(field), value, kind)


def check_statuses(statuses: Sequence[str], kind: str) -> None:
    """Raises RequestError for an `effective_status` that the objects of an edge do not have.

    DELETED is one of them: edges refuse it (1815001); deleted objects are read by their id.
    """
    known = EFFECTIVE_STATUSES.get(kind)
    if known is None:
        return
    for status in statuses:
        if status == "DELETED":
            raise RequestError(
                "Edges do not list deleted objects: remove DELETED from effective_status. Insights"
                " have their rows; read the objects themselves by id."
            )
        _require_known(f"effective_status of {kind}:", status, known)


def expand(fields: Sequence[str] | str, kind: str, breakdowns: Sequence[str] = ()) -> Sequence[str]:
    """`fields` as a list; ``"*"`` is all that may be asked for of this kind.

    Raises RequestError for other text, and where the catalogue does not know the kind.
    """
    if not isinstance(fields, str):
        return fields
    if fields != "*":
        raise RequestError(f'fields must be a list of names, or "*" for all (got {fields!r}).')
    if not kind:
        raise RequestError(
            'fields="*" needs the kind of the node. Pass it, for example node(id, kind="campaign").'
        )
    return readable(kind, hourly=HOURLY in breakdowns)


def refused_fields(error: GraphError, fields: Sequence[str], kind: str) -> Sequence[str]:
    """Which of `fields` an error is about: those it names, else those that need a right it names,
    else all that need any right. Empty if the error cannot be about one of them.
    """
    detail = error.detail
    named = {name for pair in _NAMED_FIELD.findall(detail.message) for name in pair if name}
    named |= {part for blamed in detail.blamed_fields for part in blamed.split(".")}
    if found := [field for field in fields if _bare(field) in named]:
        return found
    rights = {name: getattr(known, "right", "") for name, known in of(kind).items()} if kind else {}
    right = _NAMED_RIGHT.search(detail.message)
    return [
        field
        for field in fields
        if (needed := rights.get(_bare(field))) and (right is None or right[1].lower() == needed)
    ]


def _bare(field: str) -> str:
    """``owner`` of ``owner{id}`` and ``ads`` of ``ads.limit(5){id}``."""
    return re.split(r"[.{]", field, maxsplit=1)[0]


def _require_known(what: str, word: object, known: Collection[str]) -> None:
    if not isinstance(word, str) or word not in known:
        near = get_close_matches(str(word), known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else f" Choose from: {_listed(known)}."
        raise RequestError(f"{what} {word!r} is not known.{hint}")


def _listed(known: Collection[str]) -> str:
    return ", ".join(sorted(known))


def _check_shape(where: str, operator: str, value: object) -> None:
    is_list = isinstance(value, list | tuple | set | frozenset)
    if operator in (_SCALARS if is_list else _LISTS):
        wanted = "one value" if is_list else "a list"
        raise RequestError(f"{where}: {operator} takes {wanted}, not {value!r}.")


def _check_field(where: str, field: str, kind: str) -> None:
    level, _, name = field.rpartition(".")
    if level:
        _require_known(f"{where}: the level", level, LEVELS)
    _require_known(f"{where}: the field", name, _filterable(level, kind))


def _filterable(level: str, kind: str) -> frozenset[str]:
    """What can be filtered on: attributes of objects, and on insights the metrics of rows."""
    objects = {"account": "adaccount"}.get(level, level)
    found = frozenset(of(objects)) if level else frozenset()
    if kind == "insights":
        return found | of("insights").keys() | BREAKDOWNS | ACTION_BREAKDOWNS | _ONLY_FILTERED
    return found | of(kind).keys() | _ONLY_FILTERED


def _check_values(where: str, field: str, value: object, kind: str) -> None:
    """A status that no object of the level has would match nothing. Insights do have DELETED."""
    level, _, name = field.rpartition(".")
    known = EFFECTIVE_STATUSES.get(level or kind)
    if name != "effective_status" or known is None:
        return
    statuses: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if kind != "insights":
        check_statuses(statuses, level or kind)
    for status in statuses:
        _require_known(f"{where}: the status", status, known)


def leaving_out(  # noqa: PLR0913  # what, of what, and how
    fetch: Callable[[Params], T],
    kind: str,
    what: str,
    *,
    may_drop: bool,
    required: Collection[str] = (),
    left_out: dict[str, str] | None = None,
) -> Callable[[Params], T]:
    """`fetch` without the fields that Meta has refused, if they may be dropped and none of them is
    `required`. Each field that is left out is logged as a warning, and noted in `left_out` with
    Meta's reason; what is in there already is left out from the first request on.
    """
    dropped = {} if left_out is None else left_out

    def request_with(params: Params) -> T:
        while True:
            fields = [f for f in params.get("fields") or () if f not in dropped]
            try:
                return fetch({**params, "fields": fields} if dropped else params)
            except (FieldError, PermissionDeniedError) as error:
                refused = refused_fields(error, fields, kind) if may_drop else ()
                if not refused or len(refused) == len(fields) or {*refused} & {*required}:
                    raise
                _log.warning("%s: left out %s: %s", what, ", ".join(refused), error)
                dropped.update(dict.fromkeys(refused, str(error)))

    return request_with
