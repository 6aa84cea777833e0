"""The views of the warehouse's own tables by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warehouse.schema.insights import INSIGHTS_DAILY, INSIGHTS_HOURLY
from warehouse.schema.tables import OBJECT_TABLES
from warehouse.schema.views.changes import changes
from warehouse.schema.views.creative_assets import CREATIVE_ASSETS
from warehouse.schema.views.dates import CALENDAR
from warehouse.schema.views.long_form import long_actions
from warehouse.schema.views.pace import TODAY
from warehouse.schema.views.rollups import rollups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.schema.table import View

__all__ = ["VIEWS"]

#: Those of the warehouse's own tables: those of reports are in a `catalog.Catalog`.
VIEWS: Final[Mapping[str, View]] = MappingProxyType(
    {
        view.name: view
        for view in (
            *rollups(),
            *filter(None, map(long_actions, (INSIGHTS_HOURLY, INSIGHTS_DAILY))),
            CREATIVE_ASSETS,
            CALENDAR,
            TODAY,
            changes(OBJECT_TABLES.values()),
        )
    }
)
