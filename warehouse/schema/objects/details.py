"""Columns of what can be set on campaigns, ad sets and ads: whom they are shown to, what they
promote, how their results are counted, what Meta finds wrong with them.

Lists are sorted where their order means nothing, and the keys of JSON are, so that a state is the
same in whatever order Meta sends it. What Meta puts into words differs by the token's language, so
a history leaves it out and has the codes next to it.

Sources: Marketing API v26.0, reference of ad sets, targeting, promoted objects; recorded bodies.
"""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import UTC
from warehouse.schema.table import Column

__all__ = ["ATTRIBUTION", "ISSUES", "LEARNING", "OBJECT_LABELS", "PROMOTED", "TARGETING"]

_YEARS: Final = "years"

#: The surfaces that an ad set can name positions on.
_SURFACES: Final = {
    "facebook": "Facebook",
    "instagram": "Instagram",
    "messenger": "Messenger",
    "audience_network": "the Audience Network",
    "threads": "Threads",
    "whatsapp": "WhatsApp",
}


def _targeting(name: str, kind: str, meaning: str, unit: str = "", path: str = "") -> Column:
    return Column(name, kind, meaning, unit, field=f"targeting.{path or name}")


#: Whom an ad set is shown to: whole, and flat what is often asked for. A list is NULL if it was not
#: set, which means everybody, or everywhere.
TARGETING: Final = (
    Column("targeting", "spec", "Whom it is shown to, whole, as JSON"),
    _targeting("countries", "set", "Countries aimed at, ISO codes", path="geo_locations.countries"),
    _targeting(
        *("country_groups", "set", "Groups of countries aimed at, such as worldwide"),
        path="geo_locations.country_groups",
    ),
    _targeting("regions", "set", "Names of regions aimed at", path="geo_locations.regions.name"),
    _targeting("cities", "set", "Names of cities aimed at", path="geo_locations.cities.name"),
    _targeting("zips", "set", "Postal codes aimed at, as US:94304", path="geo_locations.zips.key"),
    _targeting(
        *("excluded_countries", "set", "Countries left out, ISO codes"),
        path="excluded_geo_locations.countries",
    ),
    _targeting("age_min", "number", "Youngest age aimed at", _YEARS),
    _targeting("age_max", "number", "Oldest age aimed at; 65 means 65 and older", _YEARS),
    _targeting("genders", "genders", "female, male; NULL: all"),
    _targeting("locales", "set", "Languages aimed at, as Meta's keys of locales"),
    _targeting(
        *("interests", "set", "Names of interests, of all groups in flexible_spec"),
        path="flexible_spec.interests.name",
    ),
    _targeting(
        *("custom_audience_ids", "set", "Audiences aimed at; pairs with names are in targeting"),
        path="custom_audiences.id",
    ),
    _targeting(
        *("custom_audience_names", "set", "Names of the audiences aimed at"),
        path="custom_audiences.name",
    ),
    _targeting(
        *("excluded_audience_ids", "set", "Audiences left out"),
        path="excluded_custom_audiences.id",
    ),
    _targeting(
        *("excluded_audience_names", "set", "Names of the audiences left out"),
        path="excluded_custom_audiences.name",
    ),
    _targeting(
        *("advantage_audience", "flag", "Whether Meta may go beyond the audience that was set"),
        path="targeting_automation.advantage_audience",
    ),
    _targeting("publisher_platforms", "set", "facebook, instagram, …; NULL: Meta chooses"),
    *(
        _targeting(f"{surface}_positions", "set", f"Positions on {name}; NULL: Meta chooses")
        for surface, name in _SURFACES.items()
    ),
    _targeting("device_platforms", "set", "mobile, desktop; NULL: both"),
)


def _promoted(name: str, kind: str, meaning: str) -> Column:
    return Column(name, kind, meaning, field=f"promoted_object.{name}")


#: What is promoted, and so what its results are.
PROMOTED: Final = (
    Column("promoted_object", "spec", "What is promoted, whole, as JSON"),
    _promoted("pixel_id", "id", "Pixel whose events are optimised for"),
    _promoted("custom_event_type", "text", "Event that is optimised for, such as PURCHASE"),
    _promoted("custom_conversion_id", "id", "Custom conversion that is optimised for"),
    _promoted("page_id", "id", "Page that is promoted"),
    _promoted("application_id", "id", "App that is promoted"),
    _promoted("product_set_id", "id", "Products of a catalog that are promoted"),
    _promoted("product_catalog_id", "id", "Catalog that is promoted"),
)

#: How results of an ad set are attributed.
ATTRIBUTION: Final = (
    Column(
        *("attribution_setting", "windows"),
        "Its attribution setting, as insights name it: 7d_click, 1d_view_7d_click, …",
        field="attribution_spec",
    ),
    Column("attribution_spec", "spec", "The same as Meta keeps it, as JSON"),
)

#: How far Meta is in learning who responds.
LEARNING: Final = (
    Column(
        *("learning_status", "text"),
        "LEARNING, SUCCESS or FAIL (learning limited); NULL where Meta does not say, as for most "
        "ad sets that are paused",
        field="learning_stage_info.status",
    ),
    Column(
        *("last_significant_edit", "epoch"),
        "When it was last changed so much that learning began again",
        UTC,
        field="learning_stage_info.last_sig_edit_ts",
    ),
    Column(
        *("learning_conversions", "number"),
        "Results since then",
        "count",
        field="learning_stage_info.conversions",
        moves=True,
    ),
)

#: What Meta finds wrong.
ISSUES: Final = (
    Column(
        *("issue_codes", "set"), "Meta's codes of what is wrong", field="issues_info.error_code"
    ),
    Column("issues_info", "spec", "What is wrong, in Meta's words, as JSON", moves=True),
)

OBJECT_LABELS: Final = (
    Column("label_ids", "set", "Its labels", field="adlabels.id"),
    Column("label_names", "set", "Names of its labels", field="adlabels.name"),
)
