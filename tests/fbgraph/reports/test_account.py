from __future__ import annotations

from datetime import date, timedelta

import pytest

from fbgraph.errors import (
    Detail,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    RunFailedError,
    TooMuchDataError,
    TooOldError,
)
from fbgraph.reports.account import AccountState
from fbgraph.reports.ages import EVERYTHING
from fbgraph.reports.query import ReportQuery
from fbgraph.reports.recovery import LOST_DAYS, Recovery

DAY = date(2026, 11, 21)
FAILED = RunFailedError("-2/2490547")


@pytest.mark.parametrize(
    ("error", "is_closed"),
    [
        (PermissionDeniedError("(#200)"), True),
        (NotFoundError(Detail("100/33", call="GET act_1")), True),
        (NotFoundError(Detail("100/33", call="GET act_1/insights")), True),
        (NotFoundError(Detail("100/33", call="GET 777/insights")), False),  # a report run
        (RequestError("Invalid parameter"), False),
    ],
)
def test_an_account_that_may_not_be_read_is_closed_with_its_reason(
    error: Exception,
    is_closed: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    account = AccountState()

    account.was_lost(error)

    assert account.closed == (str(error) if is_closed else "")


@pytest.mark.parametrize("recovery", Recovery)
def test_an_account_is_doubtful_once_something_of_it_had_to_be_torn_up(recovery: Recovery) -> None:
    account = AccountState()

    account.recovers_by(recovery)
    account.recovers_by(Recovery.RETRY)

    dear = {Recovery.SPLIT, Recovery.NARROW, Recovery.BISECT_FIELDS}
    assert account.is_doubtful == (recovery in dear)
    assert account.is_halving == (recovery is Recovery.SPLIT_BY_AGE)


def test_an_account_is_hopeless_when_days_enough_were_lost_for_one_reason() -> None:
    account = AccountState()
    seen = []

    account.was_lost(FAILED)  # before anything was torn up: that says nothing of other days
    account.recovers_by(Recovery.SPLIT)
    for _ in range(LOST_DAYS):
        seen.append(account.is_hopeless(FAILED))
        account.was_lost(FAILED)

    assert seen == [False] * LOST_DAYS
    assert (account.is_hopeless(FAILED), account.is_hopeless(TooMuchDataError("large"))) == (
        True,
        False,
    )


def test_what_is_read_of_an_account_clears_all_doubt() -> None:
    account = AccountState()
    account.recovers_by(Recovery.SPLIT)
    for _ in range(LOST_DAYS):
        account.was_lost(FAILED)

    account.was_read()

    assert (account.is_hopeless(FAILED), account.is_doubtful) == (False, False)


def test_how_old_is_too_old_is_known_when_the_day_after_the_refused_one_is_taken() -> None:
    account = AccountState()
    account.recovers_by(Recovery.SPLIT_BY_AGE)
    account.too_old.note([EVERYTHING], DAY, TooOldError("3018"))
    seen = []

    for after in (3, 1):
        account.was_created(ReportQuery((DAY + timedelta(days=after),), (), ()))
        seen.append(account.is_halving)

    assert seen == [True, False]
