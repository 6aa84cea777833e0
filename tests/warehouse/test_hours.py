"""Hours of the wall clock as instants, where clocks change and where they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest

from warehouse.errors import UnknownZoneError
from warehouse.hours import hours_of, zone_named

HOUR = 3600

#: Zone, day, what is odd about it → seconds of the hours that do not have 3600.
CLOCK_CHANGES = [
    ("Europe/Berlin", date(2026, 11, 21), {}),
    ("Europe/Berlin", date(2026, 3, 29), {2: 0}),
    ("Europe/Berlin", date(2026, 10, 25), {2: 7200}),
    ("America/New_York", date(2026, 3, 8), {2: 0}),
    ("America/New_York", date(2026, 11, 1), {1: 7200}),
    ("Australia/Lord_Howe", date(2026, 10, 4), {2: 1800}),
    ("Australia/Lord_Howe", date(2026, 4, 5), {1: 5400}),
    ("Asia/Kolkata", date(2026, 3, 29), {}),
    ("Asia/Kathmandu", date(2026, 10, 25), {}),
    ("America/Sao_Paulo", date(2026, 11, 1), {}),  # no clock change since 2019
    ("America/Havana", date(2026, 3, 8), {0: 0}),  # at midnight: the day starts at 1:00
    ("Africa/Cairo", date(2026, 10, 29), {23: 7200}),  # at midnight, back into the day before
    ("America/Sao_Paulo", date(2018, 11, 4), {0: 0}),
    ("Antarctica/Troll", date(2026, 3, 29), {1: 0, 2: 0}),  # by two hours
    ("Antarctica/Troll", date(2026, 10, 25), {2: 10800}),
    ("Asia/Almaty", date(2024, 2, 29), {23: 7200}),  # a zone changed its offset for good
    ("Pacific/Apia", date(2011, 12, 30), dict.fromkeys(range(24), 0)),  # a day that never was
]


@pytest.mark.parametrize(("zone", "day", "odd"), CLOCK_CHANGES)
def test_an_hour_is_as_long_as_the_clock_makes_it(
    zone: str, day: date, odd: dict[int, int]
) -> None:
    assert list(hours_of(zone, day).seconds) == [odd.get(hour, HOUR) for hour in range(24)]


def test_an_hour_of_a_half_hour_zone_starts_at_half_past_in_utc() -> None:
    start = hours_of("Asia/Kolkata", date(2026, 11, 21)).starts[0]

    assert datetime.fromtimestamp(start, UTC) == datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def test_a_repeated_hour_starts_the_first_time() -> None:
    start = hours_of("Europe/Berlin", date(2026, 10, 25)).starts[2]

    assert datetime.fromtimestamp(start, UTC) == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)


def _all_zones() -> list[str]:
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return listed.split()


#: Days on which some clocks change, and days on which none does.
SAMPLE = [date(2024, 1, 1) + timedelta(days=n) for n in range(0, 3 * 366, 366)] + [
    *(date(2024, 3, 1), date(2024, 3, 31), date(2025, 3, 9), date(2025, 10, 26)),
    *(date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 11, 1)),
]


def test_the_24_hours_tile_the_day_in_every_zone() -> None:
    for zone in _all_zones():
        for day in SAMPLE:
            today, tomorrow = hours_of(zone, day), hours_of(zone, day + timedelta(days=1))

            assert list(today.starts[1:]) == list(today.ends[:-1]), (zone, day)
            assert today.ends[-1] == tomorrow.starts[0], (zone, day)
            assert min(today.seconds) >= 0, (zone, day)


def test_an_instant_shows_its_own_hour_on_the_clock_of_every_zone() -> None:
    for zone in _all_zones():
        for day in SAMPLE[::3]:
            hours = hours_of(zone, day)
            for hour, (start, length) in enumerate(zip(hours.starts, hours.seconds, strict=True)):
                wall = datetime.fromtimestamp(start, zone_named(zone))
                if length == HOUR:
                    assert (wall.date(), wall.hour) == (day, hour), (zone, day, hour)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../zones", "/etc/passwd", "zones"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnknownZoneError, match="not in the tz database"):
        zone_named(name)
