"""Every scenario by its default strength, under a client that does a little of everything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY
from fbgraph.sandbox import SCENARIOS
from fbgraph.sandbox.scenarios.active import Active

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

#: The clock went back on this day in Berlin.
LONG_DAY = {"since": "2026-10-25", "until": "2026-10-25"}
DAYS = {"since": "2026-11-19", "until": "2026-11-21"}
OLD = {"since": "2025-06-01", "until": "2025-06-02"}
PAUSED = [{"field": "ad.effective_status", "operator": "IN", "value": ["PAUSED"]}]
ALL = [{"field": "ad.effective_status", "operator": "IN", "value": [*EFFECTIVE_STATUSES["ad"]]}]
HOURS = {"level": "ad", "breakdowns": [HOURLY], "time_increment": "1", "limit": 90}


def calmly(call: Callable[..., httpx.Response], path: str, **params: Any) -> Any:
    """The JSON of an answer, or nothing where there is none."""
    try:
        return call(path, **params).json()
    except (ValueError, httpx.TransportError):
        return {}


def some_pages(graph: Graph, path: str, **params: Any) -> None:
    for _ in range(3):
        body = calmly(graph.get, path, **params)
        data = body if isinstance(body, dict) else {}
        params["after"] = data.get("paging", {}).get("cursors", {}).get("after", "")


def run_twice(graph: Graph, **params: Any) -> None:
    for _ in range(2):
        made = calmly(graph.post, f"{graph.account()}/insights", **params)
        run = made.get("report_run_id")
        for _ in range(4):
            calmly(graph.get, str(run))
        for _ in range(2):
            calmly(graph.get, f"{run}/insights", limit=500)


def a_little_of_everything(graph: Graph) -> None:
    for account in map(graph.account, range(5)):
        calmly(graph.get, account)
        calmly(graph.get, f"{account}/insights", time_range=LONG_DAY)
    calmly(graph.get, "me/adaccounts", fields="name,currency,amount_spent")
    some_pages(graph, f"{graph.account()}/ads", limit=4, summary="true")
    calmly(graph.get, f"{graph.account()}/ads", fields="name,created_time")
    calmly(graph.get, f"{graph.account()}/campaigns", fields="spend_cap,buying_type")
    for _ in range(3):
        some_pages(graph, f"{graph.account(3)}/campaigns", limit=2)
    calmly(graph.get, f"{graph.account()}/adcreatives", fields="object_story_spec", limit=50)
    calmly(graph.bare.get, "/media/none.png")
    calmly(graph.get, f"{graph.account(1)}/customaudiences")
    calmly(graph.get, f"{graph.account()}/activities", since="1793500000", until="1795400000")
    for days in (DAYS, LONG_DAY, OLD):
        some_pages(graph, f"{graph.account()}/insights", time_range=days, **HOURS)
    calmly(graph.get, f"{graph.account()}/insights", time_range=OLD, fields="unique_clicks")
    for level in ("account", "campaign"):
        calmly(graph.get, f"{graph.account()}/insights", level=level, fields="actions")
    fields = "ad_id,impressions,inline_link_clicks,spend"
    run_twice(graph, time_range=DAYS, fields=fields, filtering=ALL, **HOURS)
    run_twice(graph, time_range=DAYS, fields="spend", filtering=PAUSED, level="ad")
    items = [{"method": "GET", "relative_url": f"{graph.account()}/ads"}] * 8
    calmly(graph.post, "", batch=items)
    names = "campaign_name,full_view_impressions,actions,spend"
    by_ad = {"level": "ad", "time_range": DAYS}
    calmly(graph.get, f"{graph.account()}/insights", fields=names, **by_ad)
    opt_in = {"breakdowns": ["comscore_market"], "fields": "spend"}
    for account in map(graph.account, range(2)):
        calmly(graph.get, f"{account}/insights", **opt_in, **by_ad)
    calmly(graph.get, f"{graph.account()}/insights/feature-settings")
    by_asset = {"breakdowns": ["image_asset"], "fields": "actions,spend"}
    calmly(graph.get, f"{graph.account()}/insights", **by_asset, **by_ad)


@pytest.mark.parametrize("name", [n for n in SCENARIOS if not SCENARIOS[n].quota])
def test_every_scenario_strikes(open_graph: Callable[..., Graph], name: str) -> None:
    graph = open_graph(name)

    a_little_of_everything(graph)

    assert graph.sandbox.calls()["faults"].get(name, 0) > 0


def test_a_calm_sandbox_meets_no_fault(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()

    a_little_of_everything(graph)

    assert graph.sandbox.calls()["faults"] == {}


def test_strikes_are_the_same_in_every_sandbox(open_graph: Callable[..., Graph]) -> None:
    names = ("flaky", "throttled", "unavailable", "empty_pages", "batch_null", "odd_polls")

    def met() -> dict[str, int]:
        graph = open_graph(*names)
        a_little_of_everything(graph)
        found: dict[str, int] = graph.sandbox.calls()["faults"]
        return found

    first, second = met(), met()

    assert first == second
    assert first.keys() == {*names}


def test_all_scenarios_may_be_on_at_once(open_graph: Callable[..., Graph]) -> None:
    first = {
        *("expired_token", "password_changed", "session_invalid", "always", "blocked"),
        *("app_not_installed", "app_blocked", "expired_version", "quota_tight"),
    }
    graph = open_graph(*(name for name in SCENARIOS if name not in first))

    a_little_of_everything(graph)

    assert len(graph.sandbox.calls()["faults"]) > 20


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slow:fast", "Invalid strength 'fast' for scenario slow: expected a whole number"),
        ("blocked:3", "Scenario blocked takes no strength: remove ':3'"),
        (
            "always:angry",
            "Invalid strength 'angry' for scenario always: expected one of .*throttled.*",
        ),
        ("thunder:3", "Unknown scenario 'thunder': expected one of "),
    ],
)
def test_a_wrong_strength_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Active([name])


def test_strikes_are_told_and_forgotten_with_the_calls(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("slow:0", "no_total_count")
    graph.get(f"{graph.account()}/ads", summary="true")
    own = "_sandbox/calls"

    before = graph.bare.get(own).json()["faults"]
    after = graph.bare.delete(own).json()["faults"]

    assert before == {"no_total_count": 1, "slow": 1}
    assert after == {}


def test_a_strength_is_kept_in_the_name_of_what_is_on(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph()

    on = graph.bare.post("_sandbox/scenario", json={"names": ["limit_too_high:2"]}).json()

    body = graph.get(f"{graph.account()}/ads", limit=3).json()
    assert json.dumps(on["active"]) == '["limit_too_high:2"]'
    assert body["error"]["code"] == 1
    assert graph.get(f"{graph.account()}/ads", limit=2).status_code == 200
