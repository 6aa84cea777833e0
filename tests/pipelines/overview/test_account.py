"""What a page says of an account that is loaded in part, of days without hours, and of old ones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import warehouse
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from pipelines.overview.account_words import words_of
from pipelines.overview.page import overview_of
from pipelines.overview.reading import AccountPage, Restated, pages_of
from pipelines.overview.sums import DayNumbers
from pipelines.overview.today import NOTHING_YET, TodayNumbers, words_of_today
from pipelines.overview.trust import DayTrust, Trust
from pipelines.overview.window import Window
from tests.reports import KNOWN
from warehouse.decode.pages import Account, decode
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.published.publish import publish
from warehouse.schema.columns import HOURLY

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = Window(date(2026, 11, 17), date(2026, 11, 18))
BOTH = [*WINDOW.before.days, *WINDOW.days]


def page(purchases: dict[date, Decimal | None]) -> AccountPage:
    """An account with the same spend on each day of both windows, all of them proven."""
    day = BOTH[-1]
    made = AccountPage("1", "Here", "EUR", "UTC", WINDOW, today=day, date_now=day)
    for day in BOTH:
        bought = purchases.get(day, Decimal(4))
        value = None if bought is None else 3 * bought
        made.numbers[day] = DayNumbers(Decimal(10), 100, 5, bought, value)
        made.trust[day] = DayTrust(day, Trust.PROVEN)
    return made


def test_an_account_is_called_complete_only_where_the_box_on_top_is_green() -> None:
    no_total, no_purchases = page({}), page({WINDOW.since: None})
    no_total.trust[WINDOW.since] = DayTrust(WINDOW.since, Trust.UNPROVABLE)

    found = [words_of(one, lambda _: "") for one in (page({}), no_total, no_purchases)]

    assert [(one.tone, one.completeness) for one in found] == [
        ("good", "complete"),
        ("doubtful", "1 day without a total"),
        ("doubtful", "purchases of 1 day not known"),
    ]


def test_purchases_are_compared_only_if_those_of_all_days_are_known() -> None:
    half_before = page({WINDOW.before.since: None})

    changes = {
        figure.label: figure.change for figure in words_of(half_before, lambda _: "").figures
    }

    assert changes == {
        "Spend": 0.0,
        "Purchases": None,
        "Cost per purchase": None,
        "ROAS": None,
        "Click rate": 0.0,
        "Cost per 1,000": 0.0,
    }
    assert {figure.change for figure in words_of(page({}), lambda _: "").figures} == {0.0}


def test_yesterday_is_not_called_today() -> None:
    day = date(2026, 11, 23)
    asked, spend = datetime(2026, 11, 23, 18, 5, tzinfo=UTC), Decimal(9)
    open_day = TodayNumbers(day, asked, 17, 0.7, spend, spend, spend, 4, "")

    then, later = (words_of_today(open_day, "EUR", one).sentence for one in (day, date.max))

    assert then.startswith("As usual: €9.00 by 18:00")
    assert then.endswith("Asked 23 Nov, 18:05 UTC.")
    assert later == f"{NOTHING_YET} The day below is Monday, 23 Nov: {then}"


def put(lake: Lake, report: str, day: date, spend: str, loaded_at: datetime) -> None:
    """Load an ad's day, or its hour from 21 to 22, without clicks, and without spend if that is "":
    Meta may leave a field out.
    """
    table = KNOWN.catalog.tables[report]
    row = {
        "account_id": "11",
        "campaign_id": "20",
        "adset_id": "25",
        "ad_id": "30",
        "date_start": str(day),
        "date_stop": str(day),
        "impressions": "1",
        "spend": spend,
    }
    if not spend:
        del row["spend"]
    if report == "insights_hourly":
        row[HOURLY] = "21:00:00 - 21:59:59"
    body = json.dumps({"data": [row]}).encode()
    rows = decode(table, [body], Account("11", "UTC", "EUR"), [day]).rows
    load = Load(
        table=report,
        account_id="11",
        date=day,
        rows=rows.num_rows,
        loaded_at=loaded_at,
        is_over=day < loaded_at.date(),
        verdict="proven",
        spend=Decimal(spend or 0),
    )
    lake.replace(table, rows, account_id="11", date=day, load=load)


def test_an_account_turns_the_box_red_if_all_of_its_loads_failed_and_not_if_none_was_tried(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path / "data", catalog=KNOWN.catalog)
    newest = datetime(2026, 11, 19, 9, tzinfo=UTC)
    accounts = [
        {"id": f"act_{key}", "account_id": key, "name": name, "currency": "EUR"}
        for key, name in (("11", "Here"), ("12", "There"))
    ]
    store_accounts(lake, [{**one, "timezone_name": "UTC"} for one in accounts], newest)
    for day in WINDOW.days:
        put(lake, "insights_daily", day, "4.00", newest)

    def shown() -> str:
        publish(lake.root, catalog=KNOWN.catalog)
        with warehouse.open(lake.root) as opened:
            return overview_of(opened, lake.store.read, newest, WINDOW).html

    untried = shown()
    failed = Outcome(AccountDay("12", WINDOW.until), error="No right")
    Failures(lake.store, "insights_hourly").note(failed, newest, "run-1")
    tried = shown()

    assert 'class="banner good"' in untried
    assert 'class="banner bad"' in tried
    assert "1 failed to load, 1 was never loaded" in tried
    assert "No right" in tried
    assert all("Not loaded at all: There." in page for page in (untried, tried))


def test_changes_of_days_that_have_no_hours_and_hours_of_old_days_are_shown(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path / "data", catalog=KNOWN.catalog)
    until = WINDOW.until
    newest = datetime(2026, 11, 30, 9, tzinfo=UTC) + timedelta(weeks=20)
    account = {"id": "act_11", "account_id": "11", "name": "Here", "currency": "EUR"}
    store_accounts(lake, [{**account, "timezone_name": ""}], newest)  # read as UTC
    for weeks, spend in ((1, "4.00"), (2, "4.50")):
        put(lake, "insights_daily", WINDOW.since, spend, newest - timedelta(weeks=10 - weeks))
    put(lake, "insights_hourly", until, "7.00", newest)
    put(lake, "insights_hourly", newest.date(), "", newest)
    publish(lake.root, catalog=KNOWN.catalog)

    with warehouse.open(lake.root) as opened:
        [found] = pages_of(opened, newest, WINDOW)

    assert found.restated == {WINDOW.since: Restated(Decimal("4.00"), Decimal("4.50"))}
    assert found.hours[until.isoweekday(), 21] == 7.0
    assert found.hour_days == 1
    assert found.open_day is not None
    assert found.open_day.hours == {newest.date(): {21: 0}}
