"""One object of an account: what it is, where it belongs, and what its statuses come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from fbgraph.sandbox.world.advertisers.brands import Concept
    from fbgraph.sandbox.world.advertisers.plan import AccountPlan, Conduct, Part

__all__ = [
    "HIDDEN",
    "NEVER_RAN",
    "PREFIXES",
    "WorldNode",
    "creative_id",
    "effective_status",
    "new_node",
]

#: What lists leave out unless asked. Source: Marketing API, Object status guide.
HIDDEN: Final = frozenset({"ARCHIVED", "DELETED"})

#: parent's level → what its pause makes of a running child.
PAUSED_BY: Final[Mapping[str, str]] = {"campaign": "CAMPAIGN_PAUSED", "adset": "ADSET_PAUSED"}

#: How ids of some levels begin. Source: none; Meta's ids have no such prefixes.
PREFIXES: Final[Mapping[str, str]] = {"creative": "9", "label": "6"}

#: `born` of an ad that was made paused: it delivers nothing, ever.
NEVER_RAN: Final = "NEVER_RAN"


@dataclass(slots=True, eq=False)
class WorldNode:
    """An ad account, campaign, ad set or ad, or a creative, label, image or business.

    `level` is its name as a level of insights, where it is one. `line` leads from the account down
    to the node itself, by level; a business belongs to no account.
    """

    level: str
    id: str  # digits, without act_
    name: str
    status: str
    effective_status: str
    about: AccountPlan
    created: datetime
    updated: datetime
    line: Mapping[str, WorldNode] = field(repr=False)
    children: list[WorldNode] = field(default_factory=list, repr=False)
    #: objective of a campaign, optimization goal of an ad set.
    purpose: str = ""
    #: What Meta made of it, where that is more than what its owner set.
    review: str | None = None
    #: What the plan or a write has set, by field; a plan may say how to read it.
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    #: Its effective status when it was made, which is all that delivery knows of it.
    born: str = ""
    #: The first day that it delivers on, for what a call has made; None for what the seed made.
    delivers_from: date | None = None
    #: What an ad or a creative shows, where the world says it.
    concept: Concept | None = None
    #: How an ad does from day to day, where the world says it.
    conduct: Conduct | None = None

    @property
    def account(self) -> WorldNode:
        return self.line["account"]

    @property
    def parent(self) -> WorldNode | None:
        above = list(self.line.values())[:-1]
        return above[-1] if above else None

    @property
    def is_seeded(self) -> bool:
        return self.delivers_from is None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.about.zone)

    def under(self, level: str) -> Iterator[WorldNode]:
        """Every node of `level` in this subtree, itself included, in the order of creation."""
        if self.level == level:
            yield self
        for child in self.children:
            yield from child.under(level)


def creative_id(ad: WorldNode) -> str:
    """Which creative an ad shows: the one that was set, or that of a seeded ad."""
    given = ad.values.get("creative")
    return str(given["id"]) if given else f"{PREFIXES['creative']}{ad.id[1:]}"


def new_node(
    parent: WorldNode | None,
    about: AccountPlan,
    node_id: str,
    part: Part,
    times: tuple[datetime, datetime],
) -> WorldNode:
    """`times`: when it was created and when it was last changed."""
    line: dict[str, WorldNode] = dict(parent.line) if parent else {}
    status = effective_status(part, parent)
    node = WorldNode(
        level=part.level,
        id=node_id,
        name=part.name,
        status=part.status,
        effective_status=status,
        about=about,
        created=times[0],
        updated=times[1],
        line=line,
        purpose=part.purpose,
        review=part.review,
        born=status,
        concept=part.concept,
        conduct=part.conduct,
    )
    node.values |= part.values
    line[part.level] = node
    return node


def effective_status(part: Part | WorldNode, parent: WorldNode | None) -> str:
    """What an object's own status, Meta's review and its parents come to.

    Archiving and deleting reach down to the children; a pause gives them the parent's word for
    it. Source: Marketing API, Object status guide.
    """
    above = parent.effective_status if parent else "ACTIVE"
    for gone in ("DELETED", "ARCHIVED"):
        if gone in (part.status, above):
            return gone
    if part.status == "PAUSED":
        return "PAUSED"
    if parent and above == "PAUSED":
        return PAUSED_BY[parent.level]
    return above if above.endswith("_PAUSED") else part.review or part.status
