"""The check `fresh`: whether every account has the newest day that it should have, by its own
clock.

A check that only ran with a load would never report that no load ran, so a sensor runs it as well.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of checks as objects.
import json
from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.defs.checks import FRESH, NEWEST, expected, fresh_result
from pipelines.defs.event_log.events import evaluation_of
from pipelines.loading.accounts.stored import accounts_in
from pipelines.reports.catalog import Reports
from pipelines.resources import GraphResource
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.schema.catalog import Catalog

__all__ = ["fresh_check", "freshness_sensor", "yesterdays"]


def yesterdays(
    lake: Lake, report: str, accounts: Mapping[str, Account], now: datetime
) -> Mapping[str, Load | None]:
    """The load of the day, week or month that each account should have by now, by account (digits),
    for accounts with any load of the report.
    """
    period = lake.table(report).period
    cells = [(i, expected(accounts[i], now, period)) for i in sorted(accounts)]
    loads = lake.loads_of(report, cells)
    return {
        account_id: load
        for (account_id, _), load in zip(cells, loads, strict=True)
        if load or lake.partitions(report, account_id)
    }


def _result(
    graph: GraphResource, report: str, catalog: Catalog, keys: AssetKeys, now: datetime
) -> dg.AssetCheckResult:
    lake = Lake(graph.settings().warehouse_url, catalog=catalog)
    accounts = accounts_in(lake)
    newest = yesterdays(lake, report, accounts, now)
    return fresh_result(keys(report), accounts, newest, now, catalog.tables[report].period)


def fresh_check(report: str, catalog: Catalog, keys: AssetKeys) -> dg.AssetChecksDefinition:
    """The check of one report, which a person can run by a click."""

    @dg.asset_check(
        name=FRESH,
        asset=keys(report),
        description=f"Every account's {NEWEST[catalog.tables[report].period]} is loaded and proven"
        " by late morning of its own clock.",
    )
    def fresh(graph: GraphResource) -> dg.AssetCheckResult:
        return _result(graph, report, catalog, keys, graph.now())

    return fresh


def freshness_sensor(reports: Reports, keys: AssetKeys) -> dg.SensorDefinition:
    """The sensor that records those checks, of all reports."""

    @dg.sensor(
        minimum_interval_seconds=900,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Checks whether every account's yesterday is loaded and proven, and records the"
        " check `fresh` when that changes. Reads the lake; makes no request to Meta.",
    )
    def freshness(
        context: dg.SensorEvaluationContext, graph: GraphResource
    ) -> dg.SensorResult | dg.SkipReason:
        results = {
            report: _result(graph, report, reports.catalog, keys, graph.now())
            for report in reports.by_name
        }
        seen = {report: str(result.metadata["named"].value) for report, result in results.items()}
        cursor = json.dumps(seen, sort_keys=True)
        if cursor == context.cursor:
            return dg.SkipReason("Nothing has changed since the last check.")
        events = [evaluation_of(result) for result in results.values()]
        return dg.SensorResult(asset_events=events, cursor=cursor)

    return freshness
