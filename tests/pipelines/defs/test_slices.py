"""Refreshes and backfills of many accounts as several runs: who is in which, who waits for whom,
who publishes.
"""

from __future__ import annotations

import time
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

import warehouse
from pipelines.assembly import definitions_of
from pipelines.defs.slices import SLICES_OF, Holder, slice_tags, sliced, who_goes_before
from pipelines.loading.emptiness import ACCEPT_EMPTY
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.resources import GraphResource
from tests.reports import only
from tests.runs import RunResult, run_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

HOURS_ALONE = definitions_of(only(HOURLY_REPORT))


@given(st.integers(1, 300), st.integers(1, 120))
def test_every_account_is_in_one_slice_and_slices_differ_by_one_at_most(
    number: int, most: int
) -> None:
    accounts = [f"act_{n}" for n in range(number)]

    slices = sliced(accounts, most)

    assert sorted(one for some in slices for one in some) == sorted(accounts)
    sizes = [len(some) for some in slices]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(slices) == -(-number // most)


def test_a_company_with_few_accounts_has_one_run_without_a_tag_of_slices() -> None:
    assert sliced(["act_1", "act_2"], 50) == [["act_1", "act_2"]]
    assert slice_tags("daily_refresh", 1, 1) == {}
    assert slice_tags("daily_refresh", 2, 3)["fbinsights/slice"] == "2 of 3"


def test_of_runs_with_an_account_in_common_the_one_that_began_first_goes_first() -> None:
    first, second = Holder("b", 1.0, ["act_1", "act_2"]), Holder("a", 2.0, ["act_2"])
    other, every = Holder("c", 1.5, ["act_3"]), Holder("d", 3.0)
    dead = Holder("e", -100_000.0, ["act_2"])

    assert who_goes_before(first, [first, second, other, every], 3.0) == []
    assert who_goes_before(second, [first, second, other, every, dead], 3.0) == [first]
    assert who_goes_before(other, [first, second, every], 3.0) == []
    assert who_goes_before(every, [first, second, other], 3.0) == [first, second, other]
    assert who_goes_before(second, [first], 90_000.0) == []  # it has died meanwhile


def test_no_two_runs_wait_for_each_other_even_if_they_began_at_once() -> None:
    runs = [Holder(name, 1.0, ["act_1"]) for name in "abc"]

    for own, other in permutations(runs, 2):
        assert bool(who_goes_before(own, [other], 1.0)) != bool(who_goes_before(other, [own], 1.0))


def backfill(
    instance: dg.DagsterInstance, tags: Mapping[str, str] = {}, **config: Any
) -> RunResult:
    op = {"since": "2026-11-20", "until": "2026-11-21", **config}
    return run_job(instance, "backfill_job", config={"backfill": op}, tags=tags, of=HOURS_ALONE)


def asked_for(instance: dg.DagsterInstance, cursor: str | None = None) -> Sequence[dg.RunRequest]:
    """What a tick of the sensor asks for; without a cursor it is its first."""
    sensor = HOURS_ALONE.get_repository_def().get_sensor_def("backfill_slices")
    context = dg.build_sensor_context(
        instance, cursor=cursor, resources={"graph": GraphResource()}, sensor_name=sensor.name
    )
    found = sensor.evaluate_tick(context)
    assert float(found.cursor or "") > 0
    return found.run_requests or []


#: What earlier versions left: Dagster's own, of a sensor for the status of runs.
OLD_CURSOR: Final = '{"__class__": "RunStatusSensorCursor", "record_id": 7}'


def test_a_backfill_of_many_accounts_becomes_slices_of_which_the_last_publishes_once(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FB_ACCOUNTS_PER_RUN", "1")
    monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(sandbox.account_ids[:3]))
    begun = backfill(instance, {ACCEPT_EMPTY: "yes"})
    asked = asked_for(instance)

    assert begun.success
    assert not lake.partitions("insights_hourly")
    accounts = [one.run_config["ops"]["backfill"]["config"]["accounts"] for one in asked]
    assert accounts == [[f"act_{one}"] for one in sandbox.account_ids[:3]]
    assert {one.tags[SLICES_OF] for one in asked} == {begun.run_id}
    assert {one.tags[ACCEPT_EMPTY] for one in asked} == {"yes"}
    assert len({one.run_key for one in asked}) == len(asked) == 3
    assert len(asked_for(instance, OLD_CURSOR)) == len(asked_for(instance, str(time.time()))) == 3
    with monkeypatch.context() as of_the_daemon:
        of_the_daemon.setenv("FB_ACCOUNTS_PER_RUN", "50")
        [single] = asked_for(instance)
    assert single.tags[SLICES_OF] == begun.run_id  # so it loads, and asks for nothing

    # The others have not started yet.
    waiting = [
        instance.add_run(
            dg.DagsterRun("backfill_job", status=dg.DagsterRunStatus.NOT_STARTED, tags=one.tags)
        )
        for one in asked[1:]
    ]
    assert backfill(instance, asked[0].tags, accounts=accounts[0]).success
    assert not (lake.root / "warehouse.duckdb").exists()
    for run in waiting:
        instance.delete_run(run.run_id)
    done = backfill(instance, asked[1].tags, accounts=accounts[1])
    assert done.success
    assert not asked_for(instance)  # its runs are there

    with warehouse.open(lake.root) as opened:
        [(loaded, days)] = opened.sql(
            "from loads select count(distinct account_id), count(*)"
            " where table_name = 'insights_hourly'"
        ).fetchall()
    assert (loaded, days) == (len(accounts[0] + accounts[1]), 2 * loaded)
    created = [run["query"] for run in sandbox.calls()["runs"]]
    assert len(created) == len(set(created)) == loaded  # both days of an account in one
    assert len(instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))) == days


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"since": "2026-11-32"}, "since and until must be days like 2026-11-01"),
        ({"until": "2026-11-01"}, "since must not be after until"),
        ({"reports": ["insights_hurly"]}, "There is no report 'insights_hurly'. Choose from"),
        ({"accounts": ["act_999"]}, "does not see act_999"),
    ],
)
def test_a_backfill_that_cannot_be_says_what_is_wrong_and_loads_nothing(
    instance: dg.DagsterInstance, sandbox: Sandbox, config: Mapping[str, Any], why: str
) -> None:
    result = backfill(instance, **config)

    assert why in result.stopped
    assert sandbox.calls()["runs"] == []
