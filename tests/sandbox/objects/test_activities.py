"""Activities: what was done to objects, by the seed and by writes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fbgraph.catalog.fields import of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

FIELDS = ",".join(of("adactivity"))


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["event_time"])


def test_activities_are_those_of_seven_days_unless_a_range_is_named(graph: Graph) -> None:
    path, now = f"{graph.account()}/activities", graph.clock.now

    usual = graph.rows(path, fields=FIELDS)
    since, until = now - timedelta(days=40), now - timedelta(days=30)
    named = graph.rows(
        path, fields=FIELDS, since=int(since.timestamp()), until=int(until.timestamp())
    )

    assert now - timedelta(days=7) <= min(map(moment, usual)) < now - timedelta(days=6)
    assert since <= min(map(moment, named)) <= max(map(moment, named)) <= until
    assert usual == sorted(usual, key=moment, reverse=True)
    assert graph.rows(path) == [{"event_time": row["event_time"]} for row in usual]


def test_rows_have_no_id_share_seconds_and_have_data_of_every_kind(graph: Graph) -> None:
    since = int((graph.clock.now - timedelta(days=60)).timestamp())
    rows = graph.rows(f"{graph.account()}/activities", fields=FIELDS, since=since)
    texts = [row.get("extra_data", "") for row in rows]
    levels = {row["object_type"] for row in rows}
    key = ("object_id", "actor_id", "application_id", "event_time", "event_type")

    assert not any("id" in row for row in rows)
    assert max(Counter(tuple(row.get(name) for name in key) for row in rows).values()) > 1
    assert None in texts
    assert "Herbst, évergreen" in texts
    assert levels == {"ACCOUNT", "CAMPAIGN_GROUP", "CAMPAIGN", "ADGROUP"}
    assert any("actor_id" not in row for row in rows)
    of_ads = [
        json.loads(row["extra_data"]) for row in rows if row["event_type"] == "update_ad_run_status"
    ]
    assert all(isinstance(one["campaign_id"], int) for one in of_ads)


def test_writes_are_activities_of_the_object_and_can_be_asked_for(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph()
    path = f"{graph.account()}/activities"
    campaign = graph.rows(f"{graph.account()}/campaigns", fields="name")[0]
    budget = graph.rows(f"{graph.account()}/campaigns", fields="daily_budget")
    held = next(row for row in budget if "daily_budget" in row)

    graph.post(campaign["id"], name="Renamed", status="PAUSED")
    graph.sandbox.change(held["id"], daily_budget="54321")
    graph.clock.now += timedelta(minutes=1)
    asked = {"fields": FIELDS, "since": int((graph.clock.now - timedelta(minutes=9)).timestamp())}
    named = graph.rows(path, oid=campaign["id"], **asked)
    money = graph.rows(path, category="BUDGET", oid=held["id"], **asked)

    assert [row["event_type"] for row in named if row["object_id"] == campaign["id"]].count(
        "update_campaign_run_status"
    ) == 2
    name = next(row for row in named if row["event_type"] == "update_campaign_name")
    assert json.loads(name["extra_data"])["old_value"] == campaign["name"]
    assert (name["object_name"], moment(name).tzinfo) == ("Renamed", UTC)
    new, old = (json.loads(money[0]["extra_data"])[f"{when}_value"] for when in ("new", "old"))
    assert (old["old_value"], new["new_value"]) == (int(held["daily_budget"]), 54321)
