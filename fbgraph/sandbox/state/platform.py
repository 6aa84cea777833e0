"""The state of a sandbox: a world, its numbers, its report runs, the scenarios that are on."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.faults.hooks import Making, View
from fbgraph.sandbox.insights.features import ALL_ENABLED, opted_in
from fbgraph.sandbox.insights.rows import report_of, written
from fbgraph.sandbox.insights.runs import Runs
from fbgraph.sandbox.limits.quota import Meter
from fbgraph.sandbox.limits.timing import run_seconds
from fbgraph.sandbox.scenarios.active import Active
from fbgraph.sandbox.state.ledger import Ledger
from fbgraph.sandbox.state.shelf import Shelf
from fbgraph.sandbox.state.spending import Spending
from fbgraph.sandbox.state.truth import describe_account, truth
from fbgraph.sandbox.world.days import RefreshedClock, local_date, refreshed
from fbgraph.sandbox.world.delivery import Delivery, at_once, table_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from fbgraph.sandbox.insights.extent import Extent
    from fbgraph.sandbox.insights.query import Query
    from fbgraph.sandbox.insights.rows import Report, Tables
    from fbgraph.sandbox.limits.quota import Quota
    from fbgraph.sandbox.state.tokens import Tokens
    from fbgraph.sandbox.world.delivery import Table
    from fbgraph.sandbox.world.nodes import WorldNode
    from fbgraph.sandbox.world.tree import World

__all__ = ["Platform", "Settings"]


#: The slowest sandbox: a hundred times as slow as Meta.
MAX_LATENCY: Final = 100.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox behaves; `Sandbox` says what each means. Raises ValueError for a number that
    makes no sense.
    """

    now: Callable[[], datetime]
    run_polls: int = 2
    run_seconds: float | None = None
    auto_upgrade: bool = False
    compress: bool = True
    quota: Quota | None = None
    latency: float = 0.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        if not 0 <= self.latency <= MAX_LATENCY:
            raise ValueError(
                f"latency must be a number from 0 to {MAX_LATENCY:.0f} (got {self.latency})."
            )
        if self.run_seconds is not None and not 0 <= self.run_seconds < math.inf:
            raise ValueError(f"run_seconds must be 0 or more (got {self.run_seconds}).")
        if self.run_polls < 0:
            raise ValueError(f"run_polls must be 0 or more (got {self.run_polls}).")


def _clocked(settings: Settings) -> Callable[[Extent], float] | None:
    """How long a run takes by the clock, or None where it goes by polls."""
    fixed, factor = settings.run_seconds, settings.latency
    if fixed is not None:
        return lambda _: fixed
    return (lambda extent: factor * run_seconds(extent.rows)) if factor else None


class Platform:
    """Everything that a call can change or ask; no sockets."""

    def __init__(
        self, world: World, tokens: Tokens, settings: Settings, scenarios: Iterable[str] = ()
    ) -> None:
        self.world = world
        self.tokens = tokens
        self.settings = settings
        self.ledger = Ledger()
        self._readings: Counter[object] = Counter()
        self.runs = Runs(settings.run_polls, _clocked(settings))
        #: Held while a call is answered, and while a test changes something from its own thread.
        self.lock = RLock()
        self.meter: Meter | None = None
        self._clock = RefreshedClock(settings.now)
        self._delivery = Delivery(world.seed)
        self._shelf = Shelf()
        self.spending = Spending(self._delivery.hours)
        self.use(scenarios)
        for account in world.accounts:
            account.values["amount_spent"] = self._amount_spent

    def now(self) -> datetime:
        return self._clock.now().astimezone(UTC)

    def stamp(self) -> datetime:
        """The last refresh of insights."""
        return self._clock.stamp()

    def use(self, names: Iterable[str]) -> None:
        """Turn on exactly these scenarios. Raises ValueError for one that is not in the table."""
        active = Active(names, self.ledger.faults, self.now())
        quota = active.quota() or self.settings.quota
        with self.lock:
            self.active = active
            self.spending.use(active.delivers(self._delivery.hours))
            if self.meter is None or self.meter.quota != quota:
                self.meter = Meter(quota) if quota else None

    def served(self) -> dict[str, Any]:
        """What was served, by kind, with runs and quotas."""
        with self.lock:
            blocked = self.meter.report() if self.meter else {}
            return {**self.ledger.report(), **self.runs.report(), "blocked": blocked}

    def forget(self) -> None:
        """Start the report again from zero; what has been used of quotas stays used."""
        with self.lock:
            self.ledger.reset()
            self.runs.forget()
            if self.meter:
                self.meter.forget()

    def reading(self, report: object, *, is_first: bool) -> int:
        """How often a report was begun to be read; 0 where no scenario cares."""
        if not self.active.has("rows"):
            return 0
        self._readings[report] += is_first
        return self._readings[report]

    def report(self, query: Query, view: View, names: tuple[str, ...], reading: int = 0) -> Report:
        """The rows of a query as of a refresh, under the scenarios of that time."""
        node = self.world.nodes[query.node_id]
        today = local_date(node.zone, view.now)
        # Finished days change at midnight at most, when one more of them may be restated; under a
        # scenario also within the day.
        as_of = view.now if names or query.until >= today else today
        key = (query, as_of, names, self.world.changes, reading, view.times_shown if names else 0)
        return self._shelf.get(key, lambda: self._make(query, view, names, reading))

    def _make(self, query: Query, view: View, names: tuple[str, ...], reading: int) -> Report:
        node = self.world.nodes[query.node_id]
        active = self.active
        if names != active.names:
            active = Active(names, self.ledger.faults, active.since)
        tables = self._tables(view, active)
        tables = opted_in(tables, query.splits, lambda: self.features(node, active))
        making = Making(query, node, reading, lambda other: written(other, node, tables))
        return report_of(query, node, tables, lambda rows: active.rows(rows, making))

    def features(self, node: WorldNode, active: Active | None = None) -> Mapping[str, str]:
        """What the account of a node has enabled: feature → first day with rows, "" for all."""
        at = self.world.accounts.index(node.account)
        return (active or self.active).features(ALL_ENABLED, at)

    def _tables(self, view: View, active: Active) -> Tables:
        hours_of, progress = active.delivers(self._delivery.hours), active.shown(at_once)

        @cache
        def today(zone: ZoneInfo) -> tuple[date, Callable[[datetime], float]]:
            return local_date(zone, view.now), progress(view.now, zone)

        def plain(ad: WorldNode, day: date) -> Table:
            last, share_of = today(ad.zone)
            return table_of(hours_of(ad, day), share_of) if day <= last else {}

        return active.tables(plain, view)

    def restart_counter(self, account: WorldNode, amount: int) -> None:
        """Let the counter of an account go on from another amount."""
        self.spending.restart(account, amount, self.now())
        account.values["amount_spent"] = self._amount_spent

    def _amount_spent(self, account: WorldNode, now: datetime) -> str:
        """An account's counter. It knows at once what insights learn later."""
        return str(self.spending.counter(account, now, self.active.restarted(account, now)))

    def truth(
        self,
        account_id: str,
        day: date,
        breakdowns: tuple[str, ...] | None = None,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """What an account-day really delivered by now, or as of another moment; KeyError for an
        unknown account, ValueError for an unknown breakdown.
        """
        account = self.world.nodes[account_id.removeprefix("act_")]
        view = View(refreshed(at) if at else self.stamp(), by_hour=breakdowns is None)
        found = truth(account, day, self._tables(view, self.active), breakdowns)
        return {**found, "as_of": view.now.isoformat()}

    def spent_by_hour(
        self, account_id: str, day: date, at: datetime | None = None
    ) -> dict[int, int]:
        """What an account-day had spent in each hour; KeyError for an unknown account."""
        account = self.world.nodes[account_id.removeprefix("act_")]
        now = refreshed(at) if at else self.stamp()
        return self.spending.by_hour(account, day, now, self.active.shown(at_once))

    def make_token(
        self,
        scopes: Collection[str],
        accounts: Collection[str] | None,
        expires_at: float,
        kind: str,
    ) -> str:
        """`expires_at` in epoch seconds, 0 is never. ValueError for an unknown account or kind."""
        ids = None if accounts is None else {one.removeprefix("act_") for one in accounts}
        unknown = (ids or set()) - {account.id for account in self.world.accounts}
        if unknown:
            raise ValueError(
                f"Unknown account {', '.join(sorted(unknown))}: /_sandbox/world lists the accounts."
            )
        expires = datetime.fromtimestamp(expires_at, UTC) if expires_at else None
        with self.lock:
            return self.tokens.make(scopes, ids, expires, kind).text

    def revoke(self, token: str) -> None:
        with self.lock:
            self.tokens.revoke(token)

    def describe_world(self) -> dict[str, Any]:
        """The accounts, with how many objects of each status they have, hidden ones included."""
        accounts = [describe_account(account) for account in self.world.accounts]
        return {
            "seed": self.world.seed,
            "world": self.world.plan.name,
            "now": self.now().isoformat(),
            "accounts": accounts,
        }
