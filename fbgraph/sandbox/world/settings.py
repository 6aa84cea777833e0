"""What the company's campaigns and ad sets are set to: budgets, times, audiences, learning phases.

Each value is a JSON value, or how to read it from the object and the time. Shapes: reference pages
of Campaign, AdSet and Targeting; public code and recordings of 2025 and 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.advertisers.plan import ALL_DAY
from fbgraph.sandbox.world.days import ONE_DAY, local_date
from fbgraph.sandbox.world.dice import digits
from fbgraph.sandbox.world.rhythm import run_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = [
    "EVERYBODY",
    "TARGETED",
    "Audience",
    "Viewers",
    "adset_values",
    "audience_id",
    "campaign_values",
    "viewers_of",
]


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an ad set reaches. `genders`: 1 men, 2 women, () all. `positions` by platform; without
    any, Meta chooses. `custom`, `lookalike` and `excluded` are names of custom audiences;
    `interests` are ids and names. `kilometres` around the shop, or 0 for the whole country.
    """

    ages: tuple[int, int] = (18, 65)
    genders: Sequence[int] = ()
    positions: Mapping[str, Sequence[str]] | None = None
    custom: Sequence[str] = ()
    excluded: Sequence[str] = ()
    interests: Sequence[tuple[str, str]] = ()
    kilometres: int = 0
    is_advantage: bool = False


FEEDS: Final = {"facebook": ("feed",), "instagram": ("stream",)}
REELS: Final = {
    "facebook": ("facebook_reels", "story"),
    "instagram": ("reels", "story"),
}
INTERESTS: Final = (
    ("6003397425735", "Outdoor recreation"),
    ("6003107902433", "Tea"),
    ("6002985584323", "Hiking"),
)

#: Custom audiences of each account, in the order of its library.
NAMES: Final = ("Visitors 30d", "Customers", "Lookalike 1% | Customers")

#: The name of an ad set → whom it reaches.
TARGETED: Final[Mapping[str, Audience]] = {
    "LAL 1% Customers | 25-54": Audience(
        (25, 54), custom=("Lookalike 1% | Customers",), excluded=("Customers",)
    ),
    "Broad | 18-65+ | Advantage+ Placements": Audience(is_advantage=True),
    "INT Category Fans | 25-44": Audience((25, 44), interests=INTERESTS),
    "INT Category Fans | Women 25-54 | Instagram": Audience(
        (25, 54), (2,), {"instagram": ("stream", "story", "reels")}, interests=INTERESTS[:2]
    ),
    "RT Visitors 30d, no Customers": Audience(custom=("Visitors 30d",), excluded=("Customers",)),
    "RT Visitors 30d | Instagram": Audience(
        positions={"instagram": ("stream", "story", "reels")},
        custom=("Visitors 30d",),
        excluded=("Customers",),
    ),
    "RT Visitors 30d + LAL 1%": Audience(custom=("Visitors 30d", "Lookalike 1% | Customers")),
    "CRM Customers": Audience((25, 65), positions=FEEDS, custom=("Customers",)),
    "LAL 1% Customers | 25-65+": Audience((25, 65), custom=("Lookalike 1% | Customers",)),
    "Broad | 25-65+ | Feeds": Audience((25, 65), positions=FEEDS),
    "Broad | 18-44 | Reels + Stories": Audience((18, 44), positions=REELS),
    "Broad | 25-54 | 60 km": Audience((25, 54), kilometres=60),
}


@dataclass(frozen=True, slots=True)
class Viewers:
    """Who sees an ad, as breakdowns show it: countries, ages, genders, and positions by platform.
    What is empty is not limited. `assets`: they see one of these, where those are the ad's own.
    """

    places: tuple[str, ...] = ()
    ages: tuple[int, int] = (0, 99)
    genders: tuple[str, ...] = ()
    positions: frozenset[tuple[str, str]] = frozenset()
    assets: tuple[str, ...] = ()


EVERYBODY: Final = Viewers()

#: Words of targeting → those of breakdowns, where they differ.
GENDERS: Final[Mapping[int, str]] = {1: "male", 2: "female"}
POSITIONS: Final[Mapping[tuple[str, str], str]] = {
    ("instagram", "stream"): "feed",
    ("instagram", "story"): "instagram_stories",
    ("instagram", "reels"): "instagram_reels",
}


def viewers_of(ad: WorldNode) -> Viewers:
    """Who sees an ad: those that its ad set aims at, or everybody where that is not known."""
    return _viewers(ad.conduct.audience, ad.about.countries) if ad.conduct else EVERYBODY


@lru_cache
def _viewers(name: str, countries: tuple[str, ...]) -> Viewers:
    audience = TARGETED[name]
    positions = [(p, one) for p, several in (audience.positions or {}).items() for one in several]
    return Viewers(
        countries,
        audience.ages,
        tuple(GENDERS[one] for one in audience.genders),
        frozenset((platform, POSITIONS.get((platform, one), one)) for platform, one in positions),
    )


#: Conversions in an ad set's learning phase, by its outcome: the least and how many more there can
#: be. Meta's phase ends at about 50.
LEARNT: Final[Mapping[str, tuple[int, int]]] = {"SUCCESS": (50, 18), "FAIL": (4, 22)}


def audience_id(account: WorldNode, name: str) -> str:
    """The id of a custom audience in the account's library, by its name."""
    return _in_library(account, "23", 1 + NAMES.index(name))


def _in_library(account: WorldNode, prefix: str, number: int) -> str:
    """An id as `library` makes them: the seed and the account's place are in the account's."""
    return f"{prefix}{account.id[2:9]}{number:09}"


def campaign_values(
    budget: str, money: float, season: str, hours: tuple[int, int]
) -> Mapping[str, Any]:
    """`budget` says who holds it and for how long; `money` is for a usual day, in minor units;
    ads are shown in these `hours`.
    """
    held = budget.startswith("campaign")
    return {
        **_budgets(budget, money, season, is_here=held),
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP" if held else None,
        "start_time": partial(_time, season, 0),
        "stop_time": partial(_time, season, 1) if budget.endswith("lifetime") else None,
        "pacing_type": _pacing(hours),
    }


def adset_values(  # noqa: PLR0913, PLR0917  what a row of the company's table says
    budget: str,
    money: float,
    season: str,
    hours: tuple[int, int],
    audience: str,
    learning: str,
    goal: str,
) -> Mapping[str, Any]:
    """The same of an ad set, with its audience, its learning phase and its goal."""
    held = budget.startswith("adset")
    is_lead = goal == "LEAD_GENERATION"
    sells = is_lead or goal == "OFFSITE_CONVERSIONS"
    event = "LEAD" if is_lead else "PURCHASE"
    return {
        **_budgets(budget, money, season, is_here=held),
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP" if held else None,
        "bid_amount": None,
        "start_time": partial(_time, season, 0),
        "end_time": partial(_time, season, 1) if budget.endswith("lifetime") else None,
        "targeting": partial(_targeting, TARGETED[audience]),
        "destination_type": "WEBSITE",
        "promoted_object": partial(_promoted, event) if sells else _page,
        "learning_stage_info": partial(_learning, learning),
        "pacing_type": _pacing(hours),
        "adset_schedule": _schedule(hours),
    }


def _pacing(hours: tuple[int, int]) -> Sequence[str]:
    """Source: Ad set reference, pacing_type."""
    return ["standard"] if hours == ALL_DAY else ["day_parting"]


def _schedule(hours: tuple[int, int]) -> Sequence[Mapping[str, Any]] | None:
    """When ads are shown, in minutes of a day of the account's clock; days from 0, Sunday. Source:
    Ad set reference, adset_schedule.
    """
    if hours == ALL_DAY:
        return None
    start, end = (60 * hour for hour in hours)
    days = list(range(7))
    return [{"start_minute": start, "end_minute": end, "days": days, "timezone_type": "ADVERTISER"}]


#: Budgets leave room for the weeks in which most is spent: seven daily ones are not exceeded in a
#: week, nor that of a lifetime in its run. Prices of Black Week are those of no other.
ROOM: Final[Mapping[str, float]] = {"black_week": 1.75, "spring": 1.5}
USUAL_ROOM: Final = 1.6

#: Share of a budget that is spent when its time is over, about.
SPENT: Final = 0.75


def _budgets(budget: str, money: float, season: str, *, is_here: bool) -> Mapping[str, Any]:
    none = dict.fromkeys(("daily_budget", "lifetime_budget", "budget_remaining"))
    if not is_here:
        return none
    is_daily = budget.endswith("daily")
    days = 1 if is_daily else run_of(season).days
    whole = int(money * days * ROOM.get(season, USUAL_ROOM))
    remaining = partial(_remaining, whole, "" if is_daily else season)
    key = "daily_budget" if is_daily else "lifetime_budget"
    return {**none, key: str(whole), "budget_remaining": remaining}


def _remaining(whole: int, season: str, node: WorldNode, now: datetime) -> str:
    """What is left of today's budget, or of that of a season's last run."""
    begins = _begins(season, node, now) if season else local_date(node.zone, now)
    time_of_it = timedelta(days=run_of(season).days if season else 1)
    gone = now - datetime.combine(begins, time(), node.zone)
    return str(int(whole * (1 - SPENT * min(1.0, gone / time_of_it))))


def _time(season: str, which: int, node: WorldNode, now: datetime) -> str:
    """When its run begins (0) or is over (1): the last one that has begun, or the first of all."""
    if season == "always" and which == 0:
        return _text(node.created, node)
    day = _begins(season, node, now) + timedelta(days=run_of(season).days) * which
    return _text(datetime.combine(day, time(), node.zone), node)


def _begins(season: str, node: WorldNode, now: datetime) -> date:
    today = local_date(node.zone, now)
    begins = run_of(season).begins
    return max(day for day in map(begins, (today.year - 1, today.year)) if day <= today)


def _text(moment: datetime, node: WorldNode) -> str:
    return moment.astimezone(node.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def _targeting(audience: Audience, node: WorldNode, _: datetime) -> Mapping[str, Any]:
    countries = list(node.about.countries)
    around = {"latitude": -36.85, "longitude": 174.76, "radius": audience.kilometres}
    places: dict[str, Any] = (
        {"custom_locations": [{**around, "distance_unit": "kilometer"}]}
        if audience.kilometres
        else {"countries": countries}
    )
    found: dict[str, Any] = {
        "age_min": audience.ages[0],
        "age_max": audience.ages[1],
        "geo_locations": {**places, "location_types": ["home", "recent"]},
        "targeting_automation": {"advantage_audience": int(audience.is_advantage)},
    }
    if audience.genders:
        found["genders"] = list(audience.genders)
    for key, names in (("custom", audience.custom), ("excluded_custom", audience.excluded)):
        if names:
            found[f"{key}_audiences"] = [
                {"id": audience_id(node.account, name), "name": name} for name in names
            ]
    if audience.interests:
        found["flexible_spec"] = [
            {"interests": [{"id": i, "name": n} for i, n in audience.interests]}
        ]
    if audience.positions:
        found["publisher_platforms"] = list(audience.positions)
        for platform, positions in audience.positions.items():
            found[f"{platform}_positions"] = list(positions)
        found["device_platforms"] = ["mobile", "desktop"]
    return found


def _promoted(event: str, node: WorldNode, _: datetime) -> Mapping[str, str]:
    return {"pixel_id": _in_library(node.account, "51", 1), "custom_event_type": event}


def _page(node: WorldNode, _: datetime) -> Mapping[str, str]:
    return {"page_id": f"10{digits(13, node.account.id, 'page')}"}


def _learning(status: str, node: WorldNode, now: datetime) -> Mapping[str, Any] | None:
    """Only of ad sets that run. One that learns was changed on Monday, and counts up from there."""
    if node.effective_status != "ACTIVE":
        return None
    today = local_date(node.zone, now)
    monday = datetime.combine(today - ONE_DAY * today.weekday(), time(), node.zone)
    changed, conversions = monday, 4 * today.weekday() + 3
    if status in LEARNT:
        least, more = LEARNT[status]
        changed, conversions = node.updated, least + int(digits(3, node.id, "learnt")) % more
    return {
        "attribution_windows": ["1d_view", "7d_click"],
        "conversions": conversions,
        "last_sig_edit_ts": int(changed.astimezone(UTC).timestamp()),
        "status": status,
    }
