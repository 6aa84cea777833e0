from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from pipelines.defs.checks import BLOCKING, expected, fresh_result, report_results, report_specs
from pipelines.loading.emptiness import EMPTY
from pipelines.loading.load_result import HAD_ROWS, Outcome
from pipelines.loading.objects import MentionedObjects
from pipelines.loading.partitions import AccountDay
from warehouse.decode.pages import Account
from warehouse.lake.records import Load
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN

HOURLY = dg.AssetKey("insights_hourly")
HOUR = timedelta(hours=1)

DAY = date(2026, 11, 21)
LOADED = Load(
    table="insights_hourly",
    account_id="1",
    date=DAY,
    rows=24,
    verdict=PROVEN,
    loaded_at=datetime(2026, 11, 22, tzinfo=UTC),
    spend=Decimal("7.5"),
)
CELL = AccountDay("1", DAY)


def found(outcome: Outcome, known: MentionedObjects | None = None) -> dict[str, Any]:
    """Check → its result."""
    results = report_results(HOURLY, [outcome], {"1": known or MentionedObjects()})
    return {str(result.check_name): result for result in results}


@pytest.mark.parametrize(
    ("outcome", "known", "red"),
    [
        (Outcome(CELL, LOADED), MentionedObjects(3), {}),
        (Outcome(CELL, replace(LOADED, verdict=UNPROVEN)), None, {"complete": "ERROR"}),
        (Outcome(CELL, LOADED, duplicates=2), None, {"grain": "ERROR"}),
        (Outcome(CELL, replace(LOADED, rejected=1)), None, {"rejects": "WARN"}),
        (Outcome(CELL, replace(LOADED, rejected_cells=3)), None, {"rejects": "WARN"}),
        (Outcome(CELL, LOADED), MentionedObjects(0, {"ads": ["12"]}), {"ids_known": "WARN"}),
        (Outcome(CELL, LOADED), MentionedObjects(error="(#200) No"), {"ids_known": "WARN"}),
        (Outcome(CELL, error="Meta returned no rows", kind=EMPTY), None, {"complete": "ERROR"}),
        (Outcome(CELL, error="is proven and stays", kind=HAD_ROWS), None, {"complete": "ERROR"}),
        (Outcome(CELL, error="(#200) No"), None, {}),  # its cell is failed; nothing was loaded
    ],
)  # fmt: skip
def test_each_check_is_red_for_its_own_fault_only(
    outcome: Outcome, known: MentionedObjects | None, red: dict[str, str]
) -> None:
    results = found(outcome, known)

    wrong = {name: result for name, result in results.items() if not result.passed}
    assert {name: result.severity.value for name, result in wrong.items()} == red
    assert set(results) == {spec.name for spec in report_specs(HOURLY)}
    for result in wrong.values():
        assert result.metadata["named"].value


def test_what_could_not_be_read_is_told_by_rows_and_by_values() -> None:
    result = found(Outcome(CELL, replace(LOADED, rejected=2, rejected_cells=3)))["rejects"]

    assert result.metadata["named"].value == {
        "act_1|2026-11-21": "2 rows not loaded, 3 values NULL or left out"
    }


def test_only_rows_that_count_twice_keep_the_file_from_being_published() -> None:
    blocking = {spec.name for spec in report_specs(HOURLY) if spec.blocking}

    assert blocking == BLOCKING == {"grain"}


AUCKLAND = Account("1", "Pacific/Auckland", "NZD")
LOS_ANGELES = Account("2", "America/Los_Angeles", "USD")


@pytest.mark.parametrize(
    ("account", "now", "day"),
    [
        (AUCKLAND, "2026-11-23T19:59:00+00:00", "2026-11-22"),  # 8:59 on the 24th
        (AUCKLAND, "2026-11-23T20:00:00+00:00", "2026-11-23"),  # 9:00
        (LOS_ANGELES, "2026-11-23T16:59:00+00:00", "2026-11-21"),  # 8:59 on the 23rd
        (LOS_ANGELES, "2026-11-23T17:00:00+00:00", "2026-11-22"),  # 9:00
    ],
)
def test_yesterday_is_expected_four_hours_after_the_accounts_own_morning(
    account: Account, now: str, day: str
) -> None:
    assert str(expected(account, datetime.fromisoformat(now))) == day


def test_of_weeks_and_months_the_newest_whole_one_is_expected() -> None:
    monday = datetime(2026, 11, 23, 15, tzinfo=UTC)  # six hours ago it was Sunday there
    found = {period: str(expected(LOS_ANGELES, monday, period)) for period in Period}
    later = {period: str(expected(LOS_ANGELES, monday + 3 * HOUR, period)) for period in Period}

    assert found == {"day": "2026-11-21", "week": "2026-11-09", "month": "2026-10-01"}
    assert later == {"day": "2026-11-22", "week": "2026-11-16", "month": "2026-10-01"}


def test_an_account_that_is_late_is_named_and_one_that_was_never_loaded_is_not() -> None:
    now = datetime(2026, 11, 23, 20, tzinfo=UTC)
    half = replace(LOADED, verdict=PROVISIONAL, reason="the day was not over")
    yesterdays = {"1": half, "2": None, "4": LOADED, "5": replace(LOADED, verdict=UNPROVABLE)}
    zones = {"1": AUCKLAND, "2": LOS_ANGELES}
    accounts = {str(i): replace(zones.get(str(i), AUCKLAND), account_id=str(i)) for i in range(6)}

    result = fresh_result(HOURLY, accounts, yesterdays, now)

    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.metadata["named"].value == {
        "act_1": "2026-11-23 is provisional: the day was not over",
        "act_2": "2026-11-22 is not loaded",
    }


def test_a_provisional_day_leaves_the_check_green_and_is_told() -> None:
    more: dict[str, Any] = {"is_over": False, "last_whole_hour": 13, "day_gone": 14 / 24}
    half = replace(LOADED, verdict=PROVISIONAL, reason="the day was not over; 1 of 2", **more)

    complete = found(Outcome(CELL, half))["complete"]

    assert complete.passed
    assert complete.description == (
        "Account-days that add up to their totals: 0 of 1. 1 is provisional: its day was not over"
        " when Meta was asked, or only just."
    )
    assert complete.metadata["provisional"].value == {
        "act_1|2026-11-21": "whole until 14:00 (account's clock), asked at"
        f" {LOADED.loaded_at:%Y-%m-%d %H:%M} UTC; the day was not over; 1 of 2"
    }
