"""The command line, `fbinsights`: its commands and their options.

Dagster, pandas and DuckDB are imported by the commands that need them, so that `--help` is quick.
Exit codes: 0 all done; 1 some account-days failed or stay unproven; 2 wrong usage, or stopped; 130
Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exit_codes import ALL_DONE, INTERRUPTED, SOME_FAILED
from pipelines.cli.group import Commands, fail, reports_here, run_typed
from pipelines.cli.options import (
    ACCEPT_EMPTY_OPTION,
    ACCOUNT_OPTION,
    finite,
    of_account_days,
    port_option,
    require_order,
)
from pipelines.cli.output.streams import harden
from pipelines.cli.output.style import Style, styled
from pipelines.cli.output.terminal import escape_unencodable, warnings_printed
from pipelines.cli.reading import READING
from pipelines.interrupts import run
from warehouse.wording import counted

if TYPE_CHECKING:
    from datetime import date


__all__ = ["main"]

_SHOWN = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_EPILOG = "Settings come from the environment or .env, which `fbinsights init` makes."


@click.group(cls=Commands, epilog=_EPILOG, context_settings=_SHOWN)
@click.version_option(package_name="fbinsights")
def cli() -> None:
    """Meta advertising data, complete and proven, in Parquet and DuckDB."""
    from dotenv import load_dotenv  # noqa: PLC0415

    context = click.get_current_context()
    context.obj = frozenset(os.environ)
    escape_unencodable()
    try:
        load_dotenv(".env")
    except OSError as error:
        fail(f".env cannot be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        fail(f".env is not written in UTF-8: {error.reason} at byte {error.start}.")
    context.with_resource(warnings_printed())


for _reading in READING:
    cli.add_command(_reading)


@cli.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a project folder for your own accounts.

    Settings, Dagster's limits, reports, compose.yaml. What exists already stays as it is.
    """
    from pipelines.cli.commands.init import run_init  # noqa: PLC0415

    sys.exit(run_init(folder))


@cli.command(epilog="Exit code 0: Ctrl-C ended it; 1: a part of Dagster died; 2: wrong usage.")
@port_option(3000)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def dev(host: str, port: int) -> None:
    """Open Dagster on this project folder.

    Its webserver, its daemon and our definitions. Ctrl-C ends all of them.
    """
    from pipelines.cli.commands.servers import run_dev  # noqa: PLC0415

    run_dev(os.environ, host, port)


@cli.command()
@click.option(
    "--seed", default=1, show_default=True, help="Another made-up company, in its own folder."
)
@click.pass_obj
def demo(exported: frozenset[str], seed: int) -> None:
    """Load a made-up company into ./demo, without a token.

    The last 3 days of a company that the local sandbox makes up.
    """
    from pipelines.cli.commands.demo import run_demo  # noqa: PLC0415

    sys.exit(run_demo(seed, exported))


@cli.command()
@port_option(8810)
@click.option(
    "--scenario",
    "scenarios",
    metavar="NAME[:STRENGTH]",
    multiple=True,
    help="A fault to imitate; may be repeated. fbgraph/sandbox/README.md lists them.",
)
@click.option("--seed", default=1, show_default=True, help="Another made-up company.")
@click.option(
    "--world",
    type=click.Choice(["agency", "company", "hostile"]),
    default="company",
    help="hostile: every name is one that breaks careless readers; agency: clients in 12 zones.",
    show_default=True,
)
@click.option(
    "--quota",
    metavar="limited|full",
    help="Count calls and block them, as Meta does with an app of limited or full access.",
)
@click.option(
    "--latency",
    type=click.FloatRange(min=0, max=100),
    callback=finite,
    default=0.0,
    help="1 for calls as slow as Meta's, 0.1 for a tenth.",
    show_default=True,
)
def sandbox(port: int, scenarios: tuple[str, ...], seed: int, **options: Any) -> None:
    """Serve a local Graph API with made-up accounts, until Ctrl-C."""
    from pipelines.cli.commands.servers import run_sandbox  # noqa: PLC0415

    run_sandbox(port, seed, scenarios, **options)


@cli.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
def add(names: tuple[str, ...]) -> None:
    """Copy ready reports and tables into reports/, each by its NAME.

    Without a NAME, list them, with what they cost. If one is unknown or taken, none is copied.
    """
    from pipelines.cli.commands.add import run_add  # noqa: PLC0415

    sys.exit(run_add(os.environ, reports_here(), names))


@cli.command(epilog="Exit code 0: nothing is wrong; 1: something is. Warnings do not count.")
def check() -> None:
    """Check reports, settings and folder without a request.

    Everything that is wrong is reported at once. If the lake is a folder, it also checks that
    reports still fit the lake's tables.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from pipelines.cli.commands.check import run_check  # noqa: PLC0415
    from pipelines.settings import store_of  # noqa: PLC0415

    store = store_of(os.environ)
    is_here = store is not None and store.duckdb_root is not None  # no request to a bucket
    sys.exit(run_check(os.environ, reports_here(fit=is_here), datetime.now(UTC).date()))


@cli.command()
@styled
def doctor(style: Style) -> None:
    """Check token, accounts and warehouse, and say what to do.

    The API version too, and what Meta has announced to end.
    """
    from pipelines.cli.commands.doctor import examine  # noqa: PLC0415

    sys.exit(SOME_FAILED if examine(os.environ, reports_here(), style) else ALL_DONE)


@cli.command()
@of_account_days()
@styled
def plan(
    since: date,
    until: date,
    accounts: tuple[str, ...],
    reports: tuple[str, ...],
    style: Style,
) -> None:
    """Estimate what a backfill would cost; load nothing.

    In report runs, calls and minutes, learned from what was loaded.
    """
    require_order(since, until)
    from pipelines.cli.commands.plan import run_plan  # noqa: PLC0415

    run = partial(run_plan, accounts=accounts, reports=reports, style=style)
    sys.exit(run(os.environ, reports_here(), since, until))


@cli.command(
    epilog="Exit code 0: all that can be is proven, and days that are not over are provisional; 1:"
    " some failed or do not add up; 2: wrong usage, or it was stopped by the token or a full disk."
)
@of_account_days()
@ACCEPT_EMPTY_OPTION
@styled
def backfill(  # noqa: PLR0913  # what a command line says
    since: date,
    until: date,
    accounts: tuple[str, ...],
    reports: tuple[str, ...],
    style: Style,
    *,
    accept_empty: bool,
) -> None:
    """Load a range of days, prove them and publish the tables.

    Newest first. A day that has not begun in an account is skipped. Reports by week or month load
    each whole period that has a day in the range.
    """
    require_order(since, until)
    from pipelines.cli.commands.backfill import run_backfill  # noqa: PLC0415

    run = partial(run_backfill, accounts=accounts, reports=reports, accept_empty=accept_empty)
    sys.exit(run(os.environ, reports_here(), since, until, style=style))


@cli.command(
    epilog="Exit code 0: all that can be is proven; 1: some failed or do not add up; 2: wrong"
    " usage, or it was stopped by the token or a full disk."
)
@ACCEPT_EMPTY_OPTION
@click.option("--full", is_flag=True, help="Reload all of the last 28 days, changed or not.")
@click.option(
    "--today",
    is_flag=True,
    help="Load only days that are not over, by the hour, for accounts that have spent something"
    " since the last time, as the schedule intraday does.",
)
@click.option(
    "--alert",
    is_flag=True,
    help="With --today: print what is unusual about today and was not reported yet, and send it to"
    " FB_ALERT_WEBHOOK.",
)
@ACCOUNT_OPTION
@styled
def refresh(  # noqa: PLR0913  # its options
    accounts: tuple[str, ...],
    style: Style,
    *,
    full: bool,
    today: bool,
    alert: bool,
    accept_empty: bool,
) -> None:
    """Load the newest days again, and what Meta has changed.

    It loads the newest 3 days of each account, and those of the last 28 whose totals Meta has
    changed, that were not over when they were loaded, that failed or did not add up, or that were
    never loaded though an earlier day was. Reports by week or month load the current period and
    each that ended in the last 28 days.
    """
    if today:
        if full or accept_empty:
            raise click.UsageError("--today cannot be combined with --full or --accept-empty.")
        from pipelines.cli.commands.refresh import run_one_tick  # noqa: PLC0415

        run_tick = partial(run_one_tick, accounts=accounts, style=style, is_watched=alert)
        sys.exit(run_tick(os.environ, reports_here()))
    if alert:
        raise click.UsageError("--alert goes with --today alone.")
    from pipelines.cli.commands.refresh import run_refresh  # noqa: PLC0415

    run = partial(run_refresh, accounts=accounts, full=full, accept_empty=accept_empty)
    sys.exit(run(os.environ, reports_here(), style=style))


@cli.command(epilog="Exit code 0: it is removed; 1: it is not; 2: wrong usage.")
@click.option("--account", required=True, metavar="ID", help="The ad account.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(account: str, *, yes: bool) -> None:
    """Remove an account and everything loaded from it.

    From the Parquet files, the published tables and Dagster's grid.
    """
    from pipelines.cli.commands.forget import run_forget  # noqa: PLC0415

    sys.exit(run_forget(os.environ, reports_here(), account, is_agreed=yes))


@cli.command(epilog="Exit code 0: everything is published; 1: something is left out; 2: it failed.")
def publish() -> None:
    """Bring warehouse.duckdb up to date with what is loaded."""
    from pipelines.cli.session import run_publish  # noqa: PLC0415

    known = reports_here()
    published = run_publish(os.environ, known)
    rows = sum(published.rows.values())
    click.echo(f"{published.path}: {counted(rows, 'row')}, {published.seconds:.1f} s")
    broken = known.why_broken()
    for name, why in broken.items():
        click.echo(f"{name}: {why}", err=True)
    sys.exit(SOME_FAILED if broken or published.left_out else ALL_DONE)


def main() -> None:
    """Entry point of the command `fbinsights`."""
    # pyarrow imports numpy, whose OpenBLAS starts a thread for each core. We multiply no matrices:
    # they spin for 0.1 of a backfill's 3.4 CPU-s.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    harden()
    run(lambda: run_typed(cli), INTERRUPTED)
