"""A sandbox that is not instant, without a test that waits."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import HOURLY
from fbgraph.sandbox.limits.timing import CALL_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
HOURS = {"level": "ad", "breakdowns": [HOURLY], "time_range": DAY, "limit": 500}


class Waits:
    """Notes what the server would have waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def everything(graph: Graph) -> None:
    path = f"{graph.account()}/insights"
    run_id = graph.create(path, time_range=DAY)
    graph.clock.now += timedelta(minutes=5)
    for called in (run_id, f"{run_id}/insights", path, f"{graph.account()}/ads", "me"):
        graph.get(called)
    graph.post("", batch=[{"method": "GET", "relative_url": "me"}])


def test_a_sandbox_is_instant_unless_told(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(sleep=(waits := Waits()))

    everything(graph)

    assert waits.seconds == []


def test_each_kind_of_call_takes_its_time(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(sleep=(waits := Waits()), latency=1)

    everything(graph)

    spent = graph.sandbox.calls()["spent"]
    assert spent.keys() == {kind.name for kind in CALL_KINDS} - {"write"}
    assert all(one["busy_seconds"] > 0 for one in spent.values())
    assert waits.seconds[:2] == [0.6, 0.15]
    assert waits.seconds[-1] == pytest.approx(0.1 + 0.15)  # a batch: a little, and its slowest item
    assert sum(waits.seconds) + 0.15 == pytest.approx(
        sum(s["wait_seconds"] for s in spent.values())
    )
    by_account = graph.sandbox.calls()["spent_by_account"]
    assert by_account.keys() == {"", graph.account().removeprefix("act_")}
    assert sum(one.get("insights", 0.0) for one in by_account.values()) == pytest.approx(
        spent["insights"]["wait_seconds"] + spent["insights"]["busy_seconds"]
    )


def test_more_rows_take_longer(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(sleep=(waits := Waits()), latency=0.1)

    for limit in (1, 500):
        graph.get(f"{graph.account()}/insights", **{**HOURS, "limit": limit})

    few, many = waits.seconds
    assert 0.08 < few < 0.081 < many


def test_a_run_takes_as_long_as_its_rows(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(sleep=Waits(), latency=1)
    path = f"{graph.account()}/insights"

    for asked in ({"time_range": DAY}, HOURS):
        graph.create(path, **asked)

    small, large = (run["ready"] - run["created"] for run in graph.sandbox.calls()["runs"])
    assert small == pytest.approx(5.003)
    assert large > 6


def test_a_runs_times_are_told(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(run_seconds=60)
    run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)
    began = graph.clock.now.timestamp()
    graph.clock.now += timedelta(seconds=90)
    graph.get(run_id)

    (run,) = graph.sandbox.calls()["runs"]
    query = run.pop("query")
    graph.sandbox.reset_calls()

    assert len(query) == 8
    assert run == {
        "id": run_id,
        "account_id": graph.sandbox.account_ids[0],
        "async_status": "Job Completed",
        "polls": 1,
        "created": began,
        "ready": began + 60,
        "completed": began + 90,
    }
    assert graph.sandbox.calls()["runs"] == []


def test_runs_of_the_same_parameters_have_the_same_query(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()

    for fields in ("spend", "clicks", "spend"):
        graph.create(f"{graph.account()}/insights", time_range=DAY, fields=fields)

    one, other, again = (run["query"] for run in graph.sandbox.calls()["runs"])
    assert one == again != other


def test_runs_in_flight_are_counted_by_account(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(run_seconds=60)

    def create(index: int) -> Any:
        return graph.create(f"{graph.account(index)}/insights", time_range=DAY)

    for index in (0, 0, 0, 1):
        create(index)
    graph.clock.now += timedelta(seconds=60)
    create(0)

    first, second, *_ = graph.sandbox.account_ids
    assert graph.sandbox.calls()["most_runs_in_flight"] == {first: 3, second: 1}


def test_calls_in_flight_are_counted(open_graph: Callable[..., Graph]) -> None:
    everybody = threading.Barrier(4)
    released = asyncio.Event()

    async def sleep(_: float) -> None:
        # The server's loop must stay free, so the barrier is met in a thread of its own.
        await asyncio.get_running_loop().run_in_executor(None, everybody.wait, 10)
        released.set()

    graph = open_graph("slow", sleep=sleep)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: graph.get("me").status_code, range(4)))

    assert graph.sandbox.calls()["most_in_flight"] == 4
    assert released.is_set()
