"""Many reports at once: runs are created, polled together, read, asked for again and split.

One thread decides, here; others make the calls (`runner`), which spend their time waiting for Meta.
What the decisions rest on stands in `asks`, `orders` and `reports`.
"""

from __future__ import annotations

import logging
import math
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fbgraph.errors import (
    ENDS_EVERYTHING,
    GraphError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    RunFailedError,
    StoppedError,
    ThrottledError,
    TooMuchDataError,
)
from fbgraph.http.filtering import refused_fields
from fbgraph.objects.report_run import ReportRun, Step, hung_error, next_step, poll_seconds
from fbgraph.reports.ages import EVERYTHING, blamed_fields, refused_day
from fbgraph.reports.query import (
    BUSY_ATTEMPTS,
    Ask,
    Remedy,
    level_below,
    remedy_of,
    split_days,
    split_inside,
)
from fbgraph.reports.runner import Runner, poll_of
from fbgraph.reports.scheduler import Job, Turns
from fbgraph.reports.task import Order, Part, Saved, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from fbgraph.client import GraphClient
    from fbgraph.reports.task import Journal, Known, Work

    Wait = Callable[[Collection[Future[Any]], float], Iterable[Future[Any]]]

__all__ = ["Engine", "Flight", "wait_for_any"]

#: Threads: those of accounts that rest for a limit sleep, and do not count as calls under way.
THREADS: Final = 64

#: How often the log of a run says how the report runs get on.
TELL_SECONDS: Final = 15.0

#: Seconds after which the deciding thread looks up even if no call has come back, and the least
#: that it waits.
TICK_SECONDS: Final = 0.5
_LEAST_SECONDS: Final = 0.01

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Flight:
    """How the runs in flight are getting on: `percent` is their mean."""

    runs: int
    percent: float
    usage_percent: float

    def __str__(self) -> str:
        return (
            f"{self.runs} report runs in flight at {self.percent:.0f} %,"
            f" {self.usage_percent:.0f} % of the busiest limit used"
        )


def wait_for_any(futures: Collection[Future[Any]], seconds: float) -> Collection[Future[Any]]:
    """Those that have come back, as soon as there is one."""
    return wait(futures, timeout=seconds, return_when=FIRST_COMPLETED).done


class Engine(Generic[Result]):
    """Fills orders for a `Work`.

    `statuses` and `fields` are what a whole report asks for; fields that are `required` are never
    left out. `tolerated`: exceptions of the work's own that fail an order and nothing else.
    `old_before`: where Meta refuses days before it, younger ones are tried before all are blamed.
    `wait` gives the calls that have come back, after so many seconds at most; `now` aware instants.
    """

    def __init__(  # noqa: PLR0913  # what it works with, by name
        self,
        client: GraphClient,
        work: Work[Result],
        journal: Journal,
        *,
        statuses: Sequence[str],
        fields: Sequence[str],
        required: Sequence[str],
        tolerated: tuple[type[Exception], ...] = (),
        old_before: date = date.min,
        wait: Wait = wait_for_any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._work = work
        self._journal = journal
        self._runner = Runner(client, work, journal)
        self._statuses = tuple(statuses)
        self._fields = tuple(fields)
        self._required = frozenset(required)
        self._tolerated = tolerated
        self._old_before = old_before
        self._wait = wait
        self._now = now
        self._dropped: frozenset[str] = frozenset()
        self._turns: Turns[Result] = Turns(client)
        self._suspects: list[tuple[Part, GraphError]] = []
        self._is_polling = self._is_searching = False
        self._told = -math.inf

    def run(self, orders: Iterable[Order]) -> Iterator[Result]:
        """Fill the orders, newest days first and no account before the others; yields results as
        they come.

        Raises TokenError and BlockedError, which end everything; all else is a result.
        """
        for order in sorted(orders, key=lambda order: order.days[-1], reverse=True):
            yield from self._take_in(order)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="graph") as pool:
            try:
                while self._turns:
                    yield from self._refuse_closed()
                    self._start(pool)
                    yield from self._land()
                self._journal.end()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._client.stop()
                raise

    def _take_in(self, order: Order, *, is_next: bool = False) -> Iterator[Result]:
        """Ask for an order; of days that are too old for something, as orders of their own."""
        too_old = self._turns.known[order.account_id].too_old
        for days, refused in too_old.cut(order.days):
            one = order if days == order.days else order.of(days)
            if EVERYTHING in refused:
                yield from self._order_failed(one, RequestError(too_old.why[EVERYTHING]))
                continue
            one.calls = order.calls if days[-1] == order.days[-1] else 0
            one.started = self._client.clock()
            ask = Ask(days, self._statuses, self._fields).without(self._dropped | refused)
            one.parts.append(Part(one, ask, one.next_number()))
            self._turns.create(one.parts[0], is_next=is_next)

    def _start(self, pool: ThreadPoolExecutor) -> None:
        """Start what may be started: polls, then reading and finishing, then creating."""
        active = self._turns.active
        if not self._is_polling and (due := self._turns.due()):
            self._is_polling = True
            polls = Job("", lambda: self._runner.poll(due), self._polled, _raise)
            active[pool.submit(polls.work)] = polls
        while job := self._turns.next_job() or self._creation():
            active[pool.submit(job.work)] = job

    def _creation(self) -> Job[Result] | None:
        part = self._turns.next_creation()
        if part is None:
            return None
        return self._job(part, lambda: self._runner.create(part), self._created)

    def _job(
        self, part: Part, work: Callable[[], Any], then: Callable[[Part, Any], Iterator[Result]]
    ) -> Job[Result]:
        return Job(
            part.order.account_id,
            work,
            lambda value: then(part, value),
            lambda error: self._part_failed(part, error),
        )

    def _land(self) -> Iterator[Result]:
        """Wait until a call has come back, a poll is due or a limit is free, and go on."""
        seconds = TICK_SECONDS if self._is_polling else self._turns.idle_seconds(TICK_SECONDS)
        if not self._turns.active:
            self._client.pause(max(seconds, _LEAST_SECONDS))
            return
        patience = min(max(seconds, _LEAST_SECONDS), TICK_SECONDS)
        for future in self._wait(list(self._turns.active), patience):
            yield from self._landed(future)

    def _landed(self, future: Future[Any]) -> Iterator[Result]:
        job = self._turns.active.pop(future)
        if job.account_id:
            self._turns.heard(job.account_id)
        error = future.exception()
        if error is None:
            yield from job.then(future.result())
        elif isinstance(error, (*ENDS_EVERYTHING, StoppedError)):
            raise error
        elif isinstance(error, (GraphError | OSError, self._tolerated)):
            yield from job.failed(error)
        else:
            raise error

    # -- what went well ------------------------------------------------------------------------

    def _created(self, part: Part, value: tuple[str, float]) -> Iterator[Result]:
        report_run_id, age_seconds = value
        now = self._client.clock()
        part.run = ReportRun.unseen(report_run_id)
        part.created, part.changed = now - age_seconds, now
        part.asked_at = self._now() - timedelta(seconds=age_seconds)
        part.heard, part.silent_since = now, None
        part.due = now if age_seconds else now + poll_seconds(0.0, 0)
        part.order.report_run_ids.append(report_run_id)
        known = self._known(part)
        known.is_halving &= not known.too_old.ends_before(part.ask.days[0])
        if not part.order.error:
            self._turns.flight.append(part)
        yield from ()

    def _polled(self, answers: Sequence[tuple[Part, Any]]) -> Iterator[Result]:
        self._is_polling = False
        for part, answer in answers:
            if part in self._turns.flight:  # its order has not failed in the meantime
                yield from self._poll_answered(part, answer)
        if self._turns.flight:
            percents = [part.run.percent for part in self._turns.flight]
            usage = max(self._client.usage().values(), default=0.0)
            flight = Flight(len(percents), sum(percents) / len(percents), usage)
            is_news = self._client.clock() - self._told >= TELL_SECONDS
            self._told = self._client.clock() if is_news else self._told
            level = logging.INFO if is_news else logging.DEBUG
            _log.log(level, "%s", flight, extra={"flight": flight})

    def _poll_answered(self, part: Part, answer: ReportRun | GraphError) -> Iterator[Result]:
        now = self._client.clock()
        if isinstance(answer, ReportRun):
            part.was_polled(answer, now)
            yield from self._step(part, answer, now)
        elif isinstance(answer, ENDS_EVERYTHING):  # it came in an item of the polls' batch
            raise answer
        elif part.may_pass(answer, now):
            self._poll_again(part, now)
        else:
            yield from self._part_failed(part, answer)

    def _step(self, part: Part, run: ReportRun, now: float) -> Iterator[Result]:
        """Wait for a run, read it, or ask for it again."""
        age, unchanged = now - part.created, now - part.changed
        step = next_step(run, age, unchanged, unchanged_polls=part.same_polls)
        if step is Step.WAIT:
            self._poll_again(part, now, self._known(part).took_seconds)
            return
        self._known(part).took_seconds = age
        if step is Step.READ:
            self._turns.flight.remove(part)
            self._turns.do(self._job(part, lambda: self._runner.read(part), self._was_read))
        else:
            yield from self._part_failed(part, run.error or hung_error(run, age))

    def _poll_again(self, part: Part, now: float, took_seconds: float = 0.0) -> None:
        wait = poll_seconds(
            now - part.created,
            part.run.percent,
            unchanged_seconds=now - part.changed,
            took_seconds=took_seconds,
        )
        part.due = now + wait * patience(self._client.usage(), part.order.account_id)

    def _known(self, part: Part) -> Known:
        return self._turns.known[part.order.account_id]

    def _was_read(self, part: Part, _: None) -> Iterator[Result]:
        order = part.order
        part.is_read = True
        self._known(part).was_read(part.ask)
        if order.is_in and not order.error:
            order.age_seconds = self._client.clock() - order.started
            self._finish(part)
        yield from ()

    def _finish(self, part: Part, tries: int = 1) -> None:
        finish = self._job(part, lambda: self._work.finish(part.order), self._finished)
        failed = partial(self._finish_failed, part, tries)
        self._turns.do(replace(finish, failed=failed))

    def _finish_failed(self, part: Part, tries: int, error: Exception) -> Iterator[Result]:
        """All its pages are in: where only an answer lacks, they are not thrown away."""
        if isinstance(error, RetryableError) and tries < BUSY_ATTEMPTS:
            _log.info("%s: finishing again: %s", part.order, error)
            self._finish(part, tries + 1)
        else:
            yield from self._order_failed(part.order, error)

    def _finished(
        self, part: Part, value: tuple[Sequence[Result], Sequence[Order]]
    ) -> Iterator[Result]:
        results, again = value
        self._work.close(part.order)
        for order in again:
            yield from self._take_in(order)
        if not again:
            self._journal.done(part.order.account_id, part.order.days)
        yield from results

    # -- what failed ---------------------------------------------------------------------------

    def _part_failed(self, part: Part, error: Exception) -> Iterator[Result]:
        """Decide what becomes of a part, and of its order."""
        order, ask, is_of_run = part.order, part.ask, bool(part.report_run_id)
        if part in self._turns.flight:
            self._turns.flight.remove(part)
        if order.error:
            return
        if not isinstance(error, GraphError):
            yield from self._order_failed(order, error)
            return
        self._journal.forget(order.account_id, self._work.params(ask))
        if self._dropped & set(ask.fields):  # the field was found meanwhile, for another order
            self._ask_again(part, ask.without(self._dropped))
            return
        known = self._known(part)
        remedy = remedy_of(
            error,
            ask,
            is_of_run=is_of_run,
            is_hopeless=known.is_hopeless(error),
            is_lied_to=known.is_lied_to,
            old_before=self._old_before,
        )
        is_usual = remedy in {Remedy.AGAIN, Remedy.HALVE}
        level = logging.INFO if is_usual else logging.WARNING
        _log.log(level, "%s: %s: %s", order, remedy.value, error)
        if remedy is Remedy.AGAIN:
            self._again(part, error)
        elif remedy is Remedy.SPLIT:
            yield from self._split(part, error)
        elif remedy is Remedy.HALVE:
            yield from self._too_old(part, error)
        elif remedy is Remedy.SEARCH:
            yield from self._suspect(part, error)
        elif remedy is Remedy.DROP and self._leave_out(
            refused_fields(error, ask.fields, "insights")
        ):
            self._ask_again(part, ask.without(self._dropped))
        else:
            yield from self._order_failed(order, error)

    def _again(self, part: Part, error: GraphError) -> None:
        if isinstance(error, ThrottledError) and part.report_run_id:  # its run was told, no call
            self._client.cooldown_after(poll_of(part), error)
        self._ask_again(part, part.ask.again(error))

    def _ask_again(self, part: Part, ask: Ask) -> None:
        part.drop()
        part.ask, part.run = ask, ReportRun.unseen("")
        self._turns.create(part, is_next=True)

    def _leave_out(self, fields: Iterable[str]) -> bool:
        """Never ask for these again; False if there are none that may be left out."""
        new = frozenset(fields) - self._required
        if new:
            _log.warning("Left out from now on: %s", ", ".join(sorted(new)))
        self._dropped |= new
        return bool(new)

    def _split(self, part: Part, error: GraphError) -> Iterator[Result]:
        """Ask for halves, newer days first: days as orders of their own, one day as parts."""
        order, ask = part.order, part.ask
        self._known(part).is_doubtful = True
        self._journal.save(order.account_id, self._work.params(ask), Saved(was_split=True))
        if len(ask.days) > 1:
            self._work.close(order)
            yield from self._take_in_halves(order, ask.days)
        elif parts := split_inside(ask, error):
            part.drop()
            order.parts.remove(part)
            order.parts += [Part(order, one, order.next_number()) for one in parts]
            for one in reversed(order.parts[-len(parts) :]):
                self._turns.create(one, is_next=True)
        elif isinstance(error, TooMuchDataError) and (level := level_below(ask)):
            self._narrow(part, level)
        elif type(error) is RunFailedError:
            yield from self._suspect(part, error)
        else:
            yield from self._order_failed(order, error)

    def _take_in_halves(self, order: Order, days: tuple[date, ...]) -> Iterator[Result]:
        """Ask for halves of some days of an order, the newer one first; it bears the calls."""
        newer, older = (order.of(half) for half in split_days(days))
        newer.calls = order.calls
        for half in (older, newer):
            if half.days:
                yield from self._take_in(half, is_next=True)

    def _too_old(self, part: Part, error: GraphError) -> Iterator[Result]:
        """Find by halving which days are too old, for everything or for a field; the others load.

        What is older than a day that was refused is not asked for.
        """
        order, known = part.order, self._known(part)
        fields = part.ask.fields
        blamed = blamed_fields(error, refused_fields(error, fields, "insights"), fields)
        names = [name for name in blamed if name not in self._required] or [EVERYTHING]
        day = refused_day(error, order.days)
        if day is not None:
            known.too_old.note(names, day, error)
            what = "" if names == [EVERYTHING] else f"left out {', '.join(names)}: "
            _log.warning("%s: %s%s", order, what, known.too_old.why[names[0]])
        known.is_halving = True
        waiting = [one for one in self._turns.orders_of([order.account_id]) if len(one.parts) == 1]
        order.error = str(error)  # what is still under way for it counts no more
        self._turns.forget(order)
        self._work.close(order)
        yield from self._take_in_halves(order, order.days)
        for one in waiting:
            if one is not order and known.too_old.touches(one.days):
                self._turns.forget(one)
                yield from self._take_in(one.of(one.days))

    def _narrow(self, part: Part, level: str) -> None:
        """Ask only for the objects that have rows, by their ids: those can be split."""

        def found(_: Part, ids: tuple[str, ...]) -> Iterator[Result]:
            narrowed = replace(part.ask, level=level, ids=ids, attempt=1, busy=0)
            if not ids:
                part.asked_at = part.asked_at or self._now()
                yield from self._was_read(part, None)
            elif len(ids) == 1:  # fewer than before: what has no rows is left out
                self._ask_again(part, narrowed)
            else:
                part.ask = narrowed
                yield from self._split(part, TooMuchDataError("Too much for one report run."))

        self._turns.do(self._job(part, lambda: self._runner.objects(part, level), found))

    def _suspect(self, part: Part, error: GraphError) -> Iterator[Result]:
        """Search for the field that kills the runs of a part; one search finds it for all."""
        if self._is_searching:
            self._suspects.append((part, error))
            return
        self._is_searching = True
        search = self._job(
            part,
            lambda: self._runner.search(part, self._required, error),
            lambda one, fields: self._searched(one, fields, error),
        )
        self._turns.do(replace(search, failed=lambda why: self._searched(part, frozenset(), why)))
        yield from ()

    def _searched(self, part: Part, fields: frozenset[str], error: Exception) -> Iterator[Result]:
        self._is_searching = False
        if self._leave_out(fields):
            self._ask_again(part, part.ask.without(self._dropped))
        elif isinstance(error, RunFailedError) and len(part.ask.days) > 1:
            yield from self._split(part, error)  # it is no field: some of the days may be good
        else:
            yield from self._order_failed(part.order, error)
        suspects, self._suspects = self._suspects, []
        for one, why in suspects:
            yield from self._part_failed(one, why)

    def _order_failed(self, order: Order, error: Exception) -> Iterator[Result]:
        if order.error:
            return
        order.error = str(error)
        known = self._turns.known[order.account_id]
        known.lose(error)
        self._turns.forget(order)
        if isinstance(error, PermissionDeniedError) or _is_of_account(error):
            known.closed = order.error
        self._work.close(order)
        yield from self._work.fail(order, order.error)

    def _refuse_closed(self) -> Iterator[Result]:
        """An account that may not be read is asked once; all that is wanted of it fails alike."""
        closed = {key: known.closed for key, known in self._turns.known.items() if known.closed}
        for order in self._turns.orders_of(closed):
            yield from self._order_failed(order, RequestError(closed[order.account_id]))


def _is_of_account(error: Exception) -> bool:
    """Whether an account is not there; a report run that is not says nothing of its account."""
    return isinstance(error, NotFoundError) and error.detail.path.startswith("act_")


def _raise(error: Exception) -> Iterator[Any]:
    """Polls answer each for itself; what fails all of them is a fault of ours."""
    raise error
