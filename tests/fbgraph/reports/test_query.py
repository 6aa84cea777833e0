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
from fbgraph.reports.query import (
    ATTEMPTS,
    BUSY_ATTEMPTS,
    Ask,
    Remedy,
    bad_fields,
    halves_of,
    level_below,
    remedy_of,
    split_days,
    split_inside,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = tuple(date(2026, 11, 1) + timedelta(days=n) for n in range(7))
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
ASK = Ask(DAYS, STATUSES, ("ad_id", "spend", "actions"))
ONE_DAY = Ask(DAYS[:1], STATUSES, ASK.fields)
TOO_MUCH = TooMuchDataError("Report too large.")


def unknown_error() -> RunFailedError:
    return RunFailedError(Detail("Unknown", code=2, subcode=1504044))


@pytest.mark.parametrize(
    ("error", "at_first", "at_last"),
    [
        (RunFailedError("Failed."), Remedy.AGAIN, Remedy.SPLIT),
        (RunHungError("Hangs."), Remedy.AGAIN, Remedy.SPLIT),
        (RetryableError("No id."), Remedy.AGAIN, Remedy.AGAIN),
        (NotReadyError("2601"), Remedy.AGAIN, Remedy.SPLIT),
        (ThrottledError("4/1504022 in a run"), Remedy.AGAIN, Remedy.AGAIN),
        (CursorError("2642 too often"), Remedy.AGAIN, Remedy.SPLIT),
        (NotFoundError("The run expired."), Remedy.AGAIN, Remedy.FAIL),
        (unknown_error(), Remedy.AGAIN, Remedy.SEARCH),
        (TOO_MUCH, Remedy.SPLIT, Remedy.SPLIT),
        (FieldError("nonexisting field"), Remedy.DROP, Remedy.DROP),
        (PermissionDeniedError("(#200)"), Remedy.FAIL, Remedy.FAIL),
        (RequestError("2/1504041"), Remedy.FAIL, Remedy.FAIL),
        (TooOldError("3018"), Remedy.HALVE, Remedy.HALVE),
        (GraphError("never seen"), Remedy.FAIL, Remedy.FAIL),
    ],
)
def test_each_failure_of_a_run_has_its_remedy(
    error: GraphError, at_first: Remedy, at_last: Remedy
) -> None:
    again = ASK
    for _ in range(ATTEMPTS - 1):
        again = again.again(RunFailedError("Failed."))

    assert [remedy_of(error, ask, is_of_run=True) for ask in (ASK, again)] == [at_first, at_last]


@pytest.mark.parametrize(
    ("error", "young", "old"),
    [
        (RequestError("Invalid parameter"), Remedy.FAIL, Remedy.HALVE),
        (FieldError("nonexisting field"), Remedy.DROP, Remedy.HALVE),
        (PermissionDeniedError("(#200)"), Remedy.FAIL, Remedy.FAIL),
        (VersionError("2635"), Remedy.FAIL, Remedy.FAIL),
        (RunFailedError("Failed."), Remedy.AGAIN, Remedy.AGAIN),
    ],
)
def test_what_is_refused_of_old_days_may_be_for_their_age(
    error: GraphError, young: Remedy, old: Remedy
) -> None:
    bounds = [DAYS[0], DAYS[1]]

    remedies = [remedy_of(error, ASK, is_of_run=False, old_before=day) for day in bounds]

    assert remedies == [young, old]


@pytest.mark.parametrize("error", [RunFailedError("Failed."), unknown_error(), TOO_MUCH])
def test_where_nothing_helped_before_each_day_is_asked_for_and_none_is_torn_up(
    error: GraphError,
) -> None:
    failed = RunFailedError("Failed.")
    asks = [ASK.again(failed), ONE_DAY, ONE_DAY.again(failed)]

    remedies = [remedy_of(error, ask, is_of_run=True, is_hopeless=True) for ask in asks]

    assert remedies == [Remedy.SPLIT, Remedy.AGAIN, Remedy.FAIL]


def test_one_day_is_torn_up_only_when_two_runs_of_it_were_too_large() -> None:
    part = split_inside(ONE_DAY, TOO_MUCH)[0]
    asks = [ONE_DAY, ONE_DAY.again(TOO_MUCH), part]

    assert [remedy_of(TOO_MUCH, ask, is_of_run=True) for ask in asks] == [
        Remedy.AGAIN,
        Remedy.SPLIT,
        Remedy.SPLIT,
    ]
    assert remedy_of(TOO_MUCH, ONE_DAY, is_of_run=False) is Remedy.SPLIT


def test_who_was_told_too_much_of_what_was_not_asks_again_for_each_part() -> None:
    part = split_inside(ONE_DAY.again(TOO_MUCH), TOO_MUCH)[0]
    asks = [part, part.again(TOO_MUCH)]

    remedies = [remedy_of(TOO_MUCH, ask, is_of_run=True, is_lied_to=True) for ask in asks]

    assert remedies == [Remedy.AGAIN, Remedy.SPLIT]
    assert [ask.was_too_much for ask in asks] == [False, True]


def test_one_ad_of_one_day_is_not_too_much_and_is_asked_for_again_once() -> None:
    smallest = Ask(DAYS[:1], STATUSES[:1], ASK.fields, "ad", ("7",), is_inside=True)
    asks = [smallest, smallest.again(TOO_MUCH)]

    assert [remedy_of(TOO_MUCH, ask, is_of_run=True) for ask in asks] == [
        Remedy.AGAIN,
        Remedy.SPLIT,
    ]


@pytest.mark.parametrize("error", [ThrottledError("busy"), RetryableError("HTML")])
def test_a_meta_that_stays_busy_is_not_asked_for_ever(error: GraphError) -> None:
    ask = ASK
    remedies = []
    for _ in range(BUSY_ATTEMPTS):
        remedies.append(remedy_of(error, ask, is_of_run=True))
        ask = ask.again(error)

    assert remedies == [Remedy.AGAIN] * (BUSY_ATTEMPTS - 1) + [Remedy.FAIL]


def test_outages_of_a_question_are_none_of_its_parts() -> None:
    busy = ONE_DAY
    for _ in range(BUSY_ATTEMPTS - 1):
        busy = busy.again(RetryableError("HTML"))

    parts = [*split_inside(busy, TOO_MUCH), busy.without(frozenset({"spend"}))]

    assert [part.busy for part in parts] == [0, 0, 0]


def test_an_outage_after_a_run_that_failed_is_not_the_end() -> None:
    ask = ASK.again(RunFailedError("Failed."))

    assert remedy_of(RetryableError("HTML"), ask, is_of_run=False) is Remedy.AGAIN
    assert ask.again(RetryableError("HTML")).attempt == ask.attempt


def test_an_account_that_is_not_there_is_not_asked_again() -> None:
    assert remedy_of(NotFoundError("100/33"), ASK, is_of_run=False) is Remedy.FAIL


@given(st.integers(2, 60))
def test_days_are_halved_newest_first_and_none_is_lost(count: int) -> None:
    days = tuple(DAYS[0] + timedelta(days=n) for n in range(count))

    newer, older = split_days(days)

    assert (older + newer, bool(older), bool(newer)) == (days, True, True)
    assert len(newer) - len(older) in (0, 1)


@given(st.integers(1, 99))
def test_halves_are_together_the_whole(count: int) -> None:
    items = tuple(map(str, range(count)))

    first, second = halves_of(items)

    assert (first + second, len(first) - len(second) in (0, 1)) == (items, True)


def parts_of(ask: Ask, error: GraphError = TOO_MUCH) -> Sequence[Ask]:
    """Everything that an ask is split into, to the end."""
    parts = split_inside(ask, error)
    return [leaf for part in parts for leaf in parts_of(part, error)] if parts else [ask]


def test_one_day_is_split_by_statuses_first_and_then_by_ids() -> None:
    ask = Ask(DAYS[:1], ("ACTIVE", "PAUSED"), ASK.fields, "campaign", ("1", "2", "3"))

    leaves = {(leaf.statuses, leaf.ids) for leaf in parts_of(ask)}

    assert leaves == {((s,), (i,)) for s in ("ACTIVE", "PAUSED") for i in ("1", "2", "3")}


def test_a_part_has_all_its_attempts_before_it() -> None:
    assert {part.attempt for part in split_inside(ONE_DAY.again(TOO_MUCH), TOO_MUCH)} == {1}


@pytest.mark.parametrize("error", [RunHungError("Hangs."), CursorStuckError("Repeats.")])
def test_one_day_that_hangs_is_not_split_any_further(error: GraphError) -> None:
    assert split_inside(ONE_DAY, error) == []


def test_nothing_is_left_to_split_of_one_status_and_one_id() -> None:
    assert split_inside(Ask(DAYS[:1], ("ACTIVE",), ASK.fields, "campaign", ("1",)), TOO_MUCH) == []


def test_what_cannot_be_split_is_asked_for_by_the_objects_below() -> None:
    levels = ["", *(level_below(replace(ONE_DAY, level=above)) for above in ("", "campaign"))]
    levels += [level_below(replace(ONE_DAY, level=above)) for above in ("adset", "ad")]

    assert levels == ["", "campaign", "adset", "ad", ""]


def test_an_ask_without_some_fields_is_a_new_question() -> None:
    changed = ASK.again(TOO_MUCH).without(frozenset({"actions"}))

    assert (changed.fields, changed.attempt) == (("ad_id", "spend"), 1)


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
