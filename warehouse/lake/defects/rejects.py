"""Files of rejects, what could not be read exactly: of a load of an account-day, and of objects.

    rejects/insights_hourly/123/2026-11-21/<loaded_at>.parquet    a load
    rejects/campaigns/123/latest/<fetched_at>.parquet             the objects of an account
    rejects/accounts/123/latest/<fetched_at>.parquet              an account
    rejects/accounts/unknown/latest/<fetched_at>.parquet          an object without a readable id

Rejects of an object stay until it is read again; those of an object without an id until the next
listing. They have no date.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.decode.objects import id_of
from warehouse.decode.values import CELL
from warehouse.errors import DamagedFileError, InaccessibleError
from warehouse.lake.defects.damage import named
from warehouse.lake.parquet import Partition, Writer
from warehouse.schema.tables import TABLES
from warehouse.storage.atomic import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from warehouse.decode.objects import Objects
    from warehouse.decode.rows import Reject
    from warehouse.lake.records import Load
    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.storage.store import Store

__all__ = [
    "REJECTS_KEPT",
    "UnreadColumn",
    "cells_of",
    "drop_of_earlier_loads",
    "keep",
    "keep_of_load",
    "of_objects",
    "row_of",
    "unread_columns",
    "write",
]

_log = logging.getLogger(__name__)

#: Rejects that are kept with their JSON for each column of a load or listing; the rest is only
#: counted.
REJECTS_KEPT: Final = 1_000

#: Rejects that are written together: each has the JSON of its row, so a table of all could take
#: hundreds of megabytes.
_AT_ONCE: Final = 1_000

#: In a path: in place of the day, which objects do not have, and of an account that is not known.
LATEST: Final = "latest"
UNKNOWN: Final = "unknown"

#: Clocks of machines that write to one lake may differ by this much. Our choice.
_SKEW: Final = timedelta(hours=1)

#: File of the lake → its rows, of objects.
OldRejects = dict[str, "Sequence[dict[str, Any]]"]


def file_of(folder: str, at: datetime) -> str:
    """The file of rejects of an instant; names sort by it."""
    return f"{folder}/{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.parquet"


def row_of(  # noqa: PLR0913  # of what, whose and when
    n: int,
    reject: Reject,
    *,
    table: str,
    account_id: str,
    date: date | None,
    at: datetime,
    run_id: str | None = None,
) -> dict[str, Any]:
    """A row of the table `rejects`."""
    return {
        "table_name": table,
        "account_id": account_id,
        "date": date,
        "n": n,
        "page": reject.page if date else None,
        "row": reject.row,
        "column_name": reject.column,
        "value": reject.value,
        "reason": reject.reason,
        "lost": reject.lost,
        "raw": reject.raw,
        "run_id": run_id,
        "loaded_at": at,
    }


def write(store: Store, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a file of rejects, atomically."""
    table = TABLES["rejects"]
    with scratch_folder(store.root) as aside:
        writer = Writer(table, aside / "rejects.unfinished")
        for at in range(0, len(rows), _AT_ONCE):
            writer.write(arrow.records(table.arrow_schema, rows[at : at + _AT_ONCE]))
        written = writer.finish()
        store.replace(key, lambda: written)


# -- of a load -------------------------------------------------------------------------------------


def keep_of_load(store: Store, load: Load, rejects: Iterable[Reject], kept: Load | None) -> None:
    """Write the rejects of a load of an account-day. Those of attempts before it, since the load
    that the lake has `kept`, are removed: else the table would have them twice.
    """
    rows = [
        row_of(
            *(n, reject),
            table=load.table,
            account_id=load.account_id,
            date=load.date,
            at=load.loaded_at,
            run_id=load.run_id,
        )
        for n, reject in enumerate(rejects, start=1)
    ]
    folder = _folder_of_load(load)
    own, since = file_of(folder, load.loaded_at), kept and file_of(folder, kept.loaded_at)
    write(store, own, rows)
    for found in store.scan(f"{folder}/*.parquet").files:
        if (since or "") < found.key < own:
            store.delete(found.key)


def drop_of_earlier_loads(store: Store, load: Load, now: datetime) -> None:
    """Remove the rejects of an account-day that earlier loads than this one have left."""
    folder = _folder_of_load(load)
    own = file_of(folder, load.loaded_at)
    # Later ones are of a load that is still running, or of a clock that was ahead.
    ahead = file_of(folder, max(load.loaded_at, now) + _SKEW)
    for found in store.scan(f"{folder}/*.parquet").files:
        if found.key < own or found.key > ahead:
            store.delete(found.key)


def _folder_of_load(load: Load) -> str:
    return f"rejects/{load.table}/{load.account_id}/{load.date}"


# -- of objects ------------------------------------------------------------------------------------


def of_objects(store: Store, table: ObjectTable, account_id: str | None) -> OldRejects:
    """The rejects of an account's objects, or of all accounts, from the last listing."""
    return dict(_files_of(store, table, account_id))


def _files_of(
    store: Store,
    table: ObjectTable,
    account_id: str | None,
    columns: list[str] | None = None,
    *,
    is_look: bool = False,
) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    """Each file of them with its rows, or with only some `columns`: all rows of many accounts, with
    their JSON, would take gigabytes. `is_look`: nothing is written afterwards, so a file that may
    not be read is named and left out.
    """
    of_account = f"rejects/{table.name}/{account_id or '*'}/{LATEST}/*.parquet"
    found = store.scan(of_account)
    for unlisted in found.unreadable.values() if is_look else ():
        _log.warning("%s", unlisted)
    for key in (one.key for one in found.files):
        try:
            with named(store, TABLES["rejects"], Partition(account_id or "", None, key)):
                rows = arrow.python_rows(pq.ParquetFile(store.open(key)).read(columns))
        except FileNotFoundError:  # another process has just replaced it
            continue
        except DamagedFileError as error:  # its rows are lost, and its place is taken
            _log.warning("%s", error)
            rows = []
        except InaccessibleError as error:
            if not is_look:  # its rows are not gone: nothing may replace them
                raise
            _log.warning("%s", error)
            continue
        yield key, rows


@dataclass(frozen=True, slots=True)
class UnreadColumn:
    """A column of objects that Meta refuses or whose values could not be read ("": whole objects):
    the accounts (digits, or "unknown"), how many objects, and the first reason.
    """

    table: str
    column: str
    accounts: Sequence[str]
    objects: int
    reason: str


def unread_columns(
    store: Store, tables: Iterable[ObjectTable], account_ids: Collection[str]
) -> Sequence[UnreadColumn]:
    """The columns that have rejects, of objects of these accounts or of no known account."""
    found: dict[tuple[str, str], tuple[Counter[str], str]] = {}
    wanted = {*account_ids, UNKNOWN, ""}
    for table in tables:
        columns = ["account_id", "column_name", "reason"]
        for _, rows in _files_of(store, table, None, columns, is_look=True):
            for row in (one for one in rows if one["account_id"] in wanted):
                of = table.name, row["column_name"]
                objects, _ = found.setdefault(of, (Counter(), row["reason"]))
                objects[row["account_id"] or UNKNOWN] += 1
    return [
        UnreadColumn(*of, accounts=sorted(objects), objects=objects.total(), reason=reason)
        for of, (objects, reason) in found.items()
    ]


def cells_of(table: ObjectTable, rows: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """The values that are NULL because they could not be read: (id of the object, column)."""
    return frozenset(
        (_id_in(table, row["raw"]), row["column_name"]) for row in rows if row["lost"] == CELL
    )


def keep(  # noqa: PLR0913  # what was kept, what is new, whose and when
    store: Store,
    table: ObjectTable,
    old: OldRejects,
    objects: Objects,
    at: datetime,
    *,
    account_id: str | None,
    complete: bool,
) -> None:
    """Replace the `old` rejects of these objects by the new ones, read `at` an instant.
    `complete`: rejects of objects without an id are replaced too.
    """
    kept = [
        row
        for rows in old.values()
        for row in rows
        if not _is_replaced(_id_in(table, row["raw"]), objects.ids, complete=complete)
    ]
    by_folder: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in (*kept, *_new_rows(table, account_id, objects.rejects, at)):
        by_folder[_folder(table, row["account_id"])].append(row)
    before: defaultdict[str, list[str]] = defaultdict(list)
    for key in old:
        before[key.rpartition("/")[0]].append(key)
    for folder in {*by_folder, *before}:
        rows, keys = by_folder[folder], before[folder]
        if rows and rows == [row for key in keys for row in old[key]]:
            continue
        if rows:
            write(store, new := file_of(folder, at), rows)
            keys = [key for key in keys if key != new]
        for key in keys:
            store.delete(key)


def _new_rows(
    table: ObjectTable, account_id: str | None, rejects: Iterable[Reject], at: datetime
) -> Iterable[dict[str, Any]]:
    """Rows of rejects, numbered. In the table `accounts` each object is an account of its own."""
    by_column: Counter[str] = Counter()
    for n, reject in enumerate(rejects, start=1):
        by_column[reject.column] += 1
        if by_column[reject.column] <= REJECTS_KEPT:
            of = _id_in(table, reject.raw) if account_id is None else account_id
            yield row_of(n, reject, table=table.name, account_id=of, date=None, at=at)


def _is_replaced(object_id: str, ids: Collection[str], *, complete: bool) -> bool:
    return object_id in ids if object_id else complete


def _folder(table: ObjectTable, account_id: str) -> str:
    return f"rejects/{table.name}/{account_id or UNKNOWN}/{LATEST}"


def _id_in(table: ObjectTable, raw: str) -> str:
    """The id in the JSON of an object; "" if it has none or an unreadable one."""
    try:
        return id_of(table, json.loads(raw))
    except (ValueError, RecursionError):
        return ""
