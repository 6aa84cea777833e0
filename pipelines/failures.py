"""Which account-days failed when they were last tried, and why: one small file each, beside the
lake, gone as soon as the account-day is loaded.

    .failed/insights_hourly/123/2026-11-21.json
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.emptiness import EMPTY
from pipelines.outcome import HAD_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.outcome import Outcome
    from warehouse.store import Store

__all__ = ["Failed", "Failures"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A load that failed: why, when (ISO, UTC) and in which run. `since` is when it first failed
    since it last loaded, and `kind` names a failure that another look may undo ("" for all others).
    `empty_since` is when Meta first returned nothing for a day that had rows, if no rows have come
    since (see `emptiness`).
    """

    error: str
    at: str
    run_id: str = ""
    since: str = ""
    kind: str = ""
    empty_since: str = ""


class Failures:
    """The failed account-days of one table of a lake."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._folder = f".failed/{table}"

    def note(self, outcome: Outcome, now: datetime, run_id: str) -> None:
        """Remember that an account-day failed, or forget it where it was loaded.

        A disk that is full keeps nobody from telling the outcome itself.
        """
        account_id, day = outcome.account_day
        key = f"{self._folder}/{account_id}/{day}.json"
        try:
            if outcome.load is not None:
                self._store.delete(key)
                return
            before = self._read(key)
            at = now.isoformat()
            since = before["since"] or before["at"] or at
            empty_since = before["empty_since"] if outcome.kind != HAD_ROWS else ""
            if outcome.kind == EMPTY:
                empty_since = empty_since or at
            failed = Failed(outcome.error, at, run_id, since, outcome.kind, empty_since)
            self._store.note(key, json.dumps(asdict(failed)))
        except OSError as error:
            _log.warning("%s: it is not remembered that this failed: %s", outcome, error)

    def of_day(self, account_id: str, day: date) -> Failed | None:
        """That of one account-day, if its last try failed."""
        failed = Failed(**self._read(f"{self._folder}/{account_id}/{day}.json"))
        return failed if failed.at else None

    def of(self, account_id: str) -> Mapping[date, Failed]:
        """Those of one account. A file that was cut off tells that its day failed, and no more."""
        found = self._store.find(f"{self._folder}/{account_id}/????-??-??.json")
        return {
            date.fromisoformat(PurePosixPath(key).stem): Failed(**self._read(key))
            for key, _ in found
        }

    def _read(self, key: str) -> Mapping[str, Any]:
        try:
            told = json.loads(self._store.read(key))
        except (OSError, ValueError):
            told = None
        known = told if isinstance(told, dict) else {}
        return {field.name: str(known.get(field.name, "")) for field in fields(Failed)}
