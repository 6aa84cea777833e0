"""What is set on campaigns, ad sets and ads where the world's plan does not say it, in Meta's
shapes: targeting, promoted objects, learning, what is tracked, what Meta finds wrong.

Ages, genders and switches are numbers, keys of places are text, lists come in any order; what has
no value is absent. Sources: bodies of v23 to v25 that open connectors recorded; facebook-business
26.0.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.world.nodes import WorldNode

    Reader = Callable[[WorldNode, datetime], Any]

__all__ = ["SETTINGS"]

#: currency → its country, and a region and a city of it with Meta's keys.
PLACES: Final[Mapping[str, tuple[str, tuple[str, str], tuple[str, str]]]] = {
    "AUD": ("AU", ("171", "South Australia"), ("104264", "Adelaide")),
    "BRL": ("BR", ("460", "São Paulo (state)"), ("269969", "São Paulo")),
    "EUR": ("DE", ("1049", "Bayern"), ("551829", "München")),
    "GBP": ("GB", ("4079", "England"), ("815947", "Leeds")),
    "INR": ("IN", ("1735", "Maharashtra"), ("1035921", "Mumbai")),
    "JPY": ("JP", ("1925", "Tokyo"), ("1205087", "Shibuya")),
    "NZD": ("NZ", ("2790", "Auckland"), ("1500343", "Auckland")),
    "USD": ("US", ("3847", "California"), ("2420379", "Los Angeles")),
}

#: Age and gender, by turns. Genders are absent where all are aimed at.
AIMED_AT: Final[Sequence[Mapping[str, Any]]] = (
    {"age_min": 18, "age_max": 65},
    {"age_min": 25, "age_max": 54, "genders": [2]},
    {"age_min": 21, "age_max": 45, "genders": [1, 2]},
    {"age_min": 18, "age_max": 65, "age_range": [25, 44]},
)

#: Where ads are shown, by turns; Meta chooses where nothing is said.
PLACEMENTS: Final[Sequence[Mapping[str, Any]]] = (
    {},
    {
        "publisher_platforms": ["facebook", "instagram"],
        "facebook_positions": ["feed", "story", "facebook_reels"],
        "instagram_positions": ["stream", "reels"],
        "device_platforms": ["mobile", "desktop"],
    },
    {
        "publisher_platforms": ["instagram", "threads"],
        "instagram_positions": ["story"],
        "threads_positions": ["threads_stream"],
        "device_platforms": ["mobile"],
    },
)

TASTES: Final[Sequence[Mapping[str, str]]] = (
    {"id": "6003397496347", "name": "Hiking"},
    {"id": "6003348604581", "name": "Camping"},
    {"id": "6003107902433", "name": "Association football (Soccer)"},
)

#: optimization goal → event of the pixel.
EVENTS: Final[Mapping[str, str]] = {
    "OFFSITE_CONVERSIONS": "PURCHASE",
    "VALUE": "PURCHASE",
    "LEAD_GENERATION": "LEAD",
}

#: optimization goal → where a click leads.
DESTINATIONS: Final[Mapping[str, str]] = {
    "OFFSITE_CONVERSIONS": "WEBSITE",
    "LEAD_GENERATION": "ON_AD",
    "APP_INSTALLS": "APP",
    "LINK_CLICKS": "WEBSITE",
}

#: Meta's own apps that change ads: Ads Manager, and one of a business.
APPS: Final = ("119211728144504", "123456789012345")


def _turn(node: WorldNode, what: str, choices: Sequence[Any]) -> Any:
    return choices[dice(node.id, what) % len(choices)]


def _of_library(node: WorldNode, prefix: str, number: int) -> str:
    """The id of what the library of its account has."""
    return f"{prefix}{node.account.id[2:9]}{number:09}"


def _places(node: WorldNode) -> dict[str, Any]:
    country, region, city = PLACES.get(node.about.currency, PLACES["USD"])
    if dice(node.id, "places") % 4:
        return {"countries": [country], "location_types": ["home", "recent"]}
    named = {"key": region[0], "name": region[1], "country": country}
    around = {
        "key": city[0],
        "name": city[1],
        "region": region[1],
        "region_id": region[0],
        "country": country,
        "distance_unit": "kilometer",
        "radius": 25,
    }
    return {"regions": [named], "cities": [around], "location_types": ["home"]}


def _audiences(node: WorldNode) -> dict[str, Any]:
    visitors = {"id": _of_library(node, "23", 1), "name": "Visitors 30d"}
    customers = {"id": _of_library(node, "23", 2), "name": "Customers"}
    choices: Sequence[dict[str, Any]] = (
        {"excluded_custom_audiences": [customers]},
        {"flexible_spec": [{"interests": list(TASTES[:2])}, {"interests": [TASTES[2]]}]},
        {"custom_audiences": [visitors], "excluded_custom_audiences": [customers]},
        {},
    )
    chosen: dict[str, Any] = _turn(node, "audiences", choices)
    return chosen


def _targeting(node: WorldNode, _: datetime) -> Any:
    return {
        **_turn(node, "people", AIMED_AT),
        "geo_locations": _places(node),
        **_audiences(node),
        **_turn(node, "placements", PLACEMENTS),
        "targeting_automation": {"advantage_audience": dice(node.id, "advantage") % 2},
    }


def _promoted(node: WorldNode, _: datetime) -> Any:
    goal = node.purpose
    if goal in EVENTS:
        pixel = _of_library(node, "51", 1)
        return {"pixel_id": pixel, "custom_event_type": EVENTS[goal]}
    if goal == "APP_INSTALLS":
        store = "https://play.google.com/store/apps/details?id=example"
        return {"application_id": "990000000000001", "object_store_url": store}
    return None if goal == "LINK_CLICKS" else {"page_id": f"99{node.account.id[-10:]}"}


def _promoted_by_campaign(node: WorldNode, _: datetime) -> Any:
    return {"application_id": "990000000000001"} if _is_of_an_app(node) else None


def _is_of_an_app(node: WorldNode) -> bool:
    return node.purpose == "OUTCOME_APP_PROMOTION"


def _learning(node: WorldNode, now: datetime) -> Any:
    """Only what is running has a status; its results grow by the hour."""
    windows = {"attribution_windows": ["7d_click", "1d_view"]}
    if node.effective_status != "ACTIVE":
        return windows
    status = _turn(node, "learning", ("SUCCESS", "LEARNING", "FAIL"))
    days = (now - node.created).total_seconds() / 86_400
    return {
        **windows,
        "status": status,
        "conversions": int(days * 24) % 50 if status == "LEARNING" else 50,
        "last_sig_edit_ts": int(node.updated.timestamp()),
    }


def _labels(node: WorldNode, _: datetime) -> Any:
    """Labels of the account, on one object in three."""
    labels = [child for child in node.account.children if child.level == "label"]
    if dice(node.id, "labels") % 3 or not labels:
        return None
    wanted = labels[: 1 + dice(node.id, "number of labels") % len(labels)]
    return [{"id": label.id, "name": label.name} for label in wanted]


def _only(level_of: Callable[[WorldNode], bool], value: Any) -> Reader:
    return lambda node, _: value if level_of(node) else None


def _always(value: object) -> Reader:
    return lambda _node, _now: value


def _in_europe(node: WorldNode, _: datetime) -> str | None:
    return node.account.name if node.about.currency == "EUR" else None


def _tracked(node: WorldNode, _: datetime) -> Any:
    """Keys with dots; the same may come twice."""
    page = {"action.type": ["post_engagement"], "page": [f"99{node.account.id[-10:]}"]}
    pixel = {"action.type": ["offsite_conversion"], "fb_pixel": [_of_library(node, "51", 1)]}
    return [pixel, page, page]


def _feedback(node: WorldNode, _: datetime) -> Any:
    if node.effective_status != "DISAPPROVED":
        return None
    return {"global": {"Personal attributes": "Your ad says too much about who sees it."}}


def _advice(node: WorldNode, now: datetime) -> Any:
    if node.effective_status != "ACTIVE" or dice(node.id, "advice") % 3:
        return None
    return [
        {
            "title": "Use more placements",
            "message": f"Ads like this one cost {now.hour % 9 + 1} % less elsewhere.",
            "code": 1815862,
            "importance": "HIGH",
            "confidence": "MEDIUM",
            "blame_field": "targeting",
        }
    ]


def _preview(node: WorldNode, now: datetime) -> str:
    return f"https://fb.me/{dice(node.id, now.date()):x}"


#: level → field → its value, of what the seed made.
SETTINGS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "account": {
        "funding_source": lambda node, _: f"7{node.id[1:]}",
        "business_country_code": lambda node, _: PLACES.get(node.about.currency, PLACES["USD"])[0],
    },
    "campaign": {
        "budget_rebalance_flag": _always(value=False),
        "is_skadnetwork_attribution": lambda node, _: _is_of_an_app(node),
        "pacing_type": _always(["standard"]),
        "promoted_object": _promoted_by_campaign,
        "smart_promotion_type": _only(_is_of_an_app, "SMART_APP_PROMOTION"),
        "source_campaign_id": _always("0"),
        "adlabels": _labels,
    },
    "adset": {
        "targeting": _targeting,
        "promoted_object": _promoted,
        "destination_type": lambda node, _: DESTINATIONS.get(node.purpose, "UNDEFINED"),
        "learning_stage_info": _learning,
        "is_dynamic_creative": _always(value=False),
        "lifetime_imps": _always(0),
        "pacing_type": _always(["standard"]),
        "bid_info": lambda node, _: {"ACTIONS": node.about.cpm},
        "bid_constraints": lambda node, _: (
            {"roas_average_floor": 20_000} if node.purpose == "VALUE" else None
        ),
        "recurring_budget_semantics": _always(value=True),
        "dsa_beneficiary": _in_europe,
        "dsa_payor": _in_europe,
        "source_adset_id": _always("0"),
        "adlabels": _labels,
    },
    "ad": {
        "conversion_domain": lambda node, _: (
            "shop.example" if dice(node.id, "domain") % 2 else None
        ),
        "tracking_specs": _tracked,
        "conversion_specs": lambda node, now: _tracked(node, now)[:1],
        "source_ad_id": _always("0"),
        "last_updated_by_app_id": lambda node, _: _turn(node, "app", APPS),
        "preview_shareable_link": _preview,
        "ad_review_feedback": _feedback,
        "recommendations": _advice,
        "adlabels": _labels,
    },
}
