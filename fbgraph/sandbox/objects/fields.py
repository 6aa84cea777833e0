"""The fields of objects: read by id, nested, or on an edge.

Money on objects is text in minor units; times carry the account's offset without a colon. Sources:
reference pages of the objects; docs/graph-api.md#objects.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import LEVELS, object_fields
from fbgraph.sandbox.objects.creatives import CREATIVE_FIELDS, thumbnail
from fbgraph.sandbox.objects.edges import EDGES
from fbgraph.sandbox.objects.library import LIBRARY_FIELDS
from fbgraph.sandbox.objects.settings import SETTINGS
from fbgraph.sandbox.protocol.expansion import RequestedField
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.advertisers.plan import MINOR_UNITS
from fbgraph.sandbox.world.nodes import creative_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.world.nodes import WorldNode

    Reader = Callable[[WorldNode, datetime], Any]
    Expand = Callable[[WorldNode, RequestedField], Any]

__all__ = [
    "THUMBNAIL_SIZE",
    "check_fields",
    "describe",
    "field_value",
    "fields_of",
    "least_budget",
    "time_text",
]

#: level → (its table in the catalogue if it has one, its name in messages).
NODE_TYPES: Final[Mapping[str, tuple[str | None, str]]] = {
    "account": ("adaccount", "AdAccount"),
    "campaign": ("campaign", "Campaign"),
    "adset": ("adset", "AdSet"),
    "ad": ("ad", "Ad"),
    "creative": ("adcreative", "AdCreative"),
    "label": ("adlabel", "AdLabel"),
    "image": ("adimage", "AdImage"),
    "video": ("advideo", "AdVideo"),
    "conversion": ("customconversion", "CustomConversion"),
    "audience": ("customaudience", "CustomAudience"),
    "saved_audience": ("savedaudience", "SavedAudience"),
    "pixel": ("adspixel", "AdsPixel"),
    "rule": ("adrule", "AdRule"),
    "activity": ("adactivity", "AdActivity"),
    "schedule": ("highdemandperiod", "HighDemandPeriod"),
    "business": (None, "Business"),
}

#: Fields that fail a request without the right to read them, which no token of the sandbox has.
#: Seen: facebook-java-business-sdk #226.
FAILS: Final[Mapping[str, str]] = {
    "rev_share_policy_id": "no_policy",
    "external_event_source": "no_permission",
}

#: How large a thumbnail is to be. Source: Ad creative reference.
THUMBNAIL_SIZE: Final = frozenset({"thumbnail_width", "thumbnail_height"})

#: What comes back with no ``fields``. Source: [default] marks of the reference pages.
DEFAULTS: Final[Mapping[str, Sequence[str]]] = {
    "account": ("id", "account_id"),
    "image": ("id", "hash"),
    "business": ("id", "name"),
}


def check_fields(level: str, fields: Sequence[RequestedField], rights: Collection[str]) -> None:
    """Refuse unknown fields and those that need a right that is not among `rights`."""
    known, edges = fields_of(level), expandable(level)
    for field in fields:
        if field.name in edges:
            continue  # its own call checks what is wanted of it
        if field.name not in known or not _takes(field):
            raise refused("node_field", name=field.name, type=NODE_TYPES[level][1])
        if field.name in FAILS:
            raise refused(FAILS[field.name])
        if (right := known[field.name]) and right not in rights:
            raise refused("no_permission" if right == "manage" else "needs_right", right=right)
        if field.name in NODE_TYPES:
            check_fields(field.name, field.inner, rights)


def _takes(field: RequestedField) -> bool:
    """Whether the field has parameters that it knows: a nested creative those of its thumbnail."""
    names = {name for name, _ in field.params}
    return names <= (THUMBNAIL_SIZE if field.name == "creative" else set())


@cache
def fields_of(level: str) -> Mapping[str, str]:
    """field → the right that it needs beyond reading ads, or nothing."""
    table = NODE_TYPES[level][0]
    if table is None:
        return dict.fromkeys(READERS[level], "")
    return {name: field.right for name, field in object_fields(table).items()}


@cache
def expandable(level: str) -> Collection[str]:
    """Edges that ``fields`` of a node may name."""
    insights = {"insights"} if level in LEVELS else set()
    return insights | {edge for above, edge in EDGES if above == level}


def describe(
    node: WorldNode,
    fields: Sequence[RequestedField],
    now: datetime,
    expand: Expand = lambda *_: None,
) -> dict[str, Any]:
    """The object with the fields asked for; those without a value are absent, the id never.

    `expand` gives what lies behind an edge, or the other object that a field names.
    """
    wanted = fields or [RequestedField(name) for name in DEFAULTS.get(node.level, ("id",))]
    found = {}
    for field in wanted:
        if (value := _value(node, field, now, expand)) is not None:
            found[field.name] = value
    return found if "id" in found else {**found, "id": _id(node, now)}


def _value(
    node: WorldNode, field: RequestedField, now: datetime, expand: Expand
) -> Any:  # a JSON value
    if field.name in node.line and field.name != node.level:
        return describe(node.line[field.name], field.inner, now, expand)
    if field.name in expandable(node.level) or (field.name == "creative" and field.inner):
        return expand(node, field)
    value = field_value(node, field.name, now)
    if field.inner and isinstance(value, dict):
        return {one.name: value[one.name] for one in field.inner if one.name in value}
    return value


def field_value(node: WorldNode, name: str, now: datetime) -> Any:
    """One field: what a write has set, or the world's plan; or else what is known of every object,
    or invented.
    """
    if name in node.values:
        value = node.values[name]
        return value(node, now) if callable(value) else value
    invented = {} if not node.is_seeded else INVENTED.get(node.level, {})
    reader = invented.get(name) or READERS[node.level].get(name)
    return reader(node, now) if reader else None


def _id(node: WorldNode, _: datetime) -> str:
    return f"act_{node.id}" if node.level == "account" else node.id


def time_text(moment: datetime, node: WorldNode) -> str:
    """As objects show times: in the account's zone, the offset without a colon."""
    return moment.astimezone(node.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def _offset_hours(node: WorldNode, now: datetime) -> float:
    """The offset of this moment: for the past only the zone's name is right."""
    offset = now.astimezone(node.zone).utcoffset()
    hours = offset.total_seconds() / 3600 if offset is not None else 0.0
    return int(hours) if hours.is_integer() else hours


def _minor(times: int) -> Reader:
    """Some money: a multiple of the price of 1,000 impressions."""
    return lambda node, _: str(node.about.cpm * times)


def _of(level: str) -> Reader:
    return lambda node, _: node.line[level].id


def _always(value: object) -> Reader:
    return lambda _node, _now: value


def _has_daily_budget(node: WorldNode) -> bool:
    """Half of the campaigns hold the budget; under the others each ad set has its own."""
    return int(node.line["campaign"].id) % 2 == 1


def least_budget(node: WorldNode) -> int:
    """The smallest daily budget: one major unit of the currency."""
    return MINOR_UNITS.get(node.about.currency, 100)


def _budget(level: str, times: int) -> Reader:
    def read(node: WorldNode, _: datetime) -> str | None:
        held = "campaign" if _has_daily_budget(node) else "adset"
        return str(node.about.cpm * times) if held == level else None

    return read


def _issues(node: WorldNode, _: datetime) -> Any:  # a JSON value
    if node.effective_status != "WITH_ISSUES":
        return None
    return [{"level": node.level.upper(), "error_code": 1815869, "error_summary": "Review it"}]


SHARED_FIELDS: Final[Mapping[str, Reader]] = {
    "id": _id,
    "account_id": _of("account"),
    "name": lambda node, _: node.name,
    "status": lambda node, _: node.status,
    "configured_status": lambda node, _: node.status,
    "effective_status": lambda node, _: node.effective_status,
    "created_time": lambda node, _: time_text(node.created, node),
    "updated_time": lambda node, _: time_text(node.updated, node),
    "issues_info": _issues,
}

#: level → field → its value, for every object.
READERS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "account": {
        "id": _id,
        "account_id": _of("account"),
        "name": SHARED_FIELDS["name"],
        "account_status": _always(1),
        "disable_reason": _always(0),
        "currency": lambda node, _: node.about.currency,
        "timezone_id": lambda node, _: 1 + sum(map(ord, node.about.zone)) % 140,
        "timezone_name": lambda node, _: node.about.zone,
        "timezone_offset_hours_utc": _offset_hours,
        "balance": _minor(21),
        "spend_cap": _always("0"),
        "min_daily_budget": lambda node, _: least_budget(node),
        "min_campaign_group_spend_cap": _minor(10),
        "created_time": SHARED_FIELDS["created_time"],
        "age": lambda node, now: round((now - node.created).total_seconds() / 86400, 6),
        "is_personal": _always(0),
        "is_prepay_account": _always(value=False),
        "business_name": SHARED_FIELDS["name"],
        "user_tasks": _always(["ADVERTISE", "ANALYZE"]),
    },
    "campaign": {
        **SHARED_FIELDS,
        "objective": lambda node, _: node.purpose,
        "buying_type": _always("AUCTION"),
        "special_ad_categories": _always([]),
        "start_time": SHARED_FIELDS["created_time"],
    },
    "adset": {
        **SHARED_FIELDS,
        "campaign_id": _of("campaign"),
        "optimization_goal": lambda node, _: node.purpose,
        "start_time": SHARED_FIELDS["created_time"],
        "is_dynamic_creative": _always(value=False),
        "attribution_spec": _always(
            [
                {"event_type": "CLICK_THROUGH", "window_days": 7},
                {"event_type": "VIEW_THROUGH", "window_days": 1},
            ]
        ),
    },
    "ad": {
        **SHARED_FIELDS,
        "campaign_id": _of("campaign"),
        "adset_id": _of("adset"),
        "creative": lambda node, _: {"id": creative_id(node)},
        "tracking_specs": _always([{"action.type": ["offsite_conversion"]}]),
    },
    "creative": {
        **{name: SHARED_FIELDS[name] for name in ("id", "account_id", "name", "status")},
        "object_type": lambda node, now: (
            CREATIVE_FIELDS["object_type"](node, now) if node.is_seeded else "SHARE"
        ),
    },
    "label": {
        **{name: SHARED_FIELDS[name] for name in ("id", "name", "created_time", "updated_time")},
        "account": lambda node, now: {"id": _id(node.account, now), "account_id": node.account.id},
    },
    **LIBRARY_FIELDS,
    "schedule": {"id": _id},
    "business": {
        "id": _id,
        "name": SHARED_FIELDS["name"],
        "created_time": SHARED_FIELDS["created_time"],
    },
}

#: The same, made up for what the seed made. What a call has made has what the call gave.
INVENTED: Final[Mapping[str, Mapping[str, Reader]]] = {
    "account": SETTINGS["account"],
    "campaign": {
        "bid_strategy": _always("LOWEST_COST_WITHOUT_CAP"),
        "daily_budget": _budget("campaign", 40),
        "budget_remaining": _budget("campaign", 7),
        **SETTINGS["campaign"],
        "last_budget_toggling_time": lambda node, _: (
            time_text(node.created, node) if _has_daily_budget(node) else None
        ),
    },
    "adset": {
        "billing_event": _always("IMPRESSIONS"),
        "daily_budget": _budget("adset", 20),
        "budget_remaining": _budget("adset", 3),
        "bid_amount": lambda node, _: node.about.cpm,
        **SETTINGS["adset"],
    },
    "ad": {"bid_amount": lambda node, _: node.about.cpm, **SETTINGS["ad"]},
    "creative": {**CREATIVE_FIELDS, "thumbnail_url": thumbnail},
}
