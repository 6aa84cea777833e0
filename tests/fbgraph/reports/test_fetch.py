"""What becomes of a task, step by step: each is answered, or failed, by hand. No call is made."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from fbgraph import GraphClient
from fbgraph.errors import (
    Detail,
    FieldError,
    GraphError,
    NotFoundError,
    PermissionDeniedError,
    RetryableError,
    RunFailedError,
    RunHungError,
    ThrottledError,
    TooMuchDataError,
    TooOldError,
)
from fbgraph.http.request import Request
from fbgraph.reports.handler import Checkpoint
from fbgraph.reports.routine import All, Until
from fbgraph.reports.task import ReportTask
from tests.fbgraph.reports.by_hand import NOW, Bench, at, fail, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAYS: Final = tuple(date(2026, 11, 16) + timedelta(days=n) for n in range(4))
DAY: Final = DAYS[-1:]

FAILED = RunFailedError("-2/2490547")
LARGE = TooMuchDataError("-3/1504045")
HTML = RetryableError("HTML")
OF_A_FIELD = RunFailedError(Detail("Unknown", code=2, subcode=1504044))


@pytest.fixture
def client() -> Iterator[GraphClient]:
    with GraphClient("token", clock=lambda: 1000.0) as one:
        yield one


@pytest.fixture
def bench(client: GraphClient) -> Bench:
    return Bench(client)


# -- what goes well ------------------------------------------------------------------------------


def test_a_task_creates_its_run_waits_for_it_reads_it_and_finishes(bench: Bench) -> None:
    task = ReportTask("1", DAYS)
    routine = bench.begin(task)

    read(routine, age_seconds=60.0)
    assert at(routine) == "Call"
    routine.resume((["rows"], []))

    assert (routine.result.results, routine.result.again) == (["rows"], [])
    assert (task.report_run_ids, task.asked_at) == (["7"], NOW - timedelta(seconds=60))
    assert (bench.pending.finished, bench.handler.closed) == ([("1", DAYS)], [task])
    assert task.fields == {"ad_id", "spend", "ctr"}


def test_days_that_are_to_be_loaded_once_more_are_not_done(bench: Bench) -> None:
    task, again = ReportTask("1", DAYS), ReportTask("1", DAYS, is_fresh=True)
    routine = bench.begin(task)

    read(routine)
    routine.resume(([], [again]))

    assert (routine.result.again, bench.pending.finished) == ([again], [])


def test_finishing_is_tried_again_where_only_a_response_lacks(bench: Bench) -> None:
    routine = bench.begin(ReportTask("1", DAYS))
    read(routine)
    for _ in range(4):
        routine.resume(error=HTML)

    assert at(routine) == "Call"
    routine.resume(error=HTML)
    assert routine.result.results == ["act_1 2026-11-16 to 2026-11-19: HTML"]


@pytest.mark.parametrize("error", [OSError("disk full"), ArithmeticError("not a number"), HTML])
def test_what_the_handler_fails_of_fails_the_task_and_nothing_else(
    bench: Bench, error: Exception
) -> None:
    task = ReportTask("1", DAY)
    routine = bench.begin(task)
    read(routine)

    while not routine.is_done:
        routine.resume(error=error)

    assert routine.result.results == [f"act_1 2026-11-19: {error}"]
    assert bench.handler.closed == [task]


def test_a_fault_of_our_own_is_not_hidden(bench: Bench) -> None:
    routine = bench.begin(ReportTask("1", DAY))
    read(routine)
    routine.resume(error=KeyError("of ours"))

    assert isinstance(routine.error, KeyError)


# -- what fails ----------------------------------------------------------------------------------


def test_a_run_that_fails_is_created_again_and_then_its_days_are_halved(bench: Bench) -> None:
    task = ReportTask("1", DAYS, calls=9)
    routine = bench.begin(task)
    fail(routine, FAILED)
    fail(routine, FAILED)

    tasks = routine.result.again
    assert [(one.days, one.calls) for one in tasks] == [(DAYS[2:], 9), (DAYS[:2], 0)]
    assert list(bench.pending.kept.values()) == [Checkpoint(was_split=True)]
    assert bench.fetcher.accounts["1"].is_doubtful


@pytest.mark.parametrize(("error", "is_lied_to"), [(LARGE, True), (FAILED, False)])
def test_what_was_called_too_large_and_is_delivered_was_not(
    bench: Bench, error: GraphError, *, is_lied_to: bool
) -> None:
    routine = bench.begin(ReportTask("1", DAY))
    fail(routine, error)
    before = bench.fetcher.accounts["1"].is_lied_to

    read(routine)

    assert (before, bench.fetcher.accounts["1"].is_lied_to) == (False, is_lied_to)


def test_what_a_run_brought_that_failed_is_dropped_before_it_is_read_again(bench: Bench) -> None:
    task = ReportTask("1", DAYS)
    routine = bench.begin(task)
    fail(routine, FAILED)
    numbers = task.numbers

    read(routine, "8")

    assert (task.report_run_ids, numbers, task.shards[0].number) == (["7", "8"], 2, 2)


def test_one_day_is_split_into_shards_that_finish_together(bench: Bench) -> None:
    task = ReportTask("1", DAY)
    routine = bench.begin(task)
    fail(routine, LARGE)
    fail(routine, LARGE)

    assert isinstance(routine.step, All)
    for child, run in zip(routine.step.routines, "89", strict=True):
        child.resume()
        read(child, run)
    routine.resume()
    assert at(routine) == "Call"
    routine.resume((["rows"], []))

    assert routine.result.results == ["rows"]
    assert [one.query.statuses for one in task.shards] == [("ACTIVE",), ("PAUSED",)]
    assert len({one.number for one in task.shards}) == 2


def test_a_shard_that_cannot_be_loaded_fails_its_task_once_and_ends_the_others(
    bench: Bench,
) -> None:
    task = ReportTask("1", DAY)
    routine = bench.begin(task)
    fail(routine, LARGE)
    fail(routine, LARGE)
    assert isinstance(routine.step, All)
    other, bad = routine.step.routines
    other.resume()
    other.resume(("8", 0.0))  # its run is in flight
    bad.resume()
    bad.resume(error=PermissionDeniedError("(#200)"))

    assert routine.step.is_ready()
    routine.resume()

    assert routine.result.results == ["act_1 2026-11-19: (#200)"]
    assert (other.is_done, task.shards, bench.handler.closed) == (True, [], [task])


@pytest.mark.parametrize(("ids", "step"), [((), "Call"), (("1",), "Create"), (("1", "2"), "All")])
def test_what_cannot_be_split_is_asked_for_by_the_objects_that_have_rows(
    client: GraphClient, ids: tuple[str, ...], step: str
) -> None:
    bench = Bench(client, statuses=())
    task = ReportTask("1", DAY)
    routine = bench.begin(task)
    fail(routine, LARGE)
    fail(routine, LARGE)

    assert at(routine) == "Call"
    routine.resume(ids)

    assert at(routine) == step
    assert bench.handler.queries[-1].ids == (ids if len(ids) == 2 else ())
    assert len(task.shards) == (not ids)  # no objects, no rows: that is all of it
    assert not ids or task.shards == []


def test_narrowing_that_fails_is_recovered_from_like_the_run_before_it(client: GraphClient) -> None:
    routine = Bench(client, statuses=()).begin(ReportTask("1", DAY))
    fail(routine, LARGE)
    fail(routine, LARGE)
    routine.resume(error=HTML)

    assert at(routine) == "Create"


def test_a_field_is_searched_for_once_and_left_out_of_all(bench: Bench) -> None:
    first, second = (bench.begin(ReportTask(key, DAYS)) for key in "12")
    for routine in (first, second):
        fail(routine, OF_A_FIELD)
        fail(routine, OF_A_FIELD)
    assert (at(first), at(second)) == ("Call", "Until")
    assert isinstance(second.step, Until)

    seen = [second.step.is_ready()]
    first.resume(frozenset({"ctr"}))
    seen.append(second.step.is_ready())
    second.resume()

    assert seen == [False, True]
    assert (at(first), at(second)) == ("Create", "Create")
    task = ReportTask("3", DAYS)  # begun afterwards
    third = bench.begin(task)
    read(third)
    assert task.fields == {"ad_id", "spend"}


@pytest.mark.parametrize(
    ("found", "again"),
    [
        (frozenset(), [DAYS[2:], DAYS[:2]]),  # none is bad: some of the days may be
        (frozenset({"ad_id"}), [DAYS[2:], DAYS[:2]]),  # without it a row is none
        (FAILED, [DAYS[2:], DAYS[:2]]),
        (PermissionDeniedError("(#200)"), []),
    ],
)
def test_where_it_is_no_field_the_days_are_halved(
    bench: Bench, found: frozenset[str] | GraphError, again: Sequence[tuple[date, ...]]
) -> None:
    routine = bench.begin(ReportTask("1", DAYS))
    fail(routine, OF_A_FIELD)
    fail(routine, OF_A_FIELD)

    if isinstance(found, GraphError):
        routine.resume(error=found)
    else:
        routine.resume(found)

    assert [task.days for task in routine.result.again] == again


@pytest.mark.parametrize(("field", "step"), [("ctr", "Create"), ("ad_id", "")])
def test_a_field_that_meta_refuses_is_left_out_unless_it_is_required(
    bench: Bench, field: str, step: str
) -> None:
    task = ReportTask("1", DAYS)
    routine = bench.begin(task)

    routine.resume(error=FieldError(Detail("(#100) no such field", blamed_fields=(field,))))

    assert at(routine) == step
    assert bool(routine.result) == (field == "ad_id")


def test_a_run_that_tells_of_a_limit_keeps_its_account_waiting(
    client: GraphClient, bench: Bench
) -> None:
    busy = ThrottledError(Detail("4/1504022", limit="account_use_case", cooldown_seconds=300.0))
    routine = bench.begin(ReportTask("1", DAYS))
    fail(routine, busy)

    cooldowns = [client.cooldown_of(Request("GET", f"act_{key}/insights")) for key in "12"]
    assert (cooldowns, at(routine)) == ([300.0, 0.0], "Create")


@pytest.mark.parametrize(
    "error", [PermissionDeniedError("(#200)"), NotFoundError(Detail("100/33", call="POST act_1"))]
)
def test_nothing_more_is_asked_of_an_account_that_may_not_be_read(
    bench: Bench, error: GraphError
) -> None:
    bench.begin(ReportTask("1", DAYS)).resume(error=error)

    after = bench.begin(ReportTask("1", DAY))

    assert after.result.results == [f"act_1 2026-11-19: {error}"]
    assert at(bench.begin(ReportTask("2", DAY))) == "Create"


# -- what is too old -----------------------------------------------------------------------------


def test_days_older_than_meta_keeps_are_found_by_halving_and_not_asked_for_again(
    bench: Bench,
) -> None:
    routine = bench.begin(ReportTask("1", DAYS))

    routine.resume(error=TooOldError("(#3018)"))  # it is about the day on which a range begins
    newer, older = routine.result.again
    cut = bench.begin(older).result.again
    oldest = bench.begin(cut[0])

    assert [task.days for task in (newer, older, *cut)] == [
        DAYS[2:], DAYS[:2], DAYS[:1], DAYS[1:2]
    ]  # fmt: skip
    assert oldest.result.results == ["act_1 2026-11-16: Older than Meta keeps: (#3018)"]
    assert bench.fetcher.accounts["1"].is_halving


def test_what_hangs_is_not_torn_up_inside_a_day(bench: Bench) -> None:
    routine = bench.begin(ReportTask("1", DAY))
    fail(routine, RunHungError("hangs"))
    fail(routine, RunHungError("hangs"))

    assert routine.result.results == ["act_1 2026-11-19: hangs"]
