"""The page of the grid with 500 accounts and 400 loaded days, until a browser shows it.

The instance is a real one in SQLite; its 200,000 events are copies of one that Dagster wrote.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import httpx

from benchmarks.measure import ROUNDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

__all__ = ["ACCOUNTS", "ARGUMENTS", "DAYS", "figures", "seconds_of", "webserver"]

ACCOUNTS: Final = [f"act_{700100000000000 + n}" for n in range(500)]
DAYS: Final = [date(2026, 11, 22) - timedelta(days=n) for n in range(400)]

#: For root, without a screen, with no errands of its own.
ARGUMENTS: Final = "--headless --no-sandbox --disable-gpu --disable-background-networking".split()

INSTANCE: Final = "telemetry: {enabled: false}\nnux: {enabled: false}\n"


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a browser is not a must

    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        home = Path(name)
        _fill(home)
        with webserver(home) as url:
            browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(base_url=url, viewport={"width": 1360, "height": 850})
            page.set_default_timeout(300_000)
            first = seconds_of(lambda: _open(page))
            again = median(seconds_of(lambda: _open(page)) for _ in range(ROUNDS))
            picked = median(seconds_of(partial(_pick, page, n)) for n in range(1, ROUNDS + 1))
            browser.close()
    what = f"grid of {len(ACCOUNTS)} accounts x {len(DAYS)} days in a browser"
    yield f"{what}, the first time", f"{first:.1f} s", ""
    yield f"{what}, when it was seen before", f"{again:.1f} s", ""
    yield "the same: a click on an account, until its days have their dots", f"{picked:.1f} s", ""


def _fill(home: Path) -> None:
    """An instance in which every day of every account was materialized."""
    import dagster as dg  # noqa: PLC0415  # slow to import
    from dagster._core.storage.event_log.schema import (  # noqa: PLC0415  # no public way
        SqlEventLogStorageTable as Events,
    )

    (home / "dagster.yaml").write_text(INSTANCE, encoding="utf-8")
    cells = [f"{account}|{day}" for account in ACCOUNTS for day in DAYS]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_dynamic_partitions("ad_accounts", ACCOUNTS)
        instance.report_runless_asset_event(
            dg.AssetMaterialization("insights_hourly", partition=cells[-1])
        )
        storage = instance.event_log_storage
        with storage.index_connection() as connection:  # type: ignore[attr-defined]  # of SQL
            row = connection.execute(Events.select()).mappings().one()
            same = {name: value for name, value in row.items() if name != "id"}
            copies = [{**same, "partition": cell} for cell in cells[:-1]]
            connection.execute(Events.insert(), copies)


@contextmanager
def webserver(home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "dagster_webserver", "-m", "pipelines.definitions"),
        *("-h", "127.0.0.1", "-p", str(port)),
    ]
    environ = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "FB_ACCESS_TOKEN": "none is needed",
        "FB_HISTORY_SINCE": str(DAYS[-1]),  # by itself a grid begins 13 months ago
    }
    url = f"http://127.0.0.1:{port}"
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=environ, stdout=log, stderr=log)  # noqa: S603  # ours
    try:
        while not _answers(url):
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info").is_success
    except httpx.HTTPError:
        return False


def _open(page: Page) -> None:
    page.goto("/assets/insights_hourly?view=partitions")
    page.get_by_text(f"Materialized ({len(ACCOUNTS) * len(DAYS)})").wait_for()


def _pick(page: Page, number: int) -> None:
    page.get_by_title(ACCOUNTS[number], exact=True).click()
    day = page.get_by_title(str(DAYS[0]), exact=True).locator("xpath=../..")
    day.locator("[style*='accent-green']").wait_for()


def seconds_of(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began
