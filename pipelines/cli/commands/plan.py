"""`fbinsights plan`: what a backfill would cost, by the planner that the backfill itself uses."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import click

from fbgraph import act_id
from fbgraph.errors import GraphError
from pipelines.cli.exit_codes import ALL_DONE
from pipelines.cli.forecasts import Forecast, Listings, foresee, minutes_of
from pipelines.cli.output.json_lines import account_day_line, print_json, total_line
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of, wrapped
from pipelines.cli.selection import not_begun, plan_of, require_started
from pipelines.cli.summary import NOT_BEGUN, number_of
from pipelines.loading.accounts.discovery import discover, text_of
from pipelines.loading.control_totals import share
from pipelines.loading.estimate import Cost, cost_of
from pipelines.loading.partitions import AccountDay
from pipelines.settings import settings_of
from warehouse.published.known import lake_with_records
from warehouse.schema.periods import account_periods
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row
    from pipelines.cli.selection import Plan
    from pipelines.reports.catalog import Reports

__all__ = ["run_plan"]

_HEADER: Final = ("account", "name", "report", "days", "report runs", "rows", "calls", "estimate")

#: Verdict of an account-day that would be loaded.
PLANNED: Final = "planned"


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
    lake = lake_with_records(settings.warehouse_url, known.catalog)
    forecasts = foresee(lake, plan, known.by_name)
    listings = Listings.of(lake, plan.account_ids)
    if style.is_json:
        for line in _json_lines(plan, forecasts, listings, tier, percent):
            print_json(line)
    else:
        _print(plan, forecasts, listings, (tier, percent), style)
    return ALL_DONE


def _print(
    plan: Plan,
    forecasts: Mapping[tuple[str, str], Forecast],
    listings: Listings,
    quota: tuple[str, float],
    style: Style,
) -> None:
    """The table and what it comes to on stdout; on stderr what would not be loaded."""
    width = width_of(sys.stdout)
    rows = [_line(plan, key, forecast) for key, forecast in forecasts.items()]
    for line in table_lines(_HEADER, rows, width, heads=("account", "name")):
        click.echo(line)
    click.echo("")
    for line in _closing(plan, forecasts, listings, *quota):
        click.echo("\n".join(wrapped(line, width)))
    for line in not_begun(dict.fromkeys(plan.account_ids, plan.days), plan.todays):
        style.remark(line)
    for account, why in plan.refused.items():
        print_note(f"{account} cannot be loaded: {why}")
    for name, why in plan.broken.items():
        print_note(f"{name}: {why}")


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
    days = number_of(len(forecast.rows), plan.reports[report].period)
    counts = days, cost.runs, cost.rows, cost.calls
    return (account, plan.names[account], report, *counts, forecast.basis)


def _closing(
    plan: Plan,
    forecasts: Mapping[tuple[str, str], Forecast],
    listings: Listings,
    tier: str,
    percent: float,
) -> Sequence[str]:
    costs = {key: forecast.cost for key, forecast in forecasts.items()}
    total = sum(costs.values(), Cost())
    minutes = minutes_of(costs, tier, percent)
    took = "a minute or less" if minutes <= 1 else f"about {counted(ceil(minutes), 'minute')}"
    quota = f"{tier or 'an unknown access tier'}, {percent:.0f} % of the busiest limit used"
    guessed = sum(one.cost.rows for one in forecasts.values() if one.is_guess)
    sure = f", {guessed:,} of them guessed, because nothing like them was loaded" if guessed else ""
    number = sum(map(len, plan.wanted.values()))
    periods = {plan.reports[name].period for name, days in plan.wanted.items() if days}
    all_of_it = (
        f"{account_periods(number, periods)}: {counted(total.runs, 'report run')},"
        f" {counted(total.calls, 'call')} and {listings.calls:,} for accounts and their objects;"
        f" {took} at {quota}."
    )
    uncounted = (
        f"; {counted(listings.uncounted, 'listing has', 'listings have')} not been loaded yet,"
        " and each counts as one page"
        if listings.uncounted
        else ""
    )
    return (
        all_of_it,
        (
            "A daily refresh lists the objects of these accounts with about"
            f" {counted(ceil(listings.calls_a_day), 'call')} a day{uncounted}."
        ),
        f"About {counted(total.rows, 'row')}{sure}. Nothing was loaded.",
    )


def _json_lines(
    plan: Plan,
    forecasts: Mapping[tuple[str, str], Forecast],
    listings: Listings,
    tier: str,
    percent: float,
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
    for report, skipped in plan.skipped.items():
        for one in skipped:
            yield _day_line(rows[one.account_id], report, one.day, NOT_BEGUN)
    yield _total_line(plan, forecasts, listings, tier, percent)


def _day_line(row: Row, report: str, day: date, verdict: str, **more: Any) -> str:
    name, currency = text_of(row, "name"), text_of(row, "currency")
    one = AccountDay(row["account_id"], day)
    return account_day_line(one, report, verdict, name=name, currency=currency, **more)


def _total_line(
    plan: Plan,
    forecasts: Mapping[tuple[str, str], Forecast],
    listings: Listings,
    tier: str,
    percent: float,
) -> str:
    costs = {key: forecast.cost for key, forecast in forecasts.items()}
    total = sum(costs.values(), Cost())
    refused = [
        {"table": "accounts", "account": key, "error": why} for key, why in plan.refused.items()
    ]
    broken = [{"table": name, "account": None, "error": why} for name, why in plan.broken.items()]
    return total_line(
        *("plan", ALL_DONE),
        account_days=sum(map(len, plan.wanted.values())),
        report_runs=total.runs,
        rows=total.rows,
        guessed_rows=sum(one.cost.rows for one in forecasts.values() if one.is_guess),
        calls=total.calls,
        calls_for_objects=listings.calls,
        calls_for_objects_a_day=ceil(listings.calls_a_day),
        minutes=ceil(minutes_of(costs, tier, percent)),
        access_tier=tier or None,
        percent_used=percent,
        failures=[*refused, *broken],
    )
