"""What Dagster loads, for its pages and its daemon."""

from __future__ import annotations

import logging
from typing import Final

from pipelines import assembly
from pipelines.reports.catalog import broken_reports

__all__ = ["defs"]

for _name, _why in broken_reports().items():
    logging.getLogger(__name__).error("%s: %s", _name, _why)

defs: Final = assembly.DEFS
