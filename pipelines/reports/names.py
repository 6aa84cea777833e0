"""Reserved names: those that a report cannot have, because something else has them or will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.catalog import OWN, RESERVED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["reserved"]

#: The only built-in table that a report fills.
_REPORT: Final = "insights_daily"

#: Why they are reserved → the names.
_RESERVED: Final[Mapping[str, frozenset[str]]] = {
    "fbinsights has a table or view of this name": frozenset(
        (OWN.tables.keys() | OWN.views.keys() | RESERVED) - {_REPORT}
    ),
    "the warehouse uses it as the name of a schema or database": frozenset(
        {"fivetran", "information_schema", "lake", "main", "system", "temp"}
    ),
    "Dagster has an asset, job, step, schedule or sensor of this name": frozenset(
        """
        access access_ends backfill backfill_slices command_line daily_refresh detect_changes
        failed_runs follow_lake freshness health intraday look new_accounts overview publish pull
        refresh reload warehouse_duckdb warehouse_duckdb_up_to_date weekly_refresh
        """.split()
    ),
    # What cannot name a table without quotes. Source: duckdb_keywords() of DuckDB 1.5, reserved and
    # type_function.
    "it is a keyword of SQL": frozenset(
        """
        all analyse analyze and anti any array as asc asof asymmetric at authorization binary both
        by case cast check collate collation column concurrently constraint create cross default
        deferrable desc describe distinct do else end except false fetch for foreign freeze from
        full generated glob grant group having ilike in initially inner intersect into is isnull
        join lambda lateral leading left like limit map natural not notnull null offset on only or
        order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify
        references returning right select semi show similar some summarize symmetric table
        tablesample then to trailing true try_cast union unique unpack unpivot using values variadic
        verbose when where window with
        """.split()
    ),
}

#: How a name begins or ends → why it is reserved.
_PREFIXES: Final[Mapping[str, str]] = dict.fromkeys(
    ("duckdb_", "pg_", "sqlite_"), "names of DuckDB's own tables begin like this"
)
_SUFFIXES: Final[Mapping[str, str]] = {
    "_actions": "names of views of a report's actions end like this",
    "_fresh": "names of Dagster's checks end like this",
    "_job": "names of Dagster's jobs end like this",
}


def reserved(name: str) -> str:
    """Why a report cannot have a name; empty if it can."""
    for why, names in _RESERVED.items():
        if name in names:
            return why
    for prefix, why in _PREFIXES.items():
        if name.startswith(prefix):
            return why
    return next((why for suffix, why in _SUFFIXES.items() if name.endswith(suffix)), "")
