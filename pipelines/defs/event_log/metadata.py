"""Metadata: what the Dagster UI shows of a table, of a load and of a published file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import dagster as dg
import pyarrow.parquet as pq

from pipelines.escaping import escaped, escaped_for_markdown
from pipelines.loading.accounts.stored import account_names
from pipelines.loading.partitions import key_of
from pipelines.loading.refreshing.refresh import ReloadReason
from warehouse.lake.parquet import content_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from fbgraph import GraphClient
    from pipelines.asset_keys import AssetKeys
    from pipelines.loading.objects import Listed
    from pipelines.loading.refreshing.changes import ChangedDays
    from warehouse.decode.objects import Unreadable
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load
    from warehouse.published.publish import Published
    from warehouse.schema.table import Table, View

__all__ = [
    "LoadContext",
    "listing_metadata",
    "published_metadata",
    "refresh_metadata",
    "table_metadata",
    "unreadable_metadata",
]

#: Rows of a preview, and its columns if the table has them.
PREVIEW_ROWS: Final = 5
PREVIEWED: Final[Sequence[str]] = (
    *("hour", "campaign_name", "ad_name", "impressions", "clicks", "spend", "account_currency"),
)


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What is shown of a load next to its record: its file, its first rows, whose it is, and how
    much of its limits the account has used; and the keys of assets.
    """

    lake: Lake
    client: GraphClient | None
    names: Mapping[str, str | None]
    keys: AssetKeys

    @classmethod
    def of(cls, lake: Lake, client: GraphClient | None, keys: AssetKeys) -> Self:
        """With the names of accounts from the lake; without a client, nothing about limits."""
        return cls(lake, client, account_names(lake), keys)

    def of_load(self, load: Load) -> tuple[Mapping[str, Any], str]:
        """Metadata of one account-day, in the order of the page (whose it is and whether it is
        proven come first), and its data version.
        """
        key = self.lake.key(load.table, load.account_id, load.date)
        name = self.lake.store.name(key)
        file = self.lake.store.open(key)
        shown = {
            "account_name": escaped(self.names.get(load.account_id) or ""),
            **_load_metadata(load),
            "quota_percent": f"{self._quota_percent(load.account_id):g}",
            "path": dg.MetadataValue.path(name),
            "dagster/uri": name if "://" in name else Path(name).as_uri(),
            "preview": dg.MetadataValue.md(_preview(file)),
        }
        return shown, content_digest(self.lake.table(load.table), file)

    def _quota_percent(self, account_id: str) -> float:
        """The busiest limit of the account or of the whole app."""
        if self.client is None:
            return 0.0
        usage = self.client.usage().items()
        shares = (share for limit, share in usage if limit.account_id in {"", account_id})
        return max(shares, default=0.0)


def _preview(source: Path | pa.NativeFile) -> str:
    """The first rows as a table in Markdown."""
    file = pq.ParquetFile(source)
    columns = [name for name in PREVIEWED if name in file.schema_arrow.names]
    batch = next(file.iter_batches(PREVIEW_ROWS, columns=columns), None)
    rows = [] if batch is None else batch.to_pylist()
    lines = [columns, ["---"] * len(columns), *([_cell(row[c]) for c in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    """A value in one line of Markdown."""
    if isinstance(value, str):
        return escaped_for_markdown(value)
    return "" if value is None else str(value)


def table_metadata(table: Table | View) -> Mapping[str, Any]:
    """Metadata of the asset itself: columns and what they mean, its name in DuckDB, its grain."""
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(column.name, str(column.arrow_type), description=column.comment)
                for column in table.columns
            ],
            constraints=dg.TableConstraints(other=[f"unique({', '.join(table.grain)})"]),
        ),
        "dagster/table_name": f"warehouse.main.{table.name}",
        "dagster/storage_kind": "duckdb",
        "grain": ", ".join(table.grain),
    }


def _load_metadata(load: Load) -> Mapping[str, Any]:
    """Metadata of one account-day: the verdict and what proved it.

    As texts: Dagster plots numbers, over the days of all accounts at once, which says nothing. What
    is worth a plot is in the asset `health`.
    """
    shown = {
        "verdict": load.verdict,
        "progress": load.progress,
        "reason": load.reason,
        "conversions": load.conversions,
        "conversions_reason": load.conversions_reason,
        "asked_at": None if load.asked_at is None else f"{load.asked_at:%Y-%m-%d %H:%M:%S} UTC",
        "dagster/partition_row_count": load.rows,
        "impressions": load.impressions,
        "clicks": load.clicks,
        "spend": load.spend,
        "control_impressions": load.control_impressions,
        "control_clicks": load.control_clicks,
        "control_spend": load.control_spend,
        "rejected": load.rejected,
        "missing_fields": ", ".join(load.missing_fields),
        "repeated": load.repeated,
        "calls": load.calls,
        "seconds": round(load.seconds, 3),
        "api_version": load.api_version,
        "report_run_ids": ", ".join(load.report_run_ids),
    }
    return {
        key: value if key.startswith("dagster/") else str(value)
        for key, value in shown.items()
        if value not in (None, "")
    }


def listing_metadata(listed: Listed) -> Mapping[str, Any]:
    """Metadata of one account's objects: how many are listed, counted by the edge, and read by id,
    and what could not be read.
    """
    listing = listed.listing
    rows = {} if listing is None else {"dagster/partition_row_count": len(listing.rows)}
    total_count = "not counted" if listing is None else listing.total_count
    counted = {} if total_count is None else {"total_count": str(total_count)}
    return {
        **rows,
        "by_id": str(listed.by_id),
        **counted,
        **{key: str(value) for key, value in unreadable_metadata(listed.unreadable).items()},
    }


def unreadable_metadata(unreadable: Unreadable) -> Mapping[str, Any]:
    """What could not be read of accounts or objects: numbers for a plot, and the first value."""
    first = {"first_rejected": unreadable.first} if unreadable else {}
    return {"rejected": unreadable.objects, "rejected_cells": unreadable.cells, **first}


def published_metadata(published: Published) -> Mapping[str, Any]:
    """Metadata of the published file: where it is, its rows by table, how long it took, and tables
    of the lake that could not be published.
    """
    return {
        "path": dg.MetadataValue.path(published.path),
        "seconds": round(published.seconds, 3),
        "rows": dict(published.rows),
        **({"left_out": dict(published.left_out)} if published.left_out else {}),
        **{f"rows_of_{table}": rows for table, rows in published.rows.items()},
    }


def refresh_metadata(changed_days: ChangedDays, calls: int) -> Mapping[str, Any]:
    """Metadata of a refresh: numbers that the UI plots over time, and which account-days were
    reloaded why.
    """
    counts = changed_days.counts
    return {
        "pulled": sum(counts.values()),
        **{str(why): counts.get(str(why), 0) for why in ReloadReason},
        "calls": changed_days.calls + calls,
        "calls_of_entities": changed_days.entity_calls,
        "calls_of_a_full_lookback": changed_days.full.calls,
        "report_runs_of_a_full_lookback": changed_days.full.runs,
        "account_days": dg.MetadataValue.json({
            report: {
                key_of(cell): str(why)
                for cell, why in chosen.items()
                if why != ReloadReason.FULL
            }
            for report, chosen in changed_days.to_reload.items()
        }),
    }  # fmt: skip
