from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import (
    CursorError,
    CursorStuckError,
    Detail,
    FieldError,
    GraphError,
    NotFoundError,
    NotReadyError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    RunFailedError,
    RunHungError,
    ThrottledError,
    TooMuchDataError,
    TooOldError,
    VersionError,
)
from fbgraph.limits.retry import BUSY, RUN
from fbgraph.reports.query import ReportQuery
from fbgraph.reports.recovery import (
    Recovery,
    bad_fields,
    next_attempt,
    recovery_of,
)
from fbgraph.reports.splitting import split_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = tuple(date(2026, 11, 1) + timedelta(days=n) for n in range(7))
QUERY = ReportQuery(DAYS, ("ACTIVE", "PAUSED", "ARCHIVED"), ("ad_id", "spend", "actions"))
ONE_DAY = replace(QUERY, days=DAYS[:1])
ONE_STATUS = replace(ONE_DAY, statuses=("ACTIVE",), is_inside=True)
TOO_MUCH = TooMuchDataError("Report too large.")
FAILED = RunFailedError("Failed.")
OF_A_FIELD = RunFailedError(Detail("Unknown", code=2, subcode=1504044))

RETRY, SPLIT, NARROW, SPLIT_BY_AGE, BISECT_FIELDS, DROP_FIELD, GIVE_UP = Recovery


def tried(query: ReportQuery, error: GraphError = FAILED) -> ReportQuery:
    """A query whose next failure is its last."""
    for _ in range(RUN.attempts - 1):
        query = next_attempt(query, error)
    return query


@pytest.mark.parametrize(
    ("error", "at_first", "at_last"),
    [
        (FAILED, RETRY, SPLIT),
        (RunHungError("Hangs."), RETRY, SPLIT),
        (RetryableError("No id."), RETRY, RETRY),
        (NotReadyError("2601"), RETRY, SPLIT),
        (ThrottledError("4/1504022 in a run"), RETRY, RETRY),
        (CursorError("2642 too often"), RETRY, SPLIT),
        (NotFoundError("The run expired."), RETRY, GIVE_UP),
        (OF_A_FIELD, RETRY, BISECT_FIELDS),
        (TOO_MUCH, SPLIT, SPLIT),
        (FieldError("nonexisting field"), DROP_FIELD, DROP_FIELD),
        (PermissionDeniedError("(#200)"), GIVE_UP, GIVE_UP),
        (RequestError("2/1504041"), GIVE_UP, GIVE_UP),
        (TooOldError("3018"), SPLIT_BY_AGE, SPLIT_BY_AGE),
        (GraphError("never seen"), GIVE_UP, GIVE_UP),
    ],
)
def test_each_failure_of_a_run_has_its_recovery(
    error: GraphError, at_first: Recovery, at_last: Recovery
) -> None:
    queries = (QUERY, tried(QUERY))

    recoveries = [recovery_of(error, query, is_of_run=True) for query in queries]

    assert recoveries == [at_first, at_last]


@pytest.mark.parametrize(
    ("error", "young", "old"),
    [
        (RequestError("Invalid parameter"), GIVE_UP, SPLIT_BY_AGE),
        (FieldError("nonexisting field"), DROP_FIELD, SPLIT_BY_AGE),
        (PermissionDeniedError("(#200)"), GIVE_UP, GIVE_UP),
        (VersionError("2635"), GIVE_UP, GIVE_UP),
        (FAILED, RETRY, RETRY),
    ],
)
def test_what_is_refused_of_old_days_may_be_for_their_age(
    error: GraphError, young: Recovery, old: Recovery
) -> None:
    bounds = [DAYS[0], DAYS[1]]

    recoveries = [recovery_of(error, QUERY, is_of_run=False, old_before=day) for day in bounds]

    assert recoveries == [young, old]


@pytest.mark.parametrize("error", [FAILED, OF_A_FIELD, TOO_MUCH])
def test_where_nothing_helped_before_each_day_is_tried_and_none_is_torn_up(
    error: GraphError,
) -> None:
    queries = [tried(QUERY), ONE_DAY, tried(ONE_DAY)]

    recoveries = [recovery_of(error, one, is_of_run=True, is_hopeless=True) for one in queries]

    assert recoveries == [SPLIT, RETRY, GIVE_UP]


@pytest.mark.parametrize(
    ("error", "recovery"),
    [(FieldError("nonexisting field"), DROP_FIELD), (RetryableError("HTML"), RETRY)],
)
def test_what_costs_no_further_runs_is_done_where_nothing_helped_before(
    error: GraphError, recovery: Recovery
) -> None:
    query = tried(ONE_DAY)

    assert recovery_of(error, query, is_of_run=False, is_hopeless=True) is recovery


@pytest.mark.parametrize(
    ("query", "is_of_run", "recovery"),
    [
        (ONE_DAY, True, RETRY),
        (tried(ONE_DAY, TOO_MUCH), True, SPLIT),
        (split_inside(ONE_DAY)[0], True, SPLIT),
        (ONE_DAY, False, SPLIT),
        (replace(ONE_STATUS, level="ad", ids=("7",)), True, RETRY),
        (replace(ONE_STATUS, level="ad", ids=("7", "8")), True, SPLIT),
    ],
)
def test_one_day_and_one_ad_are_asked_for_once_more_before_they_are_called_too_large(
    query: ReportQuery,
    is_of_run: bool,  # noqa: FBT001  # of the table above
    recovery: Recovery,
) -> None:
    assert recovery_of(TOO_MUCH, query, is_of_run=is_of_run) is recovery


def test_where_meta_was_wrong_before_each_part_is_asked_for_once_more() -> None:
    part = split_inside(ONE_DAY)[0]
    queries = [QUERY, part, tried(part, TOO_MUCH)]

    recoveries = [recovery_of(TOO_MUCH, one, is_of_run=True, is_lied_to=True) for one in queries]

    assert recoveries == [SPLIT, RETRY, SPLIT]


@pytest.mark.parametrize(
    ("error", "query", "recovery"),
    [
        (TOO_MUCH, ONE_STATUS, NARROW),
        (TOO_MUCH, replace(ONE_STATUS, level="adset", ids=("7",)), NARROW),
        (TOO_MUCH, replace(ONE_STATUS, level="ad", ids=("7",)), GIVE_UP),
        (TOO_MUCH, replace(ONE_STATUS, level="campaign", ids=("7",), rows_of="campaign"), GIVE_UP),
        (TOO_MUCH, replace(ONE_STATUS, statuses=(), rows_of="account"), GIVE_UP),
        (FAILED, ONE_STATUS, BISECT_FIELDS),
        (RunHungError("Hangs."), ONE_STATUS, GIVE_UP),
        (CursorError("2642"), ONE_STATUS, GIVE_UP),
    ],
)
def test_what_cannot_be_split_is_narrowed_or_searched_or_given_up(
    error: GraphError, query: ReportQuery, recovery: Recovery
) -> None:
    assert recovery_of(error, tried(query), is_of_run=True) is recovery


@pytest.mark.parametrize("error", [RunHungError("Hangs."), CursorStuckError("Repeats.")])
def test_what_hangs_is_split_by_days_and_no_further(error: GraphError) -> None:
    queries = [tried(QUERY), tried(ONE_DAY)]

    recoveries = [recovery_of(error, query, is_of_run=True) for query in queries]

    assert recoveries == [SPLIT, GIVE_UP]


@pytest.mark.parametrize("error", [ThrottledError("busy"), RetryableError("HTML")])
def test_a_meta_that_stays_busy_is_not_asked_for_ever(error: GraphError) -> None:
    query = QUERY
    recoveries = []
    for _ in range(BUSY.attempts):
        recoveries.append(recovery_of(error, query, is_of_run=True))
        query = next_attempt(query, error)

    assert recoveries == [RETRY] * (BUSY.attempts - 1) + [GIVE_UP]


def test_an_outage_after_a_run_that_failed_is_not_the_end() -> None:
    outage = RetryableError("HTML")
    query = next_attempt(QUERY, FAILED)

    assert recovery_of(outage, query, is_of_run=False) is RETRY
    assert next_attempt(query, outage) == replace(query, busy=1)


def test_an_account_that_is_not_there_is_not_asked_again() -> None:
    assert recovery_of(NotFoundError("100/33"), QUERY, is_of_run=False) is GIVE_UP


@given(
    fields=st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=40),
    data=st.data(),
)
def test_the_fields_that_kill_a_report_are_found_and_no_others(
    fields: list[str], data: Any
) -> None:
    bad = set(data.draw(st.lists(st.sampled_from(fields), max_size=3))) if fields else set()
    runs: list[Sequence[str]] = []

    def works(some: Sequence[str]) -> bool:
        runs.append(some)
        return not bad & set(some)

    assert bad_fields(fields, works) == bad
    assert len(runs) <= 1 + 2 * len(bad) * max(1, len(fields).bit_length())
