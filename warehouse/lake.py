"""The lake: one Parquet file per account-day, replaced whole, its load record in its footer.

    <root>/insights_hourly/account_id=123/date=2026-11-21/data.parquet
    <root>/campaigns/account_id=123/data.parquet
    <root>/accounts/data.parquet
    <root>/rejects/insights_hourly/123/2026-11-21/<loaded_at>.parquet

Files do not repeat what their folders say: readers of a hive layout (pyarrow, DuckDB, pandas,
Polars) take those columns from the path, and pyarrow refuses files that carry them as well.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse import arrow, parquet
from warehouse.errors import KeepsProvenError, UnknownTableError, WarehouseError
from warehouse.files import locked, replacing
from warehouse.loads import may_replace, restated, to_values
from warehouse.parquet import Partition
from warehouse.schema import TABLES, Table, table_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from warehouse.loads import Load, Restatement
    from warehouse.pages import Reject

__all__ = ["DATA_FILE", "Lake", "Partition", "lake_root", "records"]

DATA_FILE: Final = "data.parquet"

_DIGITS: Final = re.compile(r"[0-9]{1,32}")


def lake_root(url: str | Path) -> Path:
    """Turn WAREHOUSE_URL into a folder. Raises WarehouseError for s3:// and the like, and for
    characters that DuckDB would read as a pattern.
    """
    text = str(url)
    if "://" in text and not text.startswith("file://"):
        raise WarehouseError(f"{text}: only a folder can be the warehouse so far, not {text[:5]}…")
    root = Path(text.removeprefix("file://")).expanduser().resolve()
    if set("*?[]") & set(str(root)):
        raise WarehouseError(f"{root}: none of * ? [ ] may stand in the path of a warehouse")
    if not (nearest := _nearest(root)).is_dir():
        raise WarehouseError(f"{root} can be no warehouse: {nearest} is a file")
    return root


def _nearest(path: Path) -> Path:
    """The path itself if it exists, else the nearest folder above that does."""
    return next(found for found in (path, *path.parents) if found.exists())


class Lake:
    """Reads and replaces the files under one folder. Holds nothing open; safe across threads."""

    def __init__(self, url: str | Path) -> None:
        self.root = lake_root(url)

    def demand_writable(self) -> None:
        """Raise WarehouseError where nothing can be put."""
        if not os.access(nearest := _nearest(self.root), os.W_OK | os.X_OK):
            raise WarehouseError(f"{nearest} cannot be written to: see WAREHOUSE_URL")

    def replace(
        self,
        table: Table | str,
        rows: pa.Table,
        *,
        account_id: str | None = None,
        date: date | None = None,
        load: Load | None = None,
    ) -> Restatement | None:
        """Put `rows` in the place of what is there, at once and for good.

        Gives what the rows changed, if they are a re-load that changed rows or sums. Raises
        KeepsProvenError when the account-day is proven and `load` is not, and WarehouseError for
        rows that are not of the table or the partition; either way the old file stays.
        """
        table = _stored(table)
        path = self.path(table, account_id, date)
        where = Partition(account_id or "", date, path)
        _demand_of_load(table, rows, where, load)
        content = parquet.content_of(table, rows, where)
        with locked(path.parent):
            old, history = parquet.footer(path)
            if not may_replace(old, load):
                raise KeepsProvenError(
                    table.name, where.account_id, str(date), load.reason if load else ""
                )
            change = restated(old, load)
            history = [*history, change] if change else history
            with replacing(path) as file:
                parquet.write(content, file, load, history)
        if load:
            self._forget_rejects(load)
        return change

    def read(
        self, table: Table | str, *, account_id: str | None = None, date: date | None = None
    ) -> pa.Table:
        """All rows, or those of an account or an account-day, with the table's schema."""
        table = _stored(table)
        parts = [
            parquet.read(table, partition)
            for partition in self.partitions(table)
            if account_id in {None, partition.account_id} and date in {None, partition.date}
        ]
        return pa.concat_tables(parts) if parts else arrow.empty(table.arrow_schema)

    def load_of(self, table: Table | str, account_id: str, date: date) -> Load | None:
        """The record of one account-day, from the footer of its file; None if there is none."""
        return parquet.footer(self.path(_stored(table), account_id, date))[0]

    def loads(self) -> pa.Table:
        """Records of all account-days there are, as the table `loads`."""
        return records(self._account_days())[0]

    def restatements(self) -> pa.Table:
        """Everything that re-loads have changed, as the table `restatements`."""
        return records(self._account_days())[1]

    def partitions(self, table: Table | str) -> Sequence[Partition]:
        """The files of a table, by account and date."""
        table = _stored(table)
        pattern = "/".join([*(f"{folder}=*" for folder in table.partitions or ()), DATA_FILE])
        top = self.root / table.name
        return [_partition(top, path) for path in sorted(top.glob(pattern))]

    def path(self, table: Table | str, account_id: str | None, date: date | None) -> Path:
        """Where a file stands. Raises WarehouseError for an account id that is not digits."""
        table = _stored(table)
        names = {"account_id": _account_folder(account_id), "date": date and date.isoformat()}
        wanted = table.partitions or ()
        given = tuple(name for name, value in names.items() if value is not None)
        if given != wanted:
            raise WarehouseError(
                f"files of {table.name} are named by {list(wanted)}, not by {list(given)}"
            )
        folders = [f"{name}={names[name]}" for name in wanted]
        return self.root.joinpath(table.name, *folders, DATA_FILE)

    def write_rejects(self, load: Load, rejects: Sequence[Reject]) -> None:
        """Keep what could not be read in a load. Call it before `replace` with the same `load`.

        `replace` removes the rejects of earlier loads. Those of an attempt that never came to
        `replace` stay until then, so that what failed can be looked at.
        """
        if not rejects:
            return
        folder = self._rejects_folder(load)
        rows = [_reject_row(n, reject, load) for n, reject in enumerate(rejects, start=1)]
        with locked(folder), replacing(folder / f"{_stamp(load)}.parquet") as file:
            parquet.write(arrow.records(TABLES["rejects"].arrow_schema, rows), file)

    def _forget_rejects(self, load: Load) -> None:
        for file in self._rejects_folder(load).glob("*.parquet"):
            if file.stem < _stamp(load):
                file.unlink(missing_ok=True)

    def _rejects_folder(self, load: Load) -> Path:
        self.path(load.table, load.account_id, load.date)  # refuses what is no account-day
        return self.root.joinpath("rejects", load.table, load.account_id, str(load.date))

    def _account_days(self) -> Iterator[Path]:
        for table in TABLES.values():
            if table.partitions == ("account_id", "date"):
                yield from (partition.path for partition in self.partitions(table))


def records(paths: Iterable[Path]) -> tuple[pa.Table, pa.Table]:
    """Read the footers of files: the tables `loads` and `restatements`."""
    footers = [parquet.footer(path) for path in paths]
    loads = [_row(load) for load, _ in footers if load]
    changes = [_row(change) for _, history in footers for change in history]
    return (
        arrow.records(TABLES["loads"].arrow_schema, loads),
        arrow.records(TABLES["restatements"].arrow_schema, changes),
    )


def _stored(table: Table | str) -> Table:
    table = table_named(table) if isinstance(table, str) else table
    if table.partitions is None:
        raise UnknownTableError(f"{table.name} is not kept in files of its own")
    return table


def _account_folder(account_id: str | None) -> str | None:
    if account_id is not None and not _DIGITS.fullmatch(account_id):
        raise WarehouseError(f"an account id is digits without act_, not {account_id!r}")
    return account_id


def _partition(top: Path, path: Path) -> Partition:
    named = dict(folder.split("=", 1) for folder in path.relative_to(top).parts[:-1])
    account_id, day = named.get("account_id"), named.get("date")
    try:
        return Partition(
            _account_folder(account_id) or "", date.fromisoformat(day) if day else None, path
        )
    except (WarehouseError, ValueError):
        raise WarehouseError(
            f"{path} is of no account and day: move it out of the warehouse"
        ) from None


def _reject_row(n: int, reject: Reject, load: Load) -> dict[str, object]:
    return {
        "table_name": load.table,
        "account_id": load.account_id,
        "date": load.date,
        "n": n,
        "page": reject.page,
        "row": reject.row,
        "column_name": reject.column,
        "value": reject.value,
        "reason": reject.reason,
        "raw": reject.raw,
        "run_id": load.run_id,
        "loaded_at": load.loaded_at,
    }


def _stamp(load: Load) -> str:
    """`loaded_at` as the name of a file; names sort by time."""
    return load.loaded_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _row(record: Load | Restatement) -> dict[str, object]:
    """A record under the names of its table's columns."""
    values = to_values(record)
    return {"table_name": values.pop("table"), **values}


def _demand_of_load(table: Table, rows: pa.Table, where: Partition, load: Load | None) -> None:
    if load is None:
        return
    said = (load.table, load.account_id, load.date, load.rows)
    if said != (table.name, where.account_id, where.date, rows.num_rows):
        raise WarehouseError(f"the load record is of {said}; the rows are not")
