from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.loading.estimate import (
    DAYS_PER_RUN,
    ROWS_PER_RUN,
    UNKNOWN_ROWS,
    Cost,
    Learned,
    cost_of,
    cut,
)
from warehouse.lake.records import Load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST = date(2026, 11, 1)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in numbers]


def load(day: date, rows: int, impressions: int, table: str = "insights_hourly") -> Load:
    return Load(
        table=table,
        account_id="1",
        date=day,
        rows=rows,
        impressions=impressions,
        verdict="proven",
        loaded_at=NOW,
    )


def expected(
    loads: Sequence[Load], controls: Mapping[date, Load | None], wanted: Sequence[date]
) -> list[int]:
    known = {day: control for day, control in controls.items() if control}
    return list(Learned(loads, known).rows(wanted).values())


def test_a_day_that_was_loaded_will_have_as_many_rows_again() -> None:
    assert expected([load(FIRST, 77, 10)], {}, [FIRST]) == [77]


def test_a_day_whose_control_totals_are_known_has_rows_in_proportion() -> None:
    known = [load(day, 100, 1000) for day in days(1, 2)]
    control = {FIRST: load(FIRST, 1, 500, "control_daily")}

    assert expected(known, control, [FIRST]) == [50]


def test_another_day_has_as_many_rows_as_an_ordinary_one_of_its_neighbours() -> None:
    sizes = (100, 301, 40_000, 0, 210)
    known = [load(day, rows, 10) for day, rows in zip(days(1, 2, 3, 4, 5), sizes, strict=True)]

    assert expected(known, {}, [FIRST]) == [210]


def test_an_account_that_nothing_is_known_of_is_taken_for_a_middling_one() -> None:
    assert expected([], {}, [FIRST]) == [UNKNOWN_ROWS]


@given(
    st.dictionaries(st.integers(0, 200), st.integers(0, 2 * ROWS_PER_RUN), min_size=1, max_size=90)
)
def test_runs_hold_every_day_once_and_no_more_than_they_may(sizes: dict[int, int]) -> None:
    rows = {FIRST + timedelta(days=n): size for n, size in sizes.items()}

    runs = cut(rows, rows)

    assert sorted(day for run in runs for day in run) == sorted(rows)
    for run in runs:
        assert list(run) == [run[0] + timedelta(days=n) for n in range(len(run))]
        assert len(run) <= DAYS_PER_RUN
        assert len(run) == 1 or sum(rows[day] for day in run) <= ROWS_PER_RUN
    assert [run[-1] for run in runs] == sorted((run[-1] for run in runs), reverse=True)


@pytest.mark.parametrize(
    ("rows", "lengths"),
    [
        ([25_000, 25_000], [2]),
        ([25_000, 25_001], [1, 1]),
        ([10_000] * 7, [5, 2]),
        ([60_000, 1, 1], [2, 1]),
        ([1] * 32, [31, 1]),
    ],
)
def test_a_run_holds_fifty_thousand_rows_and_not_one_more(
    rows: list[int], lengths: list[int]
) -> None:
    sizes = dict(zip(days(*range(len(rows))), rows, strict=True))

    assert [len(run) for run in cut(sizes, sizes)] == lengths


@pytest.mark.parametrize(("rows", "calls"), [(0, 5), (4000, 5), (5000, 5), (5001, 6), (49_000, 14)])
def test_a_run_costs_its_creation_polls_pages_and_a_control_call(rows: int, calls: int) -> None:
    assert cost_of([[FIRST]], {FIRST: rows}) == Cost(1, calls, rows)


def test_costs_add_up() -> None:
    wanted: dict[date, Any] = dict.fromkeys(days(0, 1), 10)

    assert cost_of([days(0), days(1)], wanted) == Cost(2, 10, 20)
