"""What Dagster loads, for its pages and its daemon. Importing it reads, once, the reports and, of
the lake, whether they fit its tables and where its grids begin and end.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from pipelines.assembly import definitions_of
from pipelines.defs.partitions import grid_of
from pipelines.reports.catalog import reports_of
from pipelines.settings import intraday_minutes, owners_of, store_of
from pipelines.state.homes import enter_folder, hidden_history

__all__ = ["defs"]

enter_folder(os.environ)

_reports: Final = reports_of(os.environ, store_of(os.environ))

if _hidden := hidden_history(os.environ):
    logging.getLogger(__name__).warning(_hidden)

for _name, _why in _reports.why_broken().items():
    logging.getLogger(__name__).error("%s: %s", _name, _why)

defs: Final = dg.Definitions.merge(
    definitions_of(
        *(_reports, grid_of(os.environ, datetime.now(UTC)), owners_of(os.environ)),
        intraday_minutes=intraday_minutes(os.environ),
    ),
    dg.Definitions(executor=dg.in_process_executor),  # a process per step costs seconds
)
