"""The published file, opened by analysts: `warehouse.open`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.errors import WarehouseError
from warehouse.published.build import SCHEMA
from warehouse.published.connections import CONFIG, connected
from warehouse.published.ducklake.attaching import attach, plain
from warehouse.published.frames import exact_frame, frame, with_integers
from warehouse.published.publish import ensure_published
from warehouse.published.reading import confine, confine_to, seal
from warehouse.schema.catalog import OWN
from warehouse.schema.sql import literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pandas as pd  # type: ignore[import-untyped]  # it ships no types
    import pyarrow as pa

    from warehouse.published.ducklake.destination import Destination
    from warehouse.schema.catalog import Catalog

__all__ = ["Warehouse", "open", "open_as_of"]

#: DuckDB turns Ctrl-C into a RuntimeError with this text; it has no class of its own.
INTERRUPTED: Final = "Query interrupted"

#: In what DuckDB says if this process has connected to the file otherwise.
_IN_USE: Final = "different configuration than existing connections"


class Warehouse:
    """The published file, opened read-only. It does not change; open it again to see new data.

    `earlier`: a connection to what a destination showed, which is attached to it as `warehouse`.
    """

    def __init__(self, path: Path, earlier: duckdb.DuckDBPyConnection | None = None) -> None:
        self.path = path
        self._uses = "USE warehouse" if earlier else ""
        try:
            self._connection = earlier or _connected(path)
        except duckdb.Error as error:
            advice = "If it is damaged, `fbinsights publish` rebuilds it from the lake"
            if _IN_USE in str(error):
                advice = "In this process, connect to it with read_only=True and no config"
            raise WarehouseError(f"{path} cannot be opened: {error}. {advice}") from error

    def sql(
        self, query: str, params: Mapping[str, object] | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Return the result of one query as DuckDB's relation; `params` are its `$names`.

        Raises WarehouseError with DuckDB's own message.
        """
        try:
            # Each result has a cursor of its own: an open one would block the next.
            relation = self.cursor().sql(query, params=params and dict(params))
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from error
        if relation is None:  # an empty text, or a statement like SET
            raise WarehouseError("Not a query: the statement returns no rows")
        return relation

    def arrow(self, query: str) -> pa.Table:
        """Return the result of one query as an Arrow table. Raises WarehouseError.

        Sums of integers are integers.
        """
        relation = self.sql(query)
        try:
            found = relation.to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from error
        except RuntimeError as error:
            if str(error) == INTERRUPTED:
                raise KeyboardInterrupt from None
            raise
        return with_integers(found)

    def df(self, query: str, *, exact: bool = False) -> pd.DataFrame:
        """Return the result of one query as pandas. Raises WarehouseError.

        Numbers divide, describe and resample: decimals are float64, dates datetime64, instants keep
        their zone, integers with gaps stay integers. `exact`: all columns are of Arrow types, and
        decimals stay exact; a sum of money has the type of money where it fits into it.
        """
        found = self.arrow(query)
        return exact_frame(found) if exact else frame(found)

    def confine(self, root: Path) -> None:
        """From now on nothing but the published tables and the lake at `root` can be read."""
        confine(self._connection, root)

    def seal(self, megabytes: int, threads: int) -> None:
        """From now on nothing but the published tables can be read, within these bounds."""
        seal(self._connection, megabytes, threads)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """DuckDB's own cursor: its result is fetched while the query runs. Close it first."""
        cursor = self._connection.cursor()
        if self._uses:  # each cursor begins in the database that was connected to
            cursor.execute(self._uses)
        return cursor

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open(  # noqa: A001  read as `warehouse.open`
    url: str | Path = "./data", *, catalog: Catalog = OWN
) -> Warehouse:
    """Open the published file under `url`, read-only. If there is none yet, publish one, with the
    tables of reports that the lake has definitions of, and those of `catalog`.
    """
    link = ensure_published(url, catalog=catalog)
    # DuckDB shares one database per path within a process: under the link's name, opening it again
    # would return the old snapshot.
    return Warehouse(link.resolve())


def open_as_of(destination: Destination, at: datetime) -> Warehouse:
    """Open the published tables as a destination showed them at a time, read-only, and confined to
    them. Raises WarehouseError.
    """
    connection = connected(":memory:", CONFIG)
    try:
        attach(connection, destination, "warehouse", at)
        connection.execute(f"FROM {SCHEMA}.latest")
        confine_to(connection, [destination.data_path])
    except duckdb.Error as error:
        connection.close()
        why = plain(error, destination).splitlines()[0]
        raise WarehouseError(
            f"{destination} shows nothing as of {at:%Y-%m-%d %H:%M:%S} UTC: {why}. Ask for a later"
            " time; the view published.change_feed has the times of all publishes"
        ) from None
    return Warehouse(destination.data_path, connection)


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose settings are made afterwards: DuckDB refuses to connect to one file twice
    in a process with different ones, and people connect without any.
    """
    connection = duckdb.connect(path, read_only=True)
    for setting, value in CONFIG.items():
        [(now,)] = connection.execute("SELECT current_setting(?)::VARCHAR", [setting]).fetchall()
        if now != value:  # one that is `confined` has them, and cannot be changed
            connection.execute(f"SET GLOBAL {setting} = {literal(str(value))}")
    return connection
