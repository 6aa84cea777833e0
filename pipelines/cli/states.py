"""The state of an account-day of a report, from what the lake knows of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pipelines.cli.output.failures import time_of
from pipelines.loading.refreshing.refresh import moved
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from pipelines.loading.failures import Failed
    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.records import Load

__all__ = ["GOOD", "RARE", "Cell", "State", "state_of"]


class State(StrEnum):
    """The state of an account-day of a report; the first that applies."""

    DAMAGED = "damaged"  # its file in the lake, or that of its totals, cannot be used
    FAILED = "failed"  # the last try failed; the lake has what an earlier one loaded, if any did
    MISSING = "not loaded"
    UNPROVEN = "unproven"
    PROVISIONAL = "provisional"  # its day was not over when it was loaded
    STALE = "stale"  # Meta's totals are no longer those that proved it
    UNPROVABLE = "unprovable"  # nothing is wrong; its report adds up to no total
    PROVEN = "proven"


#: States in which nothing is wrong.
GOOD: Final = frozenset({State.PROVISIONAL, State.UNPROVABLE, State.PROVEN})

#: States that few account-days are in: their columns are shown only if they are needed.
RARE: Final = frozenset({State.DAMAGED, State.PROVISIONAL, State.UNPROVABLE})


@dataclass(frozen=True, slots=True)
class Cell:
    """One account-day of one report, with its state and the reason."""

    report: str
    account_day: AccountDay
    state: State
    why: str = ""
    load: Load | None = None
    period: Period = Period.DAY


def state_of(load: Load | None, control: Load | None, failed: Failed | None) -> tuple[State, str]:
    """The state of an account-day, and why. `control` is the record of its totals."""
    if failed is not None:
        return State.FAILED, f"{failed.error} ({time_of(failed.at)})"
    if load is None:
        return State.MISSING, ""
    if not load.is_good:
        return State.UNPROVEN, load.reason
    if load.is_provisional:
        return State.PROVISIONAL, load.progress
    newer = control is not None and control.loaded_at > load.loaded_at
    if control is not None and newer and moved(load, control.totals):
        return State.STALE, f"Meta changed its totals by {control.loaded_at:%Y-%m-%d %H:%M} UTC"
    return (State.PROVEN, "") if load.proven else (State.UNPROVABLE, load.reason)
