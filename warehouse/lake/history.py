"""Accounts, campaigns, ad sets and ads: their latest state, and every state that was seen.

A snapshot is the result of one listing, or some objects that were requested by id. Objects never
leave the latest state: one that is deleted at Meta stays, because insights mention it. A rename
is a row of the history and does not change rows of insights. Snapshots count in the order in which
they are merged, whatever the clock says: a state that differs is recorded after the one before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.decode.objects import Unreadable, decode_objects
from warehouse.errors import DamagedFileError, InaccessibleError
from warehouse.lake import rejects
from warehouse.lake.damage import named
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from warehouse.decode.casts import Account
    from warehouse.lake.parquet import Partition
    from warehouse.lake.partitions import Lake
    from warehouse.schema.table import Table

__all__ = ["Merged", "merge_objects", "missing_ids"]

_log = logging.getLogger(__name__)

DELETED: Final = "DELETED"

#: The shortest time between two states of an object that the lake can represent.
_LEAST: Final = timedelta(microseconds=1)

#: Tables of objects that insights mention, and the column of their id.
MENTIONED: Final[Mapping[str, str]] = {
    "campaigns": "campaign_id",
    "adsets": "adset_id",
    "ads": "ad_id",
}


@dataclass(frozen=True, slots=True)
class Merged:
    """The latest state after a snapshot. `gone` are ids of objects that a whole listing no longer
    has and that were not deleted when they were last seen: request them by id. The table `rejects`
    has what was `unreadable`.
    """

    rows: pa.Table
    gone: Sequence[str] = ()
    unreadable: Unreadable = field(default_factory=Unreadable)


def merge_objects(  # noqa: PLR0913  the objects, their account, when, and if they are all
    lake: Lake,
    table: str,
    objects: Iterable[object],
    account: Account | None,
    fetched_at: datetime,
    *,
    complete: bool,
) -> Merged:
    """Merge a snapshot into the latest state, the history and the rejects.

    `objects` are parsed JSON, of one account; `account` is None for the table `accounts`.
    `complete` says that no other objects were listed. A value that cannot be read is NULL, an
    object that cannot be read keeps the row it has; neither affects another object.
    """
    latest, past = TABLES[table], TABLES[f"{table}_history"]
    account_id = account.account_id if account else None
    fresh = decode_objects(latest, objects, account, fetched_at)
    old = rejects.of_objects(lake.store, latest, account_id)
    unread = _Unread(
        before=rejects.cells_of(latest, (row for rows in old.values() for row in rows)),
        now=fresh.unread,
    )
    gone: list[str] = []

    def merge(before: pa.Table) -> pa.Table:
        others = before.filter(pc.invert(_is_in(before[latest.columns[0].name], fresh.rows)))
        if complete:
            gone[:] = _not_deleted(others)

        def append(known: pa.Table) -> pa.Table:
            # Where no state is known although objects are, the history was lost.
            states = fresh.rows if known.num_rows else pa.concat_tables([fresh.rows, others])
            return _appended(past, known, states, unread)

        lake.update(past, append, account_id=account_id)
        return pa.concat_tables([fresh.rows, others])

    with lake.writing(TABLES["rejects"], account_id, None):
        rejects.keep(
            *(lake.store, latest, old, fresh, fetched_at),
            account_id=account_id,
            complete=complete or account is None,  # accounts come all at once
        )
    rows = lake.update(latest, merge, account_id=account_id)
    return Merged(rows, gone, fresh.unreadable)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Values that could not be read, (id, column): of the snapshot `before` and of that of `now`.

    They do not count as changes: the history keeps the known value, and assumes that a value which
    is read for the first time was the same before.
    """

    before: frozenset[tuple[str, str]]
    now: frozenset[tuple[str, str]]

    def filled(self, known: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """A known state, completed by values that are read for the first time."""
        return {
            name: state[name] if value is None and self._is_first(known, name) else value
            for name, value in known.items()
        }

    def _is_first(self, known: Mapping[str, Any], name: str) -> bool:
        cell = (_id(known), name)
        return cell in self.before and cell not in self.now

    def kept(self, known: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """A state, completed by known values for those that could not be read."""
        return {
            name: known[name] if (_id(known), name) in self.now else value
            for name, value in state.items()
        }


def _not_deleted(rows: pa.Table) -> list[str]:
    if "effective_status" in rows.schema.names:
        deleted = pc.equal(rows["effective_status"], arrow.texts([DELETED])[0])
        rows = rows.filter(pc.invert(arrow.null_is_false(deleted)))
    ids: list[str] = rows.column(0).to_pylist()
    return sorted(ids)


def _appended(table: Table, past: pa.Table, fresh: pa.Table, unread: _Unread) -> pa.Table:
    """The history, with a new state for each object that has changed."""
    now = past.filter(past["valid_to"].is_null())
    known = {_id(row): row for row in arrow.python_rows(now)}
    written: list[dict[str, Any]] = []
    for row in arrow.python_rows(fresh):
        state = {name: row.get(name) for name in table.arrow_schema.names}
        state |= {"valid_from": row["fetched_at"], "valid_to": None}
        before = known.get(_id(row))
        written += [state] if before is None else _next(before, state, unread)
    if not written:
        return past
    new = arrow.records(table.arrow_schema, written)
    replaced = pc.and_(past["valid_to"].is_null(), _is_in(past.column(0), new))
    return pa.concat_tables([past.filter(pc.invert(replaced)), new])


def _next(
    known: Mapping[str, Any], state: Mapping[str, Any], unread: _Unread
) -> Sequence[dict[str, Any]]:
    """Rows to write for an object: none if unchanged, else the ended state and the new one."""
    before = unread.filled(known, state)
    after = unread.kept(before, state)
    if _same(before, after):
        return [] if before == known else [before]
    # If a clock that was ahead has dated the known state into the future, the new one comes after.
    begins = max(after["valid_from"], before["valid_from"] + _LEAST)
    return [{**before, "valid_to": begins}, {**after, "valid_from": begins}]


def _id(row: Mapping[str, Any]) -> str:
    return str(next(iter(row.values())))


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    when = {"valid_from", "valid_to"}
    return all(before[name] == after[name] for name in before.keys() - when)


def _is_in(ids: pa.ChunkedArray, rows: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(ids, value_set=rows.column(0).combine_chunks())


def missing_ids(lake: Lake, account_id: str, days: Iterable[date]) -> Mapping[str, Sequence[str]]:
    """Ids that insights of these days mention and the tables of objects lack, by table, sorted.

    Edges do not list deleted objects; requested by id, Meta returns them
    (docs/graph-api.md#objects).
    """
    wanted = list(days)
    mentioned: dict[str, set[str]] = {column: set() for column in MENTIONED.values()}
    for table in lake.catalog.tables.values():
        has_ids = any(column in table.arrow_schema.names for column in mentioned)
        for day in wanted if has_ids and table.partitions == ("account_id", "date") else ():
            _mention(lake, table, lake.partition(table, account_id, day), mentioned)
    return {
        table: sorted(
            mentioned[column] - set(lake.read(table, account_id=account_id)[column].to_pylist())
        )
        for table, column in MENTIONED.items()
    }


def _mention(lake: Lake, table: Table, where: Partition, mentioned: Mapping[str, set[str]]) -> None:
    """Add the ids in a file, if it exists and can be read, to those that are mentioned."""
    columns = [column for column in mentioned if column in table.arrow_schema.names]
    try:
        with named(lake.store, table, where):
            file = pq.ParquetFile(lake.store.open(where.key), read_dictionary=columns)
            for batch in file.iter_batches(columns=columns):
                for column in columns:
                    ids = batch[column].unique().dictionary.to_pylist()
                    mentioned[column].update(one for one in ids if one is not None)
    except FileNotFoundError:
        return
    except (DamagedFileError, InaccessibleError) as error:  # its own load tells, or will
        _log.warning("%s", error)
