from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.loading.partitions import (
    AccountDay,
    account_day_of,
    chunks,
    key_of,
)

A_DAY = st.dates(date(2024, 1, 1), date(2026, 12, 31))


def test_a_partition_key_names_the_account_as_graph_does_and_the_day() -> None:
    cell = AccountDay("123", date(2026, 11, 21))

    assert (key_of(cell), account_day_of(key_of(cell))) == ("act_123|2026-11-21", cell)


@given(st.sets(A_DAY, min_size=1, max_size=60), st.integers(1, 40))
def test_chunks_hold_every_day_once_in_neighbouring_runs_newest_first(
    days: set[date], size: int
) -> None:
    cut = chunks(days, size)

    assert sorted(day for chunk in cut for day in chunk) == sorted(days)
    assert all(len(chunk) <= size for chunk in cut)
    assert all(b - a == timedelta(days=1) for chunk in cut for a, b in zip(chunk, chunk[1:]))  # noqa: B905, RUF007  # neighbours
    assert [chunk[-1] for chunk in cut] == sorted((chunk[-1] for chunk in cut), reverse=True)
