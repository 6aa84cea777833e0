"""What a world is made of, as a value: `hostile` has one whose names are chosen to hurt, `company`
one that looks like a company. `tree` walks either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.world.brands import ODDITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fbgraph.sandbox.world.brands import Brand

__all__ = ["CLIENT_EVERY", "MINOR_UNITS", "AccountPlan", "Part", "WorldPlan"]


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One ad account. `cpm` is its usual price of 1,000 impressions, in the currency's minor unit.

    `shape`: campaigns, ad sets in each, ads in each of those. `activity` scales how many days an
    ad delivers on. `shop` is where its products are on the brand's site: "" or a path.
    """

    name: str
    currency: str
    zone: str
    cpm: int
    shape: tuple[int, int, int]
    activity: float = 1.0
    brand: Brand = ODDITIES
    shop: str = ""


#: currency → minor units in a major one, as Meta counts them: 1 for these, 100 for all others.
#: Source: Marketing API, Currencies.
MINOR_UNITS: Final[Mapping[str, int]] = dict.fromkeys(
    ("CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"), 1
)

#: One in this number of accounts, the last, is a client's.
CLIENT_EVERY: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What the plan says of one object. `review` is Meta's word on it, where there is one;
    `children` are in it.
    """

    level: str
    name: str
    status: str = "ACTIVE"
    review: str | None = None
    purpose: str = ""
    children: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """A made-up world. `businesses`: the one behind the token and one that it works for. `labels`:
    those of each account.

    `campaigns` gives the campaigns of an account, with all that is in them: its plan, its place in
    the listing, and by how much the ads in each ad set are multiplied.
    """

    name: str
    accounts: Sequence[AccountPlan]
    businesses: tuple[str, str]
    labels: Sequence[str]
    campaigns: Callable[[AccountPlan, int, int], Iterable[Part]]
