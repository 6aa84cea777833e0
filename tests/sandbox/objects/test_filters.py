from __future__ import annotations

import json
from typing import Any

import pytest

from fbgraph.catalog.fields import OPERATORS
from fbgraph.sandbox.objects.filters import TESTS, Condition, matches, read_filtering, row_matches
from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.tree import World

AD = next(ad for ad in World(1, HOSTILE).accounts[0].under("ad") if ad.name == "Käse & Brötchen")


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("ad.id", "EQUAL", AD.id, True),
        ("ad.id", "EQUAL", "1", False),
        ("ad.id", "NOT_EQUAL", "1", True),
        ("id", "IN", [AD.id, "1"], True),
        ("campaign.id", "IN", [AD.id], False),
        ("campaign.id", "NOT_IN", [AD.id], True),
        ("ad.name", "CONTAIN", "brötchen", True),
        ("ad.name", "NOT_CONTAIN", "Brot", True),
        ("ad.name", "STARTS_WITH", "Käse", True),
        ("ad.name", "ENDS_WITH", "Käse", False),
        ("campaign.objective", "EQUAL", "OUTCOME_SALES", True),
        ("ad.delivery_info", "IN", ["active"], True),
        ("ad.created_time", "GREATER_THAN", 1_500_000_000, True),
        ("ad.created_time", "GREATER_THAN_OR_EQUAL", "1500000000", True),
        ("ad.created_time", "LESS_THAN", 1_500_000_000, False),
        ("ad.created_time", "LESS_THAN_OR_EQUAL", 1_500_000_000, False),
        ("ad.created_time", "IN_RANGE", [1_500_000_000, 1_700_000_000], True),
        ("ad.created_time", "NOT_IN_RANGE", [1_500_000_000, 1_700_000_000], False),
    ],
)
def test_an_ad_meets_a_condition_or_not(
    field: str, operator: str, value: Any, *, expected: bool
) -> None:
    entry = {"field": field, "operator": operator, "value": value}

    conditions = read_filtering({"filtering": json.dumps([entry])}, ())

    assert matches(AD, conditions) == expected


def test_all_conditions_must_hold() -> None:
    conditions = [Condition("ad", "id", "EQUAL", AD.id), Condition("ad", "name", "EQUAL", "x")]

    assert not matches(AD, conditions)


@pytest.mark.parametrize(("clicks", "expected"), [("3", True), ("2", False), (None, False)])
def test_a_row_without_a_metric_counts_as_zero(clicks: str | None, *, expected: bool) -> None:
    row = {"clicks": clicks} if clicks else {}

    assert row_matches(row, [Condition("ad", "clicks", "GREATER_THAN", 2)]) == expected


def test_every_imitated_operator_is_one_of_metas() -> None:
    assert TESTS.keys() <= OPERATORS
