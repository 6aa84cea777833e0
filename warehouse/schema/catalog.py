"""Tables that are not the warehouse's own: who defines a report hands its table over here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.errors import UnfitTableError
from warehouse.schema.long_form import long_actions
from warehouse.schema.tables import TABLES
from warehouse.schema.views import VIEWS

if TYPE_CHECKING:
    from warehouse.schema.table import Table, View

__all__ = ["OWN", "OWN_VIEWS", "RESERVED", "register"]

#: The warehouse's own tables. Views count on their columns.
OWN: Final = dict(TABLES)

#: And its own views.
OWN_VIEWS: Final = frozenset(VIEWS)

#: Names that tables of the warehouse will have: a report that took one would be in their way.
RESERVED: Final = frozenset(
    {
        *("activities", "creatives", "creatives_history", "custom_audiences"),
        *("custom_conversions", "images", "intraday_totals", "videos"),
    }
)


def register(table: Table) -> None:
    """Let the lake keep a table and publishing publish it, with the view of its lists.

    It may take the place of one that was registered before, and that of one of the warehouse's own
    if it only adds to its columns. Raises UnfitTableError, and then nothing has changed.
    """
    view = long_actions(table)
    _demand_distinct(table)
    if view:
        _demand_distinct(view)
    own = OWN.get(table.name)
    if own is not None:
        _demand_all_of(own, table)
    taken = {table.name} & VIEWS.keys() | ({view.name} & TABLES.keys() if view else set())
    if view and own is None:
        taken |= {view.name} & OWN_VIEWS
    if taken:
        raise UnfitTableError(
            f"{table.name}: a view or table is called {min(taken)} already; choose another name"
        )
    if table.name in RESERVED:
        raise UnfitTableError(
            f"{table.name}: this name is reserved for a table of the warehouse; choose another name"
        )
    TABLES[table.name] = table
    VIEWS.pop(f"{table.name}_actions", None)
    if view:
        VIEWS[view.name] = view


def _demand_distinct(of: Table | View) -> None:
    """Raise UnfitTableError where two columns, or two keys of a list's entries, share a name."""
    for names in ([column.name for column in of.columns], *(column.entry for column in of.columns)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UnfitTableError(f"{of.name} would have two columns called {twice[0]}")


def _demand_all_of(own: Table, table: Table) -> None:
    """Raise UnfitTableError for a table that lacks something of the warehouse's own."""
    if (own.grain, own.partitions) != (table.grain, table.partitions):
        grain = ", ".join(own.grain)
        raise UnfitTableError(f"{own.name} has one row per {grain}, and must keep that")
    there = {column.name: column for column in table.columns}
    lost = [c.name for c in own.columns if c.name not in there]
    if lost:
        raise UnfitTableError(f"{own.name} must keep {', '.join(lost)}, which views count on")
    other = [c for c in own.columns if there[c.name].arrow_type != c.arrow_type]
    if other:
        kept = "; ".join(f"{column.name} as {column.arrow_type}" for column in other)
        raise UnfitTableError(f"{own.name} must keep {kept}")
