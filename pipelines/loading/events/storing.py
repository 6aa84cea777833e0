"""Keeps events in the lake: what was read is added to what was known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.decode import arrow
from warehouse.decode.objects import Unreadable, decode_objects
from warehouse.lake.defects import rejects
from warehouse.schema.records import REJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["store_events"]


def store_events(  # noqa: PLR0913  # the events, whose they are, their range, when it was read
    lake: Lake,
    row: ObjectTable,
    events: Iterable[object],
    account: Account,
    fetched_at: datetime,
    *,
    listed_at: datetime | None = None,
    listed_since: datetime | None = None,
) -> Unreadable:
    """Add events of an account, each once by its key. Returns what of them could not be read.

    What was read once stays: events never change, and Meta's lists miss some now and then.
    `listed_at` and `listed_since`: until and since when the lake now has all; None leaves that as
    it is.
    """
    fresh = decode_objects(row, [*events], account, fetched_at)

    def merge(before: pa.Table) -> pa.Table:
        return pa.concat_tables([arrow.without(before, row.key, fresh.rows), fresh.rows])

    account_id = account.account_id
    old = rejects.of_objects(lake.store, row, account_id)
    with lake.writing(REJECTS, account_id, None):
        rejects.keep(
            *(lake.store, row, old, fresh, fetched_at), account_id=account_id, complete=False
        )
    ends = {"listed_at": listed_at, "listed_since": listed_since}
    lake.update(row.latest, merge, account_id=account_id, **ends)
    return fresh.unreadable
