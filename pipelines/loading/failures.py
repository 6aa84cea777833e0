"""Failures: which account-days failed when they were last tried, and why.

One small file each, next to the lake, removed as soon as the account-day is loaded
(`lake.defects.failures` has the paths). Objects and accounts that could not be read are recorded in
the same way, without a day.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.loading.emptiness import EMPTY
from pipelines.loading.load_result import HAD_ROWS
from warehouse.errors import DISK_FULL, FullDiskError
from warehouse.lake.changes import note_change
from warehouse.lake.defects.failures import (
    FAILED,
    NO_RIGHT,
    Failed,
    failure_key,
    read_failed,
)
from warehouse.storage.state import save

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from pipelines.loading.load_result import Outcome
    from warehouse.storage.store import Store, StoredFile

__all__ = ["Failed", "Failures"]

_log = logging.getLogger(__name__)


class Failures:
    """The failures of one table of a lake."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table
        self._is_warned = False

    def note(self, outcome: Outcome, now: datetime, run_id: str) -> None:
        """Record that an account-day failed, or remove the record if it was loaded. A record that
        cannot be written does not prevent the outcome itself from being reported. Raises
        FullDiskError: then nothing else can be written either.
        """
        account_id, day = outcome.account_day
        key = failure_key(self._table, account_id, day)
        try:
            before = read_failed(self._store, key)
            if outcome.load is not None:
                if before:
                    self._forget([key], now)
                return
            at = now.isoformat()
            empty_since = before.empty_since if before and outcome.kind != HAD_ROWS else ""
            if outcome.kind == EMPTY:
                empty_since = empty_since or at
            failed = Failed(
                *(outcome.error, at, run_id, _since(before, at), outcome.kind, empty_since)
            )
            self._keep(key, failed, now)
        except OSError as error:
            if error.errno in DISK_FULL:
                what = f"the failure of {outcome.account_day}"
                raise FullDiskError(what, self._store.root, error) from error
            if not self._is_warned:  # the outcomes themselves are logged one by one
                self._is_warned = True
                _log.warning(
                    "%s: why account-days failed cannot be recorded, so `fbinsights status` may not"
                    " show it: %s",
                    *(self._table, error),
                )

    def note_whole(
        self, errors: Mapping[str, str], now: datetime, without_right: Collection[str] = ()
    ) -> None:
        """Do the same for what has no day: account (digits) → why it failed, "" if it did not.
        `without_right`: accounts for which the token lacks a right that nothing else needs.
        """
        try:
            there = self.whole()
            for account_id, error in errors.items():
                key, at = failure_key(self._table, account_id, None), now.isoformat()
                if error:
                    since = _since(read_failed(self._store, key), at)
                    kind = NO_RIGHT if account_id in without_right else ""
                    self._keep(key, Failed(error, at, since=since, kind=kind), now)
                elif account_id in there:
                    self._forget([key], now)
        except OSError as error:
            _log.warning("%s: the failure could not be recorded: %s", self._table, error)

    def whole(self) -> frozenset[str]:
        """Accounts (digits) with a failure that belongs to no day. Raises OSError."""
        found = self._store.scan(failure_key(self._table, "*", None)).files
        return frozenset(PurePosixPath(key).parent.name for key, _ in found)

    def loaded(self, account_id: str, days: Iterable[date], now: datetime) -> None:
        """Remove the failures of days that somebody else's load has brought as well."""
        keys = {failure_key(self._table, account_id, day) for day in days}
        try:
            there = {key for key, _ in self._find(account_id)}
            if keys & there:
                self._forget(keys & there, now)
        except OSError as error:
            _log.warning(
                "act_%s: the failure of %s is still recorded: %s", account_id, self._table, error
            )

    def _forget(self, keys: Iterable[str], now: datetime) -> None:
        # A change of its own: that of the new file may already be published.
        for key in keys:
            self._store.delete(key)
        note_change(self._store, now)

    def note_all(self, errors: Mapping[str, str], now: datetime) -> None:
        """Do so for everything in this table that has no day: what is not in `errors`, accounts
        (digits) with why, has not failed.
        """
        try:
            passed = dict.fromkeys(self.whole(), "")
        except OSError as error:
            _log.warning("%s: the failure could not be recorded: %s", self._table, error)
            return
        if passed or errors:
            self.note_whole({**passed, **errors}, now)

    def _keep(self, key: str, failed: Failed, now: datetime) -> None:
        save(self._store, key, asdict(failed))
        note_change(self._store, now)

    def of_day(self, account_id: str, day: date) -> Failed | None:
        """The failure of one account-day, if its last try failed."""
        failed = read_failed(self._store, failure_key(self._table, account_id, day))
        return failed if failed and failed.at else None

    def of(self, account_id: str) -> Mapping[date, Failed]:
        """The failed days of one account. A truncated file only shows that its day failed."""
        failures = ((_day(key), read_failed(self._store, key)) for key, _ in self._find(account_id))
        return {day: failed for day, failed in failures if day and failed}

    def _find(self, account_id: str) -> Sequence[StoredFile]:
        return self._store.scan(f"{FAILED}/{self._table}/{account_id}/????-??-??.json").files


def _since(before: Failed | None, at: str) -> str:
    """When it first failed since it was last loaded, if it fails at `at`."""
    return (before and (before.since or before.at)) or at


def _day(key: str) -> date | None:
    """The day that a file is named after; None for a name that is not a day's."""
    try:
        return date.fromisoformat(PurePosixPath(key).stem)
    except ValueError:
        return None
