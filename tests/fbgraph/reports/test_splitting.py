from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.reports.query import ReportQuery
from fbgraph.reports.splitting import (
    halves_of,
    is_divisible,
    level_below,
    split_days,
    split_inside,
)

DAYS = tuple(date(2026, 11, 1) + timedelta(days=n) for n in range(7))
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
QUERY = ReportQuery(DAYS, STATUSES, ("ad_id", "spend", "actions"))
ONE_DAY = replace(QUERY, days=DAYS[:1])


@given(st.integers(2, 60))
def test_days_are_halved_newest_first_and_none_is_lost(count: int) -> None:
    days = tuple(DAYS[0] + timedelta(days=n) for n in range(count))

    newer, older = split_days(days)

    assert (older + newer, bool(older), bool(newer)) == (days, True, True)
    assert len(newer) - len(older) in (0, 1)


def test_one_day_is_one_half() -> None:
    assert split_days(DAYS[:1]) == [DAYS[:1]]


@given(st.integers(1, 99))
def test_halves_are_together_the_whole(count: int) -> None:
    items = tuple(map(str, range(count)))

    first, second = halves_of(items)

    assert (first + second, len(first) - len(second) in (0, 1)) == (items, True)


def leaves_of(query: ReportQuery) -> list[ReportQuery]:
    """Everything that a query is split into, to the end."""
    parts = split_inside(query)
    return [leaf for part in parts for leaf in leaves_of(part)] if parts else [query]


def test_one_day_is_split_by_statuses_first_and_then_by_ids() -> None:
    query = ReportQuery(
        DAYS[:1], ("ACTIVE", "PAUSED"), QUERY.fields, "campaign", ("1", "2", "3"), attempt=2, busy=3
    )

    leaves = leaves_of(query)

    assert [len(part.statuses) for part in split_inside(query)] == [1, 1]
    assert {(leaf.statuses, leaf.ids) for leaf in leaves} == {
        ((s,), (i,)) for s in ("ACTIVE", "PAUSED") for i in ("1", "2", "3")
    }
    assert {(leaf.attempt, leaf.busy, leaf.is_inside) for leaf in leaves} == {(1, 0, True)}


def test_nothing_is_left_to_split_of_one_status_and_one_id() -> None:
    assert split_inside(ReportQuery(DAYS[:1], ("ACTIVE",), QUERY.fields, "campaign", ("1",))) == []


@pytest.mark.parametrize(
    ("query", "divisible"),
    [
        (QUERY, True),
        (replace(QUERY, statuses=()), True),
        (ONE_DAY, True),
        (replace(ONE_DAY, statuses=("ACTIVE",)), False),
        (replace(ONE_DAY, statuses=(), level="ad", ids=("1", "2")), True),
    ],
)
def test_a_query_of_many_days_statuses_or_ids_is_divisible(
    query: ReportQuery,
    divisible: bool,  # noqa: FBT001  # of the table above
) -> None:
    assert is_divisible(query) == divisible


def test_what_cannot_be_split_is_asked_for_by_objects_but_never_below_those_of_its_rows() -> None:
    above = ("", "campaign", "adset", "ad")

    below = {
        rows_of: [
            level_below(replace(ONE_DAY, level=level, rows_of=rows_of))
            for level in above[: above.index(rows_of) + 1 if rows_of in above else 1]
        ]
        for rows_of in ("account", "campaign", "adset", "ad")
    }

    assert below == {
        "account": [""],
        "campaign": ["campaign", ""],
        "adset": ["campaign", "adset", ""],
        "ad": ["campaign", "adset", "ad", ""],
    }


def test_a_query_for_some_objects_or_without_some_fields_is_a_new_one() -> None:
    tried = replace(ONE_DAY, attempt=2, busy=1)

    fewer = tried.without(frozenset({"actions"}))
    narrowed = tried.narrowed("adset", ("1", "2"))

    assert fewer == replace(ONE_DAY, fields=("ad_id", "spend"))
    assert narrowed == replace(ONE_DAY, level="adset", ids=("1", "2"))
