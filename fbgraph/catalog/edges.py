"""The edges of Meta's that list objects: the kind of what they list, whether they count it, and how
many rows of it a page takes.

Sources: reference pages of the edges; facebook-business 26.0.3; sizes of pages from public issues
(airbyte #38025, #12168) and from what open connectors request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EDGE_KINDS", "EDGE_ROWS", "FRAGILE", "NO_TOTAL_COUNT"]

#: edge → kind of what it lists, for those whose fields are in the catalogue.
EDGE_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("adaccounts", "owned_ad_accounts", "client_ad_accounts"), "adaccount"),
    "campaigns": "campaign",
    "adsets": "adset",
    "ads": "ad",
    "adcreatives": "adcreative",
    "adimages": "adimage",
    "advideos": "advideo",
    "customconversions": "customconversion",
    "customaudiences": "customaudience",
    "saved_audiences": "savedaudience",
    "adspixels": "adspixel",
    "adlabels": "adlabel",
    "adrules_library": "adrule",
    "activities": "adactivity",
    "budget_schedules": "highdemandperiod",
    "insights": "insights",
}

#: Edges that never give `summary.total_count` → why. That of `adcreatives` is not documented: it
#: may come. Source: Insights API reference; python-business-sdk #103; reference pages of the edges.
NO_TOTAL_COUNT: Final[Mapping[str, str]] = {
    "insights": "on insights, `summary` means totals of metrics",
    "adlabels": "this edge ignores `summary`",
    **dict.fromkeys(
        (
            *("customconversions", "customaudiences", "saved_audiences", "adrules_library"),
            *("activities", "budget_schedules"),
        ),
        "Meta documents none for this edge",
    ),
}

#: edge → fields that can fail a whole page because of one object. Source: airbyte #66027, #38025.
FRAGILE: Final[Mapping[str, tuple[str, ...]]] = {"adcreatives": ("object_story_spec",)}

#: edge → rows that Meta serves on one page even with costly fields, where that is less than usual.
EDGE_ROWS: Final[Mapping[str, int]] = {
    "adcreatives": 50,
    "advideos": 100,
    "customconversions": 100,
    "customaudiences": 100,
    "saved_audiences": 100,
    "activities": 100,
}
