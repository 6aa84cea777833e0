"""What to do about a query that failed. No I/O.

A run that fails is created once more. One that fails again, or is too large, is split: by days,
then statuses, then objects by their ids; or the field that makes it fail is searched for. One that
is refused for its age is requested in halves (`ages`). `splitting` splits a query. Sources:
Meta, Insights API, Best practices and Error codes; docs/graph-api.md#report-runs.
"""

from __future__ import annotations

from dataclasses import replace
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
from fbgraph.limits.retry import BUSY, RUN
from fbgraph.reports.ages import may_be_too_old
from fbgraph.reports.splitting import halves_of, is_divisible, level_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.reports.query import ReportQuery

__all__ = [
    "LOST_DAYS",
    "Recovery",
    "bad_fields",
    "next_attempt",
    "recovery_of",
]

#: Days of one account that fail down to their smallest parts, with nothing read in between, before
#: the others are no longer split. There are accounts all of whose runs fail (error -2/2490547).
LOST_DAYS: Final = 2

#: Subcodes of a failed run behind which a single field is suspected. Connectors have seen that
#: (docs/graph-api.md#values).
_OF_A_FIELD: Final = frozenset({1504044})


class Recovery(Enum):
    """How to recover from a query that failed; the value is what the log shows."""

    RETRY = "retry"
    SPLIT = "split it into smaller runs"
    NARROW = "split it by the objects that have rows"
    SPLIT_BY_AGE = "split it: some days may be older than Meta keeps"
    BISECT_FIELDS = "find the field that makes it fail"
    DROP_FIELD = "leave out the field that Meta refused"
    GIVE_UP = "cannot be loaded"


#: What failed → what to do at first, and when it has failed as often as `retry.RUN` allows. First
#: match wins.
_RECOVERIES: Final[Mapping[type[GraphError], tuple[Recovery, Recovery]]] = {
    TooMuchDataError: (Recovery.SPLIT, Recovery.SPLIT),
    FieldError: (Recovery.DROP_FIELD, Recovery.DROP_FIELD),
    NotReadyError: (Recovery.RETRY, Recovery.SPLIT),
    CursorError: (Recovery.RETRY, Recovery.SPLIT),
    RunFailedError: (Recovery.RETRY, Recovery.SPLIT),
}


def recovery_of(  # noqa: PLR0913  # what is known, by name
    error: GraphError,
    query: ReportQuery,
    *,
    is_of_run: bool,
    is_hopeless: bool = False,
    is_lied_to: bool = False,
    old_before: date = date.min,
) -> Recovery:
    """Decide what to do about a query that failed.

    `is_of_run`: it has a report run, so that "no such object" means that run, which may be created
    again; without one it is the account that does not exist. `is_hopeless`: other days of the
    account failed down to their smallest parts, and nothing was read since; each of its days is
    still tried but not split, since hundreds of runs would only confirm what is known.
    `is_lied_to`: something of the account that was called too large was delivered on a second
    request. `old_before`: a refusal of days before it may be a matter of their age.
    """
    if may_be_too_old(error, query.days[0], old_before):
        return Recovery.SPLIT_BY_AGE
    recovery = _usual(error, query, is_of_run=is_of_run, is_lied_to=is_lied_to)
    if is_hopeless and recovery in {Recovery.SPLIT, Recovery.BISECT_FIELDS}:
        if len(query.days) > 1:
            return Recovery.SPLIT
        return Recovery.GIVE_UP if query.attempt >= RUN.attempts else Recovery.RETRY
    return _smaller(error, query) if recovery is Recovery.SPLIT else recovery


def _usual(error: GraphError, query: ReportQuery, *, is_of_run: bool, is_lied_to: bool) -> Recovery:
    if _is_outage(error):
        return Recovery.RETRY if query.busy + 1 < BUSY.attempts else Recovery.GIVE_UP
    first, last = _of_run(error, query, is_lied_to=is_lied_to) if is_of_run else _of_kind(error)
    return last if query.attempt >= RUN.attempts else first


def _of_run(
    error: GraphError, query: ReportQuery, *, is_lied_to: bool
) -> tuple[Recovery, Recovery]:
    """Recovery from a failure that is about a report run and nothing else."""
    if isinstance(error, NotFoundError):  # the run, not the account: it has expired, or is lost
        return Recovery.RETRY, Recovery.GIVE_UP
    if error.detail.subcode in _OF_A_FIELD:
        return Recovery.RETRY, Recovery.BISECT_FIELDS
    if isinstance(error, TooMuchDataError) and _may_be_small(query, is_lied_to=is_lied_to):
        return Recovery.RETRY, Recovery.SPLIT
    return _of_kind(error)


def _may_be_small(query: ReportQuery, *, is_lied_to: bool) -> bool:
    """Whether a query is tried once more before it is split as too large.

    One day is seldom too large, and split it costs dozens of runs; another try costs one. Its parts
    are believed to be too large, unless Meta was wrong about others: otherwise
    `run_fails_too_large` in the sandbox would split every day down to its last ad, by tens of
    thousands of calls.
    """
    is_day = len(query.days) == 1 and not query.is_inside
    return is_day or query.is_smallest or (query.is_inside and is_lied_to)


def _of_kind(error: GraphError) -> tuple[Recovery, Recovery]:
    found = (pair for kind, pair in _RECOVERIES.items() if isinstance(error, kind))
    return next(found, (Recovery.GIVE_UP, Recovery.GIVE_UP))


def _smaller(error: GraphError, query: ReportQuery) -> Recovery:
    """How to make a query smaller, or what to do if that is impossible."""
    # A run that hangs takes an hour, or many pages, each time: it is split by days, and no further.
    is_stuck = isinstance(error, RunHungError | CursorStuckError)
    if len(query.days) > 1 or (is_divisible(query) and not is_stuck):
        return Recovery.SPLIT
    if isinstance(error, TooMuchDataError) and level_below(query):
        return Recovery.NARROW
    return Recovery.BISECT_FIELDS if type(error) is RunFailedError else Recovery.GIVE_UP


def next_attempt(query: ReportQuery, error: GraphError) -> ReportQuery:
    """The same query for another run, after it failed with `error`."""
    if _is_outage(error):
        return replace(query, busy=query.busy + 1)
    return replace(query, attempt=query.attempt + 1)


def _is_outage(error: GraphError) -> bool:
    """Whether Meta was busy, did not respond, or sent nonsense: that is not because of the
    query.
    """
    return isinstance(error, RetryableError) and not isinstance(error, NotReadyError)


def bad_fields(candidates: Sequence[str], works: Callable[[Sequence[str]], bool]) -> frozenset[str]:
    """The fields that make a report fail, found by halving. `works` says whether a run with these
    fields (and the required ones) succeeds. A half that works is not searched further, so one bad
    field of n takes about 2 log2 n runs.
    """
    if not candidates or works(candidates):
        return frozenset()
    if len(candidates) == 1:
        return frozenset(candidates)
    first, second = halves_of(tuple(candidates))
    return bad_fields(first, works) | bad_fields(second, works)
