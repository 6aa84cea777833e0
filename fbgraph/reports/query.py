"""What to ask of one report run, and what to do when a run fails. No I/O.

A run that fails is asked for once more. One that fails again, or is too big, is split: days, then
statuses, then objects by their ids; or the field that kills it is searched for. One that is refused
for its age is asked for in halves (`ages`). Sources: Insights API, Best practices and Error codes;
what connectors do that survive (docs/graph-api.md#report-runs).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Final

from fbgraph.errors import (
    CursorError,
    CursorStuckError,
    FieldError,
    GraphError,
    NotFoundError,
    NotReadyError,
    RetryableError,
    RunFailedError,
    RunHungError,
    TooMuchDataError,
)
from fbgraph.reports.ages import may_be_too_old

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "ATTEMPTS",
    "BUSY_ATTEMPTS",
    "LOST_DAYS",
    "Ask",
    "Remedy",
    "bad_fields",
    "halves_of",
    "level_below",
    "remedy_of",
    "split_days",
    "split_inside",
]

#: Runs of one question that may fail before another remedy is taken; and times that it may fail
#: because Meta was busy, or gave no answer that makes sense, which is no fault of the question.
ATTEMPTS: Final = 2
BUSY_ATTEMPTS: Final = 5

#: Days of one account that fail to their smallest parts, with nothing read in between, before the
#: others are no longer torn up.
LOST_DAYS: Final = 2

#: level → the one below it; all objects together are those of campaigns.
_BELOW: Final[Mapping[str, str]] = {"": "campaign", "campaign": "adset", "adset": "ad", "ad": ""}

#: Subcodes of a failed run behind which a single field is suspected. Connectors
#: have seen that (docs/graph-api.md#values).
_OF_A_FIELD: Final = frozenset({1504044})


@dataclass(frozen=True, slots=True)
class Ask:
    """The question of one report run.

    `days` are neighbours, oldest first. `statuses` narrow it, and so do `ids`, of objects of
    `level`: campaign, adset or ad; without them all objects are meant. `attempt` counts the runs of
    this question, this one included, but not those `busy` times that no answer came. `is_inside`:
    it is a part of one day. `was_too_much`: so it was called when it was asked before.
    """

    days: tuple[date, ...]
    statuses: tuple[str, ...]
    fields: tuple[str, ...]
    level: str = ""
    ids: tuple[str, ...] = ()
    attempt: int = 1
    busy: int = 0
    is_inside: bool = False
    was_too_much: bool = False

    @property
    def is_smallest(self) -> bool:
        """One ad on one day: nothing of it can be left for another run."""
        return len(self.days) == 1 and self.level == "ad" and len(self.ids) == 1

    def again(self, error: GraphError) -> Ask:
        """The same question, to another run, as it failed by `error`."""
        if _is_outage(error):
            return replace(self, busy=self.busy + 1)
        was_too_much = isinstance(error, TooMuchDataError)
        return replace(self, attempt=self.attempt + 1, was_too_much=was_too_much)

    def without(self, fields: frozenset[str]) -> Ask:
        """The same question without some fields, as a new one."""
        kept = tuple(field for field in self.fields if field not in fields)
        return replace(self, fields=kept, attempt=1, busy=0, was_too_much=False)


class Remedy(Enum):
    """What the caller does about a question that failed."""

    AGAIN = "ask again"
    SPLIT = "ask for parts of it"
    SEARCH = "find the field that kills it"
    DROP = "leave out the field that Meta named"
    HALVE = "ask for halves, some days may be older than Meta keeps"
    FAIL = "cannot be loaded"


#: What failed → the remedy at first, and when it has failed `ATTEMPTS` times. First match wins.
_REMEDIES: Final[Mapping[type[GraphError], tuple[Remedy, Remedy]]] = {
    TooMuchDataError: (Remedy.SPLIT, Remedy.SPLIT),
    FieldError: (Remedy.DROP, Remedy.DROP),
    NotReadyError: (Remedy.AGAIN, Remedy.SPLIT),
    CursorError: (Remedy.AGAIN, Remedy.SPLIT),
    RunFailedError: (Remedy.AGAIN, Remedy.SPLIT),
}


def remedy_of(  # noqa: PLR0913  # what is known, by name
    error: GraphError,
    ask: Ask,
    *,
    is_of_run: bool,
    is_hopeless: bool = False,
    is_lied_to: bool = False,
    old_before: date = date.min,
) -> Remedy:
    """Decide what to do about a question that failed.

    `is_of_run`: it has a report run, so that "no such object" means that run, which may be asked
    for again; without one it is the account that is not there. `is_hopeless`: other days of the
    account failed so to their smallest parts, and nothing of it could be read since. Each of its
    days is still asked for, but none is torn up: hundreds of runs would tell what is known.
    `is_lied_to`: something of the account that was called too much was delivered when it was asked
    for again. `old_before`: a refusal of days before it may be a matter of their age.
    """
    if may_be_too_old(error, ask.days[0], old_before):
        return Remedy.HALVE
    remedy = _remedy_of(error, ask, is_of_run=is_of_run, is_lied_to=is_lied_to)
    if not is_hopeless or remedy not in (Remedy.SPLIT, Remedy.SEARCH):
        return remedy
    if len(ask.days) > 1:
        return Remedy.SPLIT
    return Remedy.FAIL if ask.attempt >= ATTEMPTS else Remedy.AGAIN


def _remedy_of(error: GraphError, ask: Ask, *, is_of_run: bool, is_lied_to: bool) -> Remedy:
    is_last = ask.attempt >= ATTEMPTS
    if _is_outage(error):
        return Remedy.AGAIN if ask.busy < BUSY_ATTEMPTS - 1 else Remedy.FAIL
    if isinstance(error, TooMuchDataError) and is_of_run and len(ask.days) == 1:
        # One day is seldom too much, and torn up it costs dozens of runs; another try costs one.
        is_doubtful = not ask.is_inside or ask.is_smallest or is_lied_to
        return Remedy.AGAIN if is_doubtful and not is_last else Remedy.SPLIT
    if is_of_run and isinstance(error, NotFoundError):
        return Remedy.FAIL if is_last else Remedy.AGAIN
    if is_last and error.detail.subcode in _OF_A_FIELD:
        return Remedy.SEARCH
    pair = next((pair for kind, pair in _REMEDIES.items() if isinstance(error, kind)), None)
    return Remedy.FAIL if pair is None else pair[is_last]


def _is_outage(error: GraphError) -> bool:
    """Meta was busy, or nobody answered, or no sense: that is not because of what was asked."""
    return isinstance(error, RetryableError) and not isinstance(error, NotReadyError)


def halves_of(items: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    """Two parts of about the same size, together all of it."""
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]


def split_days(days: tuple[date, ...]) -> Sequence[tuple[date, ...]]:
    """The newer half of the days, then the older one."""
    middle = len(days) // 2
    return days[middle:], days[:middle]


def split_inside(ask: Ask, error: GraphError) -> Sequence[Ask]:
    """One day by statuses, then by ids; empty when there is nothing left to split.

    Together the parts ask for the same. An object that changes its status in between can come
    twice, which the reader drops, or not at all, which the proof notices.
    """
    # Each hangs for an hour, or for many pages, and one day is small.
    if isinstance(error, RunHungError | CursorStuckError):
        return []
    new = replace(ask, attempt=1, busy=0, is_inside=True, was_too_much=False)
    if len(ask.statuses) > 1:
        return [replace(new, statuses=half) for half in halves_of(ask.statuses)]
    if len(ask.ids) > 1:
        return [replace(new, ids=half) for half in halves_of(ask.ids)]
    return []


def level_below(ask: Ask) -> str:
    """The level whose objects make a question smaller when it cannot be split; empty for none."""
    return _BELOW[ask.level]


def bad_fields(candidates: Sequence[str], works: Callable[[Sequence[str]], bool]) -> frozenset[str]:
    """The fields that a report cannot be asked with, found by halving.

    `works` tells whether a run with these (and what must be there) succeeds. A half that works is
    not looked at again, so one bad field of n takes about 2 log2 n runs.
    """
    if not candidates or works(candidates):
        return frozenset()
    if len(candidates) == 1:
        return frozenset(candidates)
    first, second = halves_of(tuple(candidates))
    return bad_fields(first, works) | bad_fields(second, works)
