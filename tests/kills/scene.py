"""A sandbox that tells how far a load is, and the load in a process of its own, to be killed.

Hours pass `speed` times faster than on the wall, for the sandbox and for the process alike: every
step takes the time that it would take, in proportion, so that a kill can fall into any of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.estimate import DAYS_PER_RUN
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay, chunks
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.cooldowns import cooldowns_of
from tests.pace import QUICK_DISK
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from concurrent.futures import Future

__all__ = ["Pace", "Scene", "Started", "command", "load", "program"]

NOW: Final = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TABLE: Final = "insights_hourly"
ACCOUNTS: Final = 5

#: A call is held for so many ticks of the wall's time at most: 30 s.
HELD_TICKS: Final = 600
TICK_SECONDS: Final = 0.05

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many times faster than on the wall time passes, and how slow calls and runs are in it:
    runs take `run_seconds` of a server as slow as Meta.
    """

    speed: float = 1.0
    latency: float = 1.0
    run_seconds: float = 4.0


class Created(NamedTuple):
    """A report run: a digest of its parameters, and how often it was polled."""

    query: str
    polls: int


class Scene:
    """A sandbox at a pace, and a lake in a folder. Use it in a ``with`` block.

    `arrived` counts calls by kind as they reach the sandbox; `heard`: report run → when the answer
    to its creation was sent, by `time.monotonic`. Calls of kinds that are in `held` are not
    answered.
    """

    def __init__(
        self, root: Path, days: Sequence[date], pace: Pace, accounts: int = ACCOUNTS
    ) -> None:
        self.root = root
        self.days = days
        self.pace = pace
        self.arrived: Counter[str] = Counter()
        self.heard: dict[str, float] = {}
        self.held: set[str] = set()
        self._began = time.monotonic()
        self.sandbox = Sandbox(
            world="hostile",
            now=self._now,
            accounts=accounts,
            latency=pace.latency,
            run_seconds=pace.run_seconds * pace.latency,
            sleep=self._wait,
        )

    @property
    def runs(self) -> int:
        """Report runs that a load needs: each account has one for each stretch of days."""
        return len(self.sandbox.account_ids) * len(chunks(self.days, DAYS_PER_RUN))

    @property
    def account_days(self) -> int:
        return len(self.sandbox.account_ids) * len(self.days)

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.held.clear()
        self.sandbox.__exit__(None, None, None)

    def _now(self) -> datetime:
        return NOW + timedelta(seconds=(time.monotonic() - self._began) * self.pace.speed)

    async def _wait(self, seconds: float) -> None:
        """What the sandbox does between having dealt with a call and answering it."""
        told = self.sandbox.calls()
        before, self.arrived = self.arrived, _counts(told)
        is_creation = self.arrived["create_run"] > before["create_run"]
        held = {kind for kind in self.held if self.arrived[kind] > before[kind]}
        await asyncio.sleep(seconds / self.pace.speed)
        for _ in range(HELD_TICKS):
            if held & self.held:
                await asyncio.sleep(TICK_SECONDS)
        if is_creation:
            self.heard[told["runs"][-1]["id"]] = time.monotonic()

    # -- what there is -------------------------------------------------------------------------

    def created(self) -> Mapping[str, Created]:
        """Every report run there has been."""
        return {
            run["id"]: Created(run["query"], run["polls"]) for run in self.sandbox.calls()["runs"]
        }

    def remembered(self) -> set[str]:
        """Report runs that are remembered next to the lake."""
        texts = [path.read_text() for path in self.root.glob(".runs/*/*/*.json")]
        return {json.loads(text)["report_run_id"] for text in texts if text}

    @property
    def published(self) -> int:
        """Account-days in the lake."""
        return sum(1 for _ in self.root.glob(f"{TABLE}/*/*/data.parquet"))

    @property
    def is_writing(self) -> bool:
        """A file of an account-day is half written, or waits to be published."""
        with suppress(FileNotFoundError):  # a load removed its folder between two looks
            return any(self.root.glob(".staging/*/*.unfinished"))
        return False

    def unfinished(self) -> Sequence[str]:
        """Whatever lies in the lake's hidden folders."""
        hidden = [path for top in (".staging", ".runs") for path in (self.root / top).rglob("*")]
        return [str(path) for path in hidden if path.is_file() or path.parent.name == ".staging"]

    def wrong(self) -> Sequence[AccountDay]:
        """Account-days whose rows are not those that the sandbox says it delivered."""
        lake = Lake(self.root)
        return [
            AccountDay(account_id, day)
            for account_id in self.sandbox.account_ids
            for day in self.days
            if _loaded(lake, account_id, day)
            != sorted(map(_row, self.sandbox.truth(account_id, day)["rows"]), key=str)
        ]

    def program(self) -> Program:
        """What `load` needs to know."""
        told = self.sandbox.world()["accounts"]
        return Program(
            url=self.sandbox.url,
            token=self.sandbox.token,
            root=self.root,
            speed=self.pace.speed,
            began=self._began,
            accounts=tuple(
                Account(one["account_id"], one["timezone_name"], one["currency"]) for one in told
            ),
            days=tuple(self.days),
        )


def _counts(told: Mapping[str, Any]) -> Counter[str]:
    return Counter({kind: spent["count"] for kind, spent in told["spent"].items()})


def _loaded(lake: Lake, account_id: str, day: date) -> list[Row]:
    rows = lake.read(TABLE, account_id=account_id, date=day).to_pylist()
    return sorted(map(_row, rows), key=str)


def _row(row: Mapping[str, Any]) -> Row:
    counts = [int(row[name]) for name in ("impressions", "clicks")]
    return (row["ad_id"], row["hour"], *counts, Decimal(row["spend"]))


# -- the program that is killed --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Program:
    """Arguments of `load`. `began` is when the sandbox's clock did, by `time.monotonic`."""

    url: str
    token: str
    root: Path
    speed: float
    began: float
    accounts: tuple[Account, ...]
    days: tuple[date, ...]

    def clock(self) -> float:
        return time.monotonic() * self.speed

    def now(self) -> datetime:
        return NOW + timedelta(seconds=(time.monotonic() - self.began) * self.speed)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)

    def wait(self, futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
        return wait(futures, timeout=seconds / self.speed, return_when=FIRST_COMPLETED).done


def load(program: Program) -> None:
    """Load all account-days. Raises AssertionError if one of them could not be proven."""
    with GraphClient(
        program.token,
        base_url=program.url,
        sleep=program.sleep if program.speed != 1 else None,  # Ctrl-C wakes the usual one
        clock=program.clock,
        cooldowns=cooldowns_of(Folder(program.root), program.clock),
    ) as client:
        loader = Loader(
            client,
            Lake(program.root),
            {account.account_id: account for account in program.accounts},
            f"process {os.getpid()}",
            now=program.now,
            wait=program.wait,
        )
        wanted = [
            AccountDay(one.account_id, day) for one in program.accounts for day in program.days
        ]
        outcomes = list(loader.load(HOURLY_REPORT, wanted))
    assert all(one.load and one.load.proven for one in outcomes), [str(one) for one in outcomes]


# -- how it is started -----------------------------------------------------------------------------


class Started(Protocol):
    """A process at work."""

    @property
    def pid(self) -> int | None: ...

    @property
    def exitcode(self) -> int | None:
        """None while it lives; the signal that killed it, negative."""

    def is_alive(self) -> bool: ...
    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...


#: Processes are forked from one that has everything imported and nothing running.
_context = get_context("forkserver")
_context.set_forkserver_preload([__name__])


def program(scene: Scene) -> Started:
    """`load` in a process of its own."""
    process = _context.Process(target=load, args=(scene.program(),))
    process.start()
    return process


class Command:
    """``fbinsights backfill`` over the days of a scene."""

    def __init__(self, scene: Scene) -> None:
        home = scene.root / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        settings = {
            "PATH": os.environ["PATH"],
            **QUICK_DISK,
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(scene.root),
            "DAGSTER_HOME": str(home),
            "FB_GRAPH_URL": scene.sandbox.url,
            "FB_ACCESS_TOKEN": scene.sandbox.token,
            "WAREHOUSE_URL": str(scene.root),
        }
        days = ("--since", str(scene.days[0]), "--until", str(scene.days[-1]))
        report = ("--report", "insights_hourly")
        with (scene.root / "told").open("a") as told:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                [str(Path(sys.executable).with_name("fbinsights")), "backfill", *days, *report],
                cwd=scene.root,
                env=settings,
                stdout=told,
                stderr=told,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        self._process.wait(timeout)


def command(scene: Scene) -> Started:
    """The real thing, Dagster and all."""
    return Command(scene)
