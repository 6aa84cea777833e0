"""What a tick decides, by tables of cases: no server, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.loading.intraday import deciding
from pipelines.state.intraday import OpenAccount
from warehouse.lake.proof.reconcile import Evidence, Totals
from warehouse.lake.records import Load

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 11, 23), date(2026, 11, 22)
ZONE = "Europe/Berlin"  # UTC+1


def totals(impressions: int) -> Totals:
    return Totals(impressions, 1, Decimal(impressions) / 100)


def quiet(spent: str = "100") -> OpenAccount:
    """An account that was asked once and has not moved since."""
    return OpenAccount(spent, is_dirty=False, days={TODAY: totals(10)})


def test_the_open_days_are_today_and_for_three_hours_yesterday() -> None:
    cases = {
        ("Europe/Berlin", "2026-11-22T22:59"): [YESTERDAY],
        ("Europe/Berlin", "2026-11-22T23:00"): [YESTERDAY, TODAY],
        ("Europe/Berlin", "2026-11-23T01:59"): [YESTERDAY, TODAY],
        ("Europe/Berlin", "2026-11-23T02:00"): [TODAY],
        ("Asia/Kolkata", "2026-11-22T18:30"): [YESTERDAY, TODAY],
        ("America/Los_Angeles", "2026-11-23T12:00"): [TODAY],
        # Its clock is put back at 2: three hours of elapsed time after midnight it is 2:00 again.
        ("America/New_York", "2026-11-01T06:59"): [date(2026, 10, 31), date(2026, 11, 1)],
        ("America/New_York", "2026-11-01T07:00"): [date(2026, 11, 1)],
    }

    found = {
        (zone, at): deciding.open_days(zone, datetime.fromisoformat(at).replace(tzinfo=UTC))
        for zone, at in cases
    }

    assert found == cases


def test_an_account_may_have_moved_if_nobody_can_say_that_it_has_not() -> None:
    cases = {
        "never asked": (OpenAccount(), "100", True),
        "the same": (quiet(), "100", False),
        "spent more": (quiet(), "101", True),
        "its cap was reset": (quiet(), "0", True),
        "the listing does not say": (quiet(), None, True),
        "it did not say before": (replace(quiet(), spent=None), "100", True),
        "still dirty": (replace(quiet(), is_dirty=True), "100", True),
    }

    found = {
        name: (known, spent, deciding.may_have_moved(known, spent))
        for name, (known, spent, _) in cases.items()
    }

    assert found == cases


def looks(*ticks: tuple[int, str, int | None]) -> Sequence[bool]:
    """Whether an account is asked at each tick (minutes, amount_spent, impressions that Meta would
    tell); it was asked before, and had spent 100 and 10 impressions.
    """
    known, asked = quiet(), []
    for minutes, spent, impressions in ticks:
        now = NOON + timedelta(minutes=minutes)
        known = deciding.listed(known, spent, now)
        asked.append(known.is_dirty)
        if known.is_dirty:
            told = None if impressions is None else totals(impressions)
            known = deciding.after_look(known, {TODAY: told}, now)
    return asked


def test_an_account_that_has_spent_is_asked_until_its_totals_stand_still() -> None:
    hours = [0, 60, 120, 180, 240, 300]
    cases = {
        # Nobody spends: nobody asks.
        "quiet": ([(at, "100", 10) for at in hours], [False] * 6),
        # Spend and totals move together once; the tick after that sees them stand still.
        "once": ([(at, "101", 11) for at in hours], [True, True, *[False] * 4]),
        # Totals follow an hour later: the account is still dirty then.
        "late": (
            [(0, "101", 10), *((at, "101", 11) for at in hours[1:])],
            [True, True, True, False, False, False],
        ),
        # Totals move a little, and the rest comes later without any more spend.
        "in parts": (
            [(0, "101", 11), (60, "101", 12), *((at, "101", 13) for at in hours[2:])],
            [True, True, True, True, False, False],
        ),
        # A correction of the lifetime spend: totals never follow. Three hours, and no longer.
        "never": ([(at, "0", 10) for at in hours], [True, True, True, True, False, False]),
        # Each quarter of an hour: one that stands still may be Meta's, two are not.
        "quarters": (
            [(0, "101", 11), (15, "101", 11), (30, "101", 11), (45, "101", 11), (60, "102", 12)],
            [True, True, True, False, True],
        ),
        # It goes on spending.
        "busy": ([(at, str(101 + at), 11 + at) for at in hours], [True] * 6),
    }

    found = {name: (ticks, list(looks(*ticks))) for name, (ticks, _) in cases.items()}

    assert found == cases


def test_the_first_look_at_an_account_that_has_never_delivered_is_the_last() -> None:
    known = deciding.listed(OpenAccount(), "0", NOON)

    assert known.is_dirty
    assert not deciding.after_look(known, {TODAY: None}, NOON).is_dirty


def load(impressions: int, control: int, *, is_over: bool = False) -> Load:
    found = Evidence(rows=1, totals=totals(impressions))
    of = totals(control)
    return Load.of(
        *("insights_hourly", "1", TODAY, found),
        verdict="provisional",
        is_over=is_over,
        loaded_at=NOON,
        control_impressions=of.impressions,
        control_clicks=of.clicks,
        control_spend=of.spend,
    )


def test_an_open_day_is_loaded_if_its_totals_are_not_those_of_its_rows() -> None:
    cases = {
        "not loaded, delivers": (totals(10), None, True),
        "not loaded, delivers nothing": (None, None, False),
        "moved": (totals(11), load(10, 10), True),
        "the same": (totals(10), load(10, 10), False),
        "the same, but its rows did not add up": (totals(10), load(9, 10), True),
        "Meta has no totals any more": (None, load(10, 10), True),
        "somebody has closed it": (totals(11), load(10, 10, is_over=True), False),
    }

    found = {
        name: (now, known, deciding.is_to_load(now, known))
        for name, (now, known, _) in cases.items()
    }

    assert found == cases


def test_a_day_is_closed_once_three_hours_after_its_end_and_tried_for_three_days() -> None:
    known = replace(quiet(), days={YESTERDAY: totals(5), TODAY: totals(1)})
    over = datetime(2026, 11, 23, 2, tzinfo=UTC)

    assert deciding.days_over(known, ZONE, over - timedelta(seconds=1)) == []
    assert deciding.days_over(known, ZONE, over) == [YESTERDAY]

    done = deciding.closed(known, {YESTERDAY: True}, ZONE, over)
    failed = deciding.closed(known, {YESTERDAY: False}, ZONE, over)
    given_up = deciding.closed(known, {YESTERDAY: False}, ZONE, over + timedelta(days=3, seconds=1))

    assert [*done.days] == [TODAY]
    assert [*failed.days] == [YESTERDAY, TODAY]
    assert [*given_up.days] == [TODAY]
