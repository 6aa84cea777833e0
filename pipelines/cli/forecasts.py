"""What loading would cost, foreseen from what the lake knows: report runs, rows, calls, minutes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final, Self

from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS
from pipelines.loading.estimate import (
    Cost,
    cost_of,
    cut,
    guessed_rows,
    known_objects,
    learned,
    listing_calls,
    size_of,
)
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipelines.cli.selection import Plan
    from pipelines.reports.catalog import Report
    from warehouse.lake.partitions import Lake

__all__ = ["PACES", "RUN_SECONDS", "Forecast", "Listings", "Pace", "foresee", "minutes_of"]

#: Seconds that a report run takes on an ordinary day, from its creation to its last page.
RUN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls that one account allows: a score of `points`, each gone again after `decay_seconds`."""

    points: float
    decay_seconds: float


#: ads_api_access_tier → pace. Source: Marketing API, Rate limiting (a read costs one point).
PACES: Final[Mapping[str, Pace]] = {
    "development_access": Pace(60, 300),
    "standard_access": Pace(9000, 300),
}


#: Loaded days that tell how big another day of their account is.
TELLING_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the days of one account and report cost, and how sure that is: learned from
    `loaded_days` of its own, or else from days of the account in another report (`like`), or else
    from `others`, or else guessed.
    """

    rows: Mapping[date, int]
    loaded_days: int = 0
    others: int = 0
    like: str = ""

    @property
    def runs(self) -> Sequence[Sequence[date]]:
        """The days of each report run."""
        return cut(self.rows, self.rows)

    @property
    def cost(self) -> Cost:
        return cost_of(self.runs, self.rows)

    @property
    def is_guess(self) -> bool:
        return not (self.loaded_days or self.others or self.like)

    @property
    def basis(self) -> str:
        if self.is_guess:
            return "guess"
        if self.loaded_days:
            return f"from {counted(self.loaded_days, 'loaded day')}"
        if self.like:
            return f"from {self.like}"
        return f"from {counted(self.others, 'other account')}"


def foresee(
    lake: Lake, plan: Plan, reports: Mapping[str, Report] | None = None
) -> Mapping[tuple[str, str], Forecast]:
    """(report, account id) → what its days cost. Where an account has no days of a report, its days
    in another of `reports` tell, or else other accounts.
    """
    forecasts = {}
    for name, report in plan.reports.items():
        known = {
            account_id: learned(lake, name, account_id, days, TELLING_DAYS)
            for account_id in plan.account_ids
            if (days := plan.days_of(account_id, report))
        }
        usual = [one.usual for one in known.values() if one.usual is not None]
        unknown = ceil(median(usual)) if usual else guessed_rows(report.level, report.breakdowns)
        for account_id in plan.account_ids:
            days, one = plan.days_of(account_id, report), known.get(account_id)
            like, size = "", 1.0
            if one and not one.loads:
                like, size = _size(lake, account_id, days, reports or {})
            rows = guessed_rows(report.level, report.breakdowns, size) if like else unknown
            forecasts[name, account_id] = Forecast(
                one.rows(days, rows) if one else {}, len(one.loads) if one else 0, len(usual), like
            )
    return forecasts


def _size(
    lake: Lake, account_id: str, days: Sequence[date], reports: Mapping[str, Report]
) -> tuple[str, float]:
    """The first of these reports with loaded days of an account, and how big they show it to be; no
    name if there is none.
    """
    for name, report in reports.items():
        usual = learned(lake, name, account_id, days).usual if report.level != "account" else None
        if usual:
            return name, size_of(report.level, report.breakdowns, usual)
    return "", 1.0


@dataclass(frozen=True, slots=True)
class Listings:
    """What the listings of objects cost: `calls` of a backfill, for accounts and what reports
    cannot do without, and `calls_a_day` of a refresh, for everything that it lists when it is due.
    `uncounted`: tables of accounts that were never listed; each counts as a page.
    """

    calls: int
    calls_a_day: float
    uncounted: int

    @classmethod
    def of(cls, lake: Lake, account_ids: Sequence[str]) -> Self:
        """By how many objects the lake has of each account (digits)."""
        rows = lake.catalog.listed
        counts = [(row, known_objects(lake, row, one)) for one in account_ids for row in rows]
        calls = [(row, listing_calls(row, count)) for row, count in counts]
        return cls(
            # The page of accounts, and the call that asks how much of the limits is used.
            2 + sum(number for row, number in calls if row.is_needed),
            sum(number / max(1, row.listed_every_days) for row, number in calls),
            sum(count is None for _, count in counts),
        )


def minutes_of(costs: Mapping[tuple[str, str], Cost], tier: str, percent: float) -> float:
    """Minutes that it takes: by the runs that may be in flight, or by what the limits still allow.
    `percent` of the busiest limit is already used. An unknown tier counts as the full one.
    """
    runs: dict[str, int] = {}
    calls: dict[str, int] = {}
    for (_, account_id), cost in costs.items():
        runs[account_id] = runs.get(account_id, 0) + cost.runs
        calls[account_id] = calls.get(account_id, 0) + cost.calls
    waves = max(
        ceil(max(runs.values(), default=0) / ACCOUNT_RUNS), ceil(sum(runs.values()) / APP_RUNS)
    )
    pace = PACES.get(tier, PACES["standard_access"])
    free = pace.points * max(0.0, 1 - percent / 100)
    beyond = max(0.0, max(calls.values(), default=0) - free)
    return (waves * RUN_SECONDS + beyond * pace.decay_seconds / pace.points) / 60
