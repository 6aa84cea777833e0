"""A handler and pending runs that live in memory: what an engine works with but its client."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fbgraph import GraphClient
from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY
from fbgraph.reports.engine import Engine
from fbgraph.reports.handler import Checkpoint, Wanted
from fbgraph.reports.task import ReportTask
from fbgraph.sandbox import Sandbox
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack

    from fbgraph.http.paging import Params
    from fbgraph.reports.query import ReportQuery

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAYS = tuple(date(2026, 11, 16) + timedelta(days=n) for n in range(7))
REQUIRED = ("account_id", "ad_id", "impressions", "spend")
FIELDS = (*REQUIRED, "campaign_id", "clicks", "actions", "cpc", "ctr")


class Pages:
    """Rows by shard, as JSON."""

    def __init__(self) -> None:
        self.rows: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.spoil: Callable[[], None] = lambda: None

    def add(self, bodies: Sequence[bytes], *, shard: int) -> None:
        self.spoil()
        for body in bodies:
            self.rows[shard] += json.loads(body)["data"]

    def drop(self, shard: int) -> None:
        self.rows.pop(shard, None)


class MemoryHandler:
    """Results are ``("act_1 …", rows)`` or ``("act_1 …", why it failed)``."""

    def __init__(self) -> None:
        self.pages: dict[ReportTask, Pages] = {}
        self.closed: list[ReportTask] = []
        self.finished: list[ReportTask] = []
        self.spoil: Callable[[], None] = lambda: None
        self.finishing: Callable[[ReportTask], Sequence[ReportTask]] = lambda _: ()

    def params(self, query: ReportQuery) -> Params:
        filtering = [("ad.effective_status", query.statuses), (f"{query.level}.id", query.ids)]
        return {
            "level": "ad",
            "fields": list(query.fields),
            "time_range": {"since": str(query.days[0]), "until": str(query.days[-1])},
            "time_increment": 1,
            "breakdowns": [HOURLY],
            "filtering": [
                {"field": field, "operator": "IN", "value": list(values)}
                for field, values in filtering
                if values
            ],
        }

    def open(self, task: ReportTask) -> Pages:
        self.pages[task] = Pages()
        self.pages[task].spoil = self.spoil
        return self.pages[task]

    def close(self, task: ReportTask) -> None:
        self.closed.append(task)

    def finish(self, task: ReportTask) -> tuple[Sequence[tuple[str, Any]], Sequence[ReportTask]]:
        again = self.finishing(task)
        self.finished.append(task)
        rows = [row for shard in self.pages[task].rows.values() for row in shard]
        return [] if again else [(str(task), rows)], again

    def fail(self, task: ReportTask, why: str) -> Sequence[tuple[str, Any]]:
        return [(str(task), why)]


class MemoryPending:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.known: dict[tuple[str, str], tuple[Checkpoint, float]] = {}
        self.finished: list[tuple[str, Sequence[date]]] = []

    def saved(self, account_id: str, params: Params) -> Checkpoint | None:
        found = self.known.get((account_id, json.dumps(params)))
        if found is None:
            return None
        return Checkpoint(
            found[0].report_run_id, self.clock.seconds() - found[1], found[0].was_split
        )

    def save(self, account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        self.known[account_id, json.dumps(params)] = checkpoint, self.clock.seconds()

    def forget(self, account_id: str, params: Params) -> None:
        self.known.pop((account_id, json.dumps(params)), None)

    def done(self, account_id: str, days: Sequence[date]) -> None:
        self.finished.append((account_id, days))

    def end(self) -> None:
        """It ends with its test."""


def when(row: Mapping[str, Any]) -> str:
    """``2026-11-21 7``, and ``2026-11-21 None`` for a row that came without its hour."""
    hour = int(row[HOURLY][:2]) if HOURLY in row else None
    return f"{row['date_start']} {hour}"


class Bench:
    """A sandbox, a client, and all that an engine works with."""

    def __init__(
        self, stack: ExitStack, scenarios: Sequence[str], options: Mapping[str, Any]
    ) -> None:
        self.clock = Clock()
        self.sandbox = stack.enter_context(
            Sandbox(world="hostile", scenarios=scenarios, now=self.clock, **options)
        )
        self.client = stack.enter_context(
            GraphClient(
                self.sandbox.token,
                base_url=self.sandbox.url,
                sleep=self.clock.sleep,
                clock=self.clock.seconds,
                jitter=lambda: 0.0,
            )
        )
        self.handler = MemoryHandler()
        self.pending = MemoryPending(self.clock)

    def run(self, *tasks: ReportTask, **settings: Any) -> dict[str, Any]:
        """What became of each task; of two accounts' week without any named."""
        engine = Engine(
            self.client,
            self.handler,
            self.pending,
            replace(Wanted(EFFECTIVE_STATUSES["ad"], FIELDS, REQUIRED), **settings),
        )
        wanted = tasks or [ReportTask(key, DAYS) for key in self.sandbox.account_ids[:2]]
        return dict(engine.run(wanted))

    def truth(self, account_id: str, days: Sequence[date]) -> dict[tuple[str, str], str]:
        return {
            (row["ad_id"], f"{day} {row['hour']}"): row["impressions"]
            for day in days
            for row in self.sandbox.truth(account_id, day)["rows"]
        }

    def loaded(self, found: Mapping[str, Any], account_id: str) -> dict[tuple[str, str], str]:
        """Rows of one account, of all its tasks; a row that came twice is told."""
        rows = [
            row
            for task, rows in found.items()
            if task.startswith(f"act_{account_id} ")
            for row in rows
        ]
        keyed = {(row["ad_id"], when(row)): row["impressions"] for row in rows}
        assert len(keyed) == len(rows)
        return keyed

    def is_true(self, found: Mapping[str, Any]) -> bool:
        """Whether every account's week is exactly what the sandbox delivered."""
        return all(
            self.loaded(found, key) == self.truth(key, DAYS) for key in self.sandbox.account_ids[:2]
        )


def creations(one: Bench) -> int:
    """Report runs that were asked for, refused ones included."""
    calls = one.sandbox.calls()["calls"]
    return sum(
        call["count"]
        for call in calls
        if call["method"] == "POST" and call["path"].endswith("insights")
    )
