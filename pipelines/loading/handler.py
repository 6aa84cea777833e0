"""What the report engine works for: pages go to a staging area, and a finished task is proven, day
by day, and published.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fbgraph.errors import RetryableError
from fbgraph.reports.task import ReportTask
from pipelines.loading.accounts.features import explained, kept_without_feature, with_explanation
from pipelines.loading.control_totals import share
from pipelines.loading.emptiness import EMPTY, is_confirmed, is_nothing, refusal
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import HAD_ROWS, Outcome
from pipelines.loading.partitions import AccountDay, chunks
from pipelines.reports.catalog import CONTROL
from warehouse.decode.hours import since_over, why_not_over
from warehouse.decode.money import smallest_coin
from warehouse.decode.rows import ROW
from warehouse.errors import KeepsProvenError, NotAPageError, WarehouseError
from warehouse.lake.proof.conversions import Proof
from warehouse.lake.proof.conversions import prove as prove_actions
from warehouse.lake.proof.reconcile import Totals, prove, too_many_rejects
from warehouse.lake.records import Load, may_replace, with_progress
from warehouse.lake.staging import staging_area
from warehouse.schema.verdicts import METRICS, UNPROVABLE
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime, timedelta

    from fbgraph.http.paging import Params
    from fbgraph.reports.query import ReportQuery
    from pipelines.loading.accounts.features import Explanation, FeatureSettings
    from pipelines.loading.control_totals import Controls, ControlTotals, Emptied
    from pipelines.reports.catalog import Report
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake
    from warehouse.lake.proof.reconcile import Verdict
    from warehouse.lake.staging import MergedDay, StagingArea

__all__ = ["InsightsHandler"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pages:
    """The sink of a task: its staging area, and what closes it."""

    staging: StagingArea
    closing: ExitStack

    def add(self, bodies: Sequence[bytes], *, shard: int) -> None:
        """Decode pages. Raises RetryableError for what is not a page, so that it is read again."""
        try:
            self.staging.add(bodies, part=shard)
        except NotAPageError as error:
            raise RetryableError(str(error)) from None

    def drop(self, shard: int) -> None:
        """Discard everything that a shard brought."""
        self.staging.drop(shard)


class InsightsHandler:
    """Loads one report. `staging_areas` closes all staging areas when a load ends, however it does.
    `delay`: how long after the end of an hour Meta still counts. `accept_empty`: a day that had
    rows may become empty at once.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # made in one place
        self,
        report: Report,
        lake: Lake,
        accounts: Mapping[str, Account],
        controls: Controls,
        run_id: str,
        now: Callable[[], datetime],
        staging_areas: ExitStack,
        *,
        features: FeatureSettings,
        delay: timedelta,
        accept_empty: bool = False,
    ) -> None:
        self._report = report
        self._features = features
        self._fields = report.table.fields
        self._lake = lake
        self._accounts = accounts
        self._controls = controls
        self._run_id = run_id
        self._now = now
        self._staging_areas = staging_areas
        self._delay = delay
        self._accept_empty = accept_empty
        self._failures = Failures(lake.store, report.name)
        self._warned: frozenset[str] = frozenset()
        self._open: dict[ReportTask, _Pages] = {}

    def params(self, query: ReportQuery) -> Params:
        """Parameters of the report run for a query."""
        return self._report.params_of(query)

    def open(self, task: ReportTask) -> _Pages:
        """A staging area for the pages of a task. Raises UnwritableError if nothing can be
        written, and FullDiskError if that is because of the disk.
        """
        closing = self._staging_areas.enter_context(ExitStack())
        account = self._accounts[task.account_id]
        staging = closing.enter_context(
            staging_area(self._lake, self._report.table, account, task.days, task.until)
        )
        pages = self._open[task] = _Pages(staging, closing)
        return pages

    def close(self, task: ReportTask) -> None:
        """Close the staging area of a task; what was not published is discarded."""
        if pages := self._open.pop(task, None):
            pages.closing.close()

    def fail(self, task: ReportTask, why: str) -> Sequence[Outcome]:
        """Outcomes of a task that could not be loaded."""
        return [Outcome(AccountDay(task.account_id, day), error=why) for day in task.days]

    def finish(self, task: ReportTask) -> tuple[Sequence[Outcome], Sequence[ReportTask]]:
        """Prove and publish each day, newest first.

        What does not add up is requested once more: Meta's numbers move between the report and the
        control totals.
        """
        account, staging = self._accounts[task.account_id], self._open[task].staging
        fetch = self._controls.request if task.is_fresh else self._controls.of
        client = self._controls.counted()
        try:
            controls = fetch(account, task.days, client, task.until)
        finally:
            task.calls += client.tally.calls
        self._warn_of_unknown(task, staging.unknown_fields)
        outcomes: list[Outcome] = []
        doubtful: list[date] = []
        for day in reversed(task.days):
            account_day = AccountDay(task.account_id, day)
            if day in controls.errors:
                outcomes.append(Outcome(account_day, error=controls.errors[day]))
                continue
            merged = staging.merge(day)
            not_over = why_not_over(self._since_over(task, day, controls), self._report.period)
            no_rows = self._why_no_rows(task.account_id, day, merged, controls)
            verdict = self._prove(task, day, merged, controls, not_over=not_over)
            verdict = with_explanation(verdict, no_rows)
            if verdict.may_change and not task.is_fresh:
                _log.info("%s does not add up yet; requesting it again.", account_day)
                doubtful.append(day)
            else:
                load = self._record(task, day, merged, verdict, controls, is_over=not not_over)
                emptied = controls.emptied.get(day)
                outcomes.append(self._publish(merged, load, emptied, no_rows))
        return outcomes, self._again(task, doubtful)

    def _again(self, task: ReportTask, doubtful: Sequence[date]) -> Sequence[ReportTask]:
        """Tasks that request days of a task once more; they bear the cost of the first attempt."""
        again = [
            ReportTask(
                task.account_id,
                tuple(run),
                is_fresh=True,
                until=task.until,
                is_small=task.is_small,
            )
            for run in chunks(doubtful, len(task.days))
        ]
        for one in again:
            one.calls = sum(self._calls(task, day) for day in one.days)
        return again

    def _calls(self, task: ReportTask, day: date) -> int:
        return share(task.calls, len(task.days), task.days.index(day))

    def _requested_at(self, task: ReportTask) -> datetime:
        return task.asked_at or self._now()

    def _since_over(self, task: ReportTask, day: date, controls: ControlTotals) -> timedelta:
        """How long the day, week or month had been over when its rows and its totals were
        requested, whichever was first; negative if it was not over.
        """
        zone, last = self._accounts[task.account_id].timezone_name, self._report.period.last(day)
        at = min(self._requested_at(task), controls.asked_at[day])
        return since_over(zone, last, at, task.until)

    def _prove(
        self,
        task: ReportTask,
        day: date,
        merged: MergedDay,
        controls: ControlTotals,
        *,
        not_over: str,
    ) -> Verdict:
        return prove(
            merged.found,
            controls.totals[day],
            not_over=not_over,
            coin=smallest_coin(self._accounts[task.account_id].currency),
            missing_fields=self._missing(task),
            no_sums=self._report.no_sums,
            period=self._report.period,
        )

    def _why_no_rows(
        self, account_id: str, day: date, merged: MergedDay, controls: ControlTotals
    ) -> Explanation | None:
        """What the account's features say about a day without rows on which it delivered; None for
        any other day, and for a report that needs no feature.
        """
        control = controls.totals[day]
        if merged.found.rows or merged.found.rejected or not (control and control.impressions):
            return None
        last = self._report.period.last(day)
        needed = self._report.features
        found = [explained(one, self._features.of(account_id), last) for one in needed]
        return next((one for one in found if one.explains), found[0] if found else None)

    def _prove_actions(
        self, task: ReportTask, day: date, merged: MergedDay, controls: ControlTotals
    ) -> Proof:
        """Whether actions add up. That holds nothing back, so nothing is requested again."""
        if why := self._report.no_conversions:
            return Proof(UNPROVABLE, why)
        account, found = self._accounts[task.account_id], merged.found
        control = self._controls.actions(account, day, controls)
        if isinstance(control, str):
            return Proof(UNPROVABLE, control)
        return prove_actions(
            self._report.table,
            found.actions,
            control,
            windows=CONTROL.windows,
            currency=account.currency,
            missing_fields=self._missing(task),
            unreadable=found.rejected > 0 or found.rejected_cells > 0,
            since_over=self._since_over(task, day, controls),
        )

    def _missing(self, task: ReportTask) -> Sequence[str]:
        return [name for name in self._fields if name not in task.fields]

    def _record(  # noqa: PLR0913  # all that is in a record
        self,
        task: ReportTask,
        day: date,
        merged: MergedDay,
        verdict: Verdict,
        controls: ControlTotals,
        *,
        is_over: bool,
    ) -> Load:
        control = controls.totals[day] or Totals()
        actions = self._prove_actions(task, day, merged, controls)
        load = Load.of(
            self._report.name,
            task.account_id,
            day,
            merged.found,
            verdict=verdict.verdict,
            reason=verdict.reason,
            is_over=is_over,
            asked_at=self._requested_at(task),
            conversions=actions.verdict,
            conversions_reason=actions.reason,
            control_impressions=control.impressions,
            control_clicks=control.clicks,
            control_spend=control.spend,
            missing_fields=tuple(self._missing(task)),
            report_run_ids=tuple(task.report_run_ids),
            calls=self._calls(task, day),
            seconds=task.age_seconds / len(task.days),
            api_version=task.api_version,
            run_id=self._run_id,
            loaded_at=self._now(),
        )
        unknown: dict[str, Any] = dict.fromkeys(set(METRICS) - set(self._fields))
        zone = self._accounts[task.account_id].timezone_name
        return with_progress(replace(load, **unknown), zone, self._report.period, self._delay)

    def _publish(
        self, merged: MergedDay, load: Load, emptied: Emptied | None, no_rows: Explanation | None
    ) -> Outcome:
        """Replace the account-day, unless a day that had rows would become empty without a second
        load, or for want of a feature. Its totals are replaced with its rows.
        """
        account_day = AccountDay(load.account_id, load.date)
        if not is_nothing(load):
            return _published(account_day, merged, load)
        if no_rows and no_rows.explains is not False and not self._accept_empty:
            old = self._lake.load_of(load.table, *account_day)
            if old is not None and old.rows:
                return Outcome(account_day, error=kept_without_feature(old, no_rows), kind=EMPTY)
        is_sure = self._accept_empty
        if not self._accept_empty:
            old = self._lake.load_of(load.table, *account_day)
            is_sure = is_confirmed(old, load)
            failed = self._failures.of_day(*account_day)
            totals = emptied.old if emptied else None
            why = refusal(old, load, failed, totals=totals, period=self._report.period)
            if why and may_replace(old, load):
                return Outcome(account_day, error=why, kind=EMPTY)
        outcome = _published(account_day, merged, load)
        if emptied and outcome.load:
            self._controls.empty(emptied.new)
        return replace(outcome, is_sure=is_sure)

    def _warn_of_unknown(self, task: ReportTask, fields: frozenset[str]) -> None:
        """Each unexpected key is reported once per load."""
        if new := sorted(fields - self._warned):
            self._warned |= fields
            _log.warning("act_%s: ignored fields that were not requested: %s", task.account_id, new)


def _published(account_day: AccountDay, merged: MergedDay, load: Load) -> Outcome:
    """Replace the account-day, unless too much of it is unreadable or it would replace a proven day
    by an unproven one.
    """
    try:
        if too_many_rejects(load.rejected, load.rows):
            merged.keep_rejects(load)
            first = next(reject for reject in merged.rejects if reject.lost == ROW)
            return Outcome(
                account_day,
                error=f"{load.rejected:,} of {counted(load.rejected + load.rows, 'row')} cannot be"
                f" read; the first, page {first.page} row {first.row}: {first}",
                kind=HAD_ROWS,
            )
        merged.publish(load)
    except KeepsProvenError as error:
        return Outcome(account_day, error=str(error), kind=HAD_ROWS if load.rows else "")
    except (WarehouseError, OSError) as error:
        return Outcome(account_day, error=str(error))
    return Outcome(account_day, load, duplicates=merged.found.duplicates)
