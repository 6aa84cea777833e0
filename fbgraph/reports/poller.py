"""One poller for all report runs in flight: which are polled next, and what each response means. No
I/O: the engine makes the calls, many polls in one batch.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fbgraph.errors import NotFoundError, RetryableError, ThrottledError
from fbgraph.http.request import Request
from fbgraph.limits.retry import LIMIT
from fbgraph.objects.report_run import (
    FRESH_POLLS,
    FRESH_SECONDS,
    POLL_FIELDS,
    ReportRun,
    RunStep,
    hung_error,
    next_step,
    poll_seconds,
)
from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS, allowed, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.errors import GraphError
    from fbgraph.limits.usage import Limit
    from fbgraph.reports.task import ReportTask

__all__ = ["Flight", "Poller", "Watch", "poll_of"]

#: A run is created again after this many polls in a row, over this many seconds, without a usable
#: response. So is one that nothing was heard of for longer than a throttled call waits.
SILENT_SECONDS: Final = 600.0
SILENT_POLLS: Final = 4

#: Seconds between log messages about the progress of the report runs.
LOG_SECONDS: Final = 15.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Flight:
    """The progress of the runs in flight: `percent` is their mean. `silent_seconds`: for how long
    Meta has not answered, where the latest poll of each had no response that could be used; else 0.
    """

    runs: int
    percent: float
    usage_percent: float
    silent_seconds: float = 0.0

    def __str__(self) -> str:
        runs = f"{self.runs} report run{'' if self.runs == 1 else 's'}"
        silent = self.silent_seconds
        silence = f", no usable response for {silent:.0f} s" if silent else ""
        return (
            f"{runs} in flight at {self.percent:.0f} %,"
            f" {self.usage_percent:.0f} % of the busiest limit used{silence}"
        )


@dataclass(slots=True, eq=False)
class Watch:
    """A report run in flight, the call that polls it, and what its polls have shown: the latest and
    the `furthest`.

    By the clock: when the run was `created`, when it last `changed`, when a poll last responded
    (`responded_at`), since when polls show nothing (`silent_since`), and when the next one is
    `due`. `silent_polls` show nothing, `same_polls` no progress; in `unknown_polls` Meta did not
    know the run.
    """

    task: ReportTask
    poll: Request
    run: ReportRun
    furthest: ReportRun
    created: float
    changed: float
    responded_at: float
    due: float
    silent_since: float | None = None
    silent_polls: int = 0
    unknown_polls: int = 0
    same_polls: int = 0

    @classmethod
    def of(cls, task: ReportTask, report_run_id: str, age_seconds: float, now: float) -> Watch:
        """A run that was created so long ago. One of an earlier process is polled at once."""
        poll, run = poll_of(task.account_id, report_run_id), ReportRun.unseen(report_run_id)
        due = now if age_seconds else now + poll_seconds(0.0, 0)
        return cls(
            *(task, poll, run, run),
            created=now - age_seconds,
            changed=now,
            responded_at=now,
            due=due,
        )

    @property
    def account_id(self) -> str:
        return self.task.account_id

    def was_polled(self, run: ReportRun, now: float) -> RunStep:
        """A poll has shown the state of the run; what to do next."""
        self.responded_at, self.silent_since = now, None
        self.run, self.same_polls = run, self.same_polls + 1
        if run.is_beyond(self.furthest):
            self.furthest, self.changed, self.same_polls = run, now, 0
        age, unchanged = now - self.created, now - self.changed
        return next_step(run, age, unchanged, unchanged_polls=self.same_polls)

    def may_pass(self, error: GraphError, now: float) -> bool:
        """Whether a poll that failed says nothing about its run."""
        if isinstance(error, NotFoundError):
            # Not known everywhere yet (docs/graph-api.md#report-runs). Polls that a limit held
            # back come late: a run is given up only after some of them, however old it is.
            self.unknown_polls += 1
            return self.unknown_polls < FRESH_POLLS or now - self.created <= FRESH_SECONDS
        if isinstance(error, ThrottledError):  # waiting for a limit is not silence
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since, self.silent_polls = now, 1
        else:
            self.silent_polls += 1
        if self.silent_polls == SILENT_POLLS and self.silent_since is not None:
            _log.warning(
                "%s: the last %d polls of its report run could not be used; it is given up after"
                " %.0f min: %s",
                *(self.task, SILENT_POLLS, SILENT_SECONDS / 60, error),
            )
        silent_seconds = 0.0 if self.silent_since is None else now - self.silent_since
        is_silent = silent_seconds > SILENT_SECONDS and self.silent_polls >= SILENT_POLLS
        is_late = now - self.responded_at > LIMIT.budget_seconds
        return isinstance(error, RetryableError) and not is_silent and not is_late


@dataclass(slots=True)
class Poller:
    """The runs in `flight`, and how long the latest run of each account `took`, in seconds."""

    flight: list[Watch] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)
    _logged: float = float("-inf")
    _responded_at: float = float("-inf")

    def due(
        self, now: float, usage: Mapping[Limit, float], may_poll: Callable[[Watch], bool]
    ) -> Sequence[Watch]:
        """Runs to poll now, together. A run for which `may_poll` is true is polled.

        As few at once as runs may be in flight: when many reach a limit at once, all but one would
        be calls into a block.
        """
        polls: Counter[str] = Counter()
        polled = []
        for watch in sorted(self.flight, key=lambda watch: watch.due):
            key = watch.account_id
            if watch.due > now or polls.total() >= allowed(usage, "", APP_RUNS):
                break
            if polls[key] < allowed(usage, key, ACCOUNT_RUNS) and may_poll(watch):
                polls[key] += 1
                polled.append(watch)
        return polled

    def idle_seconds(
        self, now: float, cooldown_of: Callable[[Watch], float], default: float
    ) -> float:
        """Seconds until a poll is due and no limit holds it back."""
        waits = (max(watch.due - now, cooldown_of(watch)) for watch in self.flight)
        return min(waits, default=default)

    def was_polled(
        self,
        watch: Watch,
        response: ReportRun | GraphError,
        now: float,
        usage: Mapping[Limit, float],
    ) -> bool:
        """Whether the rows of a run can be read. If so, or if this raises the run's error, it is no
        longer in flight; otherwise its next poll is scheduled.
        """
        step, took = RunStep.WAIT, 0.0
        if isinstance(response, ReportRun):
            self._responded_at = now
            step, took = watch.was_polled(response, now), self.took.get(watch.account_id, 0.0)
        elif not watch.may_pass(response, now):
            self.flight.remove(watch)
            raise response
        if step is RunStep.WAIT:
            self._poll_again(watch, now, usage, took)
            return False
        self.flight.remove(watch)
        self.took[watch.account_id] = now - watch.created
        if step is RunStep.READ:
            return True
        raise watch.run.error or hung_error(watch.run, now - watch.created)

    def _poll_again(
        self, watch: Watch, now: float, usage: Mapping[Limit, float], took_seconds: float
    ) -> None:
        seconds = poll_seconds(
            now - watch.created,
            watch.run.percent,
            unchanged_seconds=now - watch.changed,
            took_seconds=took_seconds,
        )
        watch.due = now + seconds * patience(usage, watch.account_id)

    def log(self, now: float, usage: Mapping[Limit, float]) -> None:
        """Report the progress of the runs: to a display each time, to the log now and then."""
        if not self.flight:
            return
        percent = sum(watch.run.percent for watch in self.flight) / len(self.flight)
        flight = Flight(
            *(len(self.flight), percent, max(usage.values(), default=0.0)),
            silent_seconds=self._silent_seconds(now),
        )
        is_news = now - self._logged >= LOG_SECONDS
        if is_news:
            self._logged = now
        level = logging.INFO if is_news else logging.DEBUG
        _log.log(level, "%s", flight, extra={"flight": flight})

    def _silent_seconds(self, now: float) -> float:
        """For how long Meta has not answered, as `Flight` has it."""
        if any(watch.silent_since is None for watch in self.flight):
            return 0.0
        return now - max(self._responded_at, *(watch.responded_at for watch in self.flight))


def poll_of(account_id: str, report_run_id: str) -> Request:
    """The request for the state of a report run."""
    return Request("GET", report_run_id, {"fields": POLL_FIELDS}, account_id=account_id)
