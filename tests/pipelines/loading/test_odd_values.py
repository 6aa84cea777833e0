"""Values that are not as they should be, through a whole load: they cost themselves alone."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from pipelines.defs.checks import report_results
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT, Report
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN
from warehouse.schema.verdicts import PROVEN, UNPROVABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome

    Rows = Callable[[str, date], list[tuple[Any, ...]]]


def loaded(
    report: Report, sandbox: Sandbox, client: GraphClient, lake: Lake, day: date
) -> Sequence[Outcome]:
    """One day of all accounts, published."""
    store_accounts(lake, discover(client).rows, NOW)
    loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
    outcomes = list(loader.load(report, [AccountDay(one, day) for one in sandbox.account_ids]))
    publish(lake.root)
    return outcomes


@pytest.mark.parametrize(
    ("scenario", "column", "lost", "reason"),
    [
        ("empty_value:5", "actions", "value", r"value of entry \d+: not a decimal number"),
        ("odd_entry:5", "actions", "entry", r"entry \d+ is null, not an object"),
        ("odd_cell:5", "full_view_impressions", "cell", "not a whole number"),
        ("half_character:5", "campaign_name", "nothing", ".*U.FFFD is stored in its place"),
    ],
)
def test_row_spend_and_day_load_and_are_proven_and_what_is_lost_is_told(
    sandbox: Sandbox,
    client: GraphClient,
    lake: Lake,
    days: Sequence[date],
    truth_rows: Rows,
    lake_rows: Rows,
    scenario: str,
    column: str,
    lost: str,
    reason: str,
) -> None:
    sandbox.use(scenario)

    outcomes = loaded(HOURLY_REPORT, sandbox, client, lake, days[1])

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    for one in sandbox.account_ids:
        assert lake_rows(one, days[1]) == truth_rows(one, days[1])
    with warehouse.open(lake.root) as opened:
        loads = opened.sql(
            "SELECT account_id, verdict, rejected, rejected_cells, rows FROM loads"
            " WHERE table_name = 'insights_hourly'"
        ).fetchall()
        rejects = opened.sql(
            "SELECT account_id, column_name, lost, reason FROM rejects"
            " WHERE table_name = 'insights_hourly'"
        ).fetchall()
    assert {(verdict, rejected) for _, verdict, rejected, *_ in loads} == {(PROVEN, 0)}
    assert {tuple(one[1:3]) for one in rejects} == {(column, lost)}
    assert all(re.fullmatch(reason, one[3]) for one in rejects)
    told = Counter(one[0] for one in rejects)
    for account_id, _, _, cells, rows in loads:
        assert abs(told[account_id] - rows / 5) <= 1
        assert cells == (0 if lost == "nothing" else told[account_id])
    [check] = [
        r for r in report_results(dg.AssetKey("x"), outcomes, {}) if r.check_name == "rejects"
    ]
    assert check.passed is (lost == "nothing")


def test_an_asset_is_one_key_whatever_its_address_and_a_repeated_row_counts_once(
    sandbox: Sandbox, client: GraphClient, tmp_path: Path, days: Sequence[date]
) -> None:
    spec = ReportSpec(name="by_image", level="ad", fields=(), breakdowns=("image_asset",))
    report = Report.of(spec)
    lake = Lake(tmp_path / "lake", catalog=OWN.with_table(report.table))
    sandbox.use("signed_again")

    outcomes = loaded(report, sandbox, client, lake, days[1])

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert {one.load.verdict for one in outcomes if one.load} == {UNPROVABLE}
    assert [one.duplicates for one in outcomes] == [0] * len(sandbox.account_ids)
    assert {one.load.repeated for one in outcomes if one.load} == {1}
    with warehouse.open(lake.root) as opened:
        found = opened.sql(
            "SELECT ad_id, image_asset_id, impressions, spend FROM by_image ORDER BY ALL"
        ).fetchall()
        images = opened.sql(
            "SELECT count(DISTINCT image_asset_id), count(DISTINCT image_asset_hash),"
            " count(DISTINCT image_asset_url) > 10 FROM by_image"
        ).fetchall()
    truth = [
        (row["ad_id"], row["image_asset"], int(row["impressions"]), Decimal(row["spend"]))
        for one in sandbox.account_ids
        for row in sandbox.truth(one, days[1], ("image_asset",))["rows"]
    ]
    assert found == sorted(truth)
    assert images == [(3, 3, True)]


def test_totals_that_come_twice_count_once(
    sandbox: Sandbox, client: GraphClient, lake: Lake, days: Sequence[date]
) -> None:
    sandbox.use("totals_twice")

    outcomes = loaded(HOURLY_REPORT, sandbox, client, lake, days[0])

    assert {one.load.verdict for one in outcomes if one.load} == {PROVEN}
    assert not any(one.error for one in outcomes)
    with warehouse.open(lake.root) as opened:
        totals = opened.sql("from control_daily select account_id").fetchall()
    assert len(totals) == len(set(totals)) > 0
