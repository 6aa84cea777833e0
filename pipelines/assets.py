"""The assets: fetch, store, report. The other modules do the work.

What is partitioned serves ranges: one run may load many account-days, and each of them succeeds or
fails by itself. Reports ask for the control totals themselves, fresh, so a click on one cell of the
grid is enough; `control_daily` can also be loaded alone.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of assets as objects.
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from fbgraph import GraphClient, act_id
from fbgraph.errors import ENDS_EVERYTHING, GraphError
from pipelines.checks import COMPLETE, COUNTED, complete_result, counted_result
from pipelines.listings import (
    LEVEL_OF,
    Listing,
    accounts_in,
    discover,
    list_objects,
    store_accounts,
    store_objects,
)
from pipelines.load import Loader, threads
from pipelines.metadata import load_metadata, table_metadata
from pipelines.outcome import Outcome
from pipelines.partitions import ACCOUNT_DAYS, ACCOUNTS, AD_ACCOUNTS, account_day_of, key_of
from pipelines.recording import Part, record, record_good, stopping
from pipelines.reports import CONTROL, REPORTS, Report
from pipelines.resources import GraphResource
from warehouse.catalog import publish
from warehouse.errors import WarehouseError
from warehouse.lake import Lake
from warehouse.schema import TABLES

__all__ = ["ASSETS"]

# We know; the pin in requirements.lock holds it still.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

_log = logging.getLogger(__name__)

Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]

#: A backfill from the UI becomes one run; the loader inside has many account-days in flight.
_ONE_RUN: Final = dg.BackfillPolicy.single_run()


@dg.asset(
    group_name="objects",
    kinds={"parquet"},
    metadata=table_metadata(TABLES["accounts"]),
)
def accounts(context: dg.AssetExecutionContext, graph: GraphResource) -> dg.MaterializeResult[None]:
    """The ad accounts that the token sees, latest state (account_id). An account that vanishes
    keeps its row and its past. New ones appear in the grid of the other assets.
    """
    settings = graph.settings()
    with stopping(), settings.open_graph() as client:
        found = discover(client, settings.account_ids)
    table = store_accounts(Lake(settings.warehouse_url), found.rows, datetime.now(UTC))
    keys = [act_id(row["account_id"]) for row in found.rows]
    context.instance.add_dynamic_partitions(AD_ACCOUNTS, keys)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": table.num_rows,
            "seen_now": len(keys),
            "names": {act_id(row["account_id"]): str(row.get("name", "")) for row in found.rows},
            "refused": dict(found.refused),
        }
    )


def _objects(table: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=table,
        description=f"{TABLES[table].meaning} One partition per account; replaced whole.",
        group_name="objects",
        kinds={"parquet"},
        metadata=table_metadata(TABLES[table]),
        partitions_def=ACCOUNTS,
        deps=[accounts],
        backfill_policy=_ONE_RUN,
        check_specs=[
            dg.AssetCheckSpec(
                COUNTED,
                asset=table,
                description=f"As many {table} listed as the edge counts (total_count).",
            )
        ],
    )
    def listed(context: dg.AssetExecutionContext, graph: GraphResource) -> Results:
        settings = graph.settings()
        lake = Lake(settings.warehouse_url)
        known = accounts_in(lake)
        listings: dict[str, Listing] = {}

        def one(client: GraphClient, key: str) -> Part:
            account = known.get(key.removeprefix("act_"))
            if account is None:
                return Part(key, {}, "the token does not see this account")
            try:
                listing = list_objects(client, account.account_id, table)
                store_objects(lake, table, account, listing, datetime.now(UTC))
            except ENDS_EVERYTHING:
                raise
            except (GraphError, WarehouseError, OSError) as error:
                return Part(key, {}, str(error))
            listings[account.account_id] = listing
            if not listing.complete:
                _log.warning("%s of %s: %s", table, key, listing)
            return Part(key, _listing_metadata(listing))

        with stopping(), settings.open_graph() as client, threads(client) as pool:
            parts = list(pool.map(lambda key: one(client, str(key)), context.partition_keys))
        yield from record(context, parts, [counted_result(table, listings)])

    return listed


def _listing_metadata(listing: Listing) -> dict[str, int]:
    counted = {} if listing.total_count is None else {"total_count": listing.total_count}
    return {"dagster/partition_row_count": len(listing.rows), **counted}


def _report(report: Report) -> dg.AssetsDefinition:
    # Control totals have nothing that they could be held against.
    checked = report is not CONTROL
    complete = dg.AssetCheckSpec(
        COMPLETE,
        asset=report.name,
        description="Impressions, clicks and spend add up to the account's own totals.",
    )

    @dg.asset(
        name=report.name,
        description=f"{report.table.meaning} One row per {', '.join(report.table.grain)}. "
        "Replaces the account-day whole, so a rerun leaves one copy.",
        group_name="insights",
        kinds={"parquet"},
        metadata=table_metadata(report.table),
        partitions_def=ACCOUNT_DAYS,
        deps=[accounts],
        backfill_policy=_ONE_RUN,
        check_specs=[complete] if checked else [],
    )
    def loaded(context: dg.AssetExecutionContext, graph: GraphResource) -> Results:
        settings = graph.settings()
        lake = Lake(settings.warehouse_url)
        account_days = [account_day_of(str(key)) for key in context.partition_keys]
        outcomes: list[Outcome] = []
        with stopping(), settings.open_graph() as client:
            loader = Loader(client, lake, accounts_in(lake), context.run.run_id)
            try:
                outcomes.extend(loader.load(report, account_days))
            except BaseException:  # the token died, or somebody cancels
                record_good(context, map(_part, outcomes))
                raise
        parts = [_part(outcome) for outcome in outcomes]
        checks = [complete_result(report.name, outcomes)] if checked else []
        yield from record(context, parts, checks)

    return loaded


def _part(outcome: Outcome) -> Part:
    metadata = {} if outcome.load is None else load_metadata(outcome.load)
    return Part(key_of(outcome.account_day), metadata, outcome.error)


@dg.asset(
    group_name="published",
    kinds={"duckdb"},
    deps=[accounts, *LEVEL_OF, CONTROL.name, *REPORTS],
)
def warehouse_duckdb(graph: GraphResource) -> dg.MaterializeResult[None]:
    """`warehouse.duckdb`, what analysts open: all tables and views, copied from the lake. Who has
    the old file open keeps it; who opens it again sees the new one.
    """
    published = publish(graph.settings().warehouse_url)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(published.path),
            "seconds": round(published.seconds, 3),
            "rows": dict(published.rows),
        }
    )


ASSETS: Final = (
    accounts,
    *(_objects(table) for table in LEVEL_OF),
    *(_report(report) for report in (CONTROL, *REPORTS.values())),
    warehouse_duckdb,
)
