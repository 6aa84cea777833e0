from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.loading.refreshing.changes import choose_days
from pipelines.loading.refreshing.refresh import (
    ReloadReason,
    days_to_reload,
    lookback,
    periods_back,
    periods_to_reload,
)
from pipelines.reports.catalog import HOURLY_REPORT
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Totals
from warehouse.lake.records import Load
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TODAY = date(2026, 11, 24)
SINCE = date(2026, 1, 1)
TOTALS = Totals(100, 5, Decimal("7.50"))


def load(day: date, **changed: Any) -> Load:
    proven = Load(
        table="insights_hourly",
        account_id="1",
        date=day,
        rows=24,
        verdict=PROVEN,
        loaded_at=datetime(2026, 11, 20, tzinfo=UTC),
        control_impressions=TOTALS.impressions,
        control_clicks=TOTALS.clicks,
        control_spend=TOTALS.spend,
    )
    return replace(proven, **changed)


LOADED = {day: load(day) for day in lookback(TODAY)}
UNMOVED: Mapping[date, Totals | None] = dict.fromkeys(lookback(TODAY), TOTALS)
FRESH = {TODAY - timedelta(days=n): ReloadReason.FRESH for n in (1, 2, 3)}
DAY = TODAY - timedelta(days=12)


def test_the_lookback_is_the_28_finished_days_before_today() -> None:
    days = lookback(TODAY)

    assert (days[0], days[-1], len(days)) == (date(2026, 10, 27), date(2026, 11, 23), 28)


#: Period, the account's today, days of the lookback → the periods of it.
BACK = """
week  2026-11-24 28 2026-10-26 2026-11-02 2026-11-09 2026-11-16 2026-11-23
week  2026-11-23  7 2026-11-16 2026-11-23
week  2026-11-22  1 2026-11-16
week  2027-01-01  4 2026-12-28
month 2026-11-24 28 2026-10-01 2026-11-01
month 2026-11-29 28 2026-11-01
month 2027-01-28 28 2026-12-01 2027-01-01
month 2027-01-29 28 2027-01-01
"""


def test_a_week_or_month_is_loaded_again_until_28_days_after_its_end() -> None:
    for period, today, days, *expected in map(str.split, BACK.strip().splitlines()):
        back = periods_back(date.fromisoformat(today), Period(period), int(days))
        assert [*map(str, back)] == expected, (period, today)
        why = periods_to_reload(back, back[-1:])
        assert list(why) == back[::-1]
        assert [*why.values()] == [
            ReloadReason.DAMAGED,
            *[ReloadReason.FRESH] * (len(back) - 1),
        ]


def test_of_days_that_have_not_moved_only_the_newest_three_are_pulled_newest_first() -> None:
    pulled = days_to_reload(TODAY, LOADED, UNMOVED, since=SINCE)

    assert list(pulled.items()) == list(FRESH.items())


@pytest.mark.parametrize(
    ("changed", "now", "why"),
    [
        ({}, TOTALS, None),
        ({}, replace(TOTALS, impressions=101), ReloadReason.MOVED),
        ({}, replace(TOTALS, clicks=4), ReloadReason.MOVED),
        ({}, replace(TOTALS, spend=Decimal("7.51")), ReloadReason.MOVED),
        ({}, replace(TOTALS, spend=Decimal("7.500000")), None),
        ({}, None, ReloadReason.MOVED),  # Meta has no row any more
        ({"control_spend": None, "control_impressions": 0, "control_clicks": 0}, None, None),
        ({"verdict": UNPROVEN}, TOTALS, ReloadReason.UNPROVEN),
        # Both of a day that was half over: that nothing moved since says nothing of its actions.
        ({"verdict": PROVISIONAL}, TOTALS, ReloadReason.PROVISIONAL),
        ({"verdict": PROVISIONAL}, replace(TOTALS, clicks=9), ReloadReason.PROVISIONAL),
        ({"verdict": PROVISIONAL}, None, ReloadReason.PROVISIONAL),
    ],
)
def test_a_day_is_pulled_when_its_totals_are_not_those_that_proved_it(
    changed: dict[str, Any], now: Totals | None, why: ReloadReason | None
) -> None:
    loads = {**LOADED, DAY: load(DAY, **changed)}

    pulled = days_to_reload(TODAY, loads, {**UNMOVED, DAY: now}, since=SINCE)

    assert pulled == {**FRESH, **({DAY: why} if why else {})}


def test_a_day_whose_last_load_failed_is_pulled_whether_it_has_moved_or_not() -> None:
    unloaded = {day: one for day, one in LOADED.items() if day >= DAY}
    before = DAY - timedelta(days=1)  # of a report that begins with DAY

    pulled = days_to_reload(TODAY, unloaded, UNMOVED, since=DAY, failed={before, DAY})

    assert pulled == {**FRESH, DAY: ReloadReason.FAILED, before: ReloadReason.FAILED}


def test_a_day_whose_totals_could_not_be_had_is_not_taken_for_moved() -> None:
    pulled = days_to_reload(TODAY, LOADED, {}, since=SINCE)

    assert pulled == FRESH


@pytest.mark.parametrize(
    ("since", "why"), [(SINCE, ReloadReason.MISSING), (DAY, None), (DAY + timedelta(days=1), None)]
)
def test_a_gap_is_filled_and_days_before_the_first_are_left_to_a_backfill(
    since: date, why: ReloadReason | None
) -> None:
    loads = {day: load for day, load in LOADED.items() if day != DAY}

    pulled = days_to_reload(TODAY, loads, UNMOVED, since=since)

    assert pulled.get(DAY) is why


def test_of_an_account_of_which_nothing_is_loaded_the_newest_days_are_pulled() -> None:
    assert days_to_reload(TODAY, {}, UNMOVED, since=None) == FRESH


def test_a_full_lookback_is_all_28_and_still_says_which_moved() -> None:
    moved = replace(TOTALS, clicks=6)

    pulled = days_to_reload(TODAY, LOADED, {**UNMOVED, DAY: moved}, since=SINCE, full=True)

    assert len(pulled) == 28
    assert (pulled[DAY], pulled[DAY + timedelta(days=1)]) == (ReloadReason.MOVED, ReloadReason.FULL)


def test_provisional_days_are_pulled_however_old_where_totals_are_not_known() -> None:
    oldest = lookback(TODAY)[0]
    loads = {**LOADED, **{day: load(day, verdict=PROVISIONAL) for day in (oldest, DAY)}}

    pulled = days_to_reload(TODAY, loads, {}, since=SINCE)

    assert list(pulled.items()) == [
        *FRESH.items(),
        (DAY, ReloadReason.PROVISIONAL),
        (oldest, ReloadReason.PROVISIONAL),
    ]


@pytest.mark.parametrize("changed", [{}, {"verdict": UNPROVEN}, {"verdict": PROVISIONAL}, None])
@pytest.mark.parametrize("now", [TOTALS, None])
def test_a_day_that_was_kept_because_meta_returned_nothing_is_looked_at_again_whatever_is_loaded(
    changed: dict[str, Any] | None, now: Totals | None
) -> None:
    loads = {day: one for day, one in LOADED.items() if day != DAY}
    loads |= {} if changed is None else {DAY: load(DAY, **changed)}
    newest = TODAY - timedelta(days=1)

    pulled = days_to_reload(
        *(TODAY, loads, {**UNMOVED, DAY: now, newest: None}), since=SINCE, emptied={DAY, newest}
    )

    assert pulled == {**FRESH, DAY: ReloadReason.EMPTY}


def test_an_empty_day_that_is_no_longer_in_the_lookback_is_not_pulled() -> None:
    before = lookback(TODAY)[0] - timedelta(days=1)

    assert days_to_reload(TODAY, LOADED, UNMOVED, since=SINCE, emptied={before}) == FRESH


def test_a_fresh_day_that_was_kept_is_pulled_as_a_fresh_one() -> None:
    kept = [TODAY - timedelta(days=n) for n in (3, 4)]

    pulled = days_to_reload(TODAY, LOADED, UNMOVED, since=SINCE, emptied=kept)

    assert [pulled[day] for day in kept] == [ReloadReason.FRESH, ReloadReason.EMPTY]


def test_a_report_that_starts_later_has_no_day_to_pull_and_stops_no_other(tmp_path: Path) -> None:
    later = replace(HOURLY_REPORT, spec=HOURLY_REPORT.spec.model_copy(update={"start_date": TODAY}))
    totals: Mapping[str, Mapping[date, Totals | None]] = {"1": {}}

    found = [
        choose_days(Lake(tmp_path), report, {"1": TODAY}, totals, full=False)
        for report in (later, HOURLY_REPORT)
    ]

    assert [[key.day for key in one] for one in found] == [[], [*FRESH]]
