"""Days that Meta no longer keeps, and fields that it no longer keeps of some days, through the
loader into the lake and the published file.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import CONTROL
from tests.clock import NOW
from tests.reports import KNOWN
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome
    from warehouse.lake.partitions import Lake

    LoadReport = Callable[..., Sequence[Outcome]]

#: The first day that the sandbox keeps at NOW, and the first of which it keeps everything.
FIRST_KEPT = date(2023, 10, 23)
FIRST_WHOLE = date(2025, 10, 23)


def around(day: date, before: int, after: int) -> Sequence[date]:
    return [day + timedelta(days=n) for n in range(-before, after)]


@pytest.fixture
def load_report(sandbox: Sandbox, client: GraphClient, lake: Lake) -> LoadReport:
    """Load days of a report, of the first two accounts."""

    def loading(report: str, days: Sequence[date]) -> Sequence[Outcome]:
        store_accounts(lake, discover(client).rows, NOW)
        loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
        wanted = [AccountDay(key, day) for key in sandbox.account_ids[:2] for day in days]
        return list(loader.load(KNOWN.by_name.get(report, CONTROL), wanted))

    return loading


def insights_calls(sandbox: Sandbox) -> int:
    """Calls that asked for insights, synchronously or for a run."""
    calls = sandbox.calls()["calls"]
    return sum(call["count"] for call in calls if call["path"].endswith("/insights"))


@pytest.mark.parametrize("report", ["insights_hourly", "insights_daily", "control_daily"])
def test_days_that_meta_no_longer_keeps_fail_by_name_and_the_others_load(
    load_report: LoadReport, report: str
) -> None:
    outcomes = load_report(report, around(FIRST_KEPT, 3, 5))

    failed = {one.account_day.day: one.error for one in outcomes if one.error}
    assert sorted(failed) == around(FIRST_KEPT, 3, 0)
    assert {one.account_day.day for one in outcomes if one.load} == {*around(FIRST_KEPT, 0, 5)}
    assert all(why.startswith("Older than Meta keeps: (#3018)") for why in failed.values())
    assert len(outcomes) == 16


def test_a_range_that_is_wholly_too_old_costs_no_call_a_day(
    sandbox: Sandbox, load_report: LoadReport
) -> None:
    before = insights_calls(sandbox)

    outcomes = load_report("control_daily", around(FIRST_KEPT, 93, 0))

    assert all(one.error.startswith("Older than Meta keeps") for one in outcomes)
    assert insights_calls(sandbox) - before < 2 * 3 * 7


@pytest.mark.parametrize("words", ["old_fields_refused", "old_fields_unavailable"])
def test_a_field_that_is_kept_for_a_shorter_time_is_missing_on_those_days_alone(
    sandbox: Sandbox, load_report: LoadReport, lake: Lake, words: str
) -> None:
    sandbox.use(f"{words}:unique_clicks")

    outcomes = load_report("insights_daily", around(FIRST_WHOLE, 4, 4))

    published = publish(lake.root)
    with duckdb.connect(str(published.path), read_only=True) as open_file:
        told = open_file.execute(
            "select date, missing_fields, verdict, reason from loads order by all"
        ).fetchall()
        people = open_file.execute(
            "select date >= ?, count(unique_clicks) > 0, count(reach) > 0"
            " from insights_daily group by 1 order by 1",
            [FIRST_WHOLE],
        ).fetchall()
    assert [one.error for one in outcomes if one.error] == []
    missing = {day: fields for day, fields, *_ in told}
    assert missing == {
        day: ["unique_clicks"] if day < FIRST_WHOLE else [] for day in around(FIRST_WHOLE, 4, 4)
    }
    unproven = {(day < FIRST_WHOLE, why) for day, _, verdict, why in told if verdict != "proven"}
    assert unproven == {(True, "Meta did not deliver unique_clicks")}
    assert people == [(False, False, True), (True, True, True)]
