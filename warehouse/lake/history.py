"""Accounts, campaigns, ads and all other objects: their latest state, and every state that was
seen.

A snapshot is the result of one listing, or some objects that were requested by id. Objects never
leave the latest state: one that is deleted at Meta stays, because insights mention it. A rename
is a row of the history and does not change rows of insights. Snapshots count in the order in which
they are merged, whatever the clock says: a state that differs is recorded after the one before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.decode import arrow
from warehouse.decode.objects import Unreadable, decode_objects, id_of
from warehouse.errors import DamagedFileError, InaccessibleError
from warehouse.lake.defects import rejects
from warehouse.lake.defects.damage import named
from warehouse.lake.footers import NO_FOOTER
from warehouse.schema.objects.links import is_signed, unsigned
from warehouse.schema.records import REJECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from warehouse.decode.casts import Account
    from warehouse.lake.footers import Footer
    from warehouse.lake.parquet import Partition
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.schema.table import Table

__all__ = [
    "Merged",
    "footer_of_objects",
    "mentioned_ids",
    "merge_objects",
    "missing_ids",
    "missing_objects",
]

_log = logging.getLogger(__name__)

DELETED: Final = "DELETED"

#: Objects that are Python values at the same time: a creative has kilobytes.
_AT_ONCE: Final = 1_000

#: The shortest time between two states of an object that the lake can represent.
_LEAST: Final = timedelta(microseconds=1)


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
    objects: Sequence[object],
    account: Account | None,
    fetched_at: datetime,
    *,
    complete: bool,
    listed_at: datetime | None = None,
) -> Merged:
    """Merge a snapshot into the latest state, the history and the rejects.

    `objects` are parsed JSON, of one account; `account` is None for the table `accounts`.
    `complete` says that no other objects were listed; `listed_at` is when all that there is was
    asked for, `fetched_at` if they are complete. A value that cannot be read is NULL, an object
    that cannot be read keeps the row it has; neither affects another object. A restricted field
    that an object lacks was not asked for, or refused: its columns keep what they have.
    """
    row = lake.catalog.objects_named(table)
    account_id = account.account_id if account else None
    fresh = decode_objects(row, objects, account, fetched_at)
    unasked = _unasked(row, objects)
    old = rejects.of_objects(lake.store, row, account_id)
    unread = _Unread(
        before=rejects.cells_of(row, (one for rows in old.values() for one in rows)),
        now=fresh.unread | unasked,
        optional=row.restricted_columns,
    )
    # A malformed value may have changed; a refusal says nothing about the object.
    kept = unasked | {cell for cell in fresh.unread if cell[0] in fresh.refused}
    gone: list[str] = []

    def merge(before: pa.Table) -> pa.Table:
        rows = _with_last(before, fresh.rows, kept) if kept else fresh.rows
        others = arrow.without(before, row.key, rows)
        if complete:
            # What Graph refuses of a listed object, it refuses by id too.
            gone[:] = [one for one in _not_deleted(others, row) if one not in fresh.refused]
        if row.history is not None:
            # Accounts come all at once.
            whole = complete or account is None
            states = _States(rows, others, unread)
            _append(lake, row.history, account_id, states, whole=whole)
        return pa.concat_tables([rows, others])

    with lake.writing(REJECTS, account_id, None):
        rejects.keep(
            *(lake.store, row, old, fresh, fetched_at),
            account_id=account_id,
            complete=complete or account is None,  # accounts come all at once
        )
    listed_at = fetched_at if complete else listed_at
    rows = lake.update(row.latest, merge, account_id=account_id, listed_at=listed_at)
    return Merged(rows, gone, fresh.unreadable)


def _unasked(row: ObjectTable, objects: Iterable[object]) -> frozenset[tuple[str, str]]:
    """Cells, (id, column), of restricted fields that an object lacks."""
    sources = {name: row.latest.column(name).source for name in row.restricted_columns}
    return frozenset(
        (id_of(row, one), name)
        for name, source in sources.items()
        for one in objects
        if isinstance(one, dict) and source.partition(".")[0] not in one
    )


def _with_last(before: pa.Table, fresh: pa.Table, unasked: frozenset[tuple[str, str]]) -> pa.Table:
    """Rows, with the values that cells had before."""
    known = {_id(state): state for state in arrow.python_rows(before)}
    rows = [
        {
            name: known.get(_id(state), {}).get(name) if (_id(state), name) in unasked else value
            for name, value in state.items()
        }
        for state in arrow.python_rows(fresh)
    ]
    return arrow.records(fresh.schema, rows)


@dataclass(frozen=True, slots=True)
class _States:
    """The states of an account's objects: of a snapshot, those of the others, what is unread."""

    fresh: pa.Table
    others: pa.Table
    unread: _Unread


def _append(
    lake: Lake, past: Table, account_id: str | None, states: _States, *, whole: bool
) -> None:
    """Add new states to a history.

    A column that the file does not have yet is read for the first time, which changes nothing: its
    values complete the known states. If these are not `whole`, all objects of the account, that
    waits, for states of the others could not be told from states without a value.
    """
    stored = footer_of_objects(lake, past, account_id).columns.names
    new = frozenset(past.file_schema.names).difference(stored) if stored else frozenset[str]()
    table = past
    if new and not whole:
        table = replace(past, columns=tuple(c for c in past.columns if c.name not in new))

    def append(known: pa.Table) -> pa.Table:
        # Where no state is known although objects are, the history was lost.
        now = states.fresh
        if not known.num_rows:
            now = pa.concat_tables([now, states.others])
        unread = replace(states.unread, columns=new) if whole else states.unread
        after = _appended(table, known, now, unread)
        # The file must have the columns from now on, even if all of their values are NULL.
        return pa.concat_tables([after]) if whole and new else after

    lake.update(table, append, account_id=account_id)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Values that could not be read, (id, column): of the snapshot `before` and of that of `now`.

    They do not count as changes: the history keeps the known value, and assumes that a value which
    is read for the first time was the same before. `columns` are read for the first time of all
    objects. `optional` are NULL for as long as a right is missing.
    """

    before: frozenset[tuple[str, str]]
    now: frozenset[tuple[str, str]]
    columns: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def filled(self, known: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """A known state, completed by values that are read for the first time."""
        return {
            name: state[name] if value is None and self._is_first(known, name) else value
            for name, value in known.items()
        }

    def _is_first(self, known: Mapping[str, Any], name: str) -> bool:
        cell = (_id(known), name)
        first = name in self.columns or name in self.optional or cell in self.before
        return first and cell not in self.now

    def kept(self, known: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """A state, completed by known values for those that could not be read."""
        return {
            name: known[name] if (_id(known), name) in self.now else value
            for name, value in state.items()
        }


def _not_deleted(rows: pa.Table, row: ObjectTable) -> list[str]:
    """Ids of objects that were not deleted when they were last seen, if anybody can tell."""
    if not row.deleted:
        return []
    deleted = pc.equal(rows[row.deleted], arrow.texts([DELETED])[0])
    ids: list[str] = rows.filter(pc.invert(arrow.null_is_false(deleted)))[row.key].to_pylist()
    return sorted(ids)


def _appended(table: Table, past: pa.Table, fresh: pa.Table, unread: _Unread) -> pa.Table:
    """The history, with a new state for each object that has changed."""
    now = past.filter(past["valid_to"].is_null())
    is_known = arrow.is_in(fresh.column(0), now.column(0))
    states = _begun(table, fresh)
    # Of a first listing, which may be large, no row is known, and none is copied.
    parts = [states.filter(pc.invert(is_known)) if now.num_rows else states]
    states = states.filter(is_known)
    for start in range(0, states.num_rows, _AT_ONCE):
        some = states.slice(start, _AT_ONCE)
        same = now.filter(arrow.is_in(now.column(0), some.column(0)))
        known = {_id(row): row for row in arrow.python_rows(same)}
        written: list[dict[str, Any]] = []
        for state in arrow.python_rows(some):
            written += _next(known[_id(state)], state, unread)
        if written:
            parts.append(arrow.records(table.arrow_schema, written))
    new = pa.concat_tables(parts)
    if not new.num_rows:
        return past
    replaced = pc.and_(past["valid_to"].is_null(), arrow.is_in(past.column(0), new.column(0)))
    return pa.concat_tables([past.filter(pc.invert(replaced)), new])


def _begun(table: Table, fresh: pa.Table) -> pa.Table:
    """The states that objects have now, as rows of a history."""
    fetched_at = fresh["fetched_at"]
    times = {"valid_from": fetched_at, "valid_to": pa.nulls(len(fetched_at), fetched_at.type)}
    columns = [times[name] if name in times else fresh[name] for name in table.arrow_schema.names]
    return pa.Table.from_arrays(columns, schema=table.arrow_schema)


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
    return all(_is_alike(before[name], after[name]) for name in before.keys() - when)


def _is_alike(before: object, after: object) -> bool:
    """Whether a value has not changed. For an address that differs at each read nobody can tell, so
    it counts as unchanged; so does a text, such as JSON that comes as one, that differs in such
    addresses alone.
    """
    if before == after or (is_signed(before) and is_signed(after)):
        return True
    if isinstance(before, str) and isinstance(after, str):
        return unsigned(before) == unsigned(after)
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return False
    return all(_is_alike(*pair) for pair in zip(before, after, strict=True))


def footer_of_objects(lake: Lake, table: Table, account_id: str | None) -> Footer:
    """The footer of a file of objects; an empty one if it does not exist or cannot be read, which
    is reported when its rows are read or replaced.
    """
    where = lake.partition(table, account_id, None)
    try:
        return lake.footer_of(table, where, lake.store.open(where.key, footer_only=True))
    except (FileNotFoundError, DamagedFileError, InaccessibleError):
        return NO_FOOTER


def mentioned_ids(
    lake: Lake, account_id: str, days: Iterable[date]
) -> Mapping[str, Collection[str]]:
    """Ids of objects that insights of these days mention, by their column. Reads every file."""
    wanted = list(days)
    mentioned: dict[str, set[str]] = {
        row.insights_column: set() for row in lake.catalog.listed if row.insights_column
    }
    for table in lake.catalog.tables.values():
        has_ids = any(column in table.arrow_schema.names for column in mentioned)
        for day in wanted if has_ids and table.partitions == ("account_id", "date") else ():
            _mention(lake, table, lake.partition(table, account_id, day), mentioned)
    return mentioned


def missing_ids(
    lake: Lake, account_id: str, mentioned: Mapping[str, Collection[str]]
) -> Mapping[str, Sequence[str]]:
    """Ids that insights mention, as `mentioned_ids`, or other objects, and the tables of objects
    lack, by table, sorted.

    Edges do not list deleted objects; requested by id, Meta returns them
    (docs/graph-api.md#objects).
    """
    of_objects = [row for row in lake.catalog.listed if row.mentioned_by and row.is_needed]
    return {
        **{row.name: missing_objects(lake, row, account_id) for row in of_objects},
        **{
            row.name: _unknown(lake, row, account_id, mentioned[row.insights_column])
            for row in lake.catalog.listed
            if row.insights_column
        },
    }


def missing_objects(lake: Lake, row: ObjectTable, account_id: str) -> Sequence[str]:
    """Ids that other objects of an account mention and a table lacks, sorted."""
    mentioned: set[str] = set()
    for table, column in row.mentioned_by:
        rows = lake.read(table, account_id=account_id, columns=(column,))
        mentioned.update(filter(None, rows[column].to_pylist()))
    return _unknown(lake, row, account_id, mentioned)


def _unknown(
    lake: Lake, row: ObjectTable, account_id: str, mentioned: Collection[str]
) -> Sequence[str]:
    if not mentioned:
        return []
    known = lake.read(row.latest, account_id=account_id, columns=(row.key,))[row.key].to_pylist()
    return sorted(set(mentioned).difference(known))


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
