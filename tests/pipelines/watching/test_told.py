"""What is kept between looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipelines.watching.told import COUNTS_KEPT, WatchState, with_counts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_count_that_no_tick_made_is_not_made_up() -> None:
    """An account that the ticks leave out has no count of that time: a flat one would be a stop."""
    state = with_counts(WatchState(), {"1": 10.0, "2": 5.0}, NOW)

    later = with_counts(state, {"2": 6.0}, NOW + HOUR)
    long_after = with_counts(later, {"2": 7.0}, NOW + COUNTS_KEPT)

    assert later.counters == {"1": ((NOW, 10.0),), "2": ((NOW, 5.0), (NOW + HOUR, 6.0))}
    assert [amount for _, amount in long_after.counters["2"]] == [6.0, 7.0]
    assert not long_after.counters.get("1")
