"""The published tables as a source of dbt: ``fbinsights docs --dbt``.

Makes the empty tables in memory, because only DuckDB knows the types of a view; reads no lake.
Keys are those of dbt 1.10 and later: https://docs.getdbt.com/reference/source-properties.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import duckdb
import yaml

from warehouse.errors import UnknownTableError
from warehouse.published.build import create
from warehouse.schema.sql import literal, name
from warehouse.schema.table import Table
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN
from warehouse.schema.views.rollups import LEVELS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warehouse.schema.catalog import Catalog
    from warehouse.schema.table import Column, View

__all__ = ["render_sources"]

#: The name of the source, and of the database that the published file is attached as.
SOURCE_NAME: Final = "fbinsights"

SOURCES_HEAD: Final = """\
# Written by `fbinsights docs --dbt`; do not edit. Write it again when tables or reports change.
# The published file, warehouse.duckdb, is attached as the database {source}: see profiles.yml of
# examples/dbt.
"""

#: Hours after the newest load: a refresh a day, with six hours for it to run.
WARN_AFTER: Final = 30
#: The same when a whole day is missing.
ERROR_AFTER: Final = 54

_VERDICTS: Final = (PROVEN, PROVISIONAL, UNPROVEN, UNPROVABLE)
_DAILY: Final = ("insights_hourly", "insights_daily")

#: Relation and column → all values that there are, besides NULL.
VALUES: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("loads", "verdict"): _VERDICTS,
    ("loads", "conversions"): _VERDICTS,
    **{(f"{level}_daily", SOURCE.name): _DAILY for level in LEVELS},
    ("today", "level"): ("account", "campaign", "ad"),
}

#: Parts of a grain that may be NULL, besides breakdowns: a failure or a reject of objects has no
#: day, an object without an id no account, what appeared no column, an account no object below it.
_MAY_BE_NULL: Final[Mapping[str, frozenset[str]]] = {
    "failures": frozenset({"date"}),
    "rejects": frozenset({"account_id", "date"}),
    "changes": frozenset({"column_name"}),
    "today": frozenset({"object_id"}),
}

#: Kinds of the columns of a view's grain that are never NULL.
_NEVER_NULL: Final = frozenset({"id", "date", "instant"})


def render_sources(catalog: Catalog, asset_key: Sequence[str], table: str = "") -> str:
    """A `sources.yml` of all tables and views, or of one.

    `asset_key`: that of the published file in Dagster, which every model that reads a table depends
    on. The file, and not the asset of a report: only after a publish is there anything new to read.
    Raises UnknownTableError.
    """
    relations: Mapping[str, Table | View] = {**catalog.tables, **catalog.views}
    if table and table not in relations:
        raise UnknownTableError(
            f"There is no table or view {table!r}. Choose from: {', '.join(relations)}"
        )
    types, keywords = _known_to_duckdb(catalog)
    source = {
        "name": SOURCE_NAME,
        "description": "Ads of Meta: the published file of fbinsights, warehouse.duckdb",
        "database": SOURCE_NAME,
        "schema": "main",
        "config": {"meta": {"dagster": {"asset_key": list(asset_key)}}},
        "tables": [
            _entry(relation, types, keywords)
            for relation in relations.values()
            if table in {"", relation.name}
        ],
    }
    dumped: str = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
    return SOURCES_HEAD.format(source=SOURCE_NAME) + dumped


def _known_to_duckdb(
    catalog: Catalog,
) -> tuple[Mapping[tuple[str, str], str], frozenset[str]]:
    """Relation and column → type; and the words that need quotes as names."""
    with duckdb.connect() as connection:
        for statement in create(catalog):
            connection.execute(statement)
        columns = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE schema_name = 'main'"
        ).fetchall()
        words = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        ).fetchall()
    return {(table, column): kind for table, column, kind in columns}, frozenset(
        w for (w,) in words
    )


def _entry(
    relation: Table | View, types: Mapping[tuple[str, str], str], keywords: frozenset[str]
) -> Mapping[str, Any]:
    """What dbt is given of one table or view."""
    config = _freshness(relation)
    return {
        "name": relation.name,
        "description": _text(f"{relation.meaning} One row per {', '.join(relation.grain)}."),
        **({"config": config} if config else {}),
        **_unique(relation),
        "columns": [
            {
                "name": column.name,
                "data_type": types[relation.name, column.name],
                "description": _text(column.comment),
                **_tested(relation, column, keywords),
            }
            for column in relation.columns
        ],
    }


def _freshness(relation: Table | View) -> Mapping[str, Any]:
    """When its newest account-day was loaded, and when that is too long ago; nothing for what is
    not loaded by account-day.
    """
    newest_of = f"max(loaded_at) from {SOURCE_NAME}.main.loads where table_name ="
    if relation.name == "loads":
        newest = {"loaded_at_field": "loaded_at"}
    elif _is_loaded_by_day(relation):
        newest = {"loaded_at_query": f"select {newest_of} {literal(relation.name)}"}
    else:
        return {}
    limits = {"warn_after": WARN_AFTER, "error_after": ERROR_AFTER}
    return newest | {
        "freshness": {name: {"count": n, "period": "hour"} for name, n in limits.items()}
    }


def _is_loaded_by_day(relation: Table | View) -> bool:
    """Whether `loads` has its account-days. Totals of open days are kept without a load."""
    return (
        isinstance(relation, Table)
        and "date" in (relation.partitions or ())
        and "asked_at" not in relation.grain
    )


def _unique(relation: Table | View) -> Mapping[str, Any]:
    """The test of a grain of several columns. It is of a row of them, because dbt leaves out what
    is NULL, and a row with a NULL in it is not.
    """
    if len(relation.grain) == 1:
        return {}
    grain = ", ".join(map(name, relation.grain))
    unique = {
        "name": f"{relation.name}_has_one_row_per_grain",
        "arguments": {"column_name": f"row({grain})"},
    }
    return {"data_tests": [{"unique": unique}]}


def _tested(relation: Table | View, column: Column, keywords: frozenset[str]) -> Mapping[str, Any]:
    """The tests of a column, if it has any."""
    tests: list[Any] = []
    if relation.grain == (column.name,):
        tests.append("unique")
    if column.name in relation.grain and _is_never_null(relation, column):
        tests.append("not_null")
    if column.name == "account_id" and (relation.name == "loads" or _is_loaded_by_day(relation)):
        arguments = {"to": f"source('{SOURCE_NAME}', 'accounts')", "field": "account_id"}
        tests.append({"relationships": {"arguments": arguments}})
    if values := VALUES.get((relation.name, column.name)):
        tests.append({"accepted_values": {"arguments": {"values": list(values)}}})
    if not tests:
        return {}
    is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", column.name) and column.name not in keywords
    return ({} if is_plain else {"quote": True}) | {"data_tests": tests}


def _is_never_null(relation: Table | View, column: Column) -> bool:
    if column.breakdown or column.name in _MAY_BE_NULL.get(relation.name, ()):
        return False
    return isinstance(relation, Table) or column.kind in _NEVER_NULL


def _text(text: str) -> str:
    """A description as dbt reads it, which takes braces for its own language."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)
