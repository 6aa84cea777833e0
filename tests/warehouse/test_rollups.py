"""Views by ad, ad set, campaign and account: from hours, from days, and from both."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from warehouse.catalog import publish
from warehouse.decode import Account, decode
from warehouse.loads import Load
from warehouse.schema import TABLES
from warehouse.views import VIEWS

if TYPE_CHECKING:
    from warehouse.lake import Lake

DAY = date(2026, 11, 21)
LEVELS = ("ad", "adset", "campaign", "account")


def put_day(lake: Lake, *ads: dict[str, Any], day: date = DAY, **more: Any) -> None:
    """Load a day of account 11 into insights_daily; an ad is what it differs in from the others."""
    common = {
        "account_id": "11",
        "campaign_id": "20",
        "adset_id": "25",
        "campaign_name": "Campaign 0",
        "account_currency": "EUR",
        "date_start": str(day),
        "date_stop": str(day),
    }
    body = json.dumps({"data": [{**common, **ad} for ad in ads]}).encode()
    table = TABLES["insights_daily"]
    rows = decode(table, [body], Account("11", "Europe/Berlin", "EUR"), [day]).rows
    load = Load(
        table=table.name,
        account_id="11",
        date=day,
        rows=rows.num_rows,
        loaded_at=datetime(2026, 11, 22, 5, tzinfo=UTC),
        **{"verdict": "proven", **more},
    )
    lake.replace(table, rows, account_id="11", date=day, load=load)


def bought(ad_id: str, number: int, **more: Any) -> dict[str, Any]:
    entry = [{"action_type": "omni_purchase", "value": str(number), "7d_click": "1"}]
    return {"ad_id": ad_id, "actions": entry, "action_values": entry, **more}


def ask(lake: Lake, query: str) -> list[Any]:
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        return opened.sql(query).fetchall()


@pytest.mark.parametrize("level", LEVELS)
def test_days_alone_fill_the_daily_views(lake: Lake, level: str) -> None:
    put_day(lake, bought("30", 4, impressions="900", clicks="9", spend="6.04"))

    columns = "impressions, clicks, spend, purchases, cpa, is_complete, source"
    rows = ask(lake, f"select {columns} from {level}_daily")  # noqa: S608  ours

    assert rows == [
        (900, 9, Decimal("6.04"), Decimal(4), pytest.approx(1.51), True, "insights_daily")
    ]


def test_hours_are_not_added_to_days_of_the_same_account_day(days: Any, lake: Lake) -> None:
    days.put(6)
    put_day(lake, bought("30", 4, impressions="600", clicks="6", spend="6.02"))
    put_day(lake, {"ad_id": "30", "impressions": "7", "spend": "1"}, day=date(2026, 11, 22))

    rows = ask(lake, "select date, impressions, purchases, source from account_daily order by date")

    assert rows == [
        (DAY, 1000, Decimal(4), "insights_hourly"),
        (date(2026, 11, 22), 7, None, "insights_daily"),
    ]


def test_a_purchase_on_a_day_without_delivery_is_not_lost(days: Any, lake: Lake) -> None:
    days.put(6)
    put_day(lake, bought("30", 4), bought("39", 2))

    ads = ask(lake, "select ad_id, purchases from ad_daily order by ad_id")
    [account] = ask(lake, "select purchases, purchase_value from account_daily")

    assert ads == [("30", Decimal(4)), ("31", None), ("39", Decimal(2))]
    assert account == (Decimal(6), Decimal(6))


@pytest.mark.parametrize("verdict", ["provisional", "unproven"])
def test_a_row_made_from_a_load_that_may_still_change_is_not_complete(
    days: Any, lake: Lake, verdict: str
) -> None:
    days.put(6)
    put_day(lake, bought("30", 4), verdict=verdict)

    complete = ask(
        lake,
        "select (select bool_and(is_complete) from campaign_hourly),"
        " (select bool_or(is_complete) from campaign_daily)",
    )

    assert complete == [(True, False)]


def test_windows_have_names_that_need_no_quotes(lake: Lake) -> None:
    put_day(lake, bought("30", 4))

    query = 'select distinct value, "7d_click", click_7d, ad_id from insights_daily_actions'

    assert ask(lake, query) == [(Decimal(4), Decimal(1), Decimal(1), "30")]


def test_the_calendar_goes_from_the_first_load_to_the_last_and_over_years(lake: Lake) -> None:
    for day in (date(2026, 12, 31), date(2027, 1, 2)):
        put_day(lake, bought("30", 1), day=day)

    columns = "date, iso_year, iso_week, week_start, quarter, weekday"

    assert ask(lake, f"select {columns} from calendar order by date") == [  # noqa: S608  ours
        (date(2026, 12, 31), 2026, 53, date(2026, 12, 28), 4, "Thursday"),
        (date(2027, 1, 1), 2026, 53, date(2026, 12, 28), 1, "Friday"),
        (date(2027, 1, 2), 2026, 53, date(2026, 12, 28), 1, "Saturday"),
    ]


def test_there_are_views_of_all_levels() -> None:
    assert {f"{level}_{by}" for level in LEVELS for by in ("hourly", "daily")} <= VIEWS.keys()
