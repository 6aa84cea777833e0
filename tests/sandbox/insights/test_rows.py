from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from fbgraph.catalog.fields import HOURLY, LEVELS
from tests.sandbox.insights.reading import (
    DAY,
    SUMMED,
    WEEK,
    actions,
    hourly,
    of_all_statuses,
    read,
    sums,
)

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("level", LEVELS)
def test_hourly_rows_of_every_level_add_up_to_the_account(
    either: Graph, index: int, level: str
) -> None:
    filtering = of_all_statuses(level)

    hourly = read(
        either, index, level=level, breakdowns=[HOURLY], time_increment=1, filtering=filtering
    )
    total = read(either, index, time_range=DAY)

    assert sums(hourly) == sums(total)
    on_meta = actions(hourly)
    assert on_meta == Counter({t: n for t, n in actions(total).items() if t in on_meta})


def test_without_a_status_filter_lists_lack_archived_and_deleted_ads(graph: Graph) -> None:
    total = sums(read(graph))
    shown = sums(read(graph, level="ad"))
    all_of_them = sums(read(graph, level="ad", filtering=of_all_statuses("ad")))

    assert shown["impressions"] < total["impressions"] == all_of_them["impressions"]


def test_a_filter_on_something_else_keeps_them_hidden(graph: Graph) -> None:
    shown = read(graph, level="ad", fields="ad_id")
    filtering = [{"field": "ad.impressions", "operator": "GREATER_THAN", "value": -1}]

    assert read(graph, level="ad", fields="ad_id", filtering=filtering) == shown


@pytest.mark.parametrize("status", ["ARCHIVED", "DELETED"])
def test_hidden_ads_are_had_by_their_status_alone(graph: Graph, status: str) -> None:
    filtering = [{"field": "ad.effective_status", "operator": "IN", "value": [status]}]

    rows = read(graph, level="ad", fields="ad_id", filtering=filtering)

    found = {
        graph.get(row["ad_id"], fields="effective_status").json()["effective_status"]
        for row in rows
    }
    assert found == {status}


def test_a_parent_counts_what_its_hidden_children_delivered(either: Graph) -> None:
    for campaign in read(either, level="campaign", fields=f"campaign_id,{','.join(SUMMED)}"):
        ads = either.rows(
            f"{campaign['campaign_id']}/insights",
            level="ad",
            fields=",".join(SUMMED),
            time_range=DAY,
            filtering=of_all_statuses("ad"),
        )

        assert sums([campaign]) == sums(ads)


def test_a_deleted_object_tells_its_own_insights(graph: Graph) -> None:
    filtering = [{"field": "ad.effective_status", "operator": "EQUAL", "value": "DELETED"}]
    row = read(graph, level="ad", fields="ad_id,impressions", filtering=filtering)[0]

    own = graph.rows(f"{row['ad_id']}/insights", fields="impressions", time_range=DAY)

    assert own[0]["impressions"] == row["impressions"]


def test_every_scalar_is_text_and_dates_are_always_there(graph: Graph) -> None:
    for row in read(graph, level="ad", fields="impressions,spend,ctr,reach,ad_name,actions"):
        scalars = [value for value in row.values() if not isinstance(value, list)]
        items = [v for item in row.get("actions", ()) for v in item.values()]

        assert all(isinstance(value, str) for value in (*scalars, *items))
        assert (row["date_start"], row["date_stop"]) == ("2026-11-21", "2026-11-21")


def test_fields_without_a_value_are_absent(graph: Graph) -> None:
    rows = read(graph, level="ad", fields="actions,ad_id,cpc,msa_seller_budget", limit=500)

    assert any("actions" not in row for row in hourly(graph))
    assert all("msa_seller_budget" not in row for row in rows)
    assert all(None not in row.values() for row in rows)


def test_with_no_fields_there_are_ids_impressions_and_spend(graph: Graph) -> None:
    row = read(graph, level="adset", fields="")[0]

    assert set(row) == {
        *("account_id", "campaign_id", "adset_id", "impressions", "spend"),
        *("date_start", "date_stop"),
    }


@pytest.mark.parametrize(
    ("increment", "periods"), [("1", 7), ("3", 3), ("monthly", 1), ("all_days", 1)]
)
def test_a_range_comes_in_periods_that_add_up(either: Graph, increment: str, periods: int) -> None:
    rows = read(either, time_increment=increment, time_range=WEEK)

    assert len(rows) == periods
    assert sums(rows) == sums(read(either, time_range=WEEK))


def test_days_ahead_of_the_account_are_cut_off(graph: Graph) -> None:
    row = read(graph, time_range={"since": "2026-11-23", "until": "2026-12-24"})[0]

    assert row["date_stop"] == "2026-11-23"


def test_today_is_the_accounts_own_date(graph: Graph) -> None:
    graph.clock.now = graph.clock.now.replace(hour=7)  # 23:00 of the day before in Los Angeles
    try:
        found = {
            index: read(graph, index, date_preset="today", time_range={"since": d, "until": d})
            for index, d in ((0, "2026-11-23"), (1, "2026-11-22"))
        }
        ahead = read(graph, 1, time_range={"since": "2026-11-23", "until": "2026-11-23"})
    finally:
        graph.clock.now = graph.clock.now.replace(hour=11)

    assert all(found.values())
    assert ahead == []


def test_a_yen_has_no_smaller_unit(graph: Graph) -> None:
    rows = read(graph, 2, level="ad", filtering=of_all_statuses("ad"))

    assert all("." not in row["spend"] for row in rows)
    assert any("." in row["spend"] for row in read(graph, 0, level="ad"))


def test_windows_have_keys_only_when_asked_for_and_dead_ones_never(graph: Graph) -> None:
    windows = ["7d_click", "1d_view", "7d_view", "28d_view"]

    plain = read(graph)[0]["actions"]
    asked = read(graph, action_attribution_windows=windows)[0]["actions"]

    assert {key for item in plain for key in item} == {"action_type", "value"}
    assert {key for item in asked for key in item} == {
        *("action_type", "value", "7d_click", "1d_view")
    }
    assert [item["value"] for item in asked] == [item["value"] for item in plain]


def test_hourly_goes_with_a_partner(graph: Graph) -> None:
    rows = hourly(graph, action_breakdowns="action_type,action_target_id")

    items = [item for row in rows for item in row.get("actions", ())]
    assert all(item["action_target_id"].isdecimal() for item in items)


def test_rows_are_sorted_by_one_field(graph: Graph) -> None:
    def order(sort: str, field: str) -> list[float]:
        return [float(row[field]) for row in read(graph, level="ad", sort=[sort], fields=field)]

    down, up = order("impressions_descending", "impressions"), order("spend", "spend")

    assert down == sorted(down, reverse=True)
    assert up == sorted(up)


def test_rows_are_sorted_by_an_action_type(graph: Graph) -> None:
    rows = read(graph, level="ad", sort='["actions:link_click_descending"]')

    clicks = [actions([row])["link_click"] for row in rows]
    assert clicks == sorted(clicks, reverse=True)


def test_metrics_filter_rows(graph: Graph) -> None:
    filtering = [
        *of_all_statuses("ad"),
        {"field": "ad.impressions", "operator": "GREATER_THAN", "value": 1000},
    ]

    rows = read(graph, level="ad", filtering=filtering)

    everything = read(graph, level="ad", filtering=of_all_statuses("ad"))
    assert rows == [row for row in everything if int(row["impressions"]) > 1000]


def test_one_campaign_is_had_by_filter_or_by_path(graph: Graph) -> None:
    campaign = graph.rows(f"{graph.account()}/campaigns")[0]["id"]
    filtering = [{"field": "campaign.id", "operator": "IN", "value": [campaign]}]

    by_filter = read(graph, level="ad", filtering=filtering)
    by_path = graph.rows(
        f"{campaign}/insights",
        level="ad",
        time_range=DAY,
        fields=",".join((*SUMMED, "actions")),
    )

    assert by_filter == by_path != []


def test_a_summary_totals_fields_and_never_counts_rows(graph: Graph) -> None:
    path = f"{graph.account()}/insights"
    asked = {"level": "ad", "time_range": DAY, "filtering": of_all_statuses("ad"), "limit": 3}

    named = graph.get(path, fields="ad_id,clicks", summary=["impressions"], **asked).json()
    default = graph.get(path, fields="ad_id,clicks", default_summary="true", **asked).json()
    none = graph.get(path, **asked).json()

    total = read(graph)[0]
    dates = {"date_start": "2026-11-21", "date_stop": "2026-11-21"}
    assert named["summary"] == {"impressions": total["impressions"], **dates}
    assert default["summary"] == {"clicks": total["clicks"], **dates}
    assert "summary" not in none


def test_pages_tile_the_rows_whatever_the_limit(graph: Graph) -> None:
    whole = hourly(graph)

    assert hourly(graph, limit=7) == whole
    assert len(whole) > 200


def test_a_cursor_beyond_the_last_row_is_invalid(graph: Graph) -> None:
    path = f"{graph.account()}/insights"
    *_, last = graph.pages(path, level="ad", time_range=DAY, limit=5)

    error = graph.error(
        path, level="ad", time_range=DAY, limit=5, after=last["paging"]["cursors"]["after"]
    )

    assert error["code"] == 2642


def test_a_query_without_rows_is_an_empty_list(graph: Graph) -> None:
    filtering = [{"field": "ad.id", "operator": "EQUAL", "value": "1"}]

    body = graph.get(f"{graph.account()}/insights", level="ad", filtering=filtering).json()

    assert body == {"data": []}


def test_results_name_what_they_count_and_lack_values_when_zero(graph: Graph) -> None:
    rows = read(graph, level="ad", fields="results,campaign_id", filtering=of_all_statuses("ad"))

    items = [row["results"][0] for row in rows if "results" in row]
    assert any(item["values"][0]["value"] != "0" for item in items if "values" in item)
    assert {item["indicator"] for item in items} >= {"actions:link_click"}
    assert all(item.get("values") != [] for item in items)


def test_every_usage_header_is_on_an_answer_of_insights(graph: Graph) -> None:
    headers = graph.get(f"{graph.account()}/insights").headers

    assert headers.keys() >= {
        *("x-app-usage", "x-ad-account-usage", "x-business-use-case-usage"),
        "x-fb-ads-insights-throttle",
    }


def test_names_survive_the_wire(graph: Graph) -> None:
    names = defaultdict(set)
    for row in read(graph, level="ad", fields="ad_id,ad_name", filtering=of_all_statuses("ad")):
        names[row["ad_name"]].add(row["ad_id"])

    assert names.keys() >= {
        "tab\there",
        "🚀 Launch 🎉",
        "שלום עולם",
        'He said "buy"',
        "back\\slash",
    }
