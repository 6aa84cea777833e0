"""Pages of insights to typed rows: by the fast path, or by the careful one if a page is odd.

Pages go through compiled code in batches. Only a batch that fails is taken apart: first body by
body, then row by row, until each row is loaded exactly, or loses the least that it can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow
from warehouse.decode.casts import Account, Expected, SuspectError, typed
from warehouse.decode.rows import Reject, as_body, judge_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from warehouse.schema.table import Table

__all__ = ["Account", "Decoded", "Reject", "decode"]

#: Bodies and bytes that go through Arrow together. More bodies save its start-up per call; more
#: bytes cost memory.
BATCH_BODIES: Final = 8
BATCH_BYTES: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of the table's schema, the rejects, and keys that were not requested."""

    rows: pa.Table
    rejects: Sequence[Reject]
    unknown_fields: Sequence[str]

    def of_day(self, day: date) -> pa.Table:
        """The rows of one day of the account's calendar."""
        wanted = arrow.constant(str(day), 1, pa.date32())[0]
        return self.rows.filter(pc.equal(self.rows["date"], wanted))


def decode(  # noqa: PLR0913  # what the rows must be
    table: Table,
    bodies: Sequence[bytes],
    account: Account,
    days: Sequence[date] = (),
    *,
    first_page: int = 1,
    until: date | None = None,
) -> Decoded:
    """Decode pages of insights, in their order. `first_page` is the number of the first body in
    rejects. `until`: the day on which rows of several days must end, if they are not of one day.

    Raises NotAPageError for a body that is not a page, and UnknownZoneError.
    """
    expected = Expected(table, account, days, until)
    parts, page = [], first_page
    for batch in _batches(bodies):
        parts.append(_decode_batch(expected, batch, page))
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


def _decode_batch(expected: Expected, bodies: Sequence[bytes], page: int) -> Decoded:
    try:
        rows, unknown = typed(expected, bodies)
    except SuspectError:
        if len(bodies) == 1:
            return _decode_carefully(expected, bodies[0], page)
        alone = [_decode_batch(expected, [body], page + n) for n, body in enumerate(bodies)]
        return _together(expected.table, alone)
    return Decoded(rows, (), tuple(sorted(unknown)))


def _decode_carefully(expected: Expected, body: bytes, page: int) -> Decoded:
    judged = judge_page(expected, body, page)
    unread = Decoded(
        arrow.empty(expected.table.arrow_schema), judged.rejects, tuple(judged.unknown_fields)
    )
    return _together(expected.table, [_decode_judged(expected, judged.rows, page), unread])


def _decode_judged(
    expected: Expected, rows: Sequence[tuple[int, Mapping[str, Any], str]], page: int
) -> Decoded:
    """Convert rows judged readable; halve them to find one that Arrow refuses nevertheless."""
    try:
        found, _ = typed(expected, [as_body(rows)])
    except SuspectError as error:
        if len(rows) == 1:
            [(number, _, raw)] = rows
            reject = Reject(page, number, "", "", str(error), raw)
            return Decoded(arrow.empty(expected.table.arrow_schema), [reject], ())
        half = len(rows) // 2
        halves = [_decode_judged(expected, part, page) for part in (rows[:half], rows[half:])]
        return _together(expected.table, halves)
    return Decoded(found, (), ())


def _together(table: Table, parts: Sequence[Decoded]) -> Decoded:
    rows = [part.rows for part in parts if part.rows.num_rows]
    rejects = [reject for part in parts for reject in part.rejects]
    names = {name for part in parts for name in part.unknown_fields}
    return Decoded(
        pa.concat_tables(rows) if rows else arrow.empty(table.arrow_schema),
        tuple(sorted(rejects, key=lambda reject: (reject.page, reject.row))),
        tuple(sorted(names)),
    )
