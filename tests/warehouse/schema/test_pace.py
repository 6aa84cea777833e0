"""The view `today`: hand-made days with the right numbers beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from warehouse.published.build import create
from warehouse.schema.catalog import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MONDAY = date(2026, 11, 30)
ASKED = datetime(2026, 11, 30, 5, tzinfo=UTC)

#: What was spent in which hours.
Spent = "Mapping[int | None, float]"

#: Four Mondays that had spent 4 of 10, 2 of 8, 6 of 12 and 0 of 10 by two o'clock.
MONDAYS: Mapping[int, Mapping[int | None, float]] = {
    7: {0: 1, 1: 3, 9: 6},
    14: {1: 2, 20: 6},
    21: {0: 5, 1: 1, 3: 6},
    28: {5: 10},
}


@dataclass(frozen=True)
class Case:
    """One ad of one campaign: its days by how long `ago` they were, each proven unless it is among
    the `unproven`; and rows of other tables.
    """

    what: str
    days: Mapping[int, Mapping[int | None, float]]
    expected: Mapping[str, Any]
    level: str = "account"
    whole: int | None = 1
    unproven: Sequence[int] = ()
    is_over: bool = False
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def campaign(**more: Any) -> Mapping[str, Any]:
    return {"account_id": "1", "campaign_id": "20", "effective_status": "ACTIVE", **more}


def adset(budget: float | None, **more: Any) -> Mapping[str, Any]:
    return {**campaign(adset_id="25", daily_budget=budget), **more}


def at(day: date, minute: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)


def look(ago: int, minute: float, spend: float) -> Mapping[str, Any]:
    """What Meta said of a day at a minute of it."""
    day = MONDAY - timedelta(days=ago)
    key = {"account_id": "1", "date": day, "asked_at": at(day, minute)}
    return {**key, "minute": minute, "spend": spend}


LATER, BEFORE = ASKED + timedelta(hours=1), ASKED - timedelta(hours=1)
LIFETIME = {
    "campaigns": [campaign(lifetime_budget=500), campaign(campaign_id="21", daily_budget=30)],
    "adsets": [adset(None), adset(None, campaign_id="21")],
}
COUNTS = "is complete and no earlier than the account's first spend."
CASES = [
    Case(
        "the same hours of other days, the medians, and the end of the day from them",
        {0: {0: 2, 1: 2, 2: 4}, 1: {0: 1, 1: 1.5, 2: 8}, **MONDAYS},
        {
            "spend": 8,
            "spend_whole": 4,
            "spend_yesterday": 2.5,
            "spend_week_ago": 4,
            "spend_usual": 3,
            "same_weekdays": 4,
            "usual_share": 0.325,
            "impressions": 800,
            "impressions_whole": 400,
            "impressions_usual": 300,
            "clicks_whole": 40,
            "link_clicks_whole": 20,
            "link_clicks_yesterday": 12,
            "projected_spend": 4 / 0.325,
            "projected_low": 8,
            "projected_high": None,
            "note": None,
            "budget": None,
            "date": MONDAY,
            "last_whole_hour": 1,
        },
    ),
    Case(
        "the day ends with no less than it has spent already",
        {0: {0: 1, 2: 40}, 7: {0: 5, 5: 5}, 14: {0: 2, 5: 8}},
        {"projected_spend": 41, "projected_low": 41, "projected_high": 41, "usual_share": 0.35},
    ),
    Case(
        "a complete day without a row counts with nothing; a campaign without one today too",
        {0: {}, 1: {}, 7: {0: 3}, 14: {}, 21: {}, 28: {0: 1}},
        {
            "spend": 0,
            "spend_whole": 0,
            "spend_yesterday": 0,
            "spend_usual": 0.5,
            "same_weekdays": 4,
            "usual_share": 1,
            "projected_spend": 0,
            "object_id": "20",
        },
        level="campaign",
    ),
    Case(
        "only complete days are compared",
        {0: {0: 1}, 1: {0: 5}, **MONDAYS},
        {
            "spend_yesterday": None,
            "spend_week_ago": None,
            "same_weekdays": 1,
            "spend_usual": 2,
            "projected_spend": None,
            "note": f"Nothing to compare with. Only 1 of the last four Mondays {COUNTS}",
        },
        unproven=(1, 7, 21, 28),
    ),
    Case(
        "a weekday without spend has no share",
        {0: {0: 1}, 7: {}, 14: {}, 21: {0: 1}},
        {
            "spend_usual": 0,
            "same_weekdays": 3,
            "projected_spend": None,
            "note": "Nothing to compare with. Only 1 of the last four Mondays had any spend.",
        },
    ),
    Case(
        "days before the account first spent something are no usual ones",
        {0: {0: 1}, 1: {}, 7: {0: 3}, 14: {0: 1}, 21: {}, 28: {}},
        {"spend_yesterday": 0, "spend_week_ago": 3, "spend_usual": 2, "same_weekdays": 2},
    ),
    Case(
        "nothing has ever been loaded but today",
        {0: {0: 1}},
        {
            "spend_whole": 1,
            "spend_usual": None,
            "same_weekdays": 0,
            "usual_share": None,
            "note": f"Nothing to compare with. None of the last four Mondays {COUNTS}",
        },
    ),
    Case(
        "too little of a usual day has happened",
        {0: {0: 1}, 7: {0: 1, 9: 39}, 14: {1: 2, 9: 78}},
        {
            "usual_share": 0.025,
            "projected_spend": None,
            "projected_high": None,
            "note": "Too early to say. Usually less than 3 % of a day's spend has happened by"
            " 02:00.",
        },
    ),
    Case(
        "no hour is whole",
        {0: {0: 1}, 1: {0: 1}, **MONDAYS},
        {
            "spend": 1,
            "spend_whole": None,
            "spend_yesterday": None,
            "spend_usual": None,
            "usual_share": None,
            "projected_spend": None,
            "day_gone": 0,
            "same_weekdays": 4,
            "note": "Too early to say. No hour of the day is whole yet.",
        },
        whole=None,
    ),
    Case(
        "a row without its hour counts in the day and in no hour",
        {0: {0: 1, None: 5}, 7: {0: 1, None: 3}, 14: {0: 1, 5: 3}},
        {"spend": 6, "spend_whole": 1, "spend_usual": 1, "usual_share": 0.25},
        level="ad",
    ),
    Case("an account whose newest day is over", {0: {0: 1}, **MONDAYS}, {}, is_over=True),
    Case(
        "the budget of the campaign, not of its ad sets as well",
        {0: {0: 1}},
        {"budget": 50},
        level="campaign",
        tables={"campaigns": [campaign(daily_budget=50)], "adsets": [adset(20)]},
    ),
    Case(
        "budgets of ad sets that run now",
        {0: {0: 1}},
        {"budget": 25},
        level="campaign",
        tables={
            "campaigns": [campaign(daily_budget=0, lifetime_budget=0)],
            "adsets": [
                adset(20, start_time=BEFORE, end_time=LATER),
                adset(5, adset_id="26", lifetime_budget=0),
                adset(100, adset_id="27", effective_status="PAUSED"),
                adset(None, adset_id="28", lifetime_budget=900, end_time=BEFORE),
                adset(100, adset_id="29", start_time=LATER),
            ],
        },
    ),
    Case(
        "both kinds of campaigns add up; one that is paused, has ended or has no ad set does not",
        {0: {0: 1}},
        {"budget": 70},
        tables={
            "campaigns": [
                campaign(daily_budget=50),
                campaign(campaign_id="21"),
                campaign(campaign_id="22", daily_budget=7, effective_status="PAUSED"),
                campaign(campaign_id="23", daily_budget=7),
                campaign(campaign_id="24", daily_budget=7, stop_time=BEFORE),
            ],
            "adsets": [
                *(adset(None), adset(20, campaign_id="21")),
                *(adset(3, campaign_id="22"), adset(3, campaign_id="24")),
                adset(3, campaign_id="23", effective_status="ADSET_PAUSED"),
            ],
        },
    ),
    Case(
        "a lifetime budget is not by the day, and neither is the account's",
        {0: {0: 1}, 7: {0: 1}, 14: {0: 1}},
        {"budget": None, "note": "Campaigns whose budget is not by the day: 1."},
        tables=LIFETIME,
    ),
    Case(
        "nor the campaign's",
        {0: {0: 1}, 7: {0: 1}, 14: {0: 1}},
        {"budget": None, "note": "Its budget is not by the day."},
        level="campaign",
        tables=LIFETIME,
    ),
    Case(
        "an active ad without a row",
        {0: {0: 1}},
        {"object_id": "31", "object_name": "New", "spend": 0, "campaign_id": "20"},
        level="ad",
        tables={
            "ads": [
                campaign(ad_id="31", ad_name="New"),
                campaign(ad_id="32", effective_status="PAUSED"),
                campaign(ad_id="30", account_id="2"),
            ]
        },
    ),
    Case(
        "what was known at the same time of the same weekdays",
        {0: {0: 1}},
        {"known_spend": 9, "known_at": at(MONDAY, 300), "known_usual": 5.5, "spend": 1},
        tables={
            "intraday_totals": [
                *(look(0, 240, 7), look(0, 300, 9), look(7, 300, 4), look(7, 240, 3)),
                *(look(14, 359, 5), look(14, 420, 50), look(21, 240, 6), look(28, 330, 7)),
                *(look(1, 300, 100), look(35, 300, 100)),
            ]
        },
    ),
    Case(
        "a weekday that was not asked for then",
        {0: {0: 1}},
        {"known_spend": 9, "known_usual": None},
        tables={
            "intraday_totals": [
                *(look(0, 300, 9), look(7, 300, 4), look(14, 300, 5), look(21, 300, 6)),
                look(28, 361, 7),
            ]
        },
    ),
    Case(
        "of an account alone",
        {0: {0: 1}},
        {"known_spend": None, "known_usual": None},
        level="campaign",
        tables={"intraday_totals": [look(ago, 300, 5) for ago in (0, 7, 14, 21, 28)]},
    ),
    Case(
        "results by the day",
        {0: {0: 1}},
        {
            "purchases": 3,
            "purchase_value": 60,
            "leads": None,
            "spend": 1,
            "results_asked_at": ASKED - timedelta(hours=9),
        },
        tables={
            "loads": [
                {
                    "table_name": "insights_daily",
                    "account_id": "1",
                    "date": MONDAY,
                    "loaded_at": ASKED - timedelta(hours=9),
                    "is_over": False,
                }
            ],
            "insights_daily": [
                {
                    "account_id": "1",
                    "date": day,
                    "campaign_id": "20",
                    "ad_id": ad,
                    "actions": [{"action_type": "omni_purchase", "value": n}],
                    "action_values": [{"action_type": "omni_purchase", "value": 20 * n}],
                }
                for day, ad, n in (
                    (MONDAY, "30", 1),
                    (MONDAY, "31", 2),
                    (date(2026, 11, 29), "30", 9),
                )
            ],
        },
    ),
]


def put(db: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608


def fill(db: duckdb.DuckDBPyConnection, case: Case) -> None:
    for ago, hours in case.days.items():
        key = {"account_id": "1", "date": MONDAY - timedelta(days=ago)}
        is_open = ago == 0 and not case.is_over
        verdict = "provisional" if is_open else "unproven" if ago in case.unproven else "proven"
        load = {"table_name": "insights_hourly", **key, "verdict": verdict, "is_over": not is_open}
        load["spend"] = sum(hours.values())
        gone = None if not is_open else 0 if case.whole is None else (case.whole + 1) / 24
        whole = case.whole if is_open else None
        put(db, "loads", {**load, "asked_at": ASKED, "last_whole_hour": whole, "day_gone": gone})
        for hour, spend in hours.items():
            numbers = {"impressions": int(100 * spend), "clicks": int(10 * spend)}
            numbers["inline_link_clicks"] = int(5 * spend)
            ids = {"campaign_id": "20", "ad_id": "30"}
            put(db, "insights_hourly", {**key, **ids, "hour": hour, "spend": spend, **numbers})
    for table, rows in case.tables.items():
        for row in rows:
            put(db, table, row)


def test_numbers_of_today_are_what_the_days_say() -> None:
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for statement in create(OWN):
        db.execute(statement)
    for case in CASES:
        db.execute("BEGIN")
        fill(db, case)
        of = case.expected.get("object_id", {"campaign": "20", "ad": "30"}.get(case.level))
        rows = db.sql("FROM today SELECT account_id, level, object_id").fetchall()
        here = db.sql("FROM today").filter(
            f"account_id = '1' AND level = '{case.level}' AND object_id IS NOT DISTINCT FROM "
            f"{'NULL' if of is None else of}"
        )
        found = [dict(zip(here.columns, row, strict=True)) for row in here.fetchall()]
        db.execute("ROLLBACK")

        assert len(set(rows)) == len(rows), case.what
        assert {account for account, *_ in rows} == ({"1"} if case.expected else set()), case.what
        for row in found if case.expected else ():
            seen = {name: row[name] for name in case.expected}
            assert seen == {
                name: pytest.approx(value) if isinstance(value, float) else value
                for name, value in case.expected.items()
            }, case.what
        assert len(found) == bool(case.expected), case.what
