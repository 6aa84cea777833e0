"""What the Dagster UI shows of a table and of a load. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.listings import Listing
    from warehouse.catalog import Published
    from warehouse.loads import Load
    from warehouse.schema import Table

__all__ = ["listing_metadata", "load_metadata", "published_metadata", "table_metadata"]


def table_metadata(table: Table) -> Mapping[str, Any]:
    """Of the asset itself: columns with meanings, the name to ask for in DuckDB, the grain."""
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(column.name, str(column.arrow_type), description=column.comment)
                for column in table.columns
            ],
            constraints=dg.TableConstraints(other=[f"unique({', '.join(table.grain)})"]),
        ),
        "dagster/table_name": f"main.{table.name}",
        "grain": ", ".join(table.grain),
    }


def load_metadata(load: Load) -> Mapping[str, Any]:
    """Of one account-day: numbers that the UI plots over time, and the verdict."""
    numbers = {
        "dagster/partition_row_count": load.rows,
        "impressions": load.impressions,
        "clicks": load.clicks,
        # A plot needs a float; the exact sum stands in `loads`.
        "spend": None if load.spend is None else float(load.spend),
        "control_impressions": load.control_impressions,
        "control_spend": None if load.control_spend is None else float(load.control_spend),
        "rejected": load.rejected,
        "calls": load.calls,
        "seconds": round(load.seconds, 3),
    }
    texts = {
        "verdict": load.verdict,
        "reason": load.reason,
        "api_version": load.api_version,
        "report_run_ids": ", ".join(load.report_run_ids),
    }
    return {key: value for key, value in {**numbers, **texts}.items() if value not in (None, "")}


def listing_metadata(listing: Listing, by_id: int) -> Mapping[str, Any]:
    """Of one account's objects: how many are listed, counted by the edge, and read by id."""
    counted = {} if listing.total_count is None else {"total_count": listing.total_count}
    return {"dagster/partition_row_count": len(listing.rows), "by_id": by_id, **counted}


def published_metadata(published: Published) -> Mapping[str, Any]:
    """Of the published file: where it is, its rows by table, how long it took."""
    return {
        "path": dg.MetadataValue.path(published.path),
        "seconds": round(published.seconds, 3),
        "rows": dict(published.rows),
    }
