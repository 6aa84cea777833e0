"""A session: one load, step by step: accounts, their objects, account-days of reports. No Dagster.

What begins it, a run of Dagster or the command line, passes a recorder, which is given the result
of each step as it ends.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fbgraph import act_id
from pipelines.errors import ConfigError
from pipelines.loading.accounts.features import FeatureSettings
from pipelines.loading.accounts.restricted import with_restricted_fields
from pipelines.loading.accounts.stored import accounts_in, spenders_in, store_accounts
from pipelines.loading.emptiness import silence, silent
from pipelines.loading.failures import Failures
from pipelines.loading.loader import Loader
from pipelines.loading.objects import (
    is_due,
    keep_pictures,
    load_mentioned,
    load_new,
    load_objects,
)
from pipelines.reports.catalog import CONTROL
from pipelines.state.history import note_days, set_up
from pipelines.state.origin import claimed
from warehouse.decode.hours import INTRADAY_DELAY
from warehouse.errors import DamagedFileError, WarehouseError
from warehouse.lake.history import footer_of_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from fbgraph import GraphClient
    from pipelines.loading.accounts.discovery import Discovery
    from pipelines.loading.control_totals import Controls
    from pipelines.loading.load_result import Outcome
    from pipelines.loading.objects import Listed, MentionedObjects
    from pipelines.loading.partitions import AccountDay
    from pipelines.reports.catalog import Report
    from warehouse.lake.history import Merged
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = [
    "LoadedAccounts",
    "Loads",
    "Recorder",
    "Session",
    "load_accounts",
    "published_if_stopped",
]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Loads:
    """The outcomes of account-days of one report. `known`: the objects that they mention, by
    account (digits). `totals`: records of the control totals that were stored to prove them.
    `silence`: what a person must know if Meta returned nothing at all. `is_whole`: nothing stopped
    it halfway.
    """

    report: Report
    outcomes: list[Outcome] = field(default_factory=list)
    known: Mapping[str, MentionedObjects] = field(default_factory=dict)
    totals: Sequence[Load] = ()
    silence: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class LoadedAccounts:
    """The accounts that were found, and their rows in the lake."""

    found: Discovery
    merged: Merged


class Recorder(Protocol):
    """Receives what a load does, step by step."""

    def begins(self, table: str, keys: Sequence[str]) -> None:
        """These partitions of a table are about to be loaded."""

    def accounts_loaded(self, accounts: LoadedAccounts) -> None:
        """Accounts are in the lake."""

    def listed(self, table: str, found: Sequence[Listed]) -> None:
        """A table of objects is listed, account by account."""

    def loaded(self, loads: Loads) -> None:
        """Account-days of a report are loaded, as far as the load got."""


@dataclass(frozen=True, slots=True)
class Session:
    """One client that loads into one lake.

    `run_id` goes into every record of a load: the id of a run of Dagster, or one that a command
    made up. `accept_empty`: days that had rows become empty at once if Meta returns none.
    `media`: thumbnails are downloaded. `delay`: how long after its end Meta still counts an hour.
    """

    client: GraphClient
    lake: Lake
    run_id: str
    now: Callable[[], datetime]
    recorder: Recorder
    accept_empty: bool = False
    media: bool = False
    delay: timedelta = INTRADAY_DELAY
    _silent: set[str] = field(default_factory=set)  # accounts that a warning has been about
    _features: FeatureSettings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_features", FeatureSettings(self.client, self.now))

    def load_accounts(self, found: Discovery) -> LoadedAccounts:
        """Store accounts in the lake, with what takes more rights. Raises as `load_accounts`, and
        what ends everything.
        """
        found = with_restricted_fields(self.client, self.lake, found, self.now())
        accounts = load_accounts(self.lake, found, self.now())
        self.recorder.accounts_loaded(accounts)
        return accounts

    def list_objects(
        self, account_ids: Sequence[str], *, needed: bool = False, full: bool = False
    ) -> Sequence[Listed]:
        """List objects of accounts (digits): what is due of each table or failed the last time, and
        what is new in between by id. Raises what ends everything.

        `needed`: only what reports cannot do without, and what that mentions, as creatives; `full`:
        also what is not due yet. If what an account needs cannot be listed, such as its campaigns,
        it is asked for nothing more; any other table that fails costs itself.
        """
        every: list[Listed] = []
        rows = [
            row
            for row in self.lake.catalog.listed
            if row.is_needed or row.mentioned_by or not needed
        ]
        basic = {row.name for row in rows if row.is_needed and not row.mentioned_by}
        for row in sorted(rows, key=lambda row: not row.is_needed):
            without = [one for one in every if one.error and not one.listing]
            failed = {one.account_id for one in without if one.table in basic}
            left_out = set() if row.is_needed else failed
            wanted = [one for one in account_ids if one not in left_out]
            every += self._list(row, wanted, full=full)
        return every

    def _list(
        self, row: ObjectTable, account_ids: Sequence[str], *, full: bool
    ) -> Sequence[Listed]:
        lake, now = self.lake, self.now()

        def listed_at(account_id: str) -> datetime | None:
            return footer_of_objects(lake, row.latest, account_id).listed_at

        failed = Failures(lake.store, row.name).whole()
        due = [
            account_id
            for account_id in account_ids
            if full or account_id in failed or is_due(row, account_id, listed_at(account_id), now)
        ]
        if due:
            _log.debug("Listing %s.", row.name, extra={"step": f"listing {row.name}"})
            self.recorder.begins(row.name, [act_id(account_id) for account_id in due])
        found = [*load_objects(self.client, lake, [row.name], due, self.now)]
        if row.mentioned_by:
            others = [account_id for account_id in account_ids if account_id not in set(due)]
            found += load_new(self.client, lake, row, others, self.now)
        if found:
            self.recorder.listed(row.name, found)
        return found

    def keep_pictures(self, account_ids: Sequence[str]) -> None:
        """Download what the lake lacks of the pictures of accounts (digits), after all loads of a
        run: no report waits for a picture. Raises what ends everything.
        """
        if self.media:
            keep_pictures(self.client, self.lake, account_ids, self.now)

    def load(
        self, report: Report, account_days: Iterable[AccountDay], *, at_once_rows: int | None = None
    ) -> Loads:
        """Load account-days of a report, and the objects that they mention.

        However it ends, the recorder is handed what is in the lake. `at_once_rows` as in `Loader`.
        Raises what ends everything.
        """
        loads = Loads(report)
        try:
            self.load_into(loads, account_days, at_once_rows=at_once_rows)
        finally:
            self.recorder.loaded(loads)
        return loads

    def load_into(
        self,
        loads: Loads,
        account_days: Iterable[AccountDay],
        *,
        controls: Controls | None = None,
        at_once_rows: int | None = None,
        log_level: int = logging.INFO,
    ) -> None:
        """The same into `loads`, without handing anything to the recorder. `controls`,
        `at_once_rows` and `log_level` as in `Loader`.
        """
        loader = Loader(
            *(self.client, self.lake, accounts_in(self.lake), self.run_id),
            accept_empty=self.accept_empty,
            features=self._features,
            controls=controls,
            at_once_rows=at_once_rows,
            log_level=log_level,
            now=self.now,
            delay=self.delay,
        )
        try:
            loads.outcomes.extend(loader.load(loads.report, account_days))
        finally:
            note_days(self.lake.store, (one.account_day.day for one in loads.outcomes if one.load))
            if loads.report is not CONTROL:
                loads.totals = tuple(loader.stored_totals)
        if loads.report is not CONTROL:
            self._warn_of_silence(loads)
            in_lake = [one.account_day for one in loads.outcomes if one.load]
            loads.known = load_mentioned(self.client, self.lake, in_lake, self.now)
        loads.is_whole = True

    def _warn_of_silence(self, loads: Loads) -> None:
        """Once, not for each report: what they have in common is Meta's silence."""
        nothing = silent(loads.outcomes)
        loads.silence = silence(nothing, spenders_in(self.lake)) if nothing else ""
        accounts = {load.account_id for load in nothing}
        if loads.silence and not accounts <= self._silent:
            _log.warning("%s", loads.silence)
            self._silent.update(accounts)


@contextmanager
def published_if_stopped(publish: Callable[[], object]) -> Iterator[None]:
    """Publish what a load brought that stops midway, for whatever reason. If that fails too, as on
    a full disk, it is logged, and the error stays the one that stopped the load.
    """
    try:
        yield
    except BaseException:
        try:
            publish()
        except (WarehouseError, OSError) as error:
            _log.warning("This could not be published: %s", error)
        raise


def load_accounts(lake: Lake, found: Discovery, now: datetime) -> LoadedAccounts:
    """Store accounts in the lake.

    Nothing is loaded of an account that is not in the lake, so this is where a lake's source is
    settled. Raises ConfigError if it is another, and WarehouseError as `store_accounts`.
    """
    if why := claimed(lake.store, found.graph_url):
        raise ConfigError(why)
    _warn_of_strangers(lake, found)
    set_up(lake, now.date())
    if found.withheld:
        _log.info("accounts: %s", found.withheld)
    merged = store_accounts(
        lake, [*found.rows, *found.unreadable], now, has_restricted=found.has_restricted
    )
    if merged.unreadable:
        _log.warning("accounts: %s", merged.unreadable)
    Failures(lake.store, "accounts").note_all(found.refused, now)
    return LoadedAccounts(found, merged)


def _warn_of_strangers(lake: Lake, found: Discovery) -> None:
    """Warn if a token sees none of the accounts in the lake: it may belong to another business."""
    try:
        there = set(lake.read("accounts").column("account_id").to_pylist())
    except DamagedFileError:  # it is about to be replaced
        return
    seen = {row["account_id"] for row in found.rows}
    if there and seen and not there & seen:
        _log.warning(
            "%s holds %d ad accounts, and none of them is among the %d that the token sees (or that"
            " FB_ACCOUNT_IDS names). If those belong"
            " to another business, load them into a lake of their own (WAREHOUSE_URL); `fbinsights"
            " forget` removes an account.",
            *(lake.store.name(), len(there), len(seen)),
        )
