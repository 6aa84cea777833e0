"""Feature settings: what an account has enabled, and what its insights then have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fbgraph.catalog.fields import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

SETTINGS = "insights/feature-settings"


def days_of(graph: Graph, account: str) -> set[str]:
    params: dict[str, Any] = {
        "level": "campaign",
        "breakdowns": ["publisher_platform", "impression_device"],
        "fields": "impressions",
        "time_range": {"since": "2026-11-19", "until": "2026-11-22"},
        "time_increment": "1",
    }
    return {row["date_start"] for row in graph.rows(f"{account}/insights", **params)}


def test_accounts_have_enabled_everything_and_nothing_can_be_enabled(graph: Graph) -> None:
    path = f"{graph.account()}/{SETTINGS}"

    rows = list(graph.rows(path))

    assert rows == [{"feature_name": one, "status": "enabled"} for one in sorted(FEATURES)]
    assert list(graph.rows(path, feature_name="comscore")) == rows[:1]
    assert {row["feature_name"] for row in graph.rows(f"{path}/list-features")} == FEATURES
    assert "must be one of" in graph.error(path, feature_name="dma")["message"]
    assert "error" in graph.post(path, feature_name="comscore").json()


def test_accounts_in_turn_have_rows_as_their_settings_say(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("opted_in_in_turn:2026-11-21")
    whole, since, nothing, forbidden = map(graph.account, range(4))
    every = {"2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"}

    assert [days_of(graph, one) for one in (whole, since, nothing, forbidden)] == [
        every,
        {"2026-11-21", "2026-11-22"},
        set(),
        set(),
    ]
    assert {row.get("insights_effective_date") for row in graph.rows(f"{whole}/{SETTINGS}")} == {
        None
    }
    dates = {row["insights_effective_date"] for row in graph.rows(f"{since}/{SETTINGS}")}
    assert dates == {"2026-11-21"}
    assert graph.rows(f"{nothing}/{SETTINGS}") == []
    assert graph.error(f"{forbidden}/{SETTINGS}")["code"] == 10
