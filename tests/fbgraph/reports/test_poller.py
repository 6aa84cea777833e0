from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.errors import (
    GraphError,
    NotFoundError,
    RequestError,
    RetryableError,
    RunFailedError,
    RunHungError,
    ThrottledError,
)
from fbgraph.limits.usage import Limit
from fbgraph.objects.report_run import ReportRun
from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS
from fbgraph.reports.poller import LOG_SECONDS, Flight, Poller, Watch
from fbgraph.reports.task import ReportTask

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = date(2026, 11, 21)
HTML, BUSY, UNKNOWN = RetryableError("HTML"), ThrottledError("busy"), NotFoundError("100/33")
DONE = ReportRun("7", "Job Completed", 100)


def watch(account_id: str = "1", *, created: float = 0.0, due: float | None = None) -> Watch:
    one = Watch.of(ReportTask(account_id, (DAY,)), "7", 0.0, created)
    one.due = one.due if due is None else due
    return one


def running(percent: int) -> ReportRun:
    return ReportRun("7", "Job Running", percent)


def poller(*flight: Watch) -> Poller:
    return Poller(list(flight))


# -- what a poll that fails says -----------------------------------------------------------------


def test_a_run_whose_polls_make_no_sense_for_long_is_given_up() -> None:
    one = watch()

    assert [one.may_pass(HTML, now) for now in (500, 1000, 1100, 1101)] == [True] * 3 + [False]


def test_a_percent_that_goes_back_and_forth_is_no_progress() -> None:
    one = watch()

    steps = [one.was_polled(running(50 - n % 2 * 10), 60.0 * n) for n in range(62)]

    assert (one.changed, one.furthest.percent, one.run.percent) == (0.0, 50, 40)
    assert [step.value for step in steps[-2:]] == ["wait", "resubmit"]


def test_waiting_for_a_limit_is_not_silence_of_a_run() -> None:
    one = watch()

    polls = [(HTML, 300), (BUSY, 800), (HTML, 1700), (HTML, 2200), (BUSY, 7000), (BUSY, 7201)]

    assert [one.may_pass(*poll) for poll in polls] == [True] * 5 + [False]


def test_a_poll_that_is_answered_ends_the_silence() -> None:
    one = watch()
    for now in (300, 600, 800):
        one.may_pass(HTML, now)

    one.was_polled(running(10), 850)

    assert [one.may_pass(HTML, now) for now in (901, 1000, 1100, 1400)] == [True] * 4


def test_what_is_wrong_with_the_poll_itself_is_not_passed_over() -> None:
    assert not watch().may_pass(RequestError("Invalid parameter"), 10)


def test_a_run_need_not_be_known_everywhere_in_its_first_minute() -> None:
    one = watch(created=100.0)

    assert [one.may_pass(UNKNOWN, now) for now in (130, 140, 150, 160, 161)] == [True] * 4 + [False]


def test_some_polls_of_a_run_may_be_unknown_however_late_a_limit_made_them() -> None:
    one = watch(created=100.0)

    assert [one.may_pass(UNKNOWN, now) for now in (400, 401, 402, 403)] == [True] * 3 + [False]


# -- what follows from a poll --------------------------------------------------------------------


def test_a_run_that_is_done_is_no_longer_in_flight_and_tells_the_next_how_long_one_takes() -> None:
    first, second = watch(), watch()
    one = poller(first, second)

    assert not one.was_polled(second, running(0), 1.0, {})
    early = second.due
    assert one.was_polled(first, DONE, 40.0, {})
    assert not one.was_polled(second, running(0), 2.0, {})

    assert (one.flight, one.took) == ([second], {"1": 40.0})
    assert [early, second.due] == pytest.approx([2.0, 2.0 + 0.75 * 40 - 2.0])


@pytest.mark.parametrize(
    ("response", "at", "kind"),
    [
        (ReportRun("7", "Job Failed", 30, RunFailedError("-2/2490547")), 9.0, RunFailedError),
        (running(30), 3601.0, RunHungError),
        (UNKNOWN, 9000.0, NotFoundError),
        (RequestError("Invalid parameter"), 9.0, RequestError),
    ],
)
def test_a_run_that_failed_hangs_or_is_lost_is_no_longer_in_flight(
    response: ReportRun | GraphError, at: float, kind: type[GraphError]
) -> None:
    failed = watch()
    failed.unknown_polls, failed.run = 3, running(30)
    failed.furthest = failed.run
    one = poller(failed, watch())

    with pytest.raises(kind):
        one.was_polled(failed, response, at, {})

    assert failed not in one.flight
    assert len(one.flight) == 1


def test_a_poll_that_says_nothing_is_made_again_later() -> None:
    silent = watch()

    assert not poller(silent).was_polled(silent, HTML, 10.0, {})
    assert silent.due == pytest.approx(14.0)


def test_the_less_is_left_of_a_limit_the_later_is_the_next_poll() -> None:
    usual, rare = watch("1"), watch("2")
    one = poller(usual, rare)
    for watched in (usual, rare):
        one.was_polled(watched, running(0), 10.0, {Limit("2"): 70.0})

    assert [usual.due, rare.due] == pytest.approx([14.0, 18.0])


def test_a_run_of_an_earlier_process_is_polled_at_once_and_is_as_old_as_it_is() -> None:
    one = Watch.of(ReportTask("1", (DAY,)), "7", 300.0, now=1000.0)

    assert (one.created, one.due, watch(created=1000.0).due) == (700.0, 1000.0, 1001.0)


# -- which runs are polled -----------------------------------------------------------------------


def test_runs_are_polled_together_when_they_are_due_the_longest_due_first() -> None:
    late, later, not_yet = watch(due=1.0), watch("2", due=3.0), watch("3", due=5.1)

    assert poller(not_yet, later, late).due(5.0, {}, lambda _: True) == [late, later]


def test_a_run_that_a_limit_keeps_waiting_is_not_polled_and_takes_nobodys_place() -> None:
    waiting, other = watch(due=1.0), watch(due=2.0)

    asked: list[Watch] = []

    def may_poll(one: Watch) -> bool:
        asked.append(one)
        return one is other

    usage = {Limit("1"): 99.0}

    assert poller(waiting, other, watch(due=3.0)).due(5.0, usage, may_poll) == [other]
    assert asked == [waiting, other]  # who is asked and may must be polled


@pytest.mark.parametrize(
    ("usage", "each", "in_all"),
    [
        ({}, ACCOUNT_RUNS, APP_RUNS),
        ({Limit("0"): 85.0}, 1, APP_RUNS),
        ({Limit(): 95.0}, 3, 3),  # the app's own share is nobody's in particular
    ],
)
def test_as_many_are_polled_together_as_runs_may_be_in_flight(
    usage: Mapping[Limit, float], each: int, in_all: int
) -> None:
    flight = [watch(f"{n // 9}", due=float(n)) for n in range(90)]

    polled = poller(*flight).due(100.0, usage, lambda _: True)

    assert sum(one.account_id == "0" for one in polled) == each
    assert len(polled) == in_all


def test_nothing_is_to_do_until_a_poll_is_due_and_may_be_made() -> None:
    one = poller(watch(due=12.0), watch("2", due=11.0))
    cooldowns = {"1": 0.0, "2": 30.0}

    assert one.idle_seconds(10.0, lambda watch: cooldowns[watch.account_id], 0.5) == 2.0
    assert poller().idle_seconds(10.0, lambda _: 0.0, 0.5) == 0.5


# -- what is said of it --------------------------------------------------------------------------


def test_how_the_runs_are_getting_on_is_logged_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "fbgraph.reports.poller")
    first, second = watch(), watch()
    one = poller(first, second)
    one.was_polled(first, running(50), 3.0, {})
    poller().log(0.0, {})

    for now in (3.0, 4.0, 3.0 + LOG_SECONDS):
        one.log(now, {Limit("1"): 42.0})

    told: list[Any] = [record.flight for record in caplog.records]  # type: ignore[attr-defined]  # extra
    assert told == [Flight(2, 25.0, 42.0)] * 3
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG", "INFO"]
    assert str(told[0]) == "2 report runs in flight at 25 %, 42 % of the busiest limit used"


def test_runs_that_meta_has_not_answered_for_are_logged_with_since_when(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fbgraph.reports.poller")
    first, second = watch(), watch()
    one = poller(first, second)
    one.was_polled(first, running(50), 10.0, {})

    for now, polled, response in (
        *((20.0, first, HTML), (40.0, second, HTML)),
        *((60.0, first, DONE), (80.0, second, HTML)),
    ):
        one.was_polled(polled, response, now, {})
        one.log(now, {})

    assert [record.flight.silent_seconds for record in caplog.records] == [0.0, 30.0, 0.0, 20.0]  # type: ignore[attr-defined]  # extra
    assert caplog.messages[1].endswith("limit used, no usable response for 30 s")
