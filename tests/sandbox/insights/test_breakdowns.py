"""Every line of the tables of breakdowns: the sandbox answers or refuses as the line says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.breakdowns import combinations
from fbgraph.catalog.fields import (
    EFFECTIVE_STATUSES,
    HOURLY,
    action_breakdowns,
    breakdowns,
    combination,
    insights_fields,
)
from fbgraph.sandbox.insights.splits import SPLITS
from pipelines.reports.rules import no_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.conftest import Graph

DAY = "2026-11-21"

#: Statuses of what a report may request.
LOADS = {"works", "documented", "seen"}

#: Lines for which the sandbox returns rows.
WORKING = sorted(
    [
        *((name,) for name, known in breakdowns().items() if known.status in LOADS),
        *(
            tuple(sorted(names))
            for names, known in combinations().items()
            if len(names) > 1 and known.status in LOADS
        ),
    ],
)
WORKING.remove(("platform_position",))  # which has a line of its own

#: Lines that Meta refuses.
REFUSED = sorted(
    [
        *(
            (name,)
            for name, known in breakdowns().items()
            if known.status in {"refused", "retired", "export"}
        ),
        *(
            tuple(sorted(names))
            for names, known in combinations().items()
            if known.status == "refused" and all(breakdowns()[n].status in LOADS for n in names)
        ),
    ],
)


def fields(requested: Sequence[str]) -> list[str]:
    """What can be asked for under breakdowns, of a few metrics."""
    metrics = [
        *("impressions", "clicks", "spend", "reach", "actions"),
        *("total_postbacks", "total_postbacks_detailed", "total_postbacks_detailed_v4"),
    ]
    given = [m for m in metrics if all(breakdowns()[name].gives(m) for name in requested)]
    with_others = [m for m in given if insights_fields()[m].care != "alone"]
    if HOURLY in requested or any(name.startswith("hourly") for name in requested):
        with_others = [m for m in with_others if m != "reach"]
    return ["account_id", "ad_id", *(with_others or given)]


def params(requested: Sequence[str], level: str = "ad", **more: Any) -> dict[str, Any]:
    statuses = list(EFFECTIVE_STATUSES.get(level, ()))
    only_none = any("[]" in breakdowns()[name].partners for name in requested)
    condition = {"field": f"{level}.effective_status", "operator": "IN", "value": statuses}
    return {
        "level": level,
        "time_range": {"since": DAY, "until": DAY},
        "fields": fields(requested),
        "breakdowns": list(requested),
        "filtering": [condition] if statuses else [],
        **({"action_breakdowns": "[]"} if only_none else {}),
        **more,
    }


def rows_for(
    graph: Graph, requested: Sequence[str], level: str = "ad", **more: Any
) -> list[dict[str, Any]]:
    return graph.rows(f"{graph.account()}/insights", **params(requested, level, **more))


def sums(rows: list[dict[str, Any]]) -> list[Decimal]:
    names = ("impressions", "clicks", "spend")
    return [sum((Decimal(row[name]) for row in rows), Decimal()) for name in names]


@pytest.mark.parametrize("requested", WORKING, ids="+".join)
def test_what_works_is_answered_with_rows_that_add_up(
    graph: Graph, requested: tuple[str, ...]
) -> None:
    rows = rows_for(graph, requested)

    keys = [(row["ad_id"], *(str(row.get(name)) for name in requested)) for row in rows]
    assert rows
    assert len(set(keys)) == len(keys)
    if not no_sums(requested):
        assert sums(rows) == sums(rows_for(graph, (), "account", fields="impressions,clicks,spend"))


@pytest.mark.parametrize("requested", REFUSED, ids="+".join)
def test_what_is_refused_is_a_100(graph: Graph, requested: tuple[str, ...]) -> None:
    given = {"fields": "impressions", "action_breakdowns": "[]"}

    error = graph.get(f"{graph.account()}/insights", **params(requested) | given).json()["error"]

    assert error["code"] == 100
    assert "does not imitate" not in error["message"]


LIMITED = [one[0] for one in WORKING if len(one) == 1 and breakdowns()[one[0]].fields]


@pytest.mark.parametrize("name", LIMITED)
def test_what_a_breakdown_does_not_give_is_refused(graph: Graph, name: str) -> None:
    barred = "video_p25_watched_actions"
    assert not breakdowns()[name].gives(barred)

    error = graph.get(f"{graph.account()}/insights", **params((name,), fields=barred)).json()

    assert error["error"]["error_subcode"] == 1504041


@pytest.mark.parametrize("name", [n for n, known in breakdowns().items() if known.from_level])
def test_a_breakdown_is_refused_above_its_level(graph: Graph, name: str) -> None:
    error = graph.get(f"{graph.account()}/insights", **params((name,), "account")).json()["error"]

    assert "Current combination" in error["message"]


@pytest.mark.parametrize("requested", [one for one in WORKING if len(one) < 3], ids="+".join)
@pytest.mark.parametrize("action", ["action_device", "action_carousel_card_id"])
def test_action_breakdowns_next_to_breakdowns_are_as_the_lines_say(
    graph: Graph, requested: tuple[str, ...], action: str
) -> None:
    row = combination(requested) or breakdowns()[requested[0]]

    response = graph.get(
        f"{graph.account()}/insights",
        **params(requested, action_breakdowns=f"action_type,{action}"),
    )

    assert ("error" not in response.json()) == (action in row.partners)


@pytest.mark.parametrize(
    "name", [n for n, known in action_breakdowns().items() if known.status in LOADS]
)
def test_every_action_breakdown_that_works_is_a_key_of_the_entries(graph: Graph, name: str) -> None:
    rows = rows_for(graph, (), action_breakdowns=["action_type", name])

    entries = [entry for row in rows for entry in row.get("actions", ())]
    off_meta = [one for one in entries if one["action_type"] == "omni_purchase"]
    assert off_meta
    assert any(name in entry for entry in entries)
    # Meta's page: what happened off Meta comes without the value.
    assert name == "action_type" or not any(name in entry for entry in off_meta)


def values(rows: list[dict[str, Any]], field: str, key: str, kind: str) -> dict[str | None, int]:
    """The sum of one action type, by the value of an action breakdown."""
    found: dict[str | None, int] = {}
    for entry in (one for row in rows for one in row.get(field, ())):
        if entry["action_type"] == kind:
            value = entry.get(key)
            found[value] = found.get(value, 0) + int(entry["value"])
    return found


def test_entries_overlap_or_add_up_as_they_do_at_meta(graph: Graph) -> None:
    def split_by(key: str, field: str, kind: str) -> dict[str | None, int]:
        requested = ["action_type", key]
        rows = rows_for(graph, (), fields=f"impressions,{field}", action_breakdowns=requested)
        return values(rows, field, key, kind)

    plain = rows_for(graph, (), fields="impressions,actions,video_p25_watched_actions")

    plays = split_by("action_video_type", "video_p25_watched_actions", "video_view")
    assert plays.keys() == {"total", "auto_play", "click_to_play"}
    assert plays["auto_play"] + plays["click_to_play"] == plays["total"]
    assert {plays["total"]} == {
        *values(plain, "video_p25_watched_actions", "", "video_view").values()
    }

    reactions = split_by("action_reaction", "actions", "post_reaction")
    whole = reactions.pop(None)
    assert reactions.keys() >= {"like", "love"}
    assert sum(reactions.values()) == whole == values(plain, "actions", "", "post_reaction")[None]

    cards = split_by("action_carousel_card_name", "actions", "link_click")
    assert len(cards) == 3
    assert sum(cards.values()) == values(plain, "actions", "", "link_click")[None]


def test_without_action_breakdowns_entries_have_a_type_and_with_an_empty_list_none(
    graph: Graph,
) -> None:
    absent = [entry for row in rows_for(graph, ()) for entry in row.get("actions", ())]
    empty = [r["actions"] for r in rows_for(graph, (), action_breakdowns="[]") if "actions" in r]

    assert all("action_type" in entry for entry in absent)
    assert {len(entries) for entries in empty} == {1}
    assert {key for [entry] in empty for key in entry} == {"value"}


def test_regions_summed_are_their_countries(graph: Graph) -> None:
    def by_country(rows: list[dict[str, Any]]) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in rows:
            found[row["country"]] = found.get(row["country"], 0) + int(row["impressions"])
        return found

    assert by_country(rows_for(graph, ("country", "region"))) == by_country(
        rows_for(graph, ("country",))
    )


def test_what_nobody_has_described_is_not_imitated_and_all_else_is(graph: Graph) -> None:
    for name in [n for n, known in breakdowns().items() if known.status == "undocumented"]:
        error = graph.get(f"{graph.account()}/insights", **params((name,))).json()["error"]
        assert "does not imitate" in error["message"]
    assert {HOURLY, *SPLITS} >= {one[0] for one in WORKING if len(one) == 1}
