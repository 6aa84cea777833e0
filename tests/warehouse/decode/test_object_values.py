"""What objects have that insights do not: nested settings, sets, windows, switches."""

from __future__ import annotations

import random
from typing import Any

import pytest

from warehouse.decode.object_values import inside, read_of_object
from warehouse.decode.values import UnreadableError
from warehouse.schema.objects.details import TARGETING
from warehouse.schema.table import Column

#: The shape of recorded ad sets (v25), with invented ids and names.
WIDE: dict[str, Any] = {
    "age_max": 65,
    "age_min": 18,
    "age_range": [25, 54],
    "brand_safety_content_filter_levels": ["FACEBOOK_STANDARD", "AN_STANDARD"],
    "custom_audiences": [
        {"id": "238400000002", "name": "Visitors 30d"},
        {"id": "238400000001", "name": "Customers"},
    ],
    "excluded_custom_audiences": [{"id": "238400000003", "name": "Staff"}],
    "excluded_geo_locations": {"countries": ["CH"]},
    "flexible_spec": [
        {"interests": [{"id": "6003", "name": "Hiking"}, {"id": "6001", "name": "Camping"}]},
        {"behaviors": [{"id": "6015", "name": "Engaged shoppers"}]},
        {"interests": [{"id": "6002", "name": "Alps"}]},
    ],
    "genders": [2],
    "geo_locations": {
        "cities": [
            {"country": "DE", "distance_unit": "kilometer", "key": "2420605", "name": "Berlin",
             "radius": 40, "region": "Berlin", "region_id": "1050"},
        ],
        "countries": ["DE", "AT"],
        "location_types": ["home", "recent"],
        "regions": [{"country": "DE", "key": "1049", "name": "Bayern"}],
        "zips": [{"country": "US", "key": "US:94304", "name": "94304", "primary_city_id": 2418,
                  "region_id": 3847}],
    },
    "locales": [24, 6],
    "publisher_platforms": ["instagram", "facebook"],
    "facebook_positions": ["feed", "facebook_reels"],
    "instagram_positions": ["stream"],
    "device_platforms": ["mobile"],
    "targeting_automation": {"advantage_audience": 0, "individual_setting": {"age": 1}},
}  # fmt: skip

#: targeting → its flat columns, of those that are not NULL.
FLAT: list[tuple[dict[str, Any], dict[str, object]]] = [
    ({"geo_locations": {"countries": ["DE"]}}, {"countries": ["DE"]}),
    ({"geo_locations": {"country_groups": ["worldwide"]}}, {"country_groups": ["worldwide"]}),
    ({"genders": [1, 2], "age_min": "21"}, {"genders": ["female", "male"], "age_min": "21"}),
    ({"genders": [0], "custom_audiences": [], "geo_locations": {}}, {"genders": ["0"]}),
    ({"flexible_spec": [{"behaviors": [{"id": "1", "name": "x"}]}], "locales": None}, {}),
    ({"targeting_automation": {"advantage_audience": 1}}, {"advantage_audience": True}),
    ({"custom_audiences": [{"id": "7"}]}, {"custom_audience_ids": ["7"]}),
    ({"messenger_positions": ["story"], "threads_positions": ["threads_stream"]},
     {"messenger_positions": ["story"], "threads_positions": ["threads_stream"]}),
    (WIDE, {
        "countries": ["AT", "DE"], "regions": ["Bayern"], "cities": ["Berlin"],
        "zips": ["US:94304"], "excluded_countries": ["CH"], "age_min": "18", "age_max": "65",
        "genders": ["female"], "locales": ["24", "6"], "interests": ["Alps", "Camping", "Hiking"],
        "custom_audience_ids": ["238400000001", "238400000002"],
        "custom_audience_names": ["Customers", "Visitors 30d"],
        "excluded_audience_ids": ["238400000003"], "excluded_audience_names": ["Staff"],
        "advantage_audience": False, "publisher_platforms": ["facebook", "instagram"],
        "facebook_positions": ["facebook_reels", "feed"], "instagram_positions": ["stream"],
        "device_platforms": ["mobile"],
    }),
]  # fmt: skip

CLICK_7D = {"event_type": "CLICK_THROUGH", "window_days": 7}
VIEW_1D = {"event_type": "VIEW_THROUGH", "window_days": 1}
EV_1D = {"event_type": "ENGAGED_VIDEO_VIEW", "window_days": 1}

#: kind, what Meta sends, what is kept.
KEPT: list[tuple[str, object, object]] = [
    ("windows", [CLICK_7D], "7d_click"),
    ("windows", [CLICK_7D, VIEW_1D], "1d_view_7d_click"),
    ("windows", [EV_1D, CLICK_7D, VIEW_1D], "1d_view_7d_click_1d_ev"),
    ("windows", [{"event_type": "CLICK_THROUGH", "window_days": "28"}], "28d_click"),
    ("windows", [CLICK_7D, {**VIEW_1D, "window_days": 0}], "7d_click"),
    ("windows", [CLICK_7D, {"event_type": "NEW_ONE", "window_days": 1}], "7d_click_1d_new_one"),
    ("windows", [], None),
    ("flag", 1, True),
    ("flag", 0, False),
    ("flag", "false", False),
    ("flag", True, True),
    ("origin", "0", None),
    ("origin", "120230000000000007", "120230000000000007"),
    ("set", ["b", "a", "b"], ["a", "b"]),
    ("set", [2, 10], ["10", "2"]),
    ("set", [], None),
    ("set", ["\ud83d"], ["\ufffd"]),
    ("spec", {}, None),
    ("spec", [{"post.wall": ["2", "1"], "action.type": ["x"]}, {"page": ["9"]}],
     '[{"action.type":["x"],"post.wall":["1","2"]},{"page":["9"]}]'),
    ("spec", {"age_range": [25, 18], "b": [3, 10, None, True, "ä"]},
     '{"age_range":[25,18],"b":["ä",10,3,null,true]}'),
]  # fmt: skip

#: kind, what cannot be kept, a part of the reason.
REFUSED: list[tuple[str, object, str]] = [
    ("windows", {"event_type": "CLICK_THROUGH"}, "expected a list, got an object"),
    ("windows", [7], "expected objects with event_type"),
    ("windows", [{"event_type": "CLICK_THROUGH"}], "expected texts, got null"),
    ("windows", [{**CLICK_7D, "window_days": -1}], "not a number of days"),
    ("flag", 2, "expected true, false, 1 or 0"),
    ("origin", "x", "must consist of digits"),
    ("set", "DE", "expected a list, got text"),
    ("set", [["DE"]], "got a list among them"),
    ("genders", [None], "got null among them"),
    ("spec", "{}", "expected an object or a list, got text"),
    ("spec", {"x": float("nan")}, "NaN"),
]


def flat(targeting: dict[str, Any]) -> dict[str, object]:
    """The flat columns of a targeting that are not NULL."""
    found: dict[str, object] = {}
    for column in TARGETING:
        value = inside({"targeting": targeting}, column.source)
        if value is not None and column.name != "targeting":
            found[column.name], _ = read_of_object(column, value)
    return {name: value for name, value in found.items() if value is not None}


def shuffled(value: Any, by: random.Random) -> Any:
    """The same settings in another order."""
    if isinstance(value, dict):
        keys = by.sample(sorted(value), len(value))
        return {key: shuffled(value[key], by) if key != "age_range" else value[key] for key in keys}
    if isinstance(value, list):
        return [shuffled(entry, by) for entry in by.sample(value, len(value))]
    return value


def test_targeting_is_flat_where_analysts_ask() -> None:
    for targeting, expected in FLAT:
        assert flat(targeting) == expected


def test_settings_are_the_same_in_whatever_order_they_come() -> None:
    whole = TARGETING[0]
    kept, flat_kept = read_of_object(whole, WIDE), flat(WIDE)

    for seed in range(20):
        other = shuffled(WIDE, random.Random(seed))  # noqa: S311  an order, not a secret
        assert (read_of_object(whole, other), flat(other)) == (kept, flat_kept)


def test_values_of_objects() -> None:
    for kind, value, expected in KEPT:
        found, _ = read_of_object(Column("x", kind, "…"), value)
        assert found == expected, (kind, value)
    for kind, value, reason in REFUSED:
        with pytest.raises(UnreadableError, match=reason):
            read_of_object(Column("x", kind, "…"), value)


def test_a_path_into_something_else_costs_its_column() -> None:
    path = "targeting.geo_locations.cities.name"

    empty: list[Any] = [None, [], {}, {"geo_locations": []}, {"geo_locations": {"cities": []}}]
    for nothing in empty:
        assert inside({"targeting": nothing}, path) is None
    for wrong in ("x", 1, ["x"], {"geo_locations": "DE"}, {"geo_locations": {"cities": ["Ulm"]}}):
        with pytest.raises(UnreadableError, match=r"expected (an object|objects) with"):
            inside({"targeting": wrong}, path)
