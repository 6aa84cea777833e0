"""Loads that failed at the last try, as the lake has them: one small file each, next to the data.

    .failed/insights_hourly/123/2026-11-21.json      an account-day of a report
    .failed/campaigns/123/all.json                   the objects of an account
    .failed/accounts/123/all.json                    an account that could not be read

Loaders write and remove them; publishing turns them into the table `failures`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from warehouse.lake.defects.damage import reload_command
from warehouse.storage.state import load

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from warehouse.storage.store import Store, StoredFile

    _Day = date | None  # inside a class that has a field of that name

__all__ = [
    "FAILED",
    "NO_RIGHT",
    "Failed",
    "failure_key",
    "failure_rows",
    "find_failures",
    "read_failed",
    "without_day",
]

#: Their folder.
FAILED: Final = ".failed"

#: In place of the day, for tables without days.
_ALL: Final = "all"

#: Kind of a failure that is nobody's fault: the token lacks a right that nothing else needs.
NO_RIGHT: Final = "right"


@dataclass(frozen=True, slots=True)
class Failed:
    """A load that failed: why, when (ISO, UTC) and in which run.

    `since` is when it first failed after its last success. `kind` names a failure that the next try
    may undo, or NO_RIGHT; "" for all others. `empty_since` is when Meta first returned nothing for
    a day that had rows, if it has returned none since.
    """

    error: str
    at: str
    run_id: str = ""
    since: str = ""
    kind: str = ""
    empty_since: str = ""


def failure_key(table: str, account_id: str, day: _Day) -> str:
    """Where a failure is kept."""
    return f"{FAILED}/{table}/{account_id}/{day or _ALL}.json"


def read_failed(store: Store, key: str) -> Failed | None:
    """A failure; None if there is none. Its fields are "" if the file cannot be read or was cut
    short: all that is known then is that the load failed.
    """
    try:
        found = load(store, key)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        found = None
    known = found if isinstance(found, dict) else {}
    return Failed(**{field.name: str(known.get(field.name) or "") for field in fields(Failed)})


def find_failures(store: Store, but: Collection[str] = ()) -> Sequence[StoredFile]:
    """The files of all failures but those of some tables. What cannot be read is left out, for
    failures are only advice.
    """
    files = store.scan(f"{FAILED}/*/*/*.json").files
    return [one for one in files if one.key.split("/")[1] not in but]


def failure_rows(
    store: Store, found: Iterable[StoredFile], tables: Collection[str]
) -> Sequence[Mapping[str, Any]]:
    """Rows of the table `failures`, from their files. Files with other names are not ours, and a
    table that no longer exists cannot be reloaded: neither gets a row.
    """
    return [_row(*one) for one in _read(store, found, tables)]


def without_day(
    store: Store, tables: Collection[str]
) -> Mapping[tuple[str, str], tuple[Failed, str]]:
    """Failures of objects and accounts, in order: (table, account) → the failure, and the command
    that tries it again. Raises OSError.
    """
    files = store.scan(failure_key("*", "*", None)).files
    return {
        (table, account_id): (
            replace(failed, since=failed.since or failed.at),
            _command(table, account_id, None),
        )
        for table, account_id, _, failed in sorted(
            _read(store, files, tables), key=lambda one: one[:2]
        )
    }


def _read(
    store: Store, found: Iterable[StoredFile], tables: Collection[str]
) -> Sequence[tuple[str, str, _Day, Failed]]:
    """Table, account and day of each that is still there, and the failure."""
    named = list(_named(found, tables))
    failures = store.each(lambda one: read_failed(store, one[0]), named)
    return [
        (table, account_id, day, failed)
        for (_, table, account_id, day), failed in zip(named, failures, strict=True)
        if failed is not None
    ]


def _named(
    found: Iterable[StoredFile], tables: Collection[str]
) -> Iterator[tuple[str, str, str, date | None]]:
    """Key, table, account and day of each."""
    for key, _ in found:
        _, table, account_id, name = key.split("/")
        stem = name.removesuffix(".json")
        try:
            day = None if stem == _ALL else date.fromisoformat(stem)
        except ValueError:
            continue
        if table in tables and account_id.isdigit():
            yield key, table, account_id, day


def _row(table: str, account_id: str, day: date | None, failed: Failed) -> Mapping[str, Any]:
    at = _instant(failed.at)
    return {
        "table_name": table,
        "account_id": account_id,
        "date": day,
        "failed_at": at,
        "failing_since": _instant(failed.since) or at,
        "reason": failed.error,
        "command": _command(table, account_id, day),
        "run_id": failed.run_id,
    }


def _command(table: str, account_id: str, day: _Day) -> str:
    """What tries it again. Objects that failed are listed by the next refresh, due or not."""
    return reload_command(table if day else "accounts", account_id, day)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
