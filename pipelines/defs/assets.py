"""The assets: fetch, store, report. The other modules do the work.

Partitioned assets load ranges: one run may load many account-days, and each of them succeeds or
fails by itself. Reports request the control totals themselves, so a click on one cell of the grid
is enough; `control_daily` can also be loaded alone.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of assets as objects.
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.defs.checks import counted_result, counted_spec, report_results, report_specs
from pipelines.defs.event_log.data_versions import accounts_version
from pipelines.defs.event_log.events import (
    accounts_metadata,
    listed_part,
    loaded_part,
    published_events,
    totals_events,
)
from pipelines.defs.event_log.metadata import LoadContext, table_metadata
from pipelines.defs.event_log.run_events import RunRecorder, add_to_grid, log_events, record
from pipelines.defs.partitions import ACCOUNTS, Grid, account_days_of
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.restricted import with_restricted_fields
from pipelines.loading.emptiness import accepts_empty
from pipelines.loading.objects import keep_pictures, load_objects
from pipelines.loading.partitions import account_day_of
from pipelines.loading.session import Loads, Session, load_accounts
from pipelines.reports.catalog import CONTROL, Report, Reports
from pipelines.reports.files import Broken
from pipelines.reports.names import reserved
from pipelines.resources import GraphResource, stopping
from pipelines.state.homes import keep_prefix
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish, require_carried
from warehouse.schema.catalog import OWN, Catalog
from warehouse.schema.objects.object_table import ObjectTable
from warehouse.schema.tables import TABLES

__all__ = [
    "accounts",
    "loaded_assets",
    "objects_asset",
    "report_asset",
    "view_specs",
    "warehouse_duckdb",
]

# We know; the pin in requirements.lock holds it still.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

#: Names of assets that Dagster and a file system take; `__ASSET_JOB` is Dagster's own.
_ASSET: Final = re.compile("[a-z][a-z0-9_]{0,59}")

Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]

TAGS: Final = {"source": "meta", "domain": "advertising"}

#: Updated daily. Whether every account has its yesterday, the check `fresh` shows.
DAILY: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
)

#: A backfill from the UI becomes one run; the loader inside has many account-days in flight.
_ONE_RUN: Final = dg.BackfillPolicy.single_run()


def _accounts(keys: AssetKeys) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys("accounts"),
        group_name=keys.group_of("accounts", "objects"),
        kinds={"parquet"},
        tags=TAGS,
        metadata=table_metadata(TABLES["accounts"]),
    )
    def accounts(
        context: dg.AssetExecutionContext, graph: GraphResource
    ) -> dg.MaterializeResult[None]:
        """The ad accounts that the token sees, latest state (account_id).

        An account that disappears keeps its row and its past. New ones appear in the grid of the
        other assets.
        """
        settings = graph.settings()
        with stopping(), settings.open_graph() as client:
            found = discover(client, settings.account_ids)
            lake = Lake(settings.warehouse_url)
            found = with_restricted_fields(client, lake, found, graph.now())
            loaded = load_accounts(lake, found, graph.now())
            add_to_grid(context.instance, lake, loaded)
            keep_prefix(context.instance, keys.prefix)
        return dg.MaterializeResult(
            metadata=accounts_metadata(loaded), data_version=dg.DataVersion(accounts_version(lake))
        )

    return accounts


#: For Dagster projects of users that have no component `Warehouse`.
accounts: Final = _accounts(AssetKeys())


def objects_asset(
    row: ObjectTable, catalog: Catalog, keys: AssetKeys, owners: Sequence[str]
) -> dg.AssetsDefinition:
    """The asset of a kind of objects, whose tables are in `catalog`: a partition per account."""
    key = keys(row.name)

    @dg.asset(
        key=key,
        description=f"{row.meaning} One partition per account, replaced as a whole.",
        group_name=keys.group_of(row.name, "objects"),
        kinds={"parquet"},
        owners=owners,
        tags=TAGS,
        metadata=table_metadata(row.latest),
        partitions_def=ACCOUNTS,
        deps=[keys("accounts")],
        backfill_policy=_ONE_RUN,
        output_required=False,  # of many partitions each is logged by itself
        check_specs=[counted_spec(key, row)],
    )
    def listed(context: dg.AssetExecutionContext, graph: GraphResource) -> Results:
        settings = graph.settings()
        lake = Lake(settings.warehouse_url, catalog=catalog)
        account_ids = [str(key).removeprefix("act_") for key in context.partition_keys]
        with stopping(), settings.open_graph() as client:
            found = load_objects(client, lake, [row.name], account_ids, graph.now)
            if settings.media:
                keep_pictures(client, lake, account_ids, graph.now, [row.name])
        parts = [listed_part(one, lake) for one in found]
        yield from record(context, lake, keys, parts, [counted_result(key, found)])

    return listed


def report_asset(
    report: Report, catalog: Catalog, grid: Grid, keys: AssetKeys
) -> dg.AssetsDefinition:
    """The asset of a report, whose table is in `catalog`: a partition per account-day, and its
    checks.
    """
    # There is nothing to compare control totals with.
    checked, key = report is not CONTROL, keys(report.name)

    @dg.asset(
        key=key,
        description=f"{report.table.meaning} One row per {', '.join(report.table.grain)}. "
        f"Each load replaces the whole account-{report.period}, so a re-run never duplicates rows.",
        group_name=keys.group_of(report.name, "insights"),
        kinds={"parquet"},
        owners=report.spec.owners,
        tags=TAGS,
        metadata=table_metadata(report.table),
        partitions_def=account_days_of(grid, report.spec.start_date, report.period),
        freshness_policy=DAILY if checked else None,
        deps=[keys("accounts")],
        backfill_policy=_ONE_RUN,
        output_required=False,  # of many partitions each is logged by itself
        check_specs=(report_specs(key, report.no_sums, report.no_conversions) if checked else []),
    )
    def loaded(context: dg.AssetExecutionContext, graph: GraphResource) -> Results:
        settings = graph.settings()
        lake = Lake(settings.warehouse_url, catalog=catalog)
        account_days = [account_day_of(str(key)) for key in context.partition_keys]
        loads = Loads(report)
        with stopping(), settings.open_graph() as client:
            recorder = RunRecorder(context.op_execution_context, lake, client, keys)
            session = Session(
                *(client, lake, context.run.run_id, graph.now, recorder),
                accept_empty=accepts_empty(context.run.tags),
                delay=settings.intraday_delay,
            )
            try:
                session.load_into(loads, account_days)
            except BaseException:  # the token is invalid, or somebody cancels
                recorder.loaded(loads)
                raise
            load_context = LoadContext.of(lake, client, keys)
            parts = [loaded_part(outcome, load_context) for outcome in loads.outcomes]
            totals = totals_events(loads, load_context, recorder.news)
            log_events(context.op_execution_context, totals)
        found = (key, loads.outcomes, loads.known, loads.silence)
        checks = report_results(*found) if checked else []
        yield from record(context, lake, keys, parts, checks)

    return loaded


def _lake(reports: Reports, keys: AssetKeys) -> dg.AssetSpec:
    """Nothing loads it. Its data version is its last change, so `warehouse_duckdb` is "Unsynced"
    exactly while the lake has something that it does not show. The partitions of the reports cannot
    show that: Dagster does not check them for an asset with a hundred of them or more.
    """
    return dg.AssetSpec(
        keys("lake"),
        description="The Parquet files of every load. The data version is the last change "
        "that `follow_lake` or a publish saw.",
        group_name=keys.group_of("lake", "published"),
        kinds={"parquet"},
        tags=TAGS,
        deps=[*map(keys, (*reports.catalog.objects, CONTROL.name, *reports.by_name))],
    )


def _published(catalog: Catalog, keys: AssetKeys) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys("warehouse_duckdb"),
        group_name=keys.group_of("warehouse_duckdb", "published"),
        kinds={"duckdb"},
        tags=TAGS,
        freshness_policy=DAILY,
        deps=[keys("lake")],
    )
    def warehouse_duckdb(
        context: dg.AssetExecutionContext, graph: GraphResource
    ) -> dg.MaterializeResult[None]:
        """`warehouse.duckdb`, the file that analysts open: all tables and views, copied from the
        lake.

        Anyone who has the old file open keeps it, and sees the new one after opening it again.
        """
        settings = graph.settings()
        done = publish(settings.warehouse_url, catalog=catalog, destination=settings.destination)
        seen, published = published_events(done, keys)
        context.log_event(seen)
        if done.not_carried:  # the file is published all the same
            context.log_event(published)
            require_carried(done.not_carried)
        return dg.MaterializeResult(metadata=published.metadata, tags=published.tags)

    return warehouse_duckdb


#: The same: with the tables that are defined in the lake.
warehouse_duckdb: Final = _published(OWN, AssetKeys())


def view_specs(catalog: Catalog, keys: AssetKeys) -> Iterator[dg.AssetSpec]:
    """The views, for analysts who look in the catalog, at the end of the lineage; nothing loads
    them.
    """
    for view in catalog.views.values():
        yield dg.AssetSpec(
            keys(view.name),
            description=f"{view.meaning} A view in warehouse.duckdb, computed when it is queried.",
            group_name=keys.group_of(view.name, "views"),
            kinds={"duckdb", "view"},
            tags=TAGS,
            deps=[keys("warehouse_duckdb")],
            metadata=table_metadata(view),
        )


def loaded_assets(
    reports: Reports, grid: Grid, keys: AssetKeys, elsewhere: Collection[str]
) -> Iterator[dg.AssetsDefinition | dg.AssetSpec]:
    """All assets: everything that is loaded, and everything built from it, but for reports that
    are defined `elsewhere`. A report that cannot be loaded has an asset too, which
    fails with the reason.
    """
    yield _accounts(keys)
    for row in reports.catalog.listed:
        if row.name not in elsewhere:
            own = reports.objects.get(row.name)
            yield objects_asset(row, reports.catalog, keys, own.owners if own else ())
    for report in (CONTROL, *reports.by_name.values()):
        if report.name not in elsewhere:
            yield report_asset(report, reports.catalog, grid, keys)
    broken = {name: why for name, why in reports.broken.items() if name not in elsewhere}
    for name, why in _broken_names(broken, reports.by_name).items():
        yield _broken_asset(name, why, keys)
    yield _lake(reports, keys)
    yield _published(reports.catalog, keys)


def _broken_names(
    broken: Mapping[str, Broken], names_taken: Collection[str]
) -> Mapping[str, Broken]:
    """Names of assets for what cannot be loaded: a file may be called anything, and a report by the
    name of something else.
    """
    names: dict[str, Broken] = {}
    for name, why in broken.items():
        is_free = _ASSET.fullmatch(name) and not reserved(name)
        free = name if is_free else "broken_" + re.sub("[^A-Za-z0-9_]+", "_", name)[-99:]
        while free in names or free in names_taken:
            free += "_"
        names[free] = why
    return names


def _broken_asset(name: str, broken: Broken, keys: AssetKeys) -> dg.AssetsDefinition:
    why = f"{broken.why[:1].upper()}{broken.why[1:]}"

    @dg.asset(key=keys(name), group_name=keys.group_of(name, "broken"), description=why)
    def fails() -> None:
        raise dg.Failure(f"{why}\nFix its file, then reload the code location.")

    return fails
