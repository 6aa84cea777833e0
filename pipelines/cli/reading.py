"""The commands that only read what is loaded: they make no request and change nothing. `main` adds
them to the others.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli.exit_codes import INTERRUPTED
from pipelines.cli.group import GuardedCommand, reports_here
from pipelines.cli.options import ACCOUNT_OPTION, day_option, of_account_days, require_order
from pipelines.cli.output.style import Style, styled

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ENGINES", "READING"]

#: Keys of `warehouse.schema.external.DIALECTS`, which brings pyarrow.
ENGINES = ("spark", "trino", "athena", "bigquery", "snowflake")


@click.command(
    cls=GuardedCommand,
    epilog="Exit code 0: all of them are proven, or provisional because their day was not over; 1:"
    " some are not; 2: wrong usage.",
)
@of_account_days(required=False)
@styled
def status(
    since: date | None,
    until: date | None,
    accounts: tuple[str, ...],
    reports: tuple[str, ...],
    style: Style,
) -> None:
    """Show which days are proven, stale, failed or not loaded.

    By default those of the last 28 days, each from three hours after its end. Stale means that
    Meta has changed the totals since. Makes no request.
    """
    require_order(since, until)
    from pipelines.cli.commands.status import run_status  # noqa: PLC0415

    run = partial(run_status, accounts=accounts, reports=reports, style=style)
    sys.exit(run(os.environ, reports_here(), since, until))


@click.command(
    cls=GuardedCommand,
    epilog="Exit code 0: nothing stands out; 1: something does, or Meta was asked about today"
    " for no account; 2: wrong usage.",
)
@ACCOUNT_OPTION
@styled
def today(accounts: tuple[str, ...], style: Style) -> None:
    """Show today so far: spend against usual, budget, end of day.

    By the clock of each account, as far as the schedule `intraday` has loaded it. With --account,
    its campaigns and ads too. Makes no request.
    """
    from pipelines.cli.commands.today import run_today  # noqa: PLC0415

    sys.exit(run_today(os.environ, accounts, style=style))


class _Query(GuardedCommand):
    """A command whose SQL may begin with a comment: ``-- `` would be taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        comments = ("-- ", "--\n")
        return super().parse_args(
            ctx, [f"\n{one}" if one.startswith(comments) else one for one in args]
        )


@click.command(cls=_Query)
@click.argument("question", metavar="SQL")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="A table has 1,000 rows at most, the others have all.",
)
@click.option(
    "--as-of",
    metavar="TIME",
    help="As the DuckLake of WAREHOUSE_PUBLISH showed it then: 2026-11-23, which is the end of that"
    " day, or 2026-11-23T09:00; in UTC.",
)
def query(question: str, form: str, as_of: str | None) -> None:
    """Run one SQL query on warehouse.duckdb.

    It can only read, and only the tables of the warehouse.

    `fbinsights docs` says which tables there are; docs/questions.md has questions to start from.
    """
    from pipelines.cli.commands.query import run_query  # noqa: PLC0415

    run_query(os.environ, question, form, as_of)


@click.command(cls=GuardedCommand)
def sql() -> None:
    """Open DuckDB's shell on warehouse.duckdb, read-only.

    In DuckDB's safe mode, which opens no other file: tables of the schema lake, which are read from
    the Parquet files, can be queried with `fbinsights query` alone. The shell may be an older
    DuckDB than the one that `fbinsights query` uses; it says which.

    `fbinsights docs` says which tables there are; docs/questions.md has questions to start from.
    """
    from pipelines.cli.commands.query import run_shell  # noqa: PLC0415

    run_shell(os.environ)


@click.command(cls=GuardedCommand)
@click.argument("table", default="")
@click.option(
    "--ddl",
    "engine",
    type=click.Choice(ENGINES),
    help="Print CREATE statements for this engine instead, over the files of the lake.",
)
@click.option(
    "--dbt",
    is_flag=True,
    help="Print a sources.yml of dbt instead: columns, types, tests, freshness.",
)
@click.option(
    "--breakdowns",
    is_flag=True,
    help="Print what Meta returns for breakdowns instead, with sources.",
)
@click.option(
    "--presets",
    is_flag=True,
    help="Print what each ready report answers instead, with a query.",
)
def docs(table: str, engine: str | None, *, dbt: bool, breakdowns: bool, presets: bool) -> None:
    """Print what every table and column means.

    Or those of one TABLE.
    """
    pages = {"--ddl": engine, "--dbt": dbt, "--breakdowns": breakdowns, "--presets": presets}
    asked = [name for name, given in pages.items() if given]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} exclude each other.")
    if table and asked and asked[0] in {"--breakdowns", "--presets"}:
        raise click.UsageError(f"{asked[0]} takes no TABLE ({table}).")
    from pipelines.cli.commands.docs import (  # noqa: PLC0415
        run_breakdowns,
        run_dbt,
        run_docs,
        run_presets,
    )

    if breakdowns:
        run_breakdowns()
    elif presets:
        run_presets()
    elif dbt:
        run_dbt(reports_here(), table)
    else:
        run_docs(os.environ, reports_here().catalog, table, engine)


@click.command(cls=GuardedCommand)
@day_option("--since", "First day, like 2026-11-01; by default of the last 28 that are over.")
@day_option("--until", "Last day, included.")
@ACCOUNT_OPTION
@click.option(
    "--out",
    default="overview.html",
    show_default=True,
    metavar="FILE",
    help="Where to write the page; - writes it to stdout.",
)
def overview(since: date | None, until: date | None, accounts: tuple[str, ...], out: str) -> None:
    """Write a page: how each account is doing, which numbers to trust.

    From warehouse.duckdb, without a request. The page needs no network.
    """
    require_order(since, until)
    from pipelines.cli.commands.overview import run_overview  # noqa: PLC0415

    run_overview(os.environ, since, until, accounts, out)


@click.command(
    cls=GuardedCommand,
    epilog="Exit code 0: all are equal; 1: some differ; 2: they cannot be compared."
    " docs/coming-from.md says what each reason means and what to do.",
)
@click.argument("source", metavar="THEIR_TABLE")
@click.option("--table", default="", metavar="SCHEMA.NAME", help="The table of a DuckDB file.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="What a column of theirs is, if its name is not known: date, account, spend, impressions,"
    " clicks, link_clicks, purchases, ad, loaded, …; repeatable.",
)
@day_option("--since", "First day, like 2026-11-01; by default the first that they have.")
@day_option("--until", "Last day, included; by default the last that they have.")
@ACCOUNT_OPTION
@styled
def compare(  # noqa: PLR0913, PLR0917  # its options
    source: str,
    table: str,
    columns: tuple[str, ...],
    since: date | None,
    until: date | None,
    accounts: tuple[str, ...],
    style: Style,
) -> None:
    """Compare with another loader's table, and say why it differs.

    THEIR_TABLE is a DuckDB file, a CSV, or a file, folder or pattern of Parquet. Both are added up
    by account and day. A reason is exact if it turns one side's numbers into the other's; anything
    else is a hint. Makes no request and changes nothing.

    \b
    fbinsights compare airbyte.duckdb --table raw.ads_insights
    fbinsights compare 'exports/*.csv' --column account=Konto --column date=Tag
    """
    require_order(since, until)
    from pipelines.cli.commands.compare import run_compare  # noqa: PLC0415

    run = partial(run_compare, since=since, until=until, accounts=accounts, style=style)
    sys.exit(run(os.environ, source, table, columns))


@click.command(
    cls=GuardedCommand,
    epilog="docs/agents.md says how to add it to an agent. Needs: pip install 'fbinsights[mcp]'",
)
@click.option(
    "--rows",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    help="Most rows of a result.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 3600),
    default=30,
    show_default=True,
    help="Longest time of a call.",
)
@click.option(
    "--megabytes",
    type=click.IntRange(64, 1_000_000),
    default=512,
    show_default=True,
    help="Most memory of a call; two run at once.",
)
def mcp(rows: int, seconds: int, megabytes: int) -> None:
    """Serve the published tables to agents, read-only.

    Over stdin and stdout, by the Model Context Protocol: tables and their meaning, SQL within
    bounds, which days may be trusted, questions as prompts. No file, no network, no token.
    """
    from pipelines.agents.bounds import Bounds  # noqa: PLC0415
    from pipelines.agents.start import run_mcp  # noqa: PLC0415

    run_mcp(os.environ, Bounds(rows, seconds, megabytes), INTERRUPTED)


READING: Final = (status, today, overview, query, sql, compare, docs, mcp)
