"""Conversions, held against the account's own through the whole path, from sandbox to lake and
published file.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from fbgraph import GraphClient
from pipelines.defs.checks import report_results
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import CONTROL, HOURLY_REPORT, Report
from pipelines.reports.rules import faults
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW
from tests.pipelines.conftest import DAYS
from tests.pipelines.loading.tampering import CONTROL_PAGES, REPORT_PAGES, Tampering
from tests.reports import KNOWN
from warehouse.decode.actions import LISTS
from warehouse.decode.hours import over_at
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome
    from warehouse.lake.records import Load

    Loading = Callable[..., Sequence[Outcome]]

DAILY = KNOWN.by_name["insights_daily"]


@pytest.fixture
def load_report(sandbox: Sandbox, client: GraphClient, lake: Lake) -> Loading:
    """Load the days of the busiest account, or of all."""

    def loading(report: Report = DAILY, *, every: bool = False, run: str = "1") -> Any:
        store_accounts(lake, discover(client).rows, NOW)
        knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
        loader = Loader(client, knowing, accounts_in(lake), run, now=lambda: NOW)
        wanted = sandbox.account_ids if every else sandbox.account_ids[:1]
        return list(loader.load(report, [AccountDay(one, day) for one in wanted for day in DAYS]))

    return loading


def loads(outcomes: Sequence[Outcome]) -> Sequence[Load]:
    """None failed, and spend and the like are proven whatever became of actions."""
    found = [outcome.load for outcome in outcomes if outcome.load]
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert {load.verdict for load in found} == {"proven"}
    return found


def calls(sandbox: Sandbox) -> int:
    """Synchronous calls for insights of accounts and of report runs."""
    told = sandbox.calls()["calls"]
    return sum(c["count"] for c in told if (c["method"], c["path"]) == ("GET", "/{id}/insights"))


@pytest.mark.parametrize("name", ["insights_daily", "insights_age_gender"])
def test_what_adds_up_is_proven_off_meta_and_windows_included(
    lake: Lake, load_report: Loading, name: str
) -> None:
    found = loads(load_report(KNOWN.by_name[name], every=True))

    assert [x.conversions_reason for x in found if x.conversions != "proven"] == []
    types = "action types add up to the account's total"
    assert sum(types in load.conversions_reason for load in found) > len(found) // 2
    entries = {
        (field, one["action_type"], window)
        for row in lake.read(CONTROL.name).to_pylist()
        for field in LISTS
        for one in row[field] or ()
        for window in one
        if one[window] is not None
    }
    assert ("actions", "omni_purchase", "28d_click") in entries
    assert ("conversion_values", "contact_total", "1d_view") in entries


def test_totals_and_actions_come_by_one_call(sandbox: Sandbox, load_report: Loading) -> None:
    load_report()

    assert calls(sandbox) == 2  # a page of the run, and the totals of all its days


@pytest.mark.parametrize("name", ["insights_daily", "insights_age_gender"])
def test_an_action_type_that_rows_lack_is_named_by_how_much(
    sandbox: Sandbox, lake: Lake, load_report: Loading, name: str
) -> None:
    sandbox.use("actions_missing")

    found = loads(load_report(KNOWN.by_name[name]))

    for load in found:
        [row] = lake.read(CONTROL.name, account_id=load.account_id, date=load.date).to_pylist()
        whole = {
            field: next(e for e in row[field] if e["action_type"] == "omni_purchase")
            for field in ("actions", "action_values")
        }
        assert load.conversions == "unproven"
        for field, entry in whole.items():
            short = f"{field} omni_purchase: value 0 of {entry['value'].normalize():f}"
            assert short in load.conversions_reason
        assert "more" not in load.conversions_reason
        assert "purchase: value" in load.conversions_reason
        assert "like" not in load.conversions_reason


def test_a_window_that_rows_lack_is_named_and_the_values_beside_it_are_not(
    sandbox: Sandbox, load_report: Loading
) -> None:
    sandbox.use("window_missing")

    found = loads(load_report())

    assert {load.conversions for load in found} == {"unproven"}
    for load in found:
        assert "7d_click 0 of" in load.conversions_reason
        assert "value" not in load.conversions_reason.replace("action_values", "")
        assert "; and " in load.conversions_reason  # every type lacks it: three are named


def test_hours_lack_what_happens_off_meta_and_prove_nothing(load_report: Loading) -> None:
    found = loads(load_report(HOURLY_REPORT))

    assert {load.conversions for load in found} == {"unprovable"}
    assert {load.conversions_reason for load in found} == {
        "by the hour Meta leaves out actions off Meta"
    }


@pytest.mark.parametrize(
    ("keys", "verdict", "reason"),
    [
        ({"breakdowns": ("country",)}, "proven", "add up"),
        ({"breakdowns": ("publisher_platform", "platform_position")}, "proven", "add up"),
        ({"action_attribution_windows": ("28d_click", "1d_ev")}, "proven", "add up"),
        ({"action_breakdowns": ("action_target_id",)}, "unprovable", "split by action_target_id"),
        ({"fields": ("spend", "reach")}, "unprovable", "no list of actions"),
    ],
)
def test_reports_of_ones_own_are_compared_as_far_as_meta_lets_them_add_up(
    load_report: Loading, keys: dict[str, Any], verdict: str, reason: str
) -> None:
    given = {"name": "own", "level": "campaign", "fields": ("actions", "action_values"), **keys}
    spec = ReportSpec(**given)
    assert faults(spec) == []

    found = loads(load_report(Report.of(spec)))

    assert {load.conversions for load in found} == {verdict}
    assert all(reason in load.conversions_reason for load in found)


@pytest.mark.parametrize(
    ("scenario", "more_calls", "reason"),
    [
        # in vain all days, two of them and one; then without lists that one and both that are left
        ("totals_without_actions", 5, "reduce the amount of data"),
        ("totals_without_actions:no_data", 1, "2/1504041"),
    ],
)
def test_where_meta_refuses_actions_the_totals_are_had_without_them(
    sandbox: Sandbox, lake: Lake, load_report: Loading, scenario: str, more_calls: int, reason: str
) -> None:
    sandbox.use(scenario)

    found = loads(load_report())

    assert {load.conversions for load in found} == {"unprovable"}
    assert all(
        "own totals of actions could not be loaded" in load.conversions_reason for load in found
    )
    assert all(reason in load.conversions_reason for load in found)
    assert calls(sandbox) == 2 + more_calls
    totals = lake.loads_of(CONTROL.name, [(load.account_id, load.date) for load in found])
    assert [load.missing_fields for load in totals if load] == [tuple(LISTS)] * len(DAYS)


def test_a_second_report_of_a_run_uses_the_actions_that_the_first_has_stored(
    sandbox: Sandbox, load_report: Loading
) -> None:
    load_report(CONTROL)
    before = calls(sandbox)
    sandbox.use("actions_missing")

    found = loads(load_report())

    assert calls(sandbox) == before + 1  # the page of the run
    assert {load.conversions for load in found} == {"unproven"}


def test_a_second_report_is_told_why_there_are_no_actions(
    sandbox: Sandbox, load_report: Loading
) -> None:
    sandbox.use("totals_without_actions:no_data")
    load_report(CONTROL)
    sandbox.use()

    found = loads(load_report())

    assert {load.conversions for load in found} == {"unprovable"}
    assert all("2/1504041" in load.conversions_reason for load in found)


def test_what_does_not_add_up_holds_nothing_back(
    sandbox: Sandbox, lake: Lake, load_report: Loading
) -> None:
    load_report(run="1")
    sandbox.use("actions_missing")

    outcomes = load_report(run="2")

    found = loads(outcomes)
    checks = {r.check_name: r for r in report_results(dg.AssetKey(DAILY.name), outcomes, {})}
    assert set(lake.loads()["run_id"].to_pylist()) == {"2"}
    assert Counter(load.conversions for load in found) == {"unproven": len(DAYS)}
    assert checks["complete"].passed
    assert not checks["conversions"].passed
    assert checks["conversions"].severity.value == "WARN"
    assert "actions differ from the account's own: 3 of 3." in str(
        checks["conversions"].description
    )


def test_the_published_file_says_it_beside_the_verdict(
    sandbox: Sandbox, lake: Lake, load_report: Loading
) -> None:
    sandbox.use("actions_missing")
    load_report()
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        told = opened.sql(
            "FROM loads SELECT verdict, conversions, conversions_reason "
            "WHERE table_name = 'insights_daily'"
        ).fetchall()
        [(spent,)] = opened.sql("FROM insights_daily SELECT sum(spend)").fetchall()

    truth = [Decimal(sandbox.truth(sandbox.account_ids[0], d)["sums"]["spend"]) for d in DAYS]
    assert {row[:2] for row in told} == {("proven", "unproven")}
    assert all("omni_purchase" in reason for *_, reason in told)
    assert spent == sum(truth)


def _unreadable_purchases(rows: list[dict[str, Any]]) -> None:
    for row in rows[:1]:
        for entry in row["actions"]:
            if entry["action_type"] == "omni_purchase":
                entry["value"] = "many"


@pytest.mark.parametrize(
    ("pages", "verdict", "reason"),
    [
        (REPORT_PAGES, "unproven", "which the unreadable rows or values may explain"),
        (CONTROL_PAGES, "unprovable", "could not be loaded: actions"),
    ],
)
def test_a_value_that_cannot_be_read_costs_the_proof_of_actions_alone(
    sandbox: Sandbox, lake: Lake, impatient: dict[str, Any], pages: str, verdict: str, reason: str
) -> None:
    cell = AccountDay(sandbox.account_ids[0], DAYS[0])
    accounts = {cell.account_id: Account(cell.account_id, "Europe/Berlin", "EUR")}
    transport = Tampering(pages, _unreadable_purchases)
    with GraphClient(
        sandbox.token, base_url=sandbox.url, transport=transport, **impatient
    ) as client:
        loader = Loader(client, lake, accounts, "1", now=lambda: NOW)
        [load] = loads(list(loader.load(DAILY, [cell])))

    assert load.conversions == verdict
    assert reason in load.conversions_reason


def _one_more_click_in_a_hundred(rows: list[dict[str, Any]]) -> None:
    """As of an account whose totals are asked for a minute later than its rows."""
    for row in rows:
        for entry in row["actions"]:
            if entry["action_type"] == "link_click":
                entry["value"] = str(int(entry["value"]) * 101 // 100)


@pytest.mark.parametrize(
    ("hours", "verdict", "is_warned"),
    [(-2, "provisional", False), (2, "provisional", False), (50, "unproven", True)],
)
def test_a_day_that_is_hardly_over_is_not_warned_of_for_what_came_in_between_two_calls(  # fixtures
    sandbox: Sandbox,
    lake: Lake,
    impatient: dict[str, Any],
    hours: int,
    verdict: str,
    is_warned: bool,  # noqa: FBT001  # of a table
) -> None:
    cell = AccountDay(sandbox.account_ids[0], DAYS[-1])
    accounts = {cell.account_id: Account(cell.account_id, "Europe/Berlin", "EUR")}
    now = over_at("Europe/Berlin", cell.day) + timedelta(hours=hours)
    transport = Tampering(CONTROL_PAGES, _one_more_click_in_a_hundred)
    with GraphClient(
        sandbox.token, base_url=sandbox.url, transport=transport, **impatient
    ) as client:
        loader = Loader(client, lake, accounts, "1", now=lambda: now)
        [outcome] = loader.load(DAILY, [cell])

    results = report_results(dg.AssetKey(DAILY.name), [outcome], {})
    checks = {one.check_name: one for one in results}
    assert outcome.load
    assert outcome.load.conversions == verdict
    assert "link_click: value" in outcome.load.conversions_reason
    assert checks["conversions"].passed is not is_warned


TEXT = (Path(__file__).parents[3] / "docs" / "verdicts.md").read_text(encoding="utf-8")
[UNPROVEN_SQL, BESIDE_SQL] = re.findall(
    r"```sql\n(.*?)```", TEXT.split("## Conversions")[1], re.DOTALL
)


def test_the_examples_of_the_page_tell_what_is_missing(
    sandbox: Sandbox, lake: Lake, load_report: Loading
) -> None:
    sandbox.use("actions_missing")
    load_report()
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        unproven = opened.sql(UNPROVEN_SQL).fetchall()
        beside = opened.sql(BESIDE_SQL).fetchall()

    account = sandbox.account_ids[0]
    assert [row[:3] for row in unproven] == [("insights_daily", account, d) for d in DAYS[::-1]]
    assert [row[:3] for row in beside] == [(account, day, 0) for day in DAYS]
    for (*_, reason), (*_, whole) in zip(unproven, reversed(beside), strict=True):
        assert reason.startswith(
            f"actions omni_purchase: value 0 of {whole.normalize():f}, 1d_click"
        )
