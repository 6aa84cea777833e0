"""The tables of objects that reports cannot do without, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["NEEDED"]

NEEDED: Final[Mapping[str, ObjectTable]] = {
    name: row for name, row in OBJECT_TABLES.items() if row.edge and row.is_needed
}
