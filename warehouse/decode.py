"""Pages to typed rows: `decode` for insights, `decode_objects` for accounts and their objects.

Pages go through compiled code in batches. Only a batch that fails is taken apart: first body by
body, then row by row, until each row is loaded exactly, or loses the least that it can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse import arrow
from warehouse.cells import UnreadableError, cell, major_units
from warehouse.pages import Reject, as_body, as_json, judge_page
from warehouse.typed import Account, SuspectError, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from warehouse.table import Column, Table

__all__ = ["Account", "Decoded", "Reject", "decode", "decode_objects"]

#: Bodies and bytes that go through Arrow together. More bodies save its start-up per call; more
#: bytes cost memory.
BATCH_BODIES: Final = 8
BATCH_BYTES: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of the table's schema, what could not be read, keys that nobody asked for."""

    rows: pa.Table
    rejects: Sequence[Reject]
    unknown_fields: Sequence[str]

    def of_day(self, day: date) -> pa.Table:
        """The rows of one day of the account's calendar."""
        wanted = arrow.constant(str(day), 1, pa.date32())[0]
        return self.rows.filter(pc.equal(self.rows["date"], wanted))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rows must be: a table, an account, its days (any day if there are none)."""

    table: Table
    account: Account
    days: Sequence[date]


def decode(
    table: Table,
    bodies: Sequence[bytes],
    account: Account,
    days: Sequence[date] = (),
    *,
    first_page: int = 1,
) -> Decoded:
    """Decode pages of insights, in their order. `first_page` is what rejects call the first body.

    Raises NotAPageError for a body that is no page, and UnknownZoneError.
    """
    asked = _Asked(table, account, days)
    parts, page = [], first_page
    for batch in _batches(bodies):
        parts.append(_decode_batch(asked, batch, page))
        page += len(batch)
    return _together(table, parts)


def _batches(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == BATCH_BODIES or size + len(body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch


def _decode_batch(asked: _Asked, bodies: Sequence[bytes], page: int) -> Decoded:
    try:
        rows, unknown = typed(asked.table, bodies, asked.account, asked.days)
    except SuspectError:
        if len(bodies) == 1:
            return _decode_carefully(asked, bodies[0], page)
        alone = [_decode_batch(asked, [body], page + n) for n, body in enumerate(bodies)]
        return _together(asked.table, alone)
    return Decoded(rows, (), tuple(sorted(unknown)))


def _decode_carefully(asked: _Asked, body: bytes, page: int) -> Decoded:
    judged = judge_page(asked.table, body, page, asked.account, asked.days)
    parts = [_decode_judged(asked, judged.rows, page)]
    noted = Decoded(arrow.empty(asked.table.arrow_schema), judged.rejects, ())
    return _together(asked.table, [*parts, noted], unknown=judged.unknown_fields)


def _decode_judged(
    asked: _Asked, rows: Sequence[tuple[int, Mapping[str, Any], str]], page: int
) -> Decoded:
    """Convert rows judged readable; halve them to find one that Arrow refuses even so."""
    try:
        found, _ = typed(asked.table, [as_body(rows)], asked.account, asked.days)
    except SuspectError as error:
        if len(rows) == 1:
            [(number, _, raw)] = rows
            reject = Reject(page, number, "", "", str(error), raw)
            return Decoded(arrow.empty(asked.table.arrow_schema), [reject], ())
        half = len(rows) // 2
        halves = [_decode_judged(asked, part, page) for part in (rows[:half], rows[half:])]
        return _together(asked.table, halves)
    return Decoded(found, (), ())


def _together(
    table: Table, parts: Sequence[Decoded], *, unknown: frozenset[str] = frozenset()
) -> Decoded:
    rows = [part.rows for part in parts if part.rows.num_rows]
    rejects = [reject for part in parts for reject in part.rejects]
    names = unknown.union(*(part.unknown_fields for part in parts))
    return Decoded(
        pa.concat_tables(rows) if rows else arrow.empty(table.arrow_schema),
        tuple(sorted(rejects, key=lambda reject: (reject.page, reject.row))),
        tuple(sorted(names)),
    )


def decode_objects(
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    currency_by_account: Mapping[str, str],
    fetched_at: datetime,
) -> Decoded:
    """Decode accounts, campaigns, ad sets or ads that json has read already. Few, so in Python.

    Keys that the table does not have are left out without a word: who asks for an object's
    fields may want more of it than we keep. Rejects call all of it page 1.
    """
    good, rejects = [], []
    for number, row in enumerate(rows, start=1):
        try:
            good.append({**_object(table, row, currency_by_account), "fetched_at": fetched_at})
        except _ObjectError as error:
            value, raw = as_json(row.get(error.column.source)), as_json(row)
            rejects.append(Reject(1, number, error.column.name, value, str(error), raw))
    return Decoded(arrow.records(table.arrow_schema, good), tuple(rejects), ())


class _ObjectError(Exception):
    def __init__(self, column: Column, reason: str) -> None:
        self.column = column
        super().__init__(reason)


def _object(
    table: Table, row: Mapping[str, Any], currency_by_account: Mapping[str, str]
) -> dict[str, object]:
    """Values by column name. Raises _ObjectError."""
    # An account states its own currency; everything else is in that of its account.
    currency = row.get("currency") or currency_by_account.get(str(row.get("account_id")), "")
    values: dict[str, object] = {}
    for column in table.columns:
        value = row.get(column.source) if column.source else None
        if value is None and column in table.required:
            raise _ObjectError(column, "is missing, and no row may lack it")
        try:
            values[column.name] = None if value is None else cell(column, value)
            if value is not None and column.kind == "money_minor":
                values[column.name] = major_units(str(values[column.name]), str(currency))
        except UnreadableError as error:
            raise _ObjectError(column, str(error)) from error
    return values
