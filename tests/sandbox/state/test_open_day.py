"""A day that is not over: what insights know of it, what was spent, and what may go wrong."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import mean, pstdev
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from fbgraph.catalog.fields import HOURLY
from fbgraph.sandbox import SCENARIOS, Sandbox
from fbgraph.sandbox.insights.settling import SETTLED_HOURS
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.sandbox.conftest import Graph

#: Clocks in Europe go back on this day.
DAY = date(2026, 10, 25)
HOUR = timedelta(hours=1)
NUMBERS = ("impressions", "clicks", "spend")


def midnight(zone: str, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def minor(rows: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Sums, money in minor units."""
    found: Counter[str] = Counter()
    for row in rows:
        found["impressions"] += int(row["impressions"])
        found["clicks"] += int(row.get("clicks", "0"))
        found["spend"] += round(100 * float(row["spend"]))
    return found


@pytest.mark.parametrize("scenarios", [(), ("settling",)], ids=["at once", "settling"])
def test_a_day_fills_by_the_clock_and_its_rows_are_its_total(
    open_graph: Callable[..., Graph], scenarios: tuple[str, ...]
) -> None:
    graph = open_graph(*scenarios, world="agency")
    path, start = f"{graph.account()}/insights", midnight("Europe/Berlin", DAY)
    asked: dict[str, Any] = {"time_range": {"since": str(DAY), "until": str(DAY)}}
    asked["fields"] = ",".join(NUMBERS)
    before: dict[tuple[str, str], Counter[str]] = {}

    for minutes in (0, 14, 15, 40, 100, 195, 240, 720, 1439, 1500, 1560, 1680, 2520, 2580):
        graph.clock.now = start + timedelta(minutes=minutes)
        fields = {**asked, "fields": f"ad_id,{asked['fields']}", "breakdowns": [HOURLY]}
        rows = graph.rows(path, level="ad", **fields)
        now = {(row["ad_id"], row[HOURLY]): minor([row]) for row in rows if HOURLY in row}
        assert minor(rows) == minor(graph.rows(path, **asked))
        assert minor(rows)["spend"] == sum(
            graph.sandbox.spent_by_hour(graph.account(), DAY).values()
        )
        assert before.keys() <= now.keys()
        assert all(now[key][name] >= of[name] for key, of in before.items() for name in NUMBERS)
        if not scenarios and minutes < 1560:
            begun = max((label[:2] for _, label in now), default="")
            clock = graph.clock.now.astimezone(ZoneInfo("Europe/Berlin")) - timedelta(minutes=15)
            assert begun <= f"{clock:%H}" or not now
        before = now
        if minutes in (0, 14):
            assert not rows

    truth = graph.sandbox.truth(graph.account(), DAY, at=start + timedelta(days=9))
    assert minor(truth["rows"]) == minor(rows)


def test_settling_knows_as_much_of_a_day_as_was_seen_at_meta() -> None:
    with Sandbox(world="agency", scenarios=["settling"], now=Clock()) as sandbox:
        known: dict[float, list[float]] = {}
        for at, account in enumerate(sandbox.world()["accounts"]):
            end = midnight(account["timezone_name"], DAY + timedelta(days=1))
            whole = sandbox.spent_by_hour(account["id"], DAY, end + timedelta(days=5))
            for hours in (0, 1, 2, 3, SETTLED_HOURS - 2, SETTLED_HOURS):
                so_far = sandbox.spent_by_hour(account["id"], DAY, end + hours * HOUR)
                share = sum(so_far.values()) / sum(whole.values())
                known.setdefault(hours, []).append(share)
                assert share < 1 or hours >= SETTLED_HOURS - 2, (at, hours)

    assert [round(100 * mean(known[hours])) for hours in (0, 1, 2, 3)] == [90, 92, 98, 99]
    assert all(share > 0.995 for share in known[SETTLED_HOURS - 2])
    assert all(share == 1 for share in known[SETTLED_HOURS])


def counters(graph: Graph) -> list[int]:
    rows = graph.rows("me/adaccounts", fields="amount_spent", limit=100)
    return [int(row["amount_spent"]) for row in rows]


def test_what_accounts_have_spent_moves_with_them_and_before_insights(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("settling", world="agency", accounts=14, delivering=12)
    start = graph.clock.now = datetime(2026, 10, 24, 12, 1, tzinfo=UTC)
    seen = [counters(graph)]
    for _ in range(36):
        graph.clock.now += HOUR
        seen.append(counters(graph))

    for at, account_id in enumerate(graph.sandbox.account_ids):
        moved = [after[at] - before[at] for before, after in pairwise(seen)]
        assert min(moved) >= 0
        assert any(moved) == (at < 12)
        # All of two days, as it is in the end, less what lies outside these hours.
        days = [date(2026, 10, 23) + timedelta(days=n) for n in range(4)]
        in_the_end = sum(
            sum(graph.sandbox.spent_by_hour(account_id, day, start + timedelta(days=9)).values())
            for day in days
        )
        assert seen[-1][at] - seen[0][at] <= in_the_end
    berlin = graph.sandbox.account_ids[0]
    known = sum(graph.sandbox.spent_by_hour(berlin, date(2026, 10, 26)).values())
    graph.sandbox.use()
    delivered = sum(graph.sandbox.spent_by_hour(berlin, date(2026, 10, 26)).values())
    assert known < delivered


def test_a_counter_that_begins_again_goes_on_from_there(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("cap_reset:2026-11-24T12@1", world="agency", accounts=3)
    noon = midnight("America/Los_Angeles", date(2026, 11, 24)) + 12 * HOUR
    graph.clock.now = noon - timedelta(minutes=1)
    before = counters(graph)
    graph.clock.now = noon + 3 * HOUR
    after = counters(graph)
    graph.sandbox.change(graph.account(0), amount_spent=0)
    set_to_0 = counters(graph)[0]
    graph.clock.now += HOUR

    assert after[0] > before[0]
    assert 0 < after[1] < before[1] > 1000
    assert set_to_0 == 0
    assert 0 < counters(graph)[0] < before[0]


@pytest.mark.parametrize(
    ("scenario", "low", "high"),
    [("runaway", 3, 3), ("stopped", 0, 0), ("over_budget", 1.5, 4)],
)
def test_spending_goes_wrong_from_an_hour_on_for_an_account_and_a_day(
    scenario: str, low: float, high: float
) -> None:
    clock = Clock(datetime(2026, 11, 24, 1, tzinfo=UTC))
    days = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)]
    with Sandbox(world="agency", accounts=3, now=clock) as sandbox:

        def spent(*scenarios: str) -> dict[tuple[int, date, int], int]:
            clock.now = datetime(2026, 11, 24, 1, tzinfo=UTC)
            sandbox.use(*scenarios)
            clock.now = datetime(2026, 11, 29, tzinfo=UTC)
            return {
                (at, day, hour): amount
                for at, one in enumerate(sandbox.account_ids)
                for day in days
                for hour, amount in sandbox.spent_by_hour(one, day).items()
            }

        calm, today = spent(), spent(f"{scenario}:12")
        only = spent(f"{scenario}:2026-11-24T12@2")

    def ratio(found: dict[tuple[int, date, int], int], at: int, day: date, *, late: bool) -> float:
        keys = [k for k in calm if k[:2] == (at, day) and (k[2] >= 12) == late]
        return sum(found.get(key, 0) for key in keys) / sum(calm[key] for key in keys)

    # It was turned on on the 24th in Berlin and Kolkata, and on the 23rd in Los Angeles.
    turned_on = [days[1], days[0], days[1]]
    for at in range(3):
        for day in days:
            assert ratio(today, at, day, late=False) == ratio(only, at, day, late=False) == 1
            for found, is_meant in (
                (today, day == turned_on[at]),
                (only, (at, day) == (2, days[1])),
            ):
                late = ratio(found, at, day, late=True)
                assert low <= late <= high if is_meant else late == 1, (at, day)
    assert SCENARIOS[scenario].reads


def test_days_of_an_agency_differ_as_real_ones_do() -> None:
    days = [date(2026, 8, 1) + timedelta(days=n) for n in range(60)]
    spread = []
    with Sandbox(world="agency", accounts=12, now=Clock()) as sandbox:
        for account_id in sandbox.account_ids:
            spent = [sum(sandbox.spent_by_hour(account_id, day).values()) for day in days]
            spread.append(pstdev(spent) / mean(spent))

    assert min(spread) > 0.12
    assert 0.19 < mean(spread) < 0.26


def test_a_budget_is_held_once_and_what_is_spent_fits_it_and_its_hours(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph(world="agency", accounts=3)
    fields = "id,daily_budget,lifetime_budget,pacing_type,adset_schedule"
    days = [date(2026, 9, 6) + timedelta(days=n) for n in range(56)]
    for account in map(graph.account, range(3)):
        campaigns = graph.rows(
            f"{account}/campaigns", fields=fields.removesuffix(",adset_schedule")
        )
        adsets = graph.rows(f"{account}/adsets", fields=f"{fields},campaign_id,end_time")
        spans = {"since": str(days[0]), "until": str(days[-1])}
        spent: dict[str, Counter[str]] = {}
        for level in ("campaign", "adset"):
            rows = graph.rows(
                f"{account}/insights",
                fields=f"{level}_id,spend",
                level=level,
                time_range=spans,
                time_increment=1,
            )
            for row in rows:
                of = spent.setdefault(row[f"{level}_id"], Counter())
                of[row["date_start"]] += round(100 * float(row["spend"]))
        for campaign in campaigns:
            below = [one for one in adsets if one["campaign_id"] == campaign["id"]]
            held = [one for one in (campaign, *below) if "daily_budget" in one]
            for_life = [one for one in (campaign, *below) if "lifetime_budget" in one]
            assert held in ([campaign], below) or (not held and for_life == below)
            for one in held:
                ratios = [spent[one["id"]][str(day)] / int(one["daily_budget"]) for day in days]
                assert max(ratios) <= 1.75
                assert all(sum(ratios[at : at + 7]) <= 7 for at in range(0, 56, 7))
            for one in for_life:
                assert one["pacing_type"] == ["day_parting"]
                assert one["adset_schedule"][0]["start_minute"] == 17 * 60
                assert sum(spent[one["id"]].values()) < int(one["lifetime_budget"])
                hours = graph.rows(
                    f"{one['id']}/insights", breakdowns=[HOURLY], time_range=spans, fields="spend"
                )
                assert {row[HOURLY][:2] for row in hours if HOURLY in row} == {
                    str(hour) for hour in range(17, 23)
                }


def test_a_budget_schedule_is_told_and_followed(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("budget_scheduled:2026-11-20T18@1", world="agency", accounts=2)
    fields = "ad_object_id,budget_value,budget_value_type,time_start,time_end,recurrence_type"
    wanted = f"id,daily_budget,budget_schedules{{{fields}}}"
    day = date(2026, 11, 20)

    plain = graph.rows(f"{graph.account(0)}/campaigns", fields=wanted)
    found = [
        one
        for edge in ("campaigns", "adsets")
        for one in graph.rows(f"{graph.account(1)}/{edge}", fields=wanted)
    ]
    late = [sum(s for h, s in graph.sandbox.spent_by_hour(graph.account(1), day).items() if h > 17)]
    graph.sandbox.use()
    late.append(
        sum(s for h, s in graph.sandbox.spent_by_hour(graph.account(1), day).items() if h > 17)
    )

    assert not any("budget_schedules" in one for one in plain)
    kinds = set()
    for one in found:
        assert ("budget_schedules" in one) == ("daily_budget" in one)
        for schedule in one.get("budget_schedules", {}).get("data", ()):
            assert schedule["ad_object_id"] == one["id"]
            assert schedule["time_start"] == "2026-11-20T18:00:00-0800"
            assert schedule["time_end"] == "2026-11-21T00:00:00-0800"
            kinds.add(schedule["budget_value_type"])
            by_factor = schedule["budget_value_type"] == "MULTIPLIER"
            assert schedule["budget_value"] == (2 if by_factor else int(one["daily_budget"]))
    assert kinds == {"MULTIPLIER", "ABSOLUTE"}
    assert 1.3 < late[0] / late[1] < 2
