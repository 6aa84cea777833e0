"""The view `today` over account-days that were really loaded at a clock that stands: its numbers
are sums over what the sandbox served.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.objects import load_objects
from pipelines.loading.partitions import AccountDay
from tests.objects import NEEDED
from tests.pipelines.docs.test_questions import QUESTIONS
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: A Sunday. Four weeks before, clocks were put back in Berlin, three weeks before in Los Angeles.
NOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
TODAY = date(2026, 11, 22)
AGO = (0, 1, 7, 14, 21, 28)

#: Zone → the last hour that had ended three hours before: 10:15, 14:45 and 01:15 there.
LAST_WHOLE = {"Europe/Berlin": 9, "Asia/Kolkata": 13, "America/Los_Angeles": 0}

BERLIN = "Europe/Berlin"


class Sums(NamedTuple):
    """What an object had by the last whole hour, and in all."""

    whole: Mapping[str, Decimal]
    every: Mapping[str, Decimal]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Sandbox]]:
    """The open day of three accounts and the days that it is compared with, by the hour; of one
    account the open day by the day too.
    """
    lake = Lake(tmp_path_factory.mktemp("today") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(world="hostile", now=lambda: NOW) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, NOW)
        accounts = accounts_in(lake)
        ids = [one.account_id for one in accounts.values() if one.timezone_name in LAST_WHOLE]
        load_objects(client, lake, NEEDED, ids, lambda: NOW)
        loader = Loader(client, lake, accounts, "run-1", now=lambda: NOW)
        hours = [AccountDay(one, TODAY - timedelta(days=ago)) for one in ids for ago in AGO]
        days = [AccountDay(one, TODAY) for one in ids if accounts[one].timezone_name == BERLIN]
        for report, wanted in (("insights_hourly", hours), ("insights_daily", days)):
            assert all(outcome.load for outcome in loader.load(KNOWN.by_name[report], wanted))
        publish(lake.root)
        yield lake, sandbox


def served(
    sandbox: Sandbox, account_id: str, ago: int, until: int
) -> Mapping[tuple[str, str | None], Mapping[str, Decimal]]:
    """Sums by (level, id) over what the sandbox served of a day; `…_whole` up to an hour."""
    found: defaultdict[tuple[str, str | None], defaultdict[str, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for row in sandbox.truth(account_id, TODAY - timedelta(days=ago))["rows"]:
        for key in (("account", None), ("campaign", row["campaign_id"]), ("ad", row["ad_id"])):
            for name in ("spend", "impressions", "clicks", "link_clicks"):
                source = "inline_link_clicks" if name == "link_clicks" else name
                value = Decimal(row.get(source, 0))
                found[key][name] += value
                if row["hour"] is not None and row["hour"] <= until:
                    found[key][f"{name}_whole"] += value
    return found


def expected(days: Mapping[int, Mapping[str, Decimal]]) -> Mapping[str, Any]:
    """The numbers of an object from the sums of its days, by how long ago they were."""
    weekdays = [days[ago] for ago in AGO if ago >= 7]
    shares = [float(day["spend_whole"] / day["spend"]) for day in weekdays if day["spend"]]
    numbers: dict[str, Any] = {"usual_share": median(shares) if shares else None}
    for name in ("spend", "impressions", "clicks", "link_clicks"):
        numbers |= {
            name: days[0][name],
            f"{name}_whole": days[0][f"{name}_whole"],
            f"{name}_yesterday": days[1][f"{name}_whole"],
            f"{name}_week_ago": days[7][f"{name}_whole"],
            f"{name}_usual": median(day[f"{name}_whole"] for day in weekdays),
        }
    spent, so_far = float(days[0]["spend_whole"]), float(days[0]["spend"])
    is_told = len(shares) >= 2 and median(shares) >= 0.03
    for name, share in (
        *(("projected_spend", median), ("projected_low", max), ("projected_high", min)),
    ):
        by = share(shares) if is_told else 0
        numbers[name] = max(spent / by, so_far) if by else None
    return numbers


def test_today_is_what_the_sandbox_served_up_to_the_hours_that_are_whole(
    loaded: tuple[Lake, Sandbox],
) -> None:
    lake, sandbox = loaded
    with warehouse.open(lake.root) as opened:
        rows = opened.arrow("FROM today").to_pylist()
    zones = {one.account_id: one.timezone_name for one in accounts_in(lake).values()}

    assert {zones[row["account_id"]]: row["last_whole_hour"] for row in rows} == LAST_WHOLE
    assert {row["same_weekdays"] for row in rows} == {4}
    for account_id in {row["account_id"] for row in rows}:
        until = LAST_WHOLE[zones[account_id]]
        days = {ago: served(sandbox, account_id, ago, until) for ago in AGO}
        ours = {(r["level"], r["object_id"]): r for r in rows if r["account_id"] == account_id}
        assert {key for day in days.values() for key in day} <= ours.keys()
        for key, row in ours.items():
            numbers = expected({ago: days[ago][key] for ago in AGO})
            found = {name: row[name] for name in numbers}
            assert {name: None if v is None else float(v) for name, v in found.items()} == {
                name: None if v is None else pytest.approx(float(v)) for name, v in numbers.items()
            }, (account_id, key)
        assert ours["account", None]["day_gone"] == pytest.approx((until + 1) / 24)
    bought = {zones[r["account_id"]]: r["purchases"] for r in rows if r["level"] == "account"}
    [berlin] = [one for one, zone in zones.items() if zone == BERLIN]
    assert bought == {**dict.fromkeys(LAST_WHOLE), BERLIN: purchases(sandbox, berlin)}


def purchases(sandbox: Sandbox, account_id: str) -> Decimal | None:
    entries: Sequence[Mapping[str, str]] = [
        entry
        for row in sandbox.truth(account_id, TODAY, ())["rows"]
        for entry in row.get("actions", ())
        if entry["action_type"] == "omni_purchase"
    ]
    return sum((Decimal(entry["value"]) for entry in entries), Decimal()) if entries else None


def test_are_we_on_pace(loaded: tuple[Lake, Sandbox]) -> None:
    """Budgets are those of campaigns, or of their ad sets, as the sandbox has them."""
    lake, _ = loaded
    with warehouse.open(lake.root) as opened:
        rows = opened.arrow(QUESTIONS[19]).to_pylist()
        budgets = opened.arrow(
            "FROM campaigns SELECT campaign_name, daily_budget WHERE daily_budget > 0"
        ).to_pylist()

    assert {row["until_hour"] for row in rows} == {hour + 1 for hour in LAST_WHOLE.values()}
    of_campaigns = {row["campaign_name"]: row["daily_budget"] for row in budgets}
    planned = [row for row in rows if row["budget"] and row["campaign"] in of_campaigns]
    assert planned
    assert all(row["budget"] == of_campaigns[row["campaign"]] for row in planned)
    assert any(row["projected"] is not None and row["percent_of_budget"] for row in rows)
