"""Views by ad, ad set, campaign and account: from hours, from days, and from both."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from warehouse.decode.pages import Account, decode
from warehouse.lake.records import Load
from warehouse.published.publish import publish
from warehouse.schema.tables import TABLES
from warehouse.schema.views.listed import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.lake.partitions import Lake

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


def test_windows_have_names_that_need_no_quotes(lake: Lake) -> None:
    put_day(lake, bought("30", 4))

    query = 'select distinct value, "7d_click", click_7d, ad_id from insights_daily_actions'

    assert ask(lake, query) == [(Decimal(4), Decimal(1), Decimal(1), "30")]


def test_there_are_views_of_all_levels() -> None:
    assert {f"{level}_{by}" for level in LEVELS for by in ("hourly", "daily")} <= VIEWS.keys()


BOTH, HOURS, DAYS_ALONE, OPEN, EMPTY = (date(2026, 11, n) for n in (16, 17, 18, 19, 20))

#: What an ad did, and what was bought from it: under types of action that overlap.
DELIVERED = {"impressions": "900", "clicks": "9", "spend": "9.00", "inline_link_clicks": "4"}
NUMBERS = {
    "omni_purchase": 2,
    "purchase": 2,
    "lead": 3,
    "omni_initiated_checkout": 4,
    "omni_add_to_cart": 5,
    "landing_page_view": 6,
}
SOLD = {
    field: [{"action_type": kind, "value": str(n * times)} for kind, n in NUMBERS.items()]
    for field, times in (("actions", 1), ("action_values", 10))
}
NAMES = {"campaign_name": "By the day", "adset_name": "Ad set"}


@pytest.fixture(scope="module")
def mixed(make_days: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A day that both reports have, one of hours, one of days, one still open; and one on which
    hours were loaded and there were none, though an ad sold something.
    """
    days = make_days(tmp_path_factory.mktemp("lake"))
    for day in (BOTH, HOURS, OPEN):
        days.put(6, day=day, verdict="provisional" if day == OPEN else "proven")
    days.put(0, day=EMPTY)
    sold = {"ad_id": "39", "ad_name": "Ad 39", "spend": "0", **NAMES, **SOLD}
    for day in (BOTH, DAYS_ALONE, OPEN):
        verdict = "provisional" if day == OPEN else "proven"
        ad = {"ad_id": "30", **NAMES, **DELIVERED, **SOLD}
        put_day(days.lake, ad, sold, day=day, verdict=verdict)
    put_day(days.lake, sold, day=EMPTY)
    lake: Lake = days.lake
    return lake


@pytest.mark.parametrize("level", LEVELS)
def test_a_day_is_added_up_from_the_hours_or_else_from_the_days_and_never_from_both(
    level: str, mixed: Lake
) -> None:
    rows = ask(
        mixed,
        f"""FROM {level}_daily SELECT date, sum(impressions), sum(clicks), sum(spend),
        sum(purchases), sum(purchase_value), any_value(source), bool_and(is_complete)
        GROUP BY ALL ORDER BY ALL""",
    )

    hours = (1000, 10, Decimal("10.05"))
    assert rows == [
        (BOTH, *hours, Decimal(4), Decimal(40), "insights_hourly", True),
        (HOURS, *hours, None, None, "insights_hourly", True),
        (DAYS_ALONE, 900, 9, Decimal(9), Decimal(4), Decimal(40), "insights_daily", True),
        (OPEN, *hours, Decimal(4), Decimal(40), "insights_hourly", False),
        (EMPTY, 0, 0, Decimal(0), Decimal(2), Decimal(20), "insights_hourly", True),
    ]


def test_an_ad_that_sold_on_a_day_without_delivery_is_there_with_its_names(mixed: Lake) -> None:
    rows = ask(
        mixed,
        "FROM ad_daily SELECT date, campaign_id, campaign_name, adset_id, adset_name, ad_name, "
        "impressions, spend, ctr, purchases WHERE ad_id = '39' ORDER BY ALL",
    )

    names = ("20", "By the day", "25", "Ad set", "Ad 39")
    without = [(day, *names, 0, Decimal(0), None, Decimal(2)) for day in (BOTH, OPEN, EMPTY)]
    alone = (DAYS_ALONE, *names, None, Decimal(0), None, Decimal(2))
    assert rows == sorted([*without, alone], key=lambda row: row[0])


def test_results_of_each_kind_have_a_count_a_value_and_a_cost(mixed: Lake) -> None:
    [row] = ask(
        mixed,
        f"""FROM ad_daily SELECT link_clicks, landing_page_views,
        add_to_cart, add_to_cart_value, cost_per_add_to_cart,
        checkouts, checkout_value, cost_per_checkout, leads, lead_value, cost_per_lead, cpa, roas
        WHERE ad_id = '30' AND date = DATE '{DAYS_ALONE}'""",
    )

    assert row == (
        *(4, Decimal(6), Decimal(5), Decimal(50), 1.8),
        *(Decimal(4), Decimal(40), 2.25, Decimal(3), Decimal(30), 3.0),
        *(4.5, pytest.approx(20 / 9)),
    )


def test_names_are_those_of_the_rows_that_are_added_up(mixed: Lake) -> None:
    rows = ask(
        mixed,
        "FROM campaign_daily SELECT date, campaign_name WHERE campaign_id = '20' ORDER BY ALL",
    )

    by_hour, by_day = "Campaign 0", "By the day"
    assert rows == list(
        zip(
            (BOTH, HOURS, DAYS_ALONE, OPEN, EMPTY),
            (by_hour, by_hour, by_day, by_hour, by_day),
            strict=True,
        )
    )


@pytest.mark.parametrize("level", LEVELS)
def test_hours_are_those_of_the_hours_alone(level: str, mixed: Lake) -> None:
    rows = ask(
        mixed,
        f"FROM {level}_hourly SELECT date, sum(impressions), sum(spend), bool_and(is_complete) "
        "GROUP BY ALL ORDER BY ALL",
    )

    assert rows == [
        (day, 1000, Decimal("10.05"), complete)
        for day, complete in ((BOTH, True), (HOURS, True), (OPEN, False))
    ]


@pytest.mark.parametrize(
    ("hours", "days", "complete"),
    [
        ({"verdict": "proven"}, {"verdict": "unprovable"}, True),
        ({"verdict": "proven"}, {"verdict": "provisional"}, False),  # half a day of purchases
        ({"verdict": "unproven"}, {"verdict": "proven"}, True),  # it is made from the days alone
        ({"verdict": "proven", "is_over": False}, {"verdict": "proven"}, True),
        ({"verdict": "proven"}, {"verdict": "unproven"}, False),
        ({"verdict": "unproven"}, {"verdict": "unproven"}, False),
        ({"verdict": "unproven"}, None, False),
        ({"verdict": "proven", "is_over": True}, {"verdict": "proven", "is_over": None}, True),
        (None, {"verdict": "proven"}, True),
        ({"verdict": "proven"}, None, True),
    ],
)
def test_a_row_is_complete_if_every_load_that_it_is_made_from_is(
    hours: dict[str, Any] | None, days: dict[str, Any] | None, *, complete: bool, make_days: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    made = make_days(tmp_path / "lake")
    if hours:
        made.put(6, **hours)
    if days:
        put_day(made.lake, {"ad_id": "30", "spend": "1"}, **days)

    assert ask(made.lake, "FROM account_daily SELECT is_complete") == [(complete,)]


def test_an_hour_of_an_open_day_says_whether_it_is_whole_and_whether_it_was_the_last(
    make_days: Any, tmp_path: Path
) -> None:
    """Rows of the hours 0, 1 and 2 in Berlin, and one without its hour."""
    open_day, early, closed, no_record = (date(2026, 11, n) for n in (21, 22, 23, 24))
    made = make_days(tmp_path / "lake")
    asked = datetime(2026, 11, 21, 1, 59, 59, tzinfo=UTC)  # it is 02:59:59 there
    more: dict[str, Any] = {"verdict": "provisional", "is_over": False}
    made.put(6, day=open_day, **more, asked_at=asked, last_whole_hour=1, day_gone=2 / 24)
    after = asked + timedelta(days=1, seconds=1)
    made.put(6, day=early, **more, asked_at=after, last_whole_hour=None, day_gone=0.0)
    made.put(6, day=closed, verdict="unproven", is_over=True, asked_at=asked)
    made.lake.replace("insights_hourly", made.rows(day=no_record), account_id="11", date=no_record)

    found = ask(
        made.lake,
        "FROM account_hourly SELECT date, list({h: hour, whole: is_whole, last: is_last_hour}"
        " ORDER BY hour) GROUP BY date ORDER BY date",
    )

    hours = (0, 1, 2, None)
    assert {day: [(h["h"], h["whole"], h["last"]) for h in rows] for day, rows in found} == {
        open_day: [(0, True, False), (1, True, False), (2, False, True), (None, False, False)],
        early: [(hour, False, False) for hour in hours],  # at three, it is the next hour's turn
        closed: [(hour, True, False) for hour in hours],
        no_record: [(hour, False, False) for hour in hours],
    }


@pytest.mark.parametrize("rows", [6, 0])  # hours of which a part is missing, or all
@pytest.mark.parametrize(
    ("hours", "days", "source"),
    [
        ("unproven", "proven", "insights_daily"),
        ("provisional", "proven", "insights_daily"),
        ("unproven", "unproven", "insights_hourly"),
        ("provisional", "provisional", "insights_hourly"),
        ("proven", "unproven", "insights_hourly"),
    ],
)
def test_a_proven_day_is_not_hidden_by_hours_that_are_not(
    make_days: Any, tmp_path: Path, rows: int, hours: str, days: str, source: str
) -> None:
    made = make_days(tmp_path / "lake")
    made.put(rows, verdict=hours)
    put_day(made.lake, {"ad_id": "30", **DELIVERED}, verdict=days)

    of_all = " UNION ALL ".join(
        f"FROM {level}_daily SELECT sum(impressions), sum(spend), any_value(source), "
        "bool_and(is_complete)"
        for level in LEVELS
    )
    found = ask(made.lake, of_all)

    summed = {6: (1000, Decimal("10.05")), 0: (0, Decimal(0))}[rows]
    numbers = (900, Decimal(9)) if source == "insights_daily" else summed
    assert found == [(*numbers, source, days == "proven")] * len(LEVELS)
