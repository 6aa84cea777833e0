"""What a page says, decided from values: trust, money, grids, small pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines.overview.drawing import levels, sparkline
from pipelines.overview.keeping import outdated
from pipelines.overview.sums import DayNumbers, Sums
from pipelines.overview.trust import DayTrust, Recorded, Trust, bad_days, banner, trust_of
from pipelines.overview.window import Window, last_days
from pipelines.overview.wording import NONE, amount, change, money, percent, ratio

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

DAY = date(2026, 11, 20)
RELOAD = f"fbinsights backfill --since {DAY} --until {DAY} --account act_1"


def recorded(verdict: str = "", *, short: str = "0", failed: str = "") -> Recorded:
    spend = Decimal(100)
    return Recorded(verdict, "because", spend, spend + Decimal(short), failed, "")


def days(*kinds: Trust) -> list[DayTrust]:
    command = "fbinsights backfill --since {0} --until {0}"
    dates = [DAY + timedelta(days=n) for n in range(len(kinds))]
    return [
        DayTrust(
            *(day, kind, "why", command.format(day)),
            short=Decimal("1.50") if kind is Trust.DIFFERS else None,
        )
        for day, kind in zip(dates, kinds, strict=True)
    ]


def test_a_day_is_what_its_load_says_and_a_failure_is_not_hidden() -> None:
    cases = [
        (None, Trust.MISSING),
        (recorded("proven"), Trust.PROVEN),
        (recorded("unproven", short="2.5"), Trust.DIFFERS),
        (recorded("provisional"), Trust.NOT_OVER),
        (recorded("unprovable"), Trust.UNPROVABLE),
        (recorded("proven", failed="Meta did not answer"), Trust.PROVEN),
        (recorded(failed="Meta did not answer"), Trust.FAILED),
    ]
    for record, expected in cases:
        found = trust_of(DAY, record, RELOAD)
        assert found.trust is expected, record
        assert found.command == RELOAD
        if record and record.failed:
            assert "Meta did not answer" in found.reason
    assert trust_of(DAY, recorded("unproven", short="2.5"), RELOAD).short == Decimal("2.5")


def test_the_banner_says_what_is_missing_and_has_the_colour_of_the_worst() -> None:
    fine = ("Here", "EUR", days(*[Trust.PROVEN] * 3))
    wrong = ("There", "JPY", days(Trust.PROVEN, Trust.DIFFERS, Trust.DIFFERS))
    gaps = ("Where", "USD", days(Trust.MISSING, Trust.FAILED, Trust.NOT_OVER))

    good, doubtful, bad, none = banner([fine]), banner([fine, wrong]), banner([gaps]), banner([])

    assert (good.headline, good.tone) == ("Every number below is complete.", "good")
    assert doubtful.tone == "doubtful"
    assert doubtful.headline == "4 of 6 account-days add up to Meta's own totals."
    assert list(doubtful.details) == [
        "2 do not; their numbers are marked below.",
        "Known to be missing, by Meta's own totals: ¥3 (There).",
    ]
    assert bad.tone == "bad"
    assert "1 failed to load, 1 was never loaded, 1 was not over" in bad.details[0]
    assert "2 account-days without data is not known" in bad.details[1]
    assert none.headline == "Nothing has been loaded yet."


def test_the_banner_calls_complete_only_what_is_proven_and_has_its_purchases() -> None:
    proven = ("Here", "EUR", days(*[Trust.PROVEN] * 3))
    unprovable = ("There", "USD", days(Trust.UNPROVABLE, Trust.PROVEN))

    without_results, mixed = banner([proven], without_results=2), banner([unprovable])

    assert without_results.headline == "All 3 account-days add up to Meta's own totals."
    assert "Purchases of 2 account-days are not known" in without_results.details[0]
    assert mixed.headline == "1 of 2 account-days add up to Meta's own totals."
    assert "1 cannot be compared with a total" in mixed.details[0]


def test_neighbouring_days_with_the_same_fault_are_one_with_one_command() -> None:
    found = bad_days("1", "Here", days(Trust.PROVEN, *[Trust.DIFFERS] * 3, Trust.FAILED))

    assert [(one.trust, one.first, one.last) for one in found] == [
        (Trust.DIFFERS, date(2026, 11, 21), date(2026, 11, 23)),
        (Trust.FAILED, date(2026, 11, 24), date(2026, 11, 24)),
    ]
    assert found[0].command == "fbinsights backfill --since 2026-11-21 --until 2026-11-23"
    assert found[1].command == "fbinsights backfill --since 2026-11-24 --until 2026-11-24"


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        ("Europe/Berlin", "2026-11-20T01:59", "2026-11-18"),  # 02:59 there: not over yet
        ("Europe/Berlin", "2026-11-20T02:00", "2026-11-19"),
        ("Pacific/Auckland", "2026-11-20T13:30", "2026-11-19"),
        ("Asia/Kolkata", "2026-11-20T21:30", "2026-11-20"),
    ],
)
def test_the_last_days_are_those_that_are_over(zone: str, at: str, until: str) -> None:
    window = last_days(zone, datetime.fromisoformat(at).replace(tzinfo=UTC))

    assert str(window.until) == until
    assert len(window.days) == 28
    assert window.before.until == window.since - timedelta(days=1)
    assert len(window.before.days) == 28


def test_the_last_days_end_with_the_newest_that_any_account_has() -> None:
    at = datetime.fromisoformat("2026-11-23T20:00+00:00")

    assert last_days("UTC", at, date(2026, 11, 20)) == Window.ending(date(2026, 11, 20), 28)
    assert last_days("UTC", at, date(2026, 11, 23)) == last_days("UTC", at)


def test_numbers_in_words() -> None:
    assert [
        money(Decimal("12.5"), "EUR"),
        money(Decimal("1234.56"), "USD"),
        money(Decimal("1234.56"), "USD", exact=True),
        money(Decimal(980), "JPY"),
        money(Decimal("-3.1"), "CHF"),
        money(None, "EUR"),
    ] == ["€12.50", "$1,235", "$1,234.56", "¥980", f"{MINUS}CHF\u00a03.10", NONE]
    assert [amount(Decimal(3)), amount(Decimal("2.5")), amount(None)] == ["3", "2.5", NONE]
    assert (ratio(2.345), percent(0.0123), percent(None)) == (f"2.35{TIMES}", "1.23\u00a0%", NONE)
    assert [change(12, 10), change(10, 0), change(None, 10), change(1000, 1000.5)] == [
        pytest.approx(0.2),
        None,
        None,
        0.0,
    ]


def test_ratios_are_made_from_the_days_that_have_both_parts() -> None:
    sums = Sums.of(
        [
            DayNumbers(Decimal(10), 1000, 20, Decimal(2), Decimal(30)),
            DayNumbers(Decimal(90), 9000, 80),  # its results are not loaded
        ]
    )

    assert (sums.spend, sums.purchases) == (Decimal(100), Decimal(2))
    assert (sums.cpa, sums.roas) == (5.0, 3.0)
    assert (sums.ctr, sums.cpm) == (0.01, 10.0)
    assert Sums.of([]).purchases is None


def test_a_line_has_gaps_and_hours_have_six_groups() -> None:
    line = sparkline([1.0, 2.0, None, 0.0, None])

    assert line.count("<polyline") == 1
    assert line.count("<circle") == 1
    groups = levels({(1, hour): float(hour) for hour in range(13)})
    assert [groups[1, hour] for hour in (0, 1, 2, 3, 12)] == [0, 1, 1, 2, 6]
    assert set(levels({(1, 0): 0.0}).values()) == {0}


def test_pages_are_kept_for_five_weeks() -> None:
    names = ["2026-10-16.html", "2026-10-17.html", "2026-11-20.html", "notes.html", "x"]

    assert outdated(names, date(2026, 11, 20)) == {"2026-10-16.html"}
    assert Window.ending(DAY, 3).days == [date(2026, 11, n) for n in (18, 19, 20)]
    assert Window.beginning(DAY, 2).days == [DAY, date(2026, 11, 21)]
