"""Hours of the wall clock as instants, where clocks change and where they do not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from warehouse.decode.hours import hours_of, progress_of, today_in, zone_named
from warehouse.errors import UnknownZoneError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

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


#: Zone, day, when Meta was asked (UTC), its delay in minutes → the last whole hour, and how many
#: seconds of how many had gone by its end.
WHOLE_UNTIL = [
    ("Europe/Berlin", "2026-11-21", "2026-11-21T16:59:59", 180, 13, (14, 24)),
    ("Europe/Berlin", "2026-11-21", "2026-11-21T17:00:00", 180, 14, (15, 24)),
    ("Europe/Berlin", "2026-11-21", "2026-11-21T17:00:00", 60, 16, (17, 24)),
    ("Europe/Berlin", "2026-11-21", "2026-11-21T17:00:00", 0, 17, (18, 24)),
    ("Europe/Berlin", "2026-11-21", "2026-11-21T02:59:59", 180, None, (0, 24)),
    ("Europe/Berlin", "2026-11-21", "2026-11-20T12:00:00", 0, None, (0, 24)),  # it has not begun
    ("Europe/Berlin", "2026-11-21", "2026-11-22T00:30:00", 60, 23, (24, 24)),  # not over yet
    # Half an hour off: the clock shows 12:00, and 09:00 three hours before.
    ("Asia/Kolkata", "2026-11-21", "2026-11-21T06:30:00", 180, 8, (9, 24)),
    ("Asia/Kolkata", "2026-11-21", "2026-11-21T06:29:59", 180, 7, (8, 24)),
    ("Asia/Kathmandu", "2026-11-21", "2026-11-21T06:15:00", 180, 8, (9, 24)),
    # Two o'clock is skipped: when the hour from one ends, the clock shows three.
    ("Europe/Berlin", "2026-03-29", "2026-03-29T01:00:00", 0, 2, (2, 23)),
    ("Europe/Berlin", "2026-03-29", "2026-03-29T00:59:59", 0, 0, (1, 23)),
    ("Europe/Berlin", "2026-03-29", "2026-03-29T10:00:00", 180, 8, (8, 23)),
    # It occurs twice: after the first time it is not whole.
    ("Europe/Berlin", "2026-10-25", "2026-10-25T01:00:00", 0, 1, (2, 25)),
    ("Europe/Berlin", "2026-10-25", "2026-10-25T02:00:00", 0, 2, (4, 25)),
    # By half an hour, there and back.
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T15:59:59", 0, 1, (2, 23.5)),
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T16:00:00", 0, 2, (2.5, 23.5)),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T15:29:59", 0, 0, (1, 24.5)),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T15:30:00", 0, 1, (2.5, 24.5)),
    # The day begins at one: nothing of it is whole when the clock shows it first.
    ("America/Havana", "2026-03-08", "2026-03-08T05:00:00", 0, None, (0, 23)),
    ("America/Havana", "2026-03-08", "2026-03-08T06:00:00", 0, 1, (1, 23)),
]


def test_an_hour_is_whole_when_it_had_ended_long_enough_before_meta_was_asked() -> None:
    for zone, day, asked_at, delay, hour, (gone, of) in WHOLE_UNTIL:
        at = datetime.fromisoformat(asked_at).replace(tzinfo=UTC)
        found = progress_of(zone, date.fromisoformat(day), at, timedelta(minutes=delay))
        assert [*found] == [hour, pytest.approx(gone / of)], (zone, day, asked_at, delay)


def _all_zones() -> list[str]:
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return listed.split()


def _zones_that_differ() -> list[str]:
    """One name for each zone; the others are links to these."""
    data = files("tzdata").joinpath("zoneinfo")
    names = {data.joinpath(*name.split("/")).read_bytes(): name for name in _all_zones()}
    return sorted(names.values())


def _days_around_changes(zone: ZoneInfo) -> list[date]:
    """Days of 2024 to 2026 around each change of the clock, and one that has none."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    midnights = [start + timedelta(days=n) for n in range(3 * 365 + 2)]
    offsets = [midnight.astimezone(zone).utcoffset() for midnight in midnights]
    changes = [m.date() for m, (a, b) in zip(midnights, pairwise(offsets), strict=False) if a != b]
    days = {change + timedelta(days=n) for change in changes for n in (-1, 0, 1)}
    return sorted(days | {date(2025, 7, 1)})


def _starts_by_looking(zone: ZoneInfo, day: date) -> list[int]:
    """Look at the clock every quarter of an hour: when does it first show each hour, or later?

    All clocks of these years are set by, and to, whole quarters.
    """
    begin = int(datetime.combine(day - timedelta(days=1), time(), UTC).timestamp())
    looks = range(begin - 43_200, begin + 3 * 86_400, 900)
    shown = [datetime.fromtimestamp(epoch, zone).replace(tzinfo=None) for epoch in looks]
    midnight = datetime.combine(day, time())
    starts, at = [], 0
    for hour in range(25):
        while shown[at] < midnight + timedelta(hours=hour):
            at += 1
        starts.append(looks[at])
    return starts


def test_all_hours_are_right_around_every_clock_change_of_every_zone() -> None:
    """Hours that do not exist, hours that come twice, zones at half and three quarters."""
    seen = Counter[int]()
    for name in _zones_that_differ():
        zone = zone_named(name)
        for day in _days_around_changes(zone):
            hours = hours_of(name, day)
            assert [*hours.starts, hours.ends[-1]] == _starts_by_looking(zone, day), (name, day)
            assert list(hours.starts[1:]) == list(hours.ends[:-1]), (name, day)
            seen.update(hours.seconds)

    assert {0, 1800, 3600, 5400, 7200} <= seen.keys()


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../zones", "/etc/passwd", "zones"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnknownZoneError, match="not in the tz database"):
        zone_named(name)


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("Pacific/Auckland", "2026-11-24"),
        ("America/Los_Angeles", "2026-11-23"),
        ("Asia/Kolkata", "2026-11-24"),
        ("Europe/Berlin", "2026-11-23"),
    ],
)
def test_today_is_the_day_of_the_accounts_own_clock(zone: str, today: str) -> None:
    assert today_in(zone, datetime(2026, 11, 23, 20, tzinfo=UTC)).isoformat() == today


def test_the_hours_of_a_day_are_computed_once() -> None:
    day = date(2026, 11, 23)
    assert hours_of("Europe/Berlin", day) is hours_of("Europe/Berlin", day)
