"""Records of account-days as they were published: who looks at very many asks one file for them,
and opens only those files of the lake that have changed since.
"""

from __future__ import annotations

import threading
from dataclasses import fields
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.lake.changes import last_publishing
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.storage.local import stamp_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from warehouse.schema.catalog import Catalog

__all__ = ["KnownRecords", "lake_with_records"]


#: Fields of a record that the table `loads` has under the same name.
_FIELDS: Final = [field.name for field in fields(Load) if field.name != "table"]


class _Rows(NamedTuple):
    """The published records of a table `since` a day, account by account: where each begins among
    the rows, and how many it has.
    """

    since: date
    rows: pa.Table
    places: Mapping[str, tuple[int, int]]


class KnownRecords:
    """The records in the published file of the lake at `url`. It is read when it is first asked for
    a table; safe across threads.
    """

    def __init__(self, url: str | Path) -> None:
        self._url = url
        self._read: dict[str, _Rows | None] = {}
        self._reading = threading.Lock()

    def __call__(
        self, table: str, account_days: Sequence[tuple[str, date]]
    ) -> Mapping[tuple[str, date], tuple[str, Load]]:
        """Of those account-days (account, date) that are published: the stamp that the file had
        then, and its record. There are none if the published file is missing, cannot be read, or is
        not as a publish left it.
        """
        if not account_days or not (known := self._rows_of(table, min(d for _, d in account_days))):
            return {}
        wanted = frozenset(account_days)
        return {
            (account_id, row["date"]): (row.pop("stamp"), Load(**row))
            for account_id in sorted({account_id for account_id, _ in wanted})
            for row in _fields_of(known.rows.slice(*known.places.get(account_id, (0, 0))))
            if (account_id, row["date"]) in wanted
        }

    def _rows_of(self, table: str, since: date) -> _Rows | None:
        with self._reading:
            known = self._read.get(table)
            if table not in self._read or (known and known.since > since):
                first = since.replace(day=1)  # whoever goes back day by day reads it once a month
                self._read[table] = known = _published(open_store(self._url).root, table, first)
            return known


def lake_with_records(url: str | Path, catalog: Catalog) -> Lake:
    """A lake that takes records from its published file where many account-days are asked for."""
    return Lake(url, catalog=catalog, known=KnownRecords(url))


def _published(root: Path, table: str, since: date) -> _Rows | None:
    import duckdb  # noqa: PLC0415  # a load of few account-days does without it

    from warehouse.published.publish import LINK, SNAPSHOTS  # noqa: PLC0415  # as above

    snapshots = root / SNAPSHOTS
    try:
        noted = last_publishing(snapshots).file
        # What somebody has written to is not what was published, whatever it says now.
        snapshot = next(one for one in snapshots.glob(f"*/{LINK}") if stamp_of(one) == noted)
        with duckdb.connect(snapshot, read_only=True) as connection:
            rows: pa.Table = connection.sql(
                "SELECT l.*, f.stamp FROM loads AS l"
                " JOIN published.files AS f USING (table_name, account_id, date)"
                " WHERE table_name = ? AND date >= ? ORDER BY account_id, date",
                params=[table, since],
            ).to_arrow_table()
    except (duckdb.Error, OSError, StopIteration):
        return None  # whoever asks opens the files
    if not {*_FIELDS} <= {*rows.column_names}:
        return None  # an earlier version made it, which did not note all that the files say
    accounts: Any = pc.run_end_encode(rows["account_id"].combine_chunks())
    ends = accounts.run_ends.to_pylist()
    places = [(begin, end - begin) for begin, end in pairwise([0, *ends])]
    return _Rows(since, rows, dict(zip(accounts.values.to_pylist(), places, strict=True)))


def _fields_of(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """The fields of records, and the stamps, from rows of the table `loads`: column by column,
    because of hundreds of thousands each value by itself would take most of the time.
    """
    columns = [_values(rows[name]) for name in ("stamp", "table_name", *_FIELDS)]
    for values in zip(*columns, strict=True):
        yield dict(zip(("stamp", "table", *_FIELDS), values, strict=True))


def _values(column: pa.ChunkedArray) -> Sequence[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_list(column.type):
        return [None if one is None else tuple(one) for one in values]
    if pa.types.is_timestamp(column.type):  # in the zone of the session
        return [None if one is None else one.astimezone(UTC) for one in values]
    return values
