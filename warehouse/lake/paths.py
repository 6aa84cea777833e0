"""Paths of the lake's files: the table, account and day of a file are in its path, and nowhere
else.

insights_hourly/account_id=123/date=2026-11-21/data.parquet
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.errors import DamagedFileError, NotAFileError, WarehouseError
from warehouse.lake.defects.damage import reload_command
from warehouse.lake.parquet import Partition
from warehouse.storage.store import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warehouse.errors import InaccessibleError
    from warehouse.schema.table import Table
    from warehouse.storage.store import Found, Store

__all__ = ["DATA_FILE", "Listing", "found_by_account", "key_of", "listing_from", "listing_of"]

DATA_FILE: Final = "data.parquet"

_DIGITS: Final = re.compile(r"[0-9]{1,32}")


def key_of(table: Table, account_id: str | None, day: date | None) -> str:
    """The key of a file. Raises WarehouseError for an account id that is not digits, and for a day
    or an account that the table's files are not named by.
    """
    names = {"account_id": _checked(account_id), "date": day and day.isoformat()}
    wanted = table.partitions or ()
    given = tuple(name for name, value in names.items() if value is not None)
    if given != wanted:
        raise WarehouseError(
            f"Each file of {table.name} is named by {_names(wanted)}, but {_names(given)} was given"
        )
    return "/".join([table.name, *(f"{name}={names[name]}" for name in wanted), DATA_FILE])


def _names(names: Sequence[str]) -> str:
    return " and ".join(names) or "nothing"


class Listing(NamedTuple):
    """Files of a table. `left_out`: each key that is not a file of it, or cannot be read → why,
    with what to do.
    """

    files: Sequence[Partition]
    left_out: Mapping[str, WarehouseError]


def listing_of(store: Store, table: Table, account_id: str | None) -> Listing:
    """The files of a table, or of one account of it, by account and date."""
    return listing_from(store, table, store.scan(_pattern(table, _checked(account_id))))


def found_by_account(store: Store, table: Table) -> Iterator[tuple[str, Found]]:
    """What there is of each account, by the name of its folder: what `listing_from` takes. All of
    it has the account "" where files are of all accounts.
    """
    if not table.partitions:
        yield "", store.scan(_pattern(table))
        return
    for found in store.scan_folders(_pattern(table)):
        keys = [*(one.key for one in found.files[:1]), *found.unreadable]
        folders = next(iter(keys), "").split("/")[1:2]
        yield "".join(folders).partition("=")[2], found


def listing_from(store: Store, table: Table, found: Found) -> Listing:
    """The files of a table among those that were found below its folder."""
    files = []
    left_out = {key: _named(store, table, key, why) for key, why in found.unreadable.items()}
    for one in found.files:
        if (where := _partition_at(one)) is not None:
            files.append(where)
        else:
            left_out[one.key] = WarehouseError(
                f"Unexpected file {store.name(one.key)} (not an account/date partition): move it"
                " out of the warehouse"
            )
    return Listing(files, left_out)


def _pattern(table: Table, account_id: str | None = None) -> str:
    named = {"account_id": account_id or "*"}
    folders = [f"{folder}={named.get(folder, '*')}" for folder in table.partitions or ()]
    return "/".join([table.name, *folders, DATA_FILE])


def _named(store: Store, table: Table, key: str, error: InaccessibleError) -> WarehouseError:
    """What is not a file where one belongs is loaded again, like a damaged one."""
    where = _partition_at(StoredFile(key, ""))
    if where is None or not isinstance(error, NotAFileError):
        return error
    command = reload_command(table.name, where.account_id, where.date)
    return DamagedFileError(store.name(key), error.why, command)


def _partition_at(found: StoredFile) -> Partition | None:
    """The partition that a file is, by its path; None if no load has written it there."""
    named = dict(part.split("=", 1) for part in found.key.split("/")[1:-1])
    account_id, day = named.get("account_id"), named.get("date")
    try:
        return Partition(_checked(account_id) or "", _day(day) if day is not None else None, *found)
    except (WarehouseError, ValueError):
        return None


def _checked(account_id: str | None) -> str | None:
    if account_id is not None and not _DIGITS.fullmatch(account_id):
        raise WarehouseError(f"Invalid account id {account_id!r}: expected digits without act_")
    return account_id


def _day(text: str) -> date:
    """The day that a folder is named after. Raises ValueError, also for 20261121 and 2026-W47-6,
    which name a day too: a load would create another folder next to that one.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError
    return day
