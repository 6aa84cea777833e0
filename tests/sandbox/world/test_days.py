from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from fbgraph.catalog.fields import DATE_PRESETS
from fbgraph.sandbox.world.days import PRESETS, RefreshedClock, months_before, periods, real_hours

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("zone", "day", "changed"),
    [
        ("Europe/Berlin", date(2026, 3, 29), {2: 0}),
        ("Europe/Berlin", date(2026, 10, 25), {2: 2}),
        ("America/Los_Angeles", date(2026, 3, 8), {2: 0}),
        ("America/Los_Angeles", date(2026, 11, 1), {1: 2}),
        ("Australia/Adelaide", date(2026, 10, 4), {2: 0}),
        ("Australia/Adelaide", date(2026, 4, 5), {2: 2}),
        ("Pacific/Auckland", date(2026, 9, 27), {2: 0}),
        ("Asia/Kolkata", date(2026, 3, 29), {}),
        ("Asia/Tokyo", date(2026, 10, 25), {}),
    ],
)
def test_a_day_has_the_hours_of_its_wall_clock(
    zone: str, day: date, changed: dict[int, int]
) -> None:
    assert real_hours(ZoneInfo(zone), day) == [changed.get(hour, 1) for hour in range(24)]


@pytest.mark.parametrize(
    ("preset", "since", "until"),
    [
        ("today", MONDAY, MONDAY),
        ("yesterday", date(2026, 11, 22), date(2026, 11, 22)),
        ("last_3d", date(2026, 11, 20), date(2026, 11, 22)),
        ("last_30d", date(2026, 10, 24), date(2026, 11, 22)),
        ("this_month", date(2026, 11, 1), MONDAY),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("this_quarter", date(2026, 10, 1), MONDAY),
        ("last_quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("this_year", date(2026, 1, 1), MONDAY),
        ("last_year", date(2025, 1, 1), date(2025, 12, 31)),
        ("this_week_mon_today", MONDAY, MONDAY),
        ("this_week_sun_today", date(2026, 11, 22), MONDAY),
        ("last_week_mon_sun", date(2026, 11, 16), date(2026, 11, 22)),
        ("last_week_sun_sat", date(2026, 11, 15), date(2026, 11, 21)),
    ],
)
def test_a_preset_is_a_range_of_dates(preset: str, since: date, until: date) -> None:
    assert PRESETS[preset](MONDAY) == (since, until)


def test_every_documented_preset_is_known() -> None:
    assert PRESETS.keys() | {"maximum", "data_maximum"} == DATE_PRESETS


@pytest.mark.parametrize(
    ("increment", "expected"),
    [
        ("all_days", [(28, 33)]),
        ("1", [(28, 28), (29, 29), (30, 30), (31, 31), (32, 32), (33, 33)]),
        ("4", [(28, 31), (32, 33)]),
        ("monthly", [(28, 30), (31, 33)]),
    ],
)
def test_a_range_is_cut_by_its_increment(increment: str, expected: list[tuple[int, int]]) -> None:
    """Days are counted from the last of October."""
    since, until = date(2026, 11, 28), date(2026, 12, 3)

    found = periods(since, until, increment)

    numbers = [[(day - date(2026, 10, 31)).days for day in period] for period in found]
    assert [tuple(period) for period in numbers] == expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (MONDAY, 37, date(2023, 10, 23)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 13, date(2024, 12, 15)),
    ],
)
def test_months_before_ends_with_the_month(day: date, months: int, expected: date) -> None:
    assert months_before(day, months) == expected


def test_insights_are_refreshed_every_quarter_of_an_hour() -> None:
    clock = RefreshedClock(lambda: datetime(2026, 11, 23, 11, 44, 59, tzinfo=UTC))

    assert clock.stamp() == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
