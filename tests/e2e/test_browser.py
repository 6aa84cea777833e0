"""What a person sees and clicks: the grid of Dagster in a real browser, over the whole system. And
what else `make test` needs a whole `dagster dev` for: it takes long to start.

With SCREENSHOTS=1 (`make screenshots`) the pictures of the documents are made on the way.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from fbgraph.limits.shared_cooldowns import Cooldown
from fbgraph.limits.usage import Limit
from pipelines.state.cooldowns import cooldowns_of
from tests.e2e.dev import LAST, ROOT, Dagster, wait_until
from tests.pace import PATIENCE_SECONDS, within
from warehouse.published.publish import LINK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHROMIUM: Final = shutil.which("chromium")
NO_CHROMIUM: Final = "there is no Chromium: apt-get install chromium"

#: Without these it looks for hosts of its maker, and a sandbox of its own that root cannot have.
ARGUMENTS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

#: Dots of cells. Dagster names its colors; nothing else on the page tells them apart.
GREEN: Final = re.compile("accent-green")
RED: Final = re.compile("accent-red")
GRAY: Final = re.compile("accent-gray")

PICTURES: Final = ROOT / "docs" / "img"

#: What the check `up_to_date` says when it is so.
UP_TO_DATE: Final = "nothing has changed since"


@dataclass(frozen=True)
class Grid:
    """The page Partitions of `insights_hourly`."""

    page: Page

    def open(self, cell: str = "") -> None:
        chosen = f"&partition={cell.replace('|', '%7C')}" if cell else ""
        self.page.goto(f"/assets/insights_hourly?view=partitions{chosen}")
        expect(self.page.get_by_text("Partitions Selected")).to_be_visible()

    def dot(self, key: str) -> Locator:
        """The dot of a day of the chosen account, or of an account."""
        row = self.page.get_by_title(key, exact=True).locator("xpath=../..")
        return row.locator("[style*='border-radius: 100%']")

    def dialog(self) -> Locator:
        self.page.get_by_role("button", name="Materialize…").click()
        dialog = self.page.get_by_role("dialog").filter(has_text="Partition selection")
        # Both fields are lists of keys until the page knows that one of them is a calendar.
        expect(dialog.get_by_placeholder("ex: ")).to_be_visible()
        return dialog

    def materialize_cell(self) -> None:
        """The chosen cell, and wait until the dialog is gone."""
        dialog = self.dialog()
        dialog.get_by_role("button", name="Launch 1 run").click()
        expect(dialog).to_be_hidden()

    def choose(self, accounts: Sequence[str], first: str, last: str) -> Locator:
        """Accounts and days in the dialog; ready to be launched."""
        dialog = self.dialog()
        days = dialog.get_by_placeholder("ex: ")
        days.fill(f"[{first}...{last}]")
        days.press("Enter")
        dialog.get_by_text("Select a partition").click()
        for account in accounts:
            self.page.get_by_role("menuitem").filter(has_text=account).click()
        self.page.keyboard.press("Escape")
        return dialog

    def show_days(self, first: str, last: str) -> None:
        days = self.page.get_by_placeholder("ex: ")
        days.fill(f"[{first}...{last}]")
        days.press("Enter")

    def metadata(self) -> Mapping[str, str]:
        """What stands on the page about the chosen cell."""
        self.page.reload()  # the dots change by themselves, the rest does not
        table = self.page.get_by_role("table").filter(has_text="dagster/partition_row_count")
        expect(table).to_be_visible()
        names, values = (
            table.locator(f"> tbody > tr > td:nth-child({n})").all_inner_texts() for n in (1, 2)
        )
        return {name.strip(): text.strip() for name, text in zip(names, values, strict=True)}


@pytest.fixture(scope="module")
def page(dagster: Dagster) -> Iterator[Page]:
    # Not where the browser is promised: tests that never run prove nothing.
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip(NO_CHROMIUM)
    assert CHROMIUM, NO_CHROMIUM
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_page(base_url=dagster.url, viewport={"width": 1360, "height": 850})
        opened.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield opened
        browser.close()


@pytest.fixture
def grid(page: Page) -> Grid:
    return Grid(page)


def shows(page: Page, path: str, words: str) -> bool:
    """Whether a page, opened anew, shows these words within some seconds."""
    page.goto(path)
    with suppress(PlaywrightTimeoutError):
        page.get_by_text(words).first.wait_for(timeout=5_000)
        return True
    return False


def keep(page: Page, name: str) -> None:
    """A picture for the documents, when they are asked for."""
    if os.environ.get("SCREENSHOTS"):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def test_one_cell_is_materialized_by_clicks_and_its_pages_tell_the_truth(
    dagster: Dagster, grid: Grid
) -> None:
    cell = dagster.cell(0, 3)
    account, _, day = cell.partition("|")
    grid.open(cell)
    expect(grid.dot(day)).to_have_attribute("style", GRAY)

    grid.materialize_cell()

    expect(grid.dot(day)).to_have_attribute("style", GREEN)
    told = grid.metadata()
    truth = dagster.sandbox.truth(account.removeprefix("act_"), dagster.day(3))
    name = dagster.sandbox.world()["accounts"][0]["name"]
    assert (told["account_name"], told["verdict"]) == (name, "proven")
    assert told["dagster/partition_row_count"] == str(truth["count"])
    assert told["impressions"] == told["control_impressions"] == truth["sums"]["impressions"]
    assert float(told["spend"]) == float(truth["sums"]["spend"])
    grid.page.get_by_text("Checks", exact=True).click()
    expect(grid.page.get_by_text("All account-days add up to their totals (1)")).to_be_visible()
    expect(grid.page.get_by_text("Passed", exact=True)).to_be_visible()


@pytest.mark.slow
def test_what_a_click_has_loaded_is_in_the_published_file_soon_and_says_so(
    dagster: Dagster, grid: Grid
) -> None:
    cell = dagster.cell(4, 2)
    grid.open(cell)

    grid.materialize_cell()

    expect(grid.dot(cell.partition("|")[2])).to_have_attribute("style", GREEN)
    wait_until(lambda: dagster.is_published(cell))
    # The run's check comes after its publish, and the page shows what was there when it was opened.
    wait_until(lambda: shows(grid.page, "/assets/warehouse_duckdb?view=checks", UP_TO_DATE))
    grid.page.goto("/assets/warehouse_duckdb")
    expect(grid.page.get_by_text("Latest materialization")).to_be_visible()
    expect(grid.page.get_by_text(str(dagster.lake.root / LINK)).first).to_be_visible()
    # Nor do accounts that are listed again make anything "Unsynced".
    assert dagster.finish(dagster.run("accounts_job")) is dg.DagsterRunStatus.SUCCESS
    assert dagster.stale_status("insights_hourly", cell) == "FRESH"
    assert dagster.stale_status("insights_hourly") == "FRESH"
    # "Unsynced" comes late on a page, and would not be missed there: the page's own question.
    wait_until(lambda: dagster.stale_status("warehouse_duckdb") == "FRESH")


@pytest.mark.slow
def test_a_backfill_of_two_accounts_and_three_days_turns_six_cells_green(
    dagster: Dagster, grid: Grid
) -> None:
    accounts = [dagster.cell(number).partition("|")[0] for number in (1, 3)]
    before, first, middle, last, after = (str(dagster.day(back)) for back in (6, 5, 4, 3, 2))
    grid.open()

    dialog = grid.choose(accounts, first, last)
    expect(dialog.get_by_text("6 partitions")).to_be_visible()
    keep(grid.page, "backfill")
    dialog.get_by_role("button", name="Launch backfill").click()

    for account in accounts:
        grid.open(f"{account}|{first}")
        for day in (first, middle, last):
            expect(grid.dot(day)).to_have_attribute("style", GREEN)
        for day in (before, after):
            expect(grid.dot(day)).to_have_attribute("style", GRAY)


@pytest.mark.slow
def test_a_cell_that_fails_is_red_and_tells_why_and_is_green_when_it_was_run_again(
    dagster: Dagster, grid: Grid
) -> None:
    cell = dagster.cell(1, 8)
    day = cell.partition("|")[2]
    dagster.sandbox.use("forbidden_account")
    grid.open(cell)

    grid.materialize_cell()

    expect(grid.dot(day)).to_have_attribute("style", RED)
    grid.page.reload()
    expect(grid.page.get_by_text("failed, and did not materialize this asset")).to_be_visible()
    # What Meta said is in the cell's own events, without a look into a log.
    grid.page.get_by_text("View all historical events").click()
    events = grid.page.get_by_role("dialog").filter(has_text="Historical events")
    events.get_by_text(cell).last.click()
    expect(grid.page.get_by_text("Failed: (#200) Ad account owner has NOT").first).to_be_visible()
    keep(grid.page, "failed")
    grid.open(cell)
    grid.page.get_by_role("button", name="View logs").click()
    told = grid.page.get_by_text("1 of 1 failed; what was loaded before is unchanged").last
    for words in (f"{cell}: (#200)", "ads_read permission", "user access to this ad account"):
        expect(told).to_contain_text(words)
    grid.open(dagster.cell(1, 4))
    grid.show_days(str(dagster.day(14)), str(dagster.day(0)))
    expect(grid.dot(day)).to_have_attribute("style", RED)
    keep(grid.page, "grid")

    dagster.sandbox.use()
    grid.open(cell)
    grid.materialize_cell()

    expect(grid.dot(day)).to_have_attribute("style", GREEN)
    assert grid.metadata()["verdict"] == "proven"


def test_two_runs_that_race_for_one_account_day_leave_one_whole_file(dagster: Dagster) -> None:
    cell = dagster.cell(2)
    runs = [dagster.launch(cell, cell) for _ in range(2)]

    statuses = [dagster.finish(run_id) for run_id in runs]

    assert statuses == [dg.DagsterRunStatus.SUCCESS] * 2
    account_id = dagster.sandbox.account_ids[2]
    load = dagster.lake.load_of("insights_hourly", account_id, LAST)
    truth = dagster.sandbox.truth(account_id, LAST)
    assert load
    assert (load.rows, load.verdict) == (truth["count"], "proven")
    assert load.run_id in runs


def test_ticks_of_today_are_dots_of_plots_and_their_schedule_is_on_the_page_of_automation(
    dagster: Dagster, page: Page
) -> None:
    """What they load is in other tests: the clock of this Dagster is not the sandbox's."""
    dagster.sandbox.use()
    ended = [dagster.finish(dagster.run("intraday_job")) for _ in range(2)]

    assert ended == [dg.DagsterRunStatus.SUCCESS] * 2
    page.goto("/assets/intraday")
    expect(page.get_by_text("What each tick of today did")).to_be_visible()
    table = page.get_by_role("table").filter(has_text="accounts_asked")
    accounts = table.get_by_role("row").filter(has=page.get_by_text("accounts", exact=True))
    expect(accounts).to_contain_text(str(len(dagster.sandbox.account_ids)))
    page.get_by_role("button", name="Plots").click()
    for name in ("accounts_asked", "open_days_loaded", "days_closed", "calls", "seconds"):
        expect(page.get_by_text(name, exact=True)).to_be_attached()
    expect(page.locator("canvas").first).to_be_visible()
    keep(page, "intraday")
    page.goto("/automation")
    expect(page.get_by_text("Scheduled At 10 minutes past the hour")).to_be_visible()


#: What the page of a run shows while it waits for a limit.
WAITS = re.compile(
    r"act_(\d+) waits until \d\d:\d\d UTC \(5[45] min\) for the account's limit for insights: Meta"
    r" reports that it is used up\."
)


def test_a_run_that_waits_for_a_limit_says_who_waits_for_what_until_when_and_can_be_stopped(
    dagster: Dagster,
) -> None:
    dagster.sandbox.use("never_resets:55")
    run_id = dagster.click(dagster.cell(1, 40))

    def waits() -> set[tuple[str, str]]:
        logged = ((level, WAITS.search(text)) for level, text in dagster.log(run_id))
        return {(level, found[1]) for level, found in logged if found}

    wait_until(waits)
    seen, before = waits(), time.monotonic()
    dagster.terminate(run_id)
    ended = dagster.finish(run_id)
    seconds = time.monotonic() - before

    dagster.sandbox.use()
    account_id = dagster.sandbox.account_ids[1]
    cooldowns_of(dagster.lake.store, time.time).put(
        Limit(account_id, "ads_insights"), Cooldown(0.0)
    )
    assert seen == {("WARNING", account_id)}
    assert ended is dg.DagsterRunStatus.CANCELED
    assert seconds < within(15)
