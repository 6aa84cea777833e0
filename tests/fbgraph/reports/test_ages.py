from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import (
    FieldError,
    PermissionDeniedError,
    RequestError,
    TooOldError,
    VersionError,
)
from fbgraph.reports.ages import EVERYTHING, TooOld, blamed_fields, may_be_too_old, refused_day

if TYPE_CHECKING:
    from fbgraph.errors import GraphError

DAYS = tuple(date(2023, 10, 20) + timedelta(days=n) for n in range(7))
TOO_OLD = TooOldError("(#3018) beyond 37 months")
REFUSED = RequestError("Invalid parameter")


@pytest.mark.parametrize(
    ("error", "of_old", "of_young"),
    [
        (TOO_OLD, True, True),
        (REFUSED, True, False),
        (FieldError("not valid for fields param"), True, False),
        (PermissionDeniedError("(#200)"), False, False),
        (VersionError("(#2635)"), False, False),
    ],
)
def test_only_what_refuses_the_question_may_be_a_matter_of_age(
    error: GraphError, *, of_old: bool, of_young: bool
) -> None:
    bounds = (DAYS[1], DAYS[0])

    assert [may_be_too_old(error, DAYS[0], bound) for bound in bounds] == [of_old, of_young]


@pytest.mark.parametrize(
    ("error", "named", "blamed"),
    [
        (FieldError("reach is not valid for fields param"), ["reach"], ["reach"]),
        (RequestError("(#100) reach is not available before 2025-10-29"), [], ["reach"]),
        (RequestError("(#100) Reach-related metrics: outreach, reach_x"), [], []),
        (TooOldError("(#3018) reach is beyond 37 months"), ["reach"], ()),
    ],
)
def test_a_field_is_blamed_by_its_very_name_and_never_by_3018(
    error: GraphError, named: list[str], blamed: list[str]
) -> None:
    assert blamed_fields(error, named, ["reach", "spend"]) == blamed


def test_3018_blames_the_first_day_and_other_refusals_a_day_that_was_asked_for_alone() -> None:
    assert refused_day(TOO_OLD, DAYS) == DAYS[0]
    assert refused_day(REFUSED, DAYS) is None
    assert refused_day(REFUSED, DAYS[3:4]) == DAYS[3]


def test_days_are_cut_where_something_begins_to_be_kept() -> None:
    known = TooOld()
    known.note([EVERYTHING], DAYS[1], TOO_OLD)
    known.note(["reach", "frequency"], DAYS[3], REFUSED)

    assert known.cut(DAYS) == [
        (DAYS[:2], {EVERYTHING, "reach", "frequency"}),
        (DAYS[2:4], {"reach", "frequency"}),
        (DAYS[4:], frozenset()),
    ]
    oldest = [known.cut(days)[0][1] for days in (DAYS[3:], DAYS[4:])]
    assert [bool(refused) for refused in oldest] == [True, False]
    assert [day for day in DAYS if known.ends_before(day)] == [DAYS[2], DAYS[4]]


def test_the_newest_day_that_was_refused_counts_and_its_reason_is_told() -> None:
    known = TooOld()
    for day in (DAYS[1], DAYS[3], DAYS[2]):
        known.note([EVERYTHING], day, REFUSED)
    known.note(["reach"], DAYS[1], TOO_OLD)

    assert known.days == {EVERYTHING: DAYS[3], "reach": DAYS[1]}
    assert known.why[EVERYTHING] == "Meta refuses days up to 2023-10-23: Invalid parameter"
    assert known.why["reach"] == "Older than Meta keeps: (#3018) beyond 37 months"


@given(st.dictionaries(st.sampled_from(["", "a", "b"]), st.sampled_from(DAYS)))
def test_however_days_are_cut_each_is_there_once_and_in_order(refused: dict[str, date]) -> None:
    cut = TooOld(refused).cut(DAYS)

    assert tuple(day for days, _ in cut for day in days) == DAYS
    assert all(
        (day <= refused[name]) == (name in names)
        for days, names in cut
        for day in days
        for name in refused
    )
