"""The tables and views: the warehouse's own, and those of reports. A value.

Code that defines a report adds its table (`Catalog.with_table`) and passes the catalog on: to the
lake (`Lake(url, catalog)`), to publishing, to the data dictionary. A lake keeps the definitions of
the tables that were loaded into it (`lake.definitions`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from warehouse.errors import UnfitTableError, UnknownTableError
from warehouse.schema.tables import OBJECT_TABLES, TABLES
from warehouse.schema.views.changes import changes, is_history
from warehouse.schema.views.listed import VIEWS
from warehouse.schema.views.long_form import long_actions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.schema.table import Table, View

__all__ = ["OWN", "RESERVED", "Catalog"]

Of = TypeVar("Of")

#: The folder of pictures in the lake: a report must not take its name.
RESERVED: Final = frozenset({"media"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """Tables and views by name: the warehouse's own in their order, then all others by name.

    `given` are the tables that the caller defines now. They win over the definitions of the same
    names that a lake has kept, which are older. `kept` are those that only the lake knows: the
    caller cannot load them. `objects` are those that are listed, by the names of their tables, in
    the order in which they are.
    """

    tables: Mapping[str, Table]
    views: Mapping[str, View]
    given: frozenset[str] = frozenset()
    objects: Mapping[str, ObjectTable] = field(default_factory=lambda: OBJECT_TABLES)
    kept: frozenset[str] = frozenset()

    def with_table(self, table: Table, *, is_given: bool = True) -> Catalog:
        """The same with one more table, and with the view of its lists.

        It may replace a table of the same name that was added before, and one of the warehouse's
        own if it only adds columns. Raises UnfitTableError.
        """
        view = long_actions(table)
        _require_distinct(table)
        if view:
            _require_distinct(view)
        self._require_free(table, view)
        tables = _in_order({**self.tables, table.name: table}, TABLES)
        views = {**self.views, view.name: view} if view else dict(self.views)
        if view is None:
            views.pop(f"{table.name}_actions", None)
        given = self.given | {table.name} if is_given else self.given - {table.name}
        if is_history(table) and table.name not in TABLES:
            histories = [one for name, one in tables.items() if name not in TABLES]
            views["changes"] = changes(OBJECT_TABLES.values(), filter(is_history, histories))
        return replace(self, tables=tables, views=_in_order(views, VIEWS), given=given)

    def with_objects(self, row: ObjectTable) -> Catalog:
        """The same with one more kind of object: its table and, if it has one, its history. Raises
        UnfitTableError.
        """
        wider = self
        for table in row.tables:
            wider = wider.with_table(table)
        return replace(wider, objects=MappingProxyType({**self.objects, row.name: row}))

    @property
    def listed(self) -> Sequence[ObjectTable]:
        """What is listed on an edge of an account: all objects but the accounts themselves."""
        return [row for row in self.objects.values() if row.edge]

    def objects_named(self, name: str) -> ObjectTable:
        """What there is to say about the objects of a table. Raises UnknownTableError."""
        if name not in self.objects:
            raise UnknownTableError(
                f"There is no table of objects {name!r}. Choose from: {', '.join(self.objects)}"
            )
        return self.objects[name]

    def _require_free(self, table: Table, view: View | None) -> None:
        """Raise UnfitTableError for a table whose name, or its view's, is taken."""
        own = TABLES.get(table.name)
        if own is not None:
            _require_all_of(own, table)
        taken = {table.name} & self.views.keys()
        if view:
            taken |= {view.name} & self.tables.keys()
            taken |= {view.name} & VIEWS.keys() if own is None else set()
        if taken:
            raise UnfitTableError(
                f"{table.name}: another table or view is called {min(taken)}; choose another name"
            )
        if table.name in RESERVED:
            raise UnfitTableError(
                f"{table.name}: this name is reserved for a table of the warehouse; choose another "
                "name"
            )

    def table_named(self, name: str) -> Table:
        """Look a table up. Raises UnknownTableError, which lists the known tables."""
        if name not in self.tables:
            raise UnknownTableError(
                f"There is no table {name!r}. Choose from: {', '.join(self.tables)}"
            )
        return self.tables[name]

    @property
    def stored(self) -> Sequence[Table]:
        """Tables that are kept in files."""
        return [table for table in self.tables.values() if table.partitions is not None]


#: The warehouse's own tables, whose columns views need, and their views.
OWN: Final = Catalog(TABLES, VIEWS)


def _in_order(named: Mapping[str, Of], own: Mapping[str, Of]) -> Mapping[str, Of]:
    """The own ones first, then the others by name, so that all publishers agree on the order."""
    others = sorted(named.keys() - own.keys())
    return MappingProxyType({name: named[name] for name in (*own, *others)})


def _require_distinct(of: Table | View) -> None:
    """Raise UnfitTableError if two columns, or two keys of a list's entries, share a name. In SQL
    the case of letters makes no difference.
    """
    for names in ([column.name for column in of.columns], *(column.entry for column in of.columns)):
        counted = Counter(name.lower() for name in names)
        twice = sorted(name for name, count in counted.items() if count > 1)
        if twice:
            raise UnfitTableError(
                f"{of.name} would have two columns called {twice[0]}; leave one of them out"
            )


#: What else a person can do who wants something that one of the warehouse's own must keep.
_ELSE: Final = "; what differs needs another name"


def _require_all_of(own: Table, table: Table) -> None:
    """Raise UnfitTableError for a table that lacks something of the warehouse's own."""
    if (own.grain, own.partitions) != (table.grain, table.partitions):
        grain = ", ".join(own.grain)
        raise UnfitTableError(f"{own.name} must keep one row per {grain}{_ELSE}")
    there = {column.name: column for column in table.columns}
    lost = [c.name for c in own.columns if c.name not in there]
    if lost:
        raise UnfitTableError(f"{own.name} must keep {', '.join(lost)}, which views need{_ELSE}")
    other = [c for c in own.columns if there[c.name].arrow_type != c.arrow_type]
    if other:
        kept = "; ".join(f"{column.name} as {column.arrow_type}" for column in other)
        raise UnfitTableError(f"{own.name} must keep {kept}{_ELSE}")
    untyped = [c.name for c in own.columns if c.by_type and there[c.name].by_type is False]
    if untyped:
        raise UnfitTableError(f"{own.name} must keep {', '.join(untyped)} by action_type{_ELSE}")
