"""`ReportSpec`: a report as a person writes it, and the faults found in it. No I/O, no Dagster.

`WarehouseSpec` is what a person writes of everything else, in a Dagster project of their own.
"""

# No `from __future__ import annotations`: pydantic and Dagster read the annotations as objects.
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.settings import FIRST_DAY
from warehouse.schema.periods import Period

__all__ = [
    "ERROR",
    "FIRST_DAY",
    "LOOKBACK_DAYS",
    "META",
    "USUAL",
    "WARNING",
    "Fault",
    "Placed",
    "ReportSpec",
    "WarehouseSpec",
    "read_spec",
    "wrong_keys",
]

#: How many days later Meta may still change a day's numbers. Source: Insights API, Best practices.
LOOKBACK_DAYS: Final = 28

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Placed(BaseModel):
    """Where assets are in Dagster's catalogue; None is the usual place. `noun`: what it is, for
    messages; `examples`: key → a list that it may have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    noun: ClassVar[str] = "a report"
    examples: ClassVar[Mapping[str, str]] = {}

    key_prefix: tuple[str, ...] | None = Field(
        default=None, description="In front of the keys of assets in Dagster, as [marketing, meta]"
    )
    group_name: str | None = Field(default=None, description="Group of assets in Dagster")

    @field_validator("key_prefix", mode="before")
    @classmethod
    def _from_one(cls, value: object) -> object:
        if isinstance(value, str):
            return (value,)
        return tuple(value) if isinstance(value, list) else value


class WarehouseSpec(Placed):
    """Everything of fbinsights but the reports of a project: what the component of that name
    brings. A key prefix and a group that it has are those of reports that name none.
    """

    noun: ClassVar[str] = "a warehouse"


#: Without one: keys are names alone, and each kind of asset has its group.
USUAL: Final = WarehouseSpec()


class ReportSpec(Placed):
    """A report of insights as a person writes it: in YAML, as a component, in Python.

    Keys and kinds are checked when it is made; `rules.findings` finds what is wrong beyond that.
    docs/reports.md has the same table of keys.
    """

    name: str = Field(description="Name of the asset, the table and for --report")
    level: str = Field(description="account, campaign, adset or ad")
    fields: tuple[str, ...] = Field(
        description="Fields of insights; ids, names, currency, impressions, clicks and spend are"
        " added"
    )
    breakdowns: tuple[str, ...] = Field(default=(), description="What rows are split by")
    period: str = Field(
        default=Period.DAY.value,
        description="What one row covers: day, week (Monday to Sunday) or month. Numbers of people"
        " are exact for each, and cannot be made from those of shorter ones",
    )
    action_breakdowns: tuple[str, ...] | None = Field(
        default=None,
        description="What entries of actions are split by, next to action_type; an empty list"
        " splits them by nothing",
    )
    action_attribution_windows: tuple[str, ...] = Field(
        default=(),
        description="One column each next to `value`, which follows the ad set's own setting",
    )
    allow_unknown: bool = Field(
        default=False,
        description="Request what our tables do not know or say that Meta refuses, with a warning",
    )
    lookback_days: int = Field(
        default=LOOKBACK_DAYS,
        description="How many days after the end of a day, week or month Meta may still change its"
        " numbers, 1 to 90",
    )
    start_date: date = Field(
        default=FIRST_DAY,
        description="First day of the grid; of weeks and months, the first that begins then or"
        " later",
    )
    description: str = Field(
        default="", description="For the asset's page, DuckDB's comment and the data dictionary"
    )
    owners: tuple[str, ...] = Field(
        default=(), description="E-mail addresses or team:…, shown in Dagster"
    )

    @field_validator(
        "fields", "breakdowns", "action_breakdowns", "action_attribution_windows", "owners",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("start_date", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if not _DAY.fullmatch(value):  # Python reads 20261121 and 2026-W47-6 too
            raise ValueError(f"expected {_KINDS[date]}")
        return date.fromisoformat(value)


#: `weight` of a fault: the report cannot be loaded; Meta would refuse it, as far as our tables
#: know, and `allow_unknown` turns it into a warning; it loads, but a person should know.
ERROR: Final = "error"
META: Final = "meta"
WARNING: Final = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a spec: under which key, with which of its values."""

    key: str
    value: str
    rule: str
    weight: str = ERROR

    @property
    def is_warning(self) -> bool:
        return self.weight == WARNING

    def __str__(self) -> str:
        return (
            f"{self.key}: {self.value}: {self.rule}" if self.value else f"{self.key}: {self.rule}"
        )


#: Kind of a key → what is expected, in words.
_KINDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    date: "a day like 2026-11-21",
    str | None: "text",
}

#: Key → a list that it may have.
_LISTS: Final[Mapping[str, str]] = {
    "fields": "[impressions, spend]",
    "breakdowns": "[age, gender]",
    "action_breakdowns": "[action_device]",
    "action_attribution_windows": "[7d_click, 1d_view]",
    "key_prefix": "[marketing, meta]",
    "owners": '["ada@example.com", "team:growth"]',
}

#: What rules check in place of keys that are missing or cannot be read, so that such a key does not
#: hide other faults. These values are compatible with everything.
_PLACEHOLDERS: Final[Mapping[str, Any]] = {
    "name": "unnamed",
    "level": "ad",
    "fields": ("impressions", "actions"),
}


def read_spec(keys: Mapping[Any, Any]) -> tuple[Sequence[Fault], ReportSpec]:
    """Keys as YAML has them → what is wrong with keys and kinds, and a spec of those that are
    right, with placeholders for the others.
    """
    faults, right = wrong_keys(ReportSpec, keys)
    return faults, ReportSpec(**{**_PLACEHOLDERS, **right})


def wrong_keys(
    of: type[Placed], keys: Mapping[Any, Any]
) -> tuple[Sequence[Fault], Mapping[str, Any]]:
    """What is wrong with keys and kinds of what is to become `of`, and the keys that are right."""
    known = of.model_fields
    wrong = _wrong(of, keys)
    faults = [_fault(of, key, keys[key]) for key in keys if key in wrong or key not in known]
    faults += [Fault(key, "", "is missing") for key in sorted(wrong - keys.keys())]
    right = {key: value for key, value in keys.items() if key in known and key not in wrong}
    return faults, right


def _wrong(of: type[Placed], keys: Mapping[Any, Any]) -> set[Any]:
    """Keys of ours that are missing or have a value of the wrong kind."""
    known = {key: value for key, value in keys.items() if key in of.model_fields}
    empty = {key for key, value in known.items() if value is None}
    try:
        of(**known)
    except ValidationError as error:
        found = error.errors(include_context=False, include_input=False)
        return empty | {one["loc"][0] for one in found}
    return empty


def _in_order(keys: Iterable[str]) -> Sequence[str]:
    """Keys of a report before those of its place in Dagster's catalogue."""
    return sorted(keys, key=lambda key: key in Placed.model_fields)


def _fault(of: type[Placed], key: object, value: object) -> Fault:
    """What is wrong with an existing key."""
    known = of.model_fields
    if key not in known:
        near = get_close_matches(str(key), known, n=1)
        hint = (
            f"; did you mean {near[0]}?"
            if near
            else f"; expected one of {', '.join(_in_order(known))}"
        )
        return Fault(str(key), "", f"is not a key of {of.noun}{hint}")
    text = "" if value is None or isinstance(value, list | dict) else str(value)
    kind = known[str(key)].annotation
    # YAML reads `on`, `yes`, `12` and `null` as something else than the text that was written.
    is_text = kind in {str, str | None}
    quoted = ', in quotes: "…"' if is_text and isinstance(value, bool | int | float) else ""
    like = of.examples.get(str(key)) or _LISTS.get(str(key))
    expected = f"a list, like {like}" if like else _KINDS[kind]
    return Fault(str(key), text, f"expected {expected}{quoted}")
