"""The page to look at, in a real browser: made from a lake that was really loaded, with damage
planted, its numbers equal to SQL on the published file.
"""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client
from playwright.sync_api import sync_playwright

import warehouse
from fbgraph.sandbox import Sandbox
from pipelines.agents.bounds import Bounds
from pipelines.agents.server import server_of
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from pipelines.overview.keeping import keep_overview
from pipelines.overview.page import overview_of
from pipelines.overview.wording import NONE
from tests.e2e.overview_lake import (
    DIFFERS,
    FAILED,
    MISSING,
    NOW,
    WINDOW,
    Made,
    loaded,
    plant,
    written,
)
from tests.e2e.test_browser import ARGUMENTS, CHROMIUM, NO_CHROMIUM, PICTURES
from tests.pipelines.agents.conftest import Agent
from warehouse.errors import BucketError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import LINK, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, FloatRect, Page

pytestmark = pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason=NO_CHROMIUM)

LEVELS: Final = ("account", "campaign", "adset", "ad")

WHY: Final = "Meta did not answer </script><b>in time</b>"

SUMS: Final = """\
select account_id, sum(spend), sum(purchases), sum(clicks), sum(impressions)
from account_daily where date between '2026-11-17' and '2026-11-22' group by all"""


#: Account, day, spend, impressions, clicks.
Row = tuple[str, str, str, int, int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("work")
    days = [*WINDOW.before.days, *WINDOW.days, NOW.date()]
    lake, accounts = loaded(folder, days, days, number=2, without=(FAILED, MISSING))
    plant(lake, accounts[0])
    failures = Failures(lake.store, "insights_hourly")
    failures.note(Outcome(AccountDay(accounts[0], FAILED), error=WHY), NOW, "run-1")
    return written(lake, accounts, WINDOW)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, NO_CHROMIUM
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def opened_page(browser: Browser, made: Made, width: int, scheme: str, **more: bool) -> Page:
    """The page, opened as a file; it fails the test if anything leaves or goes wrong."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        **more,  # type: ignore[arg-type]  # java_script_enabled
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else faults.append(r.url)
    )
    page.goto(made.path.as_uri())
    if more.get("java_script_enabled", True):
        page.locator("article.chosen .chart.drawn").nth(2).wait_for()
    assert faults == []
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1280])
def test_every_chart_has_marks_and_nothing_leaves(
    browser: Browser, made: Made, width: int, scheme: str
) -> None:
    page = opened_page(browser, made, width, scheme)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator("article.chosen .chart").all():
        assert chart.locator("svg .mark-rect path, svg .mark-line path").count() > 0
        assert chart.get_attribute("aria-label")
    assert page.locator("article.chosen").count() == 1
    assert _contrasts(page) == []
    page.context.close()


#: Texts whose contrast with what is behind them is below WCAG's 4.5.
CONTRAST: Final = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const lum = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = (e) => { while (e) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; e = e.parentElement; }
    return [255, 255, 255, 1]; };
  const bad = [];
  for (const e of document.querySelectorAll("h1,h2,h3,h4,p,th,td,dt,dd,small,button,.badge,code,summary,strong,.better,.worse")) {
    if (!e.offsetParent || !e.textContent.trim()) continue;
    const a = lum(parse(getComputedStyle(e).color)), b = lum(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(e.tagName + " " + e.className + " " + ratio.toFixed(2) + " " + e.textContent.slice(0, 30));
  }
  return bad;
}"""  # noqa: E501  # a small program


def _contrasts(page: Page) -> list[str]:
    return list(page.evaluate(CONTRAST))


def test_sums_equal_the_published_tables(browser: Browser, made: Made) -> None:
    with warehouse.open(made.lake.root) as opened:
        rows = {row[0]: row[1:] for row in opened.sql(SUMS).fetchall()}
    page = opened_page(browser, made, 1280, "light")
    for account_id in made.account_ids:
        spend, purchases, clicks, impressions = rows[account_id]
        page.locator(f'.picker button[data-account="{account_id}"]').click()
        figures = page.locator(f"#account-{account_id} .figures dd").all_inner_texts()
        shown = [figure.partition("\n")[0] for figure in figures]
        assert _number(shown[0]) == pytest.approx(float(spend), rel=0.0005)
        assert _number(shown[1]) == pytest.approx(float(purchases))
        assert _number(shown[4]) == pytest.approx(100 * clicks / impressions, abs=0.005)
        drawn = json.loads(page.locator("#data").inner_text())[account_id]["days"]
        days = [str(day) for day in WINDOW.days]
        inside = [n for n, day in enumerate(drawn["date"]) if day in days]
        assert sum(drawn["spend"][n] or 0 for n in inside) == pytest.approx(float(spend))
    page.context.close()


#: Every view of insights by day or hour, and the one that Fivetran's models read → its clicks: that
#: one has them in a rate alone.
DOORS: Final = {
    **{f"{level}_{grain}": "clicks" for level in LEVELS for grain in ("daily", "hourly")},
    "fivetran.basic_ad": "round(ctr * impressions / 100)",
}

BY_DAY: Final = """\
select account_id::varchar, date::varchar, sum(spend)::decimal(18, 2)::varchar,
       sum(impressions)::bigint, sum({})::bigint
from {} where date between '2026-11-17' and '2026-11-22' group by all order by all"""


def test_page_views_schema_fivetran_and_agents_all_have_what_the_sandbox_served(
    browser: Browser, made: Made
) -> None:
    """By account and day, to the last coin. That the marts of dbt have it too is in tests/dbt."""
    served = sorted(_served(made.account_ids))

    with warehouse.open(made.lake.root) as opened:
        seen: dict[str, Sequence[Row]] = {
            view: opened.sql(BY_DAY.format(clicks, view)).fetchall()
            for view, clicks in DOORS.items()
        }
    page = opened_page(browser, made, 1280, "light", java_script_enabled=False)
    seen["page"] = sorted(_on_page(page, made.account_ids))
    page.context.close()
    server = server_of(made.lake.root / LINK, Bounds())
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server)) as client,
    ):
        agent = Agent(portal, client)
        rows = agent.call("query", sql=BY_DAY.format("clicks", "account_daily"))["rows"]
        span = {"since": str(WINDOW.since), "until": str(WINDOW.until)}
        trusted = [agent.call("trust", account=one, **span)["spend"] for one in made.account_ids]
    seen["agent"] = [(*row,) for row in rows]

    assert {door: rows for door, rows in seen.items() if rows != served} == {}
    assert [Decimal(spend) for spend in trusted] == [
        sum(Decimal(row[2]) for row in served if row[0] == account_id)
        for account_id in made.account_ids
    ]
    assert len(served) == 2 * len(WINDOW.days) - 2


def _served(accounts: Sequence[str]) -> Iterator[Row]:
    with Sandbox(now=lambda: NOW) as sandbox:
        for account_id in accounts:
            for day in WINDOW.days:
                sums = sandbox.truth(account_id, day)["sums"]
                shown, clicked = int(sums["impressions"]), int(sums["clicks"])
                if account_id != accounts[0] or day not in {FAILED, MISSING}:
                    yield account_id, str(day), f"{Decimal(sums['spend']):.2f}", shown, clicked


def _on_page(page: Page, accounts: Sequence[str]) -> Iterator[Row]:
    for account_id in accounts:
        for row in page.locator(f"#account-{account_id} details tbody tr").all():
            day, spend, impressions, clicks, *_ = row.locator("th, td").all_inner_texts()
            if spend != NONE:
                coins = re.sub(r"[^\d.]", "", spend)
                shown, clicked = (int(_number(text)) for text in (impressions, clicks))
                yield account_id, day.split()[-1], coins, shown, clicked


def _number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def test_distrust_is_next_to_the_number_it_concerns(browser: Browser, made: Made) -> None:
    page = opened_page(browser, made, 1280, "light")
    first, second = made.account_ids

    assert "9 of 12 account-days add up" in page.locator(".banner h2").inner_text()
    assert "€12.34" in page.locator(".banner").inner_text()
    assert "2 account-days without data" in page.locator(".banner").inner_text()
    row = page.locator("table.cards tbody tr").filter(has_text="Nordlicht DE")
    assert "2 days missing" in row.inner_text()
    assert "not comparable" in row.inner_text()
    kinds = json.loads(page.locator("#data").inner_text())[first]["days"]
    by_day = dict(zip(kinds["date"], kinds["kind"], strict=True))
    assert [by_day[str(day)] for day in (DIFFERS, FAILED, MISSING)] == ["differs", "gap", "gap"]
    assert by_day[str(NOW.date())] == "open"
    assert page.locator(f"#account-{first}").get_by_text("\N{MULTIPLICATION SIGN}").count() >= 2
    for kind in ("proven", "differs", "failed", "missing"):
        assert page.locator(f".grid rect.{kind}").count() > 0
    reasons = page.locator(".bad-days").inner_text()
    assert WHY in reasons  # as it is, and not as markup
    assert f"fbinsights backfill --since {FAILED} --until {FAILED} --account act_{first}" in reasons
    page.locator(f'.picker button[data-account="{second}"]').focus()
    page.keyboard.press("Enter")
    assert page.locator(f"#account-{second}").is_visible()
    assert not page.locator(f"#account-{first}").is_visible()
    page.context.close()


def test_an_account_is_opened_by_its_name_and_printed_with_it(browser: Browser, made: Made) -> None:
    page = opened_page(browser, made, 375, "dark")
    second = page.locator(f"#account-{made.account_ids[1]}")

    page.locator(f'th a[href="#account-{made.account_ids[1]}"]').click()
    page.wait_for_function("scrollY > 400")  # down to the account
    in_view = second.bounding_box()
    page.emulate_media(media="print")

    assert in_view
    assert 0 < in_view["y"] < 300
    assert second.locator(".account-name").is_visible()
    assert not page.locator(".picker").is_visible()
    page.context.close()


def test_without_scripts_everything_but_the_charts_is_there(browser: Browser, made: Made) -> None:
    page = opened_page(browser, made, 1280, "light", java_script_enabled=False)

    for account_id in made.account_ids:
        article = page.locator(f"#account-{account_id}")
        assert article.is_visible()
        assert article.locator("details tbody tr").count() == len(WINDOW.days)
        assert article.locator("details tbody").is_visible()
        assert article.locator("table.week td").count() >= 7 * 24
    assert not page.locator(".chart").first.is_visible()
    page.context.close()


def test_where_the_bucket_does_not_answer_the_page_waits_once_and_has_no_thumbnails(
    made: Made,
) -> None:
    tried: list[str] = []

    def read(path: str) -> bytes:
        tried.append(path)
        raise BucketError(f"{path} could not be read", "retry later")

    with warehouse.open(made.lake.root) as opened:
        with_pictures = overview_of(opened, made.lake.store.read, NOW, WINDOW).html
        without = overview_of(opened, read, NOW, WINDOW).html

    assert "data:image" in with_pictures
    assert "data:image" not in without
    assert len(tried) == 1


def test_pages_are_kept_by_day_and_an_empty_lake_says_how_to_begin(
    made: Made, tmp_path: Path
) -> None:
    (made.lake.root / "overviews").mkdir()
    outdated = made.lake.root / "overviews" / f"{NOW.date() - timedelta(days=35)}.html"
    outdated.write_text("old")

    newest, page = keep_overview(made.lake.root, NOW)
    _, nothing = keep_overview(tmp_path / "empty", NOW)

    assert newest.read_text(encoding="utf-8") == page.html
    assert [path.name for path in (made.lake.root / "overviews").iterdir()] == [
        f"{NOW.date()}.html"
    ]
    assert page.number == 2
    assert "fbinsights demo" in nothing.html
    assert "<script" not in nothing.html


def test_where_every_load_failed_the_page_says_why_and_what_to_do(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "data")
    failures = Failures(lake.store, "insights_hourly")
    failures.note(Outcome(AccountDay("1", FAILED), error=WHY), NOW, "run-1")
    publish(lake.root)

    _, page = keep_overview(lake.root, NOW)

    assert "No load has succeeded so far." in page.html
    assert "in time&lt;/b&gt;" in page.html
    assert f"fbinsights backfill --since {FAILED}" in page.html


#: Name of a picture → width, scheme, and how much of the page it shows.
SHOTS: Final = {
    "overview": (1280, "light", 950),
    "overview_dark": (1280, "dark", 950),
    "overview_phone": (375, "light", 1400),
    "overview_today": (1280, "light", 1110),
}


@pytest.mark.skipif(not os.environ.get("SCREENSHOTS"), reason="`make screenshots` takes them")
def test_pictures_of_the_documents(browser: Browser, tmp_path: Path) -> None:
    """Of eight weeks of all accounts, one of whose days does not add up."""
    days = [NOW.date() - timedelta(days=n) for n in range(57)]
    lake, accounts = loaded(tmp_path, days[:29], days, number=7, without=())
    plant(lake, accounts[5])
    made = written(lake, accounts, None)

    for name, (width, scheme, height) in SHOTS.items():
        page = opened_page(browser, made, width, scheme)
        begins = page.locator("article.chosen h3").nth(1).bounding_box()
        assert begins
        top = begins["y"] - 20 if name == "overview_today" else 0
        clip: FloatRect = {"x": 0, "y": top, "width": width, "height": height}
        page.screenshot(path=PICTURES / f"{name}.png", clip=clip, full_page=True)
        page.context.close()
    assert all((PICTURES / f"{name}.png").stat().st_size < 250_000 for name in SHOTS)
