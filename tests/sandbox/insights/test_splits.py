"""Breakdowns other than the hour: parts that add up exactly to what they are parts of."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.sandbox.insights.assets import ASSETS, ids
from fbgraph.sandbox.insights.splits import SPLITS, split
from fbgraph.sandbox.world.delivery import Numbers, add

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

DAY = "2026-11-21"

#: Every combination that is imitated.
TOGETHER = [
    ("age",),
    ("gender",),
    ("age", "gender"),
    ("country",),
    ("publisher_platform",),
    ("device_platform",),
    ("publisher_platform", "platform_position"),
    ("publisher_platform", "impression_device"),
    ("publisher_platform", "device_platform"),
    ("impression_device", "platform_position", "publisher_platform"),
    *((name,) for name in ASSETS),
]


#: What Meta gives under every breakdown of `TOGETHER`.
METRICS = ("impressions", "clicks", "spend", "actions")


def read(graph: Graph, account: str, level: str = "ad", **params: Any) -> list[dict[str, Any]]:
    statuses = list(EFFECTIVE_STATUSES.get(level, ()))
    condition = {"field": f"{level}.effective_status", "operator": "IN", "value": statuses}
    return graph.rows(
        f"{account}/insights",
        level=level,
        time_range={"since": DAY, "until": DAY},
        fields=["account_id", f"{level}_id", *METRICS],
        filtering=[condition] if statuses else [],
        **params,
    )


def sums(rows: list[dict[str, Any]]) -> tuple[int, int, Decimal]:
    impressions, clicks = (
        sum(int(row[name]) for row in rows) for name in ("impressions", "clicks")
    )
    return impressions, clicks, sum((Decimal(r["spend"]) for r in rows), Decimal())


@pytest.mark.parametrize("breakdowns", TOGETHER, ids=",".join)
def test_parts_add_up_to_the_account_exactly(graph: Graph, breakdowns: tuple[str, ...]) -> None:
    for index in range(3):
        parts = read(graph, graph.account(index), breakdowns=list(breakdowns))
        whole = read(graph, graph.account(index), "account")

        assert sums(parts) == sums(whole)
        keys = Counter((row["ad_id"], *(str(row[name]) for name in breakdowns)) for row in parts)
        assert max(keys.values()) == 1
        assert len(parts) > len({row["ad_id"] for row in parts})


@pytest.mark.parametrize("breakdowns", [("age", "gender"), ("country",), ()], ids=",".join)
def test_the_truth_by_breakdowns_is_what_is_served(
    either: Graph, breakdowns: tuple[str, ...]
) -> None:
    asked: dict[str, Any] = {"breakdowns": list(breakdowns)} if breakdowns else {}
    rows = read(either, either.account(), **asked)

    told = either.bare.get(
        "_sandbox/truth",
        params={"account_id": either.account(), "date": DAY, "breakdowns": ",".join(breakdowns)},
    ).json()

    names = ["ad_id", *breakdowns, "impressions", "clicks", "spend", "actions"]
    served = [[row.get(name) for name in names] for row in rows]
    assert sorted(served, key=str) == sorted(
        ([row.get(name) for name in names] for row in told["rows"]), key=str
    )
    assert told["count"] == len(rows)
    assert told["sums"] == either.sandbox.truth(either.account(), DAY)["sums"]


def test_ages_summed_over_genders_are_the_ages_alone(either: Graph) -> None:
    both = read(either, either.account(), breakdowns=["age", "gender"])
    alone = read(either, either.account(), breakdowns=["age"])

    summed: Counter[tuple[str, str]] = Counter()
    for row in both:
        summed[row["ad_id"], row["age"]] += int(row["impressions"])
    assert summed == {(r["ad_id"], r["age"]): int(r["impressions"]) for r in alone}


def test_nobody_clicks_where_nothing_was_shown() -> None:
    whole = Numbers(impressions=97, clicks=13, spend=250, link_clicks=13, purchases_1d=1)

    parts = split("1", whole, ("age", "gender"))

    assert add(parts.values()) == whole
    assert all(part.clicks <= part.impressions for part in parts.values())
    assert all(part.impressions for part in parts.values())


def test_what_came_without_impressions_is_all_in_one_part() -> None:
    whole = Numbers(reactions=2, likes=1)

    assert list(split("1", whole, ("country",)).values()) == [whole]


def test_a_report_run_knows_how_many_rows_a_breakdown_makes(graph: Graph) -> None:
    run = graph.create(
        f"{graph.account()}/insights",
        level="ad",
        time_range={"since": DAY, "until": DAY},
        breakdowns="age,gender",
        fields="ad_id,impressions",
    )
    graph.poll(run)

    rows = graph.rows(f"{run}/insights")

    assert {len(row) for row in rows} == {6}
    assert all(row["age"] and row["gender"] for row in rows)


def test_attribution_windows_and_actions_off_meta_come_with_a_breakdown(graph: Graph) -> None:
    rows = read(
        graph,
        graph.account(),
        breakdowns=["gender"],
        action_attribution_windows=["1d_click", "7d_click"],
    )

    entries = [entry for row in rows for entry in row.get("actions", ())]
    assert any(entry.get("1d_click") for entry in entries)
    assert any(entry["action_type"] == "omni_purchase" for entry in entries)


def test_a_truth_by_what_is_not_imitated_is_a_plain_400(graph: Graph) -> None:
    answer = graph.bare.get(
        "_sandbox/truth",
        params={"account_id": graph.account(), "date": DAY, "breakdowns": "zip"},
    )

    assert answer.status_code == 400
    assert "zip" in str(answer.json())
    assert "zip" not in SPLITS


def test_an_asset_is_an_object_with_one_id_and_many_addresses(graph: Graph) -> None:
    rows = read(graph, graph.account(), breakdowns=["image_asset"])

    shown = [row["image_asset"] for row in rows]
    assert {one["id"] for one in shown} == {*ids("image_asset")}
    assert {tuple(one) for one in shown} == {("hash", "name", "url", "id")}
    assert len({one["url"] for one in shown}) > 3 * len({one["id"] for one in shown})
    assert rows == read(graph, graph.account(), breakdowns=["image_asset"])


def test_signed_again_changes_addresses_alone_and_shows_the_first_row_twice(
    open_graph: Callable[..., Graph],
) -> None:
    calm, signed = open_graph(), open_graph("signed_again")
    told, first, second = (
        read(one, one.account(), breakdowns=["video_asset"]) for one in (calm, signed, signed)
    )

    def unsigned(rows: list[dict[str, Any]]) -> list[Any]:
        return [row | {"video_asset": row["video_asset"]["id"]} for row in rows]

    assert unsigned(first) == unsigned(second) == unsigned([told[0], *told])
    for one, other in zip(first, second, strict=True):
        assert one["video_asset"]["url"] != other["video_asset"]["url"]
    assert first[0] != first[1]


@pytest.mark.parametrize(
    ("scenario", "is_odd"),
    [
        ("empty_value:3", lambda row: {"action_type": "app_use", "value": ""} in row["actions"]),
        ("odd_entry:3", lambda row: None in row["actions"]),
        ("odd_cell:3", lambda row: row.get("full_view_impressions") == "n/a"),
        ("half_character:3", lambda row: row["campaign_name"].endswith("\ud83d")),
    ],
)
def test_a_scenario_of_values_makes_one_in_three_rows_odd_and_moves_no_number(
    open_graph: Callable[..., Graph], scenario: str, is_odd: Callable[[dict[str, Any]], bool]
) -> None:
    fields = "ad_id,campaign_name,impressions,full_view_impressions,spend,actions"
    asked = {"level": "ad", "fields": fields, "time_range": {"since": DAY, "until": DAY}}
    calm, odd = (
        graph.rows(f"{graph.account()}/insights", **asked)
        for graph in (open_graph(), open_graph(scenario))
    )

    assert sum(map(is_odd, odd)) in {len(odd) // 3, len(odd) // 3 + 1}
    assert [row["spend"] for row in odd] == [row["spend"] for row in calm]


@pytest.mark.parametrize("beside", ["actions_missing", "window_missing"])
def test_an_entry_that_is_not_an_object_goes_with_scenarios_that_shorten_lists(
    open_graph: Callable[..., Graph], beside: str
) -> None:
    graph = open_graph("odd_entry:3", beside)
    asked = {"level": "ad", "fields": "ad_id,actions", "time_range": {"since": DAY, "until": DAY}}

    rows = graph.rows(f"{graph.account()}/insights", **asked)

    assert any(None in row.get("actions", ()) for row in rows)
