"""Report runs: what to do after each poll. Source: Insights API, Best practices, Async jobs.

A run is done when `async_status` and `async_percent_completion` both say so: "Job Running" at 100 %
happens, and a failed run keeps whatever percent it had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict

from fbgraph.errors import (
    Detail,
    GraphError,
    NotFoundError,
    RetryableError,
    RunHungError,
)
from fbgraph.http.response import error_of_run, integer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "FRESH_POLLS",
    "FRESH_SECONDS",
    "POLL_FIELDS",
    "TOTAL_SECONDS",
    "ReportRun",
    "RunOptions",
    "RunStep",
    "hung_error",
    "next_step",
    "poll_seconds",
    "run_id_of",
    "wait_until_done",
]

#: Everything a poll needs, with the reasons of a failure (given since v25).
POLL_FIELDS: Final[Sequence[str]] = (
    *("id", "account_id", "async_status", "async_percent_completion", "is_running"),
    *("time_ref", "time_completed", "date_start", "date_stop"),
    *("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg"),
)

DONE_PERCENT: Final = 100

#: A run that has not started, or not finished, after these is given up. Meta allows up to an hour.
START_SECONDS: Final = 10 * 60.0
TOTAL_SECONDS: Final = 60 * 60.0
#: Status and percent that never agree: "Job Running" at 100 % has been seen. This many polls must
#: report it: while a limit keeps us from polling, a run is not stuck.
STUCK_SECONDS: Final = 5 * 60.0
STUCK_POLLS: Final = 8
#: The shortest and the longest wait between two polls of a run, and the longest for one that has
#: begun and does not move.
POLL_SECONDS: Final = (1.0, 60.0)
UNMOVED_SECONDS: Final = 5 * 60.0
#: Its wait as a share of the time for which it has not moved.
POLL_UNMOVED: Final = 0.6
#: The wait as a share of a run's age: at worst it is found done that much late. And as a share of
#: the time that it still seems to need, so that the next poll is nearer. A run of 20 s that reports
#: no progress before half-time takes 10 polls, one of a minute 14.
POLL_AFTER: Final = 0.4
POLL_BEFORE_DONE: Final = 0.75

#: A fresh run may answer 100/33 (no such object) until it is known everywhere. It is given up after
#: this time and this many polls: under a limit even the first may come later than that.
FRESH_SECONDS: Final = 60.0
FRESH_POLLS: Final = 4


_AGAIN: Final = "Run the same command again later: new report runs mostly succeed."
_UPGRADE: Final = "If it persists, upgrade fbinsights, and please report it."


class RunStep(Enum):
    """What the caller does next with a run."""

    WAIT = "wait"
    READ = "read"
    RESUBMIT = "resubmit"


class RunOptions(TypedDict, total=False):
    """How a report run is made and waited for: the keywords of `Node.run_report`, which has their
    defaults. `on_created` gets the id of each run, `on_poll` what each poll says.
    """

    timeout_seconds: float
    attempts: int
    on_created: Callable[[str], None]
    on_poll: Callable[[ReportRun], None]


#: async_status → what the caller does next.
NEXT_STEP: Final[Mapping[str, RunStep]] = {
    "Job Not Started": RunStep.WAIT,
    "Job Started": RunStep.WAIT,
    "Job Running": RunStep.WAIT,
    "Job Completed": RunStep.READ,
    "Job Failed": RunStep.RESUBMIT,
    "Job Skipped": RunStep.RESUBMIT,  # expired before it ran
}

#: The same in whatever case a status may come; the order is that in which a run goes through them.
_KNOWN: Final = {status.casefold(): status for status in NEXT_STEP}
_ORDER: Final = {status: number for number, status in enumerate(NEXT_STEP)}


@dataclass(frozen=True, slots=True)
class ReportRun:
    """One poll of a report run. `error` is set once the run has failed."""

    report_run_id: str
    status: str
    percent: int
    error: GraphError | None = None

    @classmethod
    def from_body(cls, body: object, report_run_id: str, hide: Callable[[str], str] = str) -> Self:
        """Read a poll. Raises RetryableError for a body without a known status, and for one that is
        about another run, as when the items of a batch come in another order.

        `hide` takes secrets out of the reason that Meta gives for a failure.
        """
        values: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        if str(values.get("id") or report_run_id) != report_run_id:
            raise RetryableError(
                f"The response to the poll of report run {report_run_id} is about another one,"
                f" {values['id']!r}."
            )
        word = values.get("async_status")
        status = _KNOWN.get(word.strip().casefold()) if isinstance(word, str) else None
        if status is None:
            text = f"Report run {report_run_id} has the unknown status {word!r}."
            raise RetryableError(Detail(text, advice=_UPGRADE))
        failed = NEXT_STEP[status] is RunStep.RESUBMIT
        return cls(
            report_run_id,
            status,
            _percent(values.get("async_percent_completion")),
            error_of_run({"id": report_run_id, **values}, status, hide) if failed else None,
        )

    @classmethod
    def unseen(cls, report_run_id: str) -> Self:
        """A run that has been created and not yet polled."""
        return cls(report_run_id, "Job Not Started", 0)

    def is_beyond(self, other: ReportRun) -> bool:
        """Whether it has come further. A percent that goes back and forth does not count: a run
        that never ends would always seem to move.
        """
        return (_ORDER[self.status], self.percent) > (_ORDER[other.status], other.percent)


def _percent(value: object) -> int:
    """How far a run says it is; 0 if it does not."""
    found = integer(value)
    if found is None and isinstance(value, str):
        with suppress(ValueError, OverflowError):
            found = int(float(value))
    return max(found or 0, 0)


def next_step(
    run: ReportRun,
    age_seconds: float,
    unchanged_seconds: float,
    *,
    unchanged_polls: int,
    timeout_seconds: float = TOTAL_SECONDS,
) -> RunStep:
    """Decide after one poll.

    `age_seconds` since the run was created; `unchanged_seconds` and `unchanged_polls` since status
    or percent changed; after `timeout_seconds` it is given up, unless it has moved since the last
    poll: where a limit held the polls back, the first of them comes late.
    """
    step = NEXT_STEP[run.status]
    if step is RunStep.RESUBMIT or (step is RunStep.READ and run.percent >= DONE_PERCENT):
        return step
    hung = (
        (age_seconds > timeout_seconds and unchanged_polls > 0)
        or (run.status == "Job Not Started" and age_seconds > START_SECONDS)
        or (
            (step is RunStep.READ or run.percent >= DONE_PERCENT)
            and unchanged_seconds > STUCK_SECONDS
            and unchanged_polls >= STUCK_POLLS
        )
    )
    return RunStep.RESUBMIT if hung else RunStep.WAIT


def hung_error(run: ReportRun, age_seconds: float) -> RunHungError:
    """The error for a run that we gave up and that Meta itself does not call failed."""
    text = (
        f"Report run {run.report_run_id} is stuck: {run.status!r} at {run.percent} % after"
        f" {age_seconds:.0f} s."
    )
    return RunHungError(Detail(text, advice=_AGAIN))


def poll_seconds(
    age_seconds: float, percent: int, *, unchanged_seconds: float = 0.0, took_seconds: float = 0.0
) -> float:
    """Seconds until the next poll of a run that was created `age_seconds` ago.

    Where it reports its progress, most of the time that it still seems to need; else a share of its
    age, but most of `took_seconds`, which another run of its account took. One at 100 % may be done
    at any moment. Where it does not move, a share of the `unchanged_seconds` for which it has been
    there. So a run is found done soon after it is, with few polls: each counts as a request.
    """
    shortest, longest = POLL_SECONDS
    wait = POLL_AFTER * age_seconds
    if 0 < percent < DONE_PERCENT:
        expected = POLL_BEFORE_DONE * age_seconds * (DONE_PERCENT - percent) / percent
        unmoved = min(POLL_UNMOVED * unchanged_seconds, UNMOVED_SECONDS)
        return max(min(expected, longest), unmoved, shortest)
    if percent == 0:
        wait = max(wait, POLL_BEFORE_DONE * took_seconds - age_seconds)
    else:
        wait = POLL_AFTER * unchanged_seconds
    return min(max(wait, shortest), longest)


def run_id_of(body: object) -> str:
    """The id in the response to a creation, given as text or as a number.

    Raises RetryableError if it is missing or null.
    """
    found = body.get("report_run_id") if isinstance(body, Mapping) else None
    if not isinstance(found, int | str) or not re.fullmatch("[1-9][0-9]*", str(found)):
        raise RetryableError(
            f"The response to creating a report run has no report_run_id (got {found!r})."
        )
    return str(found)


def wait_until_done(  # noqa: PLR0913  # what does the I/O comes in by name
    poll: Callable[[str], ReportRun],
    report_run_id: str,
    *,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
    on_poll: Callable[[ReportRun], None] = lambda _: None,
    timeout_seconds: float = TOTAL_SECONDS,
) -> None:
    """Poll a report run with growing waits until its rows can be read.

    Raises RunFailedError, or what Meta's reason means, if it fails, is skipped or hangs, or is not
    done within `timeout_seconds`.
    """
    started = changed = now = clock()
    last = furthest = ReportRun.unseen(report_run_id)
    same_polls = 0
    while True:
        sleep(poll_seconds(now - started, last.percent, unchanged_seconds=now - changed))
        now = clock()
        run = _poll_fresh(poll, report_run_id, now - started)
        last, same_polls = run, same_polls + 1
        if run.is_beyond(furthest):
            furthest, changed, same_polls = run, now, 0
        on_poll(run)
        step = next_step(
            run,
            now - started,
            now - changed,
            unchanged_polls=same_polls,
            timeout_seconds=timeout_seconds,
        )
        if step is RunStep.READ:
            return
        if step is RunStep.RESUBMIT:
            raise run.error or hung_error(run, now - started)


def _poll_fresh(
    poll: Callable[[str], ReportRun], report_run_id: str, age_seconds: float
) -> ReportRun:
    try:
        return poll(report_run_id)
    except NotFoundError:
        if age_seconds > FRESH_SECONDS:
            raise
        return ReportRun.unseen(report_run_id)
