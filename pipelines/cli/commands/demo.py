"""`fbinsights demo`: the whole path against the sandbox, compared with the sandbox's own
records.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import warehouse
from fbgraph.sandbox import sandbox_apart
from pipelines.cli.commands.backfill import run_backfill
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of, wrapped
from pipelines.cli.summary import command_name
from pipelines.errors import ConfigError
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from pipelines.overview.keeping import keep_overview
from pipelines.overview.window import Window, last_days
from pipelines.project.folder import ENV_FILE, complete, contents
from pipelines.reports.catalog import reports_of
from pipelines.settings import settings_of, store_of
from pipelines.state.homes import SETTINGS, prepare
from pipelines.state.origin import refused
from pipelines.state.pending_runs import PENDING_FOLDER
from pipelines.variables import VARIABLES
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.storage.url import LOCAL_VARIABLE
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from fbgraph.sandbox import SandboxApart
    from pipelines.reports.catalog import Reports
    from warehouse.schema.catalog import Catalog

__all__ = ["ENV_HEAD", "SEE_LOADS", "DemoFolder", "not_the_demos", "run_demo"]

DAYS: Final = 3

#: Days of `insights_daily` for the page, and of what it shows: two weeks, compared with those
#: before. Eight weeks would take the demo more than 15 seconds.
PAGE_DAYS: Final = 28
SHOWN_DAYS: Final = PAGE_DAYS // 2

#: Of the user's settings none applies, but where files of a lake in a bucket are kept.
VARIABLE_NAMES: Final = {variable.name for variable in VARIABLES} - {LOCAL_VARIABLE}

#: Where the demo's folder expects the same company: `fbinsights sandbox` serves it there.
SANDBOX_URL: Final = "http://127.0.0.1:8810"

ENV_HEAD: Final = (
    "# Settings of the demo: a company of `fbinsights sandbox`, loaded into this folder."
)

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

#: Accounts that the answer lacks.
WITHOUT_HOURS: Final = """\
select account_name from accounts
where account_id not in (select account_id from account_hourly where hour is not null)
order by account_name"""

#: Why the table `loads` has more rows than account-days were loaded.
LOADS_OF_WHAT: Final = (
    "loads has each account-day twice: once for its rows, and once for the totals that prove them."
)

#: The question to begin with: its answer fits 80 columns.
SEE_LOADS: Final = "select account_id, date, verdict, reason from loads order by all"

#: Rows of objects that lists at Meta leave out unless every status is requested.
HIDDEN: Final = """\
select
  count(*) filter (coalesce(ads.effective_status, 'DELETED') in ('ARCHIVED', 'DELETED')), count(*)
from insights_hourly left join ads using (ad_id)"""

#: What the published file holds of each account-day.
SUMS: Final = """\
select account_id, date, count(*), sum(impressions), sum(clicks), sum(spend)
from insights_hourly group by all"""


def run_demo(seed: int, exported: Collection[str]) -> int:
    """Load the last days of the sandbox's accounts into a folder of the demo's own; returns the
    exit code of the backfill, or 1 if the published file differs from what the sandbox served.

    The user's settings do not apply, and neither their lake nor their Dagster home is touched.
    `exported`: the variables that they have set, other than by a `.env`. Raises ConfigError if the
    folder belongs to somebody else.
    """
    demo_folder = DemoFolder(seed)
    with sandbox_apart(seed=seed) as sandbox:
        _require_own(demo_folder, sandbox)
        _use(sandbox, demo_folder)
        zones = [account["timezone_name"] for account in sandbox.world()["accounts"]]
        until = min(last_days(zone, datetime.now(UTC)).until for zone in zones)  # over everywhere
        days = [until - timedelta(days=n) for n in reversed(range(DAYS))]
        print_note(
            f"A made-up company at {sandbox.url}: {counted(len(zones), 'ad account')}, {days[0]} to"
            f" {until}.\n"
        )
        known = reports_of(os.environ, store_of(os.environ))
        code = run_backfill(os.environ, known, days[0], until, reports=("insights_hourly",))
        differing = _differing(demo_folder.lake, sandbox, days)
        if not code and not differing:
            differing = _load_page_days(known, until)
    for what in differing:
        print_note(f"not what the sandbox served: {what}")
    if code or differing:
        return code or SOME_FAILED
    _show(demo_folder.lake, known.catalog)
    page = _page(demo_folder.lake, until)
    for line in next_steps(demo_folder, sandbox.token, exported, page):
        print_note(line)
    return ALL_DONE


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The project folder of the demo of a seed. Its lake is the folder itself."""

    seed: int

    @property
    def lake(self) -> str:
        return "./demo" if self.seed == 1 else f"./demo-seed-{self.seed}"

    @property
    def home(self) -> str:
        return f"{self.lake}/.dagster"


def _require_own(demo_folder: DemoFolder, sandbox: SandboxApart) -> None:
    """Raise ConfigError if the folder holds anything but an earlier demo of the same company."""
    folder = Path(demo_folder.lake)
    if what := not_the_demos(folder, sandbox.account_ids, sandbox.url):
        raise ConfigError(
            f"{folder.resolve()} {what}. Run the demo in another folder, or move this one."
        )


def not_the_demos(folder: Path, account_ids: Collection[str], graph_url: str) -> str:
    """What the folder holds that no demo of this company left, one that was ended midway included;
    empty if there is nothing.
    """
    held = set(Lake(folder).read("accounts")["account_id"].to_pylist())
    if others := held - set(account_ids):
        return f"holds the ad account {min(others)}, which is not the demo's"
    store = store_of({"WAREHOUSE_URL": str(folder)})
    if held and store and refused(store, graph_url):
        return "holds another company, maybe that of an earlier version's demo"
    if _was_made_here(folder) or all(path.name == SETTINGS for path in folder.glob("[!.]*")):
        return ""
    return "holds files that are not the demo's"


def _was_made_here(folder: Path) -> bool:
    """Whether a demo has written its settings (before anything else), or one of 0.1.0, which wrote
    none, has published.
    """
    env = folder / ENV_FILE
    is_ours = env.is_file() and env.read_bytes().startswith(ENV_HEAD.encode())
    return is_ours or (folder / ".snapshots").exists()


def _use(sandbox: SandboxApart, demo_folder: DemoFolder) -> None:
    """Make the demo's project folder, and point this process, and so its Dagster runs, at it and at
    the sandbox, and at nothing else.
    """
    ours = {
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "WAREHOUSE_URL": demo_folder.lake,
        "DAGSTER_HOME": str(Path(demo_folder.home).resolve()),
    }
    for name in VARIABLE_NAMES - ours.keys():
        os.environ.pop(name, None)
    os.environ.update(ours)
    home = Path(demo_folder.home)
    home.mkdir(parents=True, exist_ok=True)
    lines = [ENV_HEAD, *(f"{name}={value}" for name, value in _settings(sandbox.token).items())]
    files = {ENV_FILE: "\n".join([*lines, ""]), SETTINGS: contents()[SETTINGS]}
    complete(Path(demo_folder.lake), files)
    if (home / SETTINGS).is_file() and not (home / SETTINGS).is_symlink():
        (home / SETTINGS).unlink()  # an earlier demo's
    prepare(home)
    # A demo that was ended midway left report runs of its own sandbox, which this one has not.
    shutil.rmtree(Path(demo_folder.lake) / PENDING_FOLDER, ignore_errors=True)


def _settings(token: str) -> Mapping[str, str]:
    """The settings of the demo's folder, for commands that run in it."""
    return {"FB_GRAPH_URL": SANDBOX_URL, "FB_ACCESS_TOKEN": token, "WAREHOUSE_URL": "."}


def _differing(url: str, sandbox: SandboxApart, days: Sequence[date]) -> list[str]:
    """Account-days whose rows and sums differ from the sandbox's own records."""
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


def _load_page_days(known: Reports, until: date) -> list[str]:
    """Load and publish the weeks that the page is about; returns what failed. It is not reported to
    Dagster, whose events would take longer than the load.
    """
    settings = settings_of(os.environ)
    lake = Lake(settings.warehouse_url, catalog=known.catalog)
    report = known.by_name["insights_daily"]
    days = [until - timedelta(days=n) for n in range(PAGE_DAYS)]
    every = [AccountDay(account_id, day) for account_id in accounts_in(lake) for day in days]
    held = lake.loads_of(report.name, every)
    wanted = [one for one, load in zip(every, held, strict=True) if load is None]
    print_note(f"Loading {report.name} of four weeks, for a page to look at ...")
    with settings.open_graph() as client:
        session = Session(client, lake, "demo", lambda: datetime.now(UTC), Recording())
        loads = session.load(report, wanted)
    publish(lake.root, catalog=known.catalog)
    return [f"{one.account_day}: {one.error}" for one in loads.outcomes if one.error]


def _page(url: str, until: date) -> Path | None:
    """Where the page is; None if it could not be made, which costs the demo nothing else."""
    try:
        path, _ = keep_overview(url, datetime.now(UTC), Window.ending(until, SHOWN_DAYS))
    except (WarehouseError, OSError) as error:
        print_note(f"The page overview.html was not made: {error}")
        return None
    return path


def _show(url: str, catalog: Catalog) -> None:
    with warehouse.open(url) as opened:
        [(hidden, rows)] = opened.sql(HIDDEN).fetchall()
        click.echo(
            "\nEvery account-day holds exactly what the sandbox says it served."
            f"\n{hidden:,} of {counted(rows, 'row')} are of archived and deleted ads.\n"
        )
        tables = [
            (
                name,
                opened.sql(f"from {name}").count("*").fetchall()[0][0],
                table.meaning.partition(". ")[0].rstrip("."),
            )
            for name, table in catalog.tables.items()
        ]
        width = width_of(sys.stdout)
        for line in table_lines(("table", "rows", "what is in it"), tables, width):
            click.echo(line)
        click.echo()
        for line in wrapped(LOADS_OF_WHAT, width):
            click.echo(line)
        click.echo(f"\nThe busiest hour of each account:\n\n{QUESTION}\n")
        result = opened.sql(QUESTION)
        for line in table_lines(result.columns, result.fetchall(), width):
            click.echo(line)
        for name in (name for (name,) in opened.sql(WITHOUT_HOURS).fetchall()):
            click.echo(f"{name} is not listed: nothing was shown in any hour of these days.")


def next_steps(
    demo_folder: DemoFolder, token: str, exported: Collection[str], page: Path | None
) -> Sequence[str]:
    """What to look at and try next, with the lines to type. A variable that is `exported` would win
    over the `.env` of the demo's folder, so they set it as it is there.
    """
    folder = demo_folder.lake.removeprefix("./")
    seed = "" if demo_folder.seed == 1 else f" --seed {demo_folder.seed}"
    ours = _settings(token)
    mine = sorted({*exported} & {*VARIABLE_NAMES, "DAGSTER_HOME"})
    command = " ".join([*(f"{name}={ours.get(name, '')}" for name in mine), command_name(folder)])
    seen: list[str] = []
    if page:
        seen = ["- look at how each account is doing, and whether its numbers are complete. Open"]
        seen.append(f"    {page.resolve().as_uri()}")
    return (
        "\nNext:",
        *seen,
        f"- everything is in ./{folder}. See what was loaded, and what proves it:",
        f"    cd {folder}",
        f"    {command} query \\",
        f'      "{SEE_LOADS}"',
        "- see it in Dagster, where a click re-runs one day of one account. In this terminal:",
        f"    {command_name(folder)} sandbox{seed}",
        f"  and in another, in ./{folder} too:",
        f"    {command} dev",
        f"- your own accounts: `{command_name()} init DIR` makes a project folder for them",
    )
