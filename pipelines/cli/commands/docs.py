"""`fbinsights docs`: what tables and columns mean, as Markdown, for dbt or for another engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.project.ready_page import render_presets
from pipelines.reports.docs import render_breakdowns
from pipelines.settings import settings_of
from warehouse.published.dbt import render_sources
from warehouse.schema.comments import render
from warehouse.schema.external import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.reports.catalog import Reports
    from warehouse.schema.catalog import Catalog

__all__ = ["run_breakdowns", "run_dbt", "run_docs", "run_presets"]


def run_docs(environ: Mapping[str, str], catalog: Catalog, table: str, engine: str | None) -> None:
    """Print all tables, or one `table`; for an `engine` its CREATE statements. Raises
    UnknownTableError.
    """
    if engine is None:
        click.echo(render(catalog, table), nl=False)
        return
    url = settings_of(environ).warehouse_url
    # Not `as_uri`: Spark and Trino take a path as it is written and do not decode %20 in it.
    root = url if "://" in url else f"file://{Path(url).expanduser().resolve()}"
    click.echo(statements(catalog, engine, root, [table] if table else []))


def run_dbt(reports: Reports, table: str) -> None:
    """Print all tables, or one `table`, as a source of dbt. Raises ConfigError,
    UnknownTableError.
    """
    from pipelines.asset_keys import AssetKeys  # noqa: PLC0415  # Dagster, for this one alone

    asset_key = AssetKeys.of(reports)("warehouse_duckdb").path
    click.echo(render_sources(reports.catalog, asset_key, table), nl=False)


def run_breakdowns() -> None:
    """Print what Meta returns for breakdowns."""
    click.echo(render_breakdowns(), nl=False)


def run_presets() -> None:
    """Print the page about all ready reports."""
    click.echo(render_presets(), nl=False)
