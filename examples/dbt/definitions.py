"""The marts in Dagster: they follow the published file.

Each publish of fbinsights is an event of its asset `warehouse_duckdb`, on which all models depend
(sources.yml says so), and `eager` builds them after it. For a build at fixed hours instead:
``dg.AutomationCondition.on_cron("0 7 * * *")``.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

# The dbt of this environment, activated or not.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

PROJECT = DbtProject(Path(__file__).parent)
PROJECT.prepare_if_dev()  # `dagster dev` parses it; elsewhere run `dbt parse` after each change


class FollowsThePublishedFile(DagsterDbtTranslator):
    """Builds what depends on something that is newer."""

    def get_automation_condition(self, _properties: Mapping[str, Any]) -> dg.AutomationCondition:
        return dg.AutomationCondition.eager()


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    select="path:models/marts",  # with their tests; those of sources are for `dbt build`
    dagster_dbt_translator=FollowsThePublishedFile(
        # All sources are one file, and so one asset.
        DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    ),
)
def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    yield from dbt.cli(["build"], context=context).stream()


defs = dg.Definitions(assets=[marts], resources={"dbt": DbtCliResource(PROJECT)})
