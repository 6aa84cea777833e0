"""The fields of insights: how each imitated one is computed from the numbers of a row.

Every scalar is text; a field without a value is None and then absent from the row. Sources:
Insights API reference and Breakdowns; docs/graph-api.md#values, #days-and-hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import InsightsField, insights_fields
from fbgraph.sandbox.insights.action_splits import entries
from fbgraph.sandbox.insights.people import reach_of_day, together
from fbgraph.sandbox.world.advertisers.plan import MINOR_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from fbgraph.sandbox.world.delivery import Numbers
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = [
    "ACTIONS",
    "CATALOGUE",
    "COLUMNS",
    "METRICS",
    "NEW_FIELDS",
    "VALUES",
    "WINDOWS",
    "ActionType",
    "Measured",
    "major",
]


@dataclass(slots=True)
class Measured:
    """One row before it is written: whose it is, when, and what was counted."""

    node: WorldNode
    start: date
    stop: date
    numbers: Numbers
    hourly: bool
    windows: Sequence[str]
    partners: Sequence[str]
    by_type: bool = True
    days: Sequence[Numbers] = ()  # what they are the sum of, if they are of several days

    @property
    def offset(self) -> int:
        """Minor units in a major one of the account's currency."""
        return MINOR_UNITS.get(self.node.about.currency, 100)


@dataclass(frozen=True, slots=True)
class ActionType:
    """One action type. Those off Meta (pixel, shop's own site) never come by the hour.

    `late` of all happened within a week of a click, but not within a day; `viewed` after a view;
    the rest within a day of a click. On Meta nobody is late, and likes follow a view. All add up.
    """

    name: str
    count: Callable[[Numbers], int]
    on_meta: bool = True
    late: Callable[[Numbers], int] = lambda _: 0
    viewed: Callable[[Numbers], int] = lambda _: 0


_purchases = partial(
    ActionType,
    on_meta=False,
    late=lambda n: n.purchases_7d,
    viewed=lambda n: n.purchases_viewed,
)
_values = partial(
    ActionType, on_meta=False, late=lambda n: n.value_7d, viewed=lambda n: n.value_viewed
)

#: What every ad set of the world counts: its attribution_spec in the words of insights. A value is
#: the sum of these two windows.
ATTRIBUTION: Final = "1d_view_7d_click"


def _engagement(n: Numbers) -> int:
    return n.link_clicks + n.comments + n.reactions + n.saves


#: Types overlap: an engagement contains clicks, comments and reactions, which contain likes.
ACTIONS: Final[Sequence[ActionType]] = (
    ActionType("link_click", lambda n: n.link_clicks),
    ActionType("comment", lambda n: n.comments),
    ActionType("like", lambda n: n.likes, viewed=lambda n: n.likes),
    ActionType("post_reaction", lambda n: n.reactions),
    ActionType("onsite_conversion.post_save", lambda n: n.saves),
    ActionType("post_engagement", _engagement),
    ActionType("page_engagement", _engagement),
    ActionType("video_view", lambda n: n.video_views),
    ActionType("onsite_conversion.purchase", lambda n: n.shop_purchases),
    ActionType("landing_page_view", lambda n: n.landing_views, on_meta=False),
    _purchases("offsite_conversion.fb_pixel_purchase", lambda n: n.purchases),
    _purchases("purchase", lambda n: n.purchases + n.shop_purchases),
    _purchases("omni_purchase", lambda n: n.purchases + n.shop_purchases),
    # What comes before a purchase, within a day of the click. Each must add up, as purchases do.
    ActionType("add_to_cart", lambda n: n.carts, on_meta=False),
    ActionType("omni_add_to_cart", lambda n: n.carts, on_meta=False),
    ActionType("initiate_checkout", lambda n: n.checkouts, on_meta=False),
    ActionType("omni_initiated_checkout", lambda n: n.checkouts, on_meta=False),
    ActionType("lead", lambda n: n.leads, on_meta=False),
)

#: What purchases were worth, in minor units.
VALUES: Final[Sequence[ActionType]] = (
    ActionType("onsite_conversion.purchase", lambda n: n.shop_value),
    _values("offsite_conversion.fb_pixel_purchase", lambda n: n.purchase_value),
    _values("purchase", lambda n: n.purchase_value + n.shop_value),
    _values("omni_purchase", lambda n: n.purchase_value + n.shop_value),
    ActionType("omni_add_to_cart", lambda n: 3 * n.purchase_value, on_meta=False),
    ActionType("omni_initiated_checkout", lambda n: 2 * n.purchase_value, on_meta=False),
)

#: Conversions that a pixel reported and Meta counts next to purchases: a form that somebody sent,
#: here by those who come back within a week. The total contains the website's.
CONVERSIONS: Final[Sequence[ActionType]] = (
    _purchases("contact_total", lambda n: n.purchases_7d + n.purchases_viewed),
    _purchases("contact_website", lambda n: n.purchases_7d + n.purchases_viewed),
)

#: What they were worth, in minor units.
CONVERSION_VALUES: Final[Sequence[ActionType]] = (
    _values("contact_total", lambda n: n.value_7d + n.value_viewed),
    _values("contact_website", lambda n: n.value_7d + n.value_viewed),
)

#: attribution window → what it has of (all, late, viewed); None is accepted and never has a value
#: (the two view windows are dead since 2026-01-12). Windows overlap. Source:
#: docs/graph-api.md#values.
WINDOWS: Final[Mapping[str, Callable[[int, int, int], int] | None]] = {
    "default": None,
    "1d_click": lambda whole, late, viewed: whole - late - viewed,
    "7d_click": lambda whole, _, viewed: whole - viewed,
    "28d_click": lambda whole, _, viewed: whole - viewed,
    "1d_view": lambda _, __, viewed: viewed,
    "1d_ev": None,
    # Like `NEW_FIELDS`.
    "90d_click": lambda whole, _, viewed: whole - viewed,
    **dict.fromkeys(
        """
        7d_view 28d_view custom dda incrementality incrementality_all_conversions
        incrementality_first_conversion 1d_sequenced 7d_sequenced 28d_sequenced
        7d_view_all_conversions 7d_view_first_conversion 28d_view_all_conversions
        28d_view_first_conversion skan_click skan_click_second_postback
        skan_click_third_postback skan_view skan_view_second_postback skan_view_third_postback
        """.split()
    ),
}

#: Objective → the action type that its results count. Source: docs/graph-api.md#values, shape only.
RESULTS: Final[Mapping[str, str]] = {
    "OUTCOME_SALES": "offsite_conversion.fb_pixel_purchase",
    "OUTCOME_LEADS": "landing_page_view",
    "OUTCOME_ENGAGEMENT": "post_engagement",
    "OUTCOME_TRAFFIC": "link_click",
    "LINK_CLICKS": "link_click",
}


def _decimal(text: str) -> str:
    """Without zeros at the end: Meta's decimals have no fixed precision."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def major(minor: int, offset: int) -> str:
    """Minor units as a decimal string in major ones, exactly."""
    return str(minor) if offset == 1 else _decimal(f"{minor // offset}.{minor % offset:02}")


def _ratio(above: float, below: float) -> str | None:
    return _decimal(f"{above / below:.6f}") if below else None


def _spend(row: Measured) -> float:
    return row.numbers.spend / row.offset


def _people(of_day: Callable[[Measured], int]) -> Callable[[Measured], int]:
    """People of all days of a row, each once (`people`); `of_day` has those of one."""

    def read(row: Measured) -> int:
        days = row.days or (row.numbers,)
        return (
            of_day(row)
            if len(days) == 1
            else together([of_day(replace(row, numbers=numbers, days=())) for numbers in days])
        )

    return read


_reach: Final = _people(lambda row: reach_of_day(row.node, row.numbers))


def _of(level: str, attribute: str) -> Callable[[Measured], str | None]:
    """An attribute of the row's object or of a parent; nothing for levels below it."""
    return lambda row: getattr(row.node.line[level], attribute) if level in row.node.line else None


def _count(count: Callable[[Measured], int]) -> Callable[[Measured], str]:
    return lambda row: str(count(row))


def _per(above: Callable[[Measured], float], below: Callable[[Numbers], int]) -> Any:
    return lambda row: _ratio(above(row), below(row.numbers))


def _written(row: Measured, of: ActionType, value: int, write: Callable[[int], str]) -> Any:
    """The entries of one action; a window has a key only if it was asked for and has a value."""
    typed = {"action_type": of.name} if row.by_type else {}
    late, viewed = of.late(row.numbers), of.viewed(row.numbers)
    for entry in entries(of.name, row.partners, row.node, on_meta=of.on_meta):
        if not (part := entry.part(value)):
            continue
        item = {**typed, "value": write(part), **entry.keys}
        for window in row.windows:
            share = WINDOWS[window]
            if share and (of_it := share(part, entry.part(late), entry.part(viewed))):
                item[window] = write(of_it)
        yield item


def _stats(
    types: Sequence[ActionType], *, money: bool = False, unique: bool = False
) -> Callable[[Measured], Any]:
    def read(row: Measured) -> list[dict[str, str]] | None:
        write = (lambda v: major(v, row.offset)) if money else str
        shown = [t for t in types if t.on_meta] if row.hourly else types
        values = [(t, _counted(t, row, unique=unique)) for t in shown]
        if not row.by_type and values:  # one entry, of what comes first: types overlap
            values = [max(values, key=lambda of: of[1])]
        return [
            item for of, value in values if value for item in _written(row, of, value, write)
        ] or None

    return read


def _counted(of: ActionType, row: Measured, *, unique: bool) -> int:
    return _people(lambda one: of.count(one.numbers))(row) if unique else of.count(row.numbers)


def _costs(row: Measured) -> list[dict[str, str]] | None:
    shown = [t for t in ACTIONS if t.on_meta or not row.hourly]
    return [
        {**({"action_type": t.name} if row.by_type else {}), "value": cost}
        for t in (shown if row.by_type else shown[:1])
        if (cost := _ratio(_spend(row), t.count(row.numbers))) is not None
    ] or None


def _only(name: str, count: Callable[[Numbers], int]) -> Callable[[Measured], Any]:
    """A list field that has one action type."""
    return _stats((ActionType(name, count),))


def _roas(
    value: Callable[[Numbers], int], name: str = "", *, nothing: bool = False
) -> Callable[[Measured], Any]:
    """Value per money spent. The value comes from off Meta, so it is unknown by the hour. Without a
    `name` its entry has no type; with `nothing` it is "0" where nothing was bought.
    """

    def read(row: Measured) -> list[dict[str, str]] | None:
        ratio = None if row.hourly else _ratio(value(row.numbers), row.numbers.spend)
        typed = {"action_type": name} if name and row.by_type else {}
        return [{**typed, "value": ratio}] if ratio and (nothing or ratio != "0") else None

    return read


#: Ratios of what was not sold on a website: nothing, here.
OTHER_ROAS: Final = (
    *("mobile_app_purchase_roas", "catalog_segment_value_mobile_purchase_roas"),
    *("catalog_segment_value_omni_purchase_roas", "catalog_segment_value_website_purchase_roas"),
)


def _result(row: Measured) -> tuple[str, int] | None:
    """(action type, count) of what the campaign is for, if it is known and may be shown."""
    campaign = row.node.line.get("campaign")
    name = RESULTS.get(campaign.purpose) if campaign else None
    found = next((t for t in ACTIONS if t.name == name), None)
    if found is None or (row.hourly and not found.on_meta):
        return None
    return found.name, found.count(row.numbers)


def _results(row: Measured, value: Callable[[int], str | None]) -> list[dict[str, Any]] | None:
    """`values` is missing where the count is zero, never "0"."""
    result = _result(row)
    if result is None:
        return None
    item: dict[str, Any] = {"indicator": f"actions:{result[0]}"}
    if result[1]:
        item["values"] = [{"value": value(result[1]), "attribution_windows": ["default"]}]
    return [item]


#: An ad is ranked from this number of impressions on.
RANKED_FROM: Final = 500

#: Fields that count; filters and sorting know them. People do not add up.
METRICS: Final[Mapping[str, Callable[[Measured], int]]] = {
    "impressions": lambda row: row.numbers.impressions,
    "clicks": lambda row: row.numbers.clicks,
    "inline_link_clicks": lambda row: row.numbers.link_clicks,
    "inline_post_engagement": lambda row: _engagement(row.numbers),
    "reach": _reach,
    "full_view_reach": _people(lambda row: reach_of_day(row.node, row.numbers) * 4 // 5),
    "unique_clicks": _people(lambda row: row.numbers.clicks * 9 // 10),
    "unique_inline_link_clicks": _people(lambda row: row.numbers.link_clicks * 9 // 10),
}

#: Fields that Meta has added since the catalogue was written: for those who ask for what it does
#: not know.
NEW_FIELDS: Final[Mapping[str, Callable[[Measured], Any]]] = {
    "sandbox_attention": lambda row: {"seconds": str(row.numbers.impressions), "share": "0.25"},
    "sandbox_new_clicks": lambda row: str(row.numbers.clicks),
}

#: Every field that insights have here, and what there is to say about it.
CATALOGUE: Final[Mapping[str, InsightsField]] = {
    **insights_fields(),
    **{name: InsightsField(name, "objects", "", "", "ok", "") for name in NEW_FIELDS},
}

#: field → its value in a row.
COLUMNS: Final[Mapping[str, Callable[[Measured], Any]]] = {
    **{
        f"{level}_{name}": _of(level, name)
        for level in ("account", "campaign", "adset", "ad")
        for name in ("id", "name")
    },
    "account_currency": lambda row: row.node.about.currency,
    "objective": _of("campaign", "purpose"),
    "optimization_goal": _of("adset", "purpose"),
    "buying_type": lambda row: "AUCTION" if "campaign" in row.node.line else None,
    "attribution_setting": lambda row: ATTRIBUTION if "adset" in row.node.line else "multiple",
    "created_time": lambda row: str(row.node.created.astimezone(row.node.zone).date()),
    "updated_time": lambda row: str(row.node.updated.astimezone(row.node.zone).date()),
    **{name: _count(count) for name, count in METRICS.items()},
    **NEW_FIELDS,
    "spend": lambda row: major(row.numbers.spend, row.offset),
    "frequency": lambda row: _ratio(row.numbers.impressions, _reach(row)),
    "cpp": lambda row: _ratio(_spend(row) * 1000, _reach(row)),
    "cpc": _per(_spend, lambda n: n.clicks),
    "cpm": _per(lambda row: _spend(row) * 1000, lambda n: n.impressions),
    "ctr": _per(lambda row: row.numbers.clicks * 100, lambda n: n.impressions),
    "inline_link_click_ctr": _per(
        lambda row: row.numbers.link_clicks * 100, lambda n: n.impressions
    ),
    "cost_per_inline_link_click": _per(_spend, lambda n: n.link_clicks),
    "cost_per_inline_post_engagement": _per(_spend, _engagement),
    "unique_ctr": lambda row: _ratio(
        _people(lambda one: one.numbers.clicks * 90)(row), _reach(row)
    ),
    "cost_per_unique_click": lambda row: _ratio(_spend(row), METRICS["unique_clicks"](row)),
    "actions": _stats(ACTIONS),
    "action_values": _stats(VALUES, money=True),
    "conversions": _stats(CONVERSIONS),
    "conversion_values": _stats(CONVERSION_VALUES, money=True),
    "cost_per_action_type": _costs,
    "unique_actions": _stats([t for t in ACTIONS if t.on_meta], unique=True),
    "outbound_clicks": _only("outbound_click", lambda n: n.link_clicks),
    "video_play_actions": _only("video_view", lambda n: n.video_views),
    "video_p25_watched_actions": _only("video_view", lambda n: n.video_p25),
    "video_p50_watched_actions": _only("video_view", lambda n: n.video_p50),
    "video_p75_watched_actions": _only("video_view", lambda n: n.video_p75),
    "video_p95_watched_actions": _only("video_view", lambda n: n.video_p95),
    "video_p100_watched_actions": _only("video_view", lambda n: n.video_p100),
    "video_30_sec_watched_actions": _only("video_view", lambda n: n.video_p50),
    "video_thruplay_watched_actions": _only("video_view", lambda n: n.video_p50),
    "purchase_roas": _roas(lambda n: n.purchase_value + n.shop_value, "omni_purchase"),
    "website_purchase_roas": _roas(lambda n: n.purchase_value, nothing=True),
    **dict.fromkeys(OTHER_ROAS, _roas(lambda _: 0, nothing=True)),
    "results": lambda row: _results(row, str),
    "cost_per_result": lambda row: _results(row, lambda n: _ratio(_spend(row), n)),
    "quality_ranking": lambda row: (
        None
        if "ad" not in row.node.line
        else "AVERAGE"
        if row.numbers.impressions > RANKED_FROM
        else "UNKNOWN"
    ),
}
