"""One load of 5 accounts and 7 days under scenarios, and everything that is to be judged of it.

The lake holds some of the days already, with other numbers, so that a day that failed can be told
from one that was loaded.
"""

from __future__ import annotations

import faulthandler
import random
import shutil
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from fbgraph import GraphClient
from fbgraph.errors import ENDS_EVERYTHING, GraphError
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT
from tests.chaos.expected import name_of
from tests.chaos.witness import Witness
from tests.clock import VirtualClock
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.loading.load_result import Outcome
    from tests.chaos.witness import Heard
    from warehouse.lake.records import Load

__all__ = ["ACCOUNTS", "DAYS", "FEW_DAYS", "Plan", "Row", "Trial", "World"]

TABLE: Final = "insights_hourly"
ACCOUNTS: Final = 5

#: The sandbox's clock at the start: days before it are finished in every zone, and in none of the
#: accounts' does one end within the next eight hours. On the third day the clock is put back in Los
#: Angeles, where the second account is.
NOW: Final = datetime(2026, 11, 9, 23, 30, tzinfo=UTC)
DAYS: Final = tuple(date(2026, 10, 30) + timedelta(days=n) for n in range(7))
FEW_DAYS: Final = DAYS[1:4]

#: Scenarios that change the truth.
CHANGES_TRUTH: Final = frozenset({"hour_key_missing", "elapsed_hours", "restated_days"})

#: What every trial runs under, so that the numbers differ from those that the lake holds.
RESTATED: Final = "restated"

#: Real seconds after which a load is taken to hang, and virtual hours.
PATIENCE_SECONDS: Final = 1500.0
PATIENCE_HOURS: Final = 200.0

#: Ad, hour, impressions, clicks, spend, link clicks, actions and their values.
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`scenarios` with their strengths. A report run takes `run_seconds`, or two polls."""

    scenarios: Sequence[str]
    seed: int = 0
    run_seconds: float | None = 30.0

    def __str__(self) -> str:
        takes = "2 polls" if self.run_seconds is None else f"{self.run_seconds:g} s"
        return f"seed {self.seed}, runs of {takes}: {' + '.join(self.scenarios)}"


@dataclass(slots=True)
class Trial:
    """All that is known of a load that has ended: by an error that `stopped` it, or with
    `outcomes`. `before` and `after`: bytes of files by account-day.
    """

    plan: Plan
    account_ids: Sequence[str]
    days: Sequence[date]
    outcomes: dict[AccountDay, list[Outcome]]
    stopped: Exception | None
    hung: str
    before: Mapping[AccountDay, bytes]
    after: Mapping[AccountDay, bytes]
    loads: Mapping[AccountDay, Load]
    rows: Mapping[AccountDay, Sequence[Row]]
    truth: Mapping[AccountDay, Sequence[Row]]
    left: Sequence[str]  # files that have no place in a lake at rest
    heard: Sequence[Heard]
    calls: Mapping[str, Any]
    hours: float
    seconds: float

    @property
    def account_days(self) -> Sequence[AccountDay]:
        return [AccountDay(account, day) for account in self.account_ids for day in self.days]


class World:
    """A lake that was loaded calmly, and the truths that were asked for, shared by all trials.

    It holds some of the `days` already, neither the first nor the last.
    """

    def __init__(self, folder: Path, days: Sequence[date] = DAYS) -> None:
        self._folder = folder
        self._days = days
        self._truths: dict[Sequence[str], Mapping[AccountDay, Sequence[Row]]] = {}
        self._numbers = 0
        self._base = folder / "base"
        with _sandbox(VirtualClock(NOW), Plan((), run_seconds=None)) as sandbox:
            self._load_calmly(sandbox)

    def _load_calmly(self, sandbox: Sandbox) -> None:
        lake = Lake(self._base)
        with GraphClient(sandbox.token, base_url=sandbox.url) as client:
            store_accounts(lake, discover(client).rows, NOW)
            loader = Loader(client, lake, accounts_in(lake), "calm", now=lambda: NOW)
            days = self._days[1 : max(2, len(self._days) - 2)]
            old = [AccountDay(account, day) for account in sandbox.account_ids for day in days]
            outcomes = list(loader.load(HOURLY_REPORT, old))
        assert all(outcome.load and outcome.load.proven for outcome in outcomes)
        self.before = _bytes_of(lake)
        self.rows_before = {one: _rows(lake, one) for one in old}

    def run(self, plan: Plan) -> Trial:
        """Load everything under the scenarios of a plan."""
        self._numbers += 1
        folder = self._folder / f"{self._numbers}"
        shutil.copytree(self._base, folder)
        lake, clock = Lake(folder), VirtualClock(NOW)
        try:
            with _sandbox(clock, plan) as sandbox:
                return self._run(plan, lake, clock, sandbox)
        finally:
            shutil.rmtree(folder)

    def _run(self, plan: Plan, lake: Lake, clock: VirtualClock, sandbox: Sandbox) -> Trial:
        witness, began = Witness(clock), time.monotonic()
        outcomes: dict[AccountDay, list[Outcome]] = defaultdict(list)
        stopped: Exception | None = None
        with (
            GraphClient(
                sandbox.token,
                base_url=sandbox.url,
                sleep=clock.sleep,
                clock=clock.seconds,
                jitter=random.Random(plan.seed).random,  # noqa: S311  # seeded, no secret
                transport=witness,
                timeout_seconds=30.0,
            ) as client,
            _watched(client, clock) as hung,
            clock.deciding(),
        ):
            loader = Loader(client, lake, accounts_in(lake), "chaos", now=clock, wait=clock.wait)
            wanted = [
                AccountDay(account, day) for account in sandbox.account_ids for day in self._days
            ]
            try:
                for outcome in loader.load(HOURLY_REPORT, wanted):
                    outcomes[outcome.account_day].append(outcome)
            except (*ENDS_EVERYTHING, GraphError) as error:
                stopped = error
        there = [one for one in wanted if (lake.root / lake.key(TABLE, *one)).exists()]
        return Trial(
            plan=plan,
            account_ids=sandbox.account_ids,
            days=self._days,
            outcomes=dict(outcomes),
            stopped=stopped,
            hung="; ".join(hung),
            before=self.before,
            after=_bytes_of(lake),
            loads={one: load for one in there if (load := lake.load_of(TABLE, *one))},
            rows={one: _rows(lake, one) for one in there},
            truth=self._truth(plan, sandbox),
            left=_left(lake),
            heard=list(witness.heard),
            calls=sandbox.calls(),
            hours=clock.seconds() / 3600,
            seconds=time.monotonic() - began,
        )

    def _truth(self, plan: Plan, sandbox: Sandbox) -> Mapping[AccountDay, Sequence[Row]]:
        changing = tuple(name for name in plan.scenarios if name_of(name) in CHANGES_TRUTH)
        if changing not in self._truths:
            self._truths[changing] = {
                AccountDay(account, day): sorted(
                    map(_row, sandbox.truth(account, day)["rows"]), key=str
                )
                for account in sandbox.account_ids
                for day in self._days
            }
        return self._truths[changing]


def _sandbox(clock: VirtualClock, plan: Plan) -> Sandbox:
    names = (RESTATED, *plan.scenarios) if plan.scenarios else ()
    return Sandbox(
        world="hostile",
        scenarios=names,
        now=clock,
        accounts=ACCOUNTS,
        run_seconds=plan.run_seconds,
        compress=False,
    )


@contextmanager
def _watched(client: GraphClient, clock: VirtualClock) -> Iterator[list[str]]:
    """Stop a load that takes too long, and say so."""
    hung: list[str] = []
    is_over = threading.Event()

    def watch() -> None:
        began = time.monotonic()
        while not is_over.wait(0.2):
            seconds, hours = time.monotonic() - began, clock.seconds() / 3600
            if seconds > PATIENCE_SECONDS or hours > PATIENCE_HOURS:
                hung.append(f"hangs: not done after {seconds:.0f} s and {hours:.1f} virtual hours")
                client.stop()
                return

    watcher = threading.Thread(target=watch, name="watchdog", daemon=True)
    watcher.start()
    faulthandler.dump_traceback_later(1.5 * PATIENCE_SECONDS, exit=True)
    try:
        yield hung
    finally:
        is_over.set()
        watcher.join()
        faulthandler.cancel_dump_traceback_later()


def _bytes_of(lake: Lake) -> Mapping[AccountDay, bytes]:
    return {
        AccountDay(one.account_id, one.date): lake.store.read(one.key)
        for one in lake.partitions(TABLE)
        if one.date is not None
    }


def _left(lake: Lake) -> Sequence[str]:
    """What is in the hidden folders."""
    hidden = [path for top in lake.root.glob(".*") for path in top.rglob("*")]
    return [str(path.relative_to(lake.root)) for path in hidden if _is_rest(path)]


def _is_rest(path: Path) -> bool:
    return path.is_file() or path.parent.name == ".staging"


# -- rows ------------------------------------------------------------------------------------------


def _actions(value: Sequence[Mapping[str, Any]] | None) -> Sequence[tuple[str, Decimal]]:
    """Action types and numbers; a list that is missing is one without entries, and an entry whose
    value could not be read has nothing to compare.
    """
    entries = [one for one in value or () if one["value"] is not None]
    return sorted((one["action_type"], Decimal(one["value"])) for one in entries)


COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "ad_id": str,
    "hour": lambda value: None if value is None else int(value),
    "impressions": int,
    "clicks": int,
    "spend": Decimal,
    "inline_link_clicks": lambda value: None if value is None else int(value),
    "actions": _actions,
    "action_values": _actions,
}


def _rows(lake: Lake, account_day: AccountDay) -> Sequence[Row]:
    table = lake.read(TABLE, account_id=account_day.account_id, date=account_day.day)
    return sorted(map(_row, table.select(list(COLUMNS)).to_pylist()), key=str)


def _row(row: Mapping[str, Any]) -> Row:
    return tuple(read(row.get(name)) for name, read in COLUMNS.items())


_true_row = _row
