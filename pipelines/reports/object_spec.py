"""`ObjectSpec`: a table of objects as a person writes it, and the table that it becomes. No I/O."""

# No `from __future__ import annotations`: pydantic and Dagster read the annotations as objects.
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fbgraph.catalog.edges import EDGE_KINDS, NO_TOTAL_COUNT
from fbgraph.catalog.fields import ObjectField, object_fields
from pipelines.reports.spec import Fault, Placed, wrong_keys
from warehouse.schema.columns import UTC
from warehouse.schema.objects.object_table import LISTED_BY, MOVING, ObjectTable
from warehouse.schema.table import Column

__all__ = [
    "COLUMN_KINDS",
    "FieldSpec",
    "ObjectSpec",
    "known_fields",
    "object_table_of",
    "read_object_spec",
]

#: How often a table of one's own is listed, if it does not say.
LISTED_EVERY_DAYS: Final = 1

#: `kind` of the catalogue → kind of a column; a kind without a line here stays as it is. A number
#: may have a point; what has parts is kept as JSON.
_OF_CATALOGUE: Final[Mapping[str, str]] = {
    "number": "decimal",
    "boolean": "bool",
    "array": "json",
    "object": "json",
    "json": "text",
}

#: Kinds that a column may be given, and what it is then.
COLUMN_KINDS: Final[Mapping[str, str]] = {
    "id": "digits, as text",
    "text": "text",
    "texts": "a list of texts",
    "json": "anything, as JSON text",
    "bool": "true or false",
    "number": "a whole number",
    "decimal": "a number with up to six digits after the point",
    "size": "a whole number; -1 is NULL",
    "timestamp": "an instant, from a text such as 2026-11-21T08:00:12+0100",
    "epoch": "an instant, from seconds since 1970",
    "money_minor": "money, from the currency's smallest unit",
    "money_limit": "the same for a cap or a budget, whose number for no limit is NULL",
}

_FIELD_MEANING: Final = "Field {} as Meta sent it"


class FieldSpec(BaseModel):
    """A field with more than a name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    field: str = Field(description="Field of Graph, or a path into its parts: owner_business.name")
    name: str = Field(default="", description="Name of the column; else that of the field")
    kind: str = Field(default="", description="Kind of the column; else that of the catalogue")
    meaning: str = Field(default="", description="For DuckDB's comment and the data dictionary")

    @property
    def column(self) -> str:
        """Name of its column."""
        if self.name:
            return self.name
        return "owner_account_id" if self.field == "account_id" else self.field.replace(".", "_")

    @property
    def head(self) -> str:
        """The field that is requested."""
        return self.field.partition(".")[0]


class ObjectSpec(Placed):
    """A table of what an ad account has on an edge: in YAML, as a component, in Python.

    Keys and kinds are checked when it is made; `object_rules.object_findings` finds what is wrong
    beyond that. docs/reports.md has the same table of keys.
    """

    noun: ClassVar[str] = "a table of objects"
    examples: ClassVar[Mapping[str, str]] = {
        "fields": "[name, creation_time, {field: owner_business.name, name: owner}]",
        "moving": "[last_fired_time]",
    }

    name: str = Field(description="Name of the asset and the table")
    edge: str = Field(description="Edge of an ad account that lists them, as adspixels")
    fields: tuple[FieldSpec, ...] = Field(
        description="Fields of each, by name, or with field, name, kind and meaning"
    )
    key: str = Field(default="id", description="Field that identifies one within its account")
    history: bool = Field(default=True, description="Keep every state that was seen")
    moving: tuple[str, ...] = Field(
        default=(), description="Columns that change by themselves: no state of the history"
    )
    listed_every_days: int = Field(
        default=LISTED_EVERY_DAYS, description="How often a refresh lists all of it, 1 to 31"
    )
    allow_unknown: bool = Field(
        default=False,
        description="Request what our tables do not know or say that Meta refuses, with a warning",
    )
    description: str = Field(
        default="", description="For the asset's page, DuckDB's comment and the data dictionary"
    )
    owners: tuple[str, ...] = Field(
        default=(), description="E-mail addresses or team:…, shown in Dagster"
    )

    @field_validator("fields", mode="before")
    @classmethod
    def _from_names(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return tuple({"field": one} if isinstance(one, str) else one for one in value)

    @field_validator("moving", "owners", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


#: What rules check in place of keys that are missing or cannot be read.
_STAND_INS: Final[Mapping[str, Any]] = {
    "name": "unnamed",
    "edge": "adlabels",
    "fields": ("id",),
}


def read_object_spec(keys: Mapping[Any, Any]) -> tuple[Sequence[Fault], ObjectSpec]:
    """Keys as YAML has them → what is wrong with keys and kinds, and a spec of those that are
    right, with placeholders for the others.
    """
    faults, right = wrong_keys(ObjectSpec, keys)
    return faults, ObjectSpec(**{**_STAND_INS, **right})


def known_fields(edge: str) -> Mapping[str, ObjectField]:
    """The fields of what an edge lists; empty where the catalogue does not know it."""
    kind = EDGE_KINDS.get(edge, "")
    return object_fields(kind) if kind and kind != "insights" else {}


def object_table_of(spec: ObjectSpec) -> ObjectTable:
    """The table of a spec that has no faults."""
    known = known_fields(spec.edge)
    keys = [one for one in spec.fields if one.field == spec.key] or [FieldSpec(field=spec.key)]
    others = [one for one in spec.fields if one.field != spec.key]
    columns = [_column(one, known) for one in (*keys, *others)]
    words = spec.name.replace("_", " ")
    return ObjectTable(
        name=spec.name,
        meaning=spec.description or f"{words.capitalize()} of an account, latest state.",
        one=f"an entry of {spec.name}",
        edge=spec.edge,
        kind=EDGE_KINDS.get(spec.edge, ""),
        grain=("account_id", columns[0].name),
        columns=(columns[0], LISTED_BY, *columns[1:]),
        has_history=spec.history,
        requested=("id",),  # it tells whether the key is another for each
        moving=MOVING | {*spec.moving},
        deleted="",
        is_counted=spec.edge not in NO_TOTAL_COUNT and bool(known),
        is_optional=True,
        listed_every_days=spec.listed_every_days,
        is_own=True,
    )


def _column(one: FieldSpec, known: Mapping[str, ObjectField]) -> Column:
    about = known.get(one.head)
    of_catalogue = about.kind if about and one.head == one.field else "json"
    kind = one.kind or _OF_CATALOGUE.get(of_catalogue, of_catalogue)
    meaning = one.meaning or _FIELD_MEANING.format(one.field)
    money = kind.startswith("money")
    is_time = kind in {"timestamp", "epoch"}
    unit = "account currency, major units" if money else UTC if is_time else ""
    moves = about is not None and about.care == "volatile"
    return Column(one.column, kind, meaning, unit, field=one.field, moves=moves)
