"""Footers of frozen files: read many at once by DuckDB, or each alone by Arrow where there are few
or one is in the way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.errors import ChangedKindError, DamagedFileError, InaccessibleError
from warehouse.lake import parquet
from warehouse.lake.defects.damage import reload_command
from warehouse.lake.records import LOAD_KEY
from warehouse.schema.sql import escaped, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from warehouse.lake.parquet import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import LakeFile, LeftOut
    from warehouse.schema.table import Table

__all__ = ["read_footers"]

#: Fewer files than this are read one by one.
FEW_FILES: Final = 20

#: The keys of a file's footer.
_Keys = dict[bytes, bytes]


def read_footers(
    lake: Lake, files: Sequence[LakeFile], left_out: LeftOut
) -> Iterator[tuple[LakeFile, Footer]]:
    """Frozen files with their footers. A file that is damaged, or is not what its name says, is put
    into `left_out`, and its copy removed. Raises ChangedKindError for one of ours whose columns now
    have other kinds in the table.
    """
    known = _read_at_once(files) if len(files) >= FEW_FILES else {}
    checked: dict[tuple[str, int], pa.Schema] = {}
    for file in files:
        table = lake.catalog.tables[file.table]
        try:
            footer = lake.footer_by(table, file.where, partial(_footer, file.path, known))
            # Most files have the very same columns, which are read once.
            if (columns := (file.table, id(footer.columns))) not in checked:
                _require_kinds(lake, table, file, footer)
                checked[columns] = footer.columns
        except (DamagedFileError, InaccessibleError) as error:
            left_out[file.file] = error
            file.path.unlink()
        else:
            yield file, footer


def _footer(path: Path, known: Mapping[str, _Keys]) -> Footer:
    keys = known.get(str(path), {})
    # Without a load, only the file itself says how many rows it has.
    if not {parquet.ARROW_KEY, LOAD_KEY} <= keys.keys():
        return parquet.footer(path)
    return parquet.footer_from(keys, parquet.columns_from(keys[parquet.ARROW_KEY]))


def _read_at_once(files: Sequence[LakeFile]) -> Mapping[str, _Keys]:
    """The keys of files, by path; of none if one of them is in the way."""
    read: dict[str, _Keys] = {}
    # A database of its own: what fails here would end the transaction of the one that is filled.
    with duckdb.connect(config={"threads": 1}) as connection:
        for folder in sorted({file.path.parent for file in files}):
            pattern = literal(f"{escaped(folder)}/*.parquet")
            keys = f"FROM parquet_kv_metadata({pattern}) SELECT file_name, key, value"
            try:
                for name, key, value in connection.execute(keys).fetchall():
                    read.setdefault(name, {})[key] = value
            except duckdb.Error:
                return {}  # each is read alone, which shows what is wrong and where
    return read


def _require_kinds(lake: Lake, table: Table, file: LakeFile, footer: Footer) -> None:
    try:
        parquet.require_kinds(table, footer.columns, file.file)
    except ChangedKindError as error:
        if footer.load or footer.key:
            raise
        # No load has written it.
        name, command = lake.store.name(file.file), reload_command(*file.key)
        raise DamagedFileError(name, f"{error.column} is {error.old}", command) from None
