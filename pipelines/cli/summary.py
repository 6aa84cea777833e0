"""The summary of a load: the closing table, what failed, and how to run that again."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fbgraph import act_id
from pipelines.cli.output.failures import failure_lines, grouped
from pipelines.cli.output.json_lines import account_day_line, total_line
from pipelines.cli.output.table import Digits, table_lines
from pipelines.cli.output.terminal import command_lines, wrapped
from pipelines.loading.accounts.discovery import text_of
from pipelines.loading.load_result import Target
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import DEFINITION
from warehouse.decode.money import places_of
from warehouse.schema.periods import Period, account_periods
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph.http.paging import Row
    from pipelines.cli.selection import Plan
    from pipelines.loading.objects import Listed
    from pipelines.loading.session import Loads
    from pipelines.reports.catalog import Report
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load

__all__ = ["NOT_BEGUN", "Summary", "command_name", "number_of"]

_COLUMNS: Final = ("account", "name", "report", "days", "proven")
_NUMBERS: Final = ("rows", "impressions", "clicks", "spend", "currency", "calls")

#: Columns that are a line of their own on a narrow terminal, and those that may be left out there,
#: the first one first; the last only where nothing is wrong with it.
_HEAD_COLUMNS: Final = ("account", "name", "currency")
_SPARE_COLUMNS: Final = ("calls", "days", "clicks", "impressions", "rows", "conversions")

#: Verdicts of account-days without a load.
FAILED: Final = "failed"
NOT_BEGUN: Final = "not begun"

#: Why an account-day is not in the lake if nothing else is known about it.
_NOT_REACHED: Final = "not reached"


@dataclass(slots=True)
class Summary:
    """`failed`: what failed → why. `unproven`: what is loaded and does not add up → why. `wanted`:
    account-days by report. `loads`: what the lake has of them since `started`, put there by this
    command or by another at the same time. `repairs`: the commands that load again what is damaged
    in the lake. `calls`: how many and for what, in words, of a command that knows. `is_refresh`: it
    lists all objects, which a backfill does not.
    """

    plan: Plan
    started: datetime
    wanted: Mapping[str, Sequence[AccountDay]]
    failed: dict[Target, str] = field(default_factory=dict)
    unproven: dict[Target, str] = field(default_factory=dict)
    stopped: str = ""
    repairs: Sequence[str] = ()
    calls: str = ""
    loads: dict[tuple[str, AccountDay], Load] = field(default_factory=dict)
    is_refresh: bool = False

    def __post_init__(self) -> None:
        """An account that is refused, or a report that cannot be loaded, counts as failed before
        any request.
        """
        self.failed |= {Target("accounts", key): why for key, why in self.plan.refused.items()}
        self.failed |= {Target(name, DEFINITION): why for name, why in self.plan.broken.items()}

    def note_outcomes(self, loads: Loads) -> None:
        """Add the account-days of a report that failed."""
        for one in loads.outcomes:
            if one.error:
                self.failed[Target.of(loads.report.name, one.account_day)] = one.error

    def note_listed(self, found: Iterable[Listed]) -> None:
        """Add the accounts whose objects could not be listed."""
        for one in found:
            if one.error:
                self.failed[Target(one.table, act_id(one.account_id))] = one.error

    def read(self, lake: Lake) -> None:
        """Read the outcome of every account-day from the lake."""
        for report, account_days in self.wanted.items():
            loads = lake.loads_of(report, account_days)
            for account_day, load in zip(account_days, loads, strict=True):
                what = Target.of(report, account_day)
                if load is None or load.loaded_at < self.started:
                    self.failed.setdefault(what, _NOT_REACHED)
                elif what not in self.failed:
                    self.loads[report, account_day] = load
                    if not load.is_good:
                        self.unproven[what] = load.reason

    @property
    def all_done(self) -> bool:
        """Every account-day is loaded, and proven if its report can be and its day was over."""
        return not (self.failed or self.unproven or self.stopped)

    def table(self, width: int | None = None) -> Sequence[str]:
        """One line per report and account, and their totals; how many are provisional or unproven
        if any are, and for how many the actions are proven if any can be.
        """
        acts = {load.conversions for load in self.loads.values()} - {None, UNPROVABLE}
        verdicts = {load.verdict for load in self.loads.values()}
        rare = [verdict for verdict in (PROVISIONAL, UNPROVEN) if verdict in verdicts]
        more = (*rare, FAILED, *(("conversions",) if acts else ()))
        return [
            *table_lines(
                *((*_COLUMNS, *more, *_NUMBERS), self._rows(more), width),
                heads=_HEAD_COLUMNS,
                spare=_SPARE_COLUMNS[:-1] if UNPROVEN in acts else _SPARE_COLUMNS,
            ),
            "",
            *wrapped(self.totals(), width),
        ]

    def _rows(self, more: Collection[str]) -> Iterator[Sequence[object]]:
        """The lines of the table, with the columns `more` that are not always there."""
        loads: dict[tuple[str, str], list[Load]] = {}
        for (report, account_day), load in self.loads.items():
            loads.setdefault((report, account_day.account_id), []).append(load)
        wanted = Counter(
            (report, one.account_id) for report, days in self.wanted.items() for one in days
        )
        failed = Counter((one.table, one.account) for one in self.failed if one.day)
        for name, one in self.plan.reports.items():
            for row in self.plan.accounts:
                of = (name, row["account_id"])
                counts = wanted[of], failed[name, act_id(row["account_id"])]
                yield _line(one, row, counts, loads.get(of, ()), more)

    def json_lines(self, command: str, exit_code: int, **more: Any) -> Iterator[str]:
        """An object for each account-day, those that have not begun included, and the totals."""
        rows = {row["account_id"]: row for row in self.plan.accounts}
        verdicts: Counter[str] = Counter()
        for report, days in self.wanted.items():
            for one in days:
                load = self.loads.get((report, one))
                verdict = load.verdict if load else FAILED
                verdicts[verdict] += 1
                yield self._json_line(rows[one.account_id], report, one.day, verdict, load)
        for report, days in self.plan.skipped.items():
            for one in days if report in self.wanted else ():
                verdicts[NOT_BEGUN] += 1
                yield self._json_line(rows[one.account_id], report, one.day, NOT_BEGUN)
        yield total_line(
            command,
            exit_code,
            account_days=verdicts.total(),
            verdicts=verdicts,
            rows=sum(load.rows for load in self.loads.values()),
            calls=sum(load.calls for load in self.loads.values()),
            failures=[
                {"table": what.table, "account": what.account or None, "error": why}
                for what, why in self.failed.items()
                if what.day is None
            ],
            stopped=self.stopped or None,
            run_again=[f"{command_name()} {arguments}" for arguments in self.again()],
            **more,
        )

    def _json_line(
        self, row: Row, report: str, day: date, verdict: str, load: Load | None = None
    ) -> str:
        one = AccountDay(row["account_id"], day)
        return account_day_line(
            *(one, report, verdict, load),
            name=text_of(row, "name"),
            currency=text_of(row, "currency"),
            error="" if load else self.failed.get(Target.of(report, one), ""),
        )

    def totals(self) -> str:
        """The totals in one line."""
        wanted = [Target.of(name, one) for name, days in self.wanted.items() for one in days]
        verdicts = Counter(load.verdict for load in self.loads.values())
        verdicts[FAILED] = sum(target in self.failed for target in wanted)
        parts = [f"{number:,} {verdict}" for verdict, number in sorted(verdicts.items()) if number]
        rows = sum(load.rows for load in self.loads.values())
        calls = self.calls or counted(sum(load.calls for load in self.loads.values()), "call")
        periods = {self.plan.reports[name].period for name, days in self.wanted.items() if days}
        days = account_periods(len(wanted), periods)
        days += f": {', '.join(parts)}" if parts else ""
        return f"{days}. {counted(rows, 'row')}, {calls}."

    def complaints(self, width: int | None = None) -> Iterator[str]:
        """What went wrong, and the commands that run it again; nothing when all is done."""
        if self.all_done:
            return
        reached = {what: why for what, why in self.failed.items() if why != _NOT_REACHED}
        if reached:
            yield "\nFailed:"
            yield from failure_lines(grouped(reached), self.plan.names, width)
        if self.unproven:
            yield "\nUnproven, because the rows do not add up to Meta's own totals:"
            yield from failure_lines(grouped(self.unproven), self.plan.names, width)
        if len(reached) < len(self.failed):
            number = len(self.failed) - len(reached)
            yield f"\n{counted(number, 'account-day was', 'account-days were')} {_NOT_REACHED}."
        if self.stopped:
            yield f"\nStopped: {self.stopped}"
        again = [f"{command_name()} {arguments}" for arguments in self.again()]
        if again:
            yield "\nRun this again:"
            for command in again:
                yield from command_lines(command, width)

    def again(self) -> Iterator[str]:
        """The arguments that run again what failed or is unproven: one command for all accounts
        that need the same days and reports, and one that lists their objects.
        """
        failed: dict[str, list[Target]] = {}
        for target in (*self.failed, *self.unproven):
            failed.setdefault(target.account, []).append(target)
        accounts = [act_id(account_id) for account_id in self.plan.account_ids]
        alike: dict[tuple[date, date, str], list[str]] = {}
        refreshed: list[str] = []
        for account in (*accounts, *self.plan.refused):
            targets = failed.get(account, ())
            if days := self._days_again(account, targets):
                only = _only({what.table for what in targets}, self.plan)
                alike.setdefault((days[0], days[-1], only), []).append(account)
            if self._is_listed_again(account, targets, is_backfilled=bool(days)):
                refreshed.append(account)
        for (since, until, only), keys in alike.items():
            yield f"backfill --since {since} --until {until}{_named(keys, self.plan)}{only}"
        listing = [f"refresh{_named(refreshed, self.plan)}"] if refreshed else []
        repairs = [command.removeprefix("fbinsights ") for command in self.repairs]
        yield from dict.fromkeys((*listing, *repairs))
        # They publish as well.
        if Target("warehouse_duckdb") in self.failed and not repairs:
            yield "publish"

    def _days_again(self, account: str, targets: Iterable[Target]) -> Sequence[date]:
        """The days of an account that a backfill has to load again; for a refused account all that
        were wanted, unless a refresh chooses them.
        """
        days = sorted(what.day for what in targets if what.day)
        if not days and account in self.plan.refused and not self.is_refresh:
            return [*self.plan.days]
        return days

    def _is_listed_again(
        self, account: str, targets: Iterable[Target], *, is_backfilled: bool
    ) -> bool:
        """Whether a refresh has to list objects of an account that no backfill of it lists."""
        objects = {what.table for what in targets if not what.day} - {"accounts"}
        if is_backfilled:
            return bool(objects - self.plan.listed)
        return bool(objects) or account in self.plan.refused


def _named(accounts: Collection[str], plan: Plan) -> str:
    """The options that name accounts, unless those are all that the token sees: an agency has
    hundreds.
    """
    every = {*map(act_id, plan.account_ids), *plan.refused}
    are_all = plan.has_every_account and every <= {*accounts}
    return "" if are_all else "".join(f" --account {key}" for key in accounts)


def number_of(days: int, period: Period) -> int | str:
    """How many, in a column of days: weeks and months say that they are."""
    return days if period is Period.DAY else counted(days, period)


def _line(
    report: Report, row: Row, counts: tuple[int, int], loads: Sequence[Load], more: Collection[str]
) -> Sequence[object]:
    """A line of the table. `counts`: account-days that were wanted, and that failed; `more`: the
    columns that are not always there.
    """
    wanted, failed = counts
    verdicts = Counter(load.verdict for load in loads)
    extra = {
        PROVISIONAL: verdicts[PROVISIONAL],
        UNPROVEN: verdicts[UNPROVEN],
        FAILED: failed,
        "conversions": _proven([str(load.conversions) for load in loads]),
    }
    return (
        act_id(row["account_id"]),
        text_of(row, "name"),
        report.name,
        number_of(wanted, report.period),
        _proven([load.verdict for load in loads]),
        *(extra[name] for name in more),
        sum(load.rows for load in loads),
        sum(load.impressions or 0 for load in loads),
        sum(load.clicks or 0 for load in loads),
        Digits(f"{sum(load.spend or 0 for load in loads):.{places_of(text_of(row, 'currency'))}f}"),
        text_of(row, "currency"),
        sum(load.calls for load in loads),
    )


def _only(failed: Collection[str], plan: Plan) -> str:
    """The options that name the reports to run again, unless those are all that there are."""
    again = [name for name in plan.reports if name in failed] or list(plan.reports)
    are_all = plan.has_every_report and len(again) == len(plan.reports)
    return "" if are_all else "".join(f" --report {name}" for name in again)


def _proven(verdicts: Sequence[str]) -> int | str:
    """How many are proven, or that none can be."""
    return UNPROVABLE if set(verdicts) == {UNPROVABLE} else verdicts.count(PROVEN)


def command_name(folder: str | None = None) -> str:
    """How this command is called in a folder, by default this one: by its name, or by its path if
    that is not on PATH.
    """
    if shutil.which("fbinsights"):
        return "fbinsights"
    return os.path.relpath(sys.argv[0], folder)
