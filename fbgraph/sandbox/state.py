"""The state behind the wire: a world, its numbers, its report runs, the scenarios that are on."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.active import Active
from fbgraph.sandbox.columns import COLUMNS, Measured, major
from fbgraph.sandbox.days import RefreshedClock, local_date
from fbgraph.sandbox.delivery import NOTHING, Delivery, add
from fbgraph.sandbox.hooks import Making, View
from fbgraph.sandbox.insights import answer, written
from fbgraph.sandbox.ledger import Ledger
from fbgraph.sandbox.quota import Meter
from fbgraph.sandbox.refusals import RefusedError
from fbgraph.sandbox.runs import Runs
from fbgraph.sandbox.splits import SPLITS, split
from fbgraph.sandbox.timing import run_seconds
from fbgraph.sandbox.writing import change

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
    from datetime import date

    from fbgraph.sandbox.access import Tokens
    from fbgraph.sandbox.delivery import Numbers
    from fbgraph.sandbox.insights import Extent, Report, Tables
    from fbgraph.sandbox.query import Query
    from fbgraph.sandbox.quota import Quota
    from fbgraph.sandbox.world import Node, World

__all__ = ["Platform", "Settings", "Shelf"]

#: Bytes of rows, and reports, kept at hand. What is dropped is computed again when it is read.
SHELF_BYTES: Final = 4_000_000_000
SHELF_REPORTS: Final = 500

#: What the truth tells of each row, as insights would.
TOLD: Final = (
    *("account_id", "campaign_id", "adset_id", "ad_id", "impressions", "clicks", "spend"),
    *("inline_link_clicks", "actions", "action_values"),
)


class Shelf:
    """Reports at hand, the longest unused dropped first, the newest never."""

    def __init__(self, limit: int = SHELF_BYTES, most: int = SHELF_REPORTS) -> None:
        self._limit = limit
        self._most = most
        self._kept: OrderedDict[object, Report] = OrderedDict()

    def get(self, key: object, make: Callable[[], Report]) -> Report:
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._is_full():
            self._kept.popitem(last=False)
        return self._kept[key]

    def _is_full(self) -> bool:
        # Reports grow while they are read, so their sizes are looked up each time.
        held = sum(report.size for report in self._kept.values())
        return held > self._limit or len(self._kept) > self._most


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox behaves; `Sandbox` says what each means."""

    now: Callable[[], datetime]
    run_polls: int = 2
    run_seconds: float | None = None
    auto_upgrade: bool = False
    compress: bool = True
    quota: Quota | None = None
    latency: float = 0.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def _clocked(settings: Settings) -> Callable[[Extent], float] | None:
    """How long a run takes by the clock, or None where it goes by polls."""
    fixed, factor = settings.run_seconds, settings.latency
    if fixed is not None:
        return lambda _: fixed
    return (lambda extent: factor * run_seconds(extent)) if factor else None


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
        self.use(scenarios)
        self._clock = RefreshedClock(settings.now)
        self._delivery = Delivery(world.seed)
        self._shelf = Shelf()

    def now(self) -> datetime:
        return self._clock.now().astimezone(UTC)

    def stamp(self) -> datetime:
        """The last refresh of insights."""
        return self._clock.stamp()

    def use(self, names: Iterable[str]) -> None:
        """Turn on exactly these scenarios. Raises ValueError for one that is not in the table."""
        active = Active(names, self.ledger.faults)
        quota = active.quota() or self.settings.quota
        with self.lock:
            self.active = active
            if self.meter is None or self.meter.quota != quota:
                self.meter = Meter(quota) if quota else None

    def told(self) -> dict[str, Any]:
        """What was served, by kind, with runs and quotas."""
        with self.lock:
            blocked = self.meter.report() if self.meter else {}
            return {**self.ledger.report(), **self.runs.report(), "blocked": blocked}

    def forget(self) -> None:
        """Begin the report anew; what has been used of quotas stays used."""
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
        key = (query, as_of, names, self.world.changes, reading, view.look if names else 0)
        return self._shelf.get(key, lambda: self._make(query, view, names, reading))

    def _make(self, query: Query, view: View, names: tuple[str, ...], reading: int) -> Report:
        node = self.world.nodes[query.node_id]
        active = self.active if names == self.active.names else Active(names, self.ledger.faults)
        tables = self._tables(view, active)
        making = Making(query, node, reading, lambda other: written(other, node, tables))
        return answer(query, node, tables, lambda rows: active.rows(rows, making))

    def _tables(self, view: View, active: Active) -> Tables:
        def plain(ad: Node, day: date) -> dict[int | None, Numbers]:
            return self._delivery.table(ad, day, view.now)

        return active.tables(plain, view)

    def truth(
        self, account_id: str, day: date, breakdowns: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """What an account-day really delivered, by ad and hour; or by ad and breakdowns, of which
        there may be none. KeyError for an unknown account, ValueError for an unknown breakdown.
        """
        if unknown := sorted({*(breakdowns or ())} - {*SPLITS}):
            raise ValueError(f"the sandbox does not imitate the breakdown {unknown[0]}")
        account = self.world.nodes[account_id.removeprefix("act_")]
        found = list(self._delivered(account, day, breakdowns))
        total = add(numbers for *_, numbers in found) if found else NOTHING
        hourly = breakdowns is None
        return {
            "account_id": account.id,
            "date": str(day),
            "rows": [_told(ad, day, numbers, hourly=hourly) | key for ad, key, numbers in found],
            "count": len(found),
            "sums": _sums(account, day, total),
        }

    def _delivered(
        self, account: Node, day: date, breakdowns: tuple[str, ...] | None
    ) -> Iterator[tuple[Node, dict[str, Any], Numbers]]:
        """Each row's ad, what tells it from the ad's other rows, and its numbers."""
        tables = self._tables(View(self.stamp()), self.active)
        for ad in account.under("ad"):
            table = tables(ad, day)
            if breakdowns is None:
                for hour, numbers in table.items():
                    yield ad, {"hour": hour}, numbers
            elif table and breakdowns:
                for values, numbers in split(ad.id, add(table.values()), breakdowns).items():
                    yield ad, dict(zip(breakdowns, values, strict=True)), numbers
            elif table:
                yield ad, {}, add(table.values())

    def change(self, node_id: str, params: Mapping[str, str]) -> None:
        """A change by hand. KeyError for an unknown object, ValueError for what is refused."""
        node = self.world.nodes.get(node_id) or self.world.find(node_id)
        if node is None:
            raise KeyError(node_id)
        try:
            with self.lock:
                change(self, node, params)
        except RefusedError as error:
            refusal = error.refusal
            raise ValueError(refusal.text or refusal.message) from error

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
            raise ValueError(f"there is no account {', '.join(sorted(unknown))}")
        expires = datetime.fromtimestamp(expires_at, UTC) if expires_at else None
        with self.lock:
            return self.tokens.make(scopes, ids, expires, kind).text

    def revoke(self, token: str) -> None:
        with self.lock:
            self.tokens.revoke(token)

    def describe_world(self) -> dict[str, Any]:
        """The accounts, with how many objects of each status they have, hidden ones included."""
        accounts = [_describe_account(account) for account in self.world.accounts]
        return {"seed": self.world.seed, "now": self.now().isoformat(), "accounts": accounts}


def _told(ad: Node, day: date, numbers: Numbers, *, hourly: bool) -> dict[str, Any]:
    row = Measured(ad, day, day, numbers, hourly=hourly, windows=(), partners=())
    told = {name: value for name in TOLD if (value := COLUMNS[name](row)) is not None}
    return {**told, "date": str(day)}


def _sums(account: Node, day: date, total: Numbers) -> dict[str, str]:
    row = Measured(account, day, day, total, hourly=True, windows=(), partners=())
    return {
        "impressions": str(total.impressions),
        "clicks": str(total.clicks),
        "inline_link_clicks": str(total.link_clicks),
        "spend": major(total.spend, row.offset),
    }


def _describe_account(account: Node) -> dict[str, Any]:
    objects: dict[str, dict[str, int]] = {}
    for level in ("campaign", "adset", "ad"):
        statuses = [node.effective_status for node in account.under(level)]
        objects[level] = {status: statuses.count(status) for status in sorted(set(statuses))}
    return {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "name": account.name,
        "currency": account.about.currency,
        "timezone_name": account.about.zone,
        "objects": objects,
    }
