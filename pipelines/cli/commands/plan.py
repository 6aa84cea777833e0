"""`fbinsights plan`: what a backfill would cost, by the planner that the backfill itself uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import click

from fbgraph import act_id
from fbgraph.errors import GraphError
from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS
from pipelines.cli.exit_codes import ALL_DONE
from pipelines.cli.output.json_lines import account_day_line, print_json, total_line
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of, wrapped
from pipelines.cli.selection import not_begun, plan_of, require_started
from pipelines.cli.summary import NOT_BEGUN
from pipelines.loading.control_totals import share
from pipelines.loading.estimate import Cost, cost_of, cut, guessed_rows, learned
from pipelines.loading.listings import discover, text_of
from pipelines.loading.partitions import AccountDay
from pipelines.settings import settings_of
from warehouse.lake.partitions import Lake
from warehouse.schema.tables import OBJECT_TABLES
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row
    from pipelines.cli.selection import Plan
    from pipelines.reports.catalog import Reports

__all__ = ["Forecast", "Pace", "foresee", "minutes_of", "run_plan"]

_HEADER: Final = ("account", "name", "report", "days", "report runs", "rows", "calls", "estimate")

#: Verdict of an account-day that would be loaded.
PLANNED: Final = "planned"

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
    `loaded_days` of its own, or else from `others`, or else guessed.
    """

    rows: Mapping[date, int]
    loaded_days: int = 0
    others: int = 0

    @property
    def runs(self) -> Sequence[Sequence[date]]:
        """The days of each report run."""
        return cut(self.rows, self.rows)

    @property
    def cost(self) -> Cost:
        return cost_of(self.runs, self.rows)

    @property
    def is_guess(self) -> bool:
        return not (self.loaded_days or self.others)

    @property
    def basis(self) -> str:
        if self.is_guess:
            return "guess"
        if self.loaded_days:
            return f"from {counted(self.loaded_days, 'loaded day')}"
        return f"from {counted(self.others, 'other account')}"


def run_plan(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    since: date,
    until: date,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
    style: Style = FOR_PEOPLE,
) -> int:
    """Print what loading account-days would cost; returns the exit code. Loads nothing.

    Raises ConfigError, TokenError and other GraphErrors of the first call.
    """
    settings = settings_of(environ)
    with settings.open_graph() as client:
        found = discover(client, settings.account_ids)
        plan = plan_of(
            *(found, known, (since, until), datetime.now(UTC)), accounts=accounts, reports=reports
        )
        require_started(plan)
        tier, percent = _quota(client, plan.accounts[0])
    forecasts = foresee(Lake(settings.warehouse_url, catalog=known.catalog), plan)
    if style.is_json:
        for line in _json_lines(plan, forecasts, tier, percent):
            print_json(line)
    else:
        _print(plan, forecasts, tier, percent, style)
    return ALL_DONE


def _print(
    plan: Plan,
    forecasts: Mapping[tuple[str, str], Forecast],
    tier: str,
    percent: float,
    style: Style,
) -> None:
    """The table and what it comes to on stdout; on stderr what would not be loaded."""
    width = width_of(sys.stdout)
    rows = [_line(plan, key, forecast) for key, forecast in forecasts.items()]
    for line in table_lines(_HEADER, rows, width, heads=("account", "name")):
        click.echo(line)
    click.echo("")
    for line in _closing(plan, forecasts, tier, percent):
        click.echo("\n".join(wrapped(line, width)))
    for line in not_begun(dict.fromkeys(plan.account_ids, plan.days), plan.todays):
        style.remark(line)
    for account, why in plan.refused.items():
        print_note(f"{account} cannot be loaded: {why}")
    for name, why in plan.broken.items():
        print_note(f"{name}: {why}")


def foresee(lake: Lake, plan: Plan) -> Mapping[tuple[str, str], Forecast]:
    """(report, account id) → what its days cost. What an account does not tell, others do."""
    forecasts = {}
    for name, report in plan.reports.items():
        known = {
            account_id: learned(lake, name, account_id, days, TELLING_DAYS)
            for account_id in plan.account_ids
            if (days := plan.days_of(account_id))
        }
        usual = [one.usual for one in known.values() if one.usual is not None]
        unknown = ceil(median(usual)) if usual else guessed_rows(report.breakdowns)
        for account_id in plan.account_ids:
            days, one = plan.days_of(account_id), known.get(account_id)
            forecasts[name, account_id] = Forecast(
                one.rows(days, unknown) if one else {},
                len(one.loads) if one else 0,
                len(usual),
            )
    return forecasts


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


def _quota(client: GraphClient, row: Row) -> tuple[str, float]:
    """The access tier, and the share of the busiest limit, by one small call."""
    try:
        next(iter(client.account(row["account_id"]).insights(limit=1)), None)
    except GraphError as error:
        print_note(f"The limits are unknown: {error}")
    return client.tally.usage.access_tier, max(client.usage().values(), default=0.0)


def _line(plan: Plan, key: tuple[str, str], forecast: Forecast) -> Sequence[object]:
    report, account_id = key
    account, cost = act_id(account_id), forecast.cost
    counts = len(forecast.rows), cost.runs, cost.rows, cost.calls
    return (account, plan.names[account], report, *counts, forecast.basis)


def _closing(
    plan: Plan, forecasts: Mapping[tuple[str, str], Forecast], tier: str, percent: float
) -> Sequence[str]:
    costs = {key: forecast.cost for key, forecast in forecasts.items()}
    total = sum(costs.values(), Cost())
    minutes = minutes_of(costs, tier, percent)
    took = "a minute or less" if minutes <= 1 else f"about {counted(ceil(minutes), 'minute')}"
    quota = f"{tier or 'an unknown access tier'}, {percent:.0f} % of the busiest limit used"
    guessed = sum(one.cost.rows for one in forecasts.values() if one.is_guess)
    sure = f", {guessed:,} of them guessed: nothing like them was loaded" if guessed else ""
    number = len(plan.account_days) * len(plan.reports)
    all_of_it = (
        f"{counted(number, 'account-day')}: {counted(total.runs, 'report run')},"
        f" {counted(total.calls, 'call')} and {_listings(plan)} for accounts and their objects;"
        f" {took} at {quota}."
    )
    return all_of_it, f"About {counted(total.rows, 'row')}{sure}. Nothing was loaded."


def _listings(plan: Plan) -> int:
    """Calls for accounts and the objects that a backfill lists, if each fits a page."""
    return 2 + len(plan.accounts) * sum(row.is_needed for row in OBJECT_TABLES.values() if row.edge)


def _json_lines(
    plan: Plan, forecasts: Mapping[tuple[str, str], Forecast], tier: str, percent: float
) -> Iterator[str]:
    """An object for each account-day, and the totals. Calls of a report run are shared among its
    days.
    """
    rows = {row["account_id"]: row for row in plan.accounts}
    for (report, account_id), forecast in forecasts.items():
        for run in forecast.runs:
            calls = cost_of([run], forecast.rows).calls
            for n, day in reversed([*enumerate(run)]):
                yield _day_line(
                    *(rows[account_id], report, day, PLANNED),
                    rows=forecast.rows[day],
                    calls=share(calls, len(run), n),
                    basis=forecast.basis,
                )
    for report in plan.reports:
        for one in plan.skipped:
            yield _day_line(rows[one.account_id], report, one.day, NOT_BEGUN)
    yield _total_line(plan, forecasts, tier, percent)


def _day_line(row: Row, report: str, day: date, verdict: str, **more: Any) -> str:
    name, currency = text_of(row, "name"), text_of(row, "currency")
    one = AccountDay(row["account_id"], day)
    return account_day_line(one, report, verdict, name=name, currency=currency, **more)


def _total_line(
    plan: Plan, forecasts: Mapping[tuple[str, str], Forecast], tier: str, percent: float
) -> str:
    costs = {key: forecast.cost for key, forecast in forecasts.items()}
    total = sum(costs.values(), Cost())
    refused = [
        {"table": "accounts", "account": key, "error": why} for key, why in plan.refused.items()
    ]
    broken = [{"table": name, "account": None, "error": why} for name, why in plan.broken.items()]
    return total_line(
        *("plan", ALL_DONE),
        account_days=len(plan.account_days) * len(plan.reports),
        report_runs=total.runs,
        rows=total.rows,
        guessed_rows=sum(one.cost.rows for one in forecasts.values() if one.is_guess),
        calls=total.calls,
        calls_for_objects=_listings(plan),
        minutes=ceil(minutes_of(costs, tier, percent)),
        access_tier=tier or None,
        percent_used=percent,
        failures=[*refused, *broken],
    )
