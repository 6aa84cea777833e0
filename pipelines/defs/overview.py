"""The asset `overview`: the page to look at, made after each refresh, or by a click."""

# No `from __future__ import annotations`: Dagster reads the annotations of assets as objects.
from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.asset_keys import AssetKeys
from pipelines.overview.keeping import KEPT_DAYS, keep_overview
from pipelines.resources import GraphResource
from warehouse.errors import WarehouseError

__all__ = ["overview_asset", "overview_event"]


def overview_asset(keys: AssetKeys) -> dg.AssetsDefinition:
    """The asset, for Dagster's pages."""

    @dg.asset(
        key=keys("overview"),
        group_name=keys.group_of("overview", "published"),
        kinds={"html"},
        tags={"source": "meta", "domain": "advertising"},
        deps=[keys("warehouse_duckdb")],
        description="One HTML page to look at: how each account is doing, and whether its numbers "
        "are complete. Each refresh makes it, and *Materialize* does so now; it is next to "
        "warehouse.duckdb as overview.html, and "
        f"the pages of the last {KEPT_DAYS} days are in overviews. It needs no network.",
    )
    def overview(graph: GraphResource) -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata=_made(graph))

    return overview


def overview_event(graph: GraphResource, keys: AssetKeys) -> dg.AssetMaterialization | str:
    """Make the page; the event of it, or why it could not be made, which nothing else depends
    on.
    """
    try:
        return dg.AssetMaterialization(keys("overview"), metadata=_made(graph))
    except (WarehouseError, OSError) as error:
        return f"The page overview.html was not made: {error}"


def _made(graph: GraphResource) -> Mapping[str, Any]:
    path, made = keep_overview(graph.settings().warehouse_url, graph.now())
    return {
        "path": dg.MetadataValue.path(str(path.resolve())),
        "trust": made.headline,
        "days": made.span,
        "accounts": made.number,
        "bytes": len(made.html.encode()),
    }
