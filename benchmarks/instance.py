"""Dagster's pages and daemon on an instance of 500 accounts, 400 days and all daily assets, in
SQLite or Postgres: ``python -m benchmarks.instance sqlite``, by name alone, some minutes.

The events are copies, with their tags, of those that a real load wrote. Pages are opened in a
browser, twice; ticks are those that the daemon itself recorded.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import dagster as dg
import sqlalchemy

from benchmarks.grid import ACCOUNTS, ARGUMENTS, DAYS, seconds_of, webserver
from fbgraph.sandbox import Sandbox
from tests.runs import run_job
from tests.scale import services
from tests.scale.farm import TEMPLATES
from tests.scale.services import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Page

__all__ = ["figures"]

ASSETS: Final = ("insights_hourly", "insights_daily", "control_daily")

#: The event of another cell.
_EVENT: Final = "replace(original.event, :cell, cells.key)"

#: An event to all cells, then its tags to all of those.
_COPY: Final[Mapping[str, str]] = {
    "event_logs": "insert into event_logs ({names}) select {values}"
    " from event_logs original cross join cells where original.id = :id",
    "asset_event_tags": "insert into asset_event_tags ({names}) select {values}"
    " from asset_event_tags original cross join event_logs where original.event_id = :id"
    " and event_logs.asset_key = :asset and event_logs.id > :id and event_logs.partition <> :cell"
    " and event_logs.dagster_event_type = 'ASSET_MATERIALIZATION'",
}

#: How long the daemon is watched.
WATCHED_SECONDS: Final = 60

#: page → what is on it once it has all that it asked for. One cell was loaded for real.
PAGES: Final = {
    "/assets/insights_hourly?view=partitions": f"Materialized ({len(ACCOUNTS) * len(DAYS) + 1})",
    f"/assets/insights_hourly?view=partitions&partition={ACCOUNTS[7]}%7C{DAYS[3]}": "verdict",
    "/assets/insights_hourly?view=events": "verdict",
    "/assets": "insights_hourly",
    "/runs": "accounts_job",
    "/automation": "follow_lake",
}


def figures(storage: str) -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a browser is not a must

    cells = len(ASSETS) * len(ACCOUNTS) * len(DAYS)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = Path(name)
        stack.enter_context(_configured(home, storage))
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        before = _bytes(home)
        _fill(instance)
        size = (_bytes(home) - before) / cells
        yield f"{storage}: {cells:,} events, each, index alone", f"{size / 1000:.1f} kB", ""
        url = stack.enter_context(webserver(home))
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(base_url=url, viewport={"width": 1360, "height": 850})
        page.set_default_timeout(60_000)
        for path, shown in PAGES.items():
            first, *warm = (seconds_of(partial(_open, page, path, shown)) for _ in range(3))
            yield f"{storage}: {path}", f"{median(warm):.1f} s (first {first:.1f} s)", "3 s"
        browser.close()
        yield from _ticks(home, instance, storage)


@contextmanager
def _configured(home: Path, storage: str) -> Iterator[None]:
    """A home of Dagster, and a sandbox whose lake it shows."""
    with ExitStack() as stack:
        if storage == "postgres":
            os.environ["DAGSTER_POSTGRES_URL"] = stack.enter_context(services.postgres())
        name = "deploy/dagster.postgres.yaml" if storage == "postgres" else "dagster.yaml"
        shutil.copy(TEMPLATES.parent / name, home / "dagster.yaml")
        sandbox = stack.enter_context(Sandbox(world="hostile"))
        os.environ |= {
            "DAGSTER_HOME": str(home),
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
            "WAREHOUSE_URL": str(home / "lake"),
            "FB_HISTORY_SINCE": str(DAYS[-1]),
        }
        os.chdir(home)  # dagster.yaml names its folder relative to where one is
        yield


def _fill(instance: dg.DagsterInstance) -> None:
    """Load one day for real, then copy its events to all cells of the grids."""
    _run(instance, "accounts_job")
    account = instance.get_dynamic_partitions("ad_accounts")[0]
    cell = f"{account}|2026-11-21"
    for asset in ASSETS[:2]:
        _run(instance, f"{asset}_job", cell, cell)
    instance.add_dynamic_partitions("ad_accounts", ACCOUNTS)
    originals = {
        asset: instance.fetch_materializations(dg.AssetKey(asset), limit=1).records[0].storage_id
        for asset in ASSETS
    }
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]  # of SQL
        connection.execute(sqlalchemy.text("create table cells (key text)"))
        keys = [{"key": f"{one}|{day}"} for day in DAYS for one in ACCOUNTS]
        connection.execute(sqlalchemy.text("insert into cells values (:key)"), keys)
        for asset, original in originals.items():
            for table, copies in (
                ("event_logs", {"partition": "cells.key", "event": _EVENT}),
                ("asset_event_tags", {"event_id": "event_logs.id"}),
            ):
                named = sqlalchemy.inspect(connection).get_columns(table)
                names = [one["name"] for one in named if one["name"] != "id"]
                values = ", ".join(copies.get(name, f"original.{name}") for name in names)
                statement = _COPY[table].format(names=", ".join(names), values=values)
                of = {"id": original, "cell": cell, "asset": f'["{asset}"]'}
                connection.execute(sqlalchemy.text(statement), of)
        connection.execute(sqlalchemy.text("drop table cells"))
        if connection.dialect.name == "postgresql":  # which does so by itself, within a minute
            connection.execute(sqlalchemy.text("analyze"))


def _run(instance: dg.DagsterInstance, job: str, *cells: str) -> None:
    if not run_job(instance, job, *cells).success:
        sys.exit(f"{job} failed")


def _bytes(home: Path) -> int:
    """What the database takes: the index of events, in SQLite without the files of runs."""
    if url := os.environ.get("DAGSTER_POSTGRES_URL"):
        with sqlalchemy.create_engine(url).connect() as connection:
            size = sqlalchemy.text("select pg_database_size(current_database())")
            return int(connection.execute(size).scalar_one())
    return sum(path.stat().st_size for path in home.rglob("index.db*"))


def _open(page: Page, path: str, shown: str) -> None:
    page.goto(path)
    page.get_by_text(shown).first.wait_for()


def _ticks(
    home: Path, instance: dg.DagsterInstance, storage: str
) -> Iterator[tuple[str, str, str]]:
    """How long the ticks of sensors took, and the CPU of the daemon meanwhile."""
    daemon = [sys.executable, "-m", "dagster._daemon", "run", "-m", "pipelines.definitions"]
    with running(daemon, home / "daemon.log", environ=dict(os.environ), cwd=home):
        time.sleep(WATCHED_SECONDS)
    for state in instance.all_instigator_state():
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
        taken = [one.end_timestamp - one.timestamp for one in ticks if one.end_timestamp]
        if taken:
            worst = f"{median(taken):.2f} s (worst {max(taken):.2f} s)"
            yield f"{storage}: tick of {state.instigator_name}", worst, "2 s"


if __name__ == "__main__":
    for line in figures(sys.argv[1]):
        print(*line, sep="  ", flush=True)
