"""What can go wrong with tables, named by what the caller does about it.

WarehouseError
├── NotAPageError      the body is not a page of rows: request it again
├── UnknownZoneError   the account's time zone is not in the tz database: update `tzdata`
├── UnfitTableError    a table that does not fit into the catalog: change its name or its columns
├── UnknownTableError  the catalog has no such table: fix the name
├── ChangedKeyError    a table has files with another key: rename it, or remove those files
├── ChangedKindError   a column has another kind than in older files: rename it or reload
├── UnwritableError    a file cannot be written: fix that, then reload
├── BucketError        the object store refused or could not be reached: the text says what to do
├── DamagedFileError   a file of the lake cannot be used: load again what was in it
├── InaccessibleError  a file or folder may not be read: fix its permissions
│   ├── NotAFileError    a folder or a device is where a file belongs: a load replaces it
│   └── NotAFolderError  a file is where a folder belongs: move it away
└── KeepsProvenError   a proven account-day stays; the unproven rows were not written

FullDiskError          nothing can be written any more: stop. It is not a WarehouseError, because
                       code that goes on after one file has failed must not go on after this

A row that cannot be read is not an error: it becomes a `decode.Reject` and its neighbours load.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DISK_FULL",
    "BucketError",
    "ChangedKeyError",
    "ChangedKindError",
    "DamagedFileError",
    "FullDiskError",
    "InaccessibleError",
    "KeepsProvenError",
    "NotAFileError",
    "NotAFolderError",
    "NotAPageError",
    "UnfitTableError",
    "UnknownTableError",
    "UnknownZoneError",
    "UnwritableError",
    "WarehouseError",
]


#: Errors of a whole disk → what to do.
DISK_FULL: Final[Mapping[int, str]] = {
    errno.ENOSPC: "free disk space",
    errno.EDQUOT: "free disk space or raise the quota",
    errno.EROFS: "make the file system writable",
}


class WarehouseError(Exception):
    """Base of all errors of the warehouse; the message says what to do."""


class NotAPageError(WarehouseError):
    """A body that is not ``{"data": [...]}``. `page` counts from 1."""

    def __init__(self, page: int, reason: str) -> None:
        self.page = page
        self.reason = reason
        super().__init__(f"page {page} is not a page of rows: {reason}")


class UnknownZoneError(WarehouseError):
    """The time zone of an account is not in the installed tz database."""

    def __init__(self, zone: str, account_id: str = "") -> None:
        whose = f" of account {account_id}" if account_id else ""
        super().__init__(
            f"time zone {zone!r}{whose} is not in the tz database. A newer one may have it: "
            "pip install --upgrade tzdata"
        )


class UnknownTableError(WarehouseError):
    """No table has this name, or the table is not kept in files."""


class UnfitTableError(WarehouseError):
    """A table whose name is taken, or that lacks columns that views need."""


class ChangedKindError(WarehouseError):
    """A column has another kind in the catalogue than in a file that was written before."""

    def __init__(self, table: str, column: str, old: str, new: str, path: str) -> None:
        self.column = column
        self.old = old
        super().__init__(
            f"{table}.{column} is {new} now but was {old} when {path} was written. Give the column "
            "a new name, which reads as NULL in older files, or reload the account-days that have "
            "the old kind"
        )


class ChangedKeyError(WarehouseError):
    """Rows of a table that has files with another key: level, breakdowns or action breakdowns.
    `why` says what changed and what to do.
    """

    def __init__(self, table: str, why: str) -> None:
        self.why = why
        super().__init__(f"{table}: {why}")


class BucketError(WarehouseError, OSError):
    """An error of the object store. It is an OSError, as a disk's would be."""

    def __init__(self, what: str, advice: str) -> None:
        self.what = what
        self.advice = advice
        super().__init__(f"{what.rstrip('.')}. {_sentence(advice)}")


class DamagedFileError(WarehouseError):
    """A file of the lake that is not what its name says: `why`. `command` loads it again."""

    def __init__(self, path: str, why: str, command: str) -> None:
        self.path = path
        self.why = why
        self.command = command
        super().__init__(
            f"{path} is damaged: {why}. Reload what belongs there with `{command}`, or move the"
            " file out of the warehouse"
        )


class InaccessibleError(WarehouseError, OSError):
    """A file or folder that is there, or may be there, and cannot be read: it is not gone. It is an
    OSError, as a disk's would be.
    """

    def __init__(self, path: str, why: str, advice: str = "fix its permissions") -> None:
        self.path = path
        self.why = why
        self.advice = advice
        super().__init__(f"{path} cannot be read: {why.rstrip('.')}. {_sentence(advice)}")


class NotAFileError(InaccessibleError):
    """A folder, a device or a pipe where a file belongs. A load moves a folder aside."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "it is not a file", "move it out of the warehouse")


class NotAFolderError(InaccessibleError):
    """A file where a folder belongs: what was in the folder is not here."""

    def __init__(self, path: str) -> None:
        advice = "move it out of the warehouse, and restore the folder if there was one"
        super().__init__(path, "it is not a folder", advice)


class UnwritableError(WarehouseError):
    """A file could not be written. The previous file is unchanged."""

    def __init__(self, what: str, root: object, error: OSError) -> None:
        why = error.what if isinstance(error, BucketError) else error.strerror or error
        is_denied = error.errno in {errno.EACCES, errno.EPERM}
        advice = f"{'fix permissions' if is_denied else 'check the disk'} under {root}"
        if isinstance(error, BucketError):
            advice = error.advice
        if isinstance(error, InaccessibleError):
            why, advice = f"{error.path} cannot be read: {error.why}", error.advice
        super().__init__(
            f"Cannot write {what}: {why}. The previous file is unchanged. {_sentence(advice)}, then"
            " reload"
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class KeepsProvenError(WarehouseError):
    """The account-day on disk is better than the new rows, so it stays: `old` and `new` are their
    verdicts, `reason` is why the new rows have theirs.
    """

    def __init__(  # noqa: PLR0913  # the parts of the message
        self, table: str, account_id: str, date: str, *, old: str, new: str, reason: str
    ) -> None:
        super().__init__(
            f"{table} of account {account_id} on {date} is {old} and was kept, because the new rows"
            f" are {new}: {reason}"
        )


class FullDiskError(Exception):
    """The disk of the lake, or of a folder of it (`root`), takes no more files. What it has is
    unchanged.
    """

    def __init__(self, what: str, root: object, error: OSError) -> None:
        advice = _sentence(DISK_FULL[error.errno or errno.ENOSPC])
        super().__init__(
            f"Cannot write {what}: {error.strerror}. The previous file is unchanged. {advice} under"
            f" {root}, then run the same again."
        )
