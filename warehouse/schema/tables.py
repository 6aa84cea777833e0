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
)
from warehouse.schema.objects import (
    ACCOUNTS,
    ACCOUNTS_HISTORY,
    ADS,
    ADS_HISTORY,
    ADSETS,
    ADSETS_HISTORY,
    CAMPAIGNS,
    CAMPAIGNS_HISTORY,
)
from warehouse.schema.records import (
    FAILURES,
    LOADS,
    REJECTS,
    RESTATEMENTS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.schema.table import Table

__all__ = ["SCHEMA_VERSION", "TABLES"]

#: In every file's footer; grows by one when a column is added or changes its kind.
SCHEMA_VERSION: Final = 2

#: The warehouse's own tables and no others: those of reports are in a `catalog.Catalog`.
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            *(ACCOUNTS, CAMPAIGNS, ADSETS, ADS),
            *(ACCOUNTS_HISTORY, CAMPAIGNS_HISTORY, ADSETS_HISTORY, ADS_HISTORY),
            *(INSIGHTS_HOURLY, INSIGHTS_DAILY, CONTROL_DAILY),
            *(LOADS, RESTATEMENTS, REJECTS, FAILURES),
        )
    }
)
