"""What an ad delivered in an hour: computed from (seed, ad, date, hour), stored nowhere.

Numbers are whole: counts, and money in the currency's minor unit. So any sum of them is exact,
and hourly rows add up to an account's total whichever way they are grouped.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph.sandbox.world.days import ONE_HOUR, local_date, starts_of_hours
from fbgraph.sandbox.world.rhythm import (
    BOUGHT,
    LINKS,
    SEEN,
    TO_CHECKOUT,
    day_plan,
    habits,
    is_recent,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from fbgraph.sandbox.world.advertisers.plan import Conduct
    from fbgraph.sandbox.world.nodes import WorldNode
    from fbgraph.sandbox.world.rhythm import DayPlan, Habits

    #: All hours of an ad's day that have numbers, as they are in the end.
    HoursOf = Callable[[WorldNode, date], Sequence["RealHour"]]
    #: Now, and the zone of an account → (the first instant of an hour → its share that is known).
    Progress = Callable[[datetime, ZoneInfo], Callable[[datetime], float]]

__all__ = ["NOTHING", "Delivery", "Numbers", "RealHour", "Table", "add", "at_once", "table_of"]


class Numbers(NamedTuple):
    """What adds up. Six count video views and how far they went.

    Purchases off Meta are kept by the window that they are attributed in, so that windows add up as
    well: within a day of a click, later within its week, within a day of a view.
    """

    impressions: int = 0
    clicks: int = 0
    spend: int = 0
    link_clicks: int = 0
    comments: int = 0
    likes: int = 0
    reactions: int = 0  # likes are among them
    saves: int = 0
    shop_purchases: int = 0
    shop_value: int = 0
    landing_views: int = 0
    purchases_1d: int = 0
    purchases_7d: int = 0
    purchases_viewed: int = 0
    value_1d: int = 0
    value_7d: int = 0
    value_viewed: int = 0
    video_views: int = 0
    video_p25: int = 0
    video_p50: int = 0
    video_p75: int = 0
    video_p95: int = 0
    video_p100: int = 0
    carts: int = 0
    checkouts: int = 0
    leads: int = 0
    people: int = 0  # what reach is worked out from

    @property
    def purchases(self) -> int:
        """All purchases off Meta."""
        return self.purchases_1d + self.purchases_7d + self.purchases_viewed

    @property
    def purchase_value(self) -> int:
        """What they were worth, in minor units."""
        return self.value_1d + self.value_7d + self.value_viewed


NOTHING: Final = Numbers()


class RealHour(NamedTuple):
    """An hour of an ad's day: its label (None for a row without its hour), its first instant."""

    label: int | None
    start: datetime
    numbers: Numbers


#: hour of the wall clock → numbers; None holds a row that comes without its hour
#: (docs/graph-api.md#days-and-hours).
Table = dict[int | None, Numbers]

#: hour → how busy it is. An hour below its own dice has no delivery at all.
CURVE: Final[Sequence[float]] = (
    *(0.30, 0.16, 0.08, 0.05, 0.06, 0.12, 0.28, 0.45, 0.58, 0.66, 0.72, 0.78),
    *(0.84, 0.80, 0.74, 0.72, 0.76, 0.84, 0.92, 1.00, 0.98, 0.86, 0.66, 0.44),
)

#: Share of ad-days without delivery that still come with one row, without its hour key.
LATE: Final = 0.12

#: effective_status → share of days on which such an ad delivers. What never left review has none.
DAYS_DELIVERED: Final[Mapping[str, float]] = {
    "ACTIVE": 0.96,
    "IN_PROCESS": 0.9,
    "WITH_ISSUES": 0.7,
    "PAUSED": 0.6,
    "ADSET_PAUSED": 0.6,
    "CAMPAIGN_PAUSED": 0.6,
    "ARCHIVED": 0.5,
    "DELETED": 0.45,
    "DISAPPROVED": 0.1,
}

#: Percent of a video's views that reached this far.
WATCHED: Final[Sequence[int]] = (62, 41, 27, 18, 14)

#: One in this number of ads is a video.
VIDEO_EVERY: Final = 3

#: Ad-days kept at hand. A large account-day passes through without pushing memory up.
KEPT: Final = 8192


def add(numbers: Iterable[Numbers]) -> Numbers:
    """The sum, field by field."""
    return Numbers(*map(sum, zip(*numbers, strict=True)))


def part_of(numbers: Numbers, share: float) -> Numbers:
    """So much of everything, rounded half up: an hour that has only begun, or is not known yet."""
    return Numbers._make([int(n * share + 0.5) for n in numbers])


def at_once(now: datetime, _: ZoneInfo) -> Callable[[datetime], float]:
    """What is delivered is known: the share of an hour that is over."""
    return lambda start: min(1.0, (now - start) / ONE_HOUR)


def table_of(hours: Sequence[RealHour], share_of: Callable[[datetime], float]) -> Table:
    """Numbers by label, as far as they are known. Hours with the same label add up."""
    table: Table = {}
    for label, start, whole in hours:
        share = share_of(start)
        if share <= 0:
            continue
        # A row without its hour comes as a whole.
        numbers = whole if share >= 1 or label is None else part_of(whole, share)
        if numbers.impressions or label is None:
            table[label] = add((table[label], numbers)) if label in table else numbers
    return table


@dataclass(frozen=True, slots=True)
class Profile:
    """How an ad usually does. `ctr` in clicks per impression, `cpm` in minor units."""

    days: float
    impressions: float  # in its busiest hour
    ctr: float
    cpm: float
    order: float  # value of a purchase, in minor units
    is_video: bool


class Delivery:
    """The numbers of a seeded world: `hours` of a day in the end, `table` of it so far."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._day = lru_cache(maxsize=KEPT)(self._whole_day)
        self._profile = lru_cache(maxsize=KEPT)(self._profile_of)
        self._habits = lru_cache(maxsize=KEPT)(self._habits_of)

    def table(self, ad: WorldNode, day: date, now: datetime) -> Table:
        """One ad on one of its account's days, as far as `now`; no key for an idle hour."""
        if day > local_date(ad.zone, now):
            return {}
        return table_of(self.hours(ad, day), at_once(now, ad.zone))

    def hours(self, ad: WorldNode, day: date) -> Sequence[RealHour]:
        """One ad on one of its account's days when all of it is over and known."""
        if not ad.about.activity or (ad.delivers_from and day < ad.delivers_from):
            return ()
        return self._day(ad, day)

    def _whole_day(self, ad: WorldNode, day: date) -> Sequence[RealHour]:
        dice = random.Random(f"{self._seed}/{ad.id}/{day}")  # noqa: S311  seeded numbers, no secret
        if ad.concept is not None:
            return self._planned_day(ad, day, dice)
        profile = self._profile(ad)
        roll = dice.random()
        if roll >= profile.days:
            late = profile.days > 0 and roll >= 1 - (1 - profile.days) * LATE
            return _without_hour(ad, day, dice) if late else ()
        return _with_hours(ad, day, lambda hour: _hour(dice, profile, CURVE[hour]))

    def _planned_day(self, ad: WorldNode, day: date, dice: random.Random) -> Sequence[RealHour]:
        """The same of a company's ad. One that was never shown has no conduct."""
        if ad.conduct is None:
            return ()
        plan = day_plan(ad.conduct, self._habits(ad, ad.conduct), ad.about, day, dice)
        if plan and ad.about.noise:
            plan = plan._replace(impressions=plan.impressions * self._luck(ad.account, day))
        if plan is None:
            late = is_recent(ad.conduct, day) and dice.random() < LATE
            return _without_hour(ad, day, dice) if late else ()
        return _with_hours(ad, day, lambda hour: _planned_hour(dice, plan, hour))

    def _habits_of(self, ad: WorldNode, conduct: Conduct) -> Habits:
        chance = random.Random(f"{self._seed}/{ad.id}/habits")  # noqa: S311  seeded, no secret
        return habits(conduct, ad.about, chance)

    def _luck(self, account: WorldNode, day: date) -> float:
        """What multiplies the day of all ads of an account: some days are better than others."""
        chance = random.Random(f"{self._seed}/{account.id}/{day}/luck")  # noqa: S311  seeded
        return chance.lognormvariate(0, account.about.noise)

    def _profile_of(self, ad: WorldNode) -> Profile:
        dice = random.Random(f"{self._seed}/{ad.id}/profile")  # noqa: S311  seeded, no secret
        share = DAYS_DELIVERED.get(ad.born, 0.0)
        return Profile(
            days=share * ad.about.activity,
            impressions=dice.lognormvariate(5.4, 0.9),
            ctr=dice.uniform(0.006, 0.03),
            cpm=ad.about.cpm * dice.uniform(0.6, 1.6),
            order=ad.about.cpm * dice.uniform(3, 9),
            is_video=dice.random() * VIDEO_EVERY < 1,
        )


def _with_hours(
    ad: WorldNode, day: date, numbers_of: Callable[[int], Numbers]
) -> Sequence[RealHour]:
    """Every hour of a day that has numbers."""
    hours = [
        RealHour(hour, start, numbers_of(hour)) for hour, start in starts_of_hours(ad.zone, day)
    ]
    return tuple(one for one in hours if one.numbers.impressions)


def _without_hour(ad: WorldNode, day: date, dice: random.Random) -> Sequence[RealHour]:
    """The row of a day without delivery; it comes when half of the day is over."""
    starts = starts_of_hours(ad.zone, day)
    return (RealHour(None, starts[len(starts) // 2][1], _late(dice)),)


def _hour(dice: random.Random, profile: Profile, busy: float) -> Numbers:
    """One real hour. Always throws the same number of dice."""
    r = [dice.random() for _ in range(10)]
    if r[0] > busy + 0.12:
        return NOTHING
    impressions = int(profile.impressions * busy * (0.5 + r[1]))
    clicks = min(impressions, int(impressions * profile.ctr * (0.4 + r[2]) + r[3]))
    links = int(clicks * (0.5 + r[3] / 2))
    reactions = int(impressions * 0.004 * r[4] + r[5] * 0.9)
    purchases = int(links * 0.04 + r[6] * 0.98) if links else 0
    shop = int(r[7] * 1.02) if links else 0
    views = int(impressions * 0.3 * (0.5 + r[8])) if profile.is_video else 0
    return Numbers(
        impressions=impressions,
        clicks=clicks,
        spend=int(impressions * profile.cpm * (0.7 + r[9] * 0.6) / 1000),
        link_clicks=links,
        comments=int(reactions * r[6] * 0.4),
        likes=int(reactions * r[7]),
        reactions=reactions,
        saves=int(r[8] * 1.1),
        shop_purchases=shop,
        shop_value=int(shop * profile.order),
        landing_views=int(links * 0.8),
        **_by_window(purchases, int(purchases * profile.order * (0.8 + r[4] * 0.4)), r[4]),
        video_views=views,
        **_watched(views),
        carts=3 * purchases + int(r[8] * 1.1),
        checkouts=2 * purchases,
        leads=purchases + int(r[8] * 1.1),
        people=impressions,
    )


def _planned_hour(dice: random.Random, plan: DayPlan, hour: int) -> Numbers:
    """One real hour of a company's ad. Always throws the same number of dice."""
    r = [dice.random() for _ in range(10)]
    impressions = int(plan.impressions * plan.curve[hour] * (0.75 + r[0] / 2) + r[1])
    if not impressions or not plan.curve[hour]:
        return NOTHING
    clicks = min(impressions, int(impressions * plan.ctr * (0.7 + r[2] * 0.6) + r[3]))
    links = int(clicks * LINKS + r[4])
    landing = int(links * SEEN + r[5])
    carts = int(landing * plan.carts * (0.7 + r[2] * 0.6) + r[6])
    checkouts = int(carts * TO_CHECKOUT + r[7])
    purchases = int(checkouts * BOUGHT + r[8])
    value = int(purchases * plan.order * (0.8 + r[9] * 0.4))
    reactions = int(impressions * 0.003 * r[9] + r[6])
    views = int(impressions * 0.3 * (0.7 + r[8] * 0.6)) if plan.is_video else 0
    return Numbers(
        impressions=impressions,
        clicks=clicks,
        spend=int(impressions * plan.cpm * (0.85 + r[9] * 0.3) / 1000 + r[0]),
        link_clicks=min(links, clicks),
        comments=int(reactions * r[4] * 0.3),
        likes=int(reactions * (0.6 + r[7] * 0.4)),
        reactions=reactions,
        saves=int(impressions * 0.0004 + r[5]),
        landing_views=min(landing, links),
        **_by_window(purchases, value, r[4]),
        video_views=views,
        **_watched(views),
        carts=carts,
        checkouts=checkouts,
        leads=int(links * plan.leads + r[8]) if plan.leads else 0,
        people=int(impressions * plan.people),
    )


def _by_window(purchases: int, value: int, at: float) -> Mapping[str, int]:
    """Purchases and their value by window; the dice `at` say where the odd one goes."""
    viewed = int(purchases * 0.15 + at) if purchases else 0
    late = min(int(purchases * 0.25 + 1 - at), purchases - viewed)
    each = value // purchases if purchases else 0
    return {
        "purchases_1d": purchases - viewed - late,
        "purchases_7d": late,
        "purchases_viewed": viewed,
        "value_1d": value - each * (viewed + late),
        "value_7d": each * late,
        "value_viewed": each * viewed,
    }


def _watched(views: int) -> Mapping[str, int]:
    if not views:
        return {}
    names = ("video_p25", "video_p50", "video_p75", "video_p95", "video_p100")
    return {name: views * share // 100 for name, share in zip(names, WATCHED, strict=True)}


def _late(dice: random.Random) -> Numbers:
    """Nothing was shown; somebody may still have reacted to what was shown before."""
    reactions = dice.choice((0, 0, 1, 2))
    return Numbers(reactions=reactions, likes=min(reactions, dice.choice((0, 1))))
