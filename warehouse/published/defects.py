"""The tables `rejects` and `failures` of the published file. They are small, so each is filled
again as a whole when one of its files has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.errors import DamagedFileError, InaccessibleError, WarehouseError
from warehouse.lake.defects.damage import named
from warehouse.lake.defects.failures import failure_rows
from warehouse.lake.parquet import Partition
from warehouse.published import build
from warehouse.published.copying import DamagedRowsError
from warehouse.schema.records import FAILURES, REJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import LeftOut
    from warehouse.storage.store import StoredFile

__all__ = ["refill_failures", "refill_rejects", "reject_keys"]

#: Files of rejects: by table, account, date and time of the load.
REJECT_FILES: Final = "rejects/*/*/*/*.parquet"


def reject_keys(lake: Lake, left_out: LeftOut) -> Sequence[str]:
    """The files of rejects, but for what is left out; what cannot be read is added to that."""
    found = lake.store.scan(REJECT_FILES)
    left_out.update(found.unreadable)
    return [one.key for one in found.files if one.key not in left_out]


def refill_rejects(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    frozen: Path,
    rejects: Sequence[str],
    left_out: LeftOut,
) -> None:
    """Fill `rejects` from these files, by copies in `frozen`. Raises DamagedRowsError."""
    # Some may be gone by now: rejects are removed when their account-day is loaded.
    folder = frozen / "rejects"
    copies = {key: folder / f"{n}.parquet" for n, key in enumerate(rejects)}
    for key, stamp in zip(copies, lake.store.freeze([*copies.items()]), strict=True):
        if isinstance(stamp, InaccessibleError):
            left_out[key] = stamp
    connection.execute("DELETE FROM rejects")
    if any(folder.glob("*")):
        try:
            connection.execute(build.insert_rejects(folder))
        except duckdb.Error:
            if broken := _unreadable_rejects(lake, copies):
                raise DamagedRowsError(broken) from None
            raise


def refill_failures(
    connection: duckdb.DuckDBPyConnection, lake: Lake, frozen: Path, failures: Sequence[StoredFile]
) -> None:
    """Fill `failures` from these files."""
    path = frozen / "failures.parquet"
    rows = failure_rows(lake.store, failures, lake.catalog.tables)
    pq.write_table(arrow.records(FAILURES.arrow_schema, rows), path)
    connection.execute("DELETE FROM failures")
    connection.execute(build.fill_failures(path))


def _unreadable_rejects(lake: Lake, copies: Mapping[str, Path]) -> LeftOut:
    """Files of rejects (key → copy) that cannot be read as such. They only explain, and nothing
    loads them again.
    """
    left_out: LeftOut = {}
    wanted = {*REJECTS.arrow_schema.names}
    for key, copy in copies.items():
        try:
            with named(lake.store, REJECTS, Partition("", None, key)):
                has = {*pq.read_table(copy, partitioning=None).column_names}
        except FileNotFoundError:
            continue
        except InaccessibleError as error:
            left_out[key] = error
            continue
        except DamagedFileError:
            has = set()
        if not has or not has <= wanted:
            left_out[key] = WarehouseError(
                f"{lake.store.name(key)} is damaged. Move it out of the warehouse. It only lists"
                " rejected values, so no data is lost"
            )
    return left_out
