"""Components for Dagster's YAML: what `type: pipelines.components.InsightsReport` names.

They know `defs`; `assembly` and Dagster import them.
"""

from __future__ import annotations

from pipelines.components.insights_report import InsightsReport, report_assets

__all__ = ["InsightsReport", "report_assets"]
