"""Unreported loads: one note next to the lake for each load of a command that Dagster has not heard
of yet.

A command keeps a note while it loads. If it is killed, or Dagster's database cannot be reached at
its end, the next load reports what it has left in the lake. One small file under
``.unreported``, without the id of an account.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from warehouse.errors import InaccessibleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load
    from warehouse.storage.store import Store

__all__ = ["Unreported", "is_alive", "notes_of"]

_log = logging.getLogger(__name__)

FOLDER: Final = ".unreported"

#: Whether a process of another machine is still running cannot be seen. No command takes longer
#: than this.
LONGEST: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Unreported:
    """A load under the id `run_id`, by a process of a machine, of some days of some tables.
    `accounts`: which, as `holds` knows them; none for all.
    """

    run_id: str
    began_at: datetime
    tables: Sequence[str]
    since: date
    until: date
    host: str = ""
    pid: int = 0
    accounts: Sequence[str] = ()

    @classmethod
    def of_this_process(
        cls,
        run_id: str,
        began_at: datetime,
        tables: Sequence[str],
        days: Sequence[date],
        account_ids: Iterable[str] = (),
    ) -> Self:
        """What this process is about to load: `tables`, the days from the first to the last, of
        accounts (digits).
        """
        return cls(
            *(run_id, began_at, tuple(tables), min(days), max(days)),
            *(socket.gethostname(), os.getpid(), tuple(map(_trace, account_ids))),
        )

    def holds(self, account_id: str) -> bool:
        """Whether an account (digits) is among those that are loaded."""
        return not self.accounts or _trace(account_id) in self.accounts

    def keep(self, store: Store) -> None:
        """Store it. Raises OSError."""
        entry = asdict(self) | {
            "began_at": self.began_at.isoformat(),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
        }
        store.note(self._key, json.dumps(entry))

    def forget(self, store: Store) -> None:
        """Everything is reported."""
        with suppress(OSError):  # then it is reported once more
            store.delete(self._key)

    def loads_in(self, lake: Lake, table: str) -> Sequence[Load]:
        """The account-days of a table that this load has brought, as the lake has them now."""
        days = [
            (where.account_id, where.date)
            for where in lake.partitions(table)
            if where.date and self.since <= where.date <= self.until
        ]
        return [load for load in lake.loads_of(table, days) if load and load.run_id == self.run_id]

    def is_at_work(self) -> bool:
        """Whether its process is one of this machine and still running: it reports by itself."""
        return self.host == socket.gethostname() and is_alive(self.pid)

    def has_ended(self, now: datetime) -> bool:
        """Whether nothing more will come: its process has ended, or must have by now."""
        if self.host == socket.gethostname():
            return not is_alive(self.pid)
        return now - self.began_at > LONGEST

    @property
    def _key(self) -> str:
        return f"{FOLDER}/{self.run_id}.json"


def notes_of(store: Store) -> Sequence[Unreported]:
    """All notes that can be read; one that a crash truncated is removed."""
    found = []
    for key, _ in store.scan(f"{FOLDER}/*.json").files:
        try:
            found.append(_read(json.loads(store.read(key))))
        except FileNotFoundError:  # reported meanwhile
            continue
        except InaccessibleError as error:  # maybe somebody else's
            _log.warning("%s", error)
        except (ValueError, KeyError, TypeError):
            store.delete(key)
    return found


def _read(entry: Mapping[str, Any]) -> Unreported:
    return Unreported(
        run_id=str(entry["run_id"]),
        began_at=datetime.fromisoformat(entry["began_at"]),
        tables=tuple(map(str, entry["tables"])),
        since=date.fromisoformat(entry["since"]),
        until=date.fromisoformat(entry["until"]),
        host=str(entry["host"]),
        pid=int(entry["pid"]),
        accounts=tuple(map(str, entry.get("accounts", ()))),
    )


def _trace(account_id: str) -> str:
    """What tells an account from others, and not which it is: the note may outlive its data."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:16]


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return True
