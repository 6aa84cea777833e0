"""Quotas that count and block, by a clock that the test moves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.limits.quota import QUOTAS, LastHour, Score

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Graph

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = {"since": "2026-11-21", "until": "2026-11-21"}

#: So wide that nothing blocks; each test narrows what it is about.
WIDE = replace(
    QUOTAS["limited"], score=10_000, insights=10_000, management=10_000, app_per_user=10_000
)


def usage(answer: httpx.Response, header: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.headers[header])
    return found


def case_of(graph: Graph, answer: httpx.Response) -> dict[str, Any]:
    (case,) = usage(answer, "x-business-use-case-usage")[graph.account().removeprefix("act_")]
    found: dict[str, Any] = case
    return found


def code_of(answer: httpx.Response) -> int | None:
    code: int | None = answer.json().get("error", {}).get("code")
    return code


def blocked(graph: Graph) -> Any:
    return graph.sandbox.calls()["blocked"]


def test_nothing_is_counted_unless_told_to(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()

    answers = [graph.get(graph.account()) for _ in range(70)]

    assert {answer.status_code for answer in answers} == {200}
    assert blocked(graph) == {}


def test_points_drain_away() -> None:
    score = Score(replace(QUOTAS["limited"], score=60, decay_seconds=300))

    score.add(NOON, 30, 60)

    left = [score.used(NOON + timedelta(seconds=s)) for s in (0, 100, 150, 900)]
    assert left == [30, 10, 0, 0]


def test_an_hour_old_call_no_longer_counts() -> None:
    hour = LastHour()
    for minute in (0, 10, 20):
        hour.add(NOON + timedelta(minutes=minute), 1, 2)

    assert hour.used(NOON + timedelta(minutes=59)) == 3
    assert hour.blocked_until == NOON + timedelta(minutes=70)
    assert hour.used(NOON + timedelta(minutes=70)) == 1


def test_an_accounts_score_blocks_it_for_a_while_and_nobody_else(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph(quota="limited")

    codes = [code_of(graph.get(graph.account())) for _ in range(62)]
    refused = graph.get(graph.account())
    other = graph.get(graph.account(1))
    graph.clock.now += timedelta(seconds=300)
    again = graph.get(graph.account())

    assert codes == [None] * 60 + [17, 17]
    assert usage(refused, "x-ad-account-usage")["reset_time_duration"] == 300
    assert usage(refused, "x-ad-account-usage")["ads_api_access_tier"] == "development_access"
    assert (other.status_code, again.status_code) == (200, 200)
    assert blocked(graph) == {
        graph.sandbox.account_ids[0]: {"blocks": 1, "refused": 3, "into_blocks": 2}
    }


def test_the_next_block_says_613_and_a_write_counts_three(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota=replace(WIDE, score=4))
    path = f"{graph.account()}/insights"

    first = [code_of(graph.post(path, time_range=DAY)) for _ in range(2)]
    graph.clock.now += timedelta(seconds=600)
    second = [code_of(graph.post(path, time_range=DAY)) for _ in range(2)]

    assert first == [None, 17]
    assert second == [None, 613]


def test_shares_in_headers_are_what_was_used(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota="limited")
    path = f"{graph.account()}/insights"

    answers = [graph.get(path, time_range=DAY) for _ in range(15)]

    share = [usage(a, "x-ad-account-usage")["acc_id_util_pct"] for a in answers]
    insights = usage(answers[-1], "x-fb-ads-insights-throttle")
    assert share[::7] == pytest.approx([100 / 60, 800 / 60, 1500 / 60], abs=0.01)
    assert 0 < insights["acc_id_util_pct"] < 1
    assert 0 < insights["app_id_util_pct"] < 1
    assert case_of(graph, answers[-1])["type"] == "ads_insights"


@pytest.mark.parametrize(
    ("figures", "edge", "code", "kind"),
    [
        ({"insights": 3, "insights_per_ad": 0}, "/insights", 80000, "ads_insights"),
        ({"management": 3, "management_per_ad": 0}, "/campaigns", 80004, "ads_management"),
    ],
)
def test_a_use_case_blocks_for_minutes_that_calls_prolong(
    open_graph: Callable[..., Graph], figures: dict[str, Any], edge: str, code: int, kind: str
) -> None:
    graph = open_graph(quota=replace(WIDE, **figures))
    path = f"{graph.account()}{edge}"

    for _ in range(2):
        graph.get(path)
    graph.clock.now += timedelta(minutes=10)
    codes = [code_of(graph.get(path)) for _ in range(2)]
    waits = case_of(graph, graph.get(path))["estimated_time_to_regain_access"]
    graph.clock.now += timedelta(minutes=50)
    still = graph.get(path)
    graph.clock.now += timedelta(minutes=waits)

    assert codes == [None, code]
    assert waits == 60  # three calls of this minute alone fill it
    assert code_of(still) == code
    assert case_of(graph, still)["type"] == kind
    assert case_of(graph, still)["call_count"] > 100
    assert graph.get(path).status_code == 200


def test_active_ads_widen_a_use_case(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota=replace(WIDE, insights=1, insights_per_ad=1))
    (about, *_) = graph.sandbox.world()["accounts"]
    active = about["objects"]["ad"]["ACTIVE"]

    codes = [code_of(graph.get(f"{graph.account()}/insights", time_range=DAY)) for _ in range(30)]

    assert codes.count(None) == 1 + active


def test_the_apps_insights_are_blocked_for_all_accounts(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota=replace(WIDE, app_insights=3))

    answers = [graph.get(f"{graph.account(n)}/insights", time_range=DAY) for n in range(5)]

    last = answers[-1].json()["error"]
    assert [code_of(a) for a in answers] == [None, None, None, 4, 4]
    assert (last["code"], last["error_subcode"]) == (4, 1504022)
    assert usage(answers[-1], "x-fb-ads-insights-throttle")["app_id_util_pct"] > 100
    assert graph.get(graph.account()).status_code == 200
    assert blocked(graph) == {"app": {"blocks": 1, "refused": 2, "into_blocks": 1}}


def test_what_is_about_no_account_counts_for_the_app(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota=replace(WIDE, app_per_user=2, users=2))

    answers = [graph.get("me") for _ in range(5)]

    assert [code_of(a) for a in answers] == [None] * 4 + [4]
    assert usage(answers[-1], "x-app-usage")["call_count"] > 100


def test_items_of_a_batch_count_and_say_so_one_by_one(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(quota=replace(WIDE, score=4))
    items = [{"method": "GET", "relative_url": graph.account()}] * 6

    answers = graph.post("", batch=items).json()

    headers = [{h["name"].lower(): h["value"] for h in a["headers"]} for a in answers]
    shares = [json.loads(h["x-ad-account-usage"])["acc_id_util_pct"] for h in headers]
    assert [a["code"] for a in answers] == [200, 200, 200, 200, 400, 400]
    assert shares[:4] == [25, 50, 75, 100]


def test_a_scenario_turns_a_quota_on_and_off(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("quota_tight:5")

    tight = [code_of(graph.get(graph.account())) for _ in range(6)]
    graph.sandbox.use()
    calm = code_of(graph.get(graph.account()))

    assert tight == [None] * 5 + [17]
    assert calm is None


def test_an_unknown_quota_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown quota 'huge': expected one of full, limited"):
        Sandbox(world="hostile", quota="huge")
