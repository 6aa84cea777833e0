"""Rows of insights as tests ask for them, and their sums."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
WEEK = {"since": "2026-11-15", "until": "2026-11-21"}
SUMMED = ("impressions", "clicks", "spend", "inline_link_clicks")


def of_all_statuses(level: str) -> list[dict[str, Any]]:
    if level == "account":
        return []
    values = list(EFFECTIVE_STATUSES[level])
    return [{"field": f"{level}.effective_status", "operator": "IN", "value": values}]


def sums(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    return {name: sum((Decimal(row[name]) for row in rows), Decimal()) for name in SUMMED}


def actions(rows: list[dict[str, Any]], field: str = "actions") -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        for item in row.get(field, ()):
            found[item["action_type"]] += int(item["value"])
    return found


def read(graph: Graph, index: int = 0, **params: Any) -> list[dict[str, Any]]:
    params = {"time_range": DAY, "fields": ",".join((*SUMMED, "actions")), **params}
    return graph.rows(f"{graph.account(index)}/insights", **params)


def hourly(graph: Graph, **params: Any) -> list[dict[str, Any]]:
    asked = {"level": "ad", "breakdowns": [HOURLY], "time_increment": 1, **params}
    return read(graph, filtering=of_all_statuses("ad"), **asked)
