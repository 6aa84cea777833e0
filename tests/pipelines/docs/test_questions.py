"""The questions of docs/questions.md, asked of a warehouse that was really loaded."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.tree import World
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.objects import load_objects
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT
from tests.objects import NEEDED
from tests.pipelines.docs.made import restate, spend_by_click
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TEXT = (Path(__file__).parents[3] / "docs" / "questions.md").read_text(encoding="utf-8")

#: Number → its SQL, as it stands on the page.
QUESTIONS = {
    int(number): sql
    for number, sql in re.findall(r"^## (\d+)\..*?```sql\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
}

#: The Python at the end of the page.
[PYTHON] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

#: Questions whose answer may have gaps: a week before, the price of a click that never came, the
#: reason of what is missing, a new name, a whole world, the price of a purchase, who did it, a day
#: without a budget.
WITH_GAPS = {4, 8, 9, 10, 12, 13, 16, 19}

ASKED_OF = {**NEEDED, "creatives": OBJECT_TABLES["creatives"]}
#: Questions that need a table by the day or an open day, or by week or month (asked in
#: test_periods.py).
BY_DAY = {11, 19}
BY_PERIOD = {number for number, sql in QUESTIONS.items() if "ly_reach" in sql}

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)
DAYS = [date(2026, 11, 15), date(2026, 11, 21), date(2026, 11, 22)]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Sandbox]]:
    """Three days of every account and their objects. A campaign was renamed before the last day,
    and one day was loaded again.
    """
    lake = Lake(tmp_path_factory.mktemp("work") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(world="hostile", now=lambda: NOW) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, NOW)
        _load(client, lake, DAYS[:-1], NOW)
        sandbox.change(_busiest_campaign(lake), name="Renamed")
        _load(client, lake, DAYS[-1:], NOW + timedelta(hours=1))
        restate(lake, AccountDay(sandbox.account_ids[0], DAYS[0]), NOW + timedelta(hours=1))
        load_objects(client, lake, ["activities"], sandbox.account_ids, lambda: NOW)
        publish(lake.root)
        yield lake, sandbox


def _load(client: GraphClient, lake: Lake, days: Sequence[date], at: datetime) -> None:
    accounts = accounts_in(lake)
    load_objects(client, lake, ASKED_OF, accounts, lambda: at)
    loader = Loader(client, lake, accounts, "run-1", now=lambda: NOW)
    wanted = [AccountDay(account_id, day) for account_id in accounts for day in days]
    assert all(outcome.load for outcome in loader.load(HOURLY_REPORT, wanted))


def _busiest_campaign(lake: Lake) -> str:
    """The live campaign with the most rows on the first day."""
    rows = lake.read("campaigns").select(["campaign_id", "effective_status"]).to_pylist()
    live = {row["campaign_id"] for row in rows if row["effective_status"] == "ACTIVE"}
    [day, *_] = DAYS
    mentioned = lake.read("insights_hourly", date=day)["campaign_id"].to_pylist()
    [(busiest, _)] = Counter(name for name in mentioned if name in live).most_common(1)
    return str(busiest)


#: Over, for three hours or more, in Tokyo and Auckland; not in Berlin; in Los Angeles it is five in
#: the afternoon of the day before.
NIGHT = datetime(2026, 11, 23, 1, tzinfo=UTC)
LATE_ZONES = {"Europe/Berlin", "America/Los_Angeles", "America/Sao_Paulo"}
TODAY_OF_MOST, YESTERDAY = date(2026, 11, 22), date(2026, 11, 21)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Sandbox]]:
    """Accounts whose newest day differs, as after a refresh at 01:00 UTC. Each has its newest day
    that is over and the same a week before; where the next one is under way, it is loaded too.
    """
    lake = Lake(tmp_path_factory.mktemp("apart") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(world="hostile", now=lambda: NIGHT) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, NIGHT)
        accounts = accounts_in(lake)
        load_objects(client, lake, ASKED_OF, accounts, lambda: NIGHT)
        wanted = [
            AccountDay(account_id, day)
            for account_id, newest in newest_days(lake).items()
            for day in (newest - timedelta(days=7), newest, TODAY_OF_MOST)
        ]
        loader = Loader(client, lake, accounts, "run-1", now=lambda: NIGHT)
        for report in ("insights_hourly", "insights_daily"):
            for outcome in loader.load(KNOWN.by_name[report], list(dict.fromkeys(wanted))):
                assert outcome.load
        publish(lake.root)
        yield lake, sandbox


def newest_days(lake: Lake) -> dict[str, date]:
    """The newest day of each account that was over at `NIGHT`."""
    return {
        account.account_id: YESTERDAY if account.timezone_name in LATE_ZONES else TODAY_OF_MOST
        for account in accounts_in(lake).values()
    }


def ask(lake: Lake, number: int) -> list[dict[str, Any]]:
    with warehouse.open(lake.root) as opened:
        return list(opened.arrow(QUESTIONS[number]).to_pylist())


def test_the_questions_are_numbered() -> None:
    assert list(QUESTIONS) == list(range(1, len(QUESTIONS) + 1))


@pytest.mark.parametrize("number", sorted(QUESTIONS.keys() - BY_DAY - BY_PERIOD))
def test_a_question_has_an_answer(number: int, loaded: tuple[Lake, Sandbox]) -> None:
    rows = ask(loaded[0], number)

    assert rows
    assert number in WITH_GAPS or all(None not in row.values() for row in rows)


def test_spend_by_day_is_what_the_sandbox_served(loaded: tuple[Lake, Sandbox]) -> None:
    lake, sandbox = loaded
    served = sum(
        Decimal(sandbox.truth(account_id, DAYS[-1])["sums"]["spend"])
        for account_id in sandbox.account_ids
    )

    rows = ask(lake, 1)

    assert sum(row["spend"] for row in rows if row["date"] == DAYS[-1]) == served
    assert {row["verdict"] for row in rows} == {"proven"}
    assert len(rows) == len(DAYS) * len(sandbox.account_ids)  # those without delivery, too


def test_the_week_before_is_compared_where_it_was_loaded(loaded: tuple[Lake, Sandbox]) -> None:
    rows = ask(loaded[0], 4)

    assert {row["date"] for row in rows} == {DAYS[-1]}
    assert len(rows) == len(loaded[1].account_ids)
    assert any(row["percent_change"] is not None for row in rows)


def test_the_day_that_was_loaded_again_is_the_one_that_is_told(
    loaded: tuple[Lake, Sandbox],
) -> None:
    [row] = ask(loaded[0], 5)

    assert (row["date"], row["rows_before"] - row["rows_after"]) == (DAYS[0], 1)


def test_hidden_ads_are_found_with_their_money(loaded: tuple[Lake, Sandbox]) -> None:
    rows = ask(loaded[0], 6)

    assert {row["status"] for row in rows} == {"ARCHIVED", "in no listing"}
    assert all(row["spend"] >= 0 for row in rows)


def test_no_money_is_lost_on_the_way_to_the_hours_of_utc(loaded: tuple[Lake, Sandbox]) -> None:
    with warehouse.open(loaded[0].root) as opened:
        spent = opened.sql(
            "FROM account_hourly SELECT account_currency, sum(spend), sum(impressions) "
            "WHERE hour IS NOT NULL GROUP BY ALL"
        ).fetchall()

    rows = ask(loaded[0], 7)

    for currency, spend, impressions in spent:
        of_it = [row for row in rows if row["currency"] == currency]
        assert float(sum(row["spend"] for row in of_it)) == pytest.approx(float(spend))
        assert sum(row["impressions"] for row in of_it) == pytest.approx(impressions)


def test_a_campaign_without_a_click_keeps_its_money(loaded: tuple[Lake, Sandbox]) -> None:
    with warehouse.open(loaded[0].root) as opened:
        totals = "SELECT count(DISTINCT campaign_id), sum(spend) FROM insights_hourly"
        [(campaigns, spend)] = opened.sql(totals).fetchall()

    rows = ask(loaded[0], 8)

    assert (len(rows), sum(row["spend"] for row in rows)) == (campaigns, spend)


def test_a_renamed_campaign_has_spent_under_both_names_and_has_its_new_one_now(
    loaded: tuple[Lake, Sandbox],
) -> None:
    then, now, *others = ask(loaded[0], 10)

    assert (then["campaign_id"], then["last_day"]) == (now["campaign_id"], DAYS[1])
    assert (now["name_then"], now["first_day"]) == ("Renamed", DAYS[-1])
    assert then["name_then"] != then["name_now"] == now["name_now"] == "Renamed"
    assert then["states_seen"] == now["states_seen"] == 2
    assert all(row["states_seen"] in {None, 1} for row in others)
    [row] = ask(loaded[0], 16)
    assert (row["new_value"], row["event_time"], bool(row["actor_id"])) == ("Renamed", NOW, True)


def test_spend_by_utm_and_by_landing_page_is_what_the_sandbox_served(
    loaded: tuple[Lake, Sandbox],
) -> None:
    campaigns, pages = spend_by_click(loaded[0], World(1, HOSTILE))
    asked = ((17, ("utm_source", "utm_campaign"), campaigns), (18, ("landing_page",), pages))
    for number, keys, truth in asked:
        rows = ask(loaded[0], number)
        found = {tuple(row[key] for key in ("account_name", *keys)): row["spend"] for row in rows}
        assert found == truth
        assert len({key[1:] for key in truth}) > 5


def test_the_python_of_the_page_runs(
    loaded: tuple[Lake, Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(loaded[0].root.parent)
    found: dict[str, Any] = {}

    exec(PYTHON, found)  # noqa: S102  # it is what the page tells people to run

    assert sum(found["by_account"]) == sum(row["spend"] for row in ask(loaded[0], 1))
    assert found["frame"]["cost_per_click"].max() > 0
    assert found["by_week"].sum() == pytest.approx(float(sum(found["by_account"])))


def test_account_days_that_were_never_loaded_are_told(loaded: tuple[Lake, Sandbox]) -> None:
    lake, sandbox = loaded
    between = [DAYS[0] + timedelta(days=n) for n in range(8)]
    missing = {(a, d) for a in sandbox.account_ids for d in between if d not in DAYS}

    rows = ask(lake, 9)

    assert {(row["account_id"], row["date"]) for row in rows} == missing
    assert {row["verdict"] for row in rows} == {"missing"}


@pytest.mark.parametrize("number", sorted(QUESTIONS.keys() - {5, 9, 16} - BY_PERIOD))
def test_a_question_has_an_answer_where_newest_days_differ(
    number: int, apart: tuple[Lake, Sandbox]
) -> None:
    rows = ask(apart[0], number)

    assert rows
    assert number in WITH_GAPS or all(None not in row.values() for row in rows)


def test_yesterday_is_each_accounts_own_and_never_a_day_that_is_not_over(
    apart: tuple[Lake, Sandbox],
) -> None:
    lake, sandbox = apart
    newest, accounts = newest_days(lake), lake.read("accounts").to_pylist()
    assert set(newest.values()) == {YESTERDAY, TODAY_OF_MOST}

    rows = {row["account_name"]: row for row in ask(lake, 4)}

    for account in accounts:
        row, day = rows.pop(account["account_name"]), newest[account["account_id"]]
        spent, before = (
            Decimal(sandbox.truth(account["account_id"], of_day)["sums"]["spend"])
            for of_day in (day, day - timedelta(days=7))
        )
        assert (row["date"], row["spend"], row["week_before"]) == (day, spent, before)
    assert not rows


def test_budgets_are_held_against_each_accounts_own_yesterday(
    apart: tuple[Lake, Sandbox],
) -> None:
    lake, sandbox = apart
    newest = newest_days(lake)
    names = {row["account_name"]: row["account_id"] for row in lake.read("accounts").to_pylist()}
    campaigns = lake.read("campaigns").to_pylist()
    planned = {row["campaign_id"] for row in campaigns if row["daily_budget"]}
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for account_id, day in newest.items():
        for row in sandbox.truth(account_id, day)["rows"]:
            if row["campaign_id"] in planned and row["hour"] is not None:
                spent[account_id] += Decimal(row["spend"])

    rows = ask(lake, 3)

    last = {(row["account_name"], row["campaign_name"]): row for row in rows}  # hours are in order
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (account, _), row in last.items():
        found[names[account]] += row["spent_so_far"]
    assert {(names[row["account_name"]], row["date"]) for row in rows} <= newest.items()
    assert found == spent
    assert {newest[account_id] for account_id in found} == {YESTERDAY, TODAY_OF_MOST}


def test_purchases_follow_clicks_and_views(apart: tuple[Lake, Sandbox]) -> None:
    with warehouse.open(apart[0].root) as opened:
        [(purchases,)] = opened.sql("select sum(purchases) from account_daily").fetchall()

    rows = ask(apart[0], 11)

    assert sum(row["purchases"] for row in rows) == purchases > 0
    assert all(row["within_a_day_of_a_click"] <= row["within_7_days_of_a_click"] for row in rows)


@pytest.mark.parametrize(
    ("number", "kind", "some"), [(12, "aimed_at", "DE"), (13, "learning", "FAIL")]
)
def test_ad_sets_are_told_apart_by_their_settings_and_no_money_is_lost(
    number: int, kind: str, some: str, apart: tuple[Lake, Sandbox]
) -> None:
    with warehouse.open(apart[0].root) as opened:
        [(spend,)] = opened.sql("select sum(spend) from adset_daily").fetchall()

    rows = ask(apart[0], number)

    assert sum(row["spend"] for row in rows) == spend
    assert some in {row[kind] for row in rows}


def test_a_day_that_is_not_over_is_neither_missing_nor_changed_by_meta(
    apart: tuple[Lake, Sandbox],
) -> None:
    lake, _ = apart
    newest = newest_days(lake)

    missing = {(row["account_id"], row["date"]) for row in ask(lake, 9)}

    week = {account: day - timedelta(days=7) for account, day in newest.items()}
    assert missing == {
        (account, first + timedelta(days=n))
        for account, day in newest.items()
        for first in [min(week.values())]
        for n in range((day - first).days)
        if first + timedelta(days=n) not in {week[account], day}
    }
    assert ask(lake, 5) == []


@pytest.mark.parametrize("level", ["ad", "adset", "campaign", "account"])
def test_views_hold_what_the_sandbox_served_and_complete_days_are_told(
    level: str, apart: tuple[Lake, Sandbox]
) -> None:
    lake, sandbox = apart
    newest = newest_days(lake)

    with warehouse.open(lake.root) as opened:
        rows = opened.sql(
            f"""FROM {level}_daily SELECT account_id, date, sum(impressions), sum(spend),
            sum(purchases), sum(add_to_cart), sum(checkouts), sum(leads), sum(landing_page_views),
            bool_and(is_complete), bool_or(is_complete) GROUP BY ALL"""
        ).fetchall()

    kinds = ("omni_purchase", "omni_add_to_cart", "omni_initiated_checkout", "lead")
    for account, day, impressions, spend, *counted, every, some in rows:
        served = sandbox.truth(account, day, ())
        sums: Counter[str] = Counter()
        for row in served["rows"]:
            for entry in row.get("actions", ()):
                sums[entry["action_type"]] += int(entry["value"])
        assert (impressions, spend) == (
            int(served["sums"]["impressions"]),
            Decimal(served["sums"]["spend"]),
        )
        assert [n or 0 for n in counted] == [sums[k] for k in (*kinds, "landing_page_view")]
        assert every == some == (day <= newest[account])
    assert {day for _, day, *_ in rows} >= {YESTERDAY, TODAY_OF_MOST}
