"""Components for Dagster's YAML: what `type: pipelines.components.InsightsReport` names.

They know `defs` and what is below it; Dagster imports them, for projects of other people.
"""

from __future__ import annotations

from pipelines.components.insights_report import InsightsReport

__all__ = ["InsightsReport"]
