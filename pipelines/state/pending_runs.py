"""Pending runs: report runs in flight, stored next to the lake, so that a process that dies does
not lose them.

One small file for each query under ``.runs/<table>/<account>/``, named after its parameters. The
next process polls the existing run and creates nothing twice, not even for finished days: the files
are removed when a load has ended.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from fbgraph.reports.handler import Checkpoint
from warehouse.schema.periods import Period
from warehouse.storage.state import load, save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fbgraph.http.paging import Params
    from warehouse.storage.store import Store

__all__ = ["PENDING_FOLDER", "StoredRuns"]

#: Where they are in a lake.
PENDING_FOLDER: Final = ".runs"


class StoredRuns:
    """The pending runs of one table of a lake. `now` gives aware instants. `period`: what its rows
    cover; a week or month counts as its first day.
    """

    def __init__(
        self,
        store: Store,
        table: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        period: Period = Period.DAY,
    ) -> None:
        self._store = store
        self._folder = f"{PENDING_FOLDER}/{table}"
        self._now = now
        self._period = period
        self._done: dict[str, set[date]] = {}

    def saved(self, account_id: str, params: Params) -> Checkpoint | None:
        """The checkpoint of a query, however old."""
        entry = self._entry(self._key(account_id, params))
        return None if entry is None else self._saved(entry)

    def save(self, account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        """Store a query's run. Raises OSError.

        Written in place by one write, without waiting for the disk: that takes tens of milliseconds
        when many do it, in which a kill would lose the run. A power cut may lose the last ones;
        then they are requested again. A truncated file counts as none.
        """
        entry = {
            "report_run_id": checkpoint.report_run_id,
            "was_split": checkpoint.was_split,
            "created_at": self._now().isoformat(),
            "params": dict(params),
        }
        save(self._store, self._key(account_id, params), entry)

    def forget(self, account_id: str, params: Params) -> None:
        """Its run has failed, or cannot be read. A load that finds it again will notice too."""
        with suppress(OSError):
            self._store.delete(self._key(account_id, params))

    def done(self, account_id: str, days: Sequence[date]) -> None:
        """These days are finished."""
        self._done.setdefault(account_id, set()).update(days)

    def end(self) -> None:
        """Remove the checkpoints of queries whose days are all finished, and those that are not
        checkpoints.

        What the store does not return stays: it may be another process's run in flight.
        """
        for account_id, done in self._done.items():
            for key in self._keys(account_id):
                with suppress(OSError):  # the next process forgets it
                    entry = self._read(key)
                    if entry is None or set(self._days_of(entry)) <= done:
                        self._store.delete(key)

    def stretches(
        self, account_id: str, params: Callable[[date, date], Params], max_age_seconds: float
    ) -> Sequence[Sequence[date]]:
        """Days that earlier processes requested together with today's parameters, the longest
        stretches first. If they are requested in the same way again, their runs are found.
        """
        found = []
        for entry in self._entries(account_id):
            young = self._saved(entry).age_seconds < max_age_seconds
            if young and entry["params"] == _plain(params(*_bounds(entry))):
                found.append(self._days_of(entry))
        return sorted(found, key=len, reverse=True)

    def _days_of(self, entry: Mapping[str, Any]) -> Sequence[date]:
        return self._period.starts(*_bounds(entry))

    def _saved(self, entry: Mapping[str, Any]) -> Checkpoint:
        age = self._now() - datetime.fromisoformat(entry["created_at"])
        return Checkpoint(entry["report_run_id"], age.total_seconds(), entry["was_split"])

    def _entries(self, account_id: str) -> Iterator[Mapping[str, Any]]:
        for key in self._keys(account_id):
            if (entry := self._entry(key)) is not None:
                yield entry

    def _entry(self, key: str) -> Mapping[str, Any] | None:
        """The content of a file; one that cannot be read counts as none."""
        try:
            return self._read(key)
        except OSError:
            return None

    def _read(self, key: str) -> Mapping[str, Any] | None:
        """The content of a file; None for one that is not a checkpoint. Raises OSError."""
        try:
            return _checked(load(self._store, key))
        except (ValueError, KeyError, TypeError):
            return None

    def _keys(self, account_id: str) -> Sequence[str]:
        found = self._store.scan(f"{self._folder}/{account_id}/*.json")
        return [one.key for one in found.files]

    def _key(self, account_id: str, params: Params) -> str:
        text = json.dumps(_plain(params), sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        return f"{self._folder}/{account_id}/{name}.json"


def _plain(params: Params) -> Any:
    """Parameters as JSON has them."""
    return json.loads(json.dumps(dict(params)))


def _checked(entry: Any) -> Mapping[str, Any] | None:
    """The content of a file, if it is complete. Raises ValueError, KeyError or TypeError."""
    datetime.fromisoformat(entry["created_at"])
    _bounds(entry)
    known = {"report_run_id": str, "was_split": bool}
    return entry if all(isinstance(entry.get(k), kind) for k, kind in known.items()) else None


def _bounds(entry: Mapping[str, Any]) -> tuple[date, date]:
    bounds = entry["params"]["time_range"]
    return date.fromisoformat(bounds["since"]), date.fromisoformat(bounds["until"])
