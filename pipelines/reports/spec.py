"""What a user writes of a report, and the faults that are found in it. No I/O, no Dagster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

__all__ = [
    "ERROR",
    "FIRST_DAY",
    "LOOKBACK_DAYS",
    "META",
    "WARNING",
    "Definition",
    "Fault",
]

#: Meta keeps 37 months; older days answer code 3018. Fixed, so that the grid does not shift.
FIRST_DAY: Final = date(2023, 10, 1)

#: Meta changes a day's numbers for so long. Source: Insights API, Best practices.
LOOKBACK_DAYS: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A report of insights as its `defs.yaml` says it. docs/reports.md tells what each key means.

    `action_breakdowns` is None where the key is absent: Meta then splits by action_type; an empty
    list splits by nothing. What is not checked yet: `report_rules` finds what is wrong.
    """

    name: str
    level: str
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] | None = None
    action_attribution_windows: tuple[str, ...] = ()
    allow_unknown: bool = False
    lookback_days: int = LOOKBACK_DAYS
    start_date: date = FIRST_DAY
    description: str = ""
    owners: tuple[str, ...] = ()


#: `weight` of a fault: the report cannot be loaded; Meta would refuse it, as far as our tables
#: know, and `allow_unknown` makes a warning of it; it loads, and a person should know.
ERROR: Final = "error"
META: Final = "meta"
WARNING: Final = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to say about a definition: under which key, about which of its values."""

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
