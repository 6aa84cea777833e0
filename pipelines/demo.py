"""`fbinsights demo`: the whole path against the sandbox, compared with the sandbox's own books."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.backfill import run_backfill
from pipelines.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.partitions import today_in
from pipelines.settings import VARIABLES, ConfigError, settings_of
from pipelines.show import say, table_lines
from pipelines.summary import command_name
from warehouse.lake import Lake
from warehouse.place import LOCAL_VARIABLE
from warehouse.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["run_demo"]

DAYS: Final = 3

QUESTION: Final = """\
with by_hour as (
  select account_name, hour, sum(impressions) as impressions, sum(spend) as spend,
         account_currency as currency
  from account_hourly
  where hour is not null
  group by all
)
select account_name, arg_max(hour, spend) as busiest_hour, max(spend) as spend, currency
from by_hour
group by all
order by account_name"""


#: Rows that lists at Meta leave out unless every status is asked for.
HIDDEN: Final = """\
select count(*) filter (ads.effective_status is null or ads.effective_status = 'ARCHIVED'), count(*)
from insights_hourly left join ads using (ad_id)"""

#: What the published file holds of each account-day.
SUMS: Final = """\
select account_id, date, count(*), sum(impressions), sum(clicks), sum(spend)
from insights_hourly group by all"""


def run_demo(environ: Mapping[str, str], seed: int) -> int:
    """Load the last days of the sandbox's accounts; returns the exit code of the backfill, or 1
    when the published file differs from what the sandbox says it served.

    Raises ConfigError where the lake holds accounts of somebody else's.
    """
    url = settings_of({"WAREHOUSE_URL": environ.get("WAREHOUSE_URL", "")}).warehouse_url
    with Sandbox(seed=seed) as sandbox:
        _demand_own_lake(url, set(sandbox.account_ids))
        _use(sandbox.url, sandbox.token, url)
        zones = [account["timezone_name"] for account in sandbox.world()["accounts"]]
        until = min(today_in(zone, datetime.now(UTC)) for zone in zones) - timedelta(days=1)
        days = [until - timedelta(days=n) for n in reversed(range(DAYS))]
        say(
            f"A made-up company at {sandbox.url}: {len(zones)} ad accounts, {days[0]} to {until}.\n"
        )
        code = run_backfill(os.environ, days[0], until, reports=("insights_hourly",))
        differing = _differing(url, sandbox, days)
    for what in differing:
        say(f"not what the sandbox served: {what}")
    if code or differing:
        return code or SOME_FAILED
    _show(url)
    _tell_next(sandbox.token)
    return ALL_DONE


def _demand_own_lake(url: str, made_up: set[str]) -> None:
    """Made-up rows must not get into a lake of real ones."""
    others = set(Lake(url).read("accounts")["account_id"].to_pylist()) - made_up
    if others:
        raise ConfigError(
            f"{url} already holds the ad account {min(others)}, which is not the demo's."
            " Give the demo a folder of its own: WAREHOUSE_URL=./demo fbinsights demo"
        )


def _use(graph_url: str, token: str, warehouse_url: str) -> None:
    """Point this process, and so its Dagster runs, at the sandbox and at nothing else."""
    for variable in VARIABLES:
        if variable.name != LOCAL_VARIABLE:
            os.environ.pop(variable.name, None)
    os.environ |= {
        "FB_GRAPH_URL": graph_url,
        "FB_ACCESS_TOKEN": token,
        "WAREHOUSE_URL": warehouse_url,
    }


def _differing(url: str, sandbox: Sandbox, days: Sequence[date]) -> list[str]:
    """Account-days whose rows and sums are not those that the sandbox keeps in its own books."""
    with warehouse.open(url) as opened:
        found = {(row[0], row[1]): row[2:] for row in opened.sql(SUMS).fetchall()}
    nothing = (0, 0, 0, Decimal())
    return [
        f"act_{account_id} {day}: {held} is not {served}"
        for account_id in sandbox.account_ids
        for day in days
        if (held := found.get((account_id, day), nothing))
        != (served := _sums(sandbox.truth(account_id, day)))
    ]


def _sums(truth: Mapping[str, Any]) -> tuple[object, ...]:
    sums = truth["sums"]
    numbers = int(sums["impressions"]), int(sums["clicks"])
    return truth["count"], *numbers, Decimal(sums["spend"])


def _show(url: str) -> None:
    with warehouse.open(url) as opened:
        [(hidden, rows)] = opened.sql(HIDDEN).fetchall()
        click.echo(
            "\nEvery account-day holds exactly what the sandbox says it served."
            f"\n{hidden:,} of {rows:,} rows are of archived and deleted ads.\n"
        )
        tables = [
            (
                name,
                opened.sql(f"from {name}").count("*").fetchall()[0][0],
                table.meaning.partition(". ")[0].rstrip("."),
            )
            for name, table in TABLES.items()
        ]
        for line in table_lines(("table", "rows", "what is in it"), tables):
            click.echo(line)
        click.echo(f"\nThe busiest hour of each account:\n\n{QUESTION}\n")
        answer = opened.sql(QUESTION)
        for line in table_lines(answer.columns, answer.fetchall()):
            click.echo(line)


def _tell_next(token: str) -> None:
    say(f"""
Next:
- what was loaded, and what proves it:
    {command_name()} query "from loads"
- the same in Dagster, where a click re-runs one day of one account. In one terminal:
    make sandbox
  and in another:
    FB_GRAPH_URL=http://127.0.0.1:8810 FB_ACCESS_TOKEN={token} make dev
- your own accounts: README.md""")
