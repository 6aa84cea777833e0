"""What a backfill came to: the closing table, what failed, and how to run that again."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from pipelines.cli.terminal import table_lines
from pipelines.loading.listings import text_of
from pipelines.loading.load_result import Target
from pipelines.reports.catalog import DEFINITION, REPORTS
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fbgraph.http.paging import Row
    from pipelines.cli.selection import Plan
    from pipelines.loading.objects import Listed
    from pipelines.loading.partitions import AccountDay
    from pipelines.loading.session import Loads
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load

__all__ = ["Summary", "command_name"]

_COLUMNS: Final = ("account", "name", "report", "days", "proven")
_NUMBERS: Final = ("rows", "impressions", "clicks", "spend", "currency", "calls")

#: Why an account-day is not in the lake that nothing else is known of.
_NOT_REACHED: Final = "not reached"


@dataclass(slots=True)
class Summary:
    """`failed`: what failed → why. `wanted`: account-days by report. `loads`: what the lake has of
    them since `started`, put there by this command or by another at the same time.
    """

    plan: Plan
    started: datetime
    wanted: Mapping[str, Sequence[AccountDay]]
    failed: dict[Target, str] = field(default_factory=dict)
    stopped: str = ""
    loads: dict[tuple[str, AccountDay], Load] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """An account that is refused, or a report that cannot be loaded, has failed before anything
        is asked.
        """
        self.failed |= {Target("accounts", key): why for key, why in self.plan.refused.items()}
        self.failed |= {Target(name, DEFINITION): why for name, why in self.plan.broken.items()}

    def note_outcomes(self, loads: Loads) -> None:
        """Take in which account-days of a report failed."""
        for one in loads.outcomes:
            if one.error:
                self.failed[Target.of(loads.report.name, one.account_day)] = one.error

    def note_listed(self, found: Iterable[Listed]) -> None:
        """Take in of which accounts objects could not be listed."""
        for one in found:
            if one.error:
                self.failed[Target(one.table, act_id(one.account_id))] = one.error

    def read(self, lake: Lake) -> None:
        """See in the lake what became of every account-day. None is passed over."""
        for report, account_days in self.wanted.items():
            loads = lake.loads_of(report, account_days)
            for account_day, load in zip(account_days, loads, strict=True):
                what = Target.of(report, account_day)
                if load is None or load.loaded_at < self.started:
                    self.failed.setdefault(what, _NOT_REACHED)
                elif what not in self.failed:
                    self.loads[report, account_day] = load
                    if not load.is_good:
                        self.failed[what] = f"loaded, but not proven: {load.reason}"

    @property
    def all_done(self) -> bool:
        """Every account-day is loaded, and proven if its report can be and its day was over."""
        return not self.failed and not self.stopped

    def table(self) -> Sequence[str]:
        """One line per report and account; how many are provisional where some are, and of how
        many actions are proven where some can be.
        """
        some = any(load.is_provisional for load in self.loads.values())
        acts = not {load.conversions for load in self.loads.values()} <= {None, UNPROVABLE}
        more = (*((PROVISIONAL,) if some else ()), *(("conversions",) if acts else ()))
        return table_lines(
            (*_COLUMNS, *more, *_NUMBERS),
            [
                self._line(report, row, provisional=some, conversions=acts)
                for report in self.plan.reports
                for row in self.plan.accounts
            ],
        )

    def _line(
        self, report: str, row: Row, *, provisional: bool, conversions: bool
    ) -> Sequence[object]:
        loads = [
            load
            for (name, account_day), load in self.loads.items()
            if name == report and account_day.account_id == row["account_id"]
        ]
        return (
            act_id(row["account_id"]),
            text_of(row, "name"),
            report,
            len(loads),
            _proven([load.verdict for load in loads]),
            *((sum(load.is_provisional for load in loads),) if provisional else ()),
            *((_proven([str(load.conversions) for load in loads]),) if conversions else ()),
            sum(load.rows for load in loads),
            sum(load.impressions or 0 for load in loads),
            sum(load.clicks or 0 for load in loads),
            sum((load.spend or Decimal() for load in loads), Decimal()),
            text_of(row, "currency"),
            sum(load.calls for load in loads),
        )

    def complaints(self) -> Iterator[str]:
        """What went wrong, and the commands that run it again; nothing when all is done."""
        if self.all_done:
            return
        yield ""
        reached = {what: why for what, why in self.failed.items() if why != _NOT_REACHED}
        yield from (f"{what}: {why}" for what, why in reached.items())
        if len(reached) < len(self.failed):
            yield f"{len(self.failed) - len(reached)} account-days were {_NOT_REACHED}."
        if self.stopped:
            yield f"Stopped: {self.stopped}"
        again = [f"  {command_name()} {arguments}" for arguments in self._again()]
        if again:
            yield "\nRun this again:"
            yield from again

    def _again(self) -> Iterator[str]:
        """One command per account that has something to run again, over the days it needs."""
        accounts = [act_id(row["account_id"]) for row in self.plan.accounts]
        for account in (*accounts, *self.plan.refused):
            failed = [what for what in self.failed if what.account == account]
            days = sorted(what.day for what in failed if what.day) or self.plan.days
            if failed:
                only = _only({what.table for what in failed}, self.plan.reports)
                yield f"backfill --since {days[0]} --until {days[-1]} --account {account}{only}"
        if Target("warehouse_duckdb") in self.failed:
            yield "publish"


def _only(failed: Collection[str], planned: Sequence[str]) -> str:
    """The options that name the reports to run again, unless those are all that there are."""
    again = [name for name in planned if name in failed] or planned
    return "" if len(again) == len(REPORTS) else "".join(f" --report {name}" for name in again)


def _proven(verdicts: Sequence[str]) -> int | str:
    """How many are proven, or that none can be."""
    return UNPROVABLE if set(verdicts) == {UNPROVABLE} else verdicts.count(PROVEN)


def command_name() -> str:
    """How this command is called from here: by its name, or by its path if that is not on PATH."""
    return "fbinsights" if shutil.which("fbinsights") else os.path.relpath(sys.argv[0])
