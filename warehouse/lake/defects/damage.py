"""Files of the lake that are damaged, or are not what their names say.

Disks fail, copies are cut short, people put a file where it does not belong. Such a file costs what
it holds and nothing else: it is named by its path, with the command that loads it again, and
whatever else is read or published goes on. A file that cannot be read at all is another matter: it
may be whole, so it is neither damaged nor gone.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from warehouse.errors import DamagedFileError, InaccessibleError, NotAFileError, WarehouseError
from warehouse.schema.insights import CONTROL_DAILY
from warehouse.schema.tables import OBJECT_TABLES
from warehouse.storage.local import ASIDE
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from warehouse.lake.footers import Footer
    from warehouse.lake.parquet import Partition
    from warehouse.schema.table import Table
    from warehouse.storage.store import Store

__all__ = ["named", "reload_command", "require_own", "set_aside"]

_log = logging.getLogger(__name__)

#: What wrong bytes make of Arrow, of the JSON in a footer and of the values in that.
_WRONG: Final = (
    *(pa.ArrowException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    RecursionError,
)

#: Tables of objects that each refresh lists. A refresh lists others when they are due, unless it
#: is to load everything.
_LISTED_ALWAYS: Final = frozenset(
    table.name
    for row in OBJECT_TABLES.values()
    if row.listed_every_days <= 1
    for table in row.tables
)

#: Arrow's errors are long, and the first line says it.
_LONGEST: Final = 200


@contextmanager
def named(store: Store, table: Table, where: Partition) -> Iterator[None]:
    """While a file is read: raise DamagedFileError for wrong bytes, InaccessibleError for what
    keeps them from being read, and FileNotFoundError as it is.
    """
    try:
        yield
    except NotAFileError as error:
        raise _damaged(store, table, where, error.why) from None
    except (WarehouseError, FileNotFoundError, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise InaccessibleError(store.name(where.key), os.strerror(error.errno)) from error
        # Arrow has no class of its own for a footer that is not one.
        raise _damaged(store, table, where, _first_line(error)) from error
    except _WRONG as error:
        raise _damaged(store, table, where, _first_line(error)) from error


def _damaged(store: Store, table: Table, where: Partition, why: str) -> DamagedFileError:
    command = reload_command(table.name, where.account_id, where.date)
    return DamagedFileError(store.name(where.key), why, command)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:_LONGEST].strip().rstrip(".:")


def require_own(store: Store, table: Table, where: Partition, footer: Footer) -> None:
    """Raise DamagedFileError for a file that was not written for this place: only the path says
    whose rows they are, so a copy in another folder would count them twice.
    """
    if why := _why_not(table, where, footer):
        raise _damaged(store, table, where, why)


def _why_not(table: Table, where: Partition, footer: Footer) -> str:
    load, has_days = footer.load, "date" in (table.partitions or ())
    if load is not None:
        if (load.table, load.account_id, load.date) != (table.name, where.account_id, where.date):
            return f"it was loaded as {load.table} of account {load.account_id} on {load.date}"
        if load.rows != footer.rows:
            return f"it has {counted(footer.rows, 'row')}, and its record says {load.rows:,}"
    elif has_days and not footer.key:
        return "it has no record of a load"
    if footer.key not in {"", where.key}:
        return f"it was written as {footer.key}"
    there = {*footer.columns.names, *(table.partitions or ())}
    # Lakes of 0.1.0 have the breakdown of an asset as one column of JSON, and none for its id.
    keys = [name for name in table.grain if not table.column(name).breakdown]
    if lacking := next((name for name in keys if name not in there), ""):
        return f"it has no column {lacking}"
    return ""


def set_aside(store: Store, where: Partition, error: DamagedFileError, now: datetime) -> None:
    """Move a damaged file away that is about to be replaced: what was in it, such as earlier states
    of objects, Meta may not return again.
    """
    aside = store.set_aside(where.key, f"{ASIDE}/{now:%Y%m%dT%H%M%S}")
    _log.warning(
        "%s was damaged and is replaced by what Meta returns now: %s. It is kept as %s.",
        *(error.path, error.why, aside),
    )


def reload_command(table: str, account_id: str, day: date | None) -> str:
    """What a person types to load a file again."""
    if day is None:
        account = f" --account act_{account_id}" if account_id else ""
        return f"fbinsights refresh{account}" + ("" if table in _LISTED_ALWAYS else " --full")
    # Control totals are asked for with every report.
    report = "" if table == CONTROL_DAILY.name else f" --report {table}"
    return f"fbinsights backfill --since {day} --until {day} --account act_{account_id}{report}"
