"""The rules about today, from values alone. An account spends 10 an hour, from 08:00 to 24:00, on
each of 28 days; what it does today differs.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.watching.message import began
from pipelines.watching.open_day import AdShare, Curve, OpenDay, PastDay, SpentBudget
from pipelines.watching.rules import Concern, Kind, Overspent, concerns_of, has_ended
from warehouse.decode.hours import instant_of, minute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TODAY: Final = date(2026, 11, 24)  # a Tuesday
MIDNIGHT: Final = datetime(2026, 11, 24, tzinfo=UTC)
USUAL: Final = tuple(10.0 if hour >= 8 else 0.0 for hour in range(24))


def past(hours: Sequence[float] = USUAL, days: int = 28, weekend: float = 1.0) -> list[PastDay]:
    found = []
    for back in range(days, 0, -1):
        day = TODAY - timedelta(days=back)
        times = weekend if day.weekday() >= 5 else 1.0
        found.append(PastDay(day, [times * spend for spend in hours]))
    return found


def idle_since_noon(*ago: int) -> list[PastDay]:
    """The days before, some of which had no spend from noon on."""
    idle = {TODAY - timedelta(days=back) for back in ago}
    return [replace(one, hours=day_of(0, 12)) if one.date in idle else one for one in past()]


def without_spend(is_empty: Callable[[date], bool]) -> list[PastDay]:
    """The days before, some of which had no spend."""
    return [replace(one, hours=[0.0] * 24) if is_empty(one.date) else one for one in past()]


def at(minute: float, spends: Sequence[float] = USUAL, **more: Any) -> OpenDay:
    """The account at a minute of its day, which `spends` that, evenly; looked at every hour, at
    that minute of it.
    """
    spent = PastDay(TODAY, spends).curve
    looks = [minute - 60 * n for n in range(int(minute // 60) + 1)]
    counter = Curve.of([(-30.0, -1.0), (0.0, 0.0), *((one, spent.at(one) or 0.0) for one in looks)])
    now = MIDNIGHT + timedelta(minutes=minute)
    shown = [spend if 60 * hour < minute else 0.0 for hour, spend in enumerate(spends)]
    known: dict[str, Any] = {
        "hours": shown,
        "rows_at": minute,
        "counter": counter,
        "fresh_at": now,
        "past": past(),
        **more,
    }
    return OpenDay("123", "Shop", "EUR", "UTC", TODAY, now, **known)


def day_of(times: float, since: int) -> Sequence[float]:
    """A day that spends so many times what is usual from an hour on."""
    return [times * spend if hour >= since else spend for hour, spend in enumerate(USUAL)]


def rows_only(minute: float, hours: Sequence[float], **more: Any) -> OpenDay:
    """The account in a lake where nobody looked at Meta's billing or at totals."""
    return at(minute, hours, counter=Curve(), **more)


AHEAD, STOPPED = Kind.FAR_AHEAD, Kind.STOPPED

CASES: Final[Sequence[tuple[str, OpenDay, Sequence[Kind]]]] = [
    ("a usual day", at(840), []),
    ("a day of half as much again", at(840, day_of(1.5, 0)), []),
    ("three times from noon, after one look", at(785, day_of(3, 12)), []),
    ("three times from noon, after three hours", at(905, day_of(3, 12)), [AHEAD]),
    ("three times all day, before a tenth is usually spent", at(540, day_of(3, 0)), []),
    ("three times all day", at(700, day_of(3, 0)), [AHEAD]),
    ("three times all day, by rows alone", rows_only(720, day_of(3, 0)), [AHEAD]),
    ("a usual day, by rows alone", rows_only(720, USUAL), []),
    (
        "three times, of an account that is worth nothing",
        at(700, day_of(3, 0), least_budget=50.0),
        [],
    ),
    ("three times, on the account's first day", at(700, day_of(3, 0), first_day=TODAY), []),
    ("three times, of an account that is disabled", at(700, day_of(3, 0), status=2), []),
    ("three times, with 19 days to compare", at(700, day_of(3, 0), past=past(days=19)), []),
    (
        "three times what is usual, as on all Tuesdays",
        at(
            700,
            day_of(3, 0),
            past=[
                replace(one, hours=day_of(3, 0)) if one.date.weekday() == 1 else one
                for one in past()
            ],
        ),
        [],
    ),
    ("slower than usual", at(905, day_of(0.2, 0)), []),
    ("nothing since noon, for an hour and a half", at(810, day_of(0, 12)), []),
    ("nothing since noon, for two hours", at(840, day_of(0, 12)), [STOPPED]),
    ("nothing since noon, by rows alone", rows_only(871, day_of(0, 12)), [STOPPED]),
    ("rows are late: billing goes on", at(840, USUAL, hours=day_of(0, 12)), []),
    ("billing pauses, rows go on", at(840, day_of(0, 12), hours=USUAL), []),
    ("nothing at night, as ever", at(480), []),
    (
        "nothing since noon, as on one day of ten",
        at(840, day_of(0, 12), past=idle_since_noon(3, 11)),
        [STOPPED],
    ),
    (
        "nothing since noon, as on one day of seven",
        at(840, day_of(0, 12), past=idle_since_noon(2, 3, 4, 5)),
        [],
    ),
    (
        "nothing since noon, as on two of four Tuesdays",
        at(840, day_of(0, 12), past=idle_since_noon(7, 14)),
        [],
    ),
    (
        "nothing since noon, of an account that pauses at weekends",
        at(840, day_of(0, 12), past=past(weekend=0.0)),
        [STOPPED],
    ),
    (
        "nothing on a day on which it always pauses",
        at(840, [0.0] * 24, past=without_spend(lambda day: day.weekday() == TODAY.weekday())),
        [],
    ),
    (
        "three times, of an account that first spent something 15 days ago",
        at(700, day_of(3, 0), past=without_spend(lambda day: day < TODAY - timedelta(days=15))),
        [],
    ),
    ("nothing since noon, of an account that may not spend", at(840, day_of(0, 12), status=3), []),
    (
        "data of 91 minutes ago, an hour apart",
        at(840, fresh_at=MIDNIGHT + timedelta(minutes=749)),
        [],
    ),
    (
        "data of two hours ago",
        at(840, day_of(3, 0), fresh_at=MIDNIGHT + timedelta(minutes=719)),
        [Kind.LATE_DATA],
    ),
]


@pytest.mark.parametrize(("day", "kinds"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_told_of_a_day(day: OpenDay, kinds: Sequence[Kind]) -> None:
    assert [one.kind for one in concerns_of(day)] == kinds


def test_figures_are_those_of_the_minute_of_the_look() -> None:
    [ahead] = concerns_of(at(905, day_of(3, 12)))
    [stopped] = concerns_of(at(845, day_of(0, 12)))

    figures = [ahead.figure, ahead.usual, ahead.minute]
    assert figures == pytest.approx([132.5, 70 + 10 * 5 / 60, 905])
    assert [stopped.since, stopped.minute, stopped.usual] == pytest.approx([725, 845, 20])


@pytest.mark.parametrize(("looked_at", "kinds"), [(2, []), (3, [STOPPED])])
def test_an_hour_that_the_clock_skips_is_no_idle_one(looked_at: int, kinds: Sequence[Kind]) -> None:
    """In Berlin 03:00 follows 01:59. Billing stopped at 01:15 and was looked at once an hour."""
    day, midnight = date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)
    looks = [midnight + timedelta(minutes=15, hours=n) for n in range(looked_at + 1)]
    counter = [(minute_of("Europe/Berlin", day, one), min(n, 1)) for n, one in enumerate(looks)]
    steady = [PastDay(day - timedelta(days=back), [10.0] * 24) for back in range(28, 0, -1)]
    known: dict[str, Any] = {"past": steady, "fresh_at": looks[-1], "hours": [10.0] * 2 + [0] * 22}

    open_day = OpenDay("1", "", "EUR", "Europe/Berlin", day, looks[-1], **known)
    found = concerns_of(replace(open_day, counter=Curve.of([(-15.0, -10.0), (0.0, 0.0), *counter])))

    assert [one.kind for one in found] == kinds
    assert [open_day.instant(one.since) for one in found] == looks[1:2] * len(kinds)


def budget(spent: float, **more: Any) -> SpentBudget:
    return SpentBudget("campaign", "1", "Sale", spent, **more)


NOON: Final = MIDNIGHT + timedelta(hours=12)

BUDGETS: Final[Sequence[tuple[str, SpentBudget, float | None]]] = [
    ("a daily budget, at its most", budget(175.0, daily=100.0), None),
    ("a daily budget, above it", budget(176.0, daily=100.0), 100.0),
    ("a lifetime budget without an end", budget(500.0, lifetime=100.0, start=NOON), None),
    (
        "ten days of a lifetime budget, in its first",
        budget(200.0, lifetime=1000.0, start=MIDNIGHT, end=MIDNIGHT + timedelta(days=10)),
        100.0,
    ),
    (
        "the same, with what earlier days left",
        budget(
            200.0,
            lifetime=1000.0,
            remaining=600.0,
            start=MIDNIGHT - timedelta(days=6),
            end=MIDNIGHT + timedelta(days=4),
        ),
        None,
    ),
    (
        "hours that are chosen",
        budget(
            200.0, lifetime=1000.0, start=MIDNIGHT, end=NOON + timedelta(days=9), is_by_hours=True
        ),
        None,
    ),
]


@pytest.mark.parametrize(
    ("spent", "allows"), [case[1:] for case in BUDGETS], ids=[case[0] for case in BUDGETS]
)
def test_a_budget_is_exceeded_above_what_meta_may_spend(
    spent: SpentBudget, allows: float | None
) -> None:
    found = concerns_of(at(720, budgets=[spent]))

    assert [one.kind for one in found] == ([Kind.OVER_BUDGET] if allows else [])
    assert [one.usual for one in found] == pytest.approx([allows] if allows else [])


def test_kinds_that_are_switched_off_are_not_told() -> None:
    day = at(905, day_of(3, 12), budgets=[budget(500.0, daily=100.0)])

    assert [one.kind for one in concerns_of(day, ["over_budget"])] == [Kind.OVER_BUDGET]
    assert concerns_of(day, []) == []


@pytest.mark.parametrize(
    ("kind", "day", "told_at", "is_over"),
    [
        (AHEAD, at(905, day_of(2, 0)), 700, False),  # just below what is told
        (AHEAD, at(905, day_of(1.5, 0)), 700, True),
        (STOPPED, at(900, day_of(0, 12)), 840, False),
        (STOPPED, at(960, [*day_of(0, 12)[:15], *USUAL[15:]]), 840, True),
        (STOPPED, at(600), -120, True),  # told the evening before
        (Kind.OVER_BUDGET, at(905, budgets=[budget(100.0, daily=100.0)]), 700, True),
        (Kind.LATE_DATA, at(905), 700, True),
        (Kind.LATE_DATA, replace(at(20), fresh_at=at(20).now - timedelta(hours=5)), -60, False),
        (Kind.LATE_DATA, replace(at(20), fresh_at=None), -60, False),  # nothing is known yet
    ],
)
def test_what_was_told_is_over_when_it_surely_is(
    kind: Kind, day: OpenDay, told_at: float, *, is_over: bool
) -> None:
    assert has_ended(kind, day, told_at) is is_over


def test_reports_are_compared_with_what_reports_had_at_that_hour() -> None:
    """Late by two hours, on all days alike: today, with twice and a half as much, looks usual
    compared with what was known later, and is far ahead of what was known by now.
    """

    def late(hours: Sequence[float]) -> Curve:
        curve = PastDay(TODAY, hours).curve
        looks = [(60.0 * hour, curve.at(max(0, 60.0 * (hour - 2))) or 0.0) for hour in range(25)]
        return Curve.of(looks)

    fast = late(day_of(3, 0))
    today = Curve.of(zip(fast.minutes[:14], fast.amounts[:14], strict=True))
    was_seen = [replace(one, seen=late(USUAL)) for one in past()]
    day = at(780, day_of(1, 0), counter=Curve(), seen=today)

    assert concerns_of(replace(day, past=was_seen))[0].usual == pytest.approx(30)
    assert concerns_of(day) == []


@pytest.mark.parametrize(
    ("zone", "day", "at_", "minute"),
    [
        ("UTC", TODAY, MIDNIGHT + timedelta(hours=14), 840),
        ("UTC", TODAY, MIDNIGHT - timedelta(hours=1), -60),
        ("Asia/Kolkata", TODAY, MIDNIGHT, 330),
        # The clock goes back from 03:00 to 02:00: an hour of its clock that lasts two.
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 25, 1, tzinfo=UTC), 150),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 25, 11, tzinfo=UTC), 720),
    ],
)
def test_minutes_are_those_of_the_accounts_clock(
    zone: str, day: date, at_: datetime, minute: float
) -> None:
    assert minute_of(zone, day, at_) == minute
    assert instant_of(zone, day, minute) == at_


def test_ads_and_budgets_of_one_name_are_told_apart_by_their_ids_and_no_others_are() -> None:
    ads = [
        AdShare("31", "Rain Jacket", 90.0, 10.0),
        AdShare("32", "Rain Jacket", 80.0, 10.0),
        AdShare("33", "Boots", 70.0, 10.0),
    ]
    over = [
        Overspent(SpentBudget("adset", key, name, 90.0, daily=40.0), 40.0)
        for key, name in (("21", "Sale"), ("22", "Sale"), ("23", "Spring"))
    ]
    day = at(900)

    ahead = began(Concern(Kind.FAR_AHEAD, day, 240.0, 30.0, 900.0), ads)
    spent = began(Concern(Kind.OVER_BUDGET, day, 90.0, 40.0, 900.0, over=over))

    assert "Rain Jacket 31 (90.00 instead" in ahead
    assert "Rain Jacket 32 (80.00 instead" in ahead
    assert "Boots (70.00 instead" in ahead
    assert re.findall(r"ad set (.+?) has spent", spent, re.IGNORECASE) == [
        *("Sale 21", "Sale 22", "Spring"),
    ]
