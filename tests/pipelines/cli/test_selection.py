from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from fbgraph import GRAPH_URL
from pipelines.cli.selection import not_begun, plan_of, require_started
from pipelines.cli.summary import Summary
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import Discovery
from pipelines.loading.load_result import Target
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import Report
from pipelines.settings import FIRST_DAY
from tests.reports import KNOWN, only

if TYPE_CHECKING:
    from pipelines.cli.selection import Plan

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)
FOUND = Discovery(GRAPH_URL, [
    {"account_id": "1", "name": "Nordlicht", "timezone_name": "Europe/Berlin"},
    {"account_id": "2", "name": "Kea", "timezone_name": "Pacific/Auckland"},
])  # fmt: skip


def plan(
    since: str, until: str, accounts: tuple[str, ...] = (), reports: tuple[str, ...] = ()
) -> Plan:
    days = date.fromisoformat(since), date.fromisoformat(until)
    return plan_of(FOUND, KNOWN, days, NOW, accounts=accounts, reports=reports)


def test_a_plan_holds_every_day_of_every_account_newest_first() -> None:
    planned = plan("2026-11-20", "2026-11-21").wanted["insights_hourly"]

    newer, older = date(2026, 11, 21), date(2026, 11, 20)
    assert planned == [
        AccountDay("1", newer),
        AccountDay("2", newer),
        AccountDay("1", older),
        AccountDay("2", older),
    ]


@pytest.mark.parametrize("name", ["2", "act_2", " act_2 "])
def test_an_account_may_be_named_with_or_without_its_prefix(name: str) -> None:
    planned = plan("2026-11-21", "2026-11-21", (name,)).wanted["insights_hourly"]

    assert [cell.account_id for cell in planned] == ["2"]


def test_an_account_named_twice_is_loaded_once() -> None:
    assert len(plan("2026-11-21", "2026-11-21", ("2", "act_2")).wanted["insights_hourly"]) == 1


@pytest.mark.parametrize(
    ("since", "until", "accounts", "reports", "said"),
    [
        ("2026-11-20", "2026-11-21", ("9",), (), "does not see act_9. It sees:\n  act_1  Nord"),
        ("2026-11-20", "2026-11-21", ("kea",), (), "Invalid ad account id 'kea'"),
        ("2026-11-20", "2026-11-21", ("",), (), "--account: Invalid ad account id ''"),
        ("2026-11-20", "2026-11-21", ("Kea",), (), "That is the name of act_2."),
        ("2026-11-20", "2026-11-21", (), ("hourly",), "Choose from: insights_hourly"),
        ("2020-01-01", "2026-11-21", (), (), "too early"),
        (
            "2026-11-20",
            "2026-11-25",
            (),
            (),
            "not begun anywhere. The last day that has is 2026-11-24",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    since: str, until: str, accounts: tuple[str, ...], reports: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(since, until, accounts, reports)


#: Period, --since, --until → the periods of the account in Berlin, where it is Monday 2026-11-23.
CHOSEN = """
week  2026-11-18 2026-11-18 2026-11-16
week  2026-11-15 2026-11-16 2026-11-16 2026-11-09
week  2026-11-22 2026-11-24 2026-11-23 2026-11-16
month 2026-11-18 2026-11-18 2026-11-01
month 2026-10-31 2026-11-23 2026-11-01 2026-10-01
week  2023-10-01 2023-10-02 2023-10-02
"""


def test_a_range_chooses_the_weeks_and_months_that_overlap_it() -> None:
    daily = KNOWN.by_name["insights_age_gender"].spec.model_copy(update={"start_date": FIRST_DAY})
    for period, since, until, *firsts in map(str.split, CHOSEN.strip().splitlines()):
        known = only(Report.of(daily.model_copy(update={"name": "mine", "period": period})))
        days = date.fromisoformat(since), date.fromisoformat(until)
        planned = plan_of(FOUND, known, days, NOW, accounts=["1"])
        require_started(planned)
        assert [str(cell.day) for cell in planned.wanted["mine"]] == firsts, (since, until)
    too_early = dataclasses.replace(planned, days=[date(2023, 10, 1)])  # a Sunday
    with pytest.raises(ConfigError, match="No week of mine that begins on 2023-10-01 or later has"):
        require_started(too_early)


def test_a_day_that_has_begun_in_auckland_alone_is_loaded_there_and_skipped_elsewhere() -> None:
    today, tomorrow = date(2026, 11, 23), date(2026, 11, 24)

    planned = plan("2026-11-23", "2026-11-24")

    days = dict.fromkeys(planned.account_ids, planned.days)
    assert planned.wanted["insights_hourly"] == [
        *(AccountDay("2", tomorrow), AccountDay("1", today), AccountDay("2", today))
    ]
    assert not_begun(days, planned.todays) == [
        "Skipped 2026-11-24: it has not begun in act_1, where it is 2026-11-23."
    ]


def test_of_many_accounts_whose_day_has_not_begun_some_are_named() -> None:
    days, todays = [date(2026, 11, 24)], date(2026, 11, 23)
    ids = [str(n) for n in range(1, 8)]

    assert not_begun(dict.fromkeys(ids, days), dict.fromkeys(ids, todays)) == [
        "Skipped 2026-11-24: it has not begun in 7 accounts (act_1, act_2, act_3 and 4 more)."
    ]


def test_accounts_that_may_not_be_read_are_left_out_and_told_with_why() -> None:
    day = date(2026, 11, 20)
    found = dataclasses.replace(FOUND, refused={"9": "(#200) No"})

    assert plan_of(found, KNOWN, (day, day), NOW).refused == {"act_9": "(#200) No"}
    assert plan_of(found, KNOWN, (day, day), NOW, accounts=("1",)).refused == {}
    with pytest.raises(ConfigError, match=r"act_9: \(#200\) No"):
        plan_of(found, KNOWN, (day, day), NOW, accounts=("9",))
    with pytest.raises(ConfigError, match=r"act_9: \(#200\) No"):
        plan_of(Discovery(GRAPH_URL, [], {"9": "(#200) No"}), KNOWN, (day, day), NOW)


def test_what_may_not_be_read_is_among_what_to_run_again() -> None:
    day = date(2026, 11, 20)
    found = dataclasses.replace(FOUND, refused={"9": "(#200) No"})
    plan = plan_of(found, KNOWN, (day, day), NOW)

    summary = Summary(plan, NOW, {})

    *_, command = summary.complaints()
    assert command.endswith("backfill --since 2026-11-20 --until 2026-11-20 --account act_9")


def test_what_failed_is_run_again_by_a_command_that_loads_it() -> None:
    """A backfill lists what reports need; all other objects are a refresh's."""
    day = date(2026, 11, 20)
    plan = plan_of(dataclasses.replace(FOUND, refused={"9": "(#200) No"}), KNOWN, (day, day), NOW)
    of_day, ads = Target("insights_hourly", "act_1", day), Target("ads", "act_1")
    days = "backfill --since 2026-11-20 --until 2026-11-20"
    refused = f"{days} --account act_9"
    cases: list[tuple[list[Target], bool, list[str]]] = [
        ([], False, [refused]),
        ([], True, ["refresh --account act_9"]),
        ([of_day, ads], False, [f"{days} --account act_1 --report insights_hourly", refused]),
        ([ads], False, [refused, "refresh --account act_1"]),
        ([ads], True, ["refresh --account act_1 --account act_9"]),
        ([ads, Target("ads", "act_2")], True, ["refresh"]),
        (
            [of_day, Target("insights_hourly", "act_2", day)],
            False,
            [f"{days} --account act_1 --account act_2 --report insights_hourly", refused],
        ),
        (
            [of_day, Target("images", "act_1")],
            True,
            [
                f"{days} --account act_1 --report insights_hourly",
                "refresh --account act_1 --account act_9",
            ],
        ),
    ]
    for targets, is_refresh, expected in cases:
        summary = Summary(plan, NOW, {}, is_refresh=is_refresh)
        summary.failed |= dict.fromkeys(targets, "why")
        assert list(summary.again()) == expected, (targets, is_refresh)


def test_a_token_that_sees_nothing_is_told_so() -> None:
    days = date(2026, 11, 20), date(2026, 11, 20)

    with pytest.raises(ConfigError, match="does not see any ad account"):
        plan_of(Discovery(GRAPH_URL, []), KNOWN, days, NOW)
