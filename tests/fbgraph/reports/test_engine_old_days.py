"""The engine and days that Meta no longer keeps, whole or some fields of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.reports.task import ReportTask
from tests.fbgraph.reports.in_memory import FIELDS, REQUIRED, Bench, creations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


#: The first day that the sandbox keeps at NOW, 37 months earlier, and of hours, 13 months.
FIRST_KEPT = date(2023, 10, 23)
FIRST_HOURS = date(2025, 10, 23)
OLD_BEFORE = date(2026, 5, 1)


def days_around(day: date, before: int, after: int) -> tuple[date, ...]:
    return tuple(day + timedelta(days=n) for n in range(-before, after))


def days_of(found: Mapping[str, Any], *, failed: bool) -> list[str]:
    """Days of results that failed, or did not."""
    return sorted(
        str(date.fromisoformat(first) + timedelta(days=n))
        for task, what in found.items()
        if isinstance(what, str) == failed
        for first, last in [(task.split()[1], task.split()[-1])]
        for n in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    )


@pytest.mark.parametrize(("before", "after"), [(3, 5), (1, 30), (30, 1), (15, 16), (1, 1)])
def test_days_older_than_meta_keeps_fail_by_name_and_the_others_load(
    bench: Callable[..., Bench], before: int, after: int
) -> None:
    one = bench()
    days = days_around(FIRST_KEPT, before, after)

    found = one.run(ReportTask(one.sandbox.account_ids[0], days))

    assert days_of(found, failed=True) == [str(day) for day in days[:before]]
    assert days_of(found, failed=False) == [str(day) for day in days[before:]]
    assert all(
        why.startswith("Older than Meta keeps: (#3018)")
        for why in found.values()
        if isinstance(why, str)
    )
    assert creations(one) <= 2 * 5 + 2  # 2 log2(31) and a few


def test_many_orders_that_are_too_old_cost_no_call_each(bench: Callable[..., Bench]) -> None:
    one = bench()
    first, second = one.sandbox.account_ids[:2]
    days = days_around(FIRST_KEPT, 300, 0)
    weeks = [days[n : n + 20] for n in range(0, 300, 20)]

    found = one.run(*(ReportTask(key, week) for key in (first, second) for week in weeks))

    assert len(days_of(found, failed=True)) == 600
    assert creations(one) <= 2 * 7


def test_a_refusal_whose_reason_is_not_known_is_tried_on_younger_days(
    bench: Callable[..., Bench],
) -> None:
    one = bench("old_hours_refused")
    account_id = one.sandbox.account_ids[0]
    days = days_around(FIRST_HOURS, 10, 8)

    found = one.run(ReportTask(account_id, days), old_before=OLD_BEFORE)

    loaded = {task: rows for task, rows in found.items() if not isinstance(rows, str)}
    assert days_of(found, failed=True) == [str(day) for day in days[:10]]
    assert one.loaded(loaded, account_id) == one.truth(account_id, days[10:])
    assert all(
        why.startswith("Meta refuses days up to 2025-10-2")
        for why in found.values()
        if isinstance(why, str)
    )
    assert creations(one) <= 2 * 5 + 2


def test_young_days_whose_request_is_refused_are_not_torn_up(bench: Callable[..., Bench]) -> None:
    one = bench("old_hours_refused")
    days = days_around(FIRST_HOURS, 5, 5)

    found = one.run(ReportTask(one.sandbox.account_ids[0], days))

    assert len(days_of(found, failed=True)) == 10
    assert creations(one) == 1


@pytest.mark.parametrize("words", ["old_fields_refused:ctr", "old_fields_unavailable:ctr"])
def test_a_field_that_is_refused_for_old_days_is_left_out_for_those_alone(
    bench: Callable[..., Bench], words: str
) -> None:
    one = bench(words)
    account_id = one.sandbox.account_ids[0]
    days = days_around(FIRST_HOURS, 9, 9)

    found = one.run(ReportTask(account_id, days), old_before=OLD_BEFORE)

    without = {
        day for task in one.handler.finished if "ctr" not in task.fields for day in task.days
    }
    with_it = {day for task in one.handler.finished if "ctr" in task.fields for day in task.days}
    assert days_of(found, failed=True) == []
    assert (without, with_it) == ({*days[:9]}, {*days[9:]})
    assert creations(one) <= 2 * 5 + 2


def test_a_required_field_that_is_refused_for_old_days_fails_those_alone(
    bench: Callable[..., Bench],
) -> None:
    one = bench("old_fields_refused:ctr")
    days = days_around(FIRST_HOURS, 2, 2)

    found = one.run(
        ReportTask(one.sandbox.account_ids[0], days),
        required=(*REQUIRED, "ctr"),
        old_before=OLD_BEFORE,
    )

    assert days_of(found, failed=True) == [str(day) for day in days[:2]]
    assert days_of(found, failed=False) == [str(day) for day in days[2:]]


def test_a_field_that_meta_never_knew_is_left_out_of_old_days_too(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    days = days_around(FIRST_HOURS, 0, 16)
    tasks = [ReportTask(one.sandbox.account_ids[0], days[n : n + 4]) for n in range(0, 16, 4)]

    found = one.run(*tasks, fields=(*FIELDS, "no_such_field"), old_before=OLD_BEFORE)

    assert days_of(found, failed=False) == [str(day) for day in days]
    assert all("no_such_field" not in task.fields for task in one.handler.finished)
    assert creations(one) <= 4 + 2 * 2 + 2
