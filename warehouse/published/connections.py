"""How databases of DuckDB are opened: what readers and writers of the published file set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.schema.sql import literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "ALL_THREADS",
    "COMMITTING",
    "CONFIG",
    "GROUP_ROWS",
    "ONE_THREAD",
    "WRITING",
    "connected",
    "opened_master",
]

#: Nothing is fetched from the internet, and instants are shown in UTC wherever the machine is.
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "TimeZone": "UTC",
}

_MEMORY: Final = "1GB"

#: What a master sets before it commits: of rows with texts of 100 kB DuckDB needs more at once then
#: than while it inserts them.
COMMITTING: Final = f"SET memory_limit = '{_MEMORY}'"

#: What it sets before it inserts rows by one thread or by all. Of what DuckDB may have, most
#: is blocks of tables that it keeps for nobody; with less than 256 MB for each of two threads, it
#: uses one.
ONE_THREAD: Final = "SET threads = 1; SET memory_limit = '256MB'"
ALL_THREADS: Final = f"RESET threads; {COMMITTING}"

#: So that an older DuckDB can read the published file, and so that publishing leaves memory for
#: loads.
WRITING: Final = CONFIG | {
    "storage_compatibility_version": "v1.5.0",
    "memory_limit": _MEMORY,
    # Rows are written as soon as there is a row group of them; by default five wait in memory.
    "write_buffer_row_group_count": "1",
    # Each frozen file is read once, and what DuckDB remembers of each is never asked for again.
    "enable_external_file_cache": "false",
}

#: Rows of a group of rows of the master. By default a group has three times as many, and what waits
#: in memory until a group is full is 25 MB more.
GROUP_ROWS: Final = 40_960


def connected(
    database: str | Path, config: Mapping[str, str | bool | int | float | list[str]]
) -> duckdb.DuckDBPyConnection:
    """A connection that has these settings. DuckDB 1.5 takes the zone only once it is open."""
    at_once = {name: value for name, value in config.items() if name != "TimeZone"}
    connection = duckdb.connect(database, config=at_once)
    if zone := config.get("TimeZone"):
        connection.execute(f"SET GLOBAL TimeZone = {literal(str(zone))}")
    return connection


#: Of DuckDB 2: threads that open files ahead. Where thousands of small ones are read from a local
#: disk, waking these threads is a fifth of the CPU, and saves no time.
_READING_AHEAD: Final = "async_threads"


def opened_master(database: Path) -> duckdb.DuckDBPyConnection:
    """A connection that writes a master, which it creates if it is not there. Raises duckdb.Error.

    The size of a group of rows is a property of how a database is attached.
    """
    connection = connected(":memory:", WRITING | {"temp_directory": f"{database}.tmp"})
    at = literal(str(database))
    try:
        known = "FROM duckdb_settings() WHERE name = ?"
        if connection.execute(known, [_READING_AHEAD]).fetchall():
            connection.execute(f"SET {_READING_AHEAD} = 0")
        connection.execute(f"ATTACH {at} AS warehouse (ROW_GROUP_SIZE {GROUP_ROWS}); USE warehouse")
    except duckdb.Error:
        connection.close()
        raise
    return connection
