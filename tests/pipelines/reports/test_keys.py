"""What makes the key of a table, in the words of a report, and what may change without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import BREAKDOWNS, LEVELS
from pipelines.reports.spec import ReportSpec
from pipelines.reports.tables import table_of
from warehouse.schema.insights import CONTROL_DAILY, INSIGHTS_HOURLY
from warehouse.schema.keys import RowKey, key_changes

if TYPE_CHECKING:
    from warehouse.schema.table import Table


def table(**changes: Any) -> Table:
    right: dict[str, Any] = {
        "name": "mine",
        "level": "campaign",
        "fields": ("spend", "actions"),
        "breakdowns": ("age", "gender"),
    }
    return table_of(ReportSpec(**right | changes))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("breakdown", sorted(BREAKDOWNS))
def test_level_and_breakdowns_are_found_as_a_report_says_them(level: str, breakdown: str) -> None:
    key = RowKey.of(table(level=level, breakdowns=(breakdown,), fields=("spend",)))

    assert key == RowKey(level, (breakdown,))


def test_those_of_the_warehouses_own_are_found_too() -> None:
    assert RowKey.of(CONTROL_DAILY).level == "account"
    assert RowKey.of(INSIGHTS_HOURLY) == RowKey.of(
        table(
            level="ad",
            breakdowns=("hourly_stats_aggregated_by_advertiser_time_zone",),
        )
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"breakdowns": ("gender", "age")},
        {"fields": ("spend", "reach", "actions", "action_values")},
        {"fields": ("spend",)},
        {"action_attribution_windows": ("7d_click",)},
        {"action_breakdowns": ("action_type",)},
        {"action_breakdowns": ("action_device",), "fields": ("spend",)},
        {"description": "Other words.", "lookback_days": 3},
    ],
)
def test_fields_windows_words_and_order_are_not_part_of_it(changes: dict[str, Any]) -> None:
    assert key_changes(table(), table(**changes)) == []
    assert key_changes(table(**changes), table()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level": "ad"}, ["level changed from campaign to ad"]),
        ({"level": "account"}, ["level changed from campaign to account"]),
        ({"breakdowns": ()}, ["breakdowns changed from [age, gender] to []"]),
        ({"breakdowns": ("age",)}, ["breakdowns changed from [age, gender] to [age]"]),
        (
            {"level": "adset", "breakdowns": ("image_asset",)},
            [
                "level changed from campaign to adset",
                "breakdowns changed from [age, gender] to [image_asset]",
            ],
        ),
        (
            {"action_breakdowns": ("action_device",)},
            ["action_breakdowns changed from [action_type] to [action_device, action_type]"],
        ),
        ({"action_breakdowns": ()}, ["action_breakdowns changed from [action_type] to []"]),
    ],
)
def test_level_breakdowns_and_what_splits_actions_are(
    changes: dict[str, Any], told: list[str]
) -> None:
    assert [str(one) for one in key_changes(table(), table(**changes))] == told


def test_hours_of_the_account_and_of_the_viewers_are_two_keys() -> None:
    mine, theirs = (
        table(breakdowns=(f"hourly_stats_aggregated_by_{whose}_time_zone",), fields=("spend",))
        for whose in ("advertiser", "audience")
    )

    assert [one.name for one in key_changes(mine, theirs)] == ["breakdowns"]


def test_where_it_is_not_known_whether_lists_had_types_the_rest_is_compared() -> None:
    """Definitions of 2026-11-28 do not say it."""
    columns = tuple(replace(column, by_type=None) for column in table().columns)
    old = replace(table(), columns=columns)

    assert key_changes(old, table(action_breakdowns=())) == []
    assert [str(one) for one in key_changes(old, table(action_breakdowns=("action_device",)))] == [
        "action_breakdowns changed from [] to [action_device]"
    ]
