"""Accounts, campaigns, ad sets and ads: their latest state, and every state that was seen.

A snapshot is what one listing gave at one time, or some objects that were asked for by id. Objects
never leave the latest state: one that is deleted at Meta stays, for insights mention it. A rename
is a row of the history and touches no row of insights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse import arrow
from warehouse.decode import decode_objects
from warehouse.errors import WarehouseError
from warehouse.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from warehouse.lake import Lake
    from warehouse.table import Table
    from warehouse.typed import Account

__all__ = ["Merged", "merge_objects", "missing_ids"]

DELETED: Final = "DELETED"

#: Tables of objects that insights mention, and the column of their id.
MENTIONED: Final[Mapping[str, str]] = {
    "campaigns": "campaign_id",
    "adsets": "adset_id",
    "ads": "ad_id",
}


@dataclass(frozen=True, slots=True)
class Merged:
    """The latest state after a snapshot. `gone` are ids of objects that a whole listing no longer
    has and that were not deleted when they were last seen: ask for them by id.
    """

    rows: pa.Table
    gone: Sequence[str]


def merge_objects(  # noqa: PLR0913  what was seen, whose it is, when, and whether it is all
    lake: Lake,
    table: str,
    objects: Iterable[Mapping[str, Any]],
    account: Account | None,
    fetched_at: datetime,
    *,
    complete: bool,
) -> Merged:
    """Take in a snapshot: the latest state, and what changed since the one before.

    `objects` are as json read them, of one account; `account` is None for the table `accounts`.
    `complete` says that no other objects were listed. Raises WarehouseError for an object that
    cannot be read, and then nothing is changed.
    """
    fresh = _read(TABLES[table], objects, account, fetched_at)
    account_id = account.account_id if account else None
    gone: list[str] = []

    def merge(before: pa.Table) -> pa.Table:
        others = before.filter(pc.invert(_is_in(before[fresh.column_names[0]], fresh)))
        if complete:
            gone[:] = _not_deleted(others)
        past = TABLES[f"{table}_history"]
        lake.update(past, lambda rows: _appended(past, rows, fresh), account_id=account_id)
        return pa.concat_tables([fresh, others])

    return Merged(lake.update(table, merge, account_id=account_id), gone)


def _read(
    table: Table,
    objects: Iterable[Mapping[str, Any]],
    account: Account | None,
    fetched_at: datetime,
) -> pa.Table:
    """Objects typed, each once: of one that came twice, the later."""
    source = table.columns[0].source
    by_id = {str(found.get(source)): found for found in objects}
    currencies = {account.account_id: account.currency} if account else {}
    decoded = decode_objects(table, list(by_id.values()), currencies, fetched_at)
    for reject in decoded.rejects:
        of = f" of act_{account.account_id}" if account else ""
        raise WarehouseError(
            f"{table.name}{of}: {reject.column} {reject.value}: {reject.reason}; in {reject.raw}"
        )
    return decoded.rows


def _not_deleted(rows: pa.Table) -> list[str]:
    if "effective_status" in rows.schema.names:
        deleted = pc.equal(rows["effective_status"], arrow.texts([DELETED])[0])
        rows = rows.filter(pc.invert(arrow.null_is_false(deleted)))
    ids: list[str] = rows.column(0).to_pylist()
    return sorted(ids)


def _appended(table: Table, past: pa.Table, fresh: pa.Table) -> pa.Table:
    """History with the states in which objects differ from the one they had."""
    now = past.filter(past["valid_to"].is_null())
    known = {_id(row): row for row in arrow.python_rows(now)}
    changed = []
    for row in arrow.python_rows(fresh):
        state = {name: row.get(name) for name in table.arrow_schema.names}
        state |= {"valid_from": row["fetched_at"], "valid_to": None}
        before = known.get(_id(row))
        if before is None or (
            _differs(before, state) and before["valid_from"] < state["valid_from"]
        ):
            changed.append(state)
    if not changed:
        return past
    closed = [
        {**known[_id(state)], "valid_to": state["valid_from"]}
        for state in changed
        if _id(state) in known
    ]
    new = arrow.records(table.arrow_schema, [*closed, *changed])
    ended = pc.and_(past["valid_to"].is_null(), _is_in(past.column(0), new))
    return pa.concat_tables([past.filter(pc.invert(ended)), new])


def _id(row: Mapping[str, Any]) -> object:
    return next(iter(row.values()))


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    when = {"valid_from", "valid_to"}
    return any(before[name] != after[name] for name in before.keys() - when)


def _is_in(ids: pa.ChunkedArray, rows: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(ids, value_set=rows.column(0).combine_chunks())


def missing_ids(lake: Lake, account_id: str, days: Iterable[date]) -> Mapping[str, Sequence[str]]:
    """Ids that insights of these days mention and the tables of objects lack, by table, sorted.

    Edges list no deleted objects; asked for by their id, they are there (contract 3.3.4).
    """
    wanted = list(days)
    mentioned: dict[str, set[str]] = {column: set() for column in MENTIONED.values()}
    for table in TABLES.values():
        columns = [column for column in mentioned if column in table.arrow_schema.names]
        for day in wanted if columns and table.partitions == ("account_id", "date") else ():
            _mention(lake, lake.key(table, account_id, day), columns, mentioned)
    return {
        table: sorted(
            mentioned[column] - set(lake.read(table, account_id=account_id)[column].to_pylist())
        )
        for table, column in MENTIONED.items()
    }


def _mention(
    lake: Lake, key: str, columns: Sequence[str], mentioned: Mapping[str, set[str]]
) -> None:
    """Add the ids in columns of a file, if it is there, to those that are mentioned."""
    try:
        file = pq.ParquetFile(lake.store.open(key), read_dictionary=columns)
    except FileNotFoundError:
        return
    for batch in file.iter_batches(columns=columns):
        for column in columns:
            ids = batch[column].unique().dictionary.to_pylist()
            mentioned[column].update(one for one in ids if one is not None)
