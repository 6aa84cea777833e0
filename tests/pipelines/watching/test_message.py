"""What is said about an alert that is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pipelines.watching.message import ended
from pipelines.watching.open_day import OpenDay, PastDay
from pipelines.watching.rules import Kind
from pipelines.watching.told import Alert


def test_what_is_usual_is_the_median_of_an_even_number_of_days_too() -> None:
    """As in alerts and in the digest: the mean of the two days in the middle."""
    today, now = date(2026, 11, 24), datetime(2026, 11, 24, 12, tzinfo=UTC)
    spends = [10.0, 20.0, 40.0, 80.0, 200.0]
    past = [PastDay(today - timedelta(days=5 - n), [spend]) for n, spend in enumerate(spends)]
    day = OpenDay("123", "Shop", "EUR", "UTC", today, now, past=past)
    told = now - timedelta(days=1)
    alert = Alert("123", Kind.FAR_AHEAD, past[-1].date, told, told, 150.0, 30.0)

    line = ended(alert, day)

    assert line == (
        "Shop (act_123): 2026-11-23, reported as far ahead, ended at 200.00 EUR, usually 30.00 EUR."
    )
