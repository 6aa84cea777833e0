"""Components for Dagster's YAML: what `type: pipelines.components.InsightsReport` names.

They know `defs` and what is below it; Dagster projects of users import them.
"""

from __future__ import annotations

from pipelines.components.insights_report import InsightsReport

__all__ = ["InsightsReport"]
