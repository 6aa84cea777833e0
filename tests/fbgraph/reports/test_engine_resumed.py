"""The engine goes on: with runs of an earlier process, pages to read again, days wanted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fbgraph.errors import RetryableError
from fbgraph.reports.handler import Checkpoint
from fbgraph.reports.task import ReportTask
from tests.fbgraph.reports.in_memory import DAYS, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def test_a_run_that_an_earlier_process_has_in_flight_is_picked_up(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    account_id = one.sandbox.account_ids[0]
    one.run(ReportTask(account_id, DAYS))
    [first] = one.handler.finished
    [run_id] = first.report_run_ids
    one.pending.save(account_id, one.handler.params(first.shards[0].query), Checkpoint(run_id))

    found = one.run(ReportTask(account_id, DAYS))

    assert one.handler.finished[1].report_run_ids == [run_id]
    assert one.loaded(found, account_id) == one.truth(account_id, DAYS)


def test_an_order_that_wants_fresh_numbers_picks_nothing_up(bench: Callable[..., Bench]) -> None:
    one = bench()
    account_id = one.sandbox.account_ids[0]
    for _ in range(2):
        one.run(ReportTask(account_id, DAYS, is_fresh=True))

    first, second = (task.report_run_ids for task in one.handler.finished)
    assert first != second


def test_what_an_earlier_process_had_to_split_is_split_at_once(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_long:2")
    one.run()
    before = len(one.sandbox.calls()["runs"])

    found = one.run()

    assert one.is_true(found)
    assert len(one.sandbox.calls()["runs"]) == before  # each of them was there already


def test_a_page_that_the_work_cannot_take_is_read_again(bench: Callable[..., Bench]) -> None:
    one = bench()
    bad = iter([RetryableError("no page"), RetryableError("no page")])

    def spoil() -> None:
        if error := next(bad, None):
            raise error

    one.handler.spoil = spoil

    assert one.is_true(one.run())


def test_pages_that_are_never_good_fail_the_order(bench: Callable[..., Bench]) -> None:
    one = bench()

    def spoil() -> None:
        raise RetryableError("no page at all")

    one.handler.spoil = spoil

    found = one.run(ReportTask(one.sandbox.account_ids[0], DAYS[:1]))

    assert list(found.values()) == ["no page at all"]


def test_work_that_lacks_an_answer_is_finished_later_and_no_page_is_read_twice(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    lacks = [RetryableError("HTML")] * 3

    def finishing(_: ReportTask) -> Sequence[ReportTask]:
        if lacks:
            raise lacks.pop()
        return ()

    one.handler.finishing = finishing

    assert one.is_true(one.run())
    assert len(one.sandbox.calls()["runs"]) == 2


def test_what_is_wanted_again_is_asked_for_again(bench: Callable[..., Bench]) -> None:
    one = bench()

    def finishing(task: ReportTask) -> Sequence[ReportTask]:
        return () if task.is_fresh else [ReportTask(task.account_id, task.days, is_fresh=True)]

    one.handler.finishing = finishing

    found = one.run()

    assert one.is_true(found)
    assert [task.is_fresh for task in one.handler.finished].count(True) == 2
    assert len(one.pending.finished) == 2  # only what is finished for good is forgotten
