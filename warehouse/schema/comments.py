"""The data dictionary: every table, view and column in words, as Markdown.

`docs/tables.md` is this, including the defined reports: ``fbinsights docs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.errors import UnknownTableError
from warehouse.schema.sql import duckdb_type
from warehouse.schema.table import Table
from warehouse.schema.views.fivetran import FIVETRAN, fivetran_views
from warehouse.schema.views.rollups import FORMULAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Column, View

__all__ = ["render"]

HEAD = """\
# Tables

Generated from `warehouse/schema/` and the reports that load by
`fbinsights docs > docs/tables.md`; do not edit. In DuckDB the same words are the
comments: `SELECT table_name, column_name, comment FROM duckdb_columns()`.

Ids are text. Money is in major units of the account's currency (12.34, not 1234). A `date` is a
day of the account's own calendar; an instant is in UTC. NULL means that Meta sent no value, which
is not the same as 0.
"""


def render(catalog: Catalog, name: str = "") -> str:
    """The whole dictionary, or its section about one table or view.

    Raises UnknownTableError, which lists the known names.
    """
    sections = {
        **{table.name: _section(table, _table_lines(table)) for table in catalog.tables.values()},
        **{view.name: _section(view, _view_lines(view)) for view in catalog.views.values()},
        **{
            f"{FIVETRAN}.{view.name}": _section(view, _view_lines(view), f"{FIVETRAN}.")
            for view in fivetran_views(catalog.tables, catalog.views)
        },
    }
    if not name:
        return "\n".join([HEAD, *sections.values()])
    if name not in sections:
        raise UnknownTableError(
            f"There is no table or view {name!r}. Choose from: {', '.join(sections)}"
        )
    return sections[name]


def _section(relation: Table | View, lines: Iterable[str], schema: str = "") -> str:
    kind = "" if isinstance(relation, Table) else " (view)"
    grain = ", ".join(relation.grain)
    head = f"## {schema}{relation.name}{kind}\n\n{relation.meaning}\n\nOne row per {grain}.\n"
    return "\n".join([head, *lines, ""])


def _table_lines(table: Table) -> Iterator[str]:
    yield "| column | type | unit | meaning | Graph field |"
    yield "|---|---|---|---|---|"
    for column in table.columns:
        cells = (
            *(f"`{column.name}`", f"`{_short(column)}`", column.unit, column.meaning),
            f"`{'.'.join((column.source, *column.inside[:1]))}`" if column.source else "",
        )
        yield f"| {' | '.join(cells)} |"


def _view_lines(view: View) -> Iterator[str]:
    yield "| column | unit | meaning |"
    yield "|---|---|---|"
    for column in view.columns:
        formula = f": `{FORMULAS[column]}`" if column in FORMULAS else ""
        yield f"| `{column.name}` | {column.unit} | {column.meaning}{formula} |"


def _short(column: Column) -> str:
    """DuckDB's type, with the short name for an instant that people use."""
    return duckdb_type(column.arrow_type).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
