"""What can go wrong with tables, named by what the caller does about it.

WarehouseError
├── NotAPageError      the body is no page of rows: ask for it again
├── UnknownZoneError   the account's time zone is not in the tz database: update `tzdata`
├── UnfitTableError    a table that cannot be registered: give it another name or shape
├── UnknownTableError  no such table in the catalog: fix the code
├── ChangedKindError   a column is of another kind than in older files: rename it or load again
├── UnwritableError    the disk is full or not ours: see to it, then load again
├── BucketError        the object store refused or could not be reached: the text says what to do
└── KeepsProvenError   a proven account-day stays; the unproven rows were not written

A row that cannot be read is no error: it becomes a `decode.Reject` and its neighbours load.
"""

from __future__ import annotations

__all__ = [
    "BucketError",
    "ChangedKindError",
    "KeepsProvenError",
    "NotAPageError",
    "UnfitTableError",
    "UnknownTableError",
    "UnknownZoneError",
    "UnwritableError",
    "WarehouseError",
]


class WarehouseError(Exception):
    """Any refusal of the warehouse; the message says what to do."""


class NotAPageError(WarehouseError):
    """A body that is not ``{"data": [...]}``. `page` counts from 1."""

    def __init__(self, page: int, reason: str) -> None:
        self.page = page
        self.reason = reason
        super().__init__(f"page {page} is not a page of rows: {reason}")


class UnknownZoneError(WarehouseError):
    """The zone of an account is not in the tz database we carry."""

    def __init__(self, zone: str, account_id: str = "") -> None:
        whose = f" of account {account_id}" if account_id else ""
        super().__init__(
            f"time zone {zone!r}{whose} is not in the tz database; "
            "a newer `tzdata` may know it: pip install --upgrade tzdata"
        )


class UnknownTableError(WarehouseError):
    """No table of that name, or not one that is kept where it was asked for."""


class UnfitTableError(WarehouseError):
    """A table whose name is taken, or that lacks what others count on."""


class ChangedKindError(WarehouseError):
    """The catalogue says another kind of a column than a file that was written before."""

    def __init__(self, table: str, column: str, old: str, new: str, path: str) -> None:
        super().__init__(
            f"{table}.{column} is {new} now and was {old} when {path} was written. Give the new "
            "kind a new name, which reads as NULL in older files, or load the account-days again "
            "that have the old one"
        )


class BucketError(WarehouseError, OSError):
    """What an object store refused. It is an OSError, for it stands where a disk's would."""

    def __init__(self, what: str, advice: str) -> None:
        self.what = what
        self.advice = advice
        super().__init__(f"{what}; {advice}")


class UnwritableError(WarehouseError):
    """A file could not be written. What was there stays."""

    def __init__(self, what: str, root: object, error: OSError) -> None:
        why = error.what if isinstance(error, BucketError) else error.strerror or error
        advice = f"make room under {root}, or see who may write there"
        if isinstance(error, BucketError):
            advice = error.advice
        super().__init__(
            f"{what} could not be written: {why}. What was there stays; {advice}, and load it again"
        )


class KeepsProvenError(WarehouseError):
    """The account-day on disk is better than the rows offered, so the old ones stay: `old` and
    `new` are their verdicts, `reason` is why the new ones have theirs.
    """

    def __init__(  # noqa: PLR0913  # what the message tells
        self, table: str, account_id: str, date: str, *, old: str, new: str, reason: str
    ) -> None:
        super().__init__(
            f"{table} of account {account_id} on {date} is {old} and stays as it is; "
            f"what was offered is {new}: {reason}"
        )
