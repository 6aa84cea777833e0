"""What a world is made of, as a value: `hostile` has one whose names are chosen to hurt, `company`
one that looks like a company. `tree` walks either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.advertisers.brands import ODDITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fbgraph.sandbox.world.advertisers.brands import Brand, Concept

__all__ = [
    "ALL_DAY",
    "CLIENT_EVERY",
    "MINOR_UNITS",
    "AccountPlan",
    "AdIdea",
    "AdSetIdea",
    "CampaignIdea",
    "Conduct",
    "Part",
    "WorldPlan",
]


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One ad account. `cpm` is its usual price of 1,000 impressions, in the currency's minor unit.

    `shape`: campaigns, ad sets in each, ads in each of those, where they are counted off.
    `activity` scales how many days an ad delivers on. `shop` is where its products are on the
    brand's site: "" or a path.

    `daily` is the money of a usual day and `rate` what a euro is, both in minor units.
    `countries`: where its people are, if that is known.
    `late_evenings`: hours by which its people are up later than elsewhere. `overlap`: by how much
    the people whom other ads reach are the same; 0 where reach adds up over ads. `noise`: by how
    much one day's money differs from another's, as a standard deviation.
    """

    name: str
    currency: str
    zone: str
    cpm: int
    shape: tuple[int, int, int] = (0, 0, 0)
    activity: float = 1.0
    brand: Brand = ODDITIES
    shop: str = ""
    daily: int = 0
    rate: int = 100
    countries: tuple[str, ...] = ()
    late_evenings: int = 0
    overlap: float = 0.0
    noise: float = 0.0


#: currency → minor units in a major one, as Meta counts them: 1 for these, 100 for all others.
#: Source: Marketing API, Currencies.
MINOR_UNITS: Final[Mapping[str, int]] = dict.fromkeys(
    ("CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"), 1
)

#: One in this number of accounts, the last, is a client's.
CLIENT_EVERY: Final = 3


#: From which hour of a day to which.
ALL_DAY: Final = (0, 24)


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the days of an ad depend on, by the tables of `rhythm`: `stage` is a key of `STAGES`,
    `season` one of `RUNS`, or "summer_weekends" or "always". `budget` is its ad set's, for a day,
    in minor units; `audience` is a key of `settings.TARGETED`. `rank` is its place among the
    `siblings` that take turns, each of which begins again after `cycle` days. `hours`: from which
    hour to which it is shown.
    """

    stage: str
    season: str
    budget: float
    audience: str
    rank: int
    siblings: int
    cycle: int
    concept: Concept
    hours: tuple[int, int] = ALL_DAY


@dataclass(frozen=True, slots=True)
class Part:
    """What the plan says of one object. `review` is Meta's word on it, where there is one;
    `children` are in it. `values` are fields that every object of this part has: a JSON value, or
    how to read it from the object and the time. `concept` and `conduct` are an ad's.
    """

    level: str
    name: str
    status: str = "ACTIVE"
    review: str | None = None
    purpose: str = ""
    children: Sequence[Part] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    concept: Concept | None = None
    conduct: Conduct | None = None


@dataclass(frozen=True, slots=True)
class AdIdea:
    """An ad: which of the brand's products, how it argues, in which form and version. `review` is
    what Meta made of it.
    """

    product: int
    angle: str
    form: str
    version: int = 1
    status: str = "ACTIVE"
    review: str | None = None


@dataclass(frozen=True, slots=True)
class AdSetIdea:
    """An ad set: whom it reaches (a key of `settings.TARGETED`), and with what. `share` is its
    part of the campaign's money; `learning` is its learning phase.
    """

    audience: str
    ads: Sequence[AdIdea]
    share: float = 1.0
    status: str = "ACTIVE"
    learning: str = "SUCCESS"


@dataclass(frozen=True, slots=True)
class CampaignIdea:
    """A campaign. `share` is its part of the account's money; who holds the budget, the campaign or
    each ad set, and whether it is daily or for a lifetime, is in `budget`. Ads are shown in its
    `hours` alone.
    """

    name: str  # {country} is filled in
    objective: str
    goal: str
    stage: str
    share: float
    budget: str  # "campaign daily", "adset daily", "campaign lifetime", "adset lifetime"
    adsets: Sequence[AdSetIdea]
    status: str = "ACTIVE"
    season: str = "always"
    hours: tuple[int, int] = ALL_DAY


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """A made-up world. `businesses`: the one behind the token and one that it works for. `labels`:
    those of each account.

    `campaigns` gives the campaigns of an account, with all that is in them: its plan, its place in
    the listing, and by how much the ads in each ad set are multiplied. `updated_within`: so long
    after an object was created it was changed for the last time. `is_orderly`: no object is older
    than what it is in.
    """

    name: str
    accounts: Sequence[AccountPlan]
    businesses: tuple[str, str]
    labels: Sequence[str]
    campaigns: Callable[[AccountPlan, int, int], Iterable[Part]]
    updated_within: timedelta = timedelta(days=2100)
    is_orderly: bool = False
