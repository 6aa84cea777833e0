"""The schema `fivetran`: our tables under the names of Fivetran's Facebook Ads connector, so that
what was written for its tables runs on ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.views.fivetran_objects import object_views
from warehouse.schema.views.fivetran_reports import report_views

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from warehouse.schema.table import Table, View

__all__ = ["FIVETRAN", "fivetran_views"]

#: The name of the schema.
FIVETRAN: Final = "fivetran"


def fivetran_views(tables: Mapping[str, Table], views: Collection[str]) -> Sequence[View]:
    """The views that can be made of these tables and views. They name the schema main: without it
    DuckDB finds nothing in a file that is attached.
    """
    return [*object_views(tables), *report_views(tables, views)]
