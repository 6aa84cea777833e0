"""What Meta has retired or announced to retire, other than versions and breakdowns: rows with
dates.

`retirements.csv` has a line for each. `kind` is the key of a report whose values it is about
(`fields`, `action_attribution_windows`), or `parameters` and `requests`, which only the client
uses. The day is an argument. Versions are in `versions.csv`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RETIREMENTS", "Retirement", "retired"]


@dataclass(frozen=True, slots=True)
class Retirement:
    """One thing that is gone `since` a day, or will be.

    `effect` reads on after its name and before "since" and the day. `instead`: what to use; may be
    empty.
    """

    kind: str
    name: str
    since: date
    effect: str
    instead: str
    source: str


def _read() -> Sequence[Retirement]:
    text = files(__package__).joinpath("retirements.csv").read_text(encoding="utf-8")
    return tuple(
        Retirement(
            row["kind"],
            row["name"],
            date.fromisoformat(row["since"]),
            row["effect"],
            row["instead"],
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


#: Every line of the table, oldest first.
RETIREMENTS: Final = _read()


def retired(kind: str, on: date) -> Mapping[str, Retirement]:
    """What of a kind is gone on a day, by name."""
    return {row.name: row for row in RETIREMENTS if row.kind == kind and row.since <= on}
