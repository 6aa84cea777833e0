from __future__ import annotations

from datetime import date, timedelta

from pipelines.cli.output.failures import SHOWN_GROUPS, failure_lines, grouped, ranges
from pipelines.loading.load_result import Target

DAYS = [date(2026, 11, 20) + timedelta(days=n) for n in range(5)]

FORBIDDEN = "(#200) No right [code 200; HTTP 403; {}; fbtrace_id {}] Give the user access to ads."


def test_a_forbidden_account_says_why_once_for_all_its_days_reports_and_objects() -> None:
    failed = {
        Target("ads", "act_1"): FORBIDDEN.format("GET act_1/ads", "A1"),
        **{
            Target(name, "act_1", day): FORBIDDEN.format("POST act_1/insights", f"{name}{day}")
            for day in reversed(DAYS)
            for name in ("hours", "days")
        },
    }

    lines = [*failure_lines(grouped(failed), {"act_1": "Sakura"}, None)]

    assert lines == [
        "act_1 Sakura",
        "  ads; hours, days: 2026-11-20 to 2026-11-24",
        f"    {failed[Target('ads', 'act_1')]}",
    ]


def test_what_differs_in_numbers_alone_is_told_by_the_first_which_is_named() -> None:
    failed = {
        Target("hours", "act_1", day): f"hours on {day}: clicks {day.day} of 40, spend {day.day}.5"
        for day in DAYS
    }

    [_, where, why] = failure_lines(grouped(failed), {}, None)

    assert where == "  hours: 2026-11-20 to 2026-11-24"
    assert why == (
        "    hours 2026-11-20: hours on 2026-11-20: clicks 20 of 40, spend 20.5"
        " (4 more with other numbers)"
    )


def test_numbers_that_differ_are_named_of_each_report() -> None:
    failed = {
        Target(name, "act_1", day): f"clicks {clicks} of 40"
        for name, clicks in (("hours", 20), ("days", 30))
        for day in DAYS[:2]
    }

    [_, _, *why] = failure_lines(grouped(failed), {}, None)

    assert why == [
        "    hours 2026-11-20: clicks 20 of 40",
        "    days 2026-11-20: clicks 30 of 40 (2 more with other numbers)",
    ]
    alike = {Target(name, "act_1", day): f"{day.day} of 40" for name in ("a", "b") for day in DAYS}
    [_, _, shown] = failure_lines(grouped(alike), {}, None)
    assert shown == "    a, b 2026-11-20: 20 of 40 (8 more with other numbers)"


def test_two_reasons_of_one_account_are_two_groups_below_its_name() -> None:
    failed = {
        Target("hours", "act_1", DAYS[0]): "No right",
        Target("hours", "act_2", DAYS[0]): "No right",
        Target("hours", "act_1", DAYS[1]): "Meta returned no rows",
    }

    lines = [*failure_lines(grouped(failed), {}, None)]

    assert [line for line in lines if line.startswith("act_")] == ["act_1", "act_2"]
    assert lines[:5] == [
        *("act_1", "  hours: 2026-11-20", "    No right"),
        *("  hours: 2026-11-21", "    Meta returned no rows"),
    ]


def test_of_very_many_failures_the_rest_is_a_number() -> None:
    failed = {Target("hours", f"act_{n}", DAYS[0]): "No right" for n in range(SHOWN_GROUPS + 7)}

    *_, last = failure_lines(grouped(failed), {}, None)

    assert last.startswith("and 7 more")


def test_days_are_told_as_ranges_and_very_many_ranges_as_a_number() -> None:
    every_other = [DAYS[0] + timedelta(days=2 * n) for n in range(9)]

    assert ranges([DAYS[4], *DAYS[:2]]) == "2026-11-20 to 2026-11-21, 2026-11-24"
    assert ranges(every_other).endswith("2026-11-26, and 5 more days")
    assert ranges([]) == ""


def test_an_account_without_a_name_is_listed_by_its_id() -> None:
    failed = {Target("insights_hourly", "act_1", date(2026, 11, 2)): "(#200) No"}

    lines = [*failure_lines(grouped(failed), {"act_1": None}, None)]

    assert "act_1" in lines[0]
