"""The engine: many reports at once, with the tasks of all accounts, one poller for all runs and one
deciding thread.

`fetch` decides how a task is loaded, `scheduler` what is started next, `poller` which runs are
polled. The engine carries out their steps: other threads make the calls (`runner`), and spend their
time waiting for Meta.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fbgraph.errors import ENDS_EVERYTHING, GraphError, StoppedError
from fbgraph.http.request import Request
from fbgraph.reports.fetch import Fetcher
from fbgraph.reports.poller import Poller
from fbgraph.reports.routine import All, Call, Create, Finished, Routine, Until
from fbgraph.reports.runner import Runner
from fbgraph.reports.scheduler import Scheduler, Situation, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from fbgraph.client import GraphClient
    from fbgraph.reports.handler import Loaded, PendingRuns, ReportHandler, Wanted
    from fbgraph.reports.poller import Watch
    from fbgraph.reports.task import ReportTask

    Wait = Callable[[Collection[Future[Any]], float], Iterable[Future[Any]]]

__all__ = ["Engine", "wait_for_any"]

#: Threads: those of accounts that wait for a limit sleep, and do not count as calls under way.
THREADS: Final = 64

#: Seconds after which the deciding thread wakes up even if no call has returned, and the shortest
#: that it waits.
TICK_SECONDS: Final = 0.5
_LEAST_SECONDS: Final = 0.01

#: Errors that are never about a single task.
_ENDS: Final = (*ENDS_EVERYTHING, StoppedError)

Result = TypeVar("Result")


def wait_for_any(futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
    """The calls that have returned, as soon as there is one."""
    return wait(futures, timeout=seconds, return_when=FIRST_COMPLETED).done


class Engine(Generic[Result]):
    """Loads tasks for a `ReportHandler`. `wait` returns the calls that have returned within a
    number of seconds; `now` gives aware instants.
    """

    def __init__(  # noqa: PLR0913  # what it works with, by name
        self,
        client: GraphClient,
        handler: ReportHandler[Result],
        pending: PendingRuns,
        wanted: Wanted,
        *,
        wait: Wait = wait_for_any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._pending = pending
        self._failures = wanted.failures
        self._wait = wait
        self._runner = Runner(client, handler, pending)
        self._fetcher = Fetcher(client, self._runner, handler, pending, wanted, now)
        self._scheduler: Scheduler[Routine] = Scheduler()
        self._poller = Poller()
        self._active: dict[Future[Any], Routine] = {}
        self._polls: Future[Any] | None = None
        self._watching: dict[Watch, Routine] = {}
        self._blocked: list[tuple[Until, Routine]] = []
        self._results: list[Result] = []
        self._has_response = False

    def run(self, tasks: Iterable[ReportTask]) -> Iterator[Result]:
        """Load tasks, the newest days first and accounts in turn; yields results as they arrive.

        Raises what ends everything (`ENDS_EVERYTHING`), and errors of the handler that are not
        tolerated; any other failure is a result.
        """
        for task in sorted(tasks, key=lambda task: task.days[-1], reverse=True):
            self._add(task)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="graph") as pool:
            try:
                while self._start(pool):
                    yield from self._new_results()
                    self._land()
                    yield from self._new_results()
                yield from self._new_results()
                self._pending.end()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._client.stop()
                raise

    def _add(self, task: ReportTask) -> None:
        routine = Routine(task.account_id, partial(self._fetcher.load, task))
        self._scheduler.add_run(task.account_id, routine, task.days[-1], is_last=task.is_fresh)

    def _new_results(self) -> Iterator[Result]:
        results, self._results = self._results, []
        yield from results

    # -- what is started -----------------------------------------------------------------------

    def _start(self, pool: ThreadPoolExecutor) -> bool:
        """Start what may be started: polls, then calls. False once there is nothing left to do."""
        self._forget_cancelled()
        self._polled(self._stuck())
        if self._polls is None and (due := self._due()):
            self._polls = pool.submit(self._runner.poll, due)
        while starts := self._scheduler.starts(self._situation()):
            for routine in starts:
                self._begin(pool, routine)
        return bool(self._scheduler or self._active or self._poller.flight or self._polls)

    def _forget_cancelled(self) -> None:
        """Forget runs that nobody waits for any more: a sibling failed, and their task with it."""
        for watch in [watch for watch, one in self._watching.items() if one.is_done]:
            self._poller.flight.remove(watch)
            del self._watching[watch]

    def _stuck(self) -> Sequence[tuple[Watch, GraphError]]:
        """Runs that cannot be polled, because a limit does not reset."""
        found = ((watch, self._client.stuck(watch.poll)) for watch in self._poller.flight)
        return [(watch, error) for watch, error in found if error is not None]

    def _due(self) -> Sequence[Watch]:
        def may_poll(watch: Watch) -> bool:
            return self._client.cooldown_before(watch.poll) <= 0

        return self._poller.due(self._client.clock(), self._client.usage(), may_poll)

    def _begin(self, pool: ThreadPoolExecutor, routine: Routine) -> None:
        """Make the call that a routine waits for; a routine that begins determines which one."""
        if routine.step is None:
            routine.resume()
        if isinstance(routine.step, Call):
            self._active[pool.submit(routine.step.work)] = routine
        else:
            self._take(routine)

    def _situation(self) -> Situation:
        calls = Counter(routine.account_id for routine in self._active.values())
        runs = Counter(watch.account_id for watch in self._poller.flight)
        standings = {}
        for key in {*self._scheduler.waiting, *calls, *runs}:
            account = self._fetcher.accounts[key]
            standings[key] = Standing(
                calls=calls[key],
                runs=runs[key],
                cooldown_seconds=self._cooldown_of(key),
                has_response=account.has_response,
                is_doubtful=account.is_doubtful,
                is_halving=account.is_halving,
            )
        return Situation(self._client.usage(), standings, has_response=self._has_response)

    def _cooldown_of(self, account_id: str) -> float:
        """Everything here counts against the insights limits of an account. What need not be waited
        for any longer may begin: it fails at once.
        """
        request = Request("GET", f"act_{account_id}/insights")
        return 0.0 if self._client.stuck(request) else self._client.cooldown_of(request)

    # -- what comes back -----------------------------------------------------------------------

    def _land(self) -> None:
        """Wait until a call has returned, a poll is due or a limit is free, and go on."""
        futures = [*self._active, *filter(None, [self._polls])]
        seconds = TICK_SECONDS if self._polls else self._idle_seconds()
        if not futures:
            self._client.pause(max(seconds, _LEAST_SECONDS))
            return
        for future in self._wait(futures, min(max(seconds, _LEAST_SECONDS), TICK_SECONDS)):
            if future is self._polls:
                self._polls = None
                self._polled(future.result())
            else:
                self._landed(self._active.pop(future), future)
        self._unblock()

    def _idle_seconds(self) -> float:
        """Seconds in which nothing can be started unless a call returns."""

        def cooldown_of(watch: Watch) -> float:
            return self._client.cooldown_of(watch.poll)

        idle = self._poller.idle_seconds(self._client.clock(), cooldown_of, TICK_SECONDS)
        return min([idle, *filter(None, map(self._cooldown_of, self._scheduler.waiting))])

    def _landed(self, routine: Routine, future: Future[Any]) -> None:
        self._has_response = self._fetcher.accounts[routine.account_id].has_response = True
        error = future.exception()
        if error is None:
            self._go_on(routine, future.result())
        elif isinstance(error, self._failures) and not isinstance(error, _ENDS):
            self._go_on(routine, error=error)
        else:
            raise error

    def _polled(self, responses: Sequence[tuple[Watch, Any]]) -> None:
        now, usage = self._client.clock(), self._client.usage()
        for watch, response in responses:
            if isinstance(response, ENDS_EVERYTHING):  # it came in an item of the polls' batch
                raise response
            routine = self._watching.get(watch)
            if routine is None:  # its task has failed in the meantime
                continue
            try:
                is_ready = self._poller.was_polled(watch, response, now, usage)
            except GraphError as error:
                self._go_on(self._watching.pop(watch), error=error)
            else:
                if is_ready:
                    self._go_on(self._watching.pop(watch))
        self._poller.log(now, usage)

    # -- routines ------------------------------------------------------------------------------

    def _go_on(self, routine: Routine, value: Any = None, error: Exception | None = None) -> None:
        """Resume a routine until its next step; a cancelled one has none."""
        routine.resume(value, error)
        self._take(routine)

    def _take(self, routine: Routine) -> None:
        """Arrange for the step that a routine waits for."""
        match routine.step:
            case Create(newest=newest, is_last=is_last):
                self._scheduler.add_run(routine.account_id, routine, newest, is_last=is_last)
            case Call():
                self._scheduler.add_call(routine.account_id, routine)
            case Finished(watch=watch):
                self._poller.flight.append(watch)
                self._watching[watch] = routine
            case Until() as step:
                self._blocked.append((step, routine))
                # What was queued last is next (`Scheduler.add_run`), and active objects should be
                # first: they have most rows, and show soonest whether anything can be loaded.
                for child in reversed(step.routines) if isinstance(step, All) else ():
                    self._go_on(child)
            case None if routine.parent is None:
                self._ended(routine)

    def _ended(self, routine: Routine) -> None:
        """A task has ended."""
        if routine.error is not None:
            raise routine.error
        loaded: Loaded[Result] = routine.result
        self._results += loaded.results
        for task in loaded.again:
            self._add(task)

    def _unblock(self) -> None:
        """Resume what waited for other routines."""
        while ready := [one for one in self._blocked if one[0].is_ready()]:
            self._blocked.remove(ready[0])
            self._go_on(ready[0][1])
