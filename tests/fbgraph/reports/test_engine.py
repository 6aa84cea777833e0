"""The engine against a real sandbox, with a handler and pending runs that live in memory."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.errors import BlockedError, TokenError
from fbgraph.objects.report_run import ReportRun
from fbgraph.reports.engine import Engine
from fbgraph.reports.handler import Wanted
from fbgraph.reports.poller import Watch
from fbgraph.reports.task import ReportTask
from tests.fbgraph.reports.in_memory import DAYS, FIELDS, REQUIRED, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.http.paging import Params
    from fbgraph.reports.handler import Checkpoint
    from fbgraph.reports.query import ReportQuery


@pytest.mark.parametrize(
    "scenarios",
    [
        (),
        ("run_fails_once",),
        ("run_fails_silently",),
        ("run_fails_busy",),
        ("run_fails_unknown",),
        ("run_skipped_once",),
        ("run_hangs_once",),
        ("run_stuck_at_100",),
        ("run_vanishes",),
        ("run_unreadable",),
        ("run_never_readable",),
        ("run_id_number",),
        ("run_id_missing",),
        ("fresh_run_unknown",),
        ("odd_polls",),
        ("run_too_long:2",),
        ("run_too_many_statuses:5",),
        ("run_too_many_objects:3", "run_too_many_statuses:2"),
        ("run_dies_of_field:ctr",),
        ("broken_cursor",),
        ("page_too_large",),
        ("limit_too_high:300",),
        ("throttled_account",),
        ("throttled_insights",),
        ("cut_json", "empty_pages", "spurious_summary"),
    ],
    ids="+".join,
)
def test_every_row_comes_whatever_becomes_of_runs_and_pages(
    bench: Callable[..., Bench], scenarios: tuple[str, ...]
) -> None:
    one = bench(*scenarios)

    found = one.run()

    assert one.is_true(found)
    assert set(one.handler.pages) <= set(one.handler.closed)


@pytest.mark.parametrize("beside", [(), ("run_fails_once",), ("run_vanishes",)])
def test_a_field_that_kills_runs_is_found_once_and_left_out_of_all(
    bench: Callable[..., Bench], beside: Sequence[str]
) -> None:
    one = bench("run_dies_of_field:ctr", *beside)

    one.run()

    assert {frozenset(FIELDS) - task.fields for task in one.handler.finished} == {
        frozenset({"ctr"})
    }


def test_a_report_that_fails_with_any_fields_fails_alone(bench: Callable[..., Bench]) -> None:
    one = bench("run_always_fails")
    task = ReportTask(one.sandbox.account_ids[0], DAYS[:1])

    found = one.run(task, statuses=("ACTIVE",))

    assert [type(why) for why in found.values()] == [str]


def test_a_field_that_meta_does_not_know_is_left_out(bench: Callable[..., Bench]) -> None:
    one = bench()

    found = one.run(fields=(*FIELDS, "no_such_field"))

    assert one.is_true(found)
    assert all("no_such_field" not in task.fields for task in one.handler.finished)


def test_a_required_field_that_meta_does_not_know_fails_the_orders(
    bench: Callable[..., Bench],
) -> None:
    one = bench()

    found = one.run(fields=(*FIELDS, "no_such_field"), required=(*REQUIRED, "no_such_field"))

    assert all("no_such_field" in why for why in found.values())


def test_an_account_that_may_not_be_read_is_asked_once_and_fails_alone(
    bench: Callable[..., Bench],
) -> None:
    one = bench("forbidden_account")
    good, bad = one.sandbox.account_ids[:2]
    tasks = [ReportTask(key, (day,)) for key in (good, bad) for day in DAYS]

    found = one.run(*tasks)

    failed = {task for task, what in found.items() if isinstance(what, str)}
    creations = [c for c in one.sandbox.calls()["calls"] if c["method"] == "POST"]
    assert failed == {f"act_{bad} {day}" for day in DAYS}
    assert one.loaded({k: v for k, v in found.items() if k not in failed}, good) == one.truth(
        good, DAYS
    )
    assert sum(c["count"] for c in creations if c["path"].endswith("insights")) <= 7 + 3


def test_runs_that_always_fail_cost_dozens_and_not_hundreds(bench: Callable[..., Bench]) -> None:
    one = bench("run_always_fails")
    account_id = one.sandbox.account_ids[0]

    found = one.run(ReportTask(account_id, DAYS))

    runs = one.sandbox.calls()["runs"]
    assert set(found) == {f"act_{account_id} {day}" for day in DAYS}
    assert all("2490547" in why for why in found.values())
    assert len(runs) < 60
    assert one.sandbox.calls()["most_runs_in_flight"] == {account_id: 1}


def test_days_that_fail_at_every_size_keep_no_other_from_being_loaded(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_dies_of_field")
    account_id = one.sandbox.account_ids[0]
    good = one.handler.params

    def params(query: ReportQuery) -> Params:
        """The newest three days die of what no search of the fields that are asked for finds."""
        is_bad = query.days[-1] in DAYS[-3:]
        return {**good(query), "fields": [*query.fields, *["inline_link_clicks"] * is_bad]}

    one.handler.params = params  # type: ignore[method-assign]  # some days that fail are the story

    found = one.run(ReportTask(account_id, DAYS))

    failed = {task for task, what in found.items() if isinstance(what, str)}
    loaded = {task: what for task, what in found.items() if task not in failed}
    assert failed == {f"act_{account_id} {day}" for day in DAYS[-3:]}
    assert one.loaded(loaded, account_id) == one.truth(account_id, DAYS[:-3])


@pytest.mark.parametrize("scenario", ["endless_pages", "repeated_cursor"])
def test_a_listing_that_does_not_advance_fails_by_the_day_and_costs_no_thousands_of_calls(
    bench: Callable[..., Bench], scenario: str
) -> None:
    one = bench(scenario, "limit_too_high:10")  # without pages there is nothing to be stuck in
    account_id = one.sandbox.account_ids[0]

    found = one.run(ReportTask(account_id, DAYS[:2]))

    assert set(found) == {f"act_{account_id} {day}" for day in DAYS[:2]}
    assert ["empty pages" in why or "repeats the cursor" in why for why in found.values()] == [
        True,
        True,
    ]
    assert one.sandbox.calls()["total"] < 2 * 3 * 51 + 70


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("expired_token", TokenError),
        ("blocked", BlockedError),
        *((f"token_dies:{n}", TokenError) for n in range(3, 9)),
    ],
)
def test_what_ends_everything_ends_it(
    bench: Callable[..., Bench], scenario: str, kind: type[Exception]
) -> None:
    one = bench(scenario)

    with pytest.raises(kind):
        one.run()


def test_work_that_fails_fails_its_order_and_no_other(bench: Callable[..., Bench]) -> None:
    one = bench()
    full = one.sandbox.account_ids[0]

    def finishing(task: ReportTask) -> Sequence[ReportTask]:
        if task.account_id == full:
            raise OSError(28, "No space left on device")
        return ()

    one.handler.finishing = finishing

    found = one.run()

    assert [why for why in found.values() if isinstance(why, str)] == [
        "[Errno 28] No space left on device"
    ]
    assert len(found) == 2


def test_a_fault_of_our_own_is_not_hidden(bench: Callable[..., Bench]) -> None:
    one = bench()

    def finishing(_: ReportTask) -> Sequence[ReportTask]:
        raise ZeroDivisionError

    one.handler.finishing = finishing

    with pytest.raises(ZeroDivisionError):
        one.run()


def test_the_newest_days_come_first_and_no_account_waits_for_another(
    bench: Callable[..., Bench],
) -> None:
    one = bench(run_polls=1)
    tasks = [ReportTask(key, (day,)) for key in one.sandbox.account_ids[:3] for day in DAYS]
    created: list[tuple[str, date]] = []
    save = one.pending.save

    def note(account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        created.append((account_id, date.fromisoformat(params["time_range"]["since"])))
        save(account_id, params, checkpoint)

    one.pending.save = note  # type: ignore[method-assign]  # to see the task

    one.run(*tasks)

    for key in one.sandbox.account_ids[:3]:
        days = [day for account_id, day in created if account_id == key]
        # Some are created side by side, and the last of them may be the first that is noted.
        assert all(
            day >= newest - timedelta(days=2) for day, newest in zip(days, DAYS[::-1], strict=True)
        )
    assert {account_id for account_id, _ in created[:9]} == set(one.sandbox.account_ids[:3])


def test_a_shard_that_cannot_be_loaded_fails_its_task_once_and_ends_what_is_under_way_for_it(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_many_statuses:1", "run_dies_of_field", run_seconds=60.0)
    account_id = one.sandbox.account_ids[0]
    good, fail, told = one.handler.params, one.handler.fail, []

    def params(query: ReportQuery) -> Params:
        """On the newest day what is paused dies of a field that no search finds."""
        is_bad = query.days[-1] == DAYS[-1] and query.statuses == ("PAUSED",)
        return {**good(query), "fields": [*query.fields, *["inline_link_clicks"] * is_bad]}

    def failing(task: ReportTask, why: str) -> Sequence[tuple[str, Any]]:
        told.append((str(task), "1504044" in why))
        return fail(task, why)

    one.handler.params = params  # type: ignore[method-assign]  # one shard that fails is the story
    one.handler.fail = failing  # type: ignore[method-assign]  # to see how often it is told

    found = one.run(*(ReportTask(account_id, (day,)) for day in DAYS[-2:]))

    bad, well = f"act_{account_id} {DAYS[-1]}", f"act_{account_id} {DAYS[-2]}"
    assert told == [(bad, True)]
    assert [str(task) for task in one.handler.finished] == [well]
    assert sorted(map(str, one.handler.closed)) == sorted([bad, well])
    assert one.loaded({well: found[well]}, account_id) == one.truth(account_id, DAYS[-2:-1])


def test_runs_of_a_task_that_has_failed_are_polled_no_more(bench: Callable[..., Bench]) -> None:
    one = bench("run_too_many_statuses:1", run_seconds=60.0)
    task = ReportTask(one.sandbox.account_ids[0], DAYS[-1:])
    number, before = count(1), Counter[str]()

    def polled() -> Counter[str]:
        return Counter({run["id"]: run["polls"] for run in one.sandbox.calls()["runs"]})

    def spoil() -> None:
        """The second read fails, once runs of other shards have been polled."""
        if next(number) != 2:
            return
        before.update(polled())
        for _ in range(1000):
            one.clock.sleep(1.0)
            if polled() != before:
                break
        raise OSError("disk full")

    one.handler.spoil = spoil
    found = one.run(task)

    more = polled() - before
    assert found == {str(task): "disk full"}
    assert set(more.values()) <= {1, 2}
    assert more


def test_a_poll_that_returns_after_its_task_has_failed_changes_nothing(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    wanted = Wanted(EFFECTIVE_STATUSES["ad"], FIELDS, REQUIRED)
    engine = Engine(one.client, one.handler, one.pending, wanted)
    late = Watch.of(ReportTask("1", DAYS), "7", 0.0, 0.0)

    engine._polled([(late, ReportRun("7", "Job Completed", 100))])  # noqa: SLF001  # otherwise a race

    assert list(engine.run([])) == []


def test_what_is_active_is_asked_for_first_of_a_day_that_was_split(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_many_statuses:1")
    created: list[Sequence[str]] = []
    save = one.pending.save

    def note(account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        if checkpoint.report_run_id:
            created.append(params["filtering"][0]["value"])
        save(account_id, params, checkpoint)

    one.pending.save = note  # type: ignore[method-assign]  # to see the order

    one.run(ReportTask(one.sandbox.account_ids[0], DAYS[:1]))

    alone = [statuses for statuses in created if len(statuses) == 1]
    assert alone[0] == [EFFECTIVE_STATUSES["ad"][0]]
    assert sorted(map(str, alone)) == sorted(f"['{one}']" for one in EFFECTIVE_STATUSES["ad"])


def test_runs_in_flight_whose_limit_does_not_reset_fail_after_a_few_looks_and_no_others(
    bench: Callable[..., Bench],
) -> None:
    """The limit is used up from the moment when the runs of an account are under way."""
    one = bench()
    good, bad = one.sandbox.account_ids[:2]
    save = one.pending.save

    def use_up(account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        save(account_id, params, checkpoint)
        if account_id == bad:
            one.sandbox.use("never_resets:55")

    one.pending.save = use_up  # type: ignore[method-assign]
    tasks = [ReportTask(key, (day,)) for key in (good, bad) for day in DAYS[::2]]

    found = one.run(*tasks)

    failed = {task: why for task, why in found.items() if isinstance(why, str)}
    assert sorted(failed) == sorted(f"act_{bad} {day}" for day in DAYS[::2])
    assert all("Gave up waiting: act_" in why for why in failed.values())
    assert one.sandbox.calls()["faults"]["never_resets"] <= 20
