"""What a report may ask for with a warning: what loads today and nobody is sure of."""

from __future__ import annotations

from typing import Any

import pytest

from fbgraph.catalog.fields import HOURLY
from pipelines.reports.rules import faults, findings
from pipelines.reports.spec import ReportSpec


def definition(**changes: Any) -> ReportSpec:
    """A report that is right but for `changes`."""
    right: dict[str, Any] = {"name": "mine", "level": "ad", "fields": ("impressions", "actions")}
    return ReportSpec(**right | changes)


def warnings(**changes: Any) -> list[str]:
    asked = definition(**changes)
    assert faults(asked) == []
    return [str(fault) for fault in findings(asked)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"breakdowns": ("comscore_market",)},
            "each account must enable the feature comscore first",
        ),
        ({"breakdowns": ("zip",)}, "zip: Meta lists it and does not say what it returns"),
        (
            {"breakdowns": ("country", "region")},
            "country+region: Meta does not document this combination but has been seen to ret",
        ),
        ({"fields": ("spend",), "action_breakdowns": ("action_reaction",)}, "has no effect"),
        (
            {"action_breakdowns": ("action_video_type", "action_reaction")},
            "action_reaction+action_video_type: Meta does not document these together",
        ),
        (
            {"action_breakdowns": ("action_device",)},
            "action_device: Meta documents it, but we have not seen a response with it: check its",
        ),
        (
            {"breakdowns": ("place_page_id",), "fields": ("clicks",)},
            "place_page_id: Meta documents it, but we have not seen a response with it",
        ),
        (
            {"breakdowns": ("image_asset", "age"), "fields": ("spend",)},
            "a response with it: check its first rows (Asset feed > Insights, 2024-05)",
        ),
        (
            {"breakdowns": ("device_platform",), "action_breakdowns": ("action_target_id",)},
            "action_target_id: Meta does not document it next to device_platform",
        ),
        ({"fields": ("brand_new",), "allow_unknown": True}, "brand_new: unknown name; requested"),
        ({"breakdowns": ("dma",), "allow_unknown": True}, "use comscore_market (Out-of-cycle"),
        ({"breakdowns": ("new_kind",), "allow_unknown": True}, "new_kind: unknown name"),
        (
            {"action_attribution_windows": ("90d_click",), "allow_unknown": True},
            "90d_click: unknown",
        ),
        ({"action_breakdowns": ("action_new",), "allow_unknown": True}, "action_new: unknown name"),
        ({"breakdowns": ("age", "country"), "allow_unknown": True}, "age+country: Meta is not kno"),
        (
            {"breakdowns": (HOURLY,), "fields": ("reach",), "allow_unknown": True},
            "reach: in hourly",
        ),
    ],
)
def test_what_loads_and_is_not_sure_is_a_warning(changes: dict[str, Any], told: str) -> None:
    [warning] = warnings(**changes)

    assert told in warning
    assert changes.get("allow_unknown", False) == warning.endswith("because of allow_unknown")


def test_a_breakdown_that_is_opt_in_and_alone_is_warned_of_for_both() -> None:
    told = warnings(breakdowns=("impression_device",))

    assert any("feature impression_device" in line for line in told)
    assert any("reference says that it is never given alone" in line for line in told)
