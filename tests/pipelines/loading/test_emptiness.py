"""When a day that had numbers may become one without, and when nothing at all is worth a word: the
decisions alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipelines.loading.emptiness import (
    accepts_empty,
    is_confirmed,
    is_nothing,
    refusal,
    silence,
    silent,
)
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from warehouse.lake.defects.failures import Failed
from warehouse.lake.records import Load

LOADED = datetime(2026, 11, 23, 5, tzinfo=UTC)
LOOKED = datetime(2026, 11, 24, 5, tzinfo=UTC)


def load(rows: int = 0, impressions: int | None = None, **more: Any) -> Load:
    known = {"loaded_at": LOOKED, "verdict": "proven", "impressions": impressions, **more}
    return Load(
        table="insights_hourly", account_id="1", date=date(2026, 11, 22), rows=rows, **known
    )


HAD = load(24, 100, loaded_at=LOADED)


def failed(since: datetime | None) -> Failed:
    return Failed("Meta returned no rows", "", empty_since=since.isoformat() if since else "")


def test_rows_that_vanish_are_kept_and_the_reason_says_until_when() -> None:
    reason = refusal(HAD, load(), None)

    assert reason.startswith(
        "Meta returned no rows for this day; the 24 rows loaded at 2026-11-23 05:00 UTC were kept."
        " Load it again after 2026-11-24 06:00 UTC: "
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (load(1, 9, loaded_at=LOADED), load(), "the 1 row loaded"),
        (HAD, load(24, 0), "Meta returned rows without impressions, clicks or spend for"),
        (HAD, load(control_clicks=1), "Meta returned no rows, though the account has totals, for"),
        (HAD, load(1, 0, clicks=0), "Meta returned rows without"),
        (load(3, loaded_at=LOADED), load(), "the 3 rows loaded"),
    ],
)
def test_what_came_and_what_is_kept_are_named(old: Load, new: Load, text: str) -> None:
    assert text in refusal(old, new, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, load()),  # a first load
        (load(loaded_at=LOADED), load()),  # it had none
        (load(2, 0, loaded_at=LOADED), load(1, 0)),
        (HAD, load(1, 1)),  # fewer, and not nothing
        (HAD, load(1, 0, clicks=1)),
        (HAD, load(1)),  # a report without the numbers that count
    ],
)
def test_what_loses_nothing_is_loaded(old: Load | None, new: Load) -> None:
    assert not refusal(old, new, None)


@pytest.mark.parametrize(("minutes", "is_kept"), [(0, True), (59, True), (60, False), (90, False)])
def test_a_second_look_an_hour_after_the_first_is_believed(minutes: int, *, is_kept: bool) -> None:
    new = load(loaded_at=LOOKED + timedelta(minutes=minutes))

    assert bool(refusal(HAD, new, failed(LOOKED))) == is_kept


def test_a_look_counts_from_when_meta_was_asked_and_not_from_when_it_was_stored() -> None:
    new = load(loaded_at=LOOKED + timedelta(hours=2), asked_at=LOOKED + timedelta(minutes=30))

    assert "after 2026-11-24 06:00 UTC" in refusal(HAD, new, failed(LOOKED))


def test_a_first_look_before_what_is_kept_was_loaded_counts_from_then() -> None:
    new = load(loaded_at=LOADED + timedelta(minutes=59))

    assert "after 2026-11-23 06:00 UTC" in refusal(HAD, new, failed(LOADED - timedelta(days=1)))


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-24T01:00:00"])
def test_a_first_look_that_is_not_known_is_this_one(since: str) -> None:
    reason = refusal(HAD, load(), Failed("", "", empty_since=since))

    assert "after 2026-11-24 06:00 UTC" in reason


def test_the_time_that_is_named_is_late_enough() -> None:
    changed_days = LOOKED + timedelta(seconds=1)

    assert "after 2026-11-24 06:01 UTC" in refusal(HAD, load(loaded_at=changed_days), None)


def test_totals_that_vanish_with_the_rows_are_kept_too() -> None:
    totals = load(1, 100, loaded_at=LOADED)

    assert "; the account's totals loaded at" in refusal(None, load(), None, totals=totals)
    assert not refusal(None, load(1, 1), None, totals=totals)


@pytest.mark.parametrize(
    ("found", "nothing"),
    [
        (load(), True),
        (load(5, 0), True),
        (load(5, 0, clicks=0, spend=0), True),
        (load(5, 0, spend=1), False),
        (load(5), False),
    ],
)
def test_nothing_is_no_rows_or_rows_that_count_nothing(found: Load, *, nothing: bool) -> None:
    assert is_nothing(found) == nothing


@pytest.mark.parametrize(
    ("tag", "accepts"),
    [("yes", True), (" YES ", True), ("true", True), ("1", True), ("no", False), ("", False)],
)
def test_a_run_accepts_empty_days_by_its_tag(tag: str, *, accepts: bool) -> None:
    assert accepts_empty({"fbinsights/accept_empty": tag}) == accepts
    assert not accepts_empty({})


# -- when emptiness is worth a word ----------------------------------------------------------------


def outcome(found: Load | None = None, *, is_sure: bool = False, **more: Any) -> Outcome:
    day = found.date if found else date(2026, 11, 20)
    return Outcome(AccountDay("1", day), found, is_sure=is_sure, **more)


EMPTY_DAY = outcome(load())


@pytest.mark.parametrize(
    ("outcomes", "loads"),
    [
        ([], 0),
        ([EMPTY_DAY], 0),  # one day of one account may well be calm
        ([EMPTY_DAY] * 2, 2),
        ([EMPTY_DAY, outcome(load(2, 0))], 2),  # rows that count nothing are nothing
        ([EMPTY_DAY] * 2 + [outcome(load(24, 100))], 0),  # Meta has something to say
        ([EMPTY_DAY] * 2 + [outcome(load(control_impressions=5))], 0),  # told as unproven
        ([EMPTY_DAY] * 2 + [outcome(load(), is_sure=True)], 0),  # it had said so before
        ([EMPTY_DAY] * 2 + [outcome(error="too old"), outcome(skipped="not begun")], 2),
        ([outcome(error="too old")] * 3, 0),
    ],
)
def test_loads_are_silent_if_all_of_several_brought_nothing_and_nobody_is_sure(
    outcomes: list[Outcome], loads: int
) -> None:
    assert len(silent(outcomes)) == loads


@pytest.mark.parametrize(
    ("old", "minutes", "confirmed"),
    [
        (None, 600, False),
        (load(loaded_at=LOADED), 59, False),
        (load(loaded_at=LOADED), 60, True),
        (load(2, 0, loaded_at=LOADED), 60, True),
        (HAD, 600, False),
    ],
)
def test_a_day_is_empty_for_sure_when_it_was_an_hour_before(
    old: Load | None, minutes: int, *, confirmed: bool
) -> None:
    new = load(loaded_at=LOADED + timedelta(minutes=minutes))

    assert is_confirmed(old, new) == confirmed


def test_the_warning_names_the_accounts_that_spend_and_what_to_do() -> None:
    loads = [load(), replace(load(), account_id="2", date=date(2026, 11, 20))]

    assert silence(loads, {}) == silence(loads, {"3": "Not loaded"}) == ""
    assert silence(loads, {"1": "Acme", "3": "Not loaded"}) == (
        "Meta returned no rows and no totals for any of 2 account-days (2026-11-20 to 2026-11-22),"
        " though accounts among them have spent money: Acme (act_1). They are stored as days"
        " without delivery. If that cannot be right, look again after 2026-11-24 06:00 UTC:"
        " `fbinsights backfill --since 2026-11-20 --until 2026-11-22 --account act_1`"
    )


def test_of_many_accounts_it_names_three_and_the_command_means_all() -> None:
    loads = [replace(load(), account_id=str(n)) for n in range(5)]

    told = silence(loads, {str(n): "" for n in range(5)})

    assert "money: act_0, act_1, act_2, 2 more. They" in told
    assert told.endswith("backfill --since 2026-11-22 --until 2026-11-22`")
