"""The data dictionary with the tables of reports: `fbinsights docs`."""

from __future__ import annotations

import pipelines.reports  # noqa: F401  # hands the tables of reports over
from warehouse.dictionary import render

__all__ = ["render"]
