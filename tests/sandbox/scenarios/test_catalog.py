from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.sandbox import SCENARIOS, Sandbox
from fbgraph.sandbox.faults.hooks import HOOKS
from fbgraph.sandbox.scenarios.active import Active

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
ALL_ADS = [
    {"field": "ad.effective_status", "operator": "IN", "value": list(EFFECTIVE_STATUSES["ad"])}
]


def test_an_unknown_scenario_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"Unknown scenario 'thunder': expected one of .*flaky.*wrong_rows"
    ):
        Sandbox(world="hostile", scenarios=["flaky", "thunder"])


def test_every_scenario_says_what_it_does_and_takes_hold_somewhere() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.does
        assert scenario.source
        assert any(getattr(scenario, hook) for hook in (*HOOKS, "quota"))


def test_a_forbidden_account_is_listed_and_refuses_everything(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("forbidden_account")
    closed, open_one = graph.account(1), graph.account(0)

    listed = [row["id"] for row in graph.rows("me/adaccounts")]
    answers = [graph.get(f"{closed}{edge}") for edge in ("", "/campaigns", "/ads", "/insights")]

    assert closed in listed
    assert {(a.status_code, a.json()["error"]["code"]) for a in answers} == {(403, 200)}
    assert graph.get(f"{open_one}/campaigns").status_code == 200


def test_an_expired_token_is_refused_everywhere(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("expired_token")

    for path in ("me", "me/adaccounts", f"{graph.account()}/insights"):
        error = graph.error(path)
        assert (error["code"], error["error_subcode"]) == (190, 463)


@pytest.mark.parametrize("limit", [1, 2, 7, 5000])
def test_empty_pages_lie_in_the_middle_and_no_row_is_lost(
    open_graph: Callable[..., Graph], everything: dict[str, Any], limit: int
) -> None:
    graph = open_graph("empty_pages")
    path = f"{graph.account()}/insights"
    asked = {**everything, "time_range": DAY, "limit": max(limit, 20)}

    pages = list(graph.pages(path, **asked))
    ads = list(graph.pages(f"{graph.account()}/ads", limit=limit))

    rows = [row for page in pages for row in page["data"]]
    sizes = [len(page["data"]) for page in ads]
    cursors = [page["paging"]["cursors"]["after"] for page in ads]
    assert 0 in sizes[1:-1]
    assert len(rows) == graph.sandbox.truth(graph.account(), "2026-11-21")["count"]
    assert sum(sizes) == len({row["id"] for page in ads for row in page["data"]})
    assert len(set(cursors)) == len(cursors)


def test_a_repeated_cursor_offers_the_page_that_was_asked_for(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("repeated_cursor")
    path = f"{graph.account()}/ads"
    sent = graph.get(path, limit=5).json()["paging"]["cursors"]["after"]

    paging = graph.get(path, limit=5, after=sent).json()["paging"]

    assert paging["cursors"]["after"] == sent
    assert f"after={sent}" in paging["next"]


def test_total_count_may_be_missing_or_wrong(open_graph: Callable[..., Graph]) -> None:
    def summary(*scenarios: str) -> object:
        graph = open_graph(*scenarios)
        return graph.get(f"{graph.account()}/ads", summary="true").json().get("summary")

    right, missing, wrong = summary(), summary("no_total_count"), summary("wrong_total_count")

    assert isinstance(right, dict)
    assert missing is None
    assert wrong == {"total_count": right["total_count"] + 1}


def kind_of(response: httpx.Response) -> str:
    try:
        body = json.loads(response.content)
    except ValueError:
        return f"{response.status_code} {response.content[:9].decode()}"
    return f"{response.status_code} {body.get('error', {}).get('code')}"


def test_flaky_breaks_one_answer_in_five_in_turn(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("flaky")

    kinds = [kind_of(graph.get("me", fields="id")) for _ in range(25)]

    fives = [kinds[at : at + 5] for at in range(0, 25, 5)]
    assert [[kind for kind in five if kind != "200 None"] for five in fives] == [
        ["502 <!DOCTYPE"],
        ["500 "],
        ["200 Service U"],
        ['200 {"id":"10'],
        ["503 2"],
    ]
    assert graph.sandbox.calls()["faults"] == {"flaky": 5}


def test_throttled_says_when_to_come_back_and_then_lets_through(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("throttled")

    answers = [graph.get(f"{graph.account()}/campaigns") for _ in range(18)]

    refused = [answer for answer in answers if answer.status_code == 400]
    usage = json.loads(refused[0].headers["x-business-use-case-usage"])
    error = refused[0].json()["error"]
    assert len(refused) == 2
    assert (error["code"], error["error_subcode"]) == (80000, 2446079)
    assert usage[graph.account()[4:]][0]["estimated_time_to_regain_access"] == 1


def start(graph: Graph, **params: Any) -> str:
    return graph.create(f"{graph.account()}/insights", time_range=DAY, **params)


@pytest.mark.parametrize(
    ("scenario", "status"), [("run_fails_once", "Job Failed"), ("run_skipped_once", "Job Skipped")]
)
def test_the_first_run_of_a_query_is_lost_and_the_second_is_not(
    open_graph: Callable[..., Graph], scenario: str, status: str
) -> None:
    graph = open_graph(scenario)

    first, second = (start(graph, fields="spend") for _ in range(2))

    assert graph.poll(first, until=status)[-1] == status
    assert graph.poll(second)[-1] == "Job Completed"
    assert graph.error(f"{first}/insights")["code"] == 2601
    assert graph.rows(f"{second}/insights")


def test_the_first_run_of_a_query_is_the_first_of_another_day_as_well(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("run_fails_once")
    hourly = {"breakdowns": ["hourly_stats_aggregated_by_advertiser_time_zone"]}
    graph.poll(start(graph, **hourly), until="Job Failed")
    graph.clock.now += timedelta(days=1)

    assert graph.poll(start(graph, **hourly))[-1] == "Job Completed"


def test_a_failed_run_says_why(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_fails_once")
    run_id = start(graph)
    graph.poll(run_id, until="Job Failed")

    found = graph.get(run_id).json()

    assert (found["error_code"], found["error_subcode"]) == (-2, 2490547)
    assert found["async_percent_completion"] < 100


def test_a_stuck_run_stays_at_100_percent_for_a_while(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("run_stuck_at_100")
    run_id = start(graph)

    polls = [graph.get(run_id).json() for _ in range(5)]
    early = [p["async_status"] for p in polls if p["async_percent_completion"] == 100]

    assert early == ["Job Running", "Job Running", "Job Running", "Job Completed"]


def test_a_fresh_run_is_unknown_at_the_first_poll(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("fresh_run_unknown")
    run_id = start(graph)

    error = graph.error(run_id)

    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert graph.poll(run_id) == ["Job Completed"]


def spend(graph: Graph, day: str) -> str:
    time_range = {"since": day, "until": day}
    path = f"{graph.account()}/insights"
    found: str = graph.rows(path, fields="spend", time_range=time_range)[0]["spend"]
    return found


@pytest.mark.parametrize(
    ("day", "moves"), [("2026-11-21", True), ("2026-10-27", True), ("2026-10-20", False)]
)
def test_restated_moves_the_numbers_of_the_last_28_days_and_the_truth(
    open_graph: Callable[..., Graph], day: str, *, moves: bool
) -> None:
    graph = open_graph()
    before = spend(graph, day)

    graph.sandbox.use("restated")

    after = spend(graph, day)
    assert (after != before) == moves
    assert after == graph.sandbox.truth(graph.account(), day)["sums"]["spend"]
    assert 0.9 < float(after) / float(before) < 1.1


def test_restated_days_moves_as_many_account_days_as_told_and_the_others_not_at_all(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph()
    cells = [(i, f"2026-11-{day:02}") for i in graph.sandbox.account_ids for day in range(1, 23)]

    def impressions() -> list[int]:
        return [int(graph.sandbox.truth(*cell)["sums"]["impressions"]) for cell in cells]

    before = impressions()
    graph.sandbox.use("restated_days:20")
    after = impressions()

    moved = sum(a != b for a, b in zip(after, before, strict=True))
    assert 0.1 * len(cells) < moved < 0.3 * len(cells)
    assert all(a >= b for a, b in zip(after, before, strict=True))


def test_a_restated_day_keeps_its_rows(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    before = graph.sandbox.truth(graph.account(), "2026-11-21")

    graph.sandbox.use("restated")

    after = graph.sandbox.truth(graph.account(), "2026-11-21")
    assert [(r["ad_id"], r["hour"]) for r in after["rows"]] == [
        (r["ad_id"], r["hour"]) for r in before["rows"]
    ]


def test_wrong_rows_lack_an_hour_of_each_account_day_that_totals_keep(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("wrong_rows")
    days = {"since": "2026-11-20", "until": "2026-11-21"}
    path = f"{graph.account()}/insights"

    rows = graph.rows(path, time_range=days, **everything)
    totals = graph.rows(path, time_range=days, time_increment=1, fields="impressions")

    truths = [graph.sandbox.truth(graph.account(), day) for day in days.values()]
    assert len(rows) == sum(truth["count"] for truth in truths) - 2
    assert [t["impressions"] for t in totals] == [t["sums"]["impressions"] for t in truths]
    assert sum(int(r["impressions"]) for r in rows) < sum(int(t["impressions"]) for t in totals)


def test_scenarios_combine(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("empty_pages", "no_total_count", "forbidden_account")

    pages = list(graph.pages(f"{graph.account()}/ads", limit=4, summary="true"))

    assert not any("summary" in page for page in pages)
    assert any(page["data"] == [] for page in pages)
    assert graph.error(graph.account(1))["code"] == 200


def test_scenarios_are_changed_while_it_runs(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()
    own = "_sandbox/scenario"

    on = graph.bare.post(own, json={"names": ["expired_token", "flaky"]}).json()["active"]
    refused = graph.error("me")
    wrong = graph.bare.post(own, data={"name": "thunder"})
    off = graph.bare.delete(own).json()["active"]

    assert on == ["expired_token", "flaky"]
    assert refused["code"] == 190
    assert wrong.status_code == 400
    assert "expected one of" in wrong.json()["error"]
    assert off == []
    assert graph.bare.get(own).json()["scenarios"].keys() == SCENARIOS.keys()
    assert graph.get("me").status_code == 200


def test_naming_a_scenario_twice_is_naming_it_once() -> None:
    assert Active(["flaky", "flaky"]).names == ("flaky",)
