"""The fields of ad accounts, campaigns, ad sets and ads: read by id, nested, or on an edge.

Money on objects is text in minor units; times carry the account's offset without a colon. Sources:
reference pages of the four objects; contract §4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.fields import object_fields
from fbgraph.sandbox import plan
from fbgraph.sandbox.params import words
from fbgraph.sandbox.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.world import Node

    Reader = Callable[[Node, datetime], Any]

__all__ = ["NODE_TYPES", "Wanted", "check_fields", "describe", "read_fields"]

#: level → (its table in the catalogue, its name in messages).
NODE_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "account": ("adaccount", "AdAccount"),
    "campaign": ("campaign", "Campaign"),
    "adset": ("adset", "AdSet"),
    "ad": ("ad", "Ad"),
    "creative": ("adcreative", "AdCreative"),
}

#: Rights that the sandbox's token lacks; a field that needs one fails the whole call.
LACKING: Final = frozenset({"business_management", "manage"})

#: What comes back with no ``fields``. Source: [default] marks of the reference pages.
DEFAULTS: Final[Mapping[str, Sequence[str]]] = {"account": ("id", "account_id")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field, with the fields wanted of it: ``campaign{id,name}``."""

    name: str
    inner: tuple[Wanted, ...] = ()


def read_fields(params: Mapping[str, str]) -> tuple[Wanted, ...]:
    """``fields`` as comma text or JSON list, braces nested to any depth."""
    text = params.get("fields", "").strip()
    entries = words(params, "fields") if text.startswith("[") else _split(text)
    return tuple(dict.fromkeys(_wanted(entry) for entry in entries))


def _split(text: str) -> Sequence[str]:
    """Cut at the commas that stand outside of braces."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise refused("bad_type", name="fields", wanted="a list with balanced braces")
    return [part.strip() for part in parts if part.strip()]


def _wanted(entry: str) -> Wanted:
    name, brace, rest = entry.partition("{")
    if brace and not rest.endswith("}"):
        raise refused("bad_type", name="fields", wanted="a list like name,campaign{id,name}")
    return Wanted(name.strip(), tuple(_wanted(inner) for inner in _split(rest[:-1])))


def check_fields(level: str, fields: Sequence[Wanted]) -> None:
    """Refuse unknown fields and those that this token may not read, nested ones too."""
    table, node_type = NODE_TYPES[level]
    known = object_fields(table)
    for field in fields:
        if field.name not in known:
            raise refused("node_field", name=field.name, type=node_type)
        if known[field.name].right in LACKING:
            raise refused("needs_right", right=known[field.name].right)
        if field.name in NODE_TYPES:
            check_fields(field.name, field.inner)


def describe(node: Node, fields: Sequence[Wanted], now: datetime) -> dict[str, Any]:
    """The object with the fields asked for; those without a value are absent, the id never."""
    wanted = fields or [Wanted(name) for name in DEFAULTS.get(node.level, ("id",))]
    found = {}
    for field in wanted:
        if (value := _value(node, field, now)) is not None:
            found[field.name] = value
    return found if "id" in found else {**found, "id": _id(node, now)}


def _value(node: Node, field: Wanted, now: datetime) -> Any:  # a JSON value
    if field.name in node.line and field.name != node.level:
        return describe(node.line[field.name], field.inner, now)
    reader = READERS[node.level].get(field.name)
    return reader(node, now) if reader else None


def _id(node: Node, _: datetime) -> str:
    return f"act_{node.id}" if node.level == "account" else node.id


def _time(moment: datetime, node: Node) -> str:
    return moment.astimezone(node.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def _offset_hours(node: Node, now: datetime) -> float:
    """The offset of this moment: for the past only the zone's name is right."""
    offset = now.astimezone(node.zone).utcoffset()
    hours = offset.total_seconds() / 3600 if offset is not None else 0.0
    return int(hours) if hours.is_integer() else hours


def _minor(times: int) -> Reader:
    """Some money: so many times the price of 1,000 impressions."""
    return lambda node, _: str(node.about.cpm * times)


def _of(level: str) -> Reader:
    return lambda node, _: node.line[level].id


def _always(value: object) -> Reader:
    return lambda _node, _now: value


def _has_daily_budget(node: Node) -> bool:
    """Half of the campaigns hold the budget; under the others each ad set has its own."""
    return int(node.line["campaign"].id) % 2 == 1


def _budget(level: str, times: int) -> Reader:
    def read(node: Node, _: datetime) -> str | None:
        held = "campaign" if _has_daily_budget(node) else "adset"
        return str(node.about.cpm * times) if held == level else None

    return read


def _issues(node: Node, _: datetime) -> Any:  # a JSON value
    if node.effective_status != "WITH_ISSUES":
        return None
    return [{"level": node.level.upper(), "error_code": 1815869, "error_summary": "Review it"}]


SHARED: Final[Mapping[str, Reader]] = {
    "id": _id,
    "account_id": _of("account"),
    "name": lambda node, _: node.name,
    "status": lambda node, _: node.status,
    "configured_status": lambda node, _: node.status,
    "effective_status": lambda node, _: node.effective_status,
    "created_time": lambda node, _: _time(node.created, node),
    "updated_time": lambda node, _: _time(node.updated, node),
    "issues_info": _issues,
}

#: level → field → its value. A field of the catalogue that is not here never has one.
READERS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "account": {
        "id": _id,
        "account_id": _of("account"),
        "name": SHARED["name"],
        "account_status": _always(1),
        "disable_reason": _always(0),
        "currency": lambda node, _: node.about.currency,
        "timezone_id": lambda node, _: 1 + sum(map(ord, node.about.zone)) % 140,
        "timezone_name": lambda node, _: node.about.zone,
        "timezone_offset_hours_utc": _offset_hours,
        "amount_spent": _minor(4321),
        "balance": _minor(21),
        "spend_cap": _always("0"),
        "min_daily_budget": lambda node, _: plan.MINOR_UNITS.get(node.about.currency, 100),
        "min_campaign_group_spend_cap": _minor(10),
        "created_time": SHARED["created_time"],
        "age": lambda node, now: round((now - node.created).total_seconds() / 86400, 6),
        "is_personal": _always(0),
        "is_prepay_account": _always(value=False),
        "business_name": SHARED["name"],
        "user_tasks": _always(["ANALYZE"]),
    },
    "campaign": {
        **SHARED,
        "objective": lambda node, _: node.purpose,
        "buying_type": _always("AUCTION"),
        "bid_strategy": _always("LOWEST_COST_WITHOUT_CAP"),
        "special_ad_categories": _always([]),
        "start_time": lambda node, _: _time(node.created, node),
        "daily_budget": _budget("campaign", 40),
        "budget_remaining": _budget("campaign", 7),
    },
    "adset": {
        **SHARED,
        "campaign_id": _of("campaign"),
        "billing_event": _always("IMPRESSIONS"),
        "optimization_goal": lambda node, _: node.purpose,
        "start_time": lambda node, _: _time(node.created, node),
        "daily_budget": _budget("adset", 20),
        "budget_remaining": _budget("adset", 3),
        "bid_amount": lambda node, _: node.about.cpm,
        "is_dynamic_creative": _always(value=False),
        "attribution_spec": _always(
            [
                {"event_type": "CLICK_THROUGH", "window_days": 7},
                {"event_type": "VIEW_THROUGH", "window_days": 1},
            ]
        ),
        "targeting": _always(
            {"age_min": 18, "age_max": 65, "geo_locations": {"countries": ["DE"]}}
        ),
    },
    "ad": {
        **SHARED,
        "campaign_id": _of("campaign"),
        "adset_id": _of("adset"),
        "creative": lambda node, _: {"id": f"9{node.id[1:]}"},
        "bid_amount": lambda node, _: node.about.cpm,
        "tracking_specs": _always([{"action.type": ["offsite_conversion"]}]),
    },
}
