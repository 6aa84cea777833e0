"""The loader against the sandbox: what is in the lake is what the sandbox says it served."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from fbgraph.errors import TokenError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT, Report
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW
from tests.reports import KNOWN
from tests.seeds import seed_lake
from warehouse.decode.pages import Account
from warehouse.errors import ChangedKeyError, FullDiskError
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome

    Load = Callable[..., Sequence[Outcome]]
    Rows = Callable[[str, date], list[tuple[Any, ...]]]


FAULTS = [
    (),
    ("empty_pages",),
    ("flaky",),
    ("throttled",),
    ("run_fails_once",),
    ("run_skipped_once",),
    ("run_stuck_at_100",),
    ("fresh_run_unknown",),
    ("empty_pages", "flaky", "run_fails_once", "throttled"),
]


@pytest.mark.parametrize("faults", FAULTS, ids="+".join)
def test_every_account_day_holds_exactly_what_the_sandbox_served(
    sandbox: Sandbox,
    load: Load,
    days: Sequence[date],
    truth_rows: Rows,
    lake_rows: Rows,
    faults: Sequence[str],
) -> None:
    sandbox.use(*faults)

    outcomes = load(days)

    cells = [(account_id, day) for account_id in sandbox.account_ids for day in days]
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert all(outcome.load and outcome.load.proven for outcome in outcomes)
    assert {cell: lake_rows(*cell) for cell in cells} == {cell: truth_rows(*cell) for cell in cells}


def test_days_of_which_no_rows_are_expected_have_a_report_run_too(
    sandbox: Sandbox, load: Load, days: Sequence[date]
) -> None:
    sandbox.use("empty_hour:600")
    load(days[:1])
    sandbox.reset_calls()

    load(days[1:2])

    assert len(sandbox.calls()["runs"]) == len(sandbox.account_ids)


def test_rows_of_archived_and_deleted_ads_and_rows_without_an_hour_are_among_them(
    sandbox: Sandbox, client: GraphClient, load: Load, days: Sequence[date], lake: Lake
) -> None:
    load(days)

    rows = lake.read("insights_hourly").select(["account_id", "ad_id", "hour"]).to_pylist()
    live = {
        ad["id"]
        for account_id in sandbox.account_ids
        for ad in client.account(account_id).edge("ads", fields=["id"])
    }
    assert sum(row["ad_id"] not in live for row in rows) > len(rows) // 5
    assert sum(row["hour"] is None for row in rows) > 0


@pytest.mark.parametrize(
    ("zone", "day", "lengths"),
    [
        ("Europe/Berlin", date(2026, 3, 29), {2: 0}),  # the clock skips 02:00
        ("Europe/Berlin", date(2026, 10, 25), {2: 7200}),  # 02:00 comes twice
        ("America/Los_Angeles", date(2026, 11, 1), {1: 7200}),
        ("Australia/Adelaide", date(2026, 10, 4), {2: 0}),
        ("Asia/Tokyo", date(2026, 10, 25), {}),
    ],
)
def test_a_day_when_the_clock_changes_is_whole_and_its_hours_are_as_long_as_they_were(
    sandbox: Sandbox,
    load: Load,
    lake: Lake,
    truth_rows: Rows,
    lake_rows: Rows,
    zone: str,
    day: date,
    lengths: dict[int, int],
) -> None:
    accounts = sandbox.world()["accounts"]
    account_id = next(a["account_id"] for a in accounts if a["timezone_name"] == zone)

    [outcome] = load([day], [account_id])

    rows = lake.read("insights_hourly").select(["hour", "hour_seconds"]).to_pylist()
    measured = {row["hour"]: row["hour_seconds"] for row in rows if row["hour"] is not None}
    assert outcome.load
    assert outcome.load.proven
    assert lake_rows(account_id, day) == truth_rows(account_id, day)
    assert measured == {hour: lengths.get(hour, 3600) for hour in measured}
    assert (2 not in measured) == (lengths.get(2) == 0)


def test_loading_again_leaves_the_same_rows_and_notes_no_restatement(
    load: Load, days: Sequence[date], lake: Lake
) -> None:
    load(days, run_id="run-1")
    before = lake.read("insights_hourly")

    load(days, run_id="run-2")

    assert lake.read("insights_hourly").equals(before)
    assert lake.restatements().num_rows == 0
    assert set(lake.loads()["run_id"].to_pylist()) == {"run-2"}


def test_an_account_without_permission_fails_alone(
    sandbox: Sandbox, load: Load, days: Sequence[date]
) -> None:
    sandbox.use("forbidden_account")

    outcomes = load(days)

    failed = {o.account_day.account_id for o in outcomes if o.error}
    assert failed == {sandbox.account_ids[1]}
    assert all("(#200)" in o.error for o in outcomes if o.error)
    assert len([o for o in outcomes if o.load]) == (len(sandbox.account_ids) - 1) * len(days)


def test_a_dead_token_stops_everything_and_touches_nothing(
    sandbox: Sandbox, load: Load, days: Sequence[date], lake: Lake
) -> None:
    load(days)
    before = lake.loads()
    accounts = {i: Account(i, "UTC", "EUR") for i in sandbox.account_ids}
    with GraphClient(sandbox.expired_token, base_url=sandbox.url) as expired:
        loader = Loader(expired, lake, accounts, "run-2")

        with pytest.raises(TokenError, match="FB_ACCESS_TOKEN"):
            list(loader.load(HOURLY_REPORT, [AccountDay(i, days[0]) for i in accounts]))

    assert lake.loads().equals(before)


def test_a_first_load_that_does_not_add_up_is_kept_and_marked(
    sandbox: Sandbox, load: Load, days: Sequence[date], lake: Lake
) -> None:
    sandbox.use("wrong_rows")
    [busiest, *_] = sandbox.account_ids

    [outcome] = load(days[:1], [busiest])

    assert outcome.load
    assert not outcome.load.proven
    assert "short of the account's total" in outcome.load.reason
    assert lake.load_of("insights_hourly", busiest, days[0]) == outcome.load


def test_what_is_proven_is_not_replaced_by_what_is_not(
    sandbox: Sandbox, load: Load, days: Sequence[date], lake_rows: Rows
) -> None:
    [busiest, *_] = sandbox.account_ids
    load(days[:1], [busiest], run_id="run-1")
    before = lake_rows(busiest, days[0])
    sandbox.use("wrong_rows")

    [outcome] = load(days[:1], [busiest], run_id="run-2")

    assert "is proven and was kept" in outcome.error
    assert lake_rows(busiest, days[0]) == before


def test_a_restated_day_is_replaced_and_what_changed_is_noted(
    sandbox: Sandbox,
    load: Load,
    days: Sequence[date],
    truth_rows: Rows,
    lake_rows: Rows,
    lake: Lake,
) -> None:
    [busiest, *_] = sandbox.account_ids
    load(days[:1], [busiest], run_id="run-1")
    sandbox.use("restated")

    load(days[:1], [busiest], run_id="run-2")

    assert lake_rows(busiest, days[0]) == truth_rows(busiest, days[0])
    assert "insights_hourly" in lake.restatements()["table_name"].to_pylist()


def test_control_totals_are_asked_for_once_a_run_however_many_reports_it_loads(
    sandbox: Sandbox, load: Load, days: Sequence[date]
) -> None:
    busiest = sandbox.account_ids[0]
    load(days, [busiest], run_id="run-1")
    load(days, [busiest], run_id="run-1")
    once = _calls(sandbox, "/{id}/insights")

    load(days, [busiest], run_id="run-2")

    assert (once, _calls(sandbox, "/{id}/insights")) == (2 + 1, 3 + 2)


def _calls(sandbox: Sandbox, ending: str) -> int:
    """GETs of a path: here pages of report runs, two a load, and control totals, one a run."""
    calls = sandbox.calls()["calls"]
    return sum(c["count"] for c in calls if c["method"] == "GET" and c["path"].endswith(ending))


def test_calls_for_control_totals_that_were_too_much_are_few_and_counted(
    sandbox: Sandbox, load: Load, days: Sequence[date]
) -> None:
    sandbox.use("sync_times_out:1")

    outcomes = load(days, sandbox.account_ids[:1])

    told = sum(outcome.load.calls for outcome in outcomes if outcome.load)
    calls = sandbox.calls()["calls"]
    made = sum(c["count"] for c in calls if c["path"] not in {"/", "/me/adaccounts"})
    assert told == made
    # A page of the run; control totals of all days, of two, and of each by itself.
    assert _calls(sandbox, "/{id}/insights") == 1 + 1 + 1 + 3


@pytest.mark.parametrize(
    ("account_id", "ahead", "error", "skipped"),
    [("1", 0, "does not see this account", ""), (None, 9, "", "has not begun")],
)
def test_what_cannot_be_asked_for_is_told_without_a_call(
    sandbox: Sandbox,
    load: Load,
    days: Sequence[date],
    account_id: str | None,
    ahead: int,
    error: str,
    skipped: str,
) -> None:
    [outcome] = load([days[-1] + timedelta(days=ahead)], [account_id or sandbox.account_ids[0]])

    assert outcome.load is None
    assert (error in outcome.error, bool(error)) == (True, bool(outcome.error))
    assert (skipped in outcome.skipped, bool(skipped)) == (True, bool(outcome.skipped))


def test_runs_that_are_too_large_are_split_down_to_the_objects_of_the_rows_and_no_further(
    sandbox: Sandbox, client: GraphClient, lake: Lake, load: Load, days: Sequence[date]
) -> None:
    """A row of a campaign for some of its ads would be a part of the row."""
    load(days[:1])
    accounts, account_id = accounts_in(lake), sandbox.account_ids[0]

    def loaded(level: str, scenario: str) -> tuple[Outcome, list[dict[str, Any]], int]:
        keys: dict[str, Any] = {
            "fields": ("impressions", "clicks", "spend", "reach"),
            "breakdowns": ("age",),
        }
        report = Report.of(ReportSpec(name=f"by_{level}", level=level, **keys))
        known = Lake(lake.root, catalog=KNOWN.catalog.with_table(report.table))
        sandbox.use(*filter(None, [scenario]))
        before = client.tally.calls
        loader = Loader(client, known, accounts, "run-2", now=lambda: NOW)
        [outcome] = loader.load(report, [AccountDay(account_id, days[0])])
        rows = known.read(report.table).sort_by([(key, "ascending") for key in report.table.grain])
        return outcome, rows.to_pylist(), client.tally.calls - before

    for level in ("account", "campaign", "adset"):
        whole, rows, _ = loaded(level, "")
        small, again, _ = loaded(level, "run_too_many_objects:1" if level != "account" else "")
        lost, kept, calls = loaded(level, "run_too_many_rows:5")

        assert (whole.error, small.error) == ("", "")
        assert whole.load
        assert whole.load.proven
        assert small.load
        assert small.load.proven
        assert again == rows
        assert len({row[f"{level}_id"] for row in rows}) > (level != "account")
        assert "-3/1504045" in lost.error, level
        assert kept == rows
        assert calls <= {"account": 8, "campaign": 30, "adset": 34}[level]


def test_a_report_with_another_key_than_its_table_is_refused_without_a_call(
    client: GraphClient, lake: Lake, load: Load, days: Sequence[date], sandbox: Sandbox
) -> None:
    """A process that has read its reports long ago, or knows others: see `reports_of`."""
    load(days[:1])  # accounts are in the lake
    account_days = [AccountDay(sandbox.account_ids[0], days[0])]

    def report(**changes: Any) -> Report:
        keys = {"name": "mine", "level": "campaign", "fields": ("spend",), "breakdowns": ("age",)}
        return Report.of(ReportSpec(**keys | changes))

    def loading(one: Report) -> Sequence[Outcome]:
        known = Lake(lake.root, catalog=KNOWN.catalog.with_table(one.table))
        loader = Loader(client, known, accounts_in(known), "run-2", now=lambda: NOW)
        return list(loader.load(one, account_days))

    [first] = loading(report())
    calls = client.tally.calls

    with pytest.raises(ChangedKeyError, match=r"^mine: breakdowns changed from \[age\] to \[\] s"):
        loading(report(breakdowns=()))

    assert (client.tally.calls, first.error) == (calls, "")
    assert [where.date for where in lake.partitions(report().table)] == [days[0]]
    [wider] = loading(report(fields=("spend", "reach")))
    assert (wider.error, lake.read("mine").num_rows) == ("", first.load.rows if first.load else 0)


def test_a_full_disk_stops_the_load_with_one_error_and_leaves_what_was_loaded(
    client: GraphClient, days: Sequence[date], small_disk: Path
) -> None:
    lake = Lake(seed_lake(small_disk / "lake"), catalog=KNOWN.catalog)
    store_accounts(lake, discover(client).rows, NOW)
    loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
    every = [AccountDay(i, day) for i in accounts_in(lake) for day in days]
    [first] = loader.load(HOURLY_REPORT, every[:1])
    with suppress(OSError):
        (small_disk / "filler").write_bytes(bytes(3_000_000))

    with pytest.raises(FullDiskError, match=r"No space left .* Free disk space under .* again"):
        list(loader.load(HOURLY_REPORT, every))

    assert lake.loads_of("insights_hourly", every) == [first.load] + [None] * (len(every) - 1)
