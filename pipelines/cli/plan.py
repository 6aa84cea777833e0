"""`fbinsights plan`: what a backfill would cost, by the planner that the backfill itself uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final

import click

from fbgraph import act_id
from fbgraph.errors import GraphError
from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS
from pipelines.cli.exit_codes import ALL_DONE
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import say, width_of, wrapped
from pipelines.cli.selection import not_begun, plan_of, require_started
from pipelines.loading.estimate import Cost, cost_of, cut, expected_rows
from pipelines.loading.listings import LEVEL_OF, discover, text_of
from pipelines.settings import settings_of
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row
    from pipelines.cli.selection import Plan
    from pipelines.reports.catalog import Reports

__all__ = ["Pace", "foresee", "minutes_of", "run_plan"]

_HEADER: Final = ("account", "name", "report", "days", "report runs", "rows", "calls")

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


def run_plan(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    since: date,
    until: date,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
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
    costs = foresee(Lake(settings.warehouse_url, catalog=known.catalog), plan)
    width = width_of(sys.stdout)
    rows = [_line(plan, key, cost) for key, cost in costs.items()]
    for line in table_lines(_HEADER, rows, width, heads=("account", "name")):
        click.echo(line)
    click.echo("")
    for line in _closing(plan, costs, tier, percent).split("\n"):
        click.echo("\n".join(wrapped(line, width)))
    for line in not_begun(dict.fromkeys(plan.account_ids, plan.days), plan.todays):
        say(line)
    for account, why in plan.refused.items():
        say(f"{account} cannot be loaded: {why}")
    for name, why in plan.broken.items():
        say(f"{name}: {why}")
    return ALL_DONE


def foresee(lake: Lake, plan: Plan) -> Mapping[tuple[str, str], Cost]:
    """(report, account id) → what its days cost."""
    costs = {}
    for report in plan.reports:
        for row in plan.accounts:
            account_id = row["account_id"]
            days = plan.days_of(account_id)
            rows = expected_rows(lake, report, account_id, days)
            costs[report, account_id] = cost_of(cut(days, rows), rows)
    return costs


def minutes_of(costs: Mapping[tuple[str, str], Cost], tier: str, percent: float) -> float:
    """How long it takes: by the runs that may be in flight, or by what the limits still allow.

    `percent` of the busiest limit is used already. A tier that is not known counts as the full one.
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
    """The access tier, and the share of the busiest limit, as one small call tells them."""
    try:
        next(iter(client.account(row["account_id"]).insights(limit=1)), None)
    except GraphError as error:
        say(f"The limits are unknown: {error}")
    return client.tally.usage.access_tier, max(client.usage().values(), default=0.0)


def _line(plan: Plan, key: tuple[str, str], cost: Cost) -> Sequence[object]:
    report, account_id = key
    name = next(text_of(row, "name") for row in plan.accounts if row["account_id"] == account_id)
    return (
        act_id(account_id),
        name,
        report,
        len(plan.days_of(account_id)),
        cost.runs,
        cost.rows,
        cost.calls,
    )


def _closing(plan: Plan, costs: Mapping[tuple[str, str], Cost], tier: str, percent: float) -> str:
    total = sum(costs.values(), Cost())
    listings = 2 + len(plan.accounts) * len(LEVEL_OF)
    minutes = minutes_of(costs, tier, percent)
    took = "a minute or less" if minutes <= 1 else f"about {ceil(minutes)} minutes"
    quota = f"{tier or 'an unknown access tier'}, {percent:.0f} % of the busiest limit used"
    return (
        f"{len(plan.account_days) * len(plan.reports)} account-days: {total.runs} report runs,"
        f" {total.calls:,} calls and {listings} for accounts and their objects; {took}"
        f" at {quota}.\nThe estimate of rows comes from earlier loads. Nothing was loaded."
    )
