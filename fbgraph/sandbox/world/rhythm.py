"""How an ad of the company does on a day: its share of a budget, and what that buys.

The ads of an ad set take turns. A new one is shown to people who have not seen it; weeks later the
same people have seen it often, fewer of them click, and the next one has taken over. Everything
follows from the date, so that a finished day is the same whenever somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.world.advertisers.plan import AccountPlan, Conduct

__all__ = [
    "BOUGHT",
    "LINKS",
    "SEEN",
    "TO_CHECKOUT",
    "DayPlan",
    "Habits",
    "day_plan",
    "habits",
    "is_recent",
    "run_of",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """What is usual for a part of the funnel. `cpm` and `ctr` multiply what is usual; `roas` is the
    value of purchases per money spent; `often` is added to the frequency of a day; `leads` come
    from that share of link clicks.
    """

    cpm: float
    ctr: float
    roas: float
    often: float = 0.0
    leads: float = 0.0


STAGES: Final[Mapping[str, Stage]] = {
    "Prospecting": Stage(cpm=1.0, ctr=1.0, roas=1.7),
    "Retargeting": Stage(cpm=1.7, ctr=1.35, roas=3.9, often=0.45),
    "Retention": Stage(cpm=1.4, ctr=1.2, roas=4.6, often=0.5),
    "Sale": Stage(cpm=1.15, ctr=1.3, roas=3.0, often=0.25),
    "Leads": Stage(cpm=1.05, ctr=0.9, roas=0.0, leads=0.15),
    "Traffic": Stage(cpm=0.5, ctr=1.5, roas=0.6, often=0.1),
    "Awareness": Stage(cpm=0.4, ctr=0.3, roas=0.5, often=0.35),
    "Boost": Stage(cpm=0.8, ctr=1.1, roas=1.2, often=0.15),
}

#: Clicks per impression by the form of an ad, before anything else counts.
CTR: Final[Mapping[str, float]] = {
    "link": 0.013,
    "photo": 0.014,
    "video": 0.018,
    "carousel": 0.016,
    "feed": 0.015,
    "template": 0.021,
}


class Habits(NamedTuple):
    """What an ad does on a usual day, when it is neither new nor old: see `DayPlan`."""

    cpm: float
    ctr: float
    carts: float
    leads: float
    order: float


class DayPlan(NamedTuple):
    """What to expect of an ad's day. Rates are per impression, link click, or step of the funnel;
    money is in minor units. `people` times impressions is what reach is worked out from.
    """

    impressions: float
    cpm: float
    ctr: float
    carts: float
    leads: float
    order: float
    people: float
    is_video: bool
    curve: Sequence[float]


#: The share of clicks that are on the link.
LINKS: Final = 0.72

#: No product is so wanted that more of those who see its page put it into the basket.
MOST_CARTS: Final = 0.4

#: Impressions that reach counts for one person (`insights.columns`).
SEEN_BY_ONE: Final = 1.6

SATURDAY: Final = 5

#: Age, in turns, until which somebody may still react to an ad.
RECENT: Final = 1.2

#: Shares: of link clicks that see the page, of carts that go to checkout, of checkouts that buy.
SEEN, TO_CHECKOUT, BOUGHT = 0.82, 0.56, 0.66

#: More ads than these in an ad set are taken to share its budget as they do on average.
COUNTED: Final = 8

#: Share of a cycle in which an ad is shown, by the number of ads that take turns.
TURN_SHARES: Final[Mapping[int, float]] = {1: 1.0, 2: 0.72}
TURN_OF_MANY: Final = 0.58

#: Money on each weekday, and readiness to buy, Monday first.
SPENT_ON: Final[Sequence[float]] = (1.03, 0.99, 0.97, 0.99, 0.95, 0.98, 1.09)
READY: Final[Sequence[float]] = (1.08, 1.03, 1.0, 1.0, 0.93, 0.89, 1.09)

#: Money in each month, January first.
SPENT_IN_MONTH: Final[Sequence[float]] = (
    *(0.84, 0.86, 0.95, 1.0, 0.97, 0.92),
    *(0.86, 0.87, 0.95, 1.0, 1.06, 1.0),
)

#: How busy each hour of a weekday is, and of a weekend.
WEEKDAY: Final[Sequence[float]] = (
    *(0.22, 0.12, 0.07, 0.05, 0.07, 0.18, 0.42, 0.62, 0.60, 0.58, 0.62, 0.72),
    *(0.90, 0.80, 0.66, 0.64, 0.68, 0.80, 0.94, 1.12, 1.24, 1.18, 0.86, 0.48),
)
WEEKEND: Final[Sequence[float]] = (
    *(0.34, 0.22, 0.12, 0.07, 0.06, 0.09, 0.18, 0.36, 0.60, 0.84, 0.98, 1.00),
    *(0.92, 0.86, 0.86, 0.90, 0.92, 0.94, 1.00, 1.08, 1.12, 1.04, 0.80, 0.52),
)

#: Season → the money of each of its days, of the campaigns that are made for it.
SALE_DAYS: Final[Mapping[str, Sequence[float]]] = {
    "black_week": (0.7, 0.6, 0.65, 0.9, 1.9, 1.2, 1.0, 1.4),
    "spring": (1.2, 1.0, 0.9, 1.0, 1.0, 0.9, 1.0),
    "autumn": (1.0,) * 92,
    "year": (1.0,) * 366,
}


class Market(NamedTuple):
    """How a day differs from others for everybody: money, prices, and readiness to buy."""

    money: float = 1.0
    cpm: float = 1.0
    ready: float = 1.0


@lru_cache(maxsize=4096)
def _market(day: date) -> Market:
    """Sales, and the weeks around them, when prices rise and people buy, or wait, or are tired."""
    at = (day - _black_monday(day.year)).days
    if 0 <= at < len(SALE_DAYS["black_week"]):
        return Market(1.22, 1.4, 1.35 if at < 4 or at > 4 else 1.6)  # noqa: PLR2004  Black Friday
    if -10 <= at < 0:  # noqa: PLR2004  people wait for it
        return Market(0.95, 1.12, 0.86)
    if 8 <= at < 15:  # noqa: PLR2004  the week after
        return Market(0.84, 1.0, 0.88)
    if (day.month, day.day) >= (12, 21) or (day.month, day.day) <= (1, 3):
        return Market(0.8, 0.78, 0.9)
    if 0 <= (day - _spring_start(day.year)).days < len(SALE_DAYS["spring"]):
        return Market(1.1, 1.08, 1.2)
    return Market(cpm=0.92 + 0.02 * ((day.month - 1) % 6))


def _black_monday(year: int) -> date:
    """The Monday before Thanksgiving, the fourth Thursday of November."""
    first = date(year, 11, 1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return thursday - timedelta(days=3)


def _spring_start(year: int) -> date:
    """The second Thursday of April."""
    first = date(year, 4, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 7)


def _weekends_of_summer(day: date) -> float:
    """In the south, Thursday to Sunday, in two weeks of three."""
    summer = day.month >= 10 or day.month <= 3  # noqa: PLR2004  October to March
    return float(summer and day.weekday() >= 3 and day.isocalendar().week % 3 != 1)  # noqa: PLR2004


class Span(NamedTuple):
    """When something runs that has an end: the day on which it begins in a year, and how long."""

    begins: Callable[[int], date]
    days: int


#: Season → when it is: from the Monday before Thanksgiving to Cyber Monday, in April, the last
#: quarter of a year, and all of it.
RUNS: Final[Mapping[str, Span]] = {
    "black_week": Span(_black_monday, len(SALE_DAYS["black_week"])),
    "spring": Span(_spring_start, len(SALE_DAYS["spring"])),
    "autumn": Span(lambda year: date(year, 10, 1), len(SALE_DAYS["autumn"])),
    "year": Span(lambda year: date(year, 1, 1), len(SALE_DAYS["year"])),
}


def run_of(season: str) -> Span:
    """The yearly run of a season; of those without one, the last quarter of a year."""
    return RUNS.get(season, RUNS["autumn"])


def _spent_on(season: str, day: date) -> float:
    """The share of its daily budget that is spent on a day; 0 where nothing is."""
    if season == "summer_weekends":
        return _weekends_of_summer(day)
    if season not in RUNS:
        return 1.0
    at = (day - RUNS[season].begins(day.year)).days
    return SALE_DAYS[season][at] if 0 <= at < RUNS[season].days else 0.0


def _age(conduct: Conduct, rank: int, day: date) -> float:
    """How far an ad is through its turn: 0 on its first day, 1 and more when it is over."""
    at = (day.toordinal() + rank * conduct.cycle / conduct.siblings) % conduct.cycle
    return at / (conduct.cycle * TURN_SHARES.get(conduct.siblings, TURN_OF_MANY))


def _pull(age: float) -> float:
    """How much of the budget an ad draws: a new one has to be learnt, an old one is left."""
    return min(1.0, 0.45 + 12 * age) * (1.0 - 0.6 * age) if age < 1 else 0.0


def _share(conduct: Conduct, own: float, day: date) -> float:
    """The part of its ad set's money that an ad of this age gets."""
    if conduct.siblings > COUNTED:
        return _pull(own) / (0.66 * TURN_OF_MANY * conduct.siblings)
    return _pull(own) / sum(_pull(_age(conduct, at, day)) for at in range(conduct.siblings))


def habits(conduct: Conduct, about: AccountPlan, chance: random.Random) -> Habits:
    """What makes an ad differ from others of its kind."""
    stage = STAGES[conduct.stage]
    cpm = about.cpm * stage.cpm * chance.uniform(0.85, 1.2)
    ctr = CTR[conduct.concept.form] * stage.ctr * chance.uniform(0.75, 1.3)
    order = conduct.concept.product.price * about.rate * chance.uniform(1.15, 1.6)
    bought = stage.roas * chance.uniform(0.6, 1.45) * cpm / (1000 * ctr * LINKS * order)
    carts = min(MOST_CARTS, bought / (SEEN * TO_CHECKOUT * BOUGHT))
    return Habits(cpm, ctr, carts, stage.leads * chance.uniform(0.7, 1.3), order)


def day_plan(
    conduct: Conduct, habit: Habits, about: AccountPlan, day: date, chance: random.Random
) -> DayPlan | None:
    """What to expect of an ad on a day; None if it is not shown. Throws the same dice always."""
    noise, luck = chance.uniform(0.88, 1.12), chance.uniform(0.85, 1.15)
    age = _age(conduct, conduct.rank, day)
    season = _spent_on(conduct.season, day)
    if age >= 1 or not season:
        return None
    market = _market(day)
    # Somebody moves money between ad sets every now and then.
    spend = conduct.budget * _share(conduct, age, day) * season * noise
    spend *= 0.82 + dice(conduct.cycle, conduct.budget, day.toordinal() // 12) % 37 / 100
    spend *= SPENT_ON[day.weekday()] * SPENT_IN_MONTH[day.month - 1] * market.money
    cpm = habit.cpm * market.cpm * (0.94 + 0.18 * age)
    often = 1.06 + 0.62 * age + STAGES[conduct.stage].often
    return DayPlan(
        impressions=1000 * spend / cpm,
        cpm=cpm,
        ctr=habit.ctr * (1.14 - 0.62 * age) * luck,
        carts=min(MOST_CARTS, habit.carts * READY[day.weekday()] * market.ready),
        leads=habit.leads,
        order=habit.order,
        people=SEEN_BY_ONE / often,
        is_video=conduct.concept.form == "video",
        curve=_curve(about.late_evenings, conduct.hours, is_weekend=day.weekday() >= SATURDAY),
    )


def is_recent(conduct: Conduct, day: date) -> bool:
    """Whether an ad was shown not long before, so that somebody may still react to it."""
    return _age(conduct, conduct.rank, day) < RECENT and bool(_spent_on(conduct.season, day))


@lru_cache
def _curve(shift: int, hours: tuple[int, int], *, is_weekend: bool) -> Sequence[float]:
    """Shares of a day by hour, none outside `hours`. `shift`: hours by which people are up later
    than elsewhere.
    """
    curve = WEEKEND if is_weekend else WEEKDAY
    shown = [curve[(hour - shift) % 24] * (hours[0] <= hour < hours[1]) for hour in range(24)]
    return tuple(one / sum(shown) for one in shown)
