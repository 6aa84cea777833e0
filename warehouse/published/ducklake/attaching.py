"""A destination, attached to DuckDB."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import WarehouseError
from warehouse.published.ducklake.destination import CATALOGUES, DESTINATION_VARIABLE
from warehouse.schema.sql import literal

if TYPE_CHECKING:
    from datetime import datetime

    from warehouse.published.ducklake.destination import Destination

__all__ = ["attach", "plain"]


def attach(
    connection: duckdb.DuckDBPyConnection,
    destination: Destination,
    name: str,
    at: datetime | None = None,
) -> None:
    """Attach a destination under a `name` and use it; `at`: as it was then, and only to read.
    Raises duckdb.Error, and WarehouseError without the extensions that it takes.
    """
    extensions, options = CATALOGUES[destination.catalogue]
    for extension in ("ducklake", *extensions):
        _load(connection, extension)
    settings = [f"DATA_PATH {literal(str(destination.data_path))}", *options]
    if at is not None:
        settings += ["READ_ONLY", f"SNAPSHOT_TIME {literal(at.isoformat(sep=' '))}"]
    connection.execute(
        f"ATTACH {literal(destination.address)} AS {name} ({', '.join(settings)}); USE {name}"
    )


def plain(error: duckdb.Error, destination: Destination) -> str:
    """What DuckDB says, without the address, which may hold a password."""
    address = destination.address.removeprefix(destination.catalogue)
    return str(error).replace(address, "…").strip()


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its package of PyPI, or else as `INSTALL` has left it. Nothing is
    downloaded.
    """
    package = find_spec(f"duckdb_extension_{extension}")
    folders = package.submodule_search_locations or () if package else ()
    file = f"extensions/v{duckdb.__version__}/{extension}.duckdb_extension"
    found = next((path for one in folders if (path := Path(one, file)).is_file()), None)
    try:
        connection.execute(f"LOAD {literal(str(found)) if found else extension}")
    except duckdb.Error as error:
        raise WarehouseError(
            f"{DESTINATION_VARIABLE} takes DuckDB's extension {extension}, which is not installed"
            f' for DuckDB {duckdb.__version__}. Install it with a network: python -c "import'
            f" duckdb; duckdb.execute('INSTALL {extension}')\"; or from PyPI, where it is there for"
            " DuckDB 1.5.5: docs/ducklake.md"
        ) from error
