"""How a task is loaded: it creates its report run, waits for it, reads it and finishes; or splits,
leaves out a field, or gives up.

`Fetcher.load` and what it awaits read from top to bottom. They make no call themselves: each
``await`` hands a step to the engine, which carries it out when it is its turn (`routine`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from fbgraph.errors import (
    CursorError,
    GraphError,
    RequestError,
    RetryableError,
    RunFailedError,
    ThrottledError,
    TooMuchDataError,
)
from fbgraph.http.filtering import refused_fields
from fbgraph.limits.retry import BUSY
from fbgraph.reports.account import AccountState
from fbgraph.reports.ages import EVERYTHING, blamed_fields, refused_day
from fbgraph.reports.handler import Checkpoint, Loaded
from fbgraph.reports.poller import Watch, poll_of
from fbgraph.reports.query import ReportQuery
from fbgraph.reports.recovery import Recovery, next_attempt, recovery_of
from fbgraph.reports.routine import All, Call, Create, Finished, Until
from fbgraph.reports.splitting import level_below, split_days, split_inside
from fbgraph.reports.task import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from fbgraph.client import GraphClient
    from fbgraph.reports.handler import PendingRuns, ReportHandler, Wanted
    from fbgraph.reports.runner import Runner
    from fbgraph.reports.task import ReportTask

__all__ = ["Fetcher"]

Result = TypeVar("Result")

#: Ordinary recoveries; the others are logged as warnings.
_USUAL: Final = frozenset({Recovery.RETRY, Recovery.SPLIT_BY_AGE})

_log = logging.getLogger(__name__)


class _SplitError(Exception):
    """Stretches of a task's days are to be loaded as tasks of their own."""

    def __init__(self, stretches: Sequence[tuple[date, ...]]) -> None:
        super().__init__()
        self.stretches = stretches


class _GiveUpError(Exception):
    """A task cannot be loaded; `error` says why. Not a GraphError: there is no recovery from it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Fetcher(Generic[Result]):
    """Loads the tasks of an engine, and keeps what they learn from each other: the state of
    `accounts`, and which fields Meta does not deliver.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # made in one place
        self,
        client: GraphClient,
        runner: Runner,
        handler: ReportHandler[Result],
        pending: PendingRuns,
        wanted: Wanted,
        now: Callable[[], datetime],
    ) -> None:
        self.accounts: defaultdict[str, AccountState] = defaultdict(AccountState)
        self._client = client
        self._runner = runner
        self._handler = handler
        self._pending = pending
        self._wanted = wanted
        self._now = now
        self._dropped: frozenset[str] = frozenset()
        self._is_searching = False

    # -- a task --------------------------------------------------------------------------------

    async def load(self, task: ReportTask) -> Loaded[Result]:
        """Load a task: returns its results, or the tasks that it was split into."""
        task.started = self._client.clock()
        try:
            await self._fetch(Shard.of(task, self._query(task)))
            task.age_seconds = self._client.clock() - task.started
            results, again = await self._finish(task)
            if not again:
                self._pending.done(task.account_id, task.days)
            return Loaded(results, again)
        except _SplitError as split:
            return Loaded((), task.cut(split.stretches))
        except _GiveUpError as failure:
            return Loaded(self._fail(task, failure.error))
        except self._wanted.failures as error:
            return Loaded(self._fail(task, error))
        finally:
            self._handler.close(task)

    def _query(self, task: ReportTask) -> ReportQuery:
        """What a task requests, without what is known to be refused. Raises _GiveUpError if nothing
        remains, and _SplitError if more is refused for its older days than for its newer ones.
        """
        account = self.accounts[task.account_id]
        if account.closed:
            raise _GiveUpError(RequestError(account.closed))
        pieces = account.too_old.cut(task.days)
        if len(pieces) > 1:
            raise _SplitError([days for days, _ in pieces])
        ((days, refused),) = pieces
        if EVERYTHING in refused:
            raise _GiveUpError(RequestError(account.too_old.why[EVERYTHING]))
        wanted = tuple(self._wanted.statuses), tuple(self._wanted.fields)
        query = ReportQuery(days, *wanted, until=task.until, rows_of=self._wanted.rows_of)
        return query.without(self._dropped | refused)

    async def _finish(self, task: ReportTask) -> tuple[Sequence[Result], Sequence[ReportTask]]:
        """Finish a task whose pages have all arrived: if only a response is missing, they are not
        thrown away.
        """
        for left in reversed(range(BUSY.attempts)):
            try:
                return await Call(partial(self._handler.finish, task))
            except RetryableError as error:
                if not left:
                    raise
                _log.info("%s: finishing again: %s", task, error)
        raise AssertionError

    def _fail(self, task: ReportTask, error: Exception) -> Sequence[Result]:
        self.accounts[task.account_id].was_lost(error)
        return self._handler.fail(task, str(error))

    # -- a shard -------------------------------------------------------------------------------

    async def _fetch(self, shard: Shard) -> None:
        """Load the rows of a shard, whatever happens to its report runs."""
        attempt = self._run(shard)
        while True:
            try:
                return await attempt
            except GraphError as error:
                match self._recovery(shard, error):
                    case Recovery.RETRY:
                        attempt = self._retry(shard, error)
                    case Recovery.SPLIT:
                        attempt = self._split(shard)
                    case Recovery.NARROW:
                        attempt = self._narrow(shard)
                    case Recovery.SPLIT_BY_AGE:
                        self._note_age(shard, error)
                        raise _SplitError(split_days(shard.task.days)) from None
                    case Recovery.BISECT_FIELDS:
                        attempt = self._bisect_fields(shard, error)
                    case Recovery.DROP_FIELD:
                        attempt = self._drop_field(shard, error)
                    case Recovery.GIVE_UP:
                        raise _GiveUpError(error) from None

    def _recovery(self, shard: Shard, error: GraphError) -> Recovery:
        """Decide what to do about a query that failed."""
        task, query, account = shard.task, shard.query, self.accounts[shard.account_id]
        self._pending.forget(task.account_id, self._handler.params(query))
        if self._dropped & set(query.fields):  # found meanwhile, for another task
            return Recovery.DROP_FIELD
        recovery = recovery_of(
            error,
            query,
            is_of_run=bool(shard.report_run_id),
            is_hopeless=account.is_hopeless(error),
            is_lied_to=account.is_lied_to,
            old_before=self._wanted.old_before,
        )
        account.recovers_by(recovery)
        level = logging.INFO if recovery in _USUAL else logging.WARNING
        extra = {"is_final": recovery is Recovery.GIVE_UP}  # the outcome has it too
        _log.log(level, "%s: %s: %s", task, recovery.value, error, extra=extra)
        return recovery

    async def _run(self, shard: Shard) -> None:
        """Read the rows of a shard: without a report run if it is small, and else by one."""
        if shard.task.is_small and await self._is_read_at_once(shard):
            return
        await self._run_report(shard)

    async def _is_read_at_once(self, shard: Shard) -> bool:
        """Read a shard while Meta computes it; False if that is too much for Meta, or fails: then
        its task is not small.
        """
        shard.report_run_id, shard.asked_at = "", self._now()
        try:
            await Call(partial(self._runner.read, shard))
        except ThrottledError:
            raise
        except (TooMuchDataError, RetryableError, CursorError) as error:
            _log.info("%s: loading it by a report run: %s", shard.task, error)
            shard.task.is_small = False
            shard.drop()
            return False
        self._was_read(shard)
        return True

    async def _run_report(self, shard: Shard) -> None:
        """Create the report run of a shard, wait for it and read it."""
        task, account = shard.task, self.accounts[shard.account_id]
        shard.report_run_id = ""
        shard.report_run_id, age_seconds = await Create(
            partial(self._runner.create, shard), task.days[-1], is_last=task.is_fresh
        )
        shard.asked_at = self._now() - timedelta(seconds=age_seconds)
        task.report_run_ids.append(shard.report_run_id)
        account.was_created(shard.query)
        now = self._client.clock()
        await Finished(Watch.of(task, shard.report_run_id, age_seconds, now))
        await Call(partial(self._runner.read, shard))
        self._was_read(shard)

    def _was_read(self, shard: Shard) -> None:
        self.accounts[shard.account_id].was_read()
        shard.task.shards.append(shard)

    async def _run_again(self, shard: Shard, query: ReportQuery) -> None:
        shard.drop()
        shard.query = query
        await self._run(shard)

    async def _retry(self, shard: Shard, error: GraphError) -> None:
        if isinstance(error, ThrottledError) and shard.report_run_id:  # the run said so, not a call
            self._client.cooldown_after(poll_of(shard.account_id, shard.report_run_id), error)
        await self._run_again(shard, next_attempt(shard.query, error))
        self.accounts[shard.account_id].is_lied_to |= isinstance(error, TooMuchDataError)

    async def _split(self, shard: Shard) -> None:
        """Load halves instead: of days as tasks of their own, of one day as shards of the task."""
        self._remember_split(shard)
        if len(shard.query.days) > 1:
            raise _SplitError(split_days(shard.query.days))
        shard.drop()
        parts = [Shard.of(shard.task, query) for query in split_inside(shard.query)]
        await All(shard.account_id, [partial(self._fetch, part) for part in parts])

    async def _narrow(self, shard: Shard) -> None:
        """Request only the objects that have rows, by their ids: those can be split."""
        self._remember_split(shard)
        level = level_below(shard.query)
        ids = await Call(partial(self._runner.objects, shard, level))
        narrowed = shard.query.narrowed(level, ids)
        if not ids:
            shard.asked_at = shard.asked_at or self._now()
            self._was_read(shard)
        elif len(ids) == 1:  # fewer than before: objects without rows are left out
            await self._run_again(shard, narrowed)
        else:
            shard.query = narrowed
            await self._split(shard)

    def _remember_split(self, shard: Shard) -> None:
        params = self._handler.params(shard.query)
        self._pending.save(shard.account_id, params, Checkpoint(was_split=True))

    async def _bisect_fields(self, shard: Shard, error: GraphError) -> None:
        """Search for the field that makes the runs of a shard fail; one search finds it for all."""
        if self._is_searching:
            await Until(lambda: not self._is_searching)
            raise error  # decided again, by what that search has found
        self._is_searching = True
        try:
            found = await Call(partial(self._runner.search, shard, self._wanted.required, error))
        except GraphError as failure:
            found, error = frozenset(), failure
        finally:
            self._is_searching = False
        if self._leave_out(found):
            await self._run_again(shard, shard.query.without(self._dropped))
        elif isinstance(error, RunFailedError) and len(shard.query.days) > 1:
            await self._split(shard)  # no field is to blame: some of the days may be good
        else:
            raise _GiveUpError(error)

    async def _drop_field(self, shard: Shard, error: GraphError) -> None:
        fields = shard.query.fields
        known = self._dropped & set(fields)
        if not known and not self._leave_out(refused_fields(error, fields, "insights")):
            raise _GiveUpError(error)
        await self._run_again(shard, shard.query.without(self._dropped))

    def _leave_out(self, fields: Iterable[str]) -> bool:
        """Never request these again; False if none of them may be left out."""
        new = frozenset(fields).difference(self._wanted.required)
        if new:
            _log.warning("Left out from now on: %s", ", ".join(sorted(new)))
        self._dropped |= new
        return bool(new)

    def _note_age(self, shard: Shard, error: GraphError) -> None:
        """Remember what was refused for its age, if it is known for which day."""
        fields, account = shard.query.fields, self.accounts[shard.account_id]
        blamed = blamed_fields(error, refused_fields(error, fields, "insights"), fields)
        names = [name for name in blamed if name not in self._wanted.required] or [EVERYTHING]
        day = refused_day(error, shard.query.days)
        if day is not None:
            account.too_old.note(names, day, error)
            what = "" if names == [EVERYTHING] else f"left out {', '.join(names)}: "
            _log.warning("%s: %s%s", shard.task, what, account.too_old.why[names[0]])
