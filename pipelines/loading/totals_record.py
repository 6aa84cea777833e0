"""What is kept of an account's control totals of one day: their row, and its record. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipelines.reports.catalog import CONTROL
from warehouse.decode.actions import LISTS
from warehouse.decode.hours import over_at, why_not_over
from warehouse.errors import WarehouseError
from warehouse.lake.proof.reconcile import Evidence
from warehouse.lake.records import Load
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    import pyarrow as pa

    from warehouse.decode.pages import Account
    from warehouse.decode.rows import Reject

__all__ = ["record_of_totals", "row_of"]

NO_LISTS: Final = "the account's own totals of actions could not be loaded"


def record_of_totals(  # noqa: PLR0913  # everything that a record of totals says of them
    account: Account,
    day: date,
    rows: pa.Table,
    unread: Sequence[Reject],
    *,
    without: str,
    asked_at: datetime,
) -> Load:
    """The record of a day's totals; the caller adds the run that stores them, and what it cost.
    `without`: why lists of actions were not requested; empty if they were.
    """
    cells = sum(reject.loses_value for reject in unread)
    no_lists = without or _unread(unread)
    not_over = why_not_over(asked_at - over_at(account.timezone_name, day))
    return Load.of(
        CONTROL.name,
        account.account_id,
        day,
        replace(Evidence.of(CONTROL.table, rows), rejected_cells=cells),
        verdict=PROVISIONAL if not_over else PROVEN,
        reason=f"{not_over}; Meta's own totals so far" if not_over else "Meta's own totals",
        is_over=not not_over,
        asked_at=asked_at,
        conversions=UNPROVABLE if no_lists else None,
        conversions_reason=f"{NO_LISTS}: {no_lists}" if no_lists else "",
        missing_fields=tuple(LISTS) if without else (),
        loaded_at=asked_at,
    )


def row_of(rows: pa.Table, account: Account, day: date) -> pa.Table:
    """The totals of a day, once: a repeated row counts no more than in a report. Raises
    WarehouseError if two differ.
    """
    first = rows.slice(0, 1)
    if any(not rows.slice(n, 1).equals(first) for n in range(1, rows.num_rows)):
        raise WarehouseError(
            f"control totals of act_{account.account_id} on {day}: expected one row, got"
            f" {rows.num_rows} that differ"
        )
    return first


def _unread(rejects: Sequence[Reject]) -> str:
    """The first value of the account's own lists that could not be read; empty if all could."""
    first = next((one for one in rejects if one.column in LISTS and one.loses_value), None)
    return str(first or "")
