"""Footers of frozen files: what each says of its load and its columns, and whether it may be
published.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from warehouse.errors import ChangedKindError, DamagedFileError, InaccessibleError
from warehouse.lake.defects.damage import reload_command
from warehouse.lake.footers import read_own_footer
from warehouse.lake.parquet import require_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from warehouse.lake.footers import Footer
    from warehouse.lake.partitions import Lake
    from warehouse.published.manifest import LakeFile, LeftOut
    from warehouse.schema.table import Table

__all__ = ["read_footers"]


def read_footers(
    lake: Lake, files: Sequence[LakeFile], left_out: LeftOut
) -> Iterator[tuple[LakeFile, Footer]]:
    """Frozen files with their footers. A file that is damaged, or is not what its name says, is put
    into `left_out`, and its copy removed. Raises ChangedKindError for one of ours whose columns now
    have other kinds in the table.
    """
    checked: dict[tuple[str, int], pa.Schema] = {}
    for file in files:
        table = lake.catalog.tables[file.table]
        try:
            footer = lake.footer_by(table, file.where, partial(read_own_footer, file.path))
            # Most files have the very same columns, which are read once.
            if (columns := (file.table, id(footer.columns))) not in checked:
                _require_kinds(lake, table, file, footer)
                checked[columns] = footer.columns
        except (DamagedFileError, InaccessibleError) as error:
            left_out[file.file] = error
            file.path.unlink()
        else:
            yield file, footer


def _require_kinds(lake: Lake, table: Table, file: LakeFile, footer: Footer) -> None:
    try:
        require_kinds(table, footer.columns, file.file)
    except ChangedKindError as error:
        if footer.load or footer.key:
            raise
        # No load has written it.
        name, command = lake.store.name(file.file), reload_command(*file.key)
        raise DamagedFileError(name, f"{error.column} is {error.old}", command) from None
