"""Components for Dagster's YAML, for Dagster projects of users: `InsightsReport` is one report,
`ObjectTable` one table of objects, `Warehouse` everything else.

They know what our own code location is made of (`assembly`) and what is below it.
"""

from __future__ import annotations

from pipelines.components.insights_report import InsightsReport
from pipelines.components.object_table import ObjectTable
from pipelines.components.warehouse import Warehouse

__all__ = ["InsightsReport", "ObjectTable", "Warehouse"]
