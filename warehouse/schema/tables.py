"""The warehouse's own tables by name. Each column feeds `fields=`, Arrow, DuckDB's comments and the
docs.

Field meanings: Marketing API v26.0, Ads Insights and the reference of each object. An enum of
Meta's is kept as text, because Meta adds values between versions.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warehouse.schema.insights import (
    CONTROL_DAILY,
    INSIGHTS_DAILY,
    INSIGHTS_HOURLY,
    INTRADAY_TOTALS,
)
from warehouse.schema.objects.activities import ACTIVITIES
from warehouse.schema.objects.creatives import CREATIVES, THUMBNAILS
from warehouse.schema.objects.delivery import ACCOUNTS, ADS, ADSETS, CAMPAIGNS
from warehouse.schema.objects.library import (
    CUSTOM_AUDIENCES,
    CUSTOM_CONVERSIONS,
    IMAGES,
    VIDEOS,
)
from warehouse.schema.records import (
    FAILURES,
    LOADS,
    REJECTS,
    RESTATEMENTS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.schema.table import Table

__all__ = ["OBJECT_TABLES", "SCHEMA_VERSION", "TABLES"]

#: In every file's footer; grows by one when a column is added or changes its kind.
SCHEMA_VERSION: Final = 2

#: What there is at Meta besides insights, in the order in which a refresh lists it: what mentions
#: others comes before them.
OBJECT_TABLES: Final[Mapping[str, ObjectTable]] = MappingProxyType(
    {
        row.name: row
        for row in (
            *(ACCOUNTS, CAMPAIGNS, ADSETS, ADS, CREATIVES),
            *(IMAGES, VIDEOS, CUSTOM_CONVERSIONS, CUSTOM_AUDIENCES),
            ACTIVITIES,
        )
    }
)

#: The warehouse's own tables and no others: those of reports are in a `catalog.Catalog`.
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            *(row.latest for row in OBJECT_TABLES.values()),
            *(row.history for row in OBJECT_TABLES.values() if row.history),
            THUMBNAILS,
            *(INSIGHTS_HOURLY, INSIGHTS_DAILY, CONTROL_DAILY, INTRADAY_TOTALS),
            *(LOADS, RESTATEMENTS, REJECTS, FAILURES),
        )
    }
)
