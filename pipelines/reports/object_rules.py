"""The rules of a table of objects: what it may request from Meta, and what its columns may be
called. They look things up in the catalogue of Graph's edges and fields.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.edges import EDGE_KINDS
from pipelines.reports.hints import unknown
from pipelines.reports.object_spec import COLUMN_KINDS, FieldSpec, known_fields
from pipelines.reports.rules import COLUMN, OWNED_RULES, as_warning
from pipelines.reports.spec import META, WARNING, Fault
from warehouse.schema.objects.object_table import MOVING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fbgraph.catalog.fields import ObjectField
    from pipelines.reports.object_spec import ObjectSpec

__all__ = ["object_findings"]

#: Edges that are not of an ad account, or list no objects → why.
_OTHER_EDGES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("adaccounts", "owned_ad_accounts", "client_ad_accounts"),
        "is not an edge of an ad account; the table accounts has them",
    ),
    "insights": "has rows without ids: write a report (type: pipelines.components.InsightsReport)",
    "activities": "has rows without ids, which are not objects",
    "budget_schedules": "is an edge of campaigns and ad sets, not of an ad account",
}

_EDGES: Final = frozenset(EDGE_KINDS.keys() - _OTHER_EDGES.keys())

#: `care` of a field → what becomes of a request with it.
_CARE: Final[Mapping[str, tuple[str, str]]] = {
    "fails": ("requests with it fail for many accounts", META),
    "costly": ("it makes pages so large that they must be shorter", WARNING),
    "personal": ("it names a person", WARNING),
}

#: Columns that every table of objects has.
_TAKEN: Final = frozenset({"account_id", "fetched_at", "valid_from", "valid_to"})

#: Kinds that a key may have.
_KEY_KINDS: Final = ("id", "text")

_EVERY: Final = range(1, 32)


def object_findings(spec: ObjectSpec) -> Sequence[Fault]:
    """All faults of a spec: those that prevent it from loading, and warnings.

    With `allow_unknown`, what Meta would refuse as far as we know becomes a warning: it is
    requested anyway.
    """
    found = [fault for rule in _RULES for fault in rule(spec)]
    if not spec.allow_unknown:
        return found
    return [as_warning(fault) if fault.weight == META else fault for fault in found]


def _edge(spec: ObjectSpec) -> Iterator[Fault]:
    if spec.edge in _OTHER_EDGES:
        yield Fault("edge", spec.edge, _OTHER_EDGES[spec.edge])
    elif not COLUMN.fullmatch(spec.edge):
        yield Fault("edge", spec.edge, "use only a-z, 0-9 and _: it becomes a part of an address")
    elif spec.edge not in _EDGES:
        yield Fault("edge", spec.edge, unknown(spec.edge, _EDGES), META)


def _fields(spec: ObjectSpec) -> Iterator[Fault]:
    known = known_fields(spec.edge)
    if not spec.fields:
        yield Fault("fields", "", "list at least one field")
    if spec.edge in _OTHER_EDGES:
        return
    for one in spec.fields:
        yield from _field(one, known)
    if known and COLUMN.fullmatch(spec.key) and spec.key not in known:
        yield Fault("key", spec.key, unknown(spec.key, known), META)


def _key(spec: ObjectSpec) -> Iterator[Fault]:
    """A key tells one object from another, and must not change by itself: each value would be
    another object.
    """
    if not COLUMN.fullmatch(spec.key):
        yield Fault("key", spec.key, "name a field as Meta does, such as id; a path is not a key")
        return
    given = next((one for one in spec.fields if one.field == spec.key), None)
    about = known_fields(spec.edge).get(spec.key)
    column = (given or FieldSpec(field=spec.key)).column
    if wrong := _wrong_kind(spec, given, about):
        yield wrong
    elif (about is not None and about.care == "volatile") or column in MOVING:
        rule = "is the key, and changes by itself: choose another, such as id"
        yield Fault("key", spec.key, rule)
    if column in spec.moving:
        yield Fault("moving", column, "is the key: leave it out here, or choose another key")
    if given is None and column in _TAKEN:
        yield Fault("key", spec.key, _taken(column))


def _wrong_kind(
    spec: ObjectSpec, given: FieldSpec | None, about: ObjectField | None
) -> Fault | None:
    """A key is compared as text, and must be of a kind that reads what Meta sends."""
    kind = (given and given.kind) or (about.kind if about else "text")
    where = "fields" if given and given.kind else "key"
    if kind not in _KEY_KINDS and not (where == "fields" and kind not in COLUMN_KINDS):
        rule = f"is the key, and of kind {kind}: choose another, such as id, or the kind id or text"
        return Fault(where, spec.key, rule)
    if kind == "id" and about is not None and about.kind == "text":
        rule = f"is not a number on {spec.edge}, so that no row could be read: use the kind text"
        return Fault(where, spec.key, rule)
    return None


def _field(one: FieldSpec, known: Mapping[str, object]) -> Iterator[Fault]:
    about = known.get(one.head)
    if not all(COLUMN.fullmatch(part) for part in one.field.split(".")):
        rule = "use names of a-z, 0-9 and _; a path has points between them: owner_business.name"
        yield Fault("fields", one.field, rule)
    elif known and about is None:
        yield Fault("fields", one.field, unknown(one.head, known), META)
    elif care := _CARE.get(getattr(about, "care", "")):
        yield Fault("fields", one.field, care[0], care[1])
    if right := getattr(about, "right", ""):
        rule = f"needs the right {right}: a token without it may fail the whole table"
        yield Fault("fields", one.field, rule, WARNING)
    if one.kind and one.kind not in COLUMN_KINDS:
        yield Fault("fields", one.kind, unknown(one.kind, COLUMN_KINDS))


def _columns(spec: ObjectSpec) -> Iterator[Fault]:
    names = Counter(one.column for one in spec.fields)
    for one in spec.fields:
        if one.column in _TAKEN:
            yield Fault("fields", one.field, _taken(one.column))
        elif not COLUMN.fullmatch(one.column):
            yield Fault("fields", one.name, "use only a-z, 0-9 and _: it becomes a column's name")
    for name, count in names.items():
        if count > 1:
            yield Fault("fields", name, "is the name of two columns: give one another name")


def _taken(column: str) -> str:
    return f"would be the column {column}, which every table has: give it another name"


def _moving(spec: ObjectSpec) -> Iterator[Fault]:
    names = {one.column for one in spec.fields}
    for name in spec.moving:
        if name not in names:
            yield Fault("moving", name, unknown(name, sorted(names)))


def _every(spec: ObjectSpec) -> Iterator[Fault]:
    if spec.listed_every_days not in _EVERY:
        yield Fault("listed_every_days", str(spec.listed_every_days), "expected 1 to 31 days")


_RULES: Final[Sequence[Callable[[ObjectSpec], Iterator[Fault]]]] = (
    *(_edge, _fields, _key, _columns, _moving, _every, *OWNED_RULES),
)
